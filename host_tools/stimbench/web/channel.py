"""Messages between the bench's process and the server: a socket pair, each message with its length.

A message is its length (u32), its kind (u8), and a body: JSON, or JSON and arrays (`pack`).
"""

from __future__ import annotations

import enum
import json
import select
import socket
import struct
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ("HEAD", "MOST_UNSENT", "BenchEnd", "Kind", "encoded", "pack", "taken", "unpack")

HEAD = struct.Struct("<IB")
"""Length of the body, kind."""
_META = struct.Struct("<I")
_READ = 1 << 16
MOST_UNSENT = 8 << 20
"""Bytes that may wait for the server; the bench's time stands still while there are more."""


class Kind(enum.IntEnum):
    """What a message is."""

    # To the bench.
    STOP = 1
    """Stop the stimulation, ahead of all else. Body: {"why"}."""
    DO = 2
    """Do an action. Body: {"id", "name", "arguments"}."""
    PACE = 3
    """Let time pass otherwise. Body: {"speed"}, {"paused"}, {"step"}."""
    HELD = 4
    """Somebody is there who holds the controls. No body. It comes twice a second."""
    # From the bench.
    RECORD = 16
    """What is new of the leads: see web.news."""
    STATE = 17
    """What the views show. Body: JSON."""
    DONE = 18
    """An action was done. Body: {"id", "result"} or {"id", "error"}."""
    ACTED = 19
    """An action has entered the run. Body: [time_ns, name, arguments]."""
    TABLE = 21
    """First of all: what there is. Body: {"views", "actions", "about"}, names, texts and schemas."""
    FAILED = 20
    """The bench cannot go on. Body: {"error"}."""
    SAID = 22
    """Something that every page tells its person. Body: {"text", "error"}."""
    CAPTURED = 23
    """An instrument's capture of a wired bench: see web.captured."""


def pack(meta: Any, arrays: list[NDArray[Any]]) -> bytes:
    """JSON and arrays as one body."""
    described = json.dumps([meta, [(one.dtype.str, list(one.shape)) for one in arrays]]).encode()
    parts = [_META.pack(len(described)), described]
    return b"".join(parts + [np.ascontiguousarray(one).tobytes() for one in arrays])


def unpack(body: bytes) -> tuple[Any, list[NDArray[Any]]]:
    """The opposite of `pack`; the arrays are views of the body."""
    (length,) = _META.unpack_from(body)
    at = _META.size + length
    meta, described = json.loads(body[_META.size : at])
    arrays = []
    for dtype, shape in described:
        count = int(np.prod(shape))
        arrays.append(np.frombuffer(body, dtype, count, at).reshape(shape))
        at += count * np.dtype(dtype).itemsize
    return meta, arrays


def encoded(kind: Kind, body: bytes | dict[str, Any] | list[Any] = b"") -> bytes:
    """A whole message."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HEAD.pack(len(data), kind) + data


def taken(received: bytearray) -> Iterator[tuple[Kind, bytes]]:
    """Takes whole messages from the begin of what was received: kind and body of each."""
    while len(received) >= HEAD.size:
        length, kind = HEAD.unpack_from(received)
        end = HEAD.size + length
        if len(received) < end:
            return
        body = bytes(received[HEAD.size : end])
        del received[:end]
        yield Kind(kind), body


class BenchEnd:
    """The bench's end of the socket pair. Nothing here blocks, except `wait`."""

    def __init__(self, sock: socket.socket) -> None:
        """Use a connected socket."""
        self._socket = sock
        sock.setblocking(False)
        self._received = bytearray()
        self._unsent: deque[memoryview] = deque()
        self.unsent = 0
        """Bytes that wait to be sent."""
        self.closed = False
        """The server has gone."""

    def messages(self) -> list[tuple[Kind, Any]]:
        """What has come: kind and body as JSON."""
        while not self.closed:
            try:
                data = self._socket.recv(_READ)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.closed = not data
            self._received += data
        return [(kind, json.loads(body) if body else None) for kind, body in taken(self._received)]

    def send(self, kind: Kind, body: bytes | dict[str, Any] | list[Any] = b"") -> None:
        """Send a message, now or by and by."""
        message = encoded(kind, body)
        self._unsent.append(memoryview(message))
        self.unsent += len(message)
        self.flush()

    def flush(self) -> None:
        """Send as much as the server takes now."""
        while self._unsent and not self.closed:
            try:
                sent = self._socket.send(self._unsent[0])
            except BlockingIOError:
                return
            except OSError:
                self.closed = True
                return
            self.unsent -= sent
            if sent == len(self._unsent[0]):
                self._unsent.popleft()
            else:
                self._unsent[0] = self._unsent[0][sent:]

    def wait(self, seconds: float | None) -> None:
        """Return when something has come, more can be sent, or the time is over; None: whenever that is."""
        writers = [self._socket] if self._unsent else []
        select.select([self._socket], writers, [], seconds)
        self.flush()
