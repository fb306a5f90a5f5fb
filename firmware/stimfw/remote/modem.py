"""The remote as a modem: it carries sealed frames between a host on USB and a stimulator.

It has no key for them and never looks inside. A button takes the radio away from it at any time.

It tells when each thing happened, on its own clock. So a host that is slow itself, or whose own clock runs at
another pace, can tell how long the radio took.
"""

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages

_LISTEN_MS = 150
"""After a frame was acknowledged: longer than any answer takes."""


class Modem:
    """A client of the FrameTransport: one frame out, at most one frame back.

    Attributes:
        state: messages.MODEM_IDLE, MODEM_SEARCHING, MODEM_DELIVERED or MODEM_UNDELIVERED.
        at_ms: when the frame was given, when its fate was known, or when the answer came:
            the latest of these.
    """

    def __init__(self) -> None:
        self.state = messages.MODEM_IDLE
        self._frame: "bytes | None" = None
        self._received = b""
        self._since_ms = 0
        self.at_ms = 0

    def give(self, frame: bytes, now_ms: int) -> None:
        """Send this frame, in place of whatever is under way."""
        self._frame = frame
        self._received = b""
        self.state = messages.MODEM_SEARCHING
        self.at_ms = now_ms

    def take(self) -> bytes:
        """The frame that came back, once; b"" if there is none."""
        received, self._received = self._received, b""
        return received

    def close(self) -> None:
        """Nothing is under way any more."""
        if self.state == messages.MODEM_SEARCHING:
            self.state = messages.MODEM_UNDELIVERED
        self._frame = None

    def done(self, now_ms: int) -> bool:
        """Whether the radio can go to sleep: nothing to send, and nothing more to wait for."""
        if self.state == messages.MODEM_SEARCHING:
            return False
        return bool(self._received) or elapsed_ms(now_ms, self._since_ms) >= _LISTEN_MS

    # For the FrameTransport.

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame to send, once."""
        frame, self._frame = self._frame, None
        return frame

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> None:
        """Something came back: kept for the host, whatever it is."""
        if not self._received:
            self._received = bytes(frame)
            self.at_ms = now_ms

    def sent(self, delivered: bool, now_ms: int) -> None:
        """What became of the frame."""
        self.state = messages.MODEM_DELIVERED if delivered else messages.MODEM_UNDELIVERED
        self._since_ms = self.at_ms = now_ms

    def wait_ms(self, now_ms: int) -> int:
        """Time until poll() or done() has something to say."""
        if self._frame is not None:
            return 0
        return max(0, _LISTEN_MS - elapsed_ms(now_ms, self._since_ms))
