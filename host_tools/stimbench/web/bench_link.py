"""The server's end: starts the bench's process, hears it, and tells it what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from stimbench.web.channel import HEAD, Kind, encoded
from stimbench.web.run_file import Run

__all__ = ("BenchLink", "StartedBench", "start_bench", "start_wired")

_END_S = 5.0
_WIRED_END_S = 10.0
"""A wired bench's output is stopped first, and its instruments are let go of."""
_MOST_WAITING = 4 << 20


class StartedBench:
    """A bench's process and the socket to it."""

    def __init__(self, run: Run, bench_file: str = "") -> None:
        """Start it.

        Args:
            run: what it repeats first.
            bench_file: of a wired bench, which repeats nothing; empty for an emulated one.
        """
        self.is_wired = bool(bench_file)
        self.socket, theirs = socket.socketpair()
        with theirs:
            # For a bench that repeats a run of hours, the socket's buffers are the only delay.
            words = [sys.executable, "-m", "stimbench.web.bench_process", str(theirs.fileno())]
            words += [bench_file] if bench_file else []
            self.process = subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()])
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
            pipe.write(run.model_dump_json().encode())

    def end(self) -> None:
        """End the process: it sees the socket closed. One that does not is killed."""
        self.socket.close()
        try:
            self.process.wait(_WIRED_END_S if self.is_wired else _END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_bench(run: Run) -> StartedBench:
    """Start a bench's process. It comes up while the caller does other things."""
    return StartedBench(run)


def start_wired(bench_file: str) -> StartedBench:
    """Start a wired bench's process: its file was read before, so it can be."""
    return StartedBench(Run(), bench_file)


class BenchLink:
    """Messages to and from a bench's process, within asyncio."""

    def __init__(self, started: StartedBench, on_message: Callable[[Kind, bytes], None]) -> None:
        """Speak to a process.

        Args:
            started: the process.
            on_message: told each message's kind and body. It does not wait.
        """
        self.started = started
        self._on_message = on_message
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen."""
        reader, self._writer = await asyncio.open_connection(sock=self.started.socket)
        self._task = asyncio.create_task(self._hear(reader))

    async def close(self) -> None:
        """End the process; nothing of it is heard any more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        await asyncio.to_thread(self.started.end)

    def tell(self, kind: Kind, body: dict[str, Any] | None = None) -> None:
        """Send a message. One that the bench does not take for long is dropped, but a STOP is not."""
        if self._writer is None or self._writer.is_closing():
            return
        waiting = self._writer.transport.get_write_buffer_size()
        if waiting < _MOST_WAITING or kind is Kind.STOP:
            self._writer.write(encoded(kind, body or b""))

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, kind = HEAD.unpack(await reader.readexactly(HEAD.size))
                self._on_message(Kind(kind), await reader.readexactly(length) if length else b"")
        self._on_message(Kind.FAILED, json.dumps({"error": "The bench's process has ended."}).encode())
