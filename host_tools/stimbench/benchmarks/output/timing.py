"""Every edge of >= 200 pulses a lead, at the default programme and twelve corners, beside a busy CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from stimfw.protocol import messages
from stimfw.therapy.contraction import Contraction
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import AMPLITUDE_UA, GAP_US, GUARD_US, RAMP_UP_MS, RATE_HZ, WIDTH_US

from stimbench.analysis import (
    Timing,
    intervals,
    orphan_phases,
    overlaps,
    spread_of,
    switches_of,
    timing_errors,
    union,
)
from stimbench.analysis.edges import Intervals
from stimbench.analysis.pulses import Pulses
from stimbench.benchmarks.harness.load import LOADED_APPLICATION, HostLoad, Seen, Watcher
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import SIDES, Rig, most_ua, programme

__all__ = ("PULSES", "TIMING", "Case", "cases", "highest_rate_hz")

PULSES = 200
_CLOCK_NS = 8
_USUAL_UA = 2000
"""Of a case that names no amplitude, or less where less is allowed: a pulse's times do not depend on it."""
_HOLD_MOST_MS = 60_000
_REST_PERIODS = 1.5
_FRAMES_A_SECOND = 16


@dataclass(frozen=True)
class Case:
    """A programme and how many contractions of it make enough pulses."""

    name: str
    program: Program
    contractions: int
    seed: int


@dataclass(frozen=True)
class _Found:
    case: Case
    pulses: tuple[int, int]
    expected: int
    worst_ns: dict[str, float]
    overlap_ns: int
    faults: tuple[str, ...]
    seen: Seen
    awake_share: float
    programs: int
    frames: int
    radio_frames: int


