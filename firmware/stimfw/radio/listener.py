"""The stimulator's end of the radio link: it listens, answers, and moves away from occupied channels.

The radio's IRQ pin falls -> the application's handler sets its wake flag -> the main loop calls service(). An
edge may be missed, so service() may be called at any time, and the loop calls it when wait_ms() is over and
at least every second, when it also calls look().
"""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.clock.ticks import elapsed_ms
from stimfw.drivers.nrf24l01 import NRF24L01, SENDING
from stimfw.radio.endpoint import RadioEndpoint
from stimfw.telemetry.addresses import CHANNELS, PAIRING_CHANNEL, PAIRING_REMOTE, PAIRING_STIMULATOR

if TYPE_CHECKING:
    from typing import Protocol

    class StimulatorLink(Protocol):
        """What takes the frames: the secure channel with its handshakes."""

        def on_frame(self, view: memoryview, now_ms: int) -> "bytes | None":
            """Take a received frame; the frame to send back, if one is due."""

        def address_for(self, frame: bytes) -> bytes:
            """The 5-byte address that a frame of on_frame() goes to."""

        def pause_ms(self, now_ms: int) -> int:
            """For how long nothing shall be received from now on; 0 for not at all."""

        def connected(self, now_ms: int) -> bool:
            """Whether a connection is open."""


# While it sends it cannot hear a STOP: the requesting side repeats more often, and at another pace.
_RETRIES = const(5)
_RETRY_US = const(750)
_GIVE_UP_MS = const(20)  # 6 transmissions of 32 bytes take 7 ms
_PAUSED_POLL_MS = const(2)
_WINDOW_MS = const(4)  # of listening between two pauses: a remote that searches sends four frames in it
_DEFER_MS = const(1)
_DEFERRALS = const(4)
_QUIET_MS = const(4000)
_KIND = const(0x0F)
_PAIR_REPLY = const(6)
_FULL_DBM = 0
_PAIRING_DBM = -18


def prepare(radio: NRF24L01, own: "bytes | None" = None, channel: int = PAIRING_CHANNEL) -> bool:
    """Test and configure the radio; whether it is there and does what it should."""
    return radio.present() and radio.configure(own, channel, _RETRIES, _RETRY_US)


