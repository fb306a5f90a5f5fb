"""One capture from a file, judged alone: no board, no bench."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.train import current_name, has_current, has_switches
from stimbench.capture.capture import Capture
from stimbench.capture.files import read_capture
from stimbench.capture.quality import Needed, Tolerance, refusals
from stimbench.checks.judge import Verdict, judge_capture
from stimbench.checks.limits import CURRENT_MEASURES, Limits
from stimbench.checks.outcome import Attachment, CaseResult, Outcome
from stimbench.checks.pictures import picture_data
from stimbench.checks.session import therapy_of
from stimbench.errors import InputError

__all__ = ("Import", "RefusedCaptureError", "check_file", "needed_of")

_TIMES = ("width_ns", "gap_ns", "period_ns")


class RefusedCaptureError(InputError):
    """A capture that cannot carry a verdict; has every reason.

    Attributes:
        reasons: one sentence each.
    """

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        lines = "\n".join(f"  {reason}" for reason in reasons)
        super().__init__(f"The capture cannot be judged:\n{lines}")


@dataclass(frozen=True)
class Import:
    """What a file is judged by.

    Attributes:
        path: of the capture.
        program: what was asked for.
        limits: what is allowed.
        channels: `D0=stimulator.L_CATH`, for a file with names of its own.
        start_s: where the therapy begins; None to find it.
        least_ua: without switches: what is smaller is no pulse.
        timing_only: leave out what a current tells.
    """

    path: Path
    program: Program
    limits: Limits
    channels: tuple[str, ...] = field(default_factory=tuple)
    start_s: float | None = None
    least_ua: float | None = None
    timing_only: bool = False


def check_file(asked: Import) -> CaseResult:
    """Read a capture and judge it.

    Raises:
        InputError: it cannot be read.
        RefusedCaptureError: it cannot carry a verdict; before anything was measured.
    """
    capture = read_capture(asked.path, asked.channels)
    limits = asked.limits.without(CURRENT_MEASURES) if asked.timing_only else asked.limits
    reasons = refusals(capture, needed_of(capture, asked.program, limits))
    if reasons:
        raise RefusedCaptureError(reasons)
    therapy = therapy_of(capture, asked.program, _start_ns(asked, capture))
    verdict = judge_capture(therapy.capture, asked.program, limits, asked.least_ua, may_stop=True)
    if verdict.outcome is Outcome.ERROR:
        raise RefusedCaptureError([f"{asked.path}: {verdict.reason}."])
    return _result(asked, limits, capture, verdict, therapy.left_out)


def _start_ns(asked: Import, capture: Capture) -> int | None:
    if asked.start_s is None:
        return None
    begin_s, end_s = capture.start_ns / 1e9, capture.end_ns / 1e9
    if not begin_s <= asked.start_s < end_s:  # nor is it NaN
        raise InputError(f"--start {asked.start_s:g}: the capture goes from {begin_s:g} s to {end_s:g} s.")
    return round(asked.start_s * 1e9)


def needed_of(capture: Capture, program: Program, limits: Limits) -> Needed:
    """What a verdict by these limits asks of a capture: of its leads, those that have an amplitude."""
    digital: list[str] = []
    analog: list[str] = []
    wants_current = any(limits.of(name) is not None for name in CURRENT_MEASURES)
    active = [lead for lead, level in zip(LEADS, program.amplitude_ua, strict=True) if level]
    for lead in active:
        by_switches = has_switches(capture, lead) or not has_current(capture, lead)
        if by_switches:
            digital += [f"stimulator.{name}" for name in LEAD_SIGNALS[lead][:2]]
        if wants_current or not by_switches:
            analog.append(current_name(lead))
    of_ns = {"width_ns": program.width_us * 1000, "gap_ns": program.gap_us * 1000,
             "period_ns": program.period_us * 1000}  # fmt: skip
    tolerances: dict[str, Tolerance | float] = {
        name.removesuffix("_ns"): Tolerance(limit, of_ns[name])
        for name in _TIMES
        if (limit := limits.of(name)) is not None
    }
    return Needed(tuple(digital), tuple(analog), program.period_us * 1000 * 2, tolerances)


def _result(asked: Import, limits: Limits, capture: Capture, verdict: Verdict, left_out: int) -> CaseResult:
    is_empty = not any(len(checked.train.pulses) for checked in verdict.leads.values())
    empty = is_empty and verdict.outcome is not Outcome.PASS
    origin = capture.origin
    return CaseResult(
        name=asked.path.name,
        key="",
        outcome=verdict.outcome,
        reason="no pulse in the capture" if empty else verdict.reason,
        parameters={"program": asked.program.as_dict(), "limits": limits.model_dump(), "matrix": "import",
                    "phases_left_out_as_self_test": left_out},
        measurements=tuple(verdict.measurements),
        findings=tuple(verdict.findings),
        attachments=(Attachment(str(asked.path), origin.sha256, "the capture itself"),),
        instrument=asdict(origin),
        device="",
        picture=picture_data(capture, verdict),
    )  # fmt: skip
