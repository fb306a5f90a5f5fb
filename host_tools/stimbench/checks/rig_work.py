"""What a process does with one case on a bench that a file describes: run, refuse or judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from stimfw.therapy.ranges import LEADS

from stimbench.analysis.train import has_switches
from stimbench.capture.quality import refusals
from stimbench.checks.cases import Case
from stimbench.checks.judge import Verdict
from stimbench.checks.left_out import limits_for, needed_for, not_run, unmeasured
from stimbench.checks.limits import TEXTS, TIMING_MEASURES
from stimbench.checks.on_bench import Recorded
from stimbench.checks.on_rig import BoardRestartedError, duration_ms, record_on_rig
from stimbench.checks.outcome import Measurement, Outcome
from stimbench.checks.plan import Plan
from stimbench.checks.run import Where
from stimbench.checks.single import RefusedCaptureError
from stimbench.checks.verdicts import judge_recorded
from stimbench.checks.work import NotJudgedError, about_case, outcome_of, result_data
from stimbench.errors import InputError, RefusedError
from stimbench.rig.rig import Rig, open_rig
from stimbench.rig.session import Session

__all__ = ("RIG_WORK", "judge_recordings", "run_case", "run_on_rig", "where_for")

RIG_WORK = "stimbench.checks.rig_work:run_on_rig"


def where_for(plan: Plan, rig: Rig) -> Where:
    """What the cases of a plan run on: each on an emulated bench of its own, or all on a wired one.

    Cases that a wired bench cannot run are left out, each with its reason.
    """
    if rig.file.is_emulated:
        return Where()
    reasons = {case.name: not_run(case, rig.file, rig.is_attended) for case in plan.cases}
    more = {"rig": {"path": rig.file.path, "sha256": rig.file.sha256}}
    return Where(RIG_WORK, rig.about, more, {name: reason for name, reason in reasons.items() if reason})


def run_on_rig(payload: dict[str, Any], firmware: Mapping[str, Path]) -> dict[str, Any]:
    """One case on the bench of a file.

    Args:
        payload: Case.as_payload, with `attempt`, and the file's path and hash in `rig`.
        firmware: images by board: the stimulator must run the one here.

    Returns:
        See work.run_on_bench.

    Raises:
        NotJudgedError: the rig or the tools failed, or the board did not answer.
    """
    named = payload.pop("rig")
    try:
        rig = open_rig(named["path"])
        if rig.file.sha256 != named["sha256"]:
            raise InputError(f"{named['path']} was changed since the run began.")
    except InputError as error:
        raise NotJudgedError(Outcome.ERROR, str(error)) from error
    return run_case(rig, payload, firmware)


def run_case(rig: Rig, payload: dict[str, Any], firmware: Mapping[str, Path]) -> dict[str, Any]:
    """As run_on_rig, on a bench that is known already."""
    attempt = int(payload.pop("attempt", 1))
    case = Case.from_payload(payload)
    about = about_case(case, attempt, _device(rig))
    try:
        with rig.session(firmware) as session:
            recorded = record_on_rig(case, session, rig.expected_build("stimulator", firmware))
            verdict = judge_recordings(case, recorded, session)
    except (RefusedError, BoardRestartedError) as error:
        told = "The stimulator refused: " if isinstance(error, RefusedError) else ""
        return replace(about, outcome=Outcome.FAIL, reason=f"{told}{error}").as_data()
    except Exception as error:
        raise NotJudgedError(*outcome_of(error)) from error
    found = result_data(about, verdict, recorded[0])
    others = [asdict(each.capture.origin) for each in recorded[1:]]
    return found | {"instrument": found["instrument"] | ({"beside": others} if others else {})}


def _device(rig: Rig) -> str:
    board = rig.file.boards.get("stimulator")
    return board.where if board else "emulated"


def judge_recordings(case: Case, recorded: Sequence[Recorded], session: Session) -> Verdict:
    """One verdict over what all instruments recorded; each by the limits that it can tell.

    Raises:
        RefusedCaptureError: one of the captures cannot carry a verdict; has every reason.
    """
    judged: list[tuple[Case, Recorded]] = []
    reasons: list[str] = []
    for index, each in enumerate(recorded):
        others = (other for at, other in enumerate(recorded) if at != index)
        elsewhere = any(has_switches(other.capture, lead) for other in others for lead in LEADS)
        limits = limits_for(case, each.capture, elsewhere)
        duration_ns = duration_ms(case) * 1_000_000
        reasons += refusals(each.capture, needed_for(case, each.capture, limits, duration_ns))
        judged.append((replace(case, limits=limits), each))
    if reasons:
        raise RefusedCaptureError(reasons)
    verdict = _together([_judged(*each) for each in judged])
    signals = [name for each in session.sources for name in (*each.digital, *each.analog)]
    for name in unmeasured(case, signals):
        verdict.measurements.append(
            Measurement(name, "", math.nan, TEXTS[name].unit, None, case.limits.of(name), count=0,
                        note="not measured: the rig records no current")
        )  # fmt: skip
    return verdict


def _judged(case: Case, recorded: Recorded) -> Verdict:
    """Without the times, where another instrument tells them: they stand in its verdict."""
    verdict = judge_recorded(case, recorded)
    if all(case.limits.of(name) is None for name in TIMING_MEASURES):
        kept = [each for each in verdict.measurements if each.name not in TIMING_MEASURES]
        verdict.measurements[:] = kept
    return verdict


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    whole = verdicts[0]
    for other in verdicts[1:]:
        whole.measurements += other.measurements
        whole.findings += other.findings
        for kind, count in other.counts.items():
            whole.counts[kind] = whole.counts.get(kind, 0) + count
        for lead, checked in other.leads.items():
            known = whole.leads.get(lead)
            if known is None or known.train.shapes is None:
                whole.leads[lead] = checked
    whole.findings.sort(key=lambda each: each.time_ns)
    return whole
