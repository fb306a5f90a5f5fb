"""Requests about who is paired with this stimulator: over USB only."""

from typing import TYPE_CHECKING

from stimfw.protocol import messages, refusals, roles
from stimfw.storage.pairings import RoleClashError, TableFullError
from stimfw.telemetry import addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.protocol.refusals import Answer
    from stimfw.radio.listener import RadioListener
    from stimfw.stimulator.conditions import Conditions
    from stimfw.stimulator.pairing_controller import PairingController
    from stimfw.storage.pairings import PairingTable
    from stimfw.telemetry.responder import Responder
    from stimfw.therapy.event_log import EventLog


class PairingRequests:
    """Handlers, named as in stimfw.protocol.requests.TABLE."""

    def __init__(
        self,
        pairing: "PairingController",
        table: "PairingTable",
        conditions: "Conditions",
        responder: "Responder",
        radio: "RadioListener",
        take_random: "Callable[[int], bytes]",
        log: "EventLog",
        restore: "Callable[[], None]",
    ) -> None:
        """Args: restore: sets programme and window as they leave the factory."""
        self._pairing = pairing
        self._table = table
        self._conditions = conditions
        self._responder = responder
        self._radio = radio
        self._random = take_random
        self._log = log
        self._restore = restore

    def pairings(self) -> "Answer":
        """The base, and a record for each slot that is taken."""
        return refusals.done(self._table.base, self._table.listing())

    def pair(self, peer_id: bytes, role: int, key: bytes) -> "Answer":
        """Keep a pairing; its slot and the base."""
        if role not in roles.KEY_ROLES:
            return refusals.out_of_range(role)
        try:
            slot = self._pairing.add(peer_id, role, key)
        except TableFullError:
            return self._conditions.outcome(messages.REASON_FULL)
        except RoleClashError:
            return self._conditions.outcome(messages.REASON_ROLE)
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        return refusals.done(slot, self._table.base)

    def forget(self, slot: int) -> "Answer":
        """Erase a pairing, or all of them (messages.ALL_SLOTS)."""
        taken = self._table.slots()
        if slot != messages.ALL_SLOTS and slot not in taken:
            return refusals.out_of_range(slot)
        gone = taken if slot == messages.ALL_SLOTS else [slot]
        try:
            if slot == messages.ALL_SLOTS:
                self._table.forget_all()
            else:
                self._table.forget(slot)
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        for one in gone:
            self._responder.forget(one)
            self._log.add(messages.EVENT_FORGOTTEN, one, 0)
        return refusals.done()

    def factory_reset(self) -> "Answer":
        """No pairings, a new base, the programme of the factory."""
        gone = self._table.slots()
        try:
            self._table.create(addresses.draw_base(self._random))
            self._radio.address(addresses.stimulator_address(self._table.base))
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        for slot in gone:
            self._responder.forget(slot)
        self._restore()
        self._log.add(messages.EVENT_FACTORY_RESET, messages.FROM_USB, 0)
        return refusals.done()
