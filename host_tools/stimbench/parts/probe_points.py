"""What a meter finds at the nets that a person would probe on a stimulator, from the part models.

Steady values only: what a hand-held meter shows a second after the last change. Nets and pins are those of
docs/circuit. A lead's nets are solved as a network of resistors (parts.dc_network): pump, bridge, idle leg,
shunt, recharge, bleeds, relay, matrix, what is at the connector, and a resistor that a person put between two
nets.

Modelled: each switch's and resistor's own error, drawn from the bench's seed within its limits; the pump's
limit; the buffers' picoamperes. Left out: the meter's load (10 Mohm) and its error, which are the reader's;
charge that capacitors still hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .assembly import WRONG_REFERENCE_V, RewiredPorts, connector_of
from .dc_network import GROUND, DcNetwork
from .interfaces import BoardPorts
from .seeds import spread
from .wiring import StimulatorParts

__all__ = ("ProbePoints",)

_SIDES = {"L": "left", "R": "right"}
_PHASES = ("CATH", "ANOD", "SHORT")
_SUPPLY_OHM = 300.0
"""Between a supply and ground on a board without power, as a meter reads it: chips' protection and bleeds."""
_DG412_OHM, _DG412_SHARE = 25.0, 0.3
_SHUNT_OHM, _RECHARGE_OHM, _CONTACT_OHM = 15.0, 1000.0, 0.1
_BLEED_OHM, _BLEED_SHARE, _BLEED_XB_OHM = 100e6, 0.05, 10e6
_BIAS_A = 5e-12
"""Of a buffer's input (OPA2197, SBOS737, 6.6)."""
_BUFFER_V = 14.9
_LOGIC_LOW_V, _PICO_V = 0.01, 3.3
_LINES = ("KEEPALIVE", "MAGNET", "GATE_Q", "RADIO_CE", "DAC_CS", "MATRIX_CS", "LDAC")
_DIODE_V, _COIL_DRIVE_V = 0.9, 0.06
_OPEN_OHM = 200e6
"""More than this a meter calls OL."""
_TEST_A = 1e-6
_WAYS = {
    "CATH": (("P", "B"), ("A", GROUND)), "ANOD": (("P", "A"), ("B", GROUND)), "SHORT": (("SH", "B"),),
    "IDLE": (("P", GROUND), ("P", GROUND)),
}  # fmt: skip
"""What each gate line joins in a lead."""
_PASSIVE = (
    ("A", "X", "shunt"),
    ("X", "SH", "recharge"),
    ("X", "B", "bleed_xb"),
    ("SRC", "SNK", "bleed_rails"),
)


