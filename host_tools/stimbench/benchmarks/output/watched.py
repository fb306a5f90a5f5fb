"""The watch on every pulse: each failure of stimbench.parts.faults at random moments of a session."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from stimfw.therapy import watch_table
from stimfw.therapy.program import Program

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MARK_GPIO, MS, SIDES, Rig, programme
from stimbench.benchmarks.output.watched_script import FAULT_LINE, script
from stimbench.parts import faults, tolerances
from stimbench.parts.faults import FAILURES, Failure, Place
from stimbench.parts.lead import Lead

__all__ = ("FINAL", "WATCH", "Case", "Outcome", "run_case")

FINAL: dict[str, int] = {
    "conductor broken": watch_table.OPEN,
    "conductors touch": watch_table.SHORT,
    "loose contact": watch_table.INTERMITTENT,
    "electrode too resistive": watch_table.COMPLIANCE,
    "electrode drifts": watch_table.DRIFT,
    "DAC code stuck": watch_table.DAC,
    "DAC reference off": watch_table.REFERENCE,
    "switch stuck open": watch_table.SWITCH,
    "switch stuck closed": watch_table.SWITCH,
    "pump dead": watch_table.PUMP,
    "pump saturated": watch_table.PUMP,
    "pump gain too high": watch_table.PUMP,
    "anodic switch dead": watch_table.IMBALANCE,
    "anodic switch shunted": watch_table.IMBALANCE,
    "bridge leaks": watch_table.IMBALANCE,
    "converter stuck": watch_table.ADC,
    "converter reference off": watch_table.REFERENCE,
    "current amplifier's offset": watch_table.AMPLIFIER,
    "supply low": watch_table.SUPPLY,
    "too warm": watch_table.TEMPERATURE,
    "field from outside": watch_table.INTERFERENCE,
}
"""What the last word of watch and diagnosis has to be."""

AT_ONCE = (
    "pump saturated", "pump gain too high", "anodic switch dead", "anodic switch shunted", "bridge leaks",
)  # fmt: skip
"""Current out of control, direct current, imbalance: before the next pulse of that lead, or within 20 ms."""
IN_A_REST = ("supply low", "too warm")
SHOWS_UA = 1500
"""A pulse counts from this amplitude on: below it a share of the current drowns in the converter's errors."""

_AMPLITUDE_UA = 4000
_ELECTRODES = (1, 2)
_CYCLE_MS = 4000
_WAIT_MS = 7000
_TOLERANCES = (0, 1, -1)
_AT_ONCE_MS = 20
_PULSES = 3
_AMPS_A_CODE = 2.5e-6
_FAR_BEYOND_V = 15.5  # of the pump's 15 V: less is within the tolerance of the current
_LEAK_V = 12.5  # across a switch that leaks into the anodic phase: 15 V less what the lead needs
_SMALL_LEAK_UA = 300  # below this only the mean of 32 pulses shows it (docs/watch.md), one block or two
_MEAN_PULSES = 64
_DRIFTED_OHM = 625.0  # a quarter more than at first
_RATES_HZ = (20, 50, 100, 200)
_STEP_MS = 500


@dataclass(frozen=True)
class Case:
    """One failure at one moment.

    Attributes:
        failure: its name.
        seed: of the bench and of the moment.
        tolerance: 0 the seed's parts, 1 and -1 the ends of all tolerances.
        rate_hz: of the session.
    """

    failure: str
    seed: int
    tolerance: int
    rate_hz: int


