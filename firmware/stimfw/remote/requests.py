"""What the remote answers on its USB: who it is, its state, its pairing, and the modem.

Handlers are named as in stimfw.protocol.requests.TABLE. There is no request that presses a button.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.drivers import console
from stimfw.protocol import identity, messages, refusals, requests, roles
from stimfw.telemetry.addresses import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.protocol.refusals import Answer
    from stimfw.radio.searcher import RadioSender
    from stimfw.remote.app import App
    from stimfw.remote.modem import Modem
    from stimfw.remote.pairing_state import PairingState

_ACTIVE = 2


class Conditions:
    """In which states the remote refuses: a method for each word of the table's column."""

    def __init__(self, app: "App", pairing: "PairingState") -> None:
        self._app = app
        self._pairing = pairing

    def outcome(self, reason: int) -> "Answer":
        """Done without a value, or refused: messages.REASON_BUSY, REASON_STORAGE or REASON_RANDOM."""
        if reason == messages.REASON_NONE:
            return refusals.done()
        state = messages.READY if reason == messages.REASON_BUSY else messages.FAULT
        return refusals.wrong_state(state, reason)

    def idle(self) -> int:
        """No button's request is under way."""
        return messages.REASON_BUSY if self._app.busy() else messages.REASON_NONE

    def random_works(self) -> int:
        """The random source has passed all its tests."""
        return messages.REASON_RANDOM if self._pairing.random_failed else messages.REASON_NONE

    def records_usable(self) -> int:
        """The pairing on flash could be read."""
        return messages.REASON_NONE if self._pairing.usable else messages.REASON_STORAGE


class ReadingRequests:
    """What it is, does and has counted."""

    def __init__(
        self,
        app: "App",
        radio: "RadioSender",
        pairing: "PairingState",
        supply_mv: "Callable[[], int]",
        failed_parts: "Callable[[], int]",
        usb: "console.Console | None",
        ticks_ms: "Callable[[], int]",
    ) -> None:
        """Args: failed_parts: all but the radio; usb: for its counters; ticks_ms: time.ticks_ms."""
        self._app = app
        self._radio = radio
        self._pairing = pairing
        self._supply_mv = supply_mv
        self._failed_parts = failed_parts
        self._usb = usb
        self._ticks_ms = ticks_ms

    def identify(self) -> "Answer":
        """Which board, and which firmware."""
        return refusals.done(identity.body("remote"))

    def status(self) -> "Answer":
        """Of the remote itself: only the state, the flags, the failed parts and the supply mean anything."""
        failed = self._failed_parts()
        if not self._app.busy() and not self._radio.revive():
            failed |= messages.PART_RADIO
        state = messages.FAULT if failed else messages.READY
        flags = messages.FLAG_UNPAIRED if self._pairing.requester is None else 0
        flags |= self._radio.needs_activate * messages.FLAG_RADIO_NEEDS_ACTIVATE
        return refusals.done(state, flags, 0, failed, 0, 0, 0, self._supply_mv())

    def uptime(self) -> "Answer":
        """Milliseconds since the start; they begin again after 12 days."""
        return refusals.done(self._ticks_ms())

    def counters(self) -> "Answer":
        """messages.COUNTER_NAMES up to `refused`; `radio_duplicates` are replies that came too late here."""
        link = self._pairing.requester
        heard = (link.frames, link.bad, link.stray) if link else (0, 0, 0)
        own = self._radio.tx_failed, self._app.refused
        values = (console.counters(self._usb) if self._usb else (0, 0, 0, 0)) + heard + own
        return refusals.done(struct.pack("<%dI" % len(values), *values))


class PairingRequests:
    """Its one pairing."""

    def __init__(self, pairing: "PairingState", conditions: Conditions) -> None:
        self._pairing = pairing
        self._conditions = conditions

    def pairings(self) -> "Answer":
        """Its own id, and a record if it is paired."""
        pairing = self._pairing
        tail = b""
        if pairing.requester is not None:
            record = pairing.record
            tail = record.base + struct.pack(
                requests.PAIRING_RECORD, record.slot, _ACTIVE, record.role, pairing.own_id
            )
        return refusals.done(pairing.own_id, tail)

    def pair(self, base: bytes, slot: int, role: int, key: bytes) -> "Answer":
        """Take a pairing in place of what it had."""
        if slot >= messages.SLOTS:
            return refusals.out_of_range(slot)
        if role not in roles.KEY_ROLES:
            return refusals.out_of_range(role)
        reason = self._conditions.idle()
        if reason != messages.REASON_NONE:
            return self._conditions.outcome(reason)
        return self._stored(lambda: self._pairing.store(base, slot, role, key))

    def forget(self, _slot: int) -> "Answer":
        """Erase it; it is the only one, whatever the slot."""
        return self._stored(self._pairing.forget)

    def _stored(self, change: "Callable[[], None]") -> "Answer":
        try:
            change()
        except OSError:
            return self._conditions.outcome(messages.REASON_STORAGE)
        return refusals.done()


class ModemRequests:
    """Frames of a clinician's host, which the remote carries and cannot read."""

    def __init__(
        self, app: "App", modem: "Modem", conditions: Conditions, ticks_ms: "Callable[[], int]"
    ) -> None:
        """Args: ticks_ms: time.ticks_ms, the clock that app and modem are given."""
        self._app = app
        self._modem = modem
        self._conditions = conditions
        self._ticks_ms = ticks_ms

    def modem_send(self, base: bytes, slot: int, channel: int, frame: bytes) -> "Answer":
        """Send a frame to the stimulator of `base` as the peer of `slot`; a button goes first.

        `channel`: its index in addresses.CHANNELS.
        """
        if slot >= messages.SLOTS:
            return refusals.out_of_range(slot)
        if channel >= len(CHANNELS):
            return refusals.out_of_range(channel)
        now_ms = self._ticks_ms()
        if not self._app.carry(base, slot, CHANNELS[channel], frame, now_ms):
            return self._conditions.outcome(messages.REASON_BUSY)
        return refusals.done(now_ms)

    def modem_receive(self) -> "Answer":
        """What has become of it (messages.MODEM_...), when, the time now, and the frame that came back."""
        modem = self._modem
        return refusals.done(modem.state, modem.at_ms, self._ticks_ms(), modem.take())

    def modem_close(self) -> "Answer":
        """The radio may sleep again."""
        self._app.end_carrying()
        return refusals.done()
