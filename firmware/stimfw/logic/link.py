"""The radio link: every request is answered, and executed once however often its frame arrives.

Two state machines without hardware and without a clock: frames and the time (ms) go in, frames come out.
`codec` seals and opens frames (stimfw.logic.radio_frame now, a secure channel later); what the messages mean
is the application's.

Numbers are 16 bits and wrap. The remote starts at a random one, so neither side keeps anything through a
reset. The responder compares with its last request only, and only for MEMORY_MS: docs/telemetry.md has the
limits of that.
"""

from stimfw.logic.radio_frame import REPLY, REQUEST

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from collections.abc import Callable
    from typing import Protocol

    class Codec(Protocol):
        """What seals and opens frames: a module or an object."""

        MAX_MESSAGE: int

        def encode(self, kind: int, number: int, message: bytes) -> bytes: ...
        def decode(self, frame: "bytes | memoryview") -> "tuple[int, int, bytes]": ...


TIMEOUT_MS = 30
"""Between two tries: the radio's own 16 transmissions take 15 ms, the reply's 6 take 6 ms."""
WINDOW = 16
"""So many numbers before the last one are late; any other is new, for the remote may have been restarted."""
MEMORY_MS = 3000
"""How long the last number is remembered; must exceed the longest series of tries."""
_TICKS_MASK = 0x3FFFFFFF  # MicroPython's ticks_ms() wraps there


def elapsed_ms(now_ms: int, then_ms: int) -> int:
    """Time from `then_ms` to `now_ms` on a clock that wraps as time.ticks_ms() does (after 12 days)."""
    return (now_ms - then_ms) & _TICKS_MASK


class Requester:
    """The side that asks. One request at a time: a new one takes the place of the old one."""

    IDLE = 0
    WAITING = 1
    ANSWERED = 2
    UNANSWERED = 3  # it may or may not have been executed

    def __init__(self, codec: "Codec", first_number: int, timeout_ms: int = TIMEOUT_MS) -> None:
        self._codec = codec
        self._number = first_number & 0xFFFF
        self._timeout_ms = timeout_ms
        self._frame = b""
        self._sent_ms = 0
        self._tries_left = 0
        self.state = self.IDLE
        self.reply = b""  # of the last request, once ANSWERED
        self.frames = 0
        self.bad = 0
        self.stray = 0  # replies to no request that is still waiting

    def begin(self, message: bytes, tries: int, now_ms: int) -> bytes:
        """The frame to send now. poll() gives it again, under the same number: `tries` times in all."""
        self._number = (self._number + 1) & 0xFFFF
        self._frame = self._codec.encode(REQUEST, self._number, message)
        self._sent_ms = now_ms
        self._tries_left = tries - 1
        self.reply = b""
        self.state = self.WAITING
        return self._frame

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> None:
        """Take a received frame, whatever it is."""
        self.frames += 1
        try:
            kind, number, message = self._codec.decode(frame)
        except ValueError:
            self.bad += 1
            return
        if kind != REPLY or number != self._number or self.state != self.WAITING:
            self.stray += 1
            return
        self.reply = message
        self.state = self.ANSWERED

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame, if it is time to send it again. After the last try's timeout the state is UNANSWERED."""
        if self.state != self.WAITING or self.wait_ms(now_ms) > 0:
            return None
        if self._tries_left == 0:
            self.state = self.UNANSWERED
            return None
        self._tries_left -= 1
        self._sent_ms = now_ms
        return self._frame

    def wait_ms(self, now_ms: int) -> int:
        """Time until poll() has something to do; -1 if it has not."""
        if self.state != self.WAITING:
            return -1
        return max(0, self._timeout_ms - elapsed_ms(now_ms, self._sent_ms))


class Responder:
    """The side that answers. Executes a request once; a repeated one gets the same reply frame again."""

    def __init__(
        self, codec: "Codec", execute: "Callable[[bytes], bytes]", memory_ms: int = MEMORY_MS
    ) -> None:
        """`execute(message) -> reply message` is the application. It runs before anything is sent."""
        self._codec = codec
        self._execute = execute
        self._memory_ms = memory_ms
        self._number = -1  # of the last executed request; -1: none is remembered
        self._message = b""
        self._reply: "bytes | None" = None
        self._seen_ms = 0
        self.frames = 0
        self.bad = 0  # not frames of ours, or not requests
        self.duplicates = 0
        self.stale = 0  # late ones: not executed, not answered
        self.oversized = 0  # replies that do not fit a frame: executed, not answered

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        """Take a received frame, whatever it is; the reply frame, if one is due."""
        self.frames += 1
        try:
            kind, number, message = self._codec.decode(frame)
        except ValueError:
            self.bad += 1
            return None
        if kind != REQUEST:
            self.bad += 1
            return None
        if self._number >= 0 and elapsed_ms(now_ms, self._seen_ms) < self._memory_ms:
            if number == self._number and message == self._message:
                self.duplicates += 1
                self._seen_ms = now_ms
                return self._reply
            if 1 <= (self._number - number) & 0xFFFF <= WINDOW:
                self.stale += 1
                return None
        return self._first_time(number, message, now_ms)

    def _first_time(self, number: int, message: bytes, now_ms: int) -> "bytes | None":
        self._number = number
        self._message = message
        self._seen_ms = now_ms
        self._reply = None  # should execute() raise, a repeat must not get an older request's reply
        answer = self._execute(message)
        if 1 <= len(answer) <= self._codec.MAX_MESSAGE:
            self._reply = self._codec.encode(REPLY, number, answer)
        else:
            self.oversized += 1
        return self._reply