@dataclass
class Outcome:
    """What became of it.

    Attributes:
        case: which.
        side: 0 left, 1 right, 2 the device.
        told: fault, lead and action of all that the board told, in order.
        pulses: of that lead in which the failure showed, until it was told.
        first_ms: from the first such pulse's edge until it was told; 0 if it was told before one.
        allowed_ms: for AT_ONCE.
        leak_ua: what a leaking switch adds to the anodic phase.
    """

    case: Case
    side: int
    told: list[tuple[int, int, int]] = field(default_factory=list)
    pulses: int = 0
    first_ms: float = 0.0
    allowed_ms: float = 0.0
    leak_ua: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether name and side are right, and the action came in time."""
        return self.is_named and self.is_timely

    @property
    def is_named(self) -> bool:
        """Whether the last word has the right name and side."""
        if not self.told:
            return False
        wanted = FINAL[self.case.failure]
        fault, lead, _ = self.told[-1]
        of_device = watch_table.row_of(wanted)[watch_table.SIDE] == watch_table.DEVICE
        return fault == wanted and lead in ((self.side, watch_table.BOTH) if of_device else (self.side,))

    @property
    def is_timely(self) -> bool:
        """Whether the action came within the pulses, or the time, that there were for it."""
        name = self.case.failure
        if name in IN_A_REST or not self.told:
            return bool(self.told)
        if self.leak_ua < _SMALL_LEAK_UA and name == "bridge leaks":
            return self.pulses <= _MEAN_PULSES
        return self.first_ms <= self.allowed_ms if name in AT_ONCE else self.pulses <= _PULSES


class _Pulses:
    """Every pulse's edge, and what there was to see in it."""

    def __init__(self, rig: Rig, side: str, row: Failure) -> None:
        self.found: list[tuple[int, bool]] = []
        self._rig, self._side, self._row = rig, side, row
        self._lead: Lead = rig.parts.leads[side]
        self._channel = list(SIDES).index(side)
        self._since = -1
        names = {"left": ("L_CATH", "L_ANOD"), "right": ("R_CATH", "R_ANOD")}[side]
        self._shown = False
        rig.board.pin(names[0]).on_edge(self._cathodic)
        rig.board.pin(names[1]).on_edge(self._anodic)

    def _shows(self) -> bool:
        set_a: float = self._rig.parts.dac.code(self._channel) * _AMPS_A_CODE
        if set_a * 1e6 < SHOWS_UA:
            return False
        name = self._row.name
        electrodes = [self._lead.electrodes[k] for k in _ELECTRODES]
        ohm: float = sum(each.values.r_s_ohm for each in electrodes)
        if name == "loose contact":
            return any(each.is_open for each in electrodes)
        if name == "electrode drifts":
            return ohm > _DRIFTED_OHM
        if name == "electrode too resistive":
            return ohm * set_a > _FAR_BEYOND_V
        return True

    def _cathodic(self, level: bool, time_ns: int) -> None:
        if level:
            self.found.append((time_ns, self._shows()))

    def _anodic(self, level: bool, _time_ns: int) -> None:
        if self.found and not level and self._row.name == "loose contact" and self._shows():
            self.found[-1] = (self.found[-1][0], True)


def run_case(case: Case) -> Outcome:
    """Boot, start a session, break something at a random moment, and listen."""
    rng = random.Random(f"watch/{case.failure}/{case.seed}")
    row = faults.failure(case.failure)
    side = rng.choice(tuple(SIDES))
    with Rig(case.seed) as rig:
        if case.tolerance:
            tolerances.worst_case(rig.parts, case.tolerance)
        stimulator = rig.execute(script(MARK_GPIO))
        rig.set_program(stimulator, _programme(case))
        acted = rig.mark()
        rig.parts.matrix.on_change(lambda _chip, time_ns: acted.extend([] if rig.joined else [time_ns]))
        stimulator.start()
        rig.board.console.read()
        pulses = _Pulses(rig, side, row)
        rig.until_pulsing(rig.now_ns)
        rig.run_ms(rng.uniform(200, 200 + _CYCLE_MS))
        at_ns = rig.now_ns
        outcome = Outcome(case, list(SIDES).index(side) if row.one_side else watch_table.BOTH)
        code = round(_AMPLITUDE_UA * 1e-6 / _AMPS_A_CODE)
        row.inject(Place(rig.parts, rig.board.scheduler, side, *_ELECTRODES, rng, code))
        outcome.leak_ua = _LEAK_V * 1e6 / (_leak_ohm(rig.parts.leads[side]) or _LEAK_V)
        text = b""
        while rig.now_ns < at_ns + _WAIT_MS * MS:
            rig.run_ms(_STEP_MS)
            text += bytes(rig.board.console.read())
        _judge_times(outcome, pulses.found, acted, at_ns)
        outcome.told = _told(text)
        return outcome


