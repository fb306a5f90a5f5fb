"""The stimulator's end of the radio link: it listens, answers, and moves away from occupied channels.

The radio's IRQ pin falls -> the application's handler sets its wake flag -> the main loop calls poll(). An
edge may be missed, so poll() may be called at any time, and the loop calls it when wait_ms() is over and at
least every second, when it also calls check_channel().

There are two states: what the receiver does, and what becomes of a reply. While the radio sends a reply it
is no receiver: settings of the receiver that change in that time take effect when the reply is sent.
"""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.clock.ticks import elapsed_ms
from stimfw.radio.endpoint import MOST_FRAMES, RadioEndpoint
from stimfw.telemetry.addresses import CHANNELS, PAIRING_CHANNEL, PAIRING_REMOTE, PAIRING_STIMULATOR
from stimfw.telemetry.frames import COPIES, MORE_COPIES

if TYPE_CHECKING:
    from typing import Protocol

    from stimfw.drivers.nrf24l01 import NRF24L01

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

        def flooded(self) -> bool:
            """Whether somebody sends many frames that are not authentic."""

        def contested(self) -> bool:
            """Whether answers go out in more copies, and at once, because of such a flood."""


_GIVE_UP_MS = const(20)  # a burst takes 1.4 ms
_LOOK_MS = const(2)  # no edge tells of the end while a frame that is not read holds the IRQ pin low
_LISTEN_SLOT_MS = const(4)  # a burst and the time until the next one may begin
_SLOT_FRAMES = const(3)  # as many as the radio holds
_DEFER_MS = const(1)
_DEFERRALS = const(4)
_QUIET_MS = const(4000)
_LOST_LOOKS = const(2)
_KIND = const(0x0F)
_PAIR_REPLY = const(6)
_FULL_DBM = const(0)
_PAIRING_DBM = const(-18)

# What the receiver does. The link may ask for a pause after each reading: then LISTENING -> PAUSED ->
# LISTEN_SLOT -> PAUSED or LISTENING. In all three the radio receives; a pause is for the processor.
_OFF = const(0)
"""Until listen(): neither received nor read."""
_LISTENING = const(1)
"""Read at each poll()."""
_PAUSED = const(2)
"""From `_pause_began_ms` on for `_pause_ms`. What comes is not read, and dropped at its end."""
_LISTEN_SLOT = const(3)
"""The last `_LISTEN_SLOT_MS` of `_pause_ms`. What comes, up to three frames, is read at its end."""

# What becomes of a reply.
_NO_REPLY = const(0)
"""`_reply` is None."""
_WAITING_FOR_CHANNEL = const(1)
"""`_reply` is to be sent. The channel was found occupied `_deferrals` times, at `_deferred_ms` last."""
_SENDING_REPLY = const(2)
"""A sender since `_since_ms`. `_reply` is None, or the next one, to a frame that was read since."""


def prepare(radio: "NRF24L01", own: "bytes | None" = None, channel: int = PAIRING_CHANNEL) -> bool:
    """Test and configure the radio; whether it is there and does what it should."""
    return radio.present() and radio.configure(own, channel)


