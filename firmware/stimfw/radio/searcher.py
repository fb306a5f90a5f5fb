"""The requesting end of the radio link: one burst on one channel, then it listens there; or it sleeps.

The radio's IRQ pin falls -> the application's handler sets its wake flag -> the main loop calls poll(). An
edge may be missed, so poll() may be called at any time, and the loop calls it when wait_ms() is over.

Which channel comes next is up to whoever can tell an authentic answer: nothing here knows whether a frame
arrived.
"""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.drivers.nrf24l01 import COPIES, NRF24L01
from stimfw.radio.endpoint import MOST_FRAMES, RadioEndpoint
from stimfw.telemetry.addresses import CHANNELS

if TYPE_CHECKING:
    from typing import Protocol

    class RemoteLink(Protocol):
        """What takes the frames: the secure channel with its handshakes."""

        def on_frame(self, view: memoryview, now_ms: int) -> object:
            """Take a received frame; true if it was the answer that was waited for."""


_GIVE_UP_MS = const(20)  # from send() on: crystal 4.5 ms, check of the channel 0.2 ms, burst up to 3.6 ms
_LOOK_MS = const(2)
_FULL_DBM = 0
_LOW_DBM = -18


class RadioSender(RadioEndpoint):
    """Owns the radio. One burst at a time."""

    IDLE = 0
    SENDING = 1
    LISTENING = 2  # the burst is out; it may or may not have arrived
    BUSY = 3  # nothing was sent: the channel is occupied, or the radio failed

    def __init__(self, radio: NRF24L01, link: "RemoteLink") -> None:
        """Args: radio: powered down, revive() comes before the first send(); link: takes what is received."""
        super().__init__(radio, _GIVE_UP_MS)
        self._link = link
        self.state = self.IDLE
        self.channel = CHANNELS[0]
        """Of the latest send()."""
        self.deferred = 0

    def revive(self) -> bool:
        """Prepare the radio again if it has lost its settings (at start or by a brown-out); whether it works.

        Costs one register read if all is well. What was being sent is given up.
        """
        if not self._radio.alive():
            if self.state == self.SENDING:
                self.state = self.BUSY
            self.works = self._radio.present() and self._radio.configure()
        return self.works

    def wake(self) -> None:
        """A frame will follow soon: the crystal starts while it is made."""
        self._radio.start_up()

    def send(
        self,
        frame: bytes,
        to: bytes,
        own: bytes,
        channel: int,
        now_ms: int,
        force: bool = False,
        low_power: bool = False,
        copies: int = COPIES,
    ) -> None:
        """Begin to send a burst of `frame`, instead of whatever is being sent; or be BUSY at once.

        Waits for the crystal if the radio slept, 4.5 ms since wake(), and 0.2 ms to check the channel.

        Args:
            frame: 32 bytes.
            to: the address to send to, 5 bytes.
            own: the address at which the reply will come.
            channel: where, 0-125.
            now_ms: the time.
            force: also on an occupied channel.
            low_power: at -18 dBm instead of 0, until the next send().
            copies: of the frame in the burst, 1-8.
        """
        radio = self._radio
        if self.state == self.SENDING:
            radio.abort()
        radio.power_up()
        radio.address(own)
        radio.set_power(_LOW_DBM if low_power else _FULL_DBM)
        radio.tune(channel)
        self.channel = channel
        if radio.sense() and not force:
            self.deferred += 1
            self.state = self.BUSY
            return
        radio.send(frame, to, copies)
        self._since_ms = now_ms
        self.state = self.SENDING

    def sleep(self) -> None:
        """Give up what is being sent and power down."""
        if self.state == self.SENDING:
            self._radio.abort()
        self.state = self.IDLE
        self._radio.power_down()
        self._radio.flush_received()  # copies of an answer that was taken

    def poll(self, now_ms: int) -> bool:
        """Hand over received frames, and listen when the burst is out.

        What lies behind an answer that was waited for is its copies: they are dropped, and not read.

        Returns:
            Whether more frames may be waiting, of which no interrupt will tell.
        """
        if self.state == self.IDLE:
            return False
        if self.state == self.SENDING and not self._still_sending(now_ms):
            self._radio.listen()
            self.state = self.BUSY if self._gave_up else self.LISTENING
        self._begin_reading(MOST_FRAMES)
        frame = self._next_frame(now_ms)
        while frame is not None:
            self._was_useful(now_ms)
            if self._link.on_frame(frame, now_ms):
                self._radio.flush_received()
                return False
            frame = self._next_frame(now_ms)
        return self._more

    def wait_ms(self, now_ms: int) -> int:
        """How long until poll() has something to do; -1: only an interrupt can tell."""
        return min(_LOOK_MS, self._sending_for_ms(now_ms)) if self.state == self.SENDING else -1
