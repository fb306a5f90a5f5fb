"""The remote's application: a button becomes a request, its fate becomes light and sound.

Everything comes in through the constructor (firmware/roots/remote/main.py makes it). Nothing here waits:
poll() does what is due and says how long the main loop may sleep.
"""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto.drbg import RandomError
from stimfw.protocol import messages, requests
from stimfw.remote import answers
from stimfw.telemetry import addresses
from stimfw.telemetry.requester import LIMIT_MS, STOP_LIMIT_MS, Requester
from stimfw.ui import feedback

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.remote.frame_transport import FrameTransport
    from stimfw.remote.modem import Modem
    from stimfw.remote.pairing_state import PairingState
    from stimfw.remote.panel import Display, Key
    from stimfw.remote.therapy_view import TherapyView
    from stimfw.remote.watch import Watch

LOW_BATTERY_MV = 3300
CALM_MS = 2000
"""So long after the last press flash may be written: no button is read for up to 0.4 s then."""
LONGEST_SLEEP_MS = 1000
"""The watchdog is fed as often as this."""

# What is under way. All but IDLE have the radio.
_IDLE = const(0)
_REQUEST = const(1)
"""A button's request: `_opcode`."""
_FIRST_USE = const(2)
"""A STATUS request with a new pairing's key. Nothing of it is shown."""
_PAIRING = const(3)
"""Until the pairing is made or given up, and its last frame is sent."""
_ABORTING_PAIRING = const(4)
"""The last frame of a pairing that STOP ended: it closes the stimulator's pairing window."""
_MODEM = const(5)
"""A host's frame."""
_WATCH = const(6)
"""A STATUS request of the watch. Nothing of it is shown, and all else takes its place."""
_THERAPY = const(7)
"""THERAPY, or KEPT_TIME, of an implanted stimulator, behind another request. All else takes its place."""

_SESSION = (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST, 11)  # and interference


