"""Each comparison of the bench's models with ngspice, and within what they have to agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from circuit.proof import compliance, off, pulse
from circuit.proof.pulse import Case
from circuit.sim.deck import Changes
from circuit.snapshot import Snapshot
from circuit.tables import Row
from hardware.models_rig import Columns, Stimulus, in_models, in_spice
from stimbench.parts.relay import OPENS_MS
from stimbench.parts.wiring import StimulatorParts

CURRENT_SHARE, CURRENT_MA = 0.002, 0.002
"""The drain's megohms and 0.25 mV of each op-amp (25 uV in one, at 2.5 mA/V) are in ngspice."""
WIRES_NC = 0.25
"""A phase's charge, for each V of the load's: 196 pF of wires take it and give it back when the phase ends,
which begins 0.25 us late and ends 0.2 us late."""
RAILS_SHARE, RAILS_V = 0.01, 0.02
"""From 5 us on. At rest it is -20 mV: bleeds and bias currents, which the models do not have."""
AFTER_US = (1.0, 2.0, 3.0, 5.0)
V_SHARES, SLOW_V_SHARES = (0.10, 0.04, 0.025, 0.02), (0.10, 0.08, 0.06, 0.04)
I_SHARES = (0.06, 0.03, 0.025, 0.02)
"""Of the settled value, so long after the edge: one pole and a dead time stand for five
poles; the second from 5 kohm on."""
SHUNT_SHARES, SLOW_SHUNT_SHARES = (0.25, 0.06, 0.02, 0.02), (0.5, 0.4, 0.25, 0.1)
"""In an anodic phase the shunt is in front of the wires: their charge passes it, so its pin is
early; the second from 5 kohm on."""
PIN_V, PIN_MA = 0.03, 0.01
"""Offsets at the pins, in V between the rails and in mA: 0.25 mV of the last op-amp, 35 uV of an INA821."""
LIMIT_SHARE = 0.015
"""The transistor's few ohm change with its current; the models have 170 ohm in all."""
FULL_V = 0.15
"""It bends before it limits: 1 % is missing where the models' straight line still has all."""
DECAY_SHARE = 0.02
REST_UA = 0.1
ZERO_UA = 0.5
"""25 uV of the first op-amp, times 2.5 mA/V, and 25 uV on 100 ohm."""
OFF_US, RELAY_MS = 1.0, 0.1
SPIKE_MA = (2.0, 1.2, 0.6, 0.8)
"""A pin slews by 13 mA/us: 0.15 us at the spike's begin, and at its end, which the wires' charge moves."""
SPIKE_NC = 3.5
"""196 pF, charged to 15 V, are in ngspice's spike alone."""
LEAK_MA = 0.1
"""ngspice begins after a long rest: the leak has put 2.5 V on the blocking capacitor, by the bleeds."""

LOADS = ((250.0, 500.0), (1000.0, 500.0), (1000.0, 1e4), (4000.0, 500.0), (4000.0, 2000.0), (1e4, 1000.0))
LIMITED = ((1000.0, 2e4), (4000.0, 5000.0), (1e4, 2000.0))
SPIKES = tuple((ua, ohm) for ua in (250.0, 1000.0, 4000.0) for ohm in (0.1, 500.0, 2000.0))
"""0.1 ohm: both switches of one electrode."""
LARGE_UF = 1e3
PHASES = ("CATH", "ANOD")
WORDS = {"CATH": "cathodic", "ANOD": "anodic"}


Values = tuple[float, ...]


@dataclass(frozen=True)
class Compared:
    """One line of the page: values of both sides, each within its tolerance.

    Attributes:
        what: was compared; names the row.
        unit: of all values.
        spice, models: the values.
        within: how far each may be off, in `unit`; None: only told.
    """

    what: str
    unit: str
    spice: Values
    models: Values
    within: Values | None

    @property
    def row(self) -> Row:
        """As the page shows it."""
        asked, reached = "", None
        if self.within is not None:
            asked = _words(self.within, 2)
            pairs = zip(self.spice, self.models, self.within, strict=True)
            reached = all(abs(models - spice) <= within for spice, models, within in pairs)
        measured = "; ".join(
            _words(side, 4 if len(side) < 5 else 3) for side in (self.spice, self.models) if side
        )
        return Row(f"{self.what} ({self.unit})", asked, measured, reached)


