"""`stimbench serve`: the emulated bench, or a wired one, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stimbench.cli.common import JsonOption, services
from stimbench.cli.terminal import err, out
from stimbench.errors import InputError

if TYPE_CHECKING:
    from stimbench.web.bench_link import StartedBench
    from stimbench.web.run_file import Run

_LOOPBACK = "127.0.0.1"


def serve(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: one that is free.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is random on the bench.")] = 1,
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="Begin with a remote that is not paired with the stimulator.")
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="Listen at another address than this machine's own 127.0.0.1."
        ),
    ] = _LOOPBACK,
    let_the_network_in: Annotated[
        bool,
        typer.Option(
            "--let-the-network-in",
            help="With --host: whoever has a link can drive this bench, and nothing on the way is encrypted.",
        ),
    ] = False,
    link: Annotated[
        str | None,
        typer.Option("--run", metavar="LINK", help="Repeat the run of a link that a page gave, and go on."),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Repeat the run of the last server, on its port: its pages come back."),
    ] = False,
    bench: Annotated[
        Path | None,
        typer.Option(
            "--bench",
            metavar="BENCH.TOML",
            help="Serve the bench that this file describes, a wired one say: its board and its instruments. "
            "By the wall's clock; a wired run cannot be repeated.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the emulated bench, or a wired one, as a page for a browser, until Ctrl-C.

    The printed link lets one browser in, once. The page can make links for others.
    """
    if host != _LOOPBACK and not let_the_network_in:
        raise InputError(
            f"--host {host} lets other machines reach this bench, and nothing on the way is encrypted. "
            "If that is what you want, say --let-the-network-in as well."
        )
    from stimbench.web.bench_link import start_bench
    from stimbench.web.run_file import Run, RunConfig, from_link

    if bench is not None:
        _require_alone(ctx)
        rig = services(ctx).rig(bench)
        if not rig.file.is_emulated:
            _serve_wired(rig.file.path, host, port, as_json)
            return
    cookie = None
    if again:
        from stimbench.web.kept import latest

        kept = latest(port)
        run, cookie, port = kept.run, kept.cookie, kept.port
    elif link is not None:
        run = from_link(link.rpartition("#run=")[2])
    else:
        run = Run(config=RunConfig(seed=seed, paired=not unpaired))
    # It comes up while the server's modules are loaded.
    _serve(start_bench(run), run, host, port, cookie, as_json)


def _require_alone(ctx: typer.Context) -> None:
    """With --bench nothing else says which bench it is, or what has happened on it.

    Raises:
        InputError: something does.
    """
    words = {"link": "--run", "again": "--again", "seed": "--seed", "unpaired": "--unpaired"}
    given = [word for name, word in words.items() if _is_given(ctx, name)]
    if given:
        raise InputError(
            f"--bench and {', '.join(given)} do not go together: a wired bench is as it stands there, and "
            "its run cannot be repeated."
        )


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _serve_wired(path: str, host: str, port: int, as_json: bool) -> None:
    from stimbench.web.bench_link import start_wired
    from stimbench.web.run_file import Run

    _serve(start_wired(path), Run(), host, port, None, as_json)


def _serve(started: StartedBench, run: Run, host: str, port: int, cookie: str | None, as_json: bool) -> None:
    try:
        from stimbench.web.security import Door
        from stimbench.web.serving import listen
        from stimbench.web.serving import serve as serve_until_ended

        address = listen(host, port)
        if host != _LOOPBACK:
            err.print("[yellow]Warning:[/] other machines can reach this bench.", soft_wrap=True)
        serve_until_ended(address, started, run, Door(address.names, cookie), lambda url: _tell(url, as_json))
    finally:
        started.end()
    err.print("The bench is down.")


def _tell(url: str, as_json: bool) -> None:
    if as_json:
        import json

        typer.echo(json.dumps({"url": url}))
    else:
        out.print(url, markup=False, soft_wrap=True)
        err.print("Open this link, once, in a browser. Ctrl-C ends the bench.")
