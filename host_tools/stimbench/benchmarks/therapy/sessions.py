"""Whole sessions: pulses and ledger against the bench's own count, and no alarm while nothing is wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from stimfw.protocol import journal_entries, messages

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.therapy.rig import PLAN, ImplantRig, PulseCounter, entries_of
from stimbench.parts import tolerances

__all__ = ("QUIET_SESSIONS", "SESSION")

_WALL_S = 180
_TAIL_S = 60
_ALARMS = (
    journal_entries.FAULT, journal_entries.WARNING, journal_entries.INTERFERENCE, journal_entries.PART_FAILED,
)  # fmt: skip
_TOLERANCES = (0, 1, -1)


@dataclass(frozen=True)
class _Case:
    seed: int
    session_s: int
    tolerance: int = 0


@dataclass(frozen=True)
class _Found:
    """A session's end, and what the two records say: of (left, right)."""

    case: _Case
    cause: int
    cycles: int
    counted: tuple[int, int]
    ledger: tuple[int, int]
    charge_uc: tuple[float, float]
    ledger_uc: tuple[int, int]
    missed: int
    alarms: tuple[str, ...]
    wall_s: float


def _run(case: _Case, boards: tuple[str, ...], by_button: bool) -> _Found:
    began = time.perf_counter()
    with ImplantRig(case.seed, PLAN.replaced({"session_s": case.session_s}), boards) as rig:
        if case.tolerance:
            tolerances.worst_case(rig.parts, case.tolerance)
        stimulator = rig.ready()
        counter = PulseCounter(rig)
        if by_button:
            rig.run_ms(1000)
            rig.bench.press("START")
        else:
            stimulator.start()
        rig.run_forgetting_s(case.session_s + _TAIL_S)
        entries = entries_of(stimulator)
        wall_s = time.perf_counter() - began
    ends = [fields for kind, fields in entries if kind == journal_entries.SESSION_ENDED]
    delivered = [fields for kind, fields in entries if kind == journal_entries.DELIVERED]
    currents = [fields for kind, fields in entries if kind == journal_entries.CURRENT]
    end = ends[0] if len(ends) == 1 else {"cause": -1, "cycles": 0}
    ledger = tuple(each["pulses"] for each in delivered) if len(delivered) == 2 else (-1, -1)
    charge = tuple(each["charge_uc"] for each in delivered) if len(delivered) == 2 else (-1, -1)
    return _Found(
        case, end["cause"], end["cycles"], (counter.pulses[0], counter.pulses[1]), (ledger[0], ledger[1]),
        (counter.charge_uc[0], counter.charge_uc[1]), (charge[0], charge[1]),
        sum(each["missed"] for each in currents),
        tuple(journal_entries.TABLE[kind][journal_entries.NAME] for kind, _ in entries if kind in _ALARMS),
        wall_s,
    )  # fmt: skip


def _whole_cases(options: Options) -> list[_Case]:
    return [_Case(options.seed, 300 if options.quick else 1800)]


def _whole(case: _Case) -> _Found:
    """Both boards; START by the remote's button."""
    return _run(case, ("stimulator", "remote"), True)


def _judge_whole(found: Sequence[_Found], options: Options) -> list[Line]:
    one = found[0]
    minutes = one.case.session_s / 60
    what = f"{minutes:g} minute bilateral session, both boards"
    over = one.cause == messages.STOPPED_SESSION_OVER
    apart = sum(abs(mine - own) for mine, own in zip(one.ledger, one.counted, strict=True)) + one.missed
    charge = max(
        abs(mine - own) / own * 100 if own else 100.0
        for mine, own in zip(one.ledger_uc, one.charge_uc, strict=True)
    )
    text = f"START by the remote's button; {one.cycles} contractions; seed {options.seed}"
    return [
        reached(f"{what}: ended because it was over", int(over), Relation.EQUAL, 1, "", text),
        reached(
            f"{what}: pulses in the ledger, beside the bench's own count", apart, Relation.EQUAL, 0, "pulses",
            f"{one.counted[0]} left and {one.counted[1]} right, {one.missed} not measured", **vars(one.case),
        ),
        reached(
            f"{what}: charge in the ledger, beside what was set", charge, Relation.AT_MOST, 2, "%",
            f"{one.ledger_uc[0]} and {one.ledger_uc[1]} uC measured by the stimulator",
        ),
        reached(
            f"{what}: wall time", one.wall_s, Relation.AT_MOST, _WALL_S, "s",
            "with boot and the pull of its journal; depends on the machine: "
            f"{one.case.session_s / one.wall_s:.1f} emulated seconds a second",
        ),
    ]  # fmt: skip


SESSION = Row(
    "session", "a whole session of both boards against the bench's own record", _whole_cases, _whole,
    _judge_whole, weight=120, alone=True,
)  # fmt: skip


def _quiet_cases(options: Options) -> list[_Case]:
    sessions = 2 if options.quick else 10
    return [
        _Case(options.seed + k, 120 if options.quick else 600, _TOLERANCES[k % 3]) for k in range(sessions)
    ]


def _quiet(case: _Case) -> _Found:
    return _run(case, ("stimulator",), False)


def _judge_quiet(found: Sequence[_Found], options: Options) -> list[Line]:
    alarms = [alarm for one in found for alarm in one.alarms]
    ended = sum(one.cause == messages.STOPPED_SESSION_OVER for one in found)
    pulses = sum(sum(one.counted) for one in found)
    text = (
        f"{len(found)} whole sessions of {found[0].case.session_s} s, {pulses} pulses, typical and worst "
        f"tolerances, "
        f"seeds {options.seed}-{options.seed + len(found) - 1}"
        + (f": {sorted(set(alarms))}" if alarms else "")
    )
    return [
        reached("healthy sessions: alarms", len(alarms), Relation.EQUAL, 0, "", text, alarms=alarms),
        reached(
            "healthy sessions that ended because they were over", ended, Relation.EQUAL, len(found), "", text
        ),
    ]


QUIET_SESSIONS = Row(
    "sessions", "whole sessions with nothing wrong: no alarm", _quiet_cases, _quiet, _judge_quiet, weight=40
)