def _leak_ohm(lead: Lead) -> float:
    """Of a bridge switch that leaks; 0: none does."""
    return lead.leaks.ohm if lead.leaks else 0.0


def _programme(case: Case) -> Program:
    return programme(
        rate_hz=case.rate_hz, ramp_ms=500, on_ms=2000, off_ms=1000,
        amplitude_ua=(_AMPLITUDE_UA, _AMPLITUDE_UA), electrodes=_ELECTRODES,
    )  # fmt: skip


def _told(text: bytes) -> list[tuple[int, int, int]]:
    found = []
    for line in text.split(b"\r\n"):
        if line.startswith(FAULT_LINE):
            fault, lead, action = line[len(FAULT_LINE) :].split(b" ")[:3]
            if int(fault) < 100:
                found.append((int(fault), int(lead), int(action)))
    return found


def _judge_times(
    outcome: Outcome, pulses: Sequence[tuple[int, bool]], acted: Sequence[int], at_ns: int
) -> None:
    """From the first pulse that began after it and in which it showed, to the action.

    That is what the board told, or its electrodes opening, whichever came first.
    """
    rate_hz = outcome.case.rate_hz
    outcome.allowed_ms = 1000 / rate_hz if rate_hz <= 50 else _AT_ONCE_MS
    after = sorted(time_ns for time_ns in acted if time_ns > at_ns)
    showed = [begin_ns for begin_ns, shows in pulses if shows and begin_ns > at_ns]
    if after and showed and showed[0] <= after[0]:
        outcome.pulses = sum(begin_ns < after[0] for begin_ns in showed)
        outcome.first_ms = (after[0] - showed[0]) / MS


def _cases(options: Options) -> list[Case]:
    moments = 2 if options.quick else 50
    return [
        Case(row.name, options.seed + k, _TOLERANCES[k % len(_TOLERANCES)], _RATES_HZ[k % len(_RATES_HZ)])
        for row in FAILURES
        for k in range(moments)
    ]


def _judge(found: Sequence[Outcome], options: Options) -> list[Line]:
    named = sum(each.is_named for each in found)
    wrong = [each for each in found if not each.is_right]
    at_once = [
        each.first_ms
        for each in found
        if each.case.failure in AT_ONCE
        and not (each.case.failure == "bridge leaks" and each.leak_ua < _SMALL_LEAK_UA)
    ]
    most = max(each.pulses for each in found if each.case.failure not in (*AT_ONCE, *IN_A_REST))
    small = [
        each.pulses for each in found if each.case.failure == "bridge leaks" and each.leak_ua < _SMALL_LEAK_UA
    ]
    examples = "; ".join(_in_words(each) for each in wrong[:5])
    return [
        reached(
            "faults at random moments of a session: right name and side, action in time",
            100.0 * (len(found) - len(wrong)) / len(found), Relation.AT_LEAST, 100, "%",
            f"{len(found) - len(wrong)} of {len(found)}, {named} named; {len(FAILURES)} failures; typical "
            f"and worst tolerances; 20 to 200 Hz; {_AMPLITUDE_UA} uA, bilateral; a pulse counts from "
            f"{SHOWS_UA} uA on; at most {most} pulses until the action; current out of control, direct "
            f"current and imbalance: {max(at_once):.1f} ms at the most; leaks below {_SMALL_LEAK_UA} uA: "
            f"{max(small, default=0)} pulses at the most; seed {options.seed}. "
            f"{options.cache_note}" + (f" Wrong: {examples}" if wrong else ""),
            samples=len(found), most_pulses=most, at_once_ms=max(at_once),
            wrong=[vars(each.case) for each in wrong],
        )
    ]  # fmt: skip


def _in_words(outcome: Outcome) -> str:
    case = outcome.case
    return (
        f"{case.failure}, seed {case.seed}, {case.rate_hz} Hz, tolerance {case.tolerance}: "
        f"told {outcome.told}, {outcome.pulses} pulses, {outcome.first_ms:.1f} ms"
    )


WATCH = Row("watch", "every fault named, on the right side, in time", _cases, run_case, _judge, weight=3)
