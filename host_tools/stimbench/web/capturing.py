"""The captures of a wired bench's instruments, one after another, as the bench's process has them.

They are made in a process of their own (web.capture_process): an instrument that waits, or hands over for
long, holds up no STOP.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any, Protocol

from stimbench.rig.file import BenchFile
from stimbench.web.channel import Kind, taken, unpack

__all__ = ("CAPTURE_MS", "CaptureProcess", "Captures", "Listened", "NoCaptures")

CAPTURE_MS = 1000
"""How long an instrument records each time. One that has a setting of its own records as it is set."""
_END_S = 3.0
_READ = 1 << 18
_MOST_READ = 1 << 24


class Captures(Protocol):
    """What the stand knows of its instruments."""

    def news(self) -> list[tuple[Kind, Any]]:
        """What the server is told of now; it never waits."""

    def state(self) -> list[dict[str, Any]]:
        """Each source: `name`, `signals`, `own_length`, `count`, `error`, `since_ns` if it records now.

        Of its newest capture `begin_ns`, `end_ns`, `off_ns`; None if there was none.
        """

    def begin_end(self) -> None:
        """Tell it to end."""

    def end(self) -> None:
        """It has ended when this returns."""


class NoCaptures:
    """Of a bench without instruments."""

    def news(self) -> list[tuple[Kind, Any]]:
        """See Captures."""
        return []

    def state(self) -> list[dict[str, Any]]:
        """See Captures."""
        return []

    def begin_end(self) -> None:
        """See Captures."""

    def end(self) -> None:
        """See Captures."""


class Listened:
    """What is made of the messages of whoever records: for the server, and for the state."""

    def __init__(self, file: BenchFile) -> None:
        """Args: file: of the bench whose instruments they are."""
        self._sources: dict[str, dict[str, Any]] = {
            one.entry.name: {
                "name": one.entry.name, "signals": list(one.signals), "own_length": one.entry.kind == "visa",
                "since_ns": None, "count": 0, "error": "", "begin_ns": None, "end_ns": None, "off_ns": None,
            }
            for one in file.sources
        }  # fmt: skip

    def state(self) -> list[dict[str, Any]]:
        """See Captures."""
        return [dict(one) for one in self._sources.values()]

    def take(self, kind: Kind, body: bytes) -> list[tuple[Kind, Any]]:
        """A message; what the server is told of it."""
        if kind is Kind.CAPTURED:
            meta = unpack(body)[0]
            one = self._sources[meta["source"]]
            was_wrong = one["error"]
            one |= {name: meta[name] for name in ("begin_ns", "end_ns", "off_ns")}
            one |= {"since_ns": None, "error": "", "count": one["count"] + 1}
            told: list[tuple[Kind, Any]] = [(kind, body)]
            if was_wrong:
                told.append(_said(f"{one['name']} records again.", False))
            return told
        meta = json.loads(body)
        one = self._sources[meta["source"]]
        if kind is Kind.STATE:
            one["since_ns"] = meta["since_ns"]
            return []
        one["since_ns"] = None
        if one["error"] == meta["error"]:
            return []  # said before
        one["error"] = meta["error"]
        return [_said(f"No capture of {one['name']}: {meta['error']} It is tried again.", True)]

    def lose(self) -> list[tuple[Kind, Any]]:
        """Whoever recorded has ended."""
        for one in self._sources.values():
            one |= {"since_ns": None, "error": "The process that records has ended."}
        return [_said("The process that records has ended: there are no more captures.", True)]


def _said(text: str, error: bool) -> tuple[Kind, Any]:
    return Kind.SAID, {"text": text, "error": error}


class CaptureProcess:
    """See Captures: of the process web.capture_process."""

    def __init__(self, file: BenchFile, begin_s: float) -> None:
        """Start it.

        Args:
            file: of the bench; it is read again in that process.
            begin_s: where the page's clock begins, on time.monotonic, which all processes share.
        """
        self._listened = Listened(file)
        self._socket, theirs = socket.socketpair()
        with theirs:
            words = [sys.executable, "-m", "stimbench.web.capture_process", str(theirs.fileno()), file.path,
                     repr(begin_s)]  # fmt: skip
            # Ctrl-C reaches the server, which then ends the bench's process, which ends this one.
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], process_group=0
            )
        self._socket.setblocking(False)
        self._received = bytearray()
        self._lost = False

    def news(self) -> list[tuple[Kind, Any]]:
        """See Captures."""
        told: list[tuple[Kind, Any]] = []
        while not self._lost and len(self._received) < _MOST_READ:
            try:
                data = self._socket.recv(_READ)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self._received += data
            self._lost = not data
        for kind, body in taken(self._received):
            told += self._listened.take(kind, body)
        if self._lost and not self._socket._closed:  # type: ignore[attr-defined]
            self._socket.close()
            told += self._listened.lose()
        return told

    def state(self) -> list[dict[str, Any]]:
        """See Captures."""
        return self._listened.state()

    def begin_end(self) -> None:
        """See Captures."""
        self._process.terminate()

    def end(self) -> None:
        """See Captures."""
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._socket.close()
