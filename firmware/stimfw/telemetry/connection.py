"""What both ends of a connection share: sealing and opening its frames, counting, ending by itself.

A counter is used for one frame only. What is sent again is the same frame, byte by byte.
"""

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto.ccm import Ccm
from stimfw.telemetry import frames

IDLE_MS = 60_000
"""A connection ends this long after its last authentic frame,"""
LIFE_MS = 600_000
"""and this long after its beginning."""
LAST_COUNTER = 0xFFFF


class Connection:
    """The keys, the counter and the age of one connection. `counter` is the next one due."""

    def __init__(self, keys: "tuple[bytes, bytes]", slot: int, number: int, now_ms: int) -> None:
        """Args: keys: of requests and of replies; number: the connection's, u8."""
        self._requests = Ccm(keys[0], frames.TAG_BYTES)
        self._replies = Ccm(keys[1], frames.TAG_BYTES)
        self.slot = slot
        self.number = number
        self.counter = 0
        self._began_ms = now_ms
        self._received_ms = now_ms

    def received(self, now_ms: int) -> None:
        """An authentic frame was received."""
        self._received_ms = now_ms

    def silent_ms(self, now_ms: int) -> int:
        """Time since the last authentic frame."""
        return elapsed_ms(now_ms, self._received_ms)

    def over(self, now_ms: int, margin_ms: int = 0) -> bool:
        """Whether it has ended, or will within `margin_ms`."""
        return (
            self.counter > LAST_COUNTER
            or elapsed_ms(now_ms, self._received_ms) >= IDLE_MS - margin_ms
            or elapsed_ms(now_ms, self._began_ms) >= LIFE_MS - margin_ms
        )

    def seal(self, kind: int, counter: int, plain: bytes) -> bytes:
        """A REQUEST or REPLY around 19 bytes."""
        header = frames.sealed_header(kind, self.slot, self.number, counter)
        return header + self._of(kind).seal(frames.sealed_nonce(header), header, plain)

    def open(self, kind: int, frame: "bytes | memoryview") -> bytes:
        """The 19 bytes in a REQUEST or REPLY of this connection.

        Raises:
            NotAuthenticError: the tag does not verify.
        """
        header = bytes(frame[: frames.HEADER_BYTES])
        return self._of(kind).open(frames.sealed_nonce(header), header, bytes(frame[frames.HEADER_BYTES :]))

    def _of(self, kind: int) -> Ccm:
        return self._requests if kind == frames.REQUEST else self._replies
