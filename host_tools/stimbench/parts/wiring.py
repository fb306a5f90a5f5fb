"""Connects the parts to a board: the reference wiring of stimulator and remote, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .adc import Rp2040Adc
from .adg1414 import MatrixChain
from .assembly import RewiredPorts, plant
from .bridge import Bridge
from .indicators import Buzzer, Led
from .interfaces import BoardPorts, PinPort
from .lead import Lead
from .mcp4922 import Mcp4922
from .monostable import PULSE_MS, Monostable
from .nrf24_modules import PLUS
from .nrf24l01 import Nrf24L01
from .pump import Pump
from .radio import AirChannel
from .rails import START_MS, Rails
from .relay import Relay
from .sense import CurrentSense, VoltageSense
from .supply import Supply
from .switches import Contact
from .trace import SharedShunt

__all__ = (
    "RemoteParts",
    "RemoteWiring",
    "StimulatorParts",
    "StimulatorWiring",
    "wire_remote",
    "wire_stimulator",
)

_SIDES = (("left", "L"), ("right", "R"))
_REMOVABLE = {"stimulator": {"dac", "matrix", "radio"}, "remote": {"radio"}}


@dataclass(frozen=True, kw_only=True)
class StimulatorWiring:
    """How one stimulator is built.

    Attributes:
        seed: the bench's; every part's errors come from it.
        absent: empty sockets: `dac`, `matrix`, `radio`.
        ideal: parts without offset, gain and integral errors (the ADC keeps its own), and without delays: the
            relays move with Q, and the +-15 V are there at once.
        rails_ms: from power on until the +-15 V are up.
        pair_r_s_ohm: series resistance of an electrode pair.
        c_dl_uf: double-layer capacitance of each electrode, uF.
        r_ct_ohm: charge-transfer resistance of each electrode.
        open_electrodes: broken from the start, as (side, electrode): `(("left", 2),)`.
        pulse_ms: the monostable's pulse; `pulse_tolerance` is how far it is off, as a share.
        clr_cut: the magnet does not reach the monostable's reset.
        assembly: errors of whoever wired it, names of parts.assembly.ERRORS.
        bounce_ms: how long the reed switch chatters.
        vsys_v, celsius: supply in V, die temperature.
        radio_reset_ms, radio_start_up_ms: the nRF24L01+'s power-on reset and crystal start-up.
        radio_module: which chip the radio module has, a name of parts.nrf24_modules.MODULES.
    """

    seed: int = 0
    absent: Sequence[str] = ()
    ideal: bool = False
    pair_r_s_ohm: float = 500.0
    c_dl_uf: float = 5.0
    r_ct_ohm: float = 100e3
    open_electrodes: Sequence[tuple[str, int]] = ()
    rails_ms: float = START_MS
    pulse_ms: float = PULSE_MS
    pulse_tolerance: float = 0.0
    clr_cut: bool = False
    assembly: Sequence[str] = ()
    bounce_ms: float = 1.0
    vsys_v: float = 5.0
    celsius: float = 27.0
    radio_reset_ms: float = 100.0
    radio_start_up_ms: float = 1.5
    radio_module: str = PLUS


@dataclass(frozen=True, kw_only=True)
class RemoteWiring:
    """How one remote is built; attributes as in `StimulatorWiring`."""

    seed: int = 0
    absent: Sequence[str] = ()
    bounce_ms: float = 3.0
    vsys_v: float = 5.0
    celsius: float = 27.0
    radio_reset_ms: float = 100.0
    radio_start_up_ms: float = 1.5
    radio_module: str = PLUS


@dataclass(frozen=True, kw_only=True)
class StimulatorParts:
    """Every part on the stimulator's board, for whoever observes it or breaks it."""

    dac: Mcp4922
    matrix: MatrixChain
    gate: Monostable
    relays: dict[str, Relay]
    rails: Rails
    leads: dict[str, Lead]
    bridges: dict[str, Bridge]
    radio: Nrf24L01
    magnet: Contact
    led: Led
    supply: Supply
    adc: Rp2040Adc
    pumps: dict[str, Pump]
    voltage_senses: dict[str, VoltageSense]
    current_sense: CurrentSense
    assembly: Sequence[str] = ()

    @property
    def shunt(self) -> SharedShunt:
        """The current in the shunt that the current amplifier is wired to, as it was recorded."""
        return SharedShunt(lead.trace.shunt for lead in self.leads.values())

    def power(self, on: bool, time_ns: int) -> None:
        """The board's supply came or went: the chips lose what they held; electrodes keep their charge."""
        self.gate.power_on_reset()
        self.rails.power(on)
        self.dac.power_on_reset()
        self.matrix.power_on_reset(time_ns)
        self.radio.power(on)