def _words(values: Sequence[float], digits: int = 4) -> str:
    return " ".join(f"{round(value, 4) + 0.0:.{digits}g}" for value in values)


def _named(ua: float, ohm: float) -> str:
    load = "one electrode's two switches" if ohm < 1.0 else f"{ohm:g} ohm"
    return f"{ua / 1000:g} mA, {load}"


def _case(ua: float, ohm: float, **more: float) -> Case:
    times = {"width_us": 100.0, "gap_us": 60.0, "after_us": 30.0, **more}
    return Case(ua, ohm, LARGE_UF if ohm < 1.0 else 20.0, **times)


def _both(board: Snapshot, stimulus: Stimulus, times_us: Sequence[float]) -> tuple[Columns, Columns]:
    return in_spice(board, stimulus, times_us), in_models(stimulus, times_us)


def _by_phase(
    board: Snapshot, stimulus: Stimulus, times_of: Callable[[float, float], list[float]]
) -> Iterator[tuple[str, Columns, Columns]]:
    """One run of both sides; each phase's part of it, at `times_of(rise, fall)`."""
    times = [times_of(*stimulus.case.edges_us()[phase]) for phase in PHASES]
    sides = _both(board, stimulus, [*times[0], *times[1]])
    for k, phase in enumerate(PHASES):
        part = slice(len(times[0])) if k == 0 else slice(len(times[0]), None)
        spice, models = ({name: column[part] for name, column in side.items()} for side in sides)
        yield phase, spice, models


def phases(board: Snapshot, ua: float, ohm: float) -> Iterator[Compared]:
    """Settled current, charge, voltage between the rails, and both pins after each edge."""

    def times_of(rise: float, fall: float) -> list[float]:
        late = [rise + 5.0, (rise + fall) / 2.0, fall - 5.0]
        return [rise - 2.0, *late, fall + 10.0, *(rise + t for t in AFTER_US), fall + 5.0]

    ma = ua / 1000.0
    for phase, spice, models in _by_phase(board, Stimulus(_case(ua, ohm)), times_of):
        name = f"{_named(ua, ohm)}, {WORDS[phase]}"
        if ohm <= 2000.0:
            pair = _pair(spice, models, "lead_ma", slice(1, 4))
            within = (CURRENT_SHARE * ma + CURRENT_MA,) * 3
            yield Compared(f"{name}: current *", "mA", *pair, within)
            pair = _pair(spice, models, "rails_v", slice(1, 4))
            within = tuple(RAILS_SHARE * abs(v) + RAILS_V for v in pair[0])
            yield Compared(f"{name}: between the rails *", "V", *pair, within)
        yield _charge(f"{name}: charge of 100 us", spice, models, 4, WIRES_NC * (1.0 + ma * ohm / 1e3))
        v_shares, anodic = (V_SHARES, SHUNT_SHARES) if ohm < 5000.0 else (SLOW_V_SHARES, SLOW_SHUNT_SHARES)
        yield from _pins(name, v_shares, I_SHARES if phase == "CATH" else anodic, spice, models)


def _charge(what: str, spice: Columns, models: Columns, last: int, within: float) -> Compared:
    moved = [found["charge_nc"][last] - found["charge_nc"][0] for found in (spice, models)]
    return Compared(what, "nC", (moved[0],), (moved[1],), (within,))


def _pins(
    name: str, v_shares: Values, i_shares: Values, spice: Columns, models: Columns
) -> Iterator[Compared]:
    """What both pins show 1 to 5 us after the first edge, and 5 us after the second."""
    early = slice(5, 10)
    for pin, scale, unit, shares, offset in (
        ("v_pin", 10.0, "V", v_shares, PIN_V),
        ("i_pin", 1.0 / 0.15, "mA", i_shares, PIN_MA),
    ):
        shown = [tuple((found[pin][early] - 1.65) * scale) for found in (spice, models)]
        full = abs(shown[0][len(AFTER_US) - 1])
        within = tuple(share * full + offset for share in (*shares, shares[-1]))
        label = {"v_pin": "V_LEFT", "i_pin": "I_SENSE"}[pin]
        yield Compared(f"{name}: {label} **", unit, *shown, within)


def _pair(spice: Columns, models: Columns, name: str, at: slice) -> tuple[Values, Values]:
    return tuple(spice[name][at]), tuple(models[name][at])


