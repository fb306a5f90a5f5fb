"""`stimbench bench ...`: the emulated bench as such."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from stimbench.cli import benchmarks, misses
from stimbench.cli.common import StimbenchGroup, err, out

app = typer.Typer(cls=StimbenchGroup, no_args_is_help=True, help="The emulated bench.")

_BOOT_NS = 500_000_000
"""Both boards are ready by then; a client that came earlier would give up on a slow machine."""


@app.command("up")
def up(
    pace: Annotated[
        float, typer.Option(min=0.0, help="Emulated seconds per second; 0: as fast as possible.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random on the bench.")] = 1,
) -> None:
    """Run an emulated bench until Ctrl-C. Each board is a pty, for --board or for mpremote."""
    from stimbench.bench.pty_server import serve
    from stimbench.client.on_bench import build_bench

    # Asked for by a signal, the end comes between two slices of bench time and leaves no pty behind.
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: received.append(number))

    def on_ready(ports: dict[str, str]) -> None:
        for name, port in ports.items():
            out.print(f"{name:<12}{port}", markup=False)
        err.print("The bench is up. Ctrl-C ends it.")

    with build_bench(seed) as bench:
        with err.status("Starting the emulated bench"):
            bench.run_until(lambda: bool(received), _BOOT_NS)
        serve(bench, on_ready, pace, lambda: bool(received))
    err.print("The bench is down.")
    raise typer.Exit(128 + received[0] if received else 0)


app.command("figures")(benchmarks.figures)
app.command("misses")(misses.misses)