def highest_rate_hz(width_us: int, gap_us: int) -> int:
    """The highest rate at which two such pulses fit into a period (stimfw.therapy.program)."""
    slot_us = 2 * width_us + gap_us + GUARD_US
    for rate_hz in range(RATE_HZ.high, RATE_HZ.low - 1, -1):
        if (1_000_000 + rate_hz // 2) // rate_hz // 2 >= slot_us:
            return rate_hz
    raise ValueError(f"no rate allows {width_us} us with {gap_us} us")


def _case(name: str, seed: int, pulses: int, ramp_ms: int = 0, **fields: object) -> Case:
    """The case of a programme: holds just long enough for `pulses`, in as many contractions as that takes."""
    rate_hz = int(str(fields.get("rate_hz", 20)))
    wanted_ms = -(-pulses * 1000 // rate_hz)
    contractions = -(-wanted_ms // _HOLD_MOST_MS)
    on_ms = max(1000, -(-wanted_ms // contractions) + 1000 // rate_hz)
    rest_ms = 600 + round(1000 * _REST_PERIODS / rate_hz)
    shape: dict[str, Any] = {
        "ramp_ms": ramp_ms,
        "on_ms": min(_HOLD_MOST_MS, on_ms),
        "off_ms": rest_ms,
        "amplitude_ua": (0, 0),
    } | fields
    program = programme(**shape)
    if program.amplitude_ua == (0, 0):
        ua = min(_USUAL_UA, most_ua(program))
        program = program.with_amplitudes(ua, ua)
    return Case(name, program, contractions, seed)


def cases(options: Options) -> list[Case]:
    """The default programme and the twelve corners; with --quick only those that take seconds."""
    seed = options.seed
    low_ua, high_ua = AMPLITUDE_UA.step, AMPLITUDE_UA.high
    found = [_case("default programme", seed, PULSES)]
    for width in (WIDTH_US.low, WIDTH_US.high):
        for gap in (GAP_US.low, GAP_US.high):
            top = highest_rate_hz(width, gap)
            for rate in (RATE_HZ.low, top):
                name = f"{width} us, gap {gap} us, {rate} Hz"
                found.append(_case(name, seed, PULSES, width_us=width, gap_us=gap, rate_hz=rate))
    found += [
        _case("20 Hz, 25 and 10000 uA", seed, PULSES, amplitude_ua=(low_ua, high_ua)),
        _case("20 Hz, ramps of 10 s to 10000 uA", seed, 20, RAMP_UP_MS.high, amplitude_ua=(high_ua, high_ua)),
        _case("20 us at the top rate, 10000 uA", seed, 2 * PULSES, width_us=WIDTH_US.low,
              rate_hz=highest_rate_hz(WIDTH_US.low, 0), amplitude_ua=(high_ua, high_ua)),
        _case("1000 us, gap 500 us, 20 Hz, ramps of 2 s, 10000 and 25 uA", seed, PULSES, 2000,
              width_us=WIDTH_US.high, gap_us=GAP_US.high, amplitude_ua=(high_ua, low_ua)),
    ]  # fmt: skip
    return [found[0]] + [case for case in found[1:9] if case.program.rate_hz > 1] if options.quick else found


def _run(case: Case) -> _Found:
    """One case on a bench of its own, the loaded application on the stimulator."""
    program = case.program
    with Rig(case.seed, ("stimulator", "remote")) as rig:
        stimulator = rig.execute(LOADED_APPLICATION)
        for lead in rig.parts.leads.values():
            lead.trace.enabled = False
        rig.set_program(stimulator, program)
        watcher = Watcher(rig)
        load = HostLoad(rig, program.period_us * 1000, _FRAMES_A_SECOND, case.seed)
        begin_ns = rig.now_ns
        rig.restart(stimulator)
        first_ns, awake_ns, programs = rig.now_ns, rig.board.cpu_awake_ns, len(rig.board.flash.operations)
        cycle_ms = program.ramp_up_ms + program.on_ms + program.ramp_down_ms + program.off_ms + 200
        load.run_ms(case.contractions * cycle_ms - program.off_ms // 2)
        share = (rig.board.cpu_awake_ns - awake_ns) / (rig.now_ns - first_ns)
        programs = len(rig.board.flash.operations) - programs
        replies = load.finish()
        status = stimulator.status()
        ended = f"the session ended: {status.stop_name}" if status.state == messages.READY else ""
        stimulator.stop()
        radio = stimulator.counters()["radio_frames"]
        found = _analysed(case, rig, begin_ns, watcher.seen, share, programs, replies, radio)
        return replace(found, faults=(ended, *found.faults)) if ended else found


def _analysed(
    case: Case, rig: Rig, begin_ns: int, seen: Seen, share: float, programs: int, frames: int, radio: int
) -> _Found:
    program = case.program
    period_ns = program.period_us * 1000
    expected = Contraction(program).periods
    pulses: list[int] = []
    timings: list[Timing] = []
    high: list[Intervals] = []
    faults: list[str] = []
    since, whole = rig.capture(begin_ns), rig.capture()
    for side in SIDES:
        mine = _whole_contractions(rig, side, begin_ns, case, expected, faults)
        pulses.append(len(mine))
        wanted = (program.width_us * 1000, program.gap_us * 1000, period_ns)
        timings.append(timing_errors(mine, *wanted, round(_REST_PERIODS * period_ns)))
        cathodic, anodic, _ = switches_of(since, side)
        recharge = switches_of(whole, side).recharge
        if orphan_phases(cathodic, anodic):
            faults.append(f"{side}: an anodic phase without a cathodic one")
        for one, other in ((cathodic, anodic), (cathodic, recharge), (anodic, recharge)):
            if len(overlaps(intervals(one), intervals(other))):
                faults.append(f"{side}: two switches of the bridge on at once")
        high.append(union(intervals(cathodic), intervals(anodic)))
    both = overlaps(*high)
    worst_ns = {
        field: max(spread_of(getattr(timing, field)).worst for timing in timings)
        for field in ("width", "gap", "period")
    }
    return _Found(
        case, (pulses[0], pulses[1]), expected * case.contractions, worst_ns,
        int((both[:, 1] - both[:, 0]).sum()), tuple(faults), seen, share, programs, frames, radio,
    )  # fmt: skip


def _whole_contractions(
    rig: Rig, side: str, begin_ns: int, case: Case, expected: int, faults: list[str]
) -> Pulses:
    """The pulses of a lead in the contractions that were awaited; too few of them are a fault.

    A contraction ends when the CPU says so: a busy one lets more pulses come than the programme has.
    """
    found = rig.therapy(side, begin_ns)
    rests = np.flatnonzero(found["period_ns"] >= _REST_PERIODS * case.program.period_us * 1000)
    # The first pulse follows the self-test: that is no rest.
    groups = np.split(found, rests[rests > 0])[: case.contractions]
    counts = [len(group) for group in groups]
    if len(counts) != case.contractions or min(counts) < expected:
        faults.append(f"{side}: contractions of {counts} pulses, not of {expected}")
    whole: Pulses = np.concatenate(groups)
    return whole


def _judge(found: Sequence[_Found], options: Options) -> list[Line]:
    lines = [_case_line(each) for each in found]
    fewest = min(min(each.pulses) for each in found)
    overlap_ns = sum(each.overlap_ns for each in found)
    top = highest_rate_hz(WIDTH_US.high, GAP_US.high)
    return [
        *lines,
        reached(
            "left/right overlap, all programmes", overlap_ns, Relation.EQUAL, 0, "ns",
            f"cathodic and anodic phases of one lead against the other's, {len(found)} programmes, at least "
            f"{fewest} pulses a lead; 1000 us with a gap of 500 us at {RATE_HZ.high} Hz is refused (two "
            f"pulses do not fit into a period): measured at {top} Hz, the highest rate allowed",
        ),
    ]  # fmt: skip


def _case_line(found: _Found) -> Line:
    faults = list(found.faults)
    if min(found.pulses) < PULSES:
        faults.append(f"fewer than {PULSES} pulses a lead")
    seen = found.seen
    errors = ", ".join(f"{name} {worst:.0f}" for name, worst in found.worst_ns.items())
    detail = (
        f"{found.pulses[0]} + {found.pulses[1]} pulses ({found.expected} a lead programmed); worst error, "
        f"ns: {errors}; CPU awake {found.awake_share:.0%} of the time and at {seen.awake} of {seen.edges} "
        f"cathodic edges, {seen.programming} of them amid one of {found.programs} page programs; "
        f"{found.frames} USB and {found.radio_frames} radio frames; seed {found.case.seed}"
    )
    line = reached(
        f"timing: {found.case.name}", max(found.worst_ns.values()), Relation.AT_MOST, _CLOCK_NS, "ns", detail,
        worst_ns=found.worst_ns, pulses=found.pulses,
        overlap_ns=found.overlap_ns, faults=faults, cpu_awake=found.awake_share,
        programme=found.case.program.as_dict(),
    )  # fmt: skip
    if not faults:
        return line
    return replace(line, passed=False, detail="; ".join([*faults, detail]))


TIMING = Row(
    "timing", "width, gap and period of >= 200 pulses a lead beside a busy CPU; overlap",
    cases, _run, _judge, weight=100,
)  # fmt: skip
