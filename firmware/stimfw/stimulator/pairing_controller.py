"""Pairing at the stimulator by radio: the magnet's gestures, the window and its light."""

from typing import TYPE_CHECKING

from stimfw.crypto.drbg import RandomError
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.protocol import messages
from stimfw.ui.magnet import HELD, TOUCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from machine import Pin

    from stimfw.radio.listener import RadioListener
    from stimfw.stimulator.control import Control
    from stimfw.storage.pairings import PairingTable
    from stimfw.telemetry.responder import Responder
    from stimfw.therapy.event_log import EventLog
    from stimfw.ui.magnet import MagnetHold

_BLINK_MS = 250  # of the LED while the window is open and no code is shown


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
        self._pairing = PairingResponder(lambda: table.base, self.add, take_random)
        self._magnet = magnet
        self._led = led
        self._log = log

    def poll(self, now_ms: int) -> int:
        """Go on with what is due; how long it can wait then in ms, -1 for as long as nothing happens."""
        gesture = self._magnet.update(self._control.magnet_near(), now_ms)
        if self._control.pairing:
            if gesture == TOUCH:
                self._pairing.touched(now_ms)
            return self._poll_pairing(now_ms)
        if gesture == HELD and not self._control.busy() and self._table.base:
            self._open(now_ms)
            return 0
        if self._responder.newly_connected and not self._control.busy():
            self._settle()
        return self._magnet.wait_ms(now_ms)

    # The window.

    def _open(self, now_ms: int) -> None:
        try:
            self._pairing.open(now_ms)
        except RandomError:  # the part is named, and the LED shows a fault
            return
        self._responder.pairing = self._pairing
        self._radio.open_pairing()
        self._control.window_opened()

    def _poll_pairing(self, now_ms: int) -> int:
        more = self._pairing.compute()
        if not self._pairing.is_open(now_ms):
            self._close(now_ms)
            return 0
        lit = self._pairing.lit(now_ms)
        self._led((now_ms // _BLINK_MS & 1) if lit < 0 else lit)
        if more:
            return 0
        waits = [self._pairing.wait_ms(now_ms), self._magnet.wait_ms(now_ms)]
        if lit < 0:
            waits.append(_BLINK_MS - now_ms % _BLINK_MS)
        return min([wait for wait in waits if wait >= 0])

    def _close(self, now_ms: int) -> None:
        self._responder.pairing = None
        self._radio.close_pairing()
        self._led(0)
        self._control.window_closed(self._pairing.step)

    def add(self, peer_id: bytes, role: int, key: bytes) -> int:
        """Keep a new pairing as pending; its slot. Raises what PairingTable.add does."""
        slot = self._table.add(peer_id, role, key)
        self._responder.forget(slot)
        self._log.add(messages.EVENT_PAIRED, slot, role)
        return slot

    def _settle(self) -> None:
        """Peers have used their keys: a pending one becomes the one, an old one's use drops the pending."""
        while self._responder.newly_connected:
            slot = self._responder.newly_connected.pop()
            pairing = self._table.get(slot)
            if pairing is None:
                continue
            before = self._table.slots()
            try:
                if pairing.pending:
                    self._table.promote(slot)
                else:
                    self._table.drop_pending(pairing.peer_id)
            except OSError:
                self._control.fail(messages.PART_PAIRINGS)
                return
            for gone in before:
                if self._table.get(gone) is None:
                    self._responder.forget(gone)
