"""A peer's end of the radio protocol: a remote's, or a clinician's host's.

One request at a time; a new one replaces the old one. Frames and the time go in, frames come out. `poll()`
gives a frame to send. The caller reports its fate to `sent()`, and passes received frames to `on_frame()`.

A request is an exchange of pieces, one REQUEST and one REPLY each (docs/telemetry.md). First the pieces of
the request are sent. The stimulator confirms each with an empty piece, and the last one with the first piece
of its reply. Then the other pieces of the reply are asked for. A new connection starts the exchange again.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto.ccm import Ccm, NotAuthenticError
from stimfw.telemetry import fragments, frames, keys
from stimfw.telemetry.connection import LAST_COUNTER, Connection

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER_MS = 30
"""From an acknowledged HELLO to the next try: the stimulator takes up to 15 ms for its CHALLENGE."""
REPLY_MS = 15
"""From an acknowledged REQUEST to a HELLO beside it: the REPLY usually takes 7 ms."""
DOUBT_MS = 1000
"""A connection in which nothing was received for so long is doubted when a REQUEST does not arrive."""
LIMIT_MS = 1000
STOP_LIMIT_MS = 3000
"""Longer than the stimulator is deaf while it erases flash (0.4 s), and than one channel is jammed."""
_MARGIN_MS = 5000
_STUCK_MS = 200  # a frame whose fate sent() was never told
_LAST_COUNT = 0xFFFFFFFF

# The phases of an exchange.
_SENDING_REQUEST = 0
"""Piece `_piece` of the request is sent. The pieces before it are confirmed; `_answer` is empty."""
_COLLECTING_REPLY = 1
"""The whole request has arrived. `_answer` holds pieces of the reply; piece `_piece` of it is asked for."""


class Requester:
    """The side that asks.

    Attributes:
        count: HELLOs sent in this epoch.
        state: IDLE, WAITING, ANSWERED or UNANSWERED (it may or may not have been executed).
        counter: of the latest REQUEST; while WAITING, only its REPLY is taken.
        reply: the whole reply message, once ANSWERED.
        frames, bad, stray: frames received; not authentic ones; those that answer nothing that waits.
    """

    reply_ms = REPLY_MS
    IDLE = 0
    WAITING = 1
    ANSWERED = 2
    UNANSWERED = 3

    def __init__(
        self,
        slot: int,
        role: int,
        key: bytes,
        epoch: int,
        take_random: "Callable[[int], bytes]",
        count: int = 0,
    ) -> None:
        """Begin without a connection.

        Args:
            slot: the pairing's, u8.
            role: the pairing's, u8.
            key: the pairing's, 32 bytes.
            epoch: of this start, never used before (u32).
            take_random: `take_random(n) -> n bytes`.
            count: HELLOs sent in this epoch already, by an earlier Requester.
        """
        self._slot, self._role, self._key, self._epoch = slot, role, key, epoch
        self._random = take_random
        hello_key, challenge_key = keys.handshake_keys(key)
        self._hello_ccm = Ccm(hello_key, frames.TAG_BYTES)
        self._challenge_ccm = Ccm(challenge_key, frames.TAG_BYTES)
        self.count = count
        self._id = 0
        self._message = b""
        self._hello = b""  # the HELLO that waits for its CHALLENGE
        self._connection: "Connection | None" = None
        self.counter = 0
        self._phase = _SENDING_REQUEST
        self._piece = 0
        self._answer = b""
        self._frame = b""
        self._flying = False
        self._due = False
        self._since_ms = 0
        self._began_ms = 0
        self._limit_ms = 0
        self.state = self.IDLE
        self.reply = b""
        self.frames = self.bad = self.stray = 0

    def begin(self, message: bytes, limit_ms: int, now_ms: int) -> None:
        """Ask, for `limit_ms` at the most; poll() gives the frames.

        Raises:
            ValueError: the message is empty or longer than fragments.MAX_BYTES.
        """
        if not 1 <= len(message) <= fragments.MAX_BYTES:
            raise ValueError("message of %d bytes, 1 to %d fit" % (len(message), fragments.MAX_BYTES))
        self._id = (self._id + 1) & 0xFF
        self._message = message
        self._began_ms, self._limit_ms = now_ms, limit_ms
        self.reply = b""
        self.state = self.WAITING
        self._restart(now_ms)

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame, if it is time to send one. After the limit the state is UNANSWERED."""
        self.expire(now_ms)
        if self.state != self.WAITING:
            return None
        if self.wait_ms(now_ms) > 0:
            return None
        if not self._due and not self._hello:
            # The stimulator may have restarted: then it does not know this connection, and sends nothing.
            # Or it is only late: until its CHALLENGE comes, the REPLY is still taken.
            self._send_hello()
        self._due = False
        self._flying = True
        self._since_ms = now_ms
        return self._frame

    def expire(self, now_ms: int) -> None:
        """End a request whose time is over, a frame on its way or not: UNANSWERED."""
        if self.state == self.WAITING and elapsed_ms(now_ms, self._began_ms) >= self._limit_ms:
            self.state = self.UNANSWERED

    def sent(self, delivered: bool, now_ms: int) -> None:
        """The fate of the frame: acknowledged by the stimulator's radio, or on no channel."""
        if self._flying:
            self._flying = False
            self._since_ms = now_ms
            self._due = self._due or not delivered
            if not delivered and self._silent_for_long(now_ms):
                self._send_hello()

    def wait_ms(self, now_ms: int) -> int:
        """Time until poll() has something to do; -1 if it has not."""
        if self.state != self.WAITING:
            return -1
        if self._due and not self._flying:
            return 0
        wait = _STUCK_MS if self._flying else ANSWER_MS if self._hello else self.reply_ms
        left = self._limit_ms - elapsed_ms(now_ms, self._began_ms)
        return max(0, min(left, wait - elapsed_ms(now_ms, self._since_ms)))

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> None:
        """Take a received frame, whatever it is."""
        self.frames += 1
        kind = frames.kind_of(frame)
        if kind not in (frames.CHALLENGE, frames.REPLY) or frame[1] != self._slot:
            self.bad += 1
        elif self.state != self.WAITING:
            self.stray += 1
        elif kind == frames.CHALLENGE:
            self._on_challenge(bytes(frame), now_ms)
        else:
            self._on_reply(bytes(frame), now_ms)

    # The connection.

    def _restart(self, now_ms: int) -> None:
        """Start the exchange, in the present connection or a new one."""
        self._hello = b""
        self._rewind()
        if self._connection is not None and self._connection.over(now_ms, _MARGIN_MS):
            self._connection = None
        if self._connection is None:
            self._send_hello()
        else:
            self._send_piece()

    def _silent_for_long(self, now_ms: int) -> bool:
        """Whether it may have restarted: then only a HELLO helps, and otherwise it does no harm."""
        connection = self._connection
        return connection is not None and not self._hello and connection.silent_ms(now_ms) >= DOUBT_MS

    def _rewind(self) -> None:
        """Back to the first piece of the request."""
        self._phase = _SENDING_REQUEST
        self._piece = 0
        self._answer = b""

    def _send_hello(self) -> None:
        if self.count >= _LAST_COUNT:
            self.state = self.UNANSWERED
            return
        self.count += 1
        header = frames.handshake_header(
            frames.HELLO, self._slot, self._epoch, self.count, self._random(frames.NONCE_BYTES - 8)
        )
        self._hello = header
        self._frame = header + self._hello_ccm.seal(frames.handshake_nonce(header), header, b"")
        self._due = True

    def _on_challenge(self, frame: bytes, now_ms: int) -> None:
        if not self._hello:
            self.stray += 1
            return
        header = frame[: -frames.TAG_BYTES]
        theirs = self._hello[2:]
        try:
            self._challenge_ccm.open(frames.handshake_nonce(header), header + theirs, frame[len(header) :])
        except NotAuthenticError:
            self.bad += 1
            return
        self._hello = b""
        pair = keys.connection_keys(self._key, theirs, header[2:], self._slot, self._role)
        number = struct.unpack_from("<I", header, 6)[0] & 0xFF
        self._connection = Connection(pair, self._slot, number, now_ms)
        self._rewind()
        self._send_piece()

    # The exchange.

    def _send_piece(self) -> None:
        """Make the REQUEST for the present piece due; a HELLO, if the connection has no counter left."""
        connection = self._connection
        if connection is None or connection.counter > LAST_COUNTER:
            self._connection = None
            self._send_hello()
            return
        if self._phase == _SENDING_REQUEST:
            plain = fragments.cut(self._id, self._message, self._piece)
        else:
            plain = fragments.piece(self._id, fragments.ASK | self._piece, b"")
        self.counter = connection.counter
        connection.counter += 1
        self._frame = connection.seal(frames.REQUEST, self.counter, plain)
        self._due = True

    def _on_reply(self, frame: bytes, now_ms: int) -> None:
        """Check that it is the REPLY that is waited for; what its piece means depends on the phase."""
        number, counter = struct.unpack_from("<BH", frame, 2)
        connection = self._connection
        if connection is None or number != connection.number or counter != self.counter:
            self.stray += 1
            return
        try:
            plain = connection.open(frames.REPLY, frame)
            request_id, flags, piece, data = fragments.parse(plain)
        except ValueError:
            self.bad += 1
            return
        connection.received(now_ms)
        self._hello = b""
        if request_id != self._id:
            self.stray += 1
        elif self._phase == _SENDING_REQUEST:
            self._on_confirmation(flags, piece, data)
        else:
            self._on_reply_piece(flags, piece, data)

    def _on_confirmation(self, flags: int, piece: int, data: bytes) -> None:
        """A piece of the request has arrived: send the next one, if there is one.

        A LAST piece before that is the whole reply to a request that the stimulator could not join.
        """
        if self._piece + 1 < fragments.count(self._message) and not flags & fragments.LAST:
            self._piece += 1
            self._send_piece()
        else:
            self._phase = _COLLECTING_REPLY
            self._on_reply_piece(flags, piece, data)

    def _on_reply_piece(self, flags: int, piece: int, data: bytes) -> None:
        """A piece of the reply: ask for the next one, until the last."""
        self._answer += data
        if flags & fragments.LAST or len(self._answer) > fragments.MAX_BYTES:
            self.reply = self._answer
            self.state = self.ANSWERED
        else:
            self._piece = piece + 1
            self._send_piece()
