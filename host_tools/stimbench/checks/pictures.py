"""What a report draws of a case, as plain numbers: small enough to stand in its result."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.train import current_name, has_current
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Floats, Times
from stimbench.checks.judge import LeadChecked, Verdict

__all__ = ("picture_data",)

_OVERLAID = 12
_POINTS = 120
_ENVELOPE = 200
_BINS = 25
_NEIGHBOURHOODS = 6
_SAME_KIND = 2
_AROUND_PULSES = 1.2


def picture_data(capture: Capture, verdict: Verdict) -> dict[str, Any]:
    """Overlaid pulses, envelope, histograms, charge balance by lead, and what is around the failing pulses.

    Returns:
        JSON: times in us or s, currents in uA, charges in nC.
    """
    leads = {}
    for lead, checked in verdict.leads.items():
        pulses = checked.train.pulses
        if not len(pulses) or checked.train.shapes is None:
            continue
        found = checked.train.shapes.pulses
        some = _spread(len(pulses), _ENVELOPE)
        leads[lead] = {
            "overlay": _overlay(capture, checked),
            "envelope_s": _rounded((pulses["start_ns"][some] - capture.start_ns) / 1e9, 4),
            "envelope_ua": _rounded(found["cathodic_ua"][some], 1),
            "cathodic_nc": _rounded(found["cathodic_nc"][some], 3),
            "net_nc": _rounded(found["net_nc"][some], 4),
            "histograms": _histograms(checked),
        }
    return {"leads": leads, "neighbourhoods": _neighbourhoods(capture, verdict)}


def _overlay(capture: Capture, checked: LeadChecked) -> dict[str, Any]:
    expected = checked.expected
    length_ns = 2 * expected.width_ns + expected.gap_ns
    grid = np.linspace(-0.1 * length_ns, 1.25 * length_ns, _POINTS)
    hold = np.flatnonzero(checked.is_hold)
    chosen = hold[_spread(len(hold), _OVERLAID)]
    traces = [
        _rounded(_values(capture, checked.train.lead, grid + start), 1)
        for start in checked.train.pulses["start_ns"][chosen].tolist()
    ]
    return {"us": _rounded(grid / 1000, 2), "ua": traces}


def _values(capture: Capture, lead: str, times_ns: Floats) -> Floats:
    if not has_current(capture, lead):
        return np.zeros(len(times_ns))
    name = current_name(lead)
    samples = capture.samples(name)
    if samples is None:
        return capture.current(name).at(np.rint(times_ns).astype(np.int64))
    index = np.clip(samples.index_at(times_ns), 0, max(len(samples) - 1, 0))
    first, last = int(index.min(initial=0)), int(index.max(initial=0)) + 1
    return samples.read(first, last).astype(np.float64)[index - first]


def _histograms(checked: LeadChecked) -> dict[str, Any]:
    pulses, expected, placed = checked.train.pulses, checked.expected, checked.placed
    kept = pulses[placed.kept]
    next_one = np.diff(placed.number[placed.kept]) == 0
    errors = {
        "width": np.concatenate([kept["cathodic_ns"], kept["anodic_ns"]]) - expected.width_ns,
        "gap": kept["gap_ns"][kept["complete"]] - expected.gap_ns,
        "period": np.diff(kept["start_ns"])[next_one] - expected.period_ns,
    }
    return {name: _histogram(values) for name, values in errors.items() if len(values)}


def _histogram(errors: Times) -> dict[str, Any]:
    low, high = float(errors.min()), float(errors.max())
    counts, edges = np.histogram(errors, bins=_BINS, range=(min(low, -8.0), max(high, 8.0)))
    return {"counts": counts.tolist(), "low_ns": float(edges[0]), "high_ns": float(edges[-1])}


def _neighbourhoods(capture: Capture, verdict: Verdict) -> list[dict[str, Any]]:
    """What both leads did around the first failing pulses."""
    if not verdict.leads:
        return []
    period_ns = next(iter(verdict.leads.values())).expected.period_ns
    found: list[dict[str, Any]] = []
    last_ns = -period_ns
    kinds: dict[tuple[str, str], int] = {}
    for finding in verdict.findings:
        kind = (finding.kind, finding.lead)
        if kinds.get(kind, 0) == _SAME_KIND:
            continue
        if len(found) == _NEIGHBOURHOODS:
            break
        if finding.time_ns - last_ns < period_ns or not capture.start_ns < finding.time_ns:
            continue
        last_ns = finding.time_ns
        kinds[kind] = kinds.get(kind, 0) + 1
        begin, end = (round(finding.time_ns + side * _AROUND_PULSES * period_ns) for side in (-1, 1))
        traces = {
            lead: _since(_spans(checked, begin, end), finding.time_ns)
            for lead, checked in verdict.leads.items()
        }
        found.append({"kind": finding.kind, "lead": finding.lead, "time_s": finding.time_ns / 1e9,
                      "text": finding.text, "from_ms": (begin - finding.time_ns) / 1e6,
                      "to_ms": (end - finding.time_ns) / 1e6, "leads": traces})  # fmt: skip
    return found


def _spans(checked: LeadChecked, begin: int, end: int) -> NDArray[np.int64]:
    """Begin and end of the phases in a span, and whether each is cathodic: shape (n, 3)."""
    pulses = checked.train.pulses
    near = pulses[(pulses["start_ns"] >= begin) & (pulses["start_ns"] < end)]
    cathodic_end = near["start_ns"] + near["cathodic_ns"]
    anodic = cathodic_end + near["gap_ns"]
    one = np.column_stack([near["start_ns"], cathodic_end, np.ones(len(near), np.int64)])
    other = np.column_stack([anodic, anodic + near["anodic_ns"], np.zeros(len(near), np.int64)])
    return np.concatenate([one, other])


def _since(spans: NDArray[np.int64], origin_ns: int) -> list[list[float]]:
    return [[(a - origin_ns) / 1e6, (b - origin_ns) / 1e6, kind] for a, b, kind in spans.tolist()]


def _spread(count: int, most: int) -> Times:
    """At most `most` indices below `count`, evenly spread."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64)) if count else (
        np.empty(0, np.int64)
    )  # fmt: skip


def _rounded(values: Floats, digits: int) -> list[float | None]:
    return [round(each, digits) if np.isfinite(each) else None for each in np.asarray(values).tolist()]