class RadioListener(RadioEndpoint):
    """Owns the radio; `link` decides what a frame means and what is answered."""

    def __init__(self, radio: NRF24L01, link: "StimulatorLink", own: "bytes | None" = None) -> None:
        """Args: radio: made ready by prepare() or revive(); own: the address to receive at, see address()."""
        super().__init__(radio, _GIVE_UP_MS)
        self._link = link
        self._own = own
        self._extra: "bytes | None" = None  # the pairing window's address while it is open
        self._listening = False
        self._sending = False
        self._next: "bytes | None" = None
        self._deferrals = 0  # of the frame in _next
        self._deferred_ms = 0
        self._pause_ms = 0
        self._paused_ms = 0
        self._ears = False  # the window after a pause is open
        self.paused = False
        """Interrupts of the radio need not wake anybody: wait_ms() says when to call service()."""
        self._was_busy = False
        self._quiet_ms: "int | None" = None  # since then there was neither contact nor a hop
        self.channel = CHANNELS[0]
        self.deferred = 0
        self.hops = 0

    def address(self, own: "bytes | None") -> None:
        """Receive at `own` (5 bytes) from now on; at no address but pairing's if None."""
        self._own = own
        self._listen_if_idle()

    def revive(self) -> bool:
        """Prepare the radio anew if it has lost its settings (at start, or by a brown-out); whether it works.

        To be called now and then, a second apart. Costs one register read if all is well, and waits for the
        crystal (5 ms) if it is not.
        """
        if not self._radio.alive():
            self._sending = False
            self.works = prepare(self._radio, self._own, self.channel)
            if self.works and self._listening:
                self.listen()
        return self.works

    def listen(self) -> None:
        """Power up and receive."""
        self._listening = True
        self._radio.power_up()
        self._listen_if_idle()

    def open_pairing(self) -> None:
        """Listen at pairing's address too, and stay on its channel."""
        self._extra = PAIRING_STIMULATOR
        self.channel = PAIRING_CHANNEL
        self._listen_if_idle()

    def close_pairing(self) -> None:
        """Pairing's address is no longer received, so not acknowledged either."""
        self._extra = None
        self._listen_if_idle()

    def service(self, now_ms: int) -> bool:
        """Hand over received frames, then go on with the radio's next duty. Never waits.

        Frames come first, and a reply is only noted while they are read: a STOP is executed before anything
        is sent. In a pause that the link asked for nothing is received, so nothing acknowledged either: who
        is genuine goes on trying. Then it listens for a moment, reads what came, and asks the link again.

        Returns:
            Whether more frames may be waiting, of which no interrupt will tell.
        """
        more = False
        if self._may_read(now_ms):
            closing, self._ears = self._ears, False
            frames, more = self._read_frames(now_ms)
            if frames or closing:
                self._pause_ms = self._link.pause_ms(now_ms)
                self._paused_ms = now_ms
                # Not while it sends: the interrupt that tells of the end must get through.
                self.paused = self._pause_ms > 0 and self._next is None and not self._sending
                more = more and self._pause_ms == 0
                if closing or self._pause_ms:
                    self._listen_if_idle()
        if self._sending and self._outcome(now_ms) != SENDING:
            self._sending = False
            if self._next is None:
                self._listen_if_idle()
        if self._next is not None and not self._sending:
            self._reply(self._next, now_ms)
        return more

    def wait_ms(self, now_ms: int) -> int:
        """How long until service() has something to do; -1: only an interrupt can tell."""
        # In a pause and in its window no interrupt calls.
        wait = self._pause_left_ms(now_ms) if self._pause_ms else -1
        if self._sending:
            # The flag of a frame that is not read holds the IRQ pin low: no edge tells of the end.
            due = self._sending_for_ms(now_ms) if wait < 0 else _PAUSED_POLL_MS
        elif self._next is not None:
            due = max(0, _DEFER_MS - elapsed_ms(now_ms, self._deferred_ms))
        else:
            return wait
        return due if wait < 0 else min(due, wait)

    def look(self, now_ms: int) -> None:
        """Hop to the next channel if this one is taken (seen twice); back to the first 4 s after all contact.

        To be called about once a second. Not while a reply is on its way, nor in the pairing window. A flood
        is no reason to hop: who sends it can follow, and a remote would have to seek.
        """
        if self._sending or self._next is not None or not self._listening or not self.works:
            return
        if self._extra is not None or self._quiet_ms is None or self._link.connected(now_ms):
            self._quiet_ms = now_ms
        busy = not self._pause_ms and self._radio.carrier_detected()
        if self._extra is None and busy and self._was_busy:
            self._hop(CHANNELS[(CHANNELS.index(self.channel) + 1) % len(CHANNELS)], now_ms)
            busy = False
        elif self.channel != CHANNELS[0] and elapsed_ms(now_ms, self._quiet_ms) >= _QUIET_MS:
            self._hop(CHANNELS[0], now_ms)
            busy = False
        elif busy:
            self._listen_if_idle()  # what the next look sees shall be of its own time (6.4: RPD is latched)
        self._was_busy = busy

    def _hop(self, channel: int, now_ms: int) -> None:
        self.channel = channel
        self.hops += 1
        self._quiet_ms = now_ms
        self._listen_if_idle()

    def _take(self, view: memoryview, now_ms: int) -> None:
        reply = self._link.on_frame(view, now_ms)
        if reply is not None:
            self._next = reply
            self._deferrals = 0

    def _reply(self, frame: bytes, now_ms: int) -> None:
        """Send `frame`, but listen before talk."""
        if self._deferrals and elapsed_ms(now_ms, self._deferred_ms) < _DEFER_MS:
            return
        if self._deferrals < _DEFERRALS and self._radio.carrier_detected():
            self._deferrals += 1
            self._deferred_ms = now_ms
            self.deferred += 1
            return
        self._next = None
        pairing = frame[0] & _KIND == _PAIR_REPLY
        self._radio.set_power(_PAIRING_DBM if pairing else _FULL_DBM)
        self._radio.send(frame, PAIRING_REMOTE if pairing else self._link.address_for(frame))
        self._sending = True
        self._since_ms = now_ms

    def _listen_if_idle(self) -> None:
        """Receive with the present settings; after what is being sent, if something is."""
        if self._sending or not self._listening:
            return
        if self._pause_ms and not self._ears:
            self._radio.standby()
            return
        self._radio.tune(self.channel)
        self._radio.address(self._own)
        self._radio.set_power(_FULL_DBM if self._extra is None else _PAIRING_DBM)  # of the acknowledgements
        self._radio.listen(self._extra)

    def _may_read(self, now_ms: int) -> bool:
        """Not in a pause, nor in the window after it, until that closes."""
        if not self._pause_ms:
            return True
        if self._pause_left_ms(now_ms):
            return False
        if self._ears:
            if not self._sending:
                self._radio.standby()  # what came while it reads would lie there until the next window
            return True
        self._ears = True
        self._pause_ms += _WINDOW_MS
        self._listen_if_idle()
        return False

    def _pause_left_ms(self, now_ms: int) -> int:
        return max(0, self._pause_ms - elapsed_ms(now_ms, self._paused_ms)) if self._pause_ms else 0
