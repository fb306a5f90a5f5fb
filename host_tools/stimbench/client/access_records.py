"""Who may talk to a board, and what happened: pairings, the patient's window, the event log."""

from __future__ import annotations

from dataclasses import dataclass

from stimfw.protocol import asking, messages, requests, roles

from stimbench.client.records import name_of

__all__ = (
    "OPCODE_NAMES",
    "START_NAMES",
    "AmplitudeWindow",
    "LogEvent",
    "PairingEntry",
    "RemotePairings",
    "RemoteStatus",
    "StimulatorPairings",
    "Strangers",
    "unpack_log",
)

ID_BYTES = 4
"""Length of a peer's id and of a stimulator's base."""
STATE_NAMES = ("free", "pending", "active")
FRAME_NAMES = ("unknown", "hello", "challenge", "request", "reply", "pair", "pair reply")
START_NAMES = (
    "unknown",
    "power on or RUN pin",
    "restart by software",
    "watchdog",
    "Ctrl-D at the prompt",
)
"""What started the board: stimfw.drivers.watchdog.STARTED_BY_POWER and so on."""
OPCODE_NAMES: dict[int, str] = {row[requests.OPCODE]: row[requests.NAME].upper() for row in requests.TABLE}


@dataclass(frozen=True)
class PairingEntry:
    """One slot of a stimulator, as the board reports it: never with the key."""

    slot: int
    state: int
    role: int
    peer_id: bytes

    @property
    def state_name(self) -> str:
        """`pending` (given, not used yet) or `active`."""
        return name_of(STATE_NAMES, self.state)

    @property
    def role_name(self) -> str:
        """`patient` or `clinician`."""
        return name_of(roles.ROLE_NAMES, self.role)


@dataclass(frozen=True)
class StimulatorPairings:
    """A stimulator's base (4 bytes: its radio address) and the slots that are taken."""

    base: bytes
    pairings: tuple[PairingEntry, ...]

    @classmethod
    def unpack(cls, body: bytes) -> StimulatorPairings:
        """From the body of a stimulator's PAIRINGS reply; ValueError if its length is wrong."""
        base, records = asking.unpack_reply(requests.row_of(requests.PAIRINGS), body)
        found = [PairingEntry(*record) for record in records]
        return cls(base, tuple(pairing for pairing in found if pairing.state_name != "free"))


@dataclass(frozen=True)
class RemotePairings:
    """A remote's own id (4 bytes), and the stimulator that it is paired with, if it is."""

    own_id: bytes
    base: bytes | None
    pairing: PairingEntry | None

    @classmethod
    def unpack(cls, body: bytes) -> RemotePairings:
        """From the body of a remote's PAIRINGS reply; ValueError if its length is wrong."""
        own_id, records = asking.unpack_reply(requests.row_of(requests.PAIRINGS, "remote"), body)
        if not records:
            return cls(own_id, None, None)
        ((base, *pairing),) = records
        return cls(own_id, base, PairingEntry(*pairing))


@dataclass(frozen=True)
class RemoteStatus:
    """A remote's state: whether it works, whether it is paired."""

    works: bool
    failed_parts: tuple[str, ...]
    paired: bool
    supply_mv: int

    @classmethod
    def unpack(cls, body: bytes) -> RemoteStatus:
        """From the body of a remote's STATUS reply; ValueError if its length is wrong."""
        raw = asking.named_reply(requests.row_of(requests.STATUS, "remote"), body)
        failed = tuple(name for bit, name in enumerate(messages.PART_NAMES) if raw["failed_parts"] >> bit & 1)
        return cls(
            works=raw["state"] != messages.FAULT,
            failed_parts=failed,
            paired=not raw["flags"] & messages.FLAG_UNPAIRED,
            supply_mv=raw["supply_mv"],
        )


@dataclass(frozen=True)
class AmplitudeWindow:
    """The amplitudes in uA that a patient may choose; all zero: the window is closed."""

    left_min_ua: int = 0
    left_max_ua: int = 0
    right_min_ua: int = 0
    right_max_ua: int = 0

    @classmethod
    def unpack(cls, body: bytes) -> AmplitudeWindow:
        """From the body of a GET_WINDOW reply; ValueError if its length is wrong."""
        return cls(*asking.unpack_reply(requests.row_of(requests.GET_WINDOW), body))

    @property
    def is_open(self) -> bool:
        """Whether a patient may choose any amplitude but zero."""
        return (self.left_max_ua, self.right_max_ua) != (0, 0)


