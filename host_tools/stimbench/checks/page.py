"""A run as an HTML page that needs no other file: what failed first, with its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimbench import __version__
from stimbench.checks.charts import case_charts, neighbourhood_charts
from stimbench.checks.flaky import repetitions
from stimbench.checks.outcome import CaseResult, Measurement, Outcome
from stimbench.checks.run import Run
from stimbench.report.page import write_page
from stimbench.report.style import Picture, picture_of

__all__ = ("Page", "Table", "page_of", "write_html_page")

_MOST_FAILING = 20
_MOST_FINDINGS = 12
_MOST_ROWS = 5000
"""A browser takes long over a table of more."""
_FIELD_NEIGHBOURHOODS = 3
_CSS = {Outcome.PASS: "pass", Outcome.MARGINAL: "pass", Outcome.FAIL: "fail"}
_NOT_JUDGED = "the rig failed, or they were not run"
_RIG = (Outcome.ERROR, Outcome.TIMEOUT, Outcome.ABORTED)


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    title: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Page:
    """What the template checks.html.j2 takes."""

    title: str
    summary: str
    verdict: str
    verdict_class: str
    counts: Sequence[tuple[str, int]]
    rig_told: str
    failing: Sequence[dict[str, Any]]
    failing_left_out: int
    pictures: Sequence[Picture]
    tables: Sequence[Table]
    caveats: Sequence[str]
    facts: Sequence[tuple[str, str]]
    files: Sequence[tuple[str, str]] = field(default_factory=tuple)


def page_of(run: Run, files: Sequence[tuple[str, str]], more: Sequence[Table] = ()) -> Page:
    """The page of a run.

    Args:
        run: with its results.
        files: what lies beside the page: name, and what it is.
        more: further tables, of peers' tests say.
    """
    about, results = run.about, run.results
    bad = [result for result in results if result.outcome is not Outcome.PASS]
    bad.sort(key=lambda result: result.outcome is not Outcome.FAIL)
    sample = next((each for each in results if each.outcome is Outcome.PASS and each.picture), None)
    rig = sum(result.outcome in _RIG for result in results)
    return Page(
        title=str(about.get("title") or f"Pulse check: {about.get('plan', '')}"),
        summary=str(about.get("description", "")),
        verdict=_verdict(run),
        verdict_class="fail" if run.outcome is Outcome.FAIL else "rig" if rig else "pass",
        counts=[(outcome.value, count) for outcome, count in run.counts.items()],
        rig_told=f"{rig} cases say nothing of the board: {_NOT_JUDGED}." if rig else "",
        failing=[_failing(result) for result in bad[:_MOST_FAILING]],
        failing_left_out=max(len(bad) - _MOST_FAILING, 0),
        pictures=[picture_of(chart) for chart in case_charts(sample)] if sample else [],
        tables=[*more, *_repeated(results), _cases(results)],
        caveats=_caveats(run),
        facts=_facts(run),
        files=files,
    )


def _verdict(run: Run) -> str:
    total, good = len(run.results), sum(result.outcome.is_good for result in run.results)
    failed = run.counts.get(Outcome.FAIL, 0)
    if failed:
        return f"{failed} of {total} cases failed"
    return f"All {total} cases hold" if good == total else f"{good} of {total} cases hold, none failed"


def _failing(result: CaseResult) -> dict[str, Any]:
    rows = [each for each in result.measurements if each.outcome not in (None, Outcome.PASS)]
    charts = neighbourhood_charts(result)[:_FIELD_NEIGHBOURHOODS] + case_charts(result)[:2]
    left = len(result.findings) - _MOST_FINDINGS
    findings = [f"{each.time_ns / 1e9:.6f} s, {each.lead} {each.kind}: {each.text}"
                for each in result.findings[:_MOST_FINDINGS]]  # fmt: skip
    return {
        "name": result.name if result.attempt == 1 else f"{result.name}, repetition {result.attempt}",
        "css": _CSS.get(result.outcome, "rig"),
        "outcome": result.outcome.value,
        "reason": result.reason,
        "measurements": [_row(each) for each in rows],
        "findings": findings + ([f"and {left} more"] if left > 0 else []),
        "pictures": [picture_of(chart) for chart in charts],
        "files": [(each.path, f"{each.about}; SHA-256 {each.sha256[:16]}...") for each in result.attachments],
    }


def _row(each: Measurement) -> dict[str, str]:
    outcome = each.outcome or Outcome.PASS
    return {"title": each.title, "note": each.note, "value": f"{each.value:.6g} {each.unit}".strip(),
            "limit": each.limits_text, "css": _CSS.get(outcome, "rig"), "outcome": outcome.value}  # fmt: skip


def _cases(results: Sequence[CaseResult]) -> Table:
    rows = []
    for result in results[:_MOST_ROWS]:
        worst = max(
            (each for each in result.measurements if each.high and each.outcome is not None),
            key=lambda each: abs(each.value) / each.high if each.high and each.value == each.value else 0.0,
            default=None,
        )
        near = result.reason
        if worst:
            near = f"{worst.title}: {worst.value:.4g} {worst.unit}, {worst.limits_text}"
        name = result.name if result.attempt == 1 else f"{result.name} ({result.attempt})"
        rows.append((name, result.outcome.value, near, f"{result.seconds:.2f} s"))
    told = "Each case, and what came nearest to its limit."
    if len(results) > _MOST_ROWS:
        told += f" The first {_MOST_ROWS} of {len(results)}; results.json has all."
    return Table("All cases", told,
                 ("Case", "Outcome", "Nearest to its limit", "Took"), rows)  # fmt: skip


def _repeated(results: Sequence[CaseResult]) -> list[Table]:
    if all(result.attempt == 1 for result in results):
        return []
    rows = [
        (each.name, f"{each.good} of {each.judged}", f"{each.failed_percent:.0f} %", str(each.rig),
         "yes" if each.is_flaky else "no")
        for each in repetitions(results)
    ]  # fmt: skip
    told = "What the rig did wrong is not counted: it says nothing of the board."
    return [Table("Repetitions", told, ("Case", "Good", "Failed", "Rig's errors", "Flaky"), rows)]


def _caveats(run: Run) -> list[str]:
    if run.about.get("bench") == "emulated":
        return [
            "This was the emulated bench: every part that the firmware touches is a model from its "
            "datasheet. docs/bench.md and docs/hardware.md say what the models leave out: the pump's rise "
            "time and overshoot, noise on the leads.",
            "Resistors and saline, never a person or an animal.",
        ]
    return [
        "A verdict is no better than its instruments: their uncertainty stands beside each measurement.",
        "Resistors and saline, never a person or an animal.",
    ]


def _facts(run: Run) -> list[tuple[str, str]]:
    about, results = run.about, run.results
    digest = str(about.get("sha256", ""))
    firmware = sorted({text for result in results for text in result.firmware.values()})
    instruments = sorted({str(result.instrument.get("instrument", "")) for result in results} - {""})
    calibrations = sorted({str(result.instrument.get("calibration", "")) for result in results} - {""})
    facts = [
        ("Plan", str(about.get("source", "")) + (f", SHA-256 {digest[:16]}..." if digest else "")),
        ("Bench", str(about.get("bench", ""))),
        ("Firmware", "; ".join(firmware) or "not known"),
        ("Instrument", "; ".join(instruments) or "none"),
        ("Calibration", "; ".join(calibrations) or "none named"),
        ("Tools", f"stimbench {__version__}"),
    ]
    images = about.get("firmware_sha256", {})
    return facts + [(f"Image of the {board}", f"SHA-256 {digest}") for board, digest in images.items()]


def write_html_page(
    run: Run, path: Path, files: Sequence[tuple[str, str]], more: Sequence[Table] = ()
) -> None:
    """Write the page."""
    write_page("checks.html.j2", {"page": page_of(run, files, more)}, path)
