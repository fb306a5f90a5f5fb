"""Requests and replies of up to 248 bytes in pieces that fit a sealed frame, each request executed once.

A piece is 19 bytes: request id, flags and number, length, 16 bytes of data (docs/telemetry.md).
"""

import struct
from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages

if TYPE_CHECKING:
    from collections.abc import Callable

DATA_BYTES = 16
MAX_BYTES = 248
REPEAT_MS = 5000
"""For so long after it was executed a request is known again: longer than any peer tries."""
LAST = 0x80
ASK = 0x40
_NUMBER = 0x3F
_MISUSED = messages.reply(0, messages.BAD_LENGTH)


def piece(request_id: int, flags: int, data: bytes) -> bytes:
    """19 bytes. flags: LAST, ASK and the piece's number."""
    return struct.pack("<BBB16s", request_id, flags, len(data), data)


def count(message: bytes) -> int:
    """How many pieces a message takes; an empty one takes one."""
    return max(1, (len(message) + DATA_BYTES - 1) // DATA_BYTES)


def cut(request_id: int, message: bytes, number: int) -> bytes:
    """Piece `number` of a message."""
    flags = number | (LAST if number + 1 >= count(message) else 0)
    return piece(request_id, flags, message[number * DATA_BYTES : (number + 1) * DATA_BYTES])


def parse(plain: bytes) -> "tuple[int, int, int, bytes]":
    """Request id, flags (LAST, ASK), number and data of a piece; ValueError if its length is impossible."""
    request_id, flags, length = plain[0], plain[1], plain[2]
    if length > DATA_BYTES:
        raise ValueError("piece of %d bytes" % length)
    return request_id, flags & ~_NUMBER, flags & _NUMBER, plain[3 : 3 + length]


class Reassembler:
    """The stimulator's side for one peer: joins requests, executes each once, gives replies in pieces.

    A request that was executed is known again for REPEAT_MS: its reply was lost, and it comes again in a new
    connection. `repeatable` are requests that are executed each time they come.
    """

    def __init__(self, repeatable: "Callable[[bytes], bool]" = lambda request: False) -> None:
        self._repeatable = repeatable
        self._building = bytearray()
        self._building_id = -1
        self._pieces = 0
        self._id = -1  # of the last request executed
        self._request = b""
        self._reply = b""
        self._executed_ms = 0
        self.duplicates = 0

    def restart(self) -> None:
        """A new connection: what was half joined is dropped."""
        self._building = bytearray()
        self._building_id = -1
        self._pieces = 0

    def forget(self) -> None:
        """What was executed long ago: the clock wraps, and would make it look recent."""
        self._id = -1

    def take(self, plain: bytes, execute: "Callable[[bytes], bytes]", now_ms: int) -> bytes:
        """A piece came; the piece to send back. `execute(message) -> reply` runs for a new, whole request."""
        if plain[1] == LAST and plain[2] <= DATA_BYTES:  # a whole one, as STOP is: it does not wait
            if self._building_id >= 0:
                self.restart()
            return self._whole(plain[0], plain[3 : 3 + plain[2]], execute, now_ms)
        try:
            request_id, flags, number, data = parse(plain)
        except ValueError:
            return self._misused(plain[0])
        if flags & ASK:
            if request_id != self._id or number >= count(self._reply):
                return self._misused(request_id)
            return cut(request_id, self._reply, number)
        if number == 0:
            self.restart()
            self._building_id = request_id
        if (
            number != self._pieces
            or request_id != self._building_id
            or len(self._building) + len(data) > MAX_BYTES
        ):
            return self._misused(request_id)
        self._building.extend(data)
        self._pieces += 1
        if not flags & LAST:
            return piece(request_id, number, b"")
        request = bytes(self._building)
        self.restart()
        return self._whole(request_id, request, execute, now_ms)

    def _whole(
        self, request_id: int, request: bytes, execute: "Callable[[bytes], bytes]", now_ms: int
    ) -> bytes:
        known = request_id == self._id and request == self._request
        if known and elapsed_ms(now_ms, self._executed_ms) < REPEAT_MS and not self._repeatable(request):
            self.duplicates += 1
        else:
            # Noted before it is executed: should that fail, a repeat must not get an older request's reply.
            self._id, self._request, self._reply = request_id, request, _MISUSED
            self._executed_ms = now_ms
            self._reply = execute(request)[:MAX_BYTES]
        return cut(request_id, self._reply, 0)

    def _misused(self, request_id: int) -> bytes:
        self.restart()
        return cut(request_id, _MISUSED, 0)
