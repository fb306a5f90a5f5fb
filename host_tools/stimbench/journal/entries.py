"""An entry of a journal as the host reads it: the slot's fields, and what they mean in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stimfw.protocol import journal_entries, messages, roles
from stimfw.storage import journal_format
from stimfw.therapy import battery, care, watch_table
from stimfw.therapy.ranges import LEADS

from stimbench.client.access_records import OPCODE_NAMES, START_NAMES
from stimbench.client.records import name_of

__all__ = ("FIRST_UNIX_S", "UNKNOWN_ELAPSED_S", "Entry", "fault_name", "unix_text", "warning_name")

UNKNOWN_ELAPSED_S = 0xFFFF
"""The length of a session that a restart ended: stimfw.stimulator.implanted."""
_PAIRS = 16
"""Cathode << 2 | anode of four electrodes; a larger number is no pair."""
FIRST_UNIX_S = 1_000_000_000
"""An entry's time from here on counts from 1970; a smaller one counts from the board's last start."""


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        device_id: 16 hexadecimal digits; empty if the journal does not say whose the entry is.
        journal: number of the journal in its store.
        number: counts up, over everything that the board ever noted.
        time_s: seconds since 1970, or since the board's start if below FIRST_UNIX_S.
        kind: of stimfw.protocol.journal_entries.
        sender: a slot, messages.FROM_USB or messages.FROM_NOBODY.
        body: as it lies on flash, padded with zeros.
        chain: 8 bytes, the hash that chains it to the entry before.
        readable: False if the slot's checksum is wrong: then nothing of it can be relied upon.
    """

    device_id: str
    journal: int
    number: int
    time_s: int
    kind: int
    sender: int
    body: bytes
    chain: bytes
    readable: bool

    @classmethod
    def of(cls, slot: bytes, device_id: str = "", journal: int = 0) -> Entry:
        """From a slot of 32 bytes, whether or not its checksum holds."""
        return cls(device_id, journal, *journal_format.fields(slot), journal_format.is_whole(slot))

    @property
    def name(self) -> str:
        """Of the kind, in words."""
        row = journal_entries.row_of(self.kind)
        return row[journal_entries.NAME] if row else f"kind {self.kind}"

    @property
    def group(self) -> str:
        """`safety`, `clinical` or `routine`; `unknown` for a kind of a later firmware."""
        row = journal_entries.row_of(self.kind)
        return row[journal_entries.GROUP] if row else "unknown"

    @property
    def has_time(self) -> bool:
        """Whether the board knew the time."""
        return self.time_s >= FIRST_UNIX_S

    @property
    def fields(self) -> dict[str, Any]:
        """The body's fields by name; empty for a kind of a later firmware."""
        return journal_entries.unpack(self.kind, self.body) or {} if self.readable else {}

    @property
    def sender_name(self) -> str:
        """`slot 3`, `USB`, or empty if nobody did it."""
        if self.sender == messages.FROM_NOBODY:
            return ""
        return "USB" if self.sender == messages.FROM_USB else f"slot {self.sender}"

    @property
    def time_text(self) -> str:
        """The time in words: a date, or the seconds since the start."""
        return unix_text(self.time_s) if self.has_time else f"{self.time_s} s after the start"

    @property
    def words(self) -> dict[str, Any]:
        """The body's fields, numbers that are codes as words."""
        return {name: _in_words(self.kind, name, value) for name, value in self.fields.items()}

    @property
    def text(self) -> str:
        """The body in one line."""
        if not self.readable:
            return "unreadable: its checksum is wrong"
        return ", ".join(f"{name} {value}" for name, value in self.words.items())

    def as_data(self) -> dict[str, Any]:
        """For JSON: numbers and words."""
        return {
            "device": self.device_id,
            "number": self.number,
            "time_s": self.time_s,
            "time": unix_text(self.time_s) if self.has_time else None,
            "kind": self.name,
            "group": self.group,
            "sender": self.sender_name,
            "fields": self.words,
            "chain": self.chain.hex(),
            "readable": self.readable,
        }


def unix_text(seconds: int) -> str:
    """Seconds since 1970 as a date and a time of day in UTC: `2027-01-15 08:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def fault_name(fault: int) -> str:
    """What the watch calls a fault; `fault 7` if this version does not know it."""
    return _watch_name(fault, "fault")


def warning_name(warning: int) -> str:
    """What the watch calls a warning."""
    return _watch_name(warning, "warning")


def _watch_name(number: int, otherwise: str) -> str:
    row = next((row for row in watch_table.TABLE if row[watch_table.NUMBER] == number), None)
    return f"{otherwise} {number}" if row is None else str(row[watch_table.NAME])


def _lead(value: int) -> str:
    return LEADS[value] if value < len(LEADS) else "-"


def _named(names: tuple[str, ...]) -> Callable[[int], str]:
    return lambda value: name_of(names, value)


def _parts(value: int) -> str:
    return " + ".join(name for bit, name in enumerate(messages.PART_NAMES) if value >> bit & 1) or "none"


def _time(value: int) -> str:
    return unix_text(value) if value >= FIRST_UNIX_S else f"{value} s after the start"


def _hex(value: bytes) -> str:
    return value.hex()


_WORDS: dict[str, Callable[[Any], Any]] = {
    "device_id": _hex,
    "firmware": _hex,
    "checksum": _hex,
    "lead": _lead,
    "pair": lambda value: f"E{value >> 2}-E{value & 3}" if value < _PAIRS else "-",
    "fault": lambda value: fault_name(value) if value else "none",
    "warning": warning_name,
    "action": _named(watch_table.ACTION_NAMES),
    "cause": _named(messages.STOP_NAMES),
    "reason": _named(messages.REASON_TEXTS),
    "opcode": lambda value: OPCODE_NAMES.get(value, f"request 0x{value:02x}"),
    "kind": _named(messages.KIND_NAMES),
    "why": _named(journal_entries.WHY_NAMES),
    "role": _named(roles.ROLE_NAMES),
    "parts": _parts,
    "failed_parts": _parts,
    "reset_cause": _named(START_NAMES),
    "before_s": _time,
    "time_s": _time,
    "activation_s": _time,
    "ended": _named(journal_entries.TRAIN_NAMES),
    "was_on": bool,
    "elapsed_s": lambda value: "not known" if value == UNKNOWN_ELAPSED_S else value,
}
_WHAT = {
    journal_entries.PAIRING: journal_entries.PAIRING_NAMES,
    journal_entries.LOST: journal_entries.LOST_NAMES,
    journal_entries.INTERFERENCE: journal_entries.INTERFERENCE_NAMES,
}
_CHANGES = {journal_entries.MODE: care.MODE_NAMES, journal_entries.BATTERY: battery.STATE_NAMES}


def _in_words(kind: int, name: str, value: Any) -> Any:
    if name == "what":
        return name_of(_WHAT[kind], value)
    if name in ("before", "after"):
        return name_of(_CHANGES[kind], value)
    return _WORDS[name](value) if name in _WORDS else value
