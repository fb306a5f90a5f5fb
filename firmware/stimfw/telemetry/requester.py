"""A peer's end of the radio protocol: a remote's, or a clinician's host's.

One request at a time; a new one takes the place of the old one. Frames and the time go in, frames come out.
`poll()` gives a frame to send; the radio tells `sent()` what became of it, and `on_frame()` what it heard.
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
"""A connection in which nothing was heard for so long is not trusted when a REQUEST does not arrive."""
LIMIT_MS = 1000
STOP_LIMIT_MS = 3000
"""Longer than the stimulator is deaf while it erases flash (0.4 s), and than one channel is jammed."""
_MARGIN_MS = 5000
_STUCK_MS = 200  # a frame that nobody told the fate of
_LAST_COUNT = 0xFFFFFFFF


class Requester:
    """The side that asks.

    Attributes:
        count: HELLOs said in this epoch.
        state: IDLE, WAITING, ANSWERED or UNANSWERED (it may or may not have been executed).
        reply: the whole reply message, once ANSWERED.
        frames, bad, stray: frames heard; not authentic ones; those that answer nothing that waits.
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
            count: HELLOs said in this epoch already, by a Requester that this one follows.
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
        self.counter = 0  # of the REQUEST that waits for its REPLY
        self._piece = 0
        self._answer = b""  # pieces of the reply so far
        self._answer_piece = -1  # the piece of the reply that is asked for; -1: the request is not told yet
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
        if self.state != self.WAITING:
            return None
        if elapsed_ms(now_ms, self._began_ms) >= self._limit_ms:
            self.state = self.UNANSWERED
            return None
        if self.wait_ms(now_ms) > 0:
            return None
        if not self._due and not self._hello:
            # The stimulator may have been restarted: it knows no such connection then, and says nothing. Or
            # it is late: until its CHALLENGE comes, the REPLY is as welcome.
            self._say_hello()
        self._due = False
        self._flying = True
        self._since_ms = now_ms
        return self._frame

    def sent(self, delivered: bool, now_ms: int) -> None:
        """What became of the frame: acknowledged by the stimulator's radio, or on no channel."""
        if self._flying:
            self._flying = False
            self._since_ms = now_ms
            self._due = self._due or not delivered
            if not delivered and self._doubtful(now_ms):
                self._say_hello()

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
        """From the first piece, in the present connection or a new one."""
        self._hello = b""
        self._rewind()
        if self._connection is not None and self._connection.over(now_ms, _MARGIN_MS):
            self._connection = None
        if self._connection is None:
            self._say_hello()
        else:
            self._say_piece()

    def _doubtful(self, now_ms: int) -> bool:
        """Whether the stimulator may have been restarted: then a HELLO helps, and it does in any case."""
        connection = self._connection
        return connection is not None and not self._hello and connection.silent_ms(now_ms) >= DOUBT_MS

    def _rewind(self) -> None:
        self._piece = 0
        self._answer = b""
        self._answer_piece = -1

    def _say_hello(self) -> None:
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
        self._say_piece()

    # Requests and replies.

    def _say_piece(self) -> None:
        if self._answer_piece >= 0:
            plain = fragments.piece(self._id, fragments.ASK | self._answer_piece, b"")
        else:
            plain = fragments.cut(self._id, self._message, self._piece)
        connection = self._connection
        if connection is None or connection.counter > LAST_COUNTER:
            self._connection = None
            self._say_hello()
            return
        self.counter = connection.counter
        connection.counter += 1
        self._frame = connection.seal(frames.REQUEST, self.counter, plain)
        self._due = True

    def _on_reply(self, frame: bytes, now_ms: int) -> None:
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
        connection.heard(now_ms)
        self._hello = b""
        if request_id != self._id:
            self.stray += 1
            return
        self.counter = -1  # the same reply again answers nothing
        if (
            self._answer_piece < 0
            and self._piece + 1 < fragments.count(self._message)
            and not flags & fragments.LAST
        ):
            self._piece += 1
            self._say_piece()
            return
        self._answer += data
        if flags & fragments.LAST or len(self._answer) > fragments.MAX_BYTES:
            self.reply = self._answer
            self.state = self.ANSWERED
            return
        self._answer_piece = piece + 1
        self._say_piece()