@dataclass(frozen=True)
class LogEvent:
    """One event; the numbers go on over the board's restarts, `uptime_s` counts from each."""

    number: int
    uptime_s: int
    kind: int
    sender: int
    detail: int
    repeats: int = 0
    """How often the same sender caused the like again within a minute; `detail` is of the last time then."""

    @property
    def event(self) -> str:
        """What happened, in words."""
        return name_of(messages.EVENT_NAMES, self.kind)

    @property
    def sender_name(self) -> str:
        """`slot 3`, `USB`, or empty if nobody did it."""
        if self.sender == messages.FROM_NOBODY:
            return ""
        return "USB" if self.sender == messages.FROM_USB else f"slot {self.sender}"

    @property
    def detail_text(self) -> str:
        """What `detail` means, in words; empty if the event has none."""
        if self.kind in _DETAIL_NAMES:
            return name_of(_DETAIL_NAMES[self.kind], self.detail)
        if self.kind == messages.EVENT_FORBIDDEN:
            return OPCODE_NAMES.get(self.detail, f"request 0x{self.detail:02x}")
        if self.kind == messages.EVENT_FLOOD:
            return f"level {self.detail}" if self.detail else "over"
        if self.kind == messages.EVENT_WINDOW_CLOSED:
            return f"after step {self.detail}"
        if self.kind == messages.EVENT_SESSION:
            return f"test of {self.detail} s" if self.detail else ""
        if self.kind in (messages.EVENT_PART_FAILED, messages.EVENT_PART_MENDED):
            parts = self.detail or messages.PART_RANDOM
            return ", ".join(name for bit, name in enumerate(messages.PART_NAMES) if parts >> bit & 1)
        if self.kind in (messages.EVENT_LATER_PART_FAILED, messages.EVENT_LATER_PART_MENDED):
            later = messages.PART_NAMES[messages.LATER_PARTS :]
            return ", ".join(name for bit, name in enumerate(later) if self.detail >> bit & 1)
        if self.kind in (messages.EVENT_LEFT_AMPLITUDE, messages.EVENT_RIGHT_AMPLITUDE):
            return f"{self.detail * messages.LOG_AMPLITUDE_STEP_UA / 1000:.2f} mA"
        return ""


@dataclass(frozen=True)
class Strangers:
    """What senders without a key sent since the board's start: counts, and the newest events.

    Attributes:
        forged, replayed: in how many seconds there was such a frame; `counters()` has every single one.
        flood: how often the back-off changed its level.
        events: up to 16, at most one a second; their `sender` is the slot that was claimed.
    """

    forged: int
    replayed: int
    flood: int
    events: tuple[LogEvent, ...]

    @classmethod
    def unpack(cls, body: bytes) -> Strangers:
        """From the body of a STRANGERS reply; ValueError if it is cut."""
        row = requests.row_of(requests.STRANGERS)
        first, forged, replayed, flood, records = asking.unpack_reply(row, body)
        events = tuple(LogEvent(first + index, *record) for index, record in enumerate(records))
        return cls(forged, replayed, flood, events)


_DETAIL_NAMES = {
    messages.EVENT_STARTED: START_NAMES,
    messages.EVENT_FORGED: FRAME_NAMES,
    messages.EVENT_REPLAYED: FRAME_NAMES,
    messages.EVENT_CONNECTED: roles.ROLE_NAMES,
    messages.EVENT_PAIRED: roles.ROLE_NAMES,
    messages.EVENT_STOPPED: messages.STOP_NAMES,
    messages.EVENT_WINDOW_SET: ("closed", "open"),
}


def unpack_log(body: bytes) -> list[LogEvent]:
    """The events of a LOG reply's body (first number as u32, then records); ValueError if cut."""
    first, records = asking.unpack_reply(requests.row_of(requests.LOG), body)
    return [LogEvent(first + index, *record) for index, record in enumerate(records)]
