"""Serves the boards' consoles as ptys, to which stock tools connect as to a real board's serial port."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import tty
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from pathlib import Path
from types import TracebackType
from typing import Any

from stimbench.bench.engine import Bench
from stimbench.bench.links import link_to, unlink_from
from stimbench.bench.pace import Pace
from stimbench.emulator.usb import ConsolePort

__all__ = ("ConsolePty", "serve", "served")

_SLICE_NS = 2_000_000
"""How much emulated time passes between two polls of the ptys."""
_READ_SIZE = 4096
_BACKLOG = 4096
"""Bytes for a client that does not read; beyond that the emulated host stops reading too."""


class ConsolePty:
    """One board's console behind a pty. The firmware sees DTR while a client has it open."""

    def __init__(self, name: str, console: ConsolePort, link: Path | None = None) -> None:
        """Make the pty.

        Args:
            name: the board's name.
            console: its console.
            link: a symbolic link to make for it, in place of one that a bench left there.

        Raises:
            InputError: the link cannot be made, or something that is not ours has that name.
        """
        self.name = name
        self._console = console
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        # Closed again: the master reports a hang-up until a client opens it, which is this port's DTR.
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        self._backlog = b""
        self._open = False
        self._link = link
        if link is not None:
            try:
                link_to(link, self.path)
            except BaseException:
                os.close(self._master)
                raise
        console.set_dtr(False)

    def exchange(self) -> bool:
        """Carry what waits in either direction; whether anything did."""
        events = dict(self._poll.poll(0)).get(self._master, 0)
        self._note_client(not events & select.POLLHUP)
        moved = False
        if events & select.POLLIN:
            data = self._read()
            self._console.write(data)
            moved = bool(data)
        if not self._open:
            self._console.read()  # nobody listens; a closed port's bytes are lost, as on a real one
            self._backlog = b""
            return moved
        return self._forward() or moved

    def _note_client(self, is_open: bool) -> None:
        if is_open != self._open:
            self._open = is_open
            self._console.host_reads = True
            self._console.set_dtr(is_open)

    def _read(self) -> bytes:
        try:
            return os.read(self._master, _READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:  # the client closed meanwhile
                return b""
            raise

    def _forward(self) -> bool:
        self._backlog += self._console.read()
        sent = 0
        if self._backlog:
            with contextlib.suppress(BlockingIOError):
                sent = os.write(self._master, self._backlog)
            self._backlog = self._backlog[sent:]
        self._console.host_reads = len(self._backlog) < _BACKLOG
        return sent > 0

    def close(self) -> None:
        """Take the pty and its link away."""
        if self._link is not None:
            unlink_from(self._link, self.path)
        os.close(self._master)

    def __enter__(self) -> ConsolePty:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(
    bench: Bench,
    on_ready: Callable[[dict[str, str]], None],
    pace: Pace | float | None = 1.0,
    stop: Callable[[], bool] | threading.Event | None = None,
    links: Mapping[str, Path] | None = None,
    poll: Callable[[], None] | None = None,
) -> None:
    """Run the bench with a pty for each board until stopped or interrupted.

    Args:
        bench: the bench; nobody else runs it meanwhile.
        on_ready: told the pty's path by board name once all are there.
        pace: emulated seconds a second; `None` or 0 for as fast as it goes. A bench that cannot keep up falls
            behind and does not hurry to catch up. Or a Pace, which its owner may change meanwhile.
        stop: asked between slices (about every 2 ms) whether to end; an event ends it when set.
        links: symbolic links to make, by board name.
        poll: called between two slices of the bench's time: for whoever acts on the bench meanwhile
            (control.ControlServer.poll). It does not wait and lets no time pass.
    """
    should_stop = stop.is_set if isinstance(stop, threading.Event) else stop
    with contextlib.ExitStack() as stack:
        ptys = [
            stack.enter_context(ConsolePty(name, board.console, (links or {}).get(name)))
            for name, board in bench.boards.items()
        ]
        on_ready({pty.name: pty.path for pty in ptys})
        clock = pace if isinstance(pace, Pace) else Pace(lambda: bench.now_ns, pace)
        with contextlib.suppress(KeyboardInterrupt):
            while not (should_stop and should_stop()):
                for pty in ptys:
                    pty.exchange()
                if poll is not None:
                    poll()
                if not clock.holds():
                    bench.run_for(_SLICE_NS)


@contextlib.contextmanager
def served(bench: Bench, pace: float | None = 1.0) -> Iterator[dict[str, str]]:
    """The ptys' paths by board name, while a thread of this process runs the bench.

    Whatever ends the thread too early is raised here.

    Args:
        bench: the bench; nobody else runs it meanwhile.
        pace: see `serve`.
    """
    paths: futures.Future[dict[str, str]] = futures.Future()
    stop = threading.Event()
    with futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(serve, bench, paths.set_result, pace, stop)
        first: tuple[futures.Future[Any], ...] = (paths, running)
        futures.wait(first, return_when=futures.FIRST_COMPLETED)
        if not paths.done():
            running.result()
        try:
            yield paths.result()
        finally:
            stop.set()
            running.result()
