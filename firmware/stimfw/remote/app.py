"""The remote's application: a button becomes a request, its fate becomes light and sound.

Everything comes in through the constructors (firmware/roots/remote/main.py makes it). Nothing here waits:
step() does what is due and says how long the main loop may sleep.
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import asking, messages, requests
from stimfw.telemetry import addresses
from stimfw.telemetry.requester import LIMIT_MS, STOP_LIMIT_MS, Requester
from stimfw.ui import feedback
from stimfw.ui.button import Debouncer

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.drivers.button import Button
    from stimfw.drivers.buzzer import Buzzer
    from stimfw.drivers.led import Leds
    from stimfw.remote.frame_transport import FrameTransport
    from stimfw.remote.modem import Modem
    from stimfw.remote.pairing_state import PairingState

LOW_BATTERY_MV = 3300
LONGEST_SLEEP_MS = 1000
"""The watchdog is fed as often as this."""
PAIR_HOLD_MS = 3000
"""STATUS held for so long is PAIR."""
_PAIR = 0x100  # what is under way, besides opcodes
_MODEM = 0x101
_FIRST_USE = 0x102  # of a new pairing's key
_PARTING = 0x103  # the frame that closes the stimulator's window, after STOP was pressed in a pairing


class Key:
    """A button and what it asks for."""

    def __init__(self, button: "Button", opcode: int) -> None:
        self.button = button
        self.opcode = opcode
        self.is_stop = opcode == requests.STOP
        self.debouncer = Debouncer(button.down(), edge_is_enough=self.is_stop)
        self._held_ms = -1

    def pressed(self, now_ms: int) -> bool:
        """Whether it was pressed since the last look."""
        edge = self.button.take_edge()
        pressed = self.debouncer.update(self.button.down(), edge, now_ms)
        if pressed:
            self._held_ms = now_ms
        elif not self.debouncer.down:
            self._held_ms = -1
        return pressed

    def held(self, now_ms: int) -> bool:
        """Whether it has been down for PAIR_HOLD_MS since a press: true once."""
        if self._held_ms < 0 or elapsed_ms(now_ms, self._held_ms) < PAIR_HOLD_MS:
            return False
        self._held_ms = -1
        return True

    def wait_ms(self, now_ms: int) -> int:
        """Time until it has to be looked at without an edge; -1 if it has not."""
        wait = self.debouncer.wait_ms(now_ms)
        if wait < 0 and self._held_ms >= 0:
            wait = max(0, PAIR_HOLD_MS - elapsed_ms(now_ms, self._held_ms))
        return wait


class Display:
    """The LEDs and the buzzer, playing patterns of stimfw.ui.feedback."""

    def __init__(self, leds: "Leds", buzzer: "Buzzer") -> None:
        self._leds = leds
        self._buzzer = buzzer
        self._player = feedback.Player()
        self._lamp = -1

    def play(self, pattern: "feedback.Pattern", now_ms: int) -> None:
        """Show this from now on; () is dark and silent."""
        self._player.play(pattern, now_ms)
        self._apply()

    def update(self, now_ms: int) -> int:
        """Show what is due; the time until the next change in ms, or -1."""
        if self._player.wait_ms(now_ms) == 0:
            self._player.update(now_ms)
            self._apply()
        return self._player.wait_ms(now_ms)

    def lamp(self, lights: int, takes_over: bool) -> None:
        """Show these lights in place of the pattern's while it `takes_over`."""
        lights = lights if takes_over else -1
        if lights != self._lamp:
            self._lamp = lights
            self._apply()

    def _apply(self) -> None:
        self._leds.show(self._player.lights if self._lamp < 0 else self._lamp)
        self._buzzer.sound(self._player.tone_hz)


