"""What both ends of a connection share: sealing and opening its frames, counting, ending by itself.

A counter is used for one frame only. What is sent again is the same frame, byte by byte. The counter itself
is not sent: in its place goes a token, which only the two ends can compute. So the stimulator passes over a
forged REQUEST after a look into a table, and nobody else can tell which frame follows which.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto.ccm import Ccm
from stimfw.crypto.primitives import ecb
from stimfw.telemetry import frames

if TYPE_CHECKING:
    from stimfw.crypto.primitives import Encryptor

IDLE_MS = 60_000
"""A connection ends this long after its last authentic frame,"""
LIFE_MS = 600_000
"""and this long after its beginning."""
LAST_COUNTER = 0xFFFF
WINDOW = 8
"""A counter may be so far ahead of the one due: the peer uses counters up while it gets no answer."""
TRIES = 4
"""So many frames with one token may fail. After that it is spent: somebody has overheard it."""
_REPLY_AT = 3
_REST_OF_BLOCK = bytes(14)


class Connection:
    """The keys, the counter and the age of one connection. `counter` is the next one due."""

    def __init__(self, keys: "tuple[bytes, bytes, bytes]", slot: int, now_ms: int) -> None:
        """Args: keys: of requests, of replies and of tokens (keys.connection_keys)."""
        self._requests = Ccm(keys[0], frames.TAG_BYTES)
        self._replies = Ccm(keys[1], frames.TAG_BYTES)
        self._tokens: "Encryptor" = ecb(keys[2])
        self._block, self._block_counter = b"", -1  # the tokens of one counter: both are in one block
        self.slot = slot
        self.counter = 0
        self.answered = 0
        """The peer's end: the stimulator has taken all counters below this one."""
        self._began_ms = now_ms
        self._received_ms = now_ms

    def received(self, now_ms: int) -> None:
        """An authentic frame was received."""
        self._received_ms = now_ms

    def may_renew(self) -> bool:
        """Whether the stimulator's window reaches to the next counter, whatever it has heard."""
        return self.counter <= LAST_COUNTER and self.counter - self.answered < WINDOW

    def over(self, now_ms: int, margin_ms: int = 0) -> bool:
        """Whether it has ended, or will within `margin_ms`."""
        return (
            self.counter > LAST_COUNTER
            or elapsed_ms(now_ms, self._received_ms) >= IDLE_MS - margin_ms
            or elapsed_ms(now_ms, self._began_ms) >= LIFE_MS - margin_ms
        )

    def token(self, kind: int, counter: int) -> bytes:
        """The 3 bytes that stand for a counter in a REQUEST or in its REPLY."""
        if counter != self._block_counter:
            self._block = self._tokens.encrypt(struct.pack("<H", counter) + _REST_OF_BLOCK)
            self._block_counter = counter
        start = 0 if kind == frames.REQUEST else _REPLY_AT
        return self._block[start : start + frames.TOKEN_BYTES]

    def seal(self, kind: int, counter: int, plain: bytes) -> bytes:
        """A REQUEST or REPLY around 19 bytes."""
        header = frames.sealed_header(kind, self.slot, self.token(kind, counter))
        nonce = frames.sealed_nonce(kind, self.slot, counter)
        return header + self._of(kind).seal(nonce, header, plain)

    def open(self, kind: int, counter: int, frame: bytes) -> bytes:
        """The 19 bytes in a REQUEST or REPLY of this connection.

        Raises:
            NotAuthenticError: it is not the frame of that counter, or it was changed.
        """
        nonce = frames.sealed_nonce(kind, self.slot, counter)
        return self._of(kind).open(nonce, frame[: frames.HEADER_BYTES], frame[frames.HEADER_BYTES :])

    def _of(self, kind: int) -> Ccm:
        return self._requests if kind == frames.REQUEST else self._replies


class ListeningConnection(Connection):
    """The stimulator's end, with a table of the tokens that may come next."""

    def __init__(self, keys: "tuple[bytes, bytes, bytes]", slot: int, now_ms: int) -> None:
        super().__init__(keys, slot, now_ms)
        self._expected: "dict[int, int]" = {}  # token: counter
        self._failed: "dict[int, int]" = {}  # token: frames with it that did not verify
        self._known = 0  # the first counter whose token is not in the table
        self._expect()

    def counter_of(self, token: int) -> int:
        """The counter that a token (frames.token_number) stands for; -1 if it is none that may come."""
        return self._expected.get(token, -1)

    def taken(self, counter: int) -> None:
        """The frame of that counter was authentic: it and all before it are over."""
        self.counter = counter + 1
        self._failed.clear()
        for token in [token for token, its in self._expected.items() if its <= counter]:
            del self._expected[token]
        self._expect()

    def failed(self, token: int) -> None:
        """A frame with a token that may come did not verify."""
        tries = self._failed.get(token, 0) + 1
        self._failed[token] = tries
        if tries >= TRIES:
            self._expected.pop(token, None)

    def _expect(self) -> None:
        end = min(self.counter + WINDOW, LAST_COUNTER + 1)
        for counter in range(max(self._known, self.counter), end):
            self._expected[frames.token_number(b"\0\0" + self.token(frames.REQUEST, counter))] = counter
        self._known = max(self._known, end)
