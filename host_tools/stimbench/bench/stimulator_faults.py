"""What can break on a running stimulator besides its electrodes: pumps, switches, gate, relays, supplies.

`parts_of` names them; each has its faults, is mended, and says in words what is wrong. What a fault does is
the models' (stimbench.parts); which of them a board finds, and how soon, is in docs/watch.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from stimbench.parts.adc import VREF_V, Rp2040Adc
from stimbench.parts.adg1414 import MatrixChain
from stimbench.parts.bridge import Bridge
from stimbench.parts.lead import Lead
from stimbench.parts.mcp4922 import Mcp4922
from stimbench.parts.monostable import Monostable
from stimbench.parts.pump import Pump
from stimbench.parts.rails import Rails
from stimbench.parts.relay import Relay
from stimbench.parts.supply import Supply
from stimbench.parts.wiring import StimulatorParts

__all__ = ("FAULTS", "Breakable", "Value", "parts_of")

_HIGHEST_CODE = 4095
_SWITCHES_A_RAIL = 4
_MOST_PERCENT = 50.0
_LEAST_SUPPLY_V, _MOST_SUPPLY_V = 1.8, 5.5
_LONGEST_START_MS = 10_000.0


@dataclass(frozen=True)
class Value:
    """What a fault needs to be told: `low` to `high`, in words; `default` is taken without one."""

    text: str
    low: float
    high: float
    default: float | None = None


_CODE = Value("a code", 0, _HIGHEST_CODE, 0)
_PERCENT = Value("percent that it is off by, -50 to 50", -_MOST_PERCENT, _MOST_PERCENT)
_VOLTS = Value("the supply in V, 1.8 to 5.5", _LEAST_SUPPLY_V, _MOST_SUPPLY_V)
_START_MS = Value("ms from power on until +-15 V are there, 0 to 10000", 0.0, _LONGEST_START_MS, 300.0)


class Breakable(Protocol):
    """A part that can break. `faults`: by name what each needs to be told, None for nothing."""

    @property
    def faults(self) -> dict[str, Value | None]:
        """What it can have."""

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        """Let it have one of its faults, at once."""

    def mend(self, time_ns: int) -> None:
        """Nothing is wrong with it any more."""

    def condition(self) -> str:
        """What is wrong, in words; empty if nothing is."""


@dataclass(frozen=True)
class _PumpPart:
    faults: ClassVar[dict[str, Value | None]] = {"rail": None, "dead": None}
    pump: Pump
    lead: Lead

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.pump.saturated, self.pump.gain_fault = fault == "rail", 1.0 if fault == "rail" else 0.0
        self.lead.part_changed()

    def mend(self, time_ns: int) -> None:
        self.pump.saturated, self.pump.gain_fault = False, 1.0
        self.lead.part_changed()

    def condition(self) -> str:
        if self.pump.saturated:
            return "at its rail"
        return "dead" if self.pump.gain_fault == 0.0 else ""


@dataclass(frozen=True)
class _Channel:
    faults: ClassVar[dict[str, Value | None]] = {"stuck": _CODE}
    dac: Mcp4922
    channel: int

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.dac.stick(self.channel, round(value))

    def mend(self, time_ns: int) -> None:
        self.dac.stick(self.channel, None)

    def condition(self) -> str:
        code = self.dac.stuck(self.channel)
        return "" if code is None else f"stuck at code {code}"


@dataclass(frozen=True)
class _Switch:
    faults: ClassVar[dict[str, Value | None]] = {"stuck-open": None, "stuck-closed": None}
    matrix: MatrixChain
    chip: int
    bit: int

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.matrix.stick(self.chip, self.bit, fault == "stuck-closed", time_ns)

    def mend(self, time_ns: int) -> None:
        self.matrix.mend(time_ns, self.chip, self.bit)

    def condition(self) -> str:
        closed = self.matrix.stuck(self.chip, self.bit)
        return "" if closed is None else f"stuck {'closed' if closed else 'open'}"


@dataclass(frozen=True)
class _DacReference:
    faults: ClassVar[dict[str, Value | None]] = {"reference": _PERCENT}
    dac: Mcp4922

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.dac.reference(self.dac.nominal_vref_v * (1 + value / 100))

    def mend(self, time_ns: int) -> None:
        self.dac.reference(self.dac.nominal_vref_v)

    def condition(self) -> str:
        return _off_by(self.dac.vref_v, self.dac.nominal_vref_v)


@dataclass(frozen=True)
class _Converter:
    faults: ClassVar[dict[str, Value | None]] = {"reference": _PERCENT, "stuck": _CODE}
    adc: Rp2040Adc

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        if fault == "stuck":
            self.adc.stuck_code = round(value)
        else:
            self.adc.vref_v = VREF_V * (1 + value / 100)

    def mend(self, time_ns: int) -> None:
        self.adc.stuck_code, self.adc.vref_v = None, VREF_V

    def condition(self) -> str:
        stuck = "" if self.adc.stuck_code is None else f"stuck at code {self.adc.stuck_code}"
        return ", ".join(filter(None, (stuck, _off_by(self.adc.vref_v, VREF_V))))


@dataclass(frozen=True)
class _Supply:
    faults: ClassVar[dict[str, Value | None]] = {"low": _VOLTS}
    supply: Supply

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.supply.vsys_v = value

    def mend(self, time_ns: int) -> None:
        self.supply.vsys_v = self.supply.nominal_v

    def condition(self) -> str:
        return "" if self.supply.vsys_v == self.supply.nominal_v else f"at {self.supply.vsys_v:g} V"


@dataclass(frozen=True)
class _Gate:
    """The monostable: its Q stays high (nothing but the lines ends a current) or low (nothing begins one)."""

    faults: ClassVar[dict[str, Value | None]] = {"stuck-high": None, "stuck-low": None}
    gate: Monostable

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.gate.stick(fault == "stuck-high")

    def mend(self, time_ns: int) -> None:
        self.gate.stick(None)

    def condition(self) -> str:
        return "" if self.gate.stuck is None else f"stuck {'high' if self.gate.stuck else 'low'}"


@dataclass(frozen=True)
class _Gates:
    """The NANDs of one lead: they let its lines through whatever Q says."""

    faults: ClassVar[dict[str, Value | None]] = {"stuck": None}
    bridge: Bridge

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.bridge.break_gates(True, time_ns)

    def mend(self, time_ns: int) -> None:
        self.bridge.break_gates(False, time_ns)

    def condition(self) -> str:
        return "let its lines through" if self.bridge.gates_stuck else ""


@dataclass(frozen=True)
class _RelayPart:
    faults: ClassVar[dict[str, Value | None]] = {"welded": None, "open": None}
    relay: Relay

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.relay.fix(fault == "welded")

    def mend(self, time_ns: int) -> None:
        self.relay.fix(None)

    def condition(self) -> str:
        return "" if self.relay.fixed is None else "welded" if self.relay.fixed else "open"


@dataclass(frozen=True)
class _Idle:
    """The switch that takes the pump's current between phases: open, each phase begins with a spike."""

    faults: ClassVar[dict[str, Value | None]] = {"open": None}
    bridge: Bridge
    lead: Lead

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.bridge.idle.is_open = True
        self.lead.part_changed()

    def mend(self, time_ns: int) -> None:
        self.bridge.idle.is_open = False
        self.lead.part_changed()

    def condition(self) -> str:
        return "open" if self.bridge.idle.is_open else ""


