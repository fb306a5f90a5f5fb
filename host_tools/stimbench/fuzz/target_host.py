"""Targets of the host: what it makes of replies, of a port that says anything, of a modem that lies."""

from __future__ import annotations

from collections.abc import Callable

from stimfw.protocol import console_frame, messages, requests
from stimfw.telemetry import frames

from stimbench.client import access_records, flash_records, journal_requests, records, therapy_records
from stimbench.client.console import Console
from stimbench.client.keyring import HostPairing
from stimbench.client.radio import RadioConsole
from stimbench.client.remote import ModemReport
from stimbench.errors import NoAnswerError, PortError, ProtocolError, WrongStateError
from stimbench.fuzz.script import Dice, Script

__all__ = ("TARGETS", "port", "radio", "typed_replies")

_UNPACKED: tuple[tuple[int, Callable[[bytes], object]], ...] = (
    (requests.IDENTIFY, records.Identity.unpack),
    (requests.STATUS, records.Status.unpack),
    (requests.DETAILS, records.Details.unpack),
    (requests.XIP, records.FlashCache.unpack),
    (requests.IMPEDANCE_RESULTS, lambda body: records.unpack_pairs(0, body)),
    (requests.PULSES, records.unpack_pulses),
    (requests.LOG, access_records.unpack_log),
    (requests.JOURNAL, journal_requests.JournalPage.unpack),
    (requests.PAIRINGS, access_records.StimulatorPairings.unpack),
    (requests.PAIRINGS, access_records.RemotePairings.unpack),
    (requests.STATUS, access_records.RemoteStatus.unpack),
    (requests.GET_WINDOW, access_records.AmplitudeWindow.unpack),
    (requests.RECORDS, flash_records.FlashRecords.unpack),
    (requests.GET_PRESCRIPTION, therapy_records.KeptPrescription.unpack),
    (requests.SET_PRESCRIPTION, therapy_records.Accepted.unpack),
    (requests.THERAPY, therapy_records.TherapyState.unpack),
    (requests.LEDGER, lambda body: therapy_records.LedgerFigures.unpack(0, body)),
    (requests.CONTRACTIONS, lambda body: therapy_records.ContractionPage.unpack(0, body)),
    (requests.WATCH, lambda body: therapy_records.WatchFigures.unpack(1, body)),
)


def typed_replies(data: bytes) -> None:
    """Bodies of replies as typed records, and the words for what is in them. Declared: ValueError."""
    script = Script(data)
    while script.left():
        _, unpack = _UNPACKED[script.below(len(_UNPACKED))]
        try:
            found = unpack(script.chunk(60))
        except ValueError:
            continue
        for one in found if isinstance(found, list) else [found]:
            str(one)
            for name in dir(type(one)):
                if isinstance(getattr(type(one), name), property):
                    getattr(one, name)


class _Link:
    """A port that says what the script tells, some of it as frames that may be the answer."""

    name = "the port"

    def __init__(self, script: Script) -> None:
        self._script = script
        self._now_s = 0.0
        self._number, self._opcode = 0, 0

    def now_s(self) -> float:
        return self._now_s

    def wait(self, seconds: float) -> None:
        self._now_s += seconds

    def write(self, data: bytes) -> None:
        try:
            self._number, message = console_frame.decode(data[1:])
            self._opcode = message[0]
        except ValueError:
            self._number = self._opcode = 0

    def read(self, deadline_s: float) -> bytes:
        script = self._script
        self._now_s += 0.05
        how = script.below(6)
        if how == 0 or not script.left():
            self._now_s = deadline_s
            return b""
        if how == 1:
            return script.chunk(40) or b"\n"
        opcode = self._opcode if how > 2 else script.byte()
        body = bytes((opcode | messages.REPLY, script.below(7))) + script.chunk(20)
        number = self._number if how > 3 else script.byte()
        line = console_frame.encode(number, body if how > 2 else script.chunk(3))
        return script.mutated(line) or b"~" if script.below(4) == 0 else line

    def close(self) -> None:
        """Nothing."""


def port(data: bytes) -> None:
    """Requests over a port that says anything. Declared: NoAnswerError, PortError, ProtocolError."""
    script = Script(data)
    console = Console(_Link(script), script.byte())
    while script.left():
        try:
            code, _ = console.ask(script.byte() & 0x7F, script.chunk(20))
            assert 0 <= code < 256
        except (NoAnswerError, PortError, ProtocolError):
            pass


class _Modem:
    """client.remote.Remote: a modem that reports what the script tells."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.link = _Link(script)
        self._now_ms = 0
        self._sent = bytes(frames.FRAME_BYTES)

    def modem_receive(self) -> ModemReport:
        script = self._script
        self._now_ms = (self._now_ms + (1, 20, 200, 1 << 28)[script.below(4)]) & 0x3FFFFFFF
        if not script.left():
            self._now_ms += 100
        frame = b""
        if script.below(3) == 0:
            kind = (frames.CHALLENGE, frames.REPLY)[script.below(2)]
            frame = bytes((frames.first(kind), 2)) + script.take(30) if script.below(4) else script.chunk(40)
        return ModemReport(script.below(6), (self._now_ms - script.byte()) & 0x3FFFFFFF, self._now_ms, frame)

    def modem_send(self, base: bytes, slot: int, *rest: object) -> int:
        if self._script.below(8) == 0:
            raise WrongStateError("busy", messages.WRONG_STATE, 0, messages.REASON_BUSY)
        return self._now_ms

    def modem_close(self) -> None:
        """Nothing."""


def radio(data: bytes) -> None:
    """Requests through a modem that reports anything.

    Declared: NoAnswerError, PortError, ProtocolError, WrongStateError.
    """
    script = Script(data)
    pairing = HostPairing(b"\1\2\3\4", 2, 2, b"k" * 32, b"host", 9)
    console = RadioConsole(_Modem(script), pairing, Dice(1).take)  # type: ignore[arg-type]
    for _ in range(3):
        try:
            console.ask((requests.STATUS, requests.STOP, requests.LOG)[script.below(3)], script.chunk(40))
        except (NoAnswerError, PortError, ProtocolError, WrongStateError):
            pass
    console.close()


TARGETS = (("typed replies", typed_replies), ("port", port), ("radio", radio))