class ProbePoints:
    """A stimulator's board under a meter. It changes nothing but what `fit` puts on the board."""

    def __init__(
        self, parts: StimulatorParts, ports: BoardPorts, powered: Callable[[], bool], seed: int = 0
    ) -> None:
        """Args: parts, ports: of one board; powered: whether USB feeds it; seed: the bench's."""
        self._parts, self._powered = parts, powered
        self._own = ports
        self._ports = RewiredPorts(ports, parts.assembly)
        self._clock = ports.scheduler
        self._seed = seed
        self._fitted: tuple[str, str, float] | None = None
        rng = spread(seed, "probe points/references")
        self._references = {
            "V_REF3V3": 3.3 * (1.0 + rng.uniform(-0.0002, 0.0002)),
            "V_REF4V096": parts.dac.nominal_vref_v * (1.0 + rng.uniform(-0.001, 0.001)),
        }
        self._middle_v = self._references["V_REF3V3"] / 2.0 * (1.0 + rng.uniform(-0.001, 0.001))
        self._negative_v = -15.0 * (1.0 + rng.uniform(-0.02, 0.02))

    def fit(self, one: str, other: str, ohm: float) -> None:
        """Put a resistor between two nets; at a connector (L_E0, L_E1) it is where its label says.

        Raises:
            ValueError: these nets are none between which one belongs.
        """
        self.take_away()
        if one.endswith("E0"):
            lead = self._parts.leads[connector_of(_side(one), self._parts.assembly)]
            lead.load_resistor(ohm)
            for electrode in lead.electrodes[:2]:
                electrode.close()
        elif one[:2] not in ("L_", "R_"):
            raise ValueError(f"no test resistor belongs between {one} and {other}")
        elif {one[2:], other[2:]} == {"X", "B"}:
            self._parts.leads[_side(one)].join_resistor(ohm)
        self._fitted = (one, other, ohm)

    def take_away(self) -> None:
        """Nothing is between two nets any more, and nothing at either connector."""
        self._fitted = None
        for lead in self._parts.leads.values():
            lead.join_resistor(None)
            for electrode in lead.electrodes:
                electrode.open()

    def volts(self, net: str, pin: str = "", against: str = GROUND) -> float:
        """Volts at a net, at one of its pins, against another net.

        Raises:
            KeyError: nobody would probe there.
        """
        if not self._powered():
            return 0.0
        return self._level(net, pin) - (0.0 if against == GROUND else self._level(against, ""))

    def ohms(self, one: str, other: str) -> float:
        """Ohm between two nets; infinite for open.

        Raises:
            KeyError: nobody would measure there.
        """
        if one in ("+5V", "+15V", "-15V"):
            return _SUPPLY_OHM
        side = one[0]
        if one.endswith("_X") and other.endswith("_BLOCK"):
            return math.inf  # a capacitor that is charged
        with_test = self._network(side, test=(one, other)).solve()
        without = self._network(side).solve()
        if one not in with_test or other not in with_test:
            return math.inf
        before = without.get(one, 0.0) - without.get(other, 0.0)
        ohm = (with_test[one] - with_test[other] - before) / _TEST_A
        return ohm if ohm < _OPEN_OHM else math.inf

    # Nets.

    def _level(self, net: str, pin: str) -> float:
        side, _, name = net.partition("_")
        if side in _SIDES and name in (*(f"{line}_G" for line in _PHASES), "IDLE_G", "IDLE2_G"):
            return self._five_v if self._gate_line(side, name[:-2]) else _LOGIC_LOW_V
        if side in _SIDES and name == "DAC":
            return self._parts.dac.volts(self._channel(side), self._clock.now_ns)
        if side in _SIDES and name == "COIL":
            return self._coil_v(side)
        if side in _SIDES and name.endswith("_BUF"):
            rail = self._network(side).solve()[f"{side}_{name[:-4]}"]
            return max(-_BUFFER_V, min(_BUFFER_V, rail))
        if side in _SIDES and name in ("P", "A", "B", "X", "SRC", "SNK"):
            return self._network(side).solve()[net]
        if net in ("V_LEFT", "V_RIGHT", "I_SENSE"):
            return self._sensed(net)
        if net in ("DAC_CS_5V", "LDAC_5V"):
            return self._shifted(net[:-3])
        return self._supply_or_pin(net, pin)

    def _supply_or_pin(self, net: str, pin: str) -> float:
        if net == "V_REF4V096" and pin.startswith("U_DAC") and "dac-reference-wrong" in self._parts.assembly:
            return WRONG_REFERENCE_V
        up = self._parts.rails.up
        fixed = {
            "+5V": self._five_v, "+3V3": _PICO_V, "V_MID": self._middle_v, **self._references,
            "+15V": self._parts.pumps["left"].supply_v if up else 0.0,
            "-15V": self._negative_v if up else 0.0,
        }  # fmt: skip
        if net in fixed:
            return fixed[net]
        if net == "Q":
            return self._five_v if self._parts.gate.q else _LOGIC_LOW_V
        if net not in _LINES:
            raise KeyError(net)
        # A pin of a module may be loose: that is what the part itself sees.
        ports = self._ports if pin.startswith("A_RADIO") else self._own
        return _PICO_V if ports.pin(net).level else _LOGIC_LOW_V

    @property
    def _five_v(self) -> float:
        return self._parts.supply.volts(self._clock.now_ns)

    def _channel(self, side: str) -> int:
        return list(_SIDES).index(side)

    def _gate_line(self, side: str, line: str) -> bool:
        """Whether a line that drives switches is high."""
        bridge = self._parts.bridges[_SIDES[side]]
        passes = self._parts.gate.q or bridge.gates_stuck
        high = {name: passes and self._ports.pin(f"{side}_{name}").level for name in _PHASES}
        return not (high["CATH"] or high["ANOD"]) if line.startswith("IDLE") else high[line]

    def _coil_v(self, side: str) -> float:
        """At the driver's end of the relay's coil."""
        if not self._parts.gate.q:
            return self._five_v
        reversed_ = side == "L" and "relay-reversed" in self._parts.assembly
        return self._five_v - _DIODE_V if reversed_ else _COIL_DRIVE_V

    def _shifted(self, line: str) -> float:
        """At the DAC, behind the level shifter."""
        if "no-level-shifter" in self._parts.assembly:
            return _PICO_V if self._own.pin(line).level else _LOGIC_LOW_V
        return self._five_v if self._ports.pin(line).level else _LOGIC_LOW_V

    def _sensed(self, net: str) -> float:
        if net == "I_SENSE":
            return self._parts.current_sense.shown([self._shunt_amps(side) for side in _SIDES])
        side = net[2]
        found = self._network(side).solve()
        rails = [max(-_BUFFER_V, min(_BUFFER_V, found[f"{side}_{rail}"])) for rail in ("SRC", "SNK")]
        return self._parts.voltage_senses[_SIDES[side]].shown(rails[0] - rails[1])

    def _shunt_amps(self, side: str) -> float:
        found = self._network(side).solve()
        return (found[f"{side}_A"] - found[f"{side}_X"]) / self._ohm(side, "shunt")

    # The network of a lead.

    def _ohm(self, side: str, what: str) -> float:
        """A resistance of a lead, with the error that the seed gives this one."""
        nominal, share = {
            "shunt": (_SHUNT_OHM, 0.001), "recharge": (_RECHARGE_OHM, 0.01), "contact": (_CONTACT_OHM, 0.5),
            "bleed_b": (_BLEED_OHM, _BLEED_SHARE), "bleed_snk": (_BLEED_OHM, _BLEED_SHARE),
            "bleed_rails": (_BLEED_OHM, _BLEED_SHARE), "bleed_xb": (_BLEED_XB_OHM, 0.01),
        }.get(what, (_DG412_OHM, _DG412_SHARE))  # fmt: skip
        if side == "L":
            if what == "shunt" and "shunt-10x" in self._parts.assembly:
                nominal *= 10.0
            if what == "bleed_rails" and "bleed-missing" in self._parts.assembly:
                return math.inf
        return nominal * (1.0 + spread(self._seed, f"probe points/{side}/{what}").uniform(-share, share))

    def _network(self, side: str, test: tuple[str, str] | None = None) -> DcNetwork:
        """Everything of a lead that carries direct current; `test`: a meter pushes between two nets."""
        net = DcNetwork()
        self._join_passive(net, side)
        if self._powered():
            self._join_switches(net, side)
        if self._fitted is not None and self._fitted[0].startswith(side) and "_E" not in self._fitted[0]:
            net.resistor(*self._fitted)
        if test is not None:
            net.current(test[0], _TEST_A)
            net.current(test[1], -_TEST_A)
        self._push(net, side)
        return net

    def _join_passive(self, net: DcNetwork, side: str) -> None:
        def node(name: str) -> str:
            return f"{side}_{name}"

        for one, other, what in _PASSIVE:
            net.resistor(node(one), node(other), self._ohm(side, what))
        net.resistor(node("B"), GROUND, self._ohm(side, "bleed_b"))
        net.resistor(node("SNK"), GROUND, self._ohm(side, "bleed_snk"))
        net.current(node("P"), 0.0)

    def _join_switches(self, net: DcNetwork, side: str) -> None:
        def close(one: str, other: str, what: str) -> None:
            end = other if other == GROUND else f"{side}_{other}"
            net.resistor(f"{side}_{one}", end, self._ohm(side, what))

        for line, ways in _WAYS.items():
            if self._parts.rails.up and self._gate_line(side, line):
                for one, other in ways:
                    close(one, other, f"{line}/{one}{other}")
        if self._parts.relays[_SIDES[side]].is_closed:
            close("B", "SNK", "contact")
        self._join_electrodes(net, side)

    def _join_electrodes(self, net: DcNetwork, side: str) -> None:
        channel = self._channel(side)
        mask, on_ohm = self._parts.matrix.mask(channel), self._parts.matrix.r_on_ohm[channel]
        for k, electrode in enumerate(self._parts.leads[_SIDES[side]].electrodes):
            for bit, rail in ((k, "SRC"), (k + 4, "SNK")):
                if mask >> bit & 1:
                    net.resistor(f"{side}_{rail}", f"{side}_E{k}", on_ohm)
            if not electrode.is_open:
                values = electrode.values
                ohm = values.r_s_ohm + (values.r_ct_ohm if values.c_dl_f > 0.0 else 0.0)
                net.resistor(f"{side}_E{k}", f"{side}_TISSUE", ohm)

    def _push(self, net: DcNetwork, side: str) -> None:
        """The pump's current and the buffers' bias; beyond its limit the pump is a supply behind its ohms."""
        if not self._powered():
            return
        for rail in ("SRC", "SNK"):
            net.current(f"{side}_{rail}", _BIAS_A)
        if not self._parts.rails.up:
            return
        pump = self._parts.pumps[_SIDES[side]]
        amps = pump.amps(self._clock.now_ns)
        trial = net.solve()[f"{side}_P"] + amps * net.ohm_at(f"{side}_P")
        if trial <= pump.limit_v(amps):
            net.current(f"{side}_P", amps)
        else:
            net.source(f"{side}_P", pump.supply_v, pump.limit_ohm)


def _side(net: str) -> str:
    return _SIDES[net[0]]
