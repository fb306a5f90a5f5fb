"""What both ends of the radio link have in common: reading what came in, and what became of what was sent."""

from micropython import const

from stimfw.clock.ticks import elapsed_ms
from stimfw.drivers.nrf24l01 import FRAME_BYTES, NRF24L01, SENDING

MOST_FRAMES = const(6)
"""In a row. Under a flood the rest of the main loop takes as long as two: not with each three of them."""
_COPIES_MS = const(10)
"""Copies of a frame that was of use are dropped for so long: longer than a burst and what is done with its
first copy take, shorter than a peer waits before it sends a frame again. A frame that was of no use is handed
over with each copy: the next one may be (another generation's key is made in steps)."""


class RadioEndpoint:
    """Owns the radio. A flood cannot keep the caller in poll(): it gets a few frames at a time."""

    def __init__(self, radio: NRF24L01, give_up_ms: int) -> None:
        """Args: give_up_ms: longer than a burst takes; later the radio has lost its task."""
        self._radio = radio
        self._give_up_ms = give_up_ms
        # Two buffers in turn: the frame that comes in, and the last one that was of use.
        self._view = memoryview(bytearray(FRAME_BYTES))
        self._useful = memoryview(bytearray(FRAME_BYTES))
        self._useful_ms: "int | None" = None
        self._left = 0
        self._more = False
        """After the last _next_frame(): more are waiting, of which no interrupt will tell."""
        self._since_ms = 0
        self._gave_up = False
        self.works = True
        self.sent = 0
        self.tx_failed = 0

    @property
    def needs_activate(self) -> bool:
        """Whether it does not work because the module is an nRF24L01 without the plus, or like it."""
        return self._radio.needs_activate

    def _begin_reading(self, most: int) -> None:
        """Look at what has come in: _next_frame() hands it over, `most` at the most."""
        self._radio.begin_reading()
        self._left = most

    def _next_frame(self, now_ms: int) -> "memoryview | None":
        """A frame, but no copy of one that was of use; None: there is no more, or enough for now.

        It holds until the next one. The caller handles it, and not a method called from here: C's stack is
        short. Nothing is allocated.
        """
        radio, view = self._radio, self._view
        while radio.waiting():
            if self._left == 0:
                self._more = True
                return None
            self._left -= 1
            radio.receive_into(view)
            if view != self._useful or self._useful_ms is None:
                return view
            if elapsed_ms(now_ms, self._useful_ms) >= _COPIES_MS:
                return view
        self._more = False
        return None

    def _was_useful(self, now_ms: int) -> None:
        """The frame that _next_frame() gave: it is remembered until the next useful one."""
        self._view, self._useful = self._useful, self._view
        self._useful_ms = now_ms

    def _still_sending(self, now_ms: int) -> bool:
        """Whether what is being sent is still under way; its end is counted, `_gave_up` tells which."""
        self._gave_up = False
        if self._radio.poll() != SENDING:
            self.sent += 1
            return False
        if self._sending_for_ms(now_ms) > 0:
            return True
        self._radio.abort()
        self.tx_failed += 1
        self._gave_up = True
        return False

    def _sending_for_ms(self, now_ms: int) -> int:
        """How long what is being sent is still waited for; 0 when it has failed."""
        return max(0, self._give_up_ms - elapsed_ms(now_ms, self._since_ms))
