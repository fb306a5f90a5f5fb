"""What both ends of the radio link have in common: reading what came in, and what became of what was sent."""

from micropython import const

from stimfw.clock.ticks import elapsed_ms
from stimfw.drivers.nrf24l01 import FRAME_BYTES, NRF24L01, SENDING

_FRAMES_A_POLL = const(3)  # as many as the radio holds
_COPIES_MS = const(10)
"""Copies of a frame are dropped for so long: longer than a burst and what is done with its first copy take,
and shorter than a peer waits before it sends a frame again. A flood between the copies changes nothing: the
last frame that was of use is kept beside the last one."""


class RadioEndpoint:
    """Owns the radio. A flood cannot keep the caller in poll(): it gets a few frames at a time."""

    def __init__(self, radio: NRF24L01, give_up_ms: int) -> None:
        """Args: give_up_ms: longer than a burst takes; later the radio has lost its task."""
        self._radio = radio
        self._give_up_ms = give_up_ms
        # Three buffers in turn: the frame that comes in, the one before it, and the last one that was of use.
        self._view = memoryview(bytearray(FRAME_BYTES))
        self._before = memoryview(bytearray(FRAME_BYTES))
        self._useful = memoryview(bytearray(FRAME_BYTES))
        self._before_ms: "int | None" = None
        self._useful_ms: "int | None" = None
        self._left = 0
        self._more = False
        """After the last _next_frame(): more are waiting, of which no interrupt will tell."""
        self._since_ms = 0
        self._gave_up = False
        self.works = True
        self.sent = 0
        self.tx_failed = 0

    def _begin_reading(self) -> None:
        """Look at what has come in: _next_frame() hands it over."""
        self._radio.begin_reading()
        self._left = _FRAMES_A_POLL

    def _next_frame(self, now_ms: int) -> "memoryview | None":
        """A frame, each burst's once; None: there is no more, or enough for now.

        It holds until the next one. The caller handles it, and not a method called from here: C's stack is
        short. Nothing is allocated.
        """
        radio = self._radio
        while radio.waiting():
            if self._left == 0:
                self._more = True
                return None
            self._left -= 1
            view = self._view
            radio.receive_into(view)
            if view == self._before and _is_recent(self._before_ms, now_ms):
                continue
            if view == self._useful and _is_recent(self._useful_ms, now_ms):
                continue
            self._view = self._before
            self._before = view
            self._before_ms = now_ms
            return view
        self._more = False
        return None

    def _was_useful(self, now_ms: int) -> None:
        """The frame that _next_frame() gave: it is remembered until the next useful one."""
        view = self._before
        self._before = self._useful
        self._before_ms = None
        self._useful = view
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


def _is_recent(then_ms: "int | None", now_ms: int) -> bool:
    """Whether a frame that was read at `then_ms` is soon enough for a copy of its burst."""
    return then_ms is not None and elapsed_ms(now_ms, then_ms) < _COPIES_MS
