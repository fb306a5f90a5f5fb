"""Pairing at the stimulator by radio: the magnet's gestures, the window and its light, and what is kept."""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.crypto.drbg import RandomError
from stimfw.protocol import messages
from stimfw.ui.magnet import HELD, Consent

if TYPE_CHECKING:
    from collections.abc import Callable

    from machine import Pin

    from stimfw.pairing.stimulator_end import PairingResponder
    from stimfw.radio.listener import RadioListener
    from stimfw.stimulator.control import Control
    from stimfw.storage.pairings import PairingTable
    from stimfw.telemetry.responder import Responder
    from stimfw.therapy.event_log import EventLog
    from stimfw.ui.magnet import MagnetHold

_BLINK_MS = 250  # of the LED while the window is open and no code is shown
_ASK_MS = 100  # of the LED while the magnet is asked for
_STORED_MS = (2000, 300, 2000)  # light, dark, light: somebody was given a key
_EXPIRES_MS = 3_600_000
_LOOK_MS = 1000  # between two looks for pairings that nobody uses


class PairingController:
    """Opens the window, follows the pairing in it, keeps the table. Writes flash with the output off only."""

    def __init__(
        self,
        control: "Control",
        table: "PairingTable",
        responder: "Responder",
        radio: "RadioListener",
        take_random: "Callable[[int], bytes]",
        magnet: "MagnetHold",
        led: "Pin",
        log: "EventLog",
    ) -> None:
        """Args: table: without a base if there is none to use: then nothing is paired."""
        self._control = control
        self._table = table
        self._responder = responder
        self._radio = radio
        self._take_random = take_random
        self._pairing: "PairingResponder | None" = None  # while the window is open
        self._magnet = magnet
        self._consent = Consent(magnet)
        self._led = led
        self._log = log
        self._looked_ms = 0
        self._stored_light = -1  # which part of _STORED_MS is shown, since _stored_ms; -1: none
        self._stored_ms = -1  # -1: it begins with the next poll
        self._given_ms: "dict[int, int]" = {}  # when each pending pairing was first seen

    def poll(self, now_ms: int) -> int:
        """Go on with what is due; how long it can wait then in ms, -1 for as long as nothing happens."""
        told = self._magnet.update(self._control.magnet_near(), now_ms)
        if self._pairing is not None:
            return self._poll_pairing(self._pairing, told, now_ms)
        if told & HELD and not self._control.busy() and self._table.base:
            self._open(now_ms)
            return 0
        if not self._control.busy():
            if self._responder.newly_connected:
                self._settle()
            self._expire(now_ms)
        light_ms = self._show_stored(now_ms)
        wait_ms = self._magnet.wait_ms(now_ms)
        return light_ms if wait_ms < 0 or 0 <= light_ms < wait_ms else wait_ms

    # The window.

    def _open(self, now_ms: int) -> None:
        pairing = self._make()
        try:
            pairing.open(now_ms)
        except RandomError:  # the part is named, and the LED shows a fault
            return
        self._consent.reset()
        self._responder.pairing = self._pairing = pairing
        self._radio.open_pairing()
        self._control.window_opened()

    def _make(self) -> "PairingResponder":
        # Loaded here: 3 KB of heap that a board never needs whose magnet nobody holds. It is found in the
        # frozen package that is loaded already: no file can stand in for it.
        from stimfw.pairing.stimulator_end import PairingResponder

        return PairingResponder(self._table.base, self.add, self._take_random)

    def _poll_pairing(self, pairing: "PairingResponder", told: int, now_ms: int) -> int:
        more = pairing.compute()
        said = self._consent.update(told, pairing.awaits_consent(now_ms))
        if said == Consent.GIVEN:
            pairing.consent(now_ms)
        elif said == Consent.TOO_LONG:
            pairing.close()
        if not pairing.is_open(now_ms):
            self._close(pairing.step)
            return 0
        light_ms = self._light(pairing, now_ms)
        if more:
            return 0
        waits = [pairing.wait_ms(now_ms), self._magnet.wait_ms(now_ms), self._consent.wait_ms(now_ms)]
        return min([wait for wait in waits if wait >= 0] + [light_ms])

    def _light(self, pairing: "PairingResponder", now_ms: int) -> int:
        """The LED while the window is open; how long it stays so, if the code does not change it before."""
        if self._stored_light >= 0:
            return self._show_stored(now_ms)
        asks = self._consent.asks(now_ms)
        lit = pairing.lit(now_ms)
        if asks == Consent.NOT_NOW and lit >= 0:
            self._led(lit)
            return _LOOK_MS
        if asks == Consent.LET_GO:
            self._led(1)
            return _LOOK_MS
        blink_ms = _ASK_MS if asks == Consent.HOLD_IT else _BLINK_MS
        self._led(now_ms // blink_ms & 1)
        return blink_ms - now_ms % blink_ms

    def _close(self, step: int) -> None:
        self._responder.pairing = self._pairing = None
        self._radio.close_pairing()
        if self._stored_light < 0:
            self._led(0)
        self._control.window_closed(step)

    # What is kept.

    def add(self, peer_id: bytes, role: int, key: bytes) -> int:
        """Keep a new pairing as pending, and show that at the stimulator; its slot.

        Raises what PairingTable.add does.
        """
        slot = self._table.add(peer_id, role, key)
        self._responder.forget(slot)
        self._log.add(messages.EVENT_PAIRED, slot, role)
        self._given_ms.pop(slot, None)  # it is seen at the next look
        self._stored_light, self._stored_ms = 0, -1
        return slot

    def _settle(self) -> None:
        """Peers have used their keys: each is the peer's only one, of the generation that was used."""
        responder, table = self._responder, self._table
        while responder.newly_connected:
            slot = responder.newly_connected.pop()
            used = responder.used(slot)
            before = table.slots()
            try:
                if used is not None:
                    table.settle(slot, used[0], used[1])
            except OSError:
                self._control.fail(messages.PART_PAIRINGS)
                return
            responder.settled(slot)
            for gone in before:
                if table.get(gone) is None:
                    responder.forget(gone)

    def _expire(self, now_ms: int) -> None:
        """Once a second: a key that was given, and not used for an hour, opens nothing any more."""
        if elapsed_ms(now_ms, self._looked_ms) < _LOOK_MS:
            return
        self._looked_ms = now_ms
        for slot in self._table.slots():
            pairing = self._table.get(slot)
            if pairing is None or not pairing.pending:
                self._given_ms.pop(slot, None)
            elif elapsed_ms(now_ms, self._given_ms.setdefault(slot, now_ms)) >= _EXPIRES_MS:
                self._drop(slot)

    def _drop(self, slot: int) -> None:
        del self._given_ms[slot]
        try:
            self._table.forget(slot)
        except OSError:
            self._control.fail(messages.PART_PAIRINGS)
            return
        self._responder.forget(slot)
        self._log.add(messages.EVENT_PAIRING_EXPIRED, slot, 0)

    def _show_stored(self, now_ms: int) -> int:
        """That somebody was given a key, while the output is off; time until the LED changes, or -1."""
        if self._stored_light < 0:
            return -1
        if self._control.busy():
            self._stored_light = -1  # the LED says that the output is on
            return -1
        if self._stored_ms < 0:
            self._stored_ms = now_ms
        left_ms = _STORED_MS[self._stored_light] - elapsed_ms(now_ms, self._stored_ms)
        if left_ms <= 0:
            self._stored_light += 1
            self._stored_ms = now_ms
            if self._stored_light == len(_STORED_MS):
                self._stored_light = -1
                self._led(0)
                return -1
            left_ms = _STORED_MS[self._stored_light]
        self._led(self._stored_light & 1 ^ 1)
        return left_ms
