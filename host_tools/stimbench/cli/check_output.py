"""What `stimbench check` says on the terminal of a run, of a comparison, and of one capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from stimbench.cli.terminal import escaped, out

if TYPE_CHECKING:
    from stimbench.checks.compare import Comparison
    from stimbench.checks.outcome import CaseResult
    from stimbench.checks.run import Run

__all__ = ("print_comparison", "print_result", "print_run")

_MOST_LISTED = 20


def print_run(run: Run) -> None:
    """Which cases are not as they should be, what is flaky, what was left out, where the report is."""
    from stimbench.checks.flaky import repetitions
    from stimbench.checks.outcome import Outcome

    bad = [result for result in run.run_results if result.outcome is not Outcome.PASS]
    if bad:
        table = Table("case", "outcome", "why", box=None, pad_edge=False)
        for result in bad[:_MOST_LISTED]:
            table.add_row(escaped(_named(result)), result.outcome.value, escaped(result.reason))
        out.print(table)
        if len(bad) > _MOST_LISTED:
            out.print(f"and {len(bad) - _MOST_LISTED} more.")
    flaky = [each for each in repetitions(run.results) if each.is_flaky]
    for each in flaky:
        out.print(f"Flaky: {each.name}: {each.failed} of {each.judged} failed.", markup=False, soft_wrap=True)
    reasons = [each["reason"] for each in run.about.get("left_out", [])]
    for reason in dict.fromkeys(reasons):
        count = reasons.count(reason)
        cases = "cases were" if count > 1 else "case was"
        out.print(f"{count} {cases} {reason}.", markup=False, soft_wrap=True)
    _print_peers(run)
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in run.counts.items())
    out.print(f"{len(run.results)} cases: {counts}.")
    out.print(f"Report: {run.folder / 'report.html'}", markup=False, soft_wrap=True)


def _print_peers(run: Run) -> None:
    """How many of a peer's criteria hold, and which do not."""
    from stimbench.checks.peers import peer_rows

    rows = peer_rows(run)
    applied = [row for row in rows if row.outcome is not None]
    for row in applied:
        bad = [each for each in (row.theirs, row.outcome) if each is not None and not each.is_good]
        if bad:
            out.print(f"{row.id}: {bad[0].value}: {row.measured}", markup=False, soft_wrap=True)
    if rows:
        good = sum(row.outcome is not None and row.outcome.is_good for row in applied)
        told = f"Peers' criteria: {good} of {len(applied)} hold"
        out.print(f"{told}; {len(rows) - len(applied)} cannot apply here (see the report).")


def _named(result: CaseResult) -> str:
    return result.name if result.attempt == 1 else f"{result.name} ({result.attempt})"


def print_comparison(found: Comparison) -> None:
    """Say what became worse, better, or moved."""
    kinds = (("Worse", found.worse), ("Better", found.better), ("Cannot be told", found.unknown))
    for title, changes in kinds:
        for each in changes:
            out.print(f"{title}: {each.case}: {each.before}, now {each.after}.", markup=False, soft_wrap=True)
    for each in found.moved[:_MOST_LISTED]:
        told = f"Moved: {each.case}, {each.measurement}: {each.before}, now {each.after}."
        out.print(told, markup=False, soft_wrap=True)
    for name in found.only_before:
        out.print(f"Only in the other run: {name}.", markup=False, soft_wrap=True)
    for name in found.only_after:
        out.print(f"Only in this run: {name}.", markup=False, soft_wrap=True)
    out.print(f"{found.same} cases end as before, {len(found.worse)} are worse, {len(found.better)} better.")


def print_result(result: CaseResult) -> None:
    """Every measurement of one capture, and what was found in it."""
    table = Table("measurement", "value", "limit", "outcome", "of", box=None, pad_edge=False)
    for each in result.measurements:
        outcome = each.outcome.value if each.outcome else "not measured"
        value = "-" if each.value != each.value else f"{each.value:.6g} {each.unit}".strip()
        table.add_row(each.title, value, each.limits_text, outcome, str(each.count))
    out.print(table)
    for finding in result.findings[:_MOST_LISTED]:
        where = f"{finding.lead} {finding.kind}".strip()
        out.print(f"{finding.time_ns / 1e9:.6f} s, {where}: {finding.text}", markup=False, soft_wrap=True)
    if len(result.findings) > _MOST_LISTED:
        out.print(f"and {len(result.findings) - _MOST_LISTED} more.")
    told = f"{result.outcome.value}: {result.reason}" if result.reason else result.outcome.value
    out.print(told, markup=False, soft_wrap=True)
