"""What a process does with one case: run, judge, and hand back a result as JSON."""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stimfw.therapy.ranges import LEADS

from stimbench.checks.attach import pack_capture
from stimbench.checks.cases import Case
from stimbench.checks.judge import Verdict
from stimbench.checks.limits import CURRENT_MEASURES, TEXTS, Limits
from stimbench.checks.on_bench import Recorded, record
from stimbench.checks.outcome import CaseResult, Measurement, Outcome
from stimbench.checks.pictures import picture_data
from stimbench.checks.verdicts import judge_recorded
from stimbench.errors import BenchError, NoAnswerError, PortError, RefusedError, StimbenchError

__all__ = (
    "WORK", "NotJudgedError", "about_case", "outcome_of", "parameters_of", "result_data", "run_on_bench",
    "split_error",
)  # fmt: skip

WORK = "stimbench.checks.work:run_on_bench"
_NOT_JUDGED = re.compile(r"\b(ERROR|TIMEOUT): (.*)", re.DOTALL)


def run_on_bench(payload: dict[str, Any], firmware: Mapping[str, Path]) -> dict[str, Any]:
    """One case on an emulated bench.

    Args:
        payload: Case.as_payload, with `attempt`.
        firmware: images by board.

    Returns:
        CaseResult.as_data, without key and times: these are the caller's. `packed` holds files; see attach.

    Raises:
        NotJudgedError: the rig or the tools failed, or the board did not answer.
    """
    attempt = int(payload.pop("attempt", 1))
    case = Case.from_payload(payload)
    about = about_case(case, attempt, "emulated")
    try:
        recorded = record(case, firmware)
        verdict = judge_recorded(case, recorded)
    except RefusedError as error:
        # The board's own answer: it should have begun, and did not.
        return replace(about, outcome=Outcome.FAIL, reason=f"The stimulator refused: {error}").as_data()
    except Exception as error:
        raise NotJudgedError(*outcome_of(error)) from error
    return result_data(about, verdict, recorded)


def about_case(case: Case, attempt: int, device: str) -> CaseResult:
    """What is known of a case before it runs: also when, by this machine's clock."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return CaseResult(
        case.name,
        "",
        Outcome.PASS,
        parameters=parameters_of(case),
        attempt=attempt,
        device=device,
        began_utc=now,
    )


def result_data(about: CaseResult, verdict: Verdict, recorded: Recorded) -> dict[str, Any]:
    """A case's result as JSON.

    Args:
        about: what is known of it without the capture.
        verdict: over the capture.
        recorded: what is kept of it goes into `packed`, unless all is well.

    Raises:
        NotJudgedError: nothing was recorded of a lead that has an amplitude.
    """
    _require_leads(about, verdict)
    found = replace(
        about,
        outcome=verdict.outcome,
        reason=verdict.reason,
        measurements=(*verdict.measurements, *_not_measured(about, verdict)),
        findings=tuple(verdict.findings),
        instrument=asdict(recorded.capture.origin),
        firmware=recorded.firmware,
        picture=picture_data(recorded.capture, verdict),
    ).as_data()
    if verdict.outcome is not Outcome.PASS:
        found["packed"] = pack_capture(recorded.capture)
    return found


def _require_leads(about: CaseResult, verdict: Verdict) -> None:
    """A lead of which nobody saw anything must not pass with the other one."""
    for lead in LEADS:
        if about.parameters["program"][f"{lead}.amplitude_ua"] and lead not in verdict.leads:
            raise NotJudgedError(Outcome.ERROR, f"nothing was recorded of the {lead} lead")


def _not_measured(about: CaseResult, verdict: Verdict) -> list[Measurement]:
    """What limits ask for of a lead whose current nobody recorded, beside a lead whose current is there."""
    limits = Limits.model_validate(about.parameters["limits"])
    names = [name for name in CURRENT_MEASURES if limits.of(name) is not None]
    if all(checked.train.shapes is None for checked in verdict.leads.values()):
        return []
    return [
        Measurement(name, lead, math.nan, TEXTS[name].unit, None, limits.of(name), count=0,
                    note="not measured: no current of this lead was recorded")
        for lead, checked in verdict.leads.items()
        if checked.train.shapes is None and checked.expected.amplitude_ua
        for name in names
    ]  # fmt: skip


class NotJudgedError(StimbenchError):
    """Nothing can be said of the board: the text begins with the outcome, and `split_error` reads it."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(f"{outcome.value}: {reason}")


def split_error(text: str) -> tuple[Outcome, str]:
    """Outcome and reason of a job that gave no result."""
    found = _NOT_JUDGED.search(text)
    return (Outcome(found[1]), found[2]) if found else (Outcome.ERROR, text)


def outcome_of(error: Exception) -> tuple[Outcome, str]:
    """What an exception says of a case that could not be judged, and in which words."""
    text = str(error) or type(error).__name__
    if isinstance(error, PortError):
        return Outcome.ERROR, f"board lost: {text}"
    if isinstance(error, NoAnswerError):
        return Outcome.TIMEOUT, text
    if isinstance(error, BenchError | StimbenchError):
        return Outcome.ERROR, text
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Outcome.ERROR, f"{type(error).__name__}: {text} ({Path(where.filename).name}, line {where.lineno})"


def parameters_of(case: Case) -> dict[str, Any]:
    """What a result tells of its case."""
    return {
        "program": case.program.as_dict(),
        "load": case.load.name,
        "fault": case.fault.text,
        "seed": case.seed,
        "matrix": case.matrix,
        "limits": case.limits.model_dump(),
    } | dict(case.parameters)