@dataclass(frozen=True, kw_only=True)
class RemoteParts:
    """Every part on the remote's board."""

    radio: Nrf24L01
    start: Contact
    stop: Contact
    status: Contact
    leds: dict[str, Led] = field(default_factory=dict)
    buzzer: Buzzer
    supply: Supply
    adc: Rp2040Adc

    def power(self, on: bool, time_ns: int) -> None:
        """The board's supply came or went: the transceiver loses what it held."""
        self.radio.power(on)


def wire_stimulator(ports: BoardPorts, config: StimulatorWiring, air: AirChannel) -> StimulatorParts:
    """Build the stimulator's parts on a board.

    Raises:
        KeyError: the board lacks a pin.
        ValueError: `absent`, `open_electrodes`, `assembly` or `radio_module` names what there is not.
    """
    _check_absent("stimulator", config.absent)
    ports = RewiredPorts(ports, config.assembly)
    clock, spi = ports.scheduler, ports.spi(0)
    # The reed's pull-up comes first: the reset must be high before the monostable reads it.
    magnet = Contact(clock, ports.pin("MAGNET"), bounce_ms=config.bounce_ms, pull_up=True, seed=config.seed)
    gate = Monostable(
        clock,
        ports.pin("KEEPALIVE"),
        ports.pin("MAGNET"),
        pulse_ms=config.pulse_ms,
        tolerance=config.pulse_tolerance,
        clr_cut=config.clr_cut,
    )
    dac = Mcp4922(
        clock,
        spi,
        ports.pin("DAC_CS"),
        ports.pin("LDAC"),
        seed=config.seed,
        ideal=config.ideal,
        absent="dac" in config.absent,
    )
    matrix = MatrixChain(
        spi, ports.pin("MATRIX_CS"), seed=config.seed, ideal=config.ideal, absent="matrix" in config.absent
    )
    rails = Rails(clock, start_ms=0.0 if config.ideal else config.rails_ms)
    relays = {side: Relay(clock, gate) for side, _ in _SIDES}
    if config.ideal:
        for relay in relays.values():
            relay.tolerance(0.0, 0.0)
    bridges = {
        side: Bridge(
            ports.pin(f"{k}_CATH"),
            ports.pin(f"{k}_ANOD"),
            ports.pin(f"{k}_SHORT"),
            gate,
            relays[side],
            rails,
        )
        for side, k in _SIDES
    }
    _read_back(ports.pin("GATE_Q"), gate)
    pumps = {
        side: Pump(dac, channel, seed=config.seed, name=f"{side}/pump", ideal=config.ideal)
        for channel, (side, _) in enumerate(_SIDES)
    }
    leads = _wire_leads(ports, config, dac, matrix, bridges, pumps)
    voltage_senses, current_sense = _wire_senses(ports, config, leads)
    current_sense.rails = rails
    for sense in voltage_senses.values():
        sense.rails = rails
    supply = _wire_supply(ports, config)
    parts = StimulatorParts(
        dac=dac,
        matrix=matrix,
        gate=gate,
        relays=relays,
        rails=rails,
        leads=leads,
        bridges=bridges,
        radio=_wire_radio(ports, config, air),
        magnet=magnet,
        led=Led(ports.pin("LED")),
        supply=supply,
        adc=Rp2040Adc(config.seed, "stimulator/adc"),
        pumps=pumps,
        voltage_senses=voltage_senses,
        current_sense=current_sense,
        assembly=tuple(config.assembly),
    )
    plant(parts, config.assembly)
    return parts