def limited(board: Snapshot, ua: float, ohm: float) -> Iterator[Compared]:
    """A load that needs more than there is: current, volts, and what I_SENSE sees of it."""
    case = _case(ua, ohm)
    times = [case.edges_us()[phase][0] + 50.0 for phase in PHASES]
    spice, models = _both(board, Stimulus(case), times)
    name = f"too much load: {_named(ua, ohm)}, both phases"
    for column, what, unit in (("lead_ma", "current", "mA"), ("rails_v", "voltage between the rails", "V")):
        pair = _pair(spice, models, column, slice(0, 2))
        yield Compared(f"{name}: {what}", unit, *pair, tuple(LIMIT_SHARE * abs(v) for v in pair[0]))
    shown = [tuple((found["i_pin"] - 1.65) / 0.15) for found in (spice, models)]
    within = tuple(LIMIT_SHARE * abs(v) + PIN_MA for v in shown[0])
    yield Compared(f"{name}: I_SENSE, in its anodic phase above 13 V", "mA", *shown, within)


def full_current(board: Snapshot) -> Iterator[Compared]:
    """The largest voltage between two electrodes at which 10 mA flow."""
    spice = compliance.volts_at_full_current(board)
    low, high = 900.0, 1500.0
    for _ in range(12):
        ohm = 0.5 * (low + high)
        case = Case(compliance.FULL_UA, ohm, compliance.LARGE_UF, width_us=50.0, gap_us=10.0, after_us=10.0)
        found = in_models(Stimulus(case), [case.edges_us()["CATH"][1] - 2.5])
        low, high = (ohm, high) if -found["lead_ma"][0] >= 9.9 else (low, ohm)
    what = "10 mA within 1 %: the most between the electrodes"
    yield Compared(what, "V", (spice,), (low * 9.9e-3,), (FULL_V,))


def recharge(board: Snapshot) -> Iterator[Compared]:
    """A cathodic phase alone, then the recharge: what is left of its charge."""
    case = Case(4000.0, 500.0, 2.5, width_us=200.0, gap_us=0.0, after_us=6000.0, recharge_us=4.0)
    begin = case.edges_us()["ANOD"][1] + 4.0
    times = [begin - 1.0, *(begin + t for t in (200.0, 1000.0, 2000.0, 5000.0))]
    spice, models = _both(board, Stimulus(case, single=True), times)
    pair = _pair(spice, models, "charge_nc", slice(0, 5))
    within = tuple(DECAY_SHARE * abs(pair[0][0]) for _ in times)
    yield Compared("800 nC, recharged for 0, 0.2, 1, 2, 5 ms: left", "nC", *pair, within)


def resting(board: Snapshot) -> Iterator[Compared]:
    """What flows while nothing is asked for."""
    case = _case(4000.0, 500.0)
    rest = [pulse.LEAD_IN_US - 5.0]
    spice, models = _both(board, Stimulus(case), rest)
    pair = tuple(1e3 * found["lead_ma"][0] for found in (spice, models))
    yield Compared("at rest, electrodes joined: current", "uA", (pair[0],), (pair[1],), (REST_UA,))
    zero = _case(0.0, 500.0)
    times = [sum(zero.edges_us()[phase]) / 2.0 for phase in PHASES]
    spice, models = _both(board, Stimulus(zero), times)
    pairs = [tuple(1e3 * found["lead_ma"]) for found in (spice, models)]
    yield Compared("code 0, both phases: current", "uA", *pairs, (ZERO_UA,) * 2)
    opened = Stimulus(_case(4000.0, 1e9))
    times = [opened.case.edges_us()["CATH"][1] + t for t in (10.0, 50.0)]
    spice, models = _both(board, opened, times)
    yield Compared(
        "an open lead 10 and 50 us after a phase: its rails keep their charge, the models' do not", "V",
        *_pair(spice, models, "rails_v", slice(0, 2)), None,
    )  # fmt: skip