class App:
    """One thing at a time. STOP takes the place of any other; nothing takes the place of STOP."""

    def __init__(
        self,
        keys: "tuple[Key, ...]",
        display: Display,
        carrier: "FrameTransport",
        pairing: "PairingState",
        modem: "Modem",
        supply_mv: "Callable[[], int]",
    ) -> None:
        """Join the parts.

        `keys`: STOP first, STATUS last. `carrier`: its radio asleep. `supply_mv` reads the battery.
        """
        self._keys = keys
        self._display = display
        self._carrier = carrier
        self._pairing = pairing
        self._modem = modem
        self._supply_mv = supply_mv
        self._under_way = 0  # an opcode, or _PAIR to _PARTING
        self._refused = False  # a pairing, by the STOP that is under way
        self.refused = 0

    @property
    def requester(self) -> "Requester | None":
        """Who speaks with the stimulator; None if this remote is not paired."""
        return self._pairing.requester

    def step(self, now_ms: int) -> int:
        """Do what is due now; how long nothing will be due unless an interrupt comes (ms)."""
        for key in self._keys:
            if key.pressed(now_ms):
                self._press(key, now_ms)
        if self._keys[-1].held(now_ms) and self._under_way != requests.STOP:
            self._pair(now_ms)
        sleep_ms = LONGEST_SLEEP_MS
        if self._under_way and self._carrier.follow(now_ms):
            sleep_ms = 0
        if self._under_way == _PAIR and self._pairing.work():
            sleep_ms = 0
        self._conclude(now_ms)
        waits = [key.wait_ms(now_ms) for key in self._keys]
        waits.append(self._display.update(now_ms))
        if self._under_way:
            waits.append(self._carrier.wait_ms(now_ms))
        if self._under_way == _PAIR:
            waits.append(self._pairing.wait_ms(now_ms))
        for wait_ms in waits:
            if 0 <= wait_ms < sleep_ms:
                sleep_ms = wait_ms
        return sleep_ms

    def close(self, now_ms: int) -> None:
        """Dark, silent and off the air."""
        for key in self._keys:
            key.button.release()
        self._display.play((), now_ms)
        self._carrier.end()

    def busy(self) -> bool:
        """Whether a button's request or a pairing is under way."""
        return self._under_way not in (0, _MODEM)

    def carry(self, base: bytes, slot: int, frame: bytes) -> bool:
        """A host's frame goes out, unless a button's request is under way; whether it does."""
        if self.busy():
            return False
        self._modem.give(frame)
        self._under_way = _MODEM
        to, own = addresses.stimulator_address(base), addresses.peer_address(base, slot)
        return self._carrier.begin(self._modem, to, own) or self._end(False)

    def end_carrying(self) -> None:
        """The host has no more frames."""
        if self._under_way == _MODEM:
            self._end()

    def _press(self, key: Key, now_ms: int) -> None:
        if self._under_way == _PAIR:
            if key.is_stop:
                self._pairing.refuse()
                if self.requester is not None:
                    # It may be meant for the pulses, and those come first.
                    self._display.lamp(0, False)
                    self._ask(key.opcode, now_ms)
                    self._refused = self._under_way == requests.STOP
            elif key.opcode == requests.START:
                self._pairing.accept(now_ms)
        elif key.is_stop or self._under_way in (0, _MODEM, _FIRST_USE, _PARTING):
            self._ask(key.opcode, now_ms)

    def _ask(self, opcode: int, now_ms: int) -> None:
        requester = self.requester
        self._modem.close()
        if requester is None:
            self._display.play(feedback.NOT_PAIRED if self._pairing.usable else feedback.NO_FLASH, now_ms)
            return
        if not self._carrier.begin(requester, self._pairing.to, self._pairing.own):
            self._under_way = 0
            self._display.play(feedback.NO_RADIO, now_ms)
            return
        limit_ms = STOP_LIMIT_MS if opcode == requests.STOP else LIMIT_MS
        requester.begin(messages.request(opcode), limit_ms, now_ms)
        self._under_way = opcode
        self._display.play((), now_ms)

    def _pair(self, now_ms: int) -> None:
        self._modem.close()
        if not self._pairing.usable:
            self._under_way = 0
            self._display.play(feedback.NO_FLASH, now_ms)
            return
        pairing = self._pairing.client
        if not self._carrier.begin(
            pairing, addresses.PAIRING_STIMULATOR, addresses.PAIRING_REMOTE, pairing=True
        ):
            self._under_way = 0
            self._display.play(feedback.NO_RADIO, now_ms)
            return
        pairing.begin(now_ms)
        self._under_way = _PAIR
        self._display.play(feedback.PAIRING_BEGUN, now_ms)

    def _conclude(self, now_ms: int) -> None:
        """Whether what is under way is over, and how."""
        if self._under_way == 0:
            return
        if self._under_way == _MODEM:
            if self._modem.done(now_ms):
                self._end()
        elif self._under_way == _PAIR:
            self._follow_pairing(now_ms)
        elif self._under_way == _PARTING:
            if self._parted(now_ms):
                self._end()
        elif self.requester is not None and self.requester.state != Requester.WAITING:
            self._show_answer(self.requester, now_ms)

    def _show_answer(self, requester: Requester, now_ms: int) -> None:
        opcode = self._under_way
        self._end()
        if opcode == _FIRST_USE:
            return
        if requester.state == Requester.ANSWERED:
            pattern = self._answer(opcode, requester.reply)
        else:
            pattern = feedback.NO_ANSWER
        if opcode == requests.STATUS and self._supply_mv() < LOW_BATTERY_MV:
            pattern = pattern + feedback.LOW_BATTERY
        if self._refused:
            self._refused = False
            pattern = pattern + self._pairing.pattern()
            self._part()
        self._display.play(pattern, now_ms)

    def _follow_pairing(self, now_ms: int) -> None:
        pairing = self._pairing
        # At its end it may have a last frame to send, which closes the stimulator's window.
        if pairing.under_way() or not self._parted(now_ms):
            self._display.lamp(feedback.AMBER if pairing.lit(now_ms) > 0 else 0, pairing.lit(now_ms) >= 0)
            return
        self._display.lamp(0, False)
        self._end()
        self._display.play(pairing.pattern(), now_ms)
        if pairing.paired():
            # The first use of the new key makes it the stimulator's only one for this remote.
            self._use_new_key(now_ms)

    def _part(self) -> None:
        """Send what a pairing that was given up has to say, if anything."""
        client = self._pairing.client
        if self._carrier.begin(client, addresses.PAIRING_STIMULATOR, addresses.PAIRING_REMOTE, pairing=True):
            self._under_way = _PARTING

    def _parted(self, now_ms: int) -> bool:
        """Whether the last frame of a pairing was sent, if there was one."""
        return self._pairing.wait_ms(now_ms) != 0 and not self._carrier.flying()

    def _use_new_key(self, now_ms: int) -> None:
        """Ask for the status, and show nothing of it."""
        requester = self.requester
        if requester is not None and self._carrier.begin(requester, self._pairing.to, self._pairing.own):
            requester.begin(messages.request(requests.STATUS), LIMIT_MS, now_ms)
            self._under_way = _FIRST_USE

    def _end(self, result: bool = True) -> bool:
        self._modem.close()
        self._carrier.end()
        self._under_way = 0
        return result

    def _answer(self, opcode: int, reply: bytes) -> "feedback.Pattern":
        """What to show for a reply message."""
        try:
            code, body = messages.parse_reply(opcode, reply)
            if code == messages.OK and opcode == requests.STATUS:
                status = asking.unpack_status(body)
                return feedback.status(status["state"], bool(status["flags"] & messages.FLAG_MAGNET))
        except ValueError:
            code, body = messages.BAD_LENGTH, b""
        if code == messages.OK:
            return feedback.DELIVERED
        self.refused += 1
        return feedback.refused(body[1] if code == messages.WRONG_STATE and len(body) == 2 else 0)
