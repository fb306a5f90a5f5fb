"""A peer's end of the radio protocol: a remote's, or a clinician's host's.

One request at a time; a new one replaces the old one. Frames and the time go in, frames come out. `poll()`
gives a frame to send on `channel`. The caller reports to `sent()` when it is out, and passes received frames
to `on_frame()`. Nothing but an authentic answer tells that a frame has arrived. While none comes, REQUESTs
and HELLOs take turns, on one channel after the other (stimfw.telemetry.search), at times that nobody else
can know.

A request is an exchange of pieces, one REQUEST and one REPLY each (docs/telemetry.md). First the pieces of
the request are sent. The stimulator confirms each with an empty piece, and the last one with the first piece
of its reply. Then the other pieces of the reply are asked for. A new connection starts the exchange again.
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import requests
from stimfw.telemetry import fragments, frames, keys
from stimfw.telemetry.connection import LAST_COUNTER, Connection
from stimfw.telemetry.search import ChannelSearch

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_MS = 12
"""From the end of a burst to the next one: an answer usually takes 6 ms."""
WAIT_SPREAD_MS = 7
"""And up to so much more, at random."""
STOP_WAIT_MS = 8
STOP_WAIT_SPREAD_MS = 24
"""The same for STOP: who is on the air for 45 % of the time cannot cover all of it."""
_OCCUPIED_LOOKS = 2
_OCCUPIED_WAIT_MS = 3
"""After a burst on an occupied channel, which has hardly arrived, and up to as much more: who is on the air
for 200 ms without a pause must not be waited out in long steps."""
LIMIT_MS = 1000
STOP_LIMIT_MS = 3000
"""Longer than the stimulator is deaf while it erases flash (0.4 s), and than one channel is jammed."""
_TURNS = 3
"""Of so many tries one is a HELLO: its CHALLENGE makes a request of many pieces begin again."""
_STOP_TURNS = 2
"""The same for STOP, but in a connection that was made for it: there nothing hints at a restart, and who is
in step can spoil the REQUEST that follows a CHALLENGE."""
_MARGIN_MS = 5000
_STUCK_MS = 200  # a frame whose end sent() was never told
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
        counter: of the latest REQUEST; while WAITING, only its REPLY is taken, and for STOP those of its
            earlier frames.
        reply: the whole reply message, once ANSWERED.
        confirmed: an authentic REPLY has come since the start: the stimulator has taken over this
            generation. A CHALLENGE does not tell so much.
        frames, bad, stray: frames received; not authentic ones; those that answer nothing that waits.
    """

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
        generation: int = 0,
    ) -> None:
        """Begin without a connection.

        Args:
            slot: the pairing's, u8.
            role: the pairing's, u8.
            key: the pairing's, of the present generation, 32 bytes.
            epoch: of this start, never used before (u32).
            take_random: `take_random(n) -> n bytes`.
            count: HELLOs sent in this epoch already, by an earlier Requester.
            generation: of the key, u16.
        """
        self._slot, self._role, self._key, self._epoch = slot, role, key, epoch
        self._generation = generation
        self._random = take_random
        hello_key, challenge_key = keys.handshake_keys(key, slot, role)
        self._hello_tag = keys.HelloTag(hello_key)
        self._challenge_tag = keys.ChallengeTag(challenge_key)
        self._search = ChannelSearch()
        self._listens_at = self._search.channel  # since the last burst went out
        self.count = count
        self._id = 0
        self._message = b""
        self._hello = b""  # the HELLO that waits for its CHALLENGE
        self._connection: "Connection | None" = None
        self.counter = 0
        self._phase = _SENDING_REQUEST
        self._piece = 0
        self._answer = b""
        self._request = b""  # the REQUEST that waits for its REPLY
        self._plain = b""  # what is in it
        self._replies: "dict[bytes, int]" = {}  # token of a REPLY that may come: counter
        self._hello_next = False
        self._tries = 0  # of the present REQUEST
        self._turns = _TURNS
        self._stops = False
        self._bursts = 0  # since begin()
        self._looks = 0  # that found the channel taken, in a row
        self._flying = False
        self._due = False
        self._wait_ms = 0
        self._since_ms = 0
        self._began_ms = 0
        self._limit_ms = 0
        self.state = self.IDLE
        self.reply = b""
        self.confirmed = False
        self.frames = self.bad = self.stray = 0

    @property
    def copies(self) -> int:
        """How often the frame of the last poll() goes out in its burst: more, once STOP had no answer."""
        return frames.MORE_COPIES if self._stops and self._bursts else frames.COPIES

    @property
    def channel(self) -> int:
        """Where the frame of the last poll() goes, and where its answer comes: 0-125."""
        return self._search.channel

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
        self._hello = b""
        self._stops = message == _STOP
        self._turns = _STOP_TURNS if self._stops else _TURNS
        self._bursts = self._looks = 0
        self.state = self.WAITING
        self._flying = False
        self._search.restart()
        self._restart(now_ms)

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame, if it is time to send one. After the limit the state is UNANSWERED."""
        self.expire(now_ms)
        if self.state != self.WAITING or self.wait_ms(now_ms) > 0:
            return None
        if not self._due:  # no answer came
            self._search.go_on()
            self._tries += 1
            self._hello_next = self._tries % self._turns == self._turns - 1
            if self._stops and not self._hello_next:
                self._renew_request()
        frame = self._next_frame()
        if self.state != self.WAITING:
            return None
        self._due = False
        self._flying = True
        self._since_ms = now_ms
        return frame

    def expire(self, now_ms: int) -> None:
        """End a request whose time is over, a frame on its way or not: UNANSWERED.

        To be called now and then at rest too: a connection that is over is dropped before the clock wraps.
        """
        if self.state == self.WAITING:
            if elapsed_ms(now_ms, self._began_ms) >= self._limit_ms:
                self.state = self.UNANSWERED
        elif self._connection is not None and self._connection.over(now_ms):
            self._connection = None

    def sent(self, went: bool, now_ms: int) -> None:
        """The frame is out; or it was not, because the channel was taken: it is due there again at once.

        Whoever carries the frames sends after a few such checks all the same: an attacker who is on the air
        for half of the time must not keep a peer away from the channel where it would be heard.
        """
        if not self._flying:
            return
        self._flying = False
        self._since_ms = now_ms
        if went:
            self._listens_at = self._search.channel
            self._wait_ms = self._next_wait_ms()
            self._bursts += 1
            self._looks = 0
        else:
            self._looks += 1
            self._due = True

    def wait_ms(self, now_ms: int) -> int:
        """Time until poll() has something to do; -1 if it has not."""
        if self.state != self.WAITING:
            return -1
        if self._due and not self._flying:
            return 0
        wait = _STUCK_MS if self._flying else self._wait_ms
        left = self._limit_ms - elapsed_ms(now_ms, self._began_ms)
        return max(0, min(left, wait - elapsed_ms(now_ms, self._since_ms)))

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> bool:
        """Take a received frame, whatever it is; whether it was the answer that was waited for."""
        self.frames += 1
        kind = frames.kind_of(frame)
        if kind not in (frames.CHALLENGE, frames.REPLY) or frame[1] != self._slot:
            self.bad += 1
        elif self.state != self.WAITING:
            self.stray += 1
        elif kind == frames.CHALLENGE:
            return self._on_challenge(bytes(frame), now_ms)
        else:
            return self._on_reply(frame, now_ms)
        return False

    def _next_wait_ms(self) -> int:
        """From the end of a burst to the next one, at random: nobody can keep in step with it."""
        draw = self._draw_byte()
        if self._stops and self._looks >= _OCCUPIED_LOOKS:
            return _OCCUPIED_WAIT_MS + (draw * (_OCCUPIED_WAIT_MS + 1) >> 8)
        if self._stops:
            return STOP_WAIT_MS + (draw * (STOP_WAIT_SPREAD_MS + 1) >> 8)
        return WAIT_MS + (draw & WAIT_SPREAD_MS)

    def _draw_byte(self) -> int:
        try:
            return self._random(1)[0]
        except OSError:  # a failed source keeps nobody from sending STOP
            return 0

    # The connection.

    def _restart(self, now_ms: int) -> None:
        """Start the exchange, in the present connection or a new one."""
        self._rewind()
        connection = self._connection
        if connection is not None and connection.over(now_ms, _MARGIN_MS):
            self._connection = None
        self._send_piece()

    def _rewind(self) -> None:
        """Back to the first piece of the request."""
        self._phase = _SENDING_REQUEST
        self._piece = 0
        self._answer = b""

    def _next_frame(self) -> bytes:
        """A REQUEST, or a HELLO: the stimulator may have restarted, and not know this connection any more."""
        if self._request and not self._hello_next:
            return self._request
        if not self._hello:
            self._hello = self._make_hello()
        return self._hello or self._request

    def _make_hello(self) -> bytes:
        """A new HELLO; b"" if there can be none."""
        if self.count >= _LAST_COUNT:
            return self._no_hello()
        try:
            random = self._random(frames.RANDOM_BYTES - 1)
        except OSError:
            random = bytes(frames.RANDOM_BYTES - 1)  # epoch and count alone make it new
        self.count += 1
        wants = frames.WANTS_STOP if self._stops else frames.WANTS_CONNECTION
        nonce = frames.hello_nonce(self._epoch, self.count, wants, random)
        return frames.handshake(
            frames.HELLO, self._slot, self._generation, nonce, self._hello_tag.make(nonce)
        )

    def _no_hello(self) -> bytes:
        if not self._request:
            self.state = self.UNANSWERED
        return b""

    def _on_challenge(self, frame: bytes, now_ms: int) -> bool:
        hello = self._hello
        if not hello:
            self.stray += 1
            return False
        theirs, ours = bytes(frames.nonce_of(frame)), bytes(frames.nonce_of(hello))
        if frame[2] or frame[3] or not self._challenge_tag.proves(ours, theirs, frames.tag_of(frame)):
            self.bad += 1
            return False
        self._hello = b""
        self._search.met(self._listens_at)
        triple = keys.connection_keys(self._key, ours, theirs, self._slot, self._role)
        self._connection = Connection(triple, self._slot, now_ms)
        self._turns = _TURNS
        self._rewind()
        self._send_piece()
        return True

    # The exchange.

    def _send_piece(self) -> None:
        """Make the REQUEST for the present piece due; a HELLO, if there is no connection to send it in."""
        self._due = True
        self._flying = False
        self._request = b""
        self._replies.clear()
        self._tries = 0
        connection = self._connection
        if connection is None or connection.counter > LAST_COUNTER:
            self._connection = None
            return
        if self._phase == _SENDING_REQUEST:
            self._plain = fragments.cut(self._id, self._message, self._piece)
        else:
            self._plain = fragments.piece(self._id, fragments.ASK | self._piece, b"")
        self._seal(connection)
        self._hello_next = False

    def _seal(self, connection: Connection) -> None:
        self.counter = connection.counter
        connection.counter += 1
        self._request = connection.seal(frames.REQUEST, self.counter, self._plain)
        self._replies[connection.token(frames.REPLY, self.counter)] = self.counter

    def _renew_request(self) -> None:
        """STOP goes out in a new frame each time, as long as the stimulator's window reaches.

        Who overhears a token can spend it, before the frame is heard: then that frame is refused for good.
        """
        connection = self._connection
        if self._request and connection is not None and connection.may_renew():
            self._seal(connection)

    def _on_reply(self, frame: "bytes | memoryview", now_ms: int) -> bool:
        """Check that it is the REPLY that is waited for; what its piece means depends on the phase."""
        connection = self._connection
        counter = self._replies.get(bytes(frame[2 : frames.HEADER_BYTES]), -1)
        if connection is None or not self._request or counter < 0:
            self.stray += 1
            return False
        try:
            plain = connection.open(frames.REPLY, counter, bytes(frame))
            request_id, flags, piece, data = fragments.parse(plain)
        except ValueError:
            self.bad += 1
            return False
        connection.received(now_ms)
        connection.answered = counter + 1
        self._hello = b""
        self._search.met(self._listens_at)
        self.confirmed = True
        if request_id != self._id:
            self.stray += 1
            return False
        if self._phase == _SENDING_REQUEST:
            self._on_confirmation(flags, piece, data)
        else:
            self._on_reply_piece(flags, piece, data)
        return True

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


_STOP = bytes((requests.STOP,))
