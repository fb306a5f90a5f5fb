"""The remote as a modem: it carries sealed frames between a host on USB and a stimulator.

It has no key for them and never looks inside. A button takes the radio away from it at any time.

It tells when each thing happened, on its own clock. So a host that is slow itself, or whose own clock runs at
another pace, can tell how long the radio took.
"""

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages
from stimfw.telemetry.addresses import CHANNELS
from stimfw.telemetry.frames import COPIES

_LISTEN_MS = 150
"""After a frame was sent: longer than any answer takes."""


_MOST_RECEIVED = 4


class Modem:
    """A client of the FrameTransport: one frame out, a few frames back.

    Attributes:
        state: messages.MODEM_IDLE, MODEM_SENDING, MODEM_SENT or MODEM_BUSY.
        channel: where the frame is sent, 0-125.
        copies: how often in its burst.
        at_ms: when the frame was given, when its fate was known, or when the answer came:
            the latest of these.
    """

    copies = COPIES

    def __init__(self) -> None:
        self.state = messages.MODEM_IDLE
        self.channel = CHANNELS[0]
        self._frame: "bytes | None" = None
        self._received: "list[bytes]" = []
        self._since_ms = 0
        self.at_ms = 0

    def give(self, frame: bytes, channel: int, now_ms: int) -> None:
        """Send this frame on this channel, in place of whatever is under way."""
        self._frame = frame
        self.channel = channel
        self._received = []
        self.state = messages.MODEM_SENDING
        self.at_ms = now_ms

    def take(self) -> bytes:
        """A frame that came back, each once, the oldest first; b"" if there is none."""
        return self._received.pop(0) if self._received else b""

    def close(self) -> None:
        """Nothing is under way any more."""
        if self.state == messages.MODEM_SENDING:
            self.state = messages.MODEM_BUSY
        self._frame = None

    def done(self, now_ms: int) -> bool:
        """Whether the radio can go to sleep: nothing to send, and nothing more to wait for."""
        if self.state == messages.MODEM_SENDING:
            return False
        return elapsed_ms(now_ms, self._since_ms) >= _LISTEN_MS

    # For the FrameTransport.

    def poll(self, now_ms: int) -> "bytes | None":
        """The frame to send, once."""
        frame, self._frame = self._frame, None
        return frame

    def on_frame(self, frame: "bytes | memoryview", now_ms: int) -> None:
        """Something came back: kept for the host, whatever it is. A stranger's frame hides no answer."""
        if len(self._received) < _MOST_RECEIVED:
            self._received.append(bytes(frame))
            self.at_ms = now_ms

    def sent(self, went: bool, now_ms: int) -> None:
        """What became of the frame."""
        self.state = messages.MODEM_SENT if went else messages.MODEM_BUSY
        self._since_ms = self.at_ms = now_ms

    def wait_ms(self, now_ms: int) -> int:
        """Time until poll() or done() has something to say."""
        if self._frame is not None:
            return 0
        return max(0, _LISTEN_MS - elapsed_ms(now_ms, self._since_ms))