def off_by_q(board: Snapshot) -> Iterator[Compared]:
    """Q falls in a phase: by the gates, and by the relay alone with the gates stuck."""
    case = Case(10_000.0, width_us=200.0, q_falls_us=100.0, after_us=20.0)
    spice = off.quiet_after_us(pulse.run(board, case, reltol=1e-3))
    yield Compared("Q falls: current ends by the gates", "us", (spice,), (_quiet_us(case, None),), (OFF_US,))
    case = Case(1000.0, 500.0, 20.0, width_us=8000.0, gap_us=10.0, q_falls_us=500.0, after_us=20.0)
    nominal, slowest = (time_us / 1e3 for time_us in off.by_relays(board))
    times = [_quiet_us(case, OPENS_MS[which]) / 1e3 for which in ("typical", "worst")]
    yield Compared(
        "the same by the relay alone, gates stuck: nominal, slowest", "ms", (nominal, slowest), tuple(times),
        (RELAY_MS,) * 2,
    )  # fmt: skip


def _quiet_us(case: Case, relay_ms: float | None) -> float:
    """From Q's fall until no current flows in the models, by bisection of its time."""

    def prepare(parts: StimulatorParts) -> None:
        for side, relay in parts.relays.items():
            relay.tolerance(0.0, relay_ms or 0.0)
            if relay_ms is not None:
                parts.bridges[side].break_gates(True, 0)

    fell_us = pulse.LEAD_IN_US + (case.q_falls_us or 0.0)
    times = np.arange(fell_us, fell_us + 3000.0 if relay_ms else fell_us + 3.0, 10.0 if relay_ms else 0.1)
    found = in_models(Stimulus(case, prepare=prepare), [float(time_us) for time_us in times])
    quiet = times[np.abs(found["lead_ma"]) < 1e-3]
    return float(quiet[0]) - fell_us


def spikes(board: Snapshot, ua: float, ohm: float) -> Iterator[Compared]:
    """An idle leg that stays open: the spike at both phases' begin."""
    case = _case(ua, ohm, width_us=40.0)

    def prepare(parts: StimulatorParts) -> None:
        parts.bridges["left"].idle.is_open = True

    stimulus = Stimulus(case, Changes(params={f"U_IDLE{n}_0": {"ron": 1e9} for n in ("", "2")}), prepare)
    for phase, spice, models in _by_phase(
        board, stimulus, lambda rise, _: [rise - 1.0, *(rise + t for t in (1.0, 2.0, 3.0, 4.0)), rise + 10.0]
    ):
        shown = [tuple((found["i_pin"][1:5] - 1.65) / 0.15) for found in (spice, models)]
        name = f"idle leg open: {_named(ua, ohm)}, {WORDS[phase]}"
        yield Compared(f"{name}: I_SENSE ***", "mA", *shown, SPIKE_MA)
        yield _charge(f"{name}: charge of the first 10 us", spice, models, 5, SPIKE_NC)


def leaking(board: Snapshot) -> Iterator[Compared]:
    """15 V through 30 kohm to the shunt's side: what the phases and the rest between them have."""
    case = _case(4000.0, 500.0)
    times = [pulse.LEAD_IN_US - 5.0, *(sum(case.edges_us()[phase]) / 2.0 for phase in PHASES)]
    for rail, positive in (("p15v", True), ("n15v", False)):

        def prepare(parts: StimulatorParts, positive: bool = positive) -> None:
            parts.leads["left"].leak(30e3, positive)

        stimulus = Stimulus(case, Changes(extra=[f"Rleak {rail} l_a 30k"]), prepare)
        pair = _pair(*_both(board, stimulus, times), "lead_ma", slice(0, 3))
        what = f"{'+' if positive else '-'}15 V leak through 30 kohm: rest, cathodic, anodic"
        yield Compared(what, "mA", *pair, (LEAK_MA,) * 3)


Job = Callable[[], list[Compared]]


def jobs(board: Snapshot) -> list[Job]:
    """Every comparison; each runs by itself."""
    found: list[Job] = []
    for make, cases in ((phases, LOADS), (limited, LIMITED), (spikes, SPIKES)):
        found += [lambda make=make, ua=ua, ohm=ohm: list(make(board, ua, ohm)) for ua, ohm in cases]
    for alone in (full_current, recharge, resting, off_by_q, leaking):
        found.append(lambda alone=alone: list(alone(board)))
    return found


def everything(board: Snapshot, workers: int) -> list[Compared]:
    """All rows in order. ngspice runs beside Python, so threads are enough."""
    with ThreadPoolExecutor(workers) as pool:
        return [row for rows in pool.map(lambda job: job(), jobs(board)) for row in rows]