def wire_remote(ports: BoardPorts, config: RemoteWiring, air: AirChannel) -> RemoteParts:
    """Build the remote's parts on a board.

    Raises:
        KeyError: the board lacks a pin.
        ValueError: `absent` or `radio_module` names something that there is not.
    """
    _check_absent("remote", config.absent)

    def button(signal: str) -> Contact:
        return Contact(ports.scheduler, ports.pin(signal), bounce_ms=config.bounce_ms, seed=config.seed)

    return RemoteParts(
        radio=_wire_radio(ports, config, air),
        start=button("START"),
        stop=button("STOP"),
        status=button("STATUS"),
        leds={color: Led(ports.pin(f"LED_{color.upper()}")) for color in ("green", "amber", "red")},
        buzzer=Buzzer(ports.pin("BUZZER")),
        supply=_wire_supply(ports, config),
        adc=Rp2040Adc(config.seed, "remote/adc"),
    )


def _read_back(pin: PinPort, gate: Monostable) -> None:
    """Q on a pin of the Pico, through 10 and 20 kohm."""
    pin.drive(gate.q, "the monostable")
    gate.on_change(lambda level, _: pin.drive(level, "the monostable"))


def _check_absent(board: str, absent: Sequence[str]) -> None:
    unknown = set(absent) - _REMOVABLE[board]
    if unknown:
        raise ValueError(f"cannot remove {sorted(unknown)} from a {board}; only {sorted(_REMOVABLE[board])}")


def _wire_leads(
    ports: BoardPorts,
    config: StimulatorWiring,
    dac: Mcp4922,
    matrix: MatrixChain,
    bridges: dict[str, Bridge],
    pumps: dict[str, Pump],
) -> dict[str, Lead]:
    leads: dict[str, Lead] = {}
    for channel, (side, _) in enumerate(_SIDES):
        lead = Lead(side, ports.scheduler, pumps[side], bridges[side], matrix, channel, seed=config.seed)
        lead.set_pair(r_s_ohm=config.pair_r_s_ohm, c_dl_uf=config.c_dl_uf, r_ct_ohm=config.r_ct_ohm)
        dac.on_change(lead.on_dac)
        leads[side] = lead
    for side, electrode in config.open_electrodes:
        if side not in leads or not 0 <= electrode < 4:
            raise ValueError(f"there is no electrode {electrode} on a lead {side!r}")
        leads[side].electrodes[electrode].open()
    return leads


def _wire_senses(
    ports: BoardPorts, config: StimulatorWiring, leads: dict[str, Lead]
) -> tuple[dict[str, VoltageSense], CurrentSense]:
    voltages = {
        side: VoltageSense(lead, seed=config.seed, ideal=config.ideal) for side, lead in leads.items()
    }
    for channel, sense in enumerate(voltages.values()):
        ports.wire_adc(channel, sense)
    current = CurrentSense(tuple(leads.values()), seed=config.seed, ideal=config.ideal)
    ports.wire_adc(2, current)
    return voltages, current


def _wire_radio(ports: BoardPorts, config: StimulatorWiring | RemoteWiring, air: AirChannel) -> Nrf24L01:
    return Nrf24L01(
        ports.scheduler,
        ports.spi(1),
        ports.pin("RADIO_CSN"),
        ports.pin("RADIO_CE"),
        ports.pin("RADIO_IRQ"),
        air,
        absent="radio" in config.absent,
        reset_ms=config.radio_reset_ms,
        start_up_ms=config.radio_start_up_ms,
        seed=config.seed,
        module=config.radio_module,
    )


def _wire_supply(ports: BoardPorts, config: StimulatorWiring | RemoteWiring) -> Supply:
    supply = Supply(ports.scheduler, vsys_v=config.vsys_v, celsius=config.celsius)
    ports.wire_adc(3, supply.divided)
    ports.wire_adc(4, supply.temperature)
    return supply
