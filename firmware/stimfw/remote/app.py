"""The remote's application: a button becomes a request, its fate becomes light and sound.

Everything comes in through the constructors (firmware/roots/remote/main.py makes it). Nothing here waits:
step() does what is due and says how long the main loop may sleep.
"""

from stimfw.drivers.radio_port import RadioPort
from stimfw.logic import feedback, messages
from stimfw.logic.button import Debouncer
from stimfw.logic.link import Requester

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from collections.abc import Callable

    from stimfw.drivers.button import Button
    from stimfw.drivers.buzzer import Buzzer
    from stimfw.drivers.led import Leds

STOP_TRIES = 50
"""1.5 s: longer than the stimulator can be deaf while it erases flash (0.4 s)."""
TRIES = 20
LOW_BATTERY_MV = 3300
LONGEST_SLEEP_MS = 1000
"""The watchdog is fed as often as this."""


class Key:
    """A button and what it asks for."""

    def __init__(self, button: "Button", opcode: int) -> None:
        self.button = button
        self.opcode = opcode
        self.is_stop = opcode == messages.STOP
        self.debouncer = Debouncer(button.down(), edge_is_enough=self.is_stop)

    def pressed(self, now_ms: int) -> bool:
        """Whether it was pressed since the last look."""
        edge = self.button.take_edge()
        return self.debouncer.update(self.button.down(), edge, now_ms)


class Display:
    """The LEDs and the buzzer, playing patterns of stimfw.logic.feedback."""

    def __init__(self, leds: "Leds", buzzer: "Buzzer") -> None:
        self._leds = leds
        self._buzzer = buzzer
        self._player = feedback.Player()

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

    def _apply(self) -> None:
        self._leds.show(self._player.lights)
        self._buzzer.sound(self._player.tone_hz)


class App:
    """One request at a time. STOP takes the place of any other; nothing takes the place of STOP."""

    def __init__(
        self,
        keys: "tuple[Key, ...]",
        display: Display,
        port: RadioPort,
        requester: Requester,
        supply_mv: "Callable[[], int]",
    ) -> None:
        """Join the parts.

        `keys`: STOP first. `port`: over a radio that is asleep. `supply_mv` reads the battery.
        """
        self._keys = keys
        self._display = display
        self._port = port
        self._requester = requester
        self._supply_mv = supply_mv
        self._opcode = 0  # of the request that is under way
        self.refused = 0

    def step(self, now_ms: int) -> int:
        """Do what is due now; how long nothing will be due unless an interrupt comes (ms)."""
        for key in self._keys:
            if key.pressed(now_ms) and (key.is_stop or not self._opcode):
                self._ask(key, now_ms)
        sleep_ms = 0 if self._opcode and self._follow(now_ms) else LONGEST_SLEEP_MS
        waits = [key.debouncer.wait_ms(now_ms) for key in self._keys]
        for wait_ms in waits + [self._requester.wait_ms(now_ms), self._display.update(now_ms)]:
            if 0 <= wait_ms < sleep_ms:
                sleep_ms = wait_ms
        return sleep_ms

    def close(self, now_ms: int) -> None:
        """Dark, silent and off the air."""
        for key in self._keys:
            key.button.release()
        self._display.play((), now_ms)
        self._port.sleep()

    def _ask(self, key: Key, now_ms: int) -> None:
        if not self._port.revive(requester=True):
            self._display.play(feedback.NO_RADIO, now_ms)
            return
        tries = STOP_TRIES if key.is_stop else TRIES
        self._port.send(self._requester.begin(messages.request(key.opcode), tries, now_ms), now_ms)
        self._opcode = key.opcode
        self._display.play((), now_ms)

    def _follow(self, now_ms: int) -> bool:
        """The radio's next duty, the link's next try, and its end; whether the radio has more to say."""
        more = self._port.service(now_ms)
        again = self._requester.poll(now_ms)
        if again and self._port.revive(requester=True):
            self._port.send(again, now_ms)
        if self._requester.state == Requester.WAITING:
            return more
        self._port.sleep()
        if self._requester.state == Requester.ANSWERED:
            pattern = self._answer(self._opcode, self._requester.reply)
        else:
            pattern = feedback.NO_ANSWER
        if self._opcode == messages.STATUS and self._supply_mv() < LOW_BATTERY_MV:
            pattern = pattern + feedback.LOW_BATTERY
        self._opcode = 0
        self._display.play(pattern, now_ms)
        return False

    def _answer(self, opcode: int, reply: bytes) -> "feedback.Pattern":
        """What to show for a reply message."""
        try:
            code, body = messages.parse_reply(opcode, reply)
            if code == messages.OK and opcode == messages.STATUS:
                status = messages.unpack_status(body)
                return feedback.status(status["state"], bool(status["flags"] & messages.FLAG_MAGNET))
        except ValueError:
            code, body = messages.BAD_LENGTH, b""
        if code == messages.OK:
            return feedback.DELIVERED
        self.refused += 1
        return feedback.refused(body[1] if code == messages.WRONG_STATE and len(body) == 2 else 0)