class RadioListener(RadioEndpoint):
    """Owns the radio; `link` decides what a frame means and what is answered."""

    def __init__(self, radio: "NRF24L01", link: "StimulatorLink", own: "bytes | None" = None) -> None:
        """Args: radio: made ready by prepare() or revive(); own: the address to receive at, see address()."""
        super().__init__(radio, _GIVE_UP_MS)
        self.works = radio.usable
        self._link = link
        self._own = own
        self._extra: "bytes | None" = None  # pairing's address while the pairing window is open
        self._receive_state = _OFF
        self._pause_ms = 0  # 0 while LISTENING
        self._pause_began_ms = 0
        self.paused = False
        """Interrupts of the radio need not wake anybody: wait_ms() says when to call poll()."""
        self._send_state = _NO_REPLY
        self._reply: "bytes | None" = None
        self._deferrals = 0
        self._deferred_ms = 0
        self._was_busy = False
        self._lost_looks = 0
        self._quiet_ms: "int | None" = None  # since then there was neither contact nor a hop
        self.channel = CHANNELS[0]
        self.deferred = 0
        self.hops = 0

    def address(self, own: "bytes | None") -> None:
        """Receive at `own` (5 bytes) from now on; at no address but pairing's if None."""
        self._own = own
        self._set_receiver()

    def revive(self) -> bool:
        """Prepare the radio again if it has lost its settings (at start or by a brown-out); whether it works.

        To be called now and then, a second apart. Costs one register read if all is well, and waits for the
        crystal (5 ms) if it is not.
        """
        if not self._radio.alive():
            self._send_state = _NO_REPLY if self._reply is None else _WAITING_FOR_CHANNEL
            self.works = prepare(self._radio, self._own, self.channel)
            if self.works and self._receive_state != _OFF:
                self.listen()
        return self.works

    def listen(self) -> None:
        """Power up and receive; without a radio that works, as soon as revive() has found one."""
        if self._receive_state == _OFF:
            self._receive_state = _LISTENING
        if not self.works:
            return
        self._radio.power_up()
        self._set_receiver()

    def open_pairing(self) -> None:
        """Listen at pairing's address too, and stay on its channel."""
        self._extra = PAIRING_STIMULATOR
        self.channel = PAIRING_CHANNEL
        self._set_receiver()

    def close_pairing(self) -> None:
        """Pairing's address is no longer received."""
        self._extra = None
        self._set_receiver()

    def poll(self, now_ms: int) -> bool:
        """Hand over received frames, and send a reply as soon as there is one. Never waits.

        The frames behind that are read while it is sent.

        Returns:
            Whether more frames may be waiting, of which no interrupt will tell.
        """
        state = self._receive_state
        if self._send_state == _SENDING_REPLY:
            self._useful_ms = now_ms  # what lies there came before the answer: copies of what is answered
        if state == _LISTENING or (state == _LISTEN_SLOT and self._pause_left_ms(now_ms) == 0):
            self._begin_reading(self._most_frames())
            frame = self._next_frame(now_ms)
            was_any, answered = frame is not None, False
            while frame is not None:
                reply = self._link.on_frame(frame, now_ms)
                if reply is not None:
                    self._keep_reply(reply, now_ms)
                    self._poll_sender(now_ms)
                    answered = True
                    self._left = min(self._left, _SLOT_FRAMES)  # its copies: nothing comes in meanwhile
                elif answered:
                    self._left = 0  # one that is no copy; at the end of sending the receiver is off
                frame = self._next_frame(now_ms)
            more = self._more
            if (was_any or state == _LISTEN_SLOT) and self._begin_pause(now_ms):
                more = False
        else:
            more = False
            if state == _PAUSED and self._pause_left_ms(now_ms) == 0:
                self._open_listen_slot()
        self._poll_sender(now_ms)
        return more

    def _most_frames(self) -> int:
        """As many as are read in a row: one while an answer is sent, the receiver is off at its end."""
        if self._send_state == _SENDING_REPLY:
            return 1
        return _SLOT_FRAMES if self._receive_state == _LISTEN_SLOT else MOST_FRAMES

    def wait_ms(self, now_ms: int) -> int:
        """How long until poll() has something to do; -1: only an interrupt can tell."""
        # In a pause and in a listen slot no interrupt calls.
        wait = self._pause_left_ms(now_ms) if self._pause_ms else -1
        if self._send_state == _NO_REPLY:
            return wait
        if self._send_state == _WAITING_FOR_CHANNEL:
            due = max(0, _DEFER_MS - elapsed_ms(now_ms, self._deferred_ms)) if self._deferrals else 0
        else:
            due = min(_LOOK_MS, self._sending_for_ms(now_ms))
        return due if wait < 0 else min(due, wait)

    @property
    def answering(self) -> bool:
        """Whether there is a reply to send, or one is being sent: then nothing is received."""
        return self._send_state != _NO_REPLY

    def check_channel(self, now_ms: int, lost: bool = False) -> None:
        """Hop to the next channel if this one is occupied twice; back to the first 4 s after all contact.

        To be called about once a second; looks for 0.2 ms. Not while there is a reply to send, nor in the
        pairing window. A flood is no reason to hop: its sender can follow, and a remote would have to search.

        lost: a peer that should be heard is not. Short pulses can drown every frame, and no look sees them
        (6.4: a carrier of 40 us and more): so every second call hops.
        """
        if self._send_state != _NO_REPLY or self._receive_state == _OFF or not self.works:
            return
        if self._extra is not None or self._quiet_ms is None or self._link.connected(now_ms):
            self._quiet_ms = now_ms
        self._lost_looks = self._lost_looks + 1 if lost and self._extra is None else 0
        if self._lost_looks >= _LOST_LOOKS:
            self._lost_looks = 0
            self._was_busy = False
            self._hop(CHANNELS[(CHANNELS.index(self.channel) + 1) % len(CHANNELS)], now_ms)
            return
        stays = self._extra is not None or self._link.flooded()
        busy = not stays and self._radio.sense()
        if busy and self._was_busy:
            self._hop(CHANNELS[(CHANNELS.index(self.channel) + 1) % len(CHANNELS)], now_ms)
            busy = False
        elif self.channel != CHANNELS[0] and elapsed_ms(now_ms, self._quiet_ms) >= _QUIET_MS:
            self._hop(CHANNELS[0], now_ms)
            busy = False
        self._was_busy = busy

    def _hop(self, channel: int, now_ms: int) -> None:
        self.channel = channel
        self.hops += 1
        self._quiet_ms = now_ms
        self._set_receiver()

    # The receiver.

    def _open_listen_slot(self) -> None:
        """The pause is over. A genuine sender goes on during it; now there is room for its frame."""
        self._radio.flush_received()
        self._receive_state = _LISTEN_SLOT
        self._pause_ms += _LISTEN_SLOT_MS

    def _begin_pause(self, now_ms: int) -> bool:
        """Whether the link asks for a pause after what was read: PAUSED then, otherwise LISTENING."""
        self._pause_ms = self._link.pause_ms(now_ms)
        self._pause_began_ms = now_ms
        pause = self._pause_ms > 0
        self._receive_state = _PAUSED if pause else _LISTENING
        # Not while there is a reply: the interrupt that tells that it is sent must get through.
        self.paused = pause and self._send_state == _NO_REPLY
        return pause

    def _pause_left_ms(self, now_ms: int) -> int:
        return max(0, self._pause_ms - elapsed_ms(now_ms, self._pause_began_ms)) if self._pause_ms else 0

    def _set_receiver(self) -> None:
        """Receive with the present settings; while a reply is sent, not yet."""
        if self._send_state == _SENDING_REPLY or self._receive_state == _OFF or not self.works:
            return
        self._radio.tune(self.channel)
        self._radio.address(self._own)
        self._radio.listen(self._extra)

    # The reply.

    def _keep_reply(self, reply: bytes, now_ms: int) -> None:
        """Send this reply when it can be, in place of one that waits."""
        self._was_useful(now_ms)
        self._reply = reply
        self._deferrals = 0
        if self._send_state == _NO_REPLY:
            self._send_state = _WAITING_FOR_CHANNEL

    def _poll_sender(self, now_ms: int) -> None:
        if self._send_state == _SENDING_REPLY and not self._still_sending(now_ms):
            if self._reply is None:
                self._send_state = _NO_REPLY
                self._set_receiver()
            else:
                self._send_state = _WAITING_FOR_CHANNEL
        if self._send_state == _WAITING_FOR_CHANNEL and self._reply is not None:
            self._send_if_free(self._reply, now_ms)

    def _send_if_free(self, frame: bytes, now_ms: int) -> None:
        """Listen before talk: not on an occupied channel, until that was found often enough.

        Not in a flood while the output is on: it occupies the channel, and a peer listens for a short time.
        """
        contested = self._link.contested()
        if self._deferrals and not contested and elapsed_ms(now_ms, self._deferred_ms) < _DEFER_MS:
            return
        if self._deferrals < _DEFERRALS and not contested and self._radio.sense(self._extra):
            self._deferrals += 1
            self._deferred_ms = now_ms
            self.deferred += 1
            return
        self._reply = None
        pairing = frame[0] & _KIND == _PAIR_REPLY
        self._radio.set_power(_PAIRING_DBM if pairing else _FULL_DBM)
        to = PAIRING_REMOTE if pairing else self._link.address_for(frame)
        self._radio.send(frame, to, MORE_COPIES if contested else COPIES)
        self._send_state = _SENDING_REPLY
        self._since_ms = now_ms
