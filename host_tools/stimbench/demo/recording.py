"""What a run of the demonstration leaves behind: plain data, from which figures and pictures are made."""

from __future__ import annotations

from dataclasses import dataclass, field

from stimfw.telemetry import frames
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis import LEAD_SIGNALS
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges
from stimbench.client.records import Details, Identity, PairImpedance, PulseSample

__all__ = ("BRIDGES", "Air", "Marks", "Recording", "State", "Zoom")

BRIDGES = tuple(LEAD_SIGNALS[name] for name in LEADS)
"""The bridge signals of each lead, in the order of stimfw.therapy.ranges.LEADS."""
_KIND_NAMES = {
    frames.HELLO: "HELLO",
    frames.CHALLENGE: "CHALLENGE",
    frames.REQUEST: "REQUEST",
    frames.REPLY: "REPLY",
    frames.PAIR: "PAIR",
    frames.PAIR_REPLY: "PAIR_REPLY",
}


@dataclass(frozen=True)
class State:
    """The stimulator's answer to one STATUS request: when it came, state and amplitudes in uA."""

    time_ns: int
    state: int
    amplitude_ua: tuple[int, int]


@dataclass(frozen=True)
class Air:
    """One radio packet, from its first bit to its last."""

    start_ns: int
    end_ns: int
    payload: bytes
    is_copy: bool
    """A frame is sent several times in a burst: this is not the first."""

    @property
    def kind(self) -> int:
        """Of stimfw.telemetry.frames; 0: a further copy, or no frame of the protocol."""
        return 0 if self.is_copy else frames.kind_of(self.payload)

    @property
    def name(self) -> str:
        """The frame's kind in words: all that can be told of it without its key."""
        return _KIND_NAMES.get(self.kind, "")


@dataclass(frozen=True)
class Zoom:
    """The voltage between a lead's selected electrodes during one pulse; same length both."""

    lead: int
    times_ns: list[int]
    volts: list[float]


@dataclass
class Marks:
    """Bench times in ns of what the run did; -1 for what has not happened."""

    ready: int = -1
    tested: int = -1
    """When the output's self-test was asked for, the first thing that moves a bridge pin."""
    measured: int = -1
    start_pressed: int = -1
    stop_pressed: int = -1
    end: int = -1


@dataclass
class Recording:
    """One run. Bench time 0 is power-on."""

    seed: int
    program: Program
    identities: list[Identity] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    failed_parts: tuple[str, ...] = ("not asked",)
    pairs: list[PairImpedance] = field(default_factory=list)
    fitted_ohm: dict[tuple[int, int, int], float] = field(default_factory=dict)
    """By lead, cathode and anode: the series resistance that the bench was built with."""
    states: list[State] = field(default_factory=list)
    moved_ua: int = -1
    """The larger amplitude right after a programme had moved both leads' electrodes."""
    stop_cause: int = 0
    capture: Capture = field(default_factory=lambda: Capture({}, end_ns=0, source="a run without an end"))
    """The signals of both boards, and the currents from the press of START on."""
    air: list[Air] = field(default_factory=list)
    zoom: Zoom = field(default_factory=lambda: Zoom(0, [], []))
    bus_errors: tuple[str, ...] = ("not looked at",)
    """What the boards' logs say of contentions, and of SPI frames that a part could not take."""
    details: Details | None = None
    samples: list[PulseSample] = field(default_factory=list)
    """The board's own measurements of pulses in a hold."""
    calibration: str = "not asked"
    """What the stimulator goes by: serial number and day, or that it is not calibrated."""

    def edges(self, signal: str) -> Edges:
        """The edges of one of the stimulator's signals."""
        return self.capture.edges(f"stimulator.{signal}")

    def remote_edges(self, signal: str) -> Edges:
        """The edges of one of the remote's signals."""
        return self.capture.edges(f"remote.{signal}")
