"""The requesting end of the radio link: searches the stimulator's channels, and sleeps between requests.

The radio's IRQ pin falls -> the application's handler sets its wake flag -> the main loop calls poll(). An
edge may be missed, so poll() may be called at any time, and the loop calls it when wait_ms() is over.
"""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.drivers.nrf24l01 import NRF24L01, SENDING, SENT
from stimfw.radio.endpoint import RadioEndpoint
from stimfw.telemetry.addresses import CHANNELS, PAIRING_CHANNEL

if TYPE_CHECKING:
    from typing import Protocol

    class RemoteLink(Protocol):
        """What takes the frames: the secure channel with its handshakes."""

        def on_frame(self, view: memoryview, now_ms: int) -> object:
            """Take a received frame. Nothing is sent back for it; send() may be called from there."""


# One burst on one channel, 4 ms; the other end repeats at another pace, so that they cannot go on colliding.
_RETRIES = const(3)
_RETRY_US = const(500)
_GIVE_UP_MS = const(20)  # from send() on: crystal 4.5 ms, checks of channels 3 ms, burst 4 ms
_CHECKS = const(14)  # of all channels together, before it is sent on an occupied one
_FALSE_ACKS = const(6)  # so many in a search are recognized; a later one is taken for genuine
_FULL_DBM = 0
_LOW_DBM = -18
# By the channel where the stimulator was met last. It is most likely there, or on the first; under attack it
# hears only now and then, so a search spends its time there.
_A, _B, _C = CHANNELS
_ORDERS = (
    [_A, _A, _A, _A, _A, _B, _A, _A, _A, _A, _A, _C],
    [_B, _B, _A, _B, _B, _A, _B, _B, _A, _B, _B, _C],
    [_C, _C, _A, _C, _C, _A, _C, _C, _A, _C, _C, _B],
)


class RadioSearcher(RadioEndpoint):
    """Owns the radio. One frame at a time."""

    IDLE = 0
    SEARCHING = 1
    DELIVERED = 2  # acknowledged; listens on that channel
    UNDELIVERED = 3  # each channel was tried; it may or may not have arrived. Listens where it began

    def __init__(self, radio: NRF24L01, link: "RemoteLink") -> None:
        """Args: radio: powered down, revive() comes before the first send(); link: takes what is received."""
        super().__init__(radio, _GIVE_UP_MS)
        self._link = link
        self._frame = self._to = b""
        self._searched = False
        self._checks_left = self._false_acks_left = 0
        self._in_ack = False
        self._home = CHANNELS[0]  # where the search began
        self._present = CHANNELS[0]  # where it sends
        self._todo: "list[int]" = []
        self.state = self.IDLE
        self.channel = CHANNELS[0]
        """The one that worked last: a search begins there."""
        self.deferred = 0

    def revive(self) -> bool:
        """Prepare the radio again if it has lost its settings (at start or by a brown-out); whether it works.

        Costs one register read if all is well. What was being sent is given up.
        """
        if not self._radio.alive():
            if self.state == self.SEARCHING:
                self.state = self.UNDELIVERED
            self.works = self._radio.present() and self._radio.configure(
                retries=_RETRIES, retry_us=_RETRY_US
            )
        return self.works

    def send(
        self,
        frame: bytes,
        to: bytes,
        own: bytes,
        now_ms: int,
        search: bool = True,
        channel: int = PAIRING_CHANNEL,
        low_power: bool = False,
    ) -> None:
        """Begin to send `frame`, instead of whatever is being sent; poll() goes on with it.

        Waits 4.5 ms for the crystal if the radio slept, and 0.2 ms to check a channel.

        Args:
            frame: 1-32 bytes.
            to: the address to send to, 5 bytes.
            own: the address at which the reply will come.
            now_ms: the time.
            search: on all channels, mostly on the one that worked last, until it is acknowledged.
            channel: the only one if not `search`.
            low_power: at -18 dBm instead of 0, until the next send().
        """
        radio = self._radio
        if self.state == self.SEARCHING:
            radio.abort()
        radio.power_up()
        radio.address(own)
        radio.set_power(_LOW_DBM if low_power else _FULL_DBM)
        self._frame = frame
        self._to = to
        self._searched = search
        self._todo = _ORDERS[CHANNELS.index(self.channel)][:] if search else [channel]
        self._home = self._todo[0]
        self._checks_left = _CHECKS
        self._false_acks_left = _FALSE_ACKS
        self.state = self.SEARCHING
        self._try_next(now_ms)

    def sleep(self) -> None:
        """Give up what is being sent and power down."""
        if self.state == self.SEARCHING:
            self._radio.abort()
        self.state = self.IDLE
        self._radio.power_down()

    def poll(self, now_ms: int) -> bool:
        """Hand over received frames, then go on with the search.

        Returns:
            Whether more frames may be waiting, of which no interrupt will tell.
        """
        if self.state == self.IDLE:
            return False
        more = self._read_frames(now_ms)[1]
        if self.state == self.SEARCHING:
            result = self._outcome(now_ms)
            if result == SENT and self._was_false_ack(now_ms):
                self._todo.insert(0, self._present)
                self._try_next(now_ms)
            elif result == SENT:
                self.state = self.DELIVERED
                if self._searched:
                    self.channel = self._present
                self._radio.listen()
            elif result != SENDING:
                self._try_next(now_ms)
        return more

    def wait_ms(self, now_ms: int) -> int:
        """How long until poll() has something to do; -1: only an interrupt can tell."""
        return self._sending_for_ms(now_ms) if self.state == self.SEARCHING else -1

    def _take(self, view: memoryview, now_ms: int) -> None:
        if self._radio.in_ack:
            self._in_ack = True
        else:
            self._link.on_frame(view, now_ms)

    def _was_false_ack(self, now_ms: int) -> bool:
        """Whether what passed for the acknowledgement held a payload, which the stimulator's never do.

        The radio takes any packet to the address that it has just sent to (7.4.2): under a flood of forged
        ones that happens in one of ten transmissions.
        """
        self._read_frames(now_ms)
        false = self._in_ack and self._false_acks_left > 0
        self._in_ack = False
        self._false_acks_left -= false
        return false

    def _try_next(self, now_ms: int) -> None:
        """A burst on the next free channel; an occupied one is put off to the end, but not for ever."""
        while self._todo:
            channel = self._todo.pop(0)
            self._radio.tune(channel)
            if self._checks_left:
                self._checks_left -= 1
                if self._radio.sense():
                    self.deferred += 1
                    self._todo.append(channel)
                    continue
            self._present = channel
            self._radio.send(self._frame, self._to)
            self._since_ms = now_ms
            return
        self.state = self.UNDELIVERED
        self._radio.tune(self._home)
        self._radio.listen()
