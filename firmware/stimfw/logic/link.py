"""The radio link: every request is answered, and executed once however often its frame arrives.

Two state machines without hardware and without a clock: frames and the time (ms) go in, frames come out.
`codec` seals and opens frames (stimfw.logic.radio_frame now, a secure channel later); what the messages mean
is the application's.

Numbers are 16 bits, wrap, and do not survive a reset of either side. The responder executes only a number
that is a little ahead of its last one. To any other it answers NUMBER with its last one, and the requester
goes on from there. A requester that was restarted asks for it with HELLO before its first request: it cannot
know what its former self has asked.
"""

import struct

from stimfw.logic.radio_frame import HELLO, NUMBER, REPLY, REQUEST
from stimfw.logic.ticks import elapsed_ms

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
"""How far ahead of the last number a request may be: numbers are used up while nobody answers."""


class Requester:
    """The side that asks. One request at a time: a new one takes the place of the old one."""

    IDLE = 0
    WAITING = 1
    ANSWERED = 2
    UNANSWERED = 3  # it may or may not have been executed

    def __init__(self, codec: "Codec", first_number: int, timeout_ms: int = TIMEOUT_MS) -> None:
        """`first_number`: any, better a random one; marks the first HELLO."""
        self._codec = codec
        self._number = first_number & 0xFFFF
        self._timeout_ms = timeout_ms
        self._in_step = False  # whether the responder's number is known since this side's restart
        self._message = b""
        self._frame = b""
        self._sent_ms = 0
        self._due = False  # the frame changed: do not wait for the timeout
        self._tries_left = 0
        self.state = self.IDLE
        self.reply = b""  # of the last request, once ANSWERED
        self.frames = 0
        self.bad = 0
        self.stray = 0  # frames that answer nothing that is still waiting

    def begin(self, message: bytes, tries: int, now_ms: int) -> bytes:
        """The frame to send now; poll() gives what follows. At most `tries` frames in all."""
        self._message = message
        self._number = (self._number + 1) & 0xFFFF
        self._seal()
        self._sent_ms = now_ms
        self._due = False
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
        if self.state != self.WAITING or number != self._number:
            self.stray += 1
        elif kind == NUMBER and len(message) == 2:
            self._number = (struct.unpack("<H", message)[0] + 1) & 0xFFFF
            self._in_step = self._due = True
            self._seal()
        elif kind == REPLY and self._in_step:
            self.reply = message
            self.state = self.ANSWERED
        else:
            self.stray += 1

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame, if it is time to send one. After the last try's timeout the state is UNANSWERED."""
        if self.state != self.WAITING or self.wait_ms(now_ms) > 0:
            return None
        if self._tries_left == 0:
            self.state = self.UNANSWERED
            return None
        self._tries_left -= 1
        self._sent_ms = now_ms
        self._due = False
        return self._frame

    def wait_ms(self, now_ms: int) -> int:
        """Time until poll() has something to do; -1 if it has not."""
        if self.state != self.WAITING:
            return -1
        if self._due and self._tries_left:
            return 0
        return max(0, self._timeout_ms - elapsed_ms(now_ms, self._sent_ms))

    def _seal(self) -> None:
        if self._in_step:
            self._frame = self._codec.encode(REQUEST, self._number, self._message)
        else:
            self._frame = self._codec.encode(HELLO, self._number, b"\0")


class Responder:
    """The side that answers. Executes a request once; a repeated one gets the same reply frame again."""

    def __init__(self, codec: "Codec", execute: "Callable[[bytes], bytes]", first_number: int = 0) -> None:
        """Begin with nothing executed.

        Args:
            codec: seals and opens frames.
            execute: `execute(message) -> reply message`, the application. Runs before anything is sent.
            first_number: any, better a random one: then frames recorded before a restart are not executed.
        """
        self._codec = codec
        self._execute = execute
        self._number = first_number & 0xFFFF  # of the last executed request
        self._message = b""
        self._reply: "bytes | None" = None
        self.frames = 0
        self.bad = 0  # not frames of ours, or not from a requester
        self.duplicates = 0
        self.stale = 0  # requests with another number than is due: answered with NUMBER, not executed
        self.oversized = 0  # replies that do not fit a frame: executed, not answered

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> "bytes | None":
        """Take a received frame, whatever it is; the frame to send back, if one is due."""
        self.frames += 1
        try:
            kind, number, message = self._codec.decode(frame)
        except ValueError:
            self.bad += 1
            return None
        if kind == HELLO:
            return self._tell(number)
        if kind != REQUEST:
            self.bad += 1
            return None
        ahead = (number - self._number) & 0xFFFF
        if ahead == 0 and message == self._message:
            self.duplicates += 1
            return self._reply
        if 1 <= ahead <= WINDOW:
            return self._first_time(number, message)
        self.stale += 1
        return self._tell(number)

    def _tell(self, number: int) -> bytes:
        """To the sender of `number`: what the last number was."""
        return self._codec.encode(NUMBER, number, struct.pack("<H", self._number))

    def _first_time(self, number: int, message: bytes) -> "bytes | None":
        self._number = number
        self._message = message
        self._reply = None  # should execute() raise, a repeat must not get an older request's reply
        answer = self._execute(message)
        if 1 <= len(answer) <= self._codec.MAX_MESSAGE:
            self._reply = self._codec.encode(REPLY, number, answer)
        else:
            self.oversized += 1
        return self._reply
