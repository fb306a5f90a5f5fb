"""One report for all cases of a campaign: a page, and JUnit for a CI server, as of a run of pulse checks."""

from __future__ import annotations

from pathlib import Path

from stimbench.campaign.store import Store
from stimbench.campaign.tally import Case, Tally
from stimbench.checks.junit import write_junit
from stimbench.checks.outcome import CaseResult, Outcome
from stimbench.checks.page import write_html_page
from stimbench.checks.run import Run

__all__ = ("campaign_run", "write_campaign_reports")

_LEFT = "LEFT"
_ABOUT = {
    "power-cuts": "The supply is cut at many moments of each write to flash.",
    "faults": "Something is broken at many moments of a session.",
    "attacks": "Every attack on the radio protocol, with many seeds.",
}


def campaign_run(store: Store, found: Tally) -> Run:
    """A campaign's cases as the results of a run: what was not done is ABORTED."""
    plan = store.plan()
    about = {
        "plan": store.campaign,
        "title": f"Campaign: {store.campaign}",
        "description": _ABOUT.get(store.campaign, ""),
        "source": f"stimbench campaign {store.campaign}",
        "bench": "emulated",
        "firmware_sha256": dict(plan.firmware),
    }
    seconds = {key: record.seconds for key, record in store.records().items()}
    return Run(store.folder, about, tuple(_result(case, seconds.get(case.key, 0.0)) for case in found.cases))


def _result(case: Case, seconds: float) -> CaseResult:
    outcome = Outcome.ABORTED if case.verdict == _LEFT else Outcome(case.verdict)
    told = case.told or ("it was not run" if outcome is Outcome.ABORTED else "")
    return CaseResult(
        case.name,
        case.key,
        outcome,
        told,
        parameters={"matrix": case.group},
        device="emulated",
        seconds=seconds,
    )


def write_campaign_reports(store: Store, found: Tally) -> list[Path]:
    """Write report.html and junit.xml into the campaign's folder, in place of older ones.

    Raises:
        OSError: one cannot be written.
    """
    run = campaign_run(store, found)
    page, junit = store.folder / "report.html", store.folder / "junit.xml"
    write_junit(run, junit)
    files = [("junit.xml", "JUnit, for a CI server"), ("results.json", "every case, and the counts")]
    write_html_page(run, page, files)
    return [page, junit]
