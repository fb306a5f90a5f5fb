"""A verdict while it is made: values against their limits, and a finding for each that is beyond its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.train import Train
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Floats, Times
from stimbench.checks.contractions import Contractions, Expected
from stimbench.checks.limits import TEXTS, Limits
from stimbench.checks.outcome import Finding, Measurement, Outcome, judged, worst

__all__ = ("LeadChecked", "Tally", "Verdict")

MOST_FINDINGS = 50
"""Of each kind and lead that are kept; all are counted."""
_NEEDS_NOTHING = ("rise_ns", "overshoot_percent", "ramp_percent", "on_ms", "off_ms", "net_dc_na")
"""What a capture may not hold: a rate too low for a rise, no ramp, no whole cycle. The plan asks before."""


@dataclass(frozen=True)
class LeadChecked:
    """A lead's pulses, and where they belong."""

    train: Train
    expected: Expected
    placed: Contractions

    @property
    def is_hold(self) -> NDArray[np.bool_]:
        """Whether a pulse has the full amplitude, shape (n,)."""
        hold: NDArray[np.bool_] = self.placed.kept & (self.expected.share(self.placed.index) >= 1.0)
        return hold


@dataclass
class Verdict:
    """All that a capture told.

    Attributes:
        measurements: with their outcomes, in the order of limits.TEXTS, lead by lead.
        findings: what is wrong, in order of time; at most MOST_FINDINGS of a kind and lead.
        counts: how many there were of each kind, all of them.
        leads: what was measured, by lead.
    """

    measurements: list[Measurement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    leads: dict[str, LeadChecked] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The worst of all measurements; ERROR if nothing was judged, which says nothing of the board."""
        outcomes = [each.outcome for each in self.measurements if each.outcome is not None]
        return worst(outcomes) if outcomes else Outcome.ERROR

    @property
    def reason(self) -> str:
        """Why it is no PASS: what was found, else what was measured; empty for PASS."""
        if self.outcome is Outcome.PASS:
            return ""
        if self.counts:
            return ", ".join(f"{kind}: {count}" for kind, count in sorted(self.counts.items()))
        bad = [each for each in self.measurements if each.outcome not in (None, Outcome.PASS)]
        told = ", ".join(f"{each.title} {each.value:.4g} {each.unit}".strip() for each in bad)
        return told or "nothing could be judged by these limits"


class Tally:
    """Keeps what was measured.

    Attributes:
        capture: that is judged.
        limits: what is allowed.
        verdict: that is made.
    """

    def __init__(self, capture: Capture, limits: Limits, verdict: Verdict) -> None:
        """Take what belongs together."""
        self.capture, self.limits, self.verdict = capture, limits, verdict
        self._told: set[Finding] = set()

    def worst(
        self,
        name: str,
        lead: str,
        errors: Floats | Times,
        at_ns: Times,
        uncertainty: float,
        text: str,
        kind: str = "",
    ) -> None:
        """The largest error of many, and a finding for each that is beyond its limit."""
        limit = self.limits.of(name)
        errors = np.asarray(errors, dtype=np.float64)
        if not len(errors):
            self.add(name, lead, np.nan, uncertainty, 0, None)
            return
        magnitude = np.where(np.isnan(errors), np.inf, np.abs(errors))
        index = int(np.argmax(magnitude))
        self.add(name, lead, float(errors[index]), uncertainty, len(errors), int(at_ns[index]))
        if limit is None:
            return
        for place_of in np.flatnonzero(magnitude > limit).tolist():
            outcome = judged(float(magnitude[place_of]), None, limit, uncertainty) or Outcome.FAIL
            allowed = f"{limit:g} {TEXTS[name].unit} allowed"
            told = f"{text.format(errors[place_of])}, {allowed}"
            self.find(kind or name.rpartition("_")[0], lead, int(at_ns[place_of]), told, outcome)

    def single(self, name: str, lead: str, value: float, uncertainty: float, count: int) -> None:
        """One value that stands for `count` of them, and a finding if it is beyond its limit."""
        self.add(name, lead, value, uncertainty, count, None)
        limit = self.limits.of(name)
        if limit is not None and count and judged(value, None, limit, uncertainty) is Outcome.FAIL:
            allowed = f"{limit:g} {TEXTS[name].unit} allowed"
            kind = {"net_dc_na": "net direct current"}.get(name, name.rpartition("_")[0])
            self.find(kind, lead, self.capture.start_ns, f"{value:.4g} {TEXTS[name].unit}, {allowed}")

    def number(self, name: str, lead: str, found: dict[str, Times]) -> None:
        """How many there are of something that should not be."""
        every = np.sort(np.concatenate(list(found.values())))
        self.add(name, lead, float(len(every)), 0.0, 1, int(every[0]) if len(every) else None)
        if self.limits.of(name) is not None:
            for kind, times in found.items():
                for time_ns in times.tolist():
                    self.find(kind, lead, time_ns, f"{kind} at {time_ns / 1e9:.6f} s")

    def add(
        self, name: str, lead: str, value: float, uncertainty: float, count: int, at_ns: int | None
    ) -> None:
        """A measurement with its outcome; without one if there was nothing to measure, and need not be."""
        limit, text, uncertainty = self.limits.of(name), TEXTS[name], float(uncertainty)
        outcome = judged(abs(value), None, limit, uncertainty)
        if not count and (name in _NEEDS_NOTHING or self._has_pulses(lead)):
            outcome = None  # a capture of some pulses may hold no period, say, or nothing of a hold
        made = Measurement(
            name, lead, value, text.unit, None, limit, uncertainty, outcome, count, at_ns, text.what
        )
        self.verdict.measurements.append(made)

    def _has_pulses(self, lead: str) -> bool:
        checked = self.verdict.leads.get(lead)
        return checked is not None and len(checked.train.pulses) > 0

    def find(self, kind: str, lead: str, time_ns: int, text: str, outcome: Outcome = Outcome.FAIL) -> None:
        """Note what is wrong; all of a kind are counted, and the first ones kept."""
        if outcome is Outcome.PASS:
            return
        found = Finding(kind, lead, time_ns, text, outcome)
        if found in self._told:
            return  # both phases of one pulse, off by the same
        self._told.add(found)
        label = f"{lead} {kind}".strip()
        self.verdict.counts[label] = self.verdict.counts.get(label, 0) + 1
        if self.verdict.counts[label] <= MOST_FINDINGS:
            self.verdict.findings.append(found)