class App:
    """One activity at a time. STOP takes the place of any other; nothing takes the place of STOP."""

    def __init__(
        self,
        keys: "tuple[Key, ...]",
        display: "Display",
        transport: "FrameTransport",
        pairing: "PairingState",
        modem: "Modem",
        watch: "Watch",
        supply_mv: "Callable[[], int]",
    ) -> None:
        """Join the parts.

        `keys`: STOP first, STATUS last. `transport`: its radio asleep. `supply_mv` reads the battery.
        """
        self._keys = keys
        self._display = display
        self._transport = transport
        self._pairing = pairing
        self._modem = modem
        self._watch = watch
        self._supply_mv = supply_mv
        self._activity = _IDLE
        self._pressed_ms = 0  # the last button
        self._opcode = 0  # of the latest button's request
        self._pairing_refused = False  # by the STOP that is under way: its abort frame comes afterwards
        self._view: "TherapyView | None" = None  # once a stimulator said that it is implanted
        self.refused = 0

    @property
    def requester(self) -> "Requester | None":
        """The requesting end of the connection to the stimulator; None if this remote is not paired."""
        return self._pairing.requester

    def poll(self, now_ms: int) -> int:
        """Do what is due now; how long nothing will be due unless an interrupt comes (ms)."""
        for key in self._keys:
            if key.pressed(now_ms):
                self._pressed_ms = now_ms
                self._on_press(key, now_ms)
        if self._keys[-1].held(now_ms) and not self._stopping():
            self._begin_pairing(now_ms)
        if self._view is not None:
            self._view.keep_time(now_ms)
        if self._activity == _IDLE and not self._display.playing():
            self._keep_watch(now_ms)
            self._confirm_key(now_ms)
        sleep_ms = LONGEST_SLEEP_MS
        if self._activity != _IDLE and self._transport.poll(now_ms):
            sleep_ms = 0
        if self._activity == _PAIRING and self._pairing.compute():
            sleep_ms = 0
        self._conclude(now_ms)
        return self._shortest_wait_ms(sleep_ms, now_ms)

    def _confirm_key(self, now_ms: int) -> None:
        """In a calm moment, not in a session: that the stimulator knows the key of this start."""
        if self._activity != _IDLE or self._watch.requester is not None or not self._pairing.to_confirm():
            return
        if elapsed_ms(now_ms, self._pressed_ms) >= CALM_MS:
            self._pairing.confirm()

    def close(self, now_ms: int) -> None:
        """Dark, silent and off the air."""
        for key in self._keys:
            key.button.release()
        self._display.play((), now_ms)
        self._transport.end()

    def busy(self) -> bool:
        """Whether a button's request or a pairing is under way."""
        return self._activity not in (_IDLE, _MODEM, _WATCH)

    def calm(self) -> bool:
        """Whether nothing of this board's own is under way: neither these nor a look of the watch."""
        return self._activity in (_IDLE, _MODEM)

    def carry(self, base: bytes, slot: int, channel: int, frame: bytes, now_ms: int) -> bool:
        """A host's frame goes out on `channel`, unless a button's request is under way; whether it does."""
        if self.busy():
            return False
        self._modem.give(frame, channel, now_ms)
        to, own = addresses.stimulator_address(base), addresses.peer_address(base, slot)
        if not self._transport.begin(self._modem, to, own):
            self._end()
            return False
        self._activity = _MODEM
        return True

    def end_carrying(self) -> None:
        """The host has no more frames."""
        if self._activity == _MODEM:
            self._end()

    def _shortest_wait_ms(self, sleep_ms: int, now_ms: int) -> int:
        waits = [key.wait_ms(now_ms) for key in self._keys]
        waits.append(self._display.update(now_ms))
        if self._activity != _IDLE:
            waits.append(self._transport.wait_ms(now_ms))
        elif not self._display.playing():
            waits.append(self._watch.wait_ms(now_ms))
        if self._activity == _PAIRING:
            waits.append(self._pairing.wait_ms(now_ms))
        for wait_ms in waits:
            if 0 <= wait_ms < sleep_ms:
                sleep_ms = wait_ms
        return sleep_ms

    def _stopping(self) -> bool:
        return self._activity == _REQUEST and self._opcode == requests.STOP

    # What begins: by a button.

    def _on_press(self, key: "Key", now_ms: int) -> None:
        """STOP always asks. Another button waits for the end of a request; in a pairing it may accept."""
        self._watch.pressed()
        if self._activity == _PAIRING:
            if key.is_stop:
                self._refuse_pairing(now_ms)
            elif key.opcode == requests.START and not self._pairing.accept(now_ms):
                self._display.play(feedback.TOO_EARLY, now_ms)
        elif key.is_stop or self._activity != _REQUEST:
            self._begin_request(key.opcode, now_ms)

    def _refuse_pairing(self, now_ms: int) -> None:
        """STOP in a pairing. It may be meant for the pulses too, and those come first."""
        self._pairing.refuse()
        if self.requester is not None:
            self._display.lamp(0, False)
            self._begin_request(requests.STOP, now_ms)
            self._pairing_refused = self._stopping()

    def _begin_request(self, opcode: int, now_ms: int) -> None:
        requester = self.requester
        self._modem.close()
        if requester is None:
            if self._pairing.usable:
                pattern: "feedback.Pattern" = feedback.NOT_PAIRED
            else:
                pattern = feedback.NO_FLASH_STOP if opcode == requests.STOP else feedback.NO_FLASH
            self._display.play(pattern, now_ms)
            return
        if self._pairing.random_failed and opcode != requests.STOP:
            self._fail(feedback.NO_FLASH, now_ms)
            return
        if not self._transport.begin(requester, self._pairing.to, self._pairing.own):
            self._fail(feedback.NO_RADIO, now_ms)
            return
        limit_ms = STOP_LIMIT_MS if opcode == requests.STOP else LIMIT_MS
        requester.begin(messages.request(opcode), limit_ms, now_ms)
        self._activity, self._opcode = _REQUEST, opcode
        self._display.play((), now_ms)

    def _keep_watch(self, now_ms: int) -> None:
        """Look whether the session still runs, if it is time to."""
        if not self._watch.due(self.requester, now_ms):
            return
        self._watch.asked(now_ms)
        if not self._ask(messages.request(requests.STATUS), _WATCH, now_ms):
            self._display.play(self._watch.unanswered(), now_ms)

    def _ask(self, message: bytes, activity: int, now_ms: int) -> bool:
        """Ask by nobody's press; False: without a pairing, or a radio that works."""
        requester = self.requester
        if requester is None or not self._transport.begin(requester, self._pairing.to, self._pairing.own):
            return False
        requester.begin(message, LIMIT_MS, now_ms)
        self._activity = activity
        return True

    def _begin_pairing(self, now_ms: int) -> None:
        self._modem.close()
        if not self._pairing.usable:
            self._fail(feedback.NO_FLASH, now_ms)
        elif not self._carry_pairing():
            self._fail(feedback.NO_RADIO, now_ms)
        else:
            self._begin_exchange(now_ms)

    def _begin_exchange(self, now_ms: int) -> None:
        try:
            self._pairing.client.begin(now_ms)
        except RandomError:
            self._end()
            self._fail(feedback.NO_FLASH, now_ms)
            return
        self._activity = _PAIRING
        self._display.play(feedback.PAIRING_BEGUN, now_ms)

    def _carry_pairing(self) -> bool:
        return self._transport.begin(
            self._pairing.client, addresses.PAIRING_STIMULATOR, addresses.PAIRING_REMOTE, pairing=True
        )

    def _fail(self, pattern: "feedback.Pattern", now_ms: int) -> None:
        self._activity = _IDLE
        self._display.play(pattern, now_ms)

    # How it ends.

    def _conclude(self, now_ms: int) -> None:
        """Whether what is under way is over, and what follows."""
        activity = self._activity
        if activity == _MODEM:
            if self._modem.done(now_ms):
                self._end()
        elif activity == _PAIRING:
            self._conclude_pairing(now_ms)
        elif activity == _ABORTING_PAIRING:
            if self._last_frame_sent(now_ms):
                self._end()
        elif activity == _WATCH and self.requester is not self._watch.requester:
            self._end()  # a host took the pairing away in this moment
        elif activity != _IDLE and self.requester is not None:
            self.requester.expire(now_ms)  # a burst may be under way
            if self.requester.state != Requester.WAITING:
                self._conclude_request(self.requester, now_ms)

    def _conclude_request(self, requester: Requester, now_ms: int) -> None:
        activity = self._activity
        if activity == _REQUEST:  # the light first: somebody waits for it
            self._display.play(self._pattern(requester), now_ms)
        self._end()
        if activity == _WATCH:
            self._display.play(self._seen(requester), now_ms)
        if activity == _REQUEST:
            self._take_note(requester, now_ms)
        self._follow(activity, requester, now_ms)
        if self._pairing_refused and activity == _REQUEST:
            self._pairing_refused = False
            if self._carry_pairing():
                self._activity = _ABORTING_PAIRING

    def _pattern(self, requester: Requester) -> "feedback.Pattern":
        """What to show of a button's request that is over, and of a pairing that it ended."""
        pattern, refused = answers.outcome(self._opcode, requester)
        self.refused += refused
        return pattern + self._pairing.pattern() if self._pairing_refused else pattern

    def _conclude_pairing(self, now_ms: int) -> None:
        pairing = self._pairing
        # At its end it may have a last frame to send, which closes the stimulator's pairing window.
        if pairing.under_way() or not self._last_frame_sent(now_ms):
            self._display.lamp(feedback.AMBER if pairing.lit(now_ms) > 0 else 0, pairing.lit(now_ms) >= 0)
            return
        self._display.lamp(0, False)
        self._end()
        self._display.play(pairing.pattern(), now_ms)
        if pairing.paired():
            # The first use of the new key makes it the stimulator's only one for this remote.
            self._ask(messages.request(requests.STATUS), _FIRST_USE, now_ms)

    def _last_frame_sent(self, now_ms: int) -> bool:
        """Whether the last frame of a pairing was sent, if there was one."""
        return self._pairing.wait_ms(now_ms) != 0 and not self._transport.flying()

    def _end(self) -> None:
        self._modem.close()
        self._transport.end()
        self._activity = _IDLE

    def _low_battery(self) -> "feedback.Pattern":
        """This remote's own, at the end of what STATUS shows."""
        return feedback.LOW_BATTERY if self._supply_mv() < LOW_BATTERY_MV else ()

    # What an implanted stimulator says besides.

    def _follow(self, activity: int, requester: Requester, now_ms: int) -> None:
        """What is asked behind a request that is over; a look of the watch asks for the time only."""
        if activity == _THERAPY:
            self._conclude_therapy(requester, now_ms)
        elif activity == _REQUEST:
            is_status = self._opcode == requests.STATUS
            if answers.asks_for_therapy(self._opcode, requester):
                self._ask_therapy(is_status, now_ms)
            elif is_status:
                self._display.add(self._low_battery(), now_ms)
        elif activity == _WATCH and answers.is_implanted(requester):
            if self._view is None or self._view.wants_time():
                self._ask_therapy(False, now_ms)

    def _ask_therapy(self, shown: bool, now_ms: int) -> None:
        if self._view is None:
            from stimfw.remote.therapy_view import TherapyView

            self._view = TherapyView()
        self._view.asked(shown, now_ms)
        if not self._ask(messages.request(requests.THERAPY), _THERAPY, now_ms) and shown:
            self._display.add(self._low_battery(), now_ms)

    def _conclude_therapy(self, requester: Requester, now_ms: int) -> None:
        """THERAPY is over, or the KEPT_TIME that followed it."""
        view = self._view
        if view is None or requester.reply[:1] == bytes((requests.KEPT_TIME | messages.REPLY,)):
            return
        pattern, kept = view.answered(requester.reply, now_ms)
        if view.shown:
            self._display.add(pattern + self._low_battery(), now_ms)
            view.shown = False
        if kept:
            self._ask(messages.request(requests.KEPT_TIME, kept), _THERAPY, now_ms)

    # What the watch learns.

    def _seen(self, requester: Requester) -> "feedback.Pattern":
        """What to show of a look of the watch that is over."""
        if requester.state != Requester.ANSWERED:
            return self._watch.unanswered()
        status = answers.status_of(requester)
        return self._watch.answered(status is None or status["state"] in _SESSION)

    def _take_note(self, requester: Requester, now_ms: int) -> None:
        """A button's request is over: whether there is a session to watch."""
        if requester.state != Requester.ANSWERED:
            return
        self._watch.heard()
        done = requester.reply[1:] == bytes((messages.OK,))
        if self._opcode == requests.START and done:
            self._watch.session(requester, 0, now_ms)
        elif self._opcode == requests.STOP and done:
            self._watch.end()
        elif self._opcode == requests.STATUS:
            status = answers.status_of(requester)
            if status is None or status["state"] not in _SESSION:
                self._watch.end()
            else:
                self._watch.session(requester, status["session_s"], now_ms)
