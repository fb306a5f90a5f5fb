"""500 forged frames a second while stimulating: the pulses, the CPU, and the paired remote's STOP."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from stimfw.telemetry import frames

from stimbench.analysis import find_pulses, orphan_phases, switches_of
from stimbench.analysis.pulses import Pulses
from stimbench.attacks.transmitter import KINDS, RATE_HZ, Transmitter
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, SIDES, programme
from stimbench.benchmarks.radio.rig import HOLD_MS, PairedRig
from stimbench.client.stimulator import Stimulator

__all__ = ("FLOOD", "OPEN", "REMOTE", "STIMULATOR", "Calm", "Press", "calm", "disturbed", "judge", "stop")

OPEN = "open connection"
REMOTE = "remote restarted"
STIMULATOR = "stimulator restarted"

_PRESSES = {OPEN: 12, REMOTE: 6, STIMULATOR: 6}  # with each kind of frame
_PULSES = "pulses"
_FLOOD_MS, _QUICK_FLOOD_MS = 3000, 2000
_FIRST_MS = 1000
"""The beginning of a flood: after it the rate limiter works at its limit."""
_CLOCK_NS = 8
_MOST_AWAKE = 20  # %
_MOST_MS = 250
_STEADY_MS = 500  # of stimulation before the flood, to compare with
_PROGRAM = programme(on_ms=60_000, off_ms=0)
_PERIOD_NS = _PROGRAM.period_us * 1000
_LEAD_NS = MS  # from now to the flood's first packet
_EARLY_MS, _LATE_MS = 300, 2000
"""Every other press comes while the flood is younger than the first, the rest until the second."""
_LONGEST_NS = 3500 * MS  # the remote tries for 3 s
_HOPS_MS = 9000  # 4 s without contact and the stimulator is back on its first channel
_FORGOTTEN_MS = 7000
"""Between two presses: the rate limiter forgets 200 of at most 128 units a second, and a remote that had no
answer gives up."""
_BOOT_MS = 50


@dataclass(frozen=True)
class _Piece:
    """One case. Its name and fields are the seed: another name would be another flood."""

    state: str
    kind: str
    seed: int
    count: int


@dataclass(frozen=True)
class Calm:
    """What a flood did to the stimulation.

    Attributes:
        kind: of its frames.
        sent: frames in the air.
        pulses: of both leads, while it lasted.
        disturbed: of these, with a phase, gap, period or recharge not as programmed; and missing ones.
        worst_ns: the largest error of any of these times.
        awake: share of time in which the CPU did not sleep: before the flood, in its first second, after it,
            over all of it.
        counters: by how much each counter of the firmware grew.
    """

    kind: str
    sent: int
    pulses: int
    disturbed: int
    worst_ns: float
    awake: tuple[float, float, float, float]
    counters: dict[str, int]


@dataclass(frozen=True)
class Press:
    """One STOP on the remote; times in ns from the button's first edge.

    Attributes:
        state: OPEN, REMOTE or STIMULATOR.
        kind: of the flood's frames.
        age_ns: of the flood at the press.
        marks: the remote's first bit, end of the last CHALLENGE (0: none) and of its last frame before off.
        off_ns: until the output was off; infinite if STOP did not stop.
        packets: of the remote until then.
    """

    state: str
    kind: str
    age_ns: int
    marks: tuple[int, int, int]
    off_ns: float
    packets: int


def _cases(options: Options) -> list[_Piece]:
    found = []
    for number, kind in enumerate(KINDS):
        seed = options.seed + number
        found += [
            _Piece(state, kind, seed, max(1, count // (3 if options.quick else 1)))
            for state, count in _PRESSES.items()
        ]
        found.append(_Piece(_PULSES, kind, seed, _QUICK_FLOOD_MS if options.quick else _FLOOD_MS))
    return found


def _work(case: _Piece) -> Calm | list[Press]:
    with PairedRig(case.seed) as rig:
        stimulator = rig.connect()
        for lead in rig.parts.leads.values():
            lead.trace.enabled = False
        rng = random.Random(f"flood {case}")
        flood = Transmitter(rig.bench, rig.pairing, case.kind, rng)
        rig.set_program(stimulator, _PROGRAM)
        if case.state == _PULSES:
            rig.connected()
            return calm(rig, stimulator, flood, case.count)
        found = []
        for number in range(case.count):
            early = number % 2 == 0
            rig.run_ms(_FORGOTTEN_MS)
            rig.connected()
            stimulator = _restarted(rig, stimulator, case.state, rng)
            ages_ms = (0, _EARLY_MS) if early else (_EARLY_MS, _LATE_MS)
            age_ns = rng.randrange(ages_ms[0] * MS, ages_ms[1] * MS)
            found.append(stop(rig, stimulator, flood, case.state, age_ns, rng))
            rig.forget()
        return found


def _restarted(rig: PairedRig, stimulator: Stimulator, state: str, rng: random.Random) -> Stimulator:
    """Nothing for OPEN; else one side is restarted, and the other still holds the old connection."""
    if state == REMOTE:
        rig.bench.board("remote").reset()
        rig.run_ms(_BOOT_MS)
        rig.reach_remote()
    elif state == STIMULATOR:
        rig.board.reset()
        rig.run_ms(_BOOT_MS)
        rig.board.console.read()
        stimulator = rig.connect()
        rig.run_ms(rng.randrange(_HOPS_MS))
        rig.set_program(stimulator, _PROGRAM)
    return stimulator


# Pulses and CPU.


def calm(rig: PairedRig, stimulator: Stimulator, flood: Transmitter, flood_ms: int) -> Calm:
    """Stimulate, flood for `flood_ms`, and compare.

    Args:
        rig: connected, its programme set.
        stimulator: its console.
        flood: off.
        flood_ms: more than 1000.
    """
    rig.restart(stimulator)
    before = stimulator.counters()
    rig.run_ms(HOLD_MS)
    marks = [(rig.now_ns, rig.board.cpu_awake_ns)]
    rig.run_ms(_STEADY_MS)
    begin_ns = rig.now_ns + _LEAD_NS
    flood.begin(begin_ns)
    for end_ns in (begin_ns, begin_ns + _FIRST_MS * MS, begin_ns + flood_ms * MS):
        rig.bench.run_to(end_ns)
        marks.append((rig.now_ns, rig.board.cpu_awake_ns))
    flood.end()
    rig.run_ms(2 * _PERIOD_NS / MS)
    after = stimulator.counters()
    stimulator.stop()
    judged = [disturbed(rig, side, marks[0][0], begin_ns, begin_ns + flood_ms * MS) for side in SIDES]
    shares = [_share(*marks[pair : pair + 2]) for pair in range(3)]
    grown = {name: after[name] - before[name] for name in after if name.startswith("radio")}
    return Calm(
        flood.kind, flood.sent, sum(each[0] for each in judged), sum(each[1] for each in judged),
        max(each[2] for each in judged), (shares[0], shares[1], shares[2], _share(marks[1], marks[3])),
        {name: count for name, count in grown.items() if count},
    )  # fmt: skip


def _share(begin: tuple[int, int], end: tuple[int, int]) -> float:
    return (end[1] - begin[1]) / (end[0] - begin[0])


def disturbed(rig: PairedRig, side: str, from_ns: int, begin_ns: int, end_ns: int) -> tuple[int, int, float]:
    """A lead's pulses in a flood: how many, how many disturbed or missing, and the worst error in ns.

    The recharge is compared with that of the pulses before, all else with the programme.
    """
    switches = switches_of(rig.capture(from_ns, end_ns + _PERIOD_NS), side)
    train = find_pulses(*switches)
    inside = (train["start_ns"] >= begin_ns) & (train["start_ns"] < end_ns)
    mine: Pulses = train[inside]
    if not len(mine):
        return 0, (end_ns - begin_ns) // _PERIOD_NS, float("inf")
    # The train begins before the flood: each pulse has its period, and a missing one lengthens the next.
    wanted = {
        "cathodic_ns": _PROGRAM.width_us * 1000, "anodic_ns": _PROGRAM.width_us * 1000,
        "gap_ns": _PROGRAM.gap_us * 1000, "period_ns": _PERIOD_NS,
        "recharge_ns": int(train["recharge_ns"][~inside][1]),
    }  # fmt: skip
    errors = np.abs(np.vstack([mine[name] - value for name, value in wanted.items()])).max(axis=0)
    missing = max(0, (end_ns - begin_ns) // _PERIOD_NS - len(mine))
    disturbed = int((errors > _CLOCK_NS).sum()) + missing + orphan_phases(switches.cathodic, switches.anodic)
    return len(mine), disturbed, float(errors.max())


# The press.


def stop(
    rig: PairedRig, stimulator: Stimulator, flood: Transmitter, state: str, age_ns: int, rng: random.Random
) -> Press:
    """Stimulate, flood, press STOP when the flood is `age_ns` old, and see when the output is off.

    Off is as in the row `stop-radio`: the switches of both leads have opened.
    """
    first_ns = rig.restart(stimulator)
    phase_ns = rng.randrange(_PERIOD_NS)
    earliest_ns = rig.now_ns + _LEAD_NS + age_ns
    pressed_ns = first_ns + -(-(earliest_ns - first_ns - phase_ns) // _PERIOD_NS) * _PERIOD_NS + phase_ns
    flood.begin(pressed_ns - age_ns)
    rig.bench.run_to(pressed_ns)
    rig.bench.press("STOP", HOLD_MS)
    stopped = rig.bench.run_until(lambda: not rig.joined, _LONGEST_NS, MS)
    open_ns = rig._joined[-1][0]
    rig.run_ms(_PERIOD_NS / MS + 2 * HOLD_MS)
    flood.end()
    if not stopped:
        stimulator.stop()
        return Press(state, flood.kind, age_ns, (0, 0, 0), float("inf"), 0)
    off_ns = max(open_ns, rig.off_ns(pressed_ns))
    said = [
        packet
        for packet in rig.heard(pressed_ns)
        if packet.start_ns < off_ns and not flood.is_own(packet.start_ns)
    ]
    mine = [packet for packet in said if packet.kind in (frames.HELLO, frames.REQUEST)]
    challenges = [packet.end_ns for packet in said if packet.kind == frames.CHALLENGE]
    ends = [packet.end_ns for packet in mine if packet.end_ns <= off_ns]
    marks = (mine[0].start_ns, max([pressed_ns, *challenges]), ends[-1])
    return Press(
        state, flood.kind, age_ns, tuple(mark - pressed_ns for mark in marks),  # type: ignore[arg-type]
        off_ns - pressed_ns, len(mine),
    )  # fmt: skip


# The judgement.


def judge(found: Sequence[Calm | list[Press]], options: Options) -> list[Line]:
    """Five lines: pulses; CPU settled, and from the first frame on; STOP in an open connection, in none."""
    floods = [each for each in found if isinstance(each, Calm)]
    presses = [press for each in found if isinstance(each, list) for press in each]
    opened = [press for press in presses if press.state == OPEN]
    fresh = [press for press in presses if press.state != OPEN]
    return [
        _pulses_line(floods, options),
        _cpu_line("settled: from its second second on", 2, floods, options),
        _cpu_line("from its first frame on", 3, floods, options),
        _stop_line("in an open connection", opened, options),
        _stop_line("with no open connection", fresh, options),
    ]


def _pulses_line(floods: list[Calm], options: Options) -> Line:
    kinds = "; ".join(
        f"{flood.kind}: {flood.sent} frames beside {flood.pulses} pulses, "
        + ", ".join(f"{name.removeprefix('radio_')} {count}" for name, count in flood.counters.items())
        for flood in floods
    )
    disturbed = sum(flood.disturbed for flood in floods)
    line = reached(
        f"flood of {RATE_HZ} forged frames/s: pulses disturbed or missing", disturbed, Relation.EQUAL, 0,
        "pulses",
        f"phases, gap, period within {_CLOCK_NS} ns of the programme, recharge of the pulses before; both "
        f"leads at 20 Hz; worst error {max(flood.worst_ns for flood in floods):.0f} ns; {kinds}; "
        f"seeds {_seeds(options)}",
        floods=[[flood.kind, flood.sent, flood.pulses, flood.disturbed, flood.counters] for flood in floods],
    )  # fmt: skip
    # A flood that never came, or that the firmware never saw, disturbs nothing.
    unseen = [flood.kind for flood in floods if not flood.counters or not flood.pulses]
    return replace(line, passed=False, detail=f"no flood: {unseen}; {line.detail}") if unseen else line


def _cpu_line(what: str, which: int, floods: list[Calm], options: Options) -> Line:
    worst = max(flood.awake[which] for flood in floods)
    kinds = "; ".join(
        f"{flood.kind}: before {flood.awake[0]:.1%}, first second {flood.awake[1]:.1%}, "
        f"then {flood.awake[2]:.1%}, in all {flood.awake[3]:.1%}"
        for flood in floods
    )
    length_ms = _QUICK_FLOOD_MS if options.quick else _FLOOD_MS
    return reached(
        f"flood: CPU awake, {what}", 100 * worst, Relation.AT_MOST, _MOST_AWAKE, "%",
        f"worst kind of a flood of {length_ms / 1000:g} s beside pulses at 20 Hz; {kinds}; "
        f"{options.cache_note}; seeds {_seeds(options)}",
        awake={flood.kind: flood.awake for flood in floods},
    )  # fmt: skip


def _stop_line(what: str, mine: list[Press], options: Options) -> Line:
    worst = max(mine, key=lambda press: press.off_ns)
    groups = []
    for state in dict.fromkeys(press.state for press in mine):
        for kind in dict.fromkeys(press.kind for press in mine):
            some = [press.off_ns / MS for press in mine if (press.state, press.kind) == (state, kind)]
            if some:
                groups.append(
                    f"{state}, {kind}: {len(some)}, median {median(some):.0f}, worst {max(some):.0f} ms"
                )
    first, challenge, request = (mark / MS for mark in worst.marks)
    return reached(
        f"flood: STOP, button -> off, {what}", worst.off_ns / MS, Relation.AT_MOST, _MOST_MS, "ms",
        f"worst of {len(mine)}, at any phase, half in the flood's first {_EARLY_MS} ms, half until "
        f"{_LATE_MS / 1000:g} s; {'; '.join(groups)}; the worst, {worst.age_ns / MS:.0f} ms into the flood: "
        f"first bit {first:.1f}, last CHALLENGE's end {challenge:.1f}, last frame's end {request:.1f} ms, "
        f"{worst.packets} packets; seeds {_seeds(options)}",
        presses=[[p.state, p.kind, p.age_ns, *p.marks, p.off_ns, p.packets] for p in mine],
    )  # fmt: skip


def _seeds(options: Options) -> str:
    return f"{options.seed}-{options.seed + len(KINDS) - 1}"


FLOOD = Row("flood", f"{RATE_HZ} forged frames/s while stimulating", _cases, _work, judge, weight=70)