@dataclass(frozen=True)
class _RailsPart:
    """The +-15 V: gone at once; or, from the next power on, late or never there."""

    faults: ClassVar[dict[str, Value | None]] = {"lost": None, "slow": _START_MS, "never": None}
    rails: Rails

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        if fault == "lost":
            self.rails.lose()
        elif fault == "never":
            self.rails.never = True
        else:
            self.rails.start_ms = value

    def mend(self, time_ns: int) -> None:
        self.rails.start_ms = self.rails.nominal_ms
        if self.rails.never:
            self.rails.lose(False)

    def condition(self) -> str:
        if self.rails.never:
            return "come no more" if self.rails.up else "lost"
        slow = self.rails.start_ms != self.rails.nominal_ms
        return f"take {self.rails.start_ms:g} ms" if slow else ""


@dataclass(frozen=True)
class _Matrix:
    """Both chips lose what was written, as after a dip of their supply: nothing to mend."""

    faults: ClassVar[dict[str, Value | None]] = {"forgets": None}
    matrix: MatrixChain

    def harm(self, fault: str, value: float, time_ns: int) -> None:
        self.matrix.power_on_reset(time_ns)

    def mend(self, time_ns: int) -> None:
        pass

    def condition(self) -> str:
        return ""


FAULTS = tuple(
    dict.fromkeys(
        name
        for part in (
            _PumpPart, _Channel, _Switch, _DacReference, _Converter, _Supply,
            _Gate, _Gates, _RelayPart, _Idle, _RailsPart, _Matrix,
        )
        for name in part.faults
    )
)
"""Every fault of these parts, by name."""


def _off_by(volts: float, wanted: float) -> str:
    percent = (volts / wanted - 1) * 100
    return f"reference {percent:+g} %" if abs(percent) > 1e-9 else ""


def parts_of(parts: StimulatorParts) -> dict[str, Breakable]:
    """Every part by name: `left.pump`, `left.dac`, `left.source.0` (its switch to the source rail), `adc`."""
    found: dict[str, Breakable] = {}
    for channel, (side, lead) in enumerate(parts.leads.items()):
        found[f"{side}.pump"] = _PumpPart(parts.pumps[side], lead)
        found[f"{side}.dac"] = _Channel(parts.dac, channel)
        bridge = parts.bridges[side]
        found[f"{side}.relay"] = _RelayPart(parts.relays[side])
        found[f"{side}.gates"] = _Gates(bridge)
        found[f"{side}.idle"] = _Idle(bridge, lead)
        for rail, first in (("source", 0), ("sink", _SWITCHES_A_RAIL)):
            for electrode in range(_SWITCHES_A_RAIL):
                found[f"{side}.{rail}.{electrode}"] = _Switch(parts.matrix, channel, first + electrode)
    found["dac"] = _DacReference(parts.dac)
    found["adc"] = _Converter(parts.adc)
    found["supply"] = _Supply(parts.supply)
    found["gate"] = _Gate(parts.gate)
    found["rails"] = _RailsPart(parts.rails)
    found["matrix"] = _Matrix(parts.matrix)
    return found
