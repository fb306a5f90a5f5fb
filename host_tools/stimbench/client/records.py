"""What a board reports about itself, as immutable records with units in their names."""

from __future__ import annotations

from dataclasses import dataclass

from stimfw.protocol import asking, identity, messages, requests
from stimfw.therapy.ranges import LEADS
from stimfw.version import VERSION

__all__ = ("Details", "Identity", "PairImpedance", "PulseSample", "Status", "unpack_pairs", "unpack_pulses")


@dataclass(frozen=True)
class Identity:
    """Which board, and which firmware."""

    role: str
    version: str
    build: str

    @classmethod
    def unpack(cls, body: bytes) -> Identity:
        """From the body of an IDENTIFY reply; ValueError if it is none."""
        return cls(*identity.parse(body))

    @property
    def deployed(self) -> int:
        """How many modules of `stimbench deploy` stand in for frozen ones."""
        _, _, mark = self.build.partition("+")
        count = mark.partition(".")[0]
        return int(count) if count.isdecimal() else 0

    @property
    def warning(self) -> str:
        """What to say if the firmware is not all of this version, else an empty string."""
        told = []
        if self.version != VERSION:
            told.append(
                f"The {self.role} runs firmware {self.version}, this command is {VERSION}: "
                "update one of them."
            )
        if self.deployed:
            told.append(
                f"The {self.role} runs deployed modules ({self.deployed}) in place of its image's, so the "
                "content hash alone does not say what runs. `stimbench deploy --remove` takes them away."
            )
        return " ".join(told)


@dataclass(frozen=True)
class Status:
    """The present state. `amplitude_ua` is what is programmed at this instant, and no measurement.

    What flows is in `Stimulator.pulses()`: into an open lead, far less than was programmed.
    """

    state: int
    magnet: bool
    stop_cause: int
    failed_parts: tuple[str, ...]
    amplitude_ua: tuple[int, int]
    session_s: int
    supply_mv: int
    pairing_window: bool = False
    calibration: str = "none"
    """`calibrated`, `none`, or `damaged`: then it goes by nominal factors, as without one."""
    implanted: bool = False
    radio: str = "works"
    """`works`, `no answer`, or `needs ACTIVATE: no nRF24L01+`, which is a module that is not used."""

    @classmethod
    def unpack(cls, body: bytes) -> Status:
        """From the body of a STATUS reply; ValueError if its length is wrong."""
        raw = asking.named_reply(requests.row_of(requests.STATUS), body)
        failed = tuple(name for bit, name in enumerate(messages.PART_NAMES) if raw["failed_parts"] >> bit & 1)
        return cls(
            state=raw["state"],
            magnet=bool(raw["flags"] & messages.FLAG_MAGNET),
            stop_cause=raw["stop_cause"],
            failed_parts=failed,
            amplitude_ua=(raw["left_amplitude_ua"], raw["right_amplitude_ua"]),
            session_s=raw["session_s"],
            supply_mv=raw["supply_mv"],
            pairing_window=bool(raw["flags"] & messages.FLAG_PAIRING),
            calibration=_calibration(raw["flags"]),
            implanted=bool(raw["flags"] & messages.FLAG_IMPLANTED),
            radio=_radio(raw["failed_parts"], raw["flags"]),
        )

    @property
    def needs_host(self) -> bool:
        """Whether what runs ends when the host on USB has not asked for 2 s: it started without a radio."""
        return self.radio != "works" and self.state != messages.FAULT

    @property
    def state_name(self) -> str:
        """The state in words."""
        return name_of(messages.STATE_NAMES, self.state)

    @property
    def stop_name(self) -> str:
        """Why the output last went off, in words."""
        return name_of(messages.STOP_NAMES, self.stop_cause)


def _radio(failed_parts: int, flags: int) -> str:
    if not failed_parts & messages.PART_RADIO:
        return "works"
    return "needs ACTIVATE: no nRF24L01+" if flags & messages.FLAG_RADIO_NEEDS_ACTIVATE else "no answer"


