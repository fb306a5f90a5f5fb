"""Opening the board that --board names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stimbench.cli.common import err
from stimbench.client.ports import find_port, open_serial
from stimbench.client.stimulator import Stimulator, connect

__all__ = ("open_board",)

BENCH = "bench"


@contextmanager
def open_board(board: str | None) -> Iterator[Stimulator]:
    """The stimulator on `board`, connected and identified; closed at the end.

    Args:
        board: a port, `bench` for an emulated bench of our own, or None for the one board plugged in.

    Raises:
        StimbenchError: it cannot be had; the text says why.
    """
    if board == BENCH:
        with _own_bench() as stimulator:
            yield stimulator
        return
    link = open_serial(board or find_port())
    try:
        stimulator = connect(link)
        if stimulator.identity.warning:
            err.print(f"[yellow]Warning:[/] {stimulator.identity.warning}")
        yield stimulator
    finally:
        link.close()


@contextmanager
def _own_bench() -> Iterator[Stimulator]:
    # Imported here: the emulator is slow to load and no other command needs it.
    from stimbench.client.bench_link import open_bench

    with err.status("Starting the emulated bench"):
        manager = open_bench()
        stimulator = manager.__enter__()
    try:
        yield stimulator
    finally:
        manager.__exit__(None, None, None)
