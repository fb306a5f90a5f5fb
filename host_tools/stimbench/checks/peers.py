"""Somebody else's tests after a run: their criterion, ours, what was measured, and both outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stimbench.checks.cases import Case
from stimbench.checks.limits import CASE_LIMITS, EVERY_TEXT, FLOOR_UA
from stimbench.checks.outcome import CaseResult, Measurement, Outcome, judged, worst
from stimbench.checks.run import Run

__all__ = ("HEAD", "PeerRow", "allowed", "peer_rows")

HEAD = ("Test", "Title", "Their criterion", "Ours", "Measured", "By theirs", "By ours")
"""The columns of PeerRow.cells."""
_NOT_RUN = "none of its cases were run"


@dataclass(frozen=True)
class PeerRow:
    """One criterion of a peer's test.

    Attributes:
        id, title, source: as the plan has them.
        criterion: theirs.
        ours: what is held against it here; empty if it does not apply.
        measured: the worst value of each measure with its limit, or why there is none.
        cases: how many cases it rests on.
        outcome: by our limits; None if it does not apply.
        theirs: by their criterion, if it is a number; None if it is none, or does not apply.
        not_applicable: why it does not apply; empty if it does.
    """

    id: str
    title: str
    source: str
    criterion: str
    ours: str
    measured: str
    cases: int
    outcome: Outcome | None
    theirs: Outcome | None
    not_applicable: str = ""

    @property
    def test(self) -> str:
        """The test that it belongs to: `VV-IT03`."""
        return self.id.partition(" ")[0]

    @property
    def cells(self) -> tuple[str, ...]:
        """As texts, for the columns of HEAD."""
        if self.not_applicable:
            return (self.id, self.title, self.criterion, f"Not here: {self.not_applicable}", "", "", "")
        theirs, ours = (each.value if each else "-" for each in (self.theirs, self.outcome))
        return self.id, self.title, self.criterion, self.ours, self.measured, theirs, ours


def peer_rows(run: Run) -> list[PeerRow]:
    """Every peer's criterion of the plan that was run, in the plan's order; empty if it has none."""
    return [_row(entry, run.results) for entry in run.about.get("peers", ())]


def allowed(case: Case, name: str) -> float | None:
    """The limit of a measure in a case, in the measure's unit; None if it is not judged there."""
    if name == "off_after_ms":
        return case.fault.kind.off_within_ms or None
    return CASE_LIMITS[name] if name in CASE_LIMITS else case.limits.of(name)


def _row(entry: Mapping[str, Any], results: Sequence[CaseResult]) -> PeerRow:
    head = (entry["id"], entry["title"], entry["source"], entry["criterion"])
    if entry["not_applicable"]:
        return PeerRow(*head, "", "", 0, None, None, entry["not_applicable"])
    mine = [each for each in results if each.parameters.get("matrix") in entry["matrix"]]
    if not mine:
        return PeerRow(*head, entry["ours"], _NOT_RUN, 0, Outcome.ABORTED, None)
    found = {name: _measured(mine, name) for name in entry["measures"]}
    # A case that gave no measurements has an outcome all the same: refused, lost, not run.
    outcomes = [each.outcome for each in mine if not each.measurements]
    outcomes += [each.outcome for values in found.values() for each in values if each.outcome is not None]
    lacking = [name for name, values in found.items() if all(each.outcome is None for each in values)]
    if lacking and any(each.measurements for each in mine):
        # Cases that measured nothing of it prove nothing of it.
        outcomes.append(Outcome.ERROR)
    texts = [_text(name, values) for name, values in found.items() if name not in lacking]
    texts += [f"{name}: not measured" for name in lacking]
    return PeerRow(*head, entry["ours"], ", ".join(texts), len(mine), worst(outcomes), _theirs(entry, mine))


def _measured(results: Iterable[CaseResult], name: str) -> list[Measurement]:
    return [each for result in results for each in result.measurements if each.name == name]


def _text(name: str, values: Sequence[Measurement]) -> str:
    """`width_ns 2 of 8 ns`: the worst one, seen from its limit."""
    judged_ones = [each for each in values if each.outcome is not None]
    most = max(judged_ones, key=lambda each: (_share(each), _magnitude(each.value)))
    unit = EVERY_TEXT[name].unit
    return f"{name} {abs(most.value):.3g} of {most.high or 0:g} {unit}".rstrip()


def _share(each: Measurement) -> float:
    size = _magnitude(each.value)
    return size / each.high if each.high else math.inf if size else 0.0


def _magnitude(value: float) -> float:
    return math.inf if math.isnan(value) else abs(value)


def _theirs(entry: Mapping[str, Any], results: Sequence[CaseResult]) -> Outcome | None:
    """By their number, of all cases together."""
    number = entry.get("number")
    if not number:
        return None
    outcomes = [each.outcome for each in results if not each.measurements]
    for result in results:
        for each in _measured([result], number["measure"]):
            share = _share_of(number["of"], result.parameters, each.lead)
            value, uncertainty = _magnitude(each.value) * share, each.uncertainty * share
            outcomes.append(judged(value, None, number["limit"], uncertainty) or Outcome.FAIL)
    return worst(outcomes) if outcomes else Outcome.ERROR


def _share_of(what: str, parameters: Mapping[str, Any], lead: str) -> float:
    """What makes a measure a percentage of what was set; it is in ns, or in percent of at least FLOOR_UA."""
    if not what:
        return 1.0
    program = parameters["program"]
    if what == "amplitude":
        level_ua = program[f"{lead}.amplitude_ua"]
        return float(max(level_ua, FLOOR_UA) / level_ua)
    nominal_ns = program["width_us"] * 1000 if what == "width" else 1e9 / program["rate_hz"]
    return float(100 / nominal_ns)
