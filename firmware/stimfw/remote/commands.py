"""The service console of the remote: who it is, how it fares, its pairing, and the modem.

It offers no way to press a button.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.drivers import console
from stimfw.protocol import identity, messages, roles
from stimfw.telemetry import frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.radio.searcher import RadioSearcher
    from stimfw.remote.app import App
    from stimfw.remote.modem import Modem
    from stimfw.remote.pairing_state import PairingState
    from stimfw.storage.areas import Areas

_BASE_BYTES = 4
_PAIR_BODY = "<4sBB32s"
_FRAME_AT = _BASE_BYTES + 1
_ACTIVE = 2
_RESTART_MS = 200  # the reply is read by then
_BODY_BYTES = {
    messages.PAIR: (struct.calcsize(_PAIR_BODY),),
    messages.FORGET: (1,),
    messages.REPAIR: (1,),
    messages.MODEM_SEND: (_FRAME_AT + frames.HANDSHAKE_BYTES, _FRAME_AT + frames.SEALED_BYTES),
}


class Commands:
    """Answers requests in the formats of the stimulator."""

    def __init__(
        self,
        app: "App",
        radio: "RadioSearcher",
        pairing: "PairingState",
        modem: "Modem",
        supply_mv: "Callable[[], int]",
        failed_parts: int,
    ) -> None:
        self._app = app
        self._radio = radio
        self._pairing = pairing
        self._modem = modem
        self._supply_mv = supply_mv
        self._failed_parts = failed_parts
        self.console: "console.Console | None" = None  # it needs execute(), so it is made after this
        self._handlers: "dict[int, Callable[[bytes], tuple[int, bytes]]]" = {
            messages.IDENTIFY: lambda body: (messages.OK, identity.body("remote")),
            messages.STATUS: lambda body: (messages.OK, self._status()),
            messages.COUNTERS: lambda body: (messages.OK, self._counters()),
            messages.PAIRINGS: self._pairings,
            messages.PAIR: self._pair,
            messages.FORGET: self._forget,
            messages.MODEM_SEND: self._send,
            messages.MODEM_RECEIVE: self._receive,
            messages.MODEM_CLOSE: self._close,
        }

    def attach(
        self, areas: "Areas", feed: "Callable[[], None]", restart: "Callable[[int], None]"
    ) -> None:
        """What is on flash, for its repair. feed: feeds the watchdog; restart: resets after so many ms."""
        self._areas = areas
        self._feed = feed
        self._restart = restart
        self._handlers[messages.RECORDS] = lambda body: (messages.OK, bytes(areas.diagnose()))
        self._handlers[messages.REPAIR] = self._repair

    def execute(self, message: bytes) -> bytes:
        """The reply to a request message."""
        opcode = message[0]
        handler = self._handlers.get(opcode)
        if handler is None:
            return messages.reply(opcode & 0x7F, messages.UNKNOWN_OPCODE)
        if len(message) - 1 not in _BODY_BYTES.get(opcode, (0,)):
            return messages.reply(opcode, messages.BAD_LENGTH)
        code, body = handler(message[1:])
        return messages.reply(opcode, code, body)

    def _pairings(self, _body: bytes) -> "tuple[int, bytes]":
        pairing = self._pairing
        if not pairing.usable:
            return messages.WRONG_STATE, bytes((messages.FAULT, messages.REASON_STORAGE))
        body = pairing.own_id
        if pairing.requester is not None:
            record = pairing.record
            body += record.base + struct.pack(
                messages.PAIRING_RECORD, record.slot, _ACTIVE, record.role, pairing.own_id
            )
        return messages.OK, body

    def _pair(self, body: bytes) -> "tuple[int, bytes]":
        base, slot, role, key = struct.unpack(_PAIR_BODY, body)
        if role not in roles.KEY_ROLES or slot >= messages.SLOTS:
            return messages.OUT_OF_RANGE, struct.pack("<Bi", 0xFF, role if slot < messages.SLOTS else slot)
        return self._stored(lambda: self._pairing.store(base, slot, role, key))

    def _forget(self, _body: bytes) -> "tuple[int, bytes]":
        return self._stored(self._pairing.forget)

    def _repair(self, body: bytes) -> "tuple[int, bytes]":
        done = 0

        def change() -> None:
            nonlocal done
            done = self._areas.repair(body[0] == 1, self._feed)

        code, refusal = self._stored(change)
        if code != messages.OK:
            return code, refusal
        if done:
            self._restart(_RESTART_MS)  # only a start opens records
        return code, bytes((done,))

    def _stored(self, change: "Callable[[], None]") -> "tuple[int, bytes]":
        """Change the pairing on flash, unless a button's request is under way."""
        if self._app.busy():
            return messages.WRONG_STATE, bytes((messages.READY, messages.REASON_BUSY))
        try:
            change()
        except OSError:
            return messages.WRONG_STATE, bytes((messages.FAULT, messages.REASON_STORAGE))
        return messages.OK, b""

    def _send(self, body: bytes) -> "tuple[int, bytes]":
        if body[_BASE_BYTES] >= messages.SLOTS:
            return messages.OUT_OF_RANGE, struct.pack("<Bi", 0xFF, body[_BASE_BYTES])
        if self._app.carry(body[:_BASE_BYTES], body[_BASE_BYTES], body[_FRAME_AT:]):
            return messages.OK, b""
        return messages.WRONG_STATE, bytes((messages.READY, messages.REASON_BUSY))

    def _receive(self, _body: bytes) -> "tuple[int, bytes]":
        return messages.OK, bytes((self._modem.state,)) + self._modem.take()

    def _close(self, _body: bytes) -> "tuple[int, bytes]":
        self._app.end_carrying()
        return messages.OK, b""

    def _status(self) -> bytes:
        """Of the remote itself: only the state, the flags, the failed parts and the supply mean anything."""
        failed = self._failed_parts
        if not self._app.busy() and not self._radio.revive():
            failed |= messages.PART_RADIO
        state = messages.FAULT if failed else messages.READY
        flags = messages.FLAG_UNPAIRED if self._pairing.requester is None else 0
        return messages.pack_status((state, flags, 0, failed, 0, 0, 0, self._supply_mv()))

    def _counters(self) -> bytes:
        """messages.COUNTER_NAMES up to `refused`; `radio_duplicates` are replies that came too late here."""
        link = self._pairing.requester
        received = (link.frames, link.bad, link.stray) if link else (0, 0, 0)
        radio = received + (self._radio.tx_failed, self._app.refused)
        values = (console.counters(self.console) if self.console else (0, 0, 0, 0)) + radio
        return struct.pack("<%dI" % len(values), *values)