def _calibration(flags: int) -> str:
    if flags & messages.FLAG_CALIBRATION_DAMAGED:
        return "damaged"
    return "calibrated" if flags & messages.FLAG_CALIBRATED else "none"


@dataclass(frozen=True)
class Details:
    """Uptime, pulses and cycles so far, heap, temperature."""

    uptime_ms: int
    left_pulses: int
    right_pulses: int
    cycles: int
    reset_cause: int
    temperature_dc: int
    heap_free: int
    boot_us: int

    @classmethod
    def unpack(cls, body: bytes) -> Details:
        """From the body of a DETAILS reply; ValueError if its length is wrong."""
        return cls(**asking.named_reply(requests.row_of(requests.DETAILS), body))


@dataclass(frozen=True)
class FlashCache:
    """The counters of the board's flash cache since they were cleared; each stops at 2**32 - 1."""

    hits: int
    accesses: int

    @classmethod
    def unpack(cls, body: bytes) -> FlashCache:
        """From the body of an XIP reply; ValueError if its length is wrong."""
        return cls(*asking.unpack_reply(requests.row_of(requests.XIP), body))

    @property
    def misses(self) -> int:
        """Accesses that had to wait for the flash."""
        return max(0, self.accesses - self.hits)

    @property
    def saturated(self) -> bool:
        """Whether a counter has stopped, so that the figures mean nothing."""
        return self.accesses == 0xFFFFFFFF

    def __str__(self) -> str:
        if self.saturated:
            return "its counters have stopped at 2**32 - 1: clear them with --xip-clear"
        if not self.accesses:
            return "no access counted: the core or the bench counts none"
        share = 100 * self.misses / self.accesses
        return f"{self.accesses} accesses, {self.hits} hits, {self.misses} misses ({share:.2f} %)"


@dataclass(frozen=True)
class PairImpedance:
    """One measured electrode pair of one lead."""

    lead: int
    cathode: int
    anode: int
    kind: int
    ohm: int
    capacitance_nf: int
    test_ua: int

    @property
    def lead_name(self) -> str:
        """`left` or `right`."""
        return LEADS[self.lead]

    @property
    def kind_name(self) -> str:
        """`ok`, `open`, `short` or `not measured`."""
        return name_of(messages.KIND_NAMES, self.kind)


@dataclass(frozen=True, repr=False)
class PulseSample:
    """What the board itself measured during one pulse's cathodic phase. What was programmed is not in it.

    Attributes:
        number: counted over both leads since the session's begin: even on the left, odd on the right lead.
        lead: 0 left, 1 right.
        current_ua: what flowed, uA.
        early_mv, late_mv: the voltage across the lead, at two fifths and at four fifths of the phase, mV.
    """

    number: int
    lead: int
    current_ua: int
    early_mv: int
    late_mv: int

    def __repr__(self) -> str:
        return (
            f"<pulse {self.number} of the {self.lead_name} lead, measured: "
            f"{self.current_ua} uA, {self.early_mv} to {self.late_mv} mV>"
        )

    @property
    def lead_name(self) -> str:
        """`left` or `right`."""
        return name_of(LEADS, self.lead)


def name_of(names: tuple[str, ...], index: int) -> str:
    """`names[index]`, or the number itself if a newer board sent one that this host does not know."""
    return names[index] if index < len(names) else f"unknown ({index})"


def unpack_pairs(lead: int, body: bytes) -> list[PairImpedance]:
    """The pairs of an IMPEDANCE_RESULTS reply's body; ValueError if records are cut."""
    (records,) = asking.unpack_reply(requests.row_of(requests.IMPEDANCE_RESULTS), body)
    return [
        PairImpedance(lead, pair >> 2 & 3, pair & 3, kind, ohm, capacitance_nf, test_ua)
        for pair, kind, ohm, capacitance_nf, test_ua in records
    ]


def unpack_pulses(body: bytes) -> list[PulseSample]:
    """The samples of a PULSES reply's body (first number as u32, then records); ValueError if cut."""
    first, records = asking.unpack_reply(requests.row_of(requests.PULSES), body)
    return [PulseSample(first + index, *record) for index, record in enumerate(records)]
