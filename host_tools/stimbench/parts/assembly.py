"""Errors that a person makes when wiring a stimulator, as what they really do to the parts.

Each is of the left lead, where there are two. Some are wires on other pins: the part is then built on the
wrong net. Others are parts of a wrong value or the wrong way round: the part is changed after it was built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from .interfaces import AnalogSource, BoardPorts, PinPort, Scheduler, SpiBusPort
from .lead import Lead
from .mcp4922 import Mcp4922
from .monostable import Monostable
from .pump import Pump
from .relay import Relay
from .sense import CurrentSense, VoltageSense

__all__ = ("ERRORS", "WRONG_REFERENCE_V", "Parts", "RewiredPorts", "check", "connector_of", "plant")

ERRORS: Mapping[str, str] = {
    "lead-swapped": "the left connector is on the right lead's outputs, the right one on the left's",
    "dac-reference-wrong": "the DAC's reference pins are on V_REF3V3",
    "clr-not-joined": "the monostable's reset is not joined to the magnet's switch",
    "bleed-missing": "100 Mohm between the left rails are missing",
    "bridge-lines-swapped": "L_CATH and L_ANOD are exchanged",
    "shunt-10x": "the left shunt has 150 ohm",
    "sync-and-cs-swapped": "SYNC of the matrix and CS of the DAC are exchanged",
    "relay-reversed": "the left relay's coil is reversed: the diode across it conducts",
    "no-level-shifter": "the DAC's inputs are on the Pico's 3.3 V",
    "ce-open": "the radio's CE is not joined",
}
"""By name, in words."""

WRONG_REFERENCE_V = 3.3
_SHUNT_OHM = 15.0
_SHUNT_TIMES = 10.0
_NO_BLEED_OHM = 1e13
_DRIFTED_V = 14.0
"""A rail without a bleed, at the buffers' end: picoamperes of their inputs charge it."""


class Parts(Protocol):
    """Of parts.wiring.StimulatorParts, what can be wired wrongly."""

    @property
    def dac(self) -> Mcp4922: ...  # noqa: D102

    @property
    def gate(self) -> Monostable: ...  # noqa: D102

    @property
    def relays(self) -> dict[str, Relay]: ...  # noqa: D102

    @property
    def leads(self) -> dict[str, Lead]: ...  # noqa: D102

    @property
    def pumps(self) -> dict[str, Pump]: ...  # noqa: D102

    @property
    def voltage_senses(self) -> dict[str, VoltageSense]: ...  # noqa: D102

    @property
    def current_sense(self) -> CurrentSense: ...  # noqa: D102


class _LoosePin:
    """A part's pin that nothing is joined to: it keeps one level."""

    def __init__(self, name: str, level: bool) -> None:
        self._name, self._level = name, level

    @property
    def name(self) -> str:
        """See PinPort.name."""
        return self._name

    @property
    def level(self) -> bool:
        """See PinPort.level."""
        return self._level

    def on_edge(self, action: Callable[[bool, int], None]) -> None:
        """Nothing ever happens on it."""

    def drive(self, level: bool | None, by: str = "a part") -> None:
        """Nobody sees it."""

    def pull(self, level: bool | None) -> None:
        """Nobody sees it."""


_EXCHANGED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "bridge-lines-swapped": (("L_CATH", "L_ANOD"),),
    "sync-and-cs-swapped": (("DAC_CS", "MATRIX_CS"),),
}
_LOOSE: Mapping[str, Mapping[str, bool]] = {
    # At 3.3 V the MCP4922 takes a high for nothing that its data sheet defines. Modelled: never selected.
    "no-level-shifter": {"DAC_CS": True, "LDAC": True},
    "ce-open": {"RADIO_CE": False},
}


class RewiredPorts:
    """A board's connectors as the parts reach them through wrong wires. See BoardPorts."""

    def __init__(self, ports: BoardPorts, assembly: Sequence[str]) -> None:
        """Args: ports: the board's own; assembly: names of ERRORS.

        Raises:
            ValueError: there is no such error.
        """
        check(assembly)
        self._ports = ports
        self._names: dict[str, str] = {}
        self._loose: dict[str, PinPort] = {}
        for error in assembly:
            for one, other in _EXCHANGED.get(error, ()):
                self._names |= {one: other, other: one}
            for name, level in _LOOSE.get(error, {}).items():
                self._loose[name] = _LoosePin(name, level)

    @property
    def scheduler(self) -> Scheduler:
        """The board's clock."""
        return self._ports.scheduler

    def pin(self, signal: str) -> PinPort:
        """The net that a part meant for `signal` is really on."""
        return self._loose.get(signal) or self._ports.pin(self._names.get(signal, signal))

    def spi(self, index: int) -> SpiBusPort:
        """See BoardPorts.spi."""
        return self._ports.spi(index)

    def wire_adc(self, channel: int, source: AnalogSource) -> None:
        """See BoardPorts.wire_adc."""
        self._ports.wire_adc(channel, source)


def check(assembly: Sequence[str]) -> None:
    """Raises: ValueError: a name is none of ERRORS."""
    unknown = [name for name in assembly if name not in ERRORS]
    if unknown:
        raise ValueError(f"there is no assembly error {unknown[0]!r}; there are: {', '.join(ERRORS)}")


def plant(parts: Parts, assembly: Sequence[str]) -> None:
    """Change parts that are built: wrong values, parts the wrong way round, pins left open."""
    if "dac-reference-wrong" in assembly:
        parts.dac.reference(WRONG_REFERENCE_V)
    if "clr-not-joined" in assembly:
        parts.gate.cut_clr()
    if "bleed-missing" in assembly:
        parts.leads["left"].bleed_ohm = _NO_BLEED_OHM
        parts.leads["left"].part_changed()
        parts.voltage_senses["left"].rest_v = _DRIFTED_V
    if "shunt-10x" in assembly:
        parts.current_sense.shares[0] *= _SHUNT_TIMES
        parts.pumps["left"].limit_ohm += _SHUNT_OHM * (_SHUNT_TIMES - 1.0)
    if "relay-reversed" in assembly:
        parts.relays["left"].fix(False)


def connector_of(side: str, assembly: Sequence[str]) -> str:
    """Which lead's outputs, `left` or `right`, are at the connector that is marked `side`."""
    if "lead-swapped" not in assembly:
        return side
    return "right" if side == "left" else "left"
