"""`stimbench serve`: the bench in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from stimbench.cli.common import JsonOption
from stimbench.cli.terminal import err, out
from stimbench.errors import InputError

_LOOPBACK = "127.0.0.1"


def serve(
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
    as_json: JsonOption = False,
) -> None:
    """Serve the emulated bench as a page for a browser, until Ctrl-C.

    The printed link lets one browser in, once. The page can make links for others.
    """
    if host != _LOOPBACK and not let_the_network_in:
        raise InputError(
            f"--host {host} lets other machines reach this bench, and nothing on the way is encrypted. "
            "If that is what you want, say --let-the-network-in as well."
        )
    from stimbench.web.bench_link import start_bench
    from stimbench.web.run_file import Run, RunConfig, from_link

    cookie = None
    if again:
        from stimbench.web.kept import latest

        kept = latest(port)
        run, cookie, port = kept.run, kept.cookie, kept.port
    elif link is not None:
        run = from_link(link.rpartition("#run=")[2])
    else:
        run = Run(config=RunConfig(seed=seed, paired=not unpaired))
    started = start_bench(run)  # it comes up while the server's modules are loaded
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
