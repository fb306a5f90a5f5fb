"""What both ends of the radio link have in common: reading what came in, and what became of what was sent."""

from micropython import const

from stimfw.clock.ticks import elapsed_ms
from stimfw.drivers.nrf24l01 import FAILED, MAX_PAYLOAD, NRF24L01, SENDING

_FRAMES_A_POLL = const(3)  # as many as the radio holds


class RadioEndpoint:
    """Owns the radio. A flood cannot keep the caller in poll(): it gets a few frames at a time."""

    def __init__(self, radio: NRF24L01, give_up_ms: int) -> None:
        """Args: give_up_ms: longer than a packet and its repeats take; later the radio has lost its task."""
        self._radio = radio
        self._give_up_ms = give_up_ms
        buffer = memoryview(bytearray(MAX_PAYLOAD))
        # One view of each length, so that receiving allocates none.
        self._views = tuple([buffer[:n] for n in range(MAX_PAYLOAD + 1)])
        self._since_ms = 0
        self.works = True
        self.sent = 0
        self.tx_failed = 0

    def _take(self, view: memoryview, now_ms: int) -> None:
        """A frame; the view holds until the next one is read."""
        raise NotImplementedError

    def _read_frames(self, now_ms: int) -> "tuple[int, bool]":
        """Hand over a few frames: how many, and whether more are waiting, of which no interrupt will tell."""
        frames = 0
        radio = self._radio
        length = radio.waiting()
        while length and frames < _FRAMES_A_POLL:
            view = self._views[length]
            radio.receive_into(view)
            self._take(view, now_ms)
            length = radio.waiting()
            frames += 1
        return frames, length != 0

    def _outcome(self, now_ms: int) -> int:
        """What became of what is being sent: SENDING, SENT or FAILED, counted."""
        result = self._radio.poll()
        if result == SENDING:
            if self._sending_for_ms(now_ms) > 0:
                return SENDING
            self._radio.abort()
            result = FAILED
        if result == FAILED:
            self.tx_failed += 1
        else:
            self.sent += 1
        return result

    def _sending_for_ms(self, now_ms: int) -> int:
        """How long what is being sent is still waited for; 0 when it has failed."""
        return max(0, self._give_up_ms - elapsed_ms(now_ms, self._since_ms))
