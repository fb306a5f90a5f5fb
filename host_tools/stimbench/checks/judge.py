"""A capture against a programme: every measure with its limits, every failing pulse with its time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.current import Current
from stimbench.analysis.edges import overlaps
from stimbench.analysis.train import Train, has_current, has_switches, measure_train
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Floats, Times
from stimbench.checks.contractions import Contractions, Expected, place
from stimbench.checks.limits import FLOOR_UA, TEXTS, Limits
from stimbench.checks.outcome import Finding, Measurement, Outcome, judged, worst

__all__ = ("LeadChecked", "Verdict", "judge_capture")

MOST_FINDINGS = 50
"""Of each kind and lead that are kept; all are counted."""
_NC_PER_UA_NS = 1e-6


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
        """The worst of all measurements; FAIL if nothing was judged."""
        outcomes = [each.outcome for each in self.measurements if each.outcome is not None]
        return worst(outcomes) if outcomes else Outcome.FAIL


def judge_capture(
    capture: Capture,
    program: Program,
    limits: Limits,
    least_ua: float | None = None,
    may_stop: bool = False,
) -> Verdict:
    """Measure every pulse of both leads, and hold it against the programme.

    A lead whose amplitude is 0 must have no current; its switches may move.

    Args:
        capture: of a session, without what came before START.
        program: what was asked for.
        limits: what is allowed.
        least_ua: without switches: what is smaller is no pulse.
        may_stop: the session may have been stopped, so that the last contraction may be short.

    Raises:
        NoChannelError: the capture has nothing of a lead.
    """
    verdict = Verdict()
    present = [lead for lead in LEADS if has_switches(capture, lead) or has_current(capture, lead)]
    # Most of the time goes into unpacking files and into numpy, which let another thread run.
    with ThreadPoolExecutor(len(LEADS)) as pool:
        trains = pool.map(lambda lead: measure_train(capture, lead, least_ua), present)
    for lead, train in zip(present, trains, strict=True):
        expected = Expected.of(program, lead)
        placed = place(train.pulses, expected, capture.start_ns, capture.end_ns, may_stop)
        verdict.leads[lead] = LeadChecked(train, expected, placed)
    judging = _Judging(capture, limits, verdict)
    for checked in verdict.leads.values():
        judging.lead(checked)
    judging.overlap()
    order = list(TEXTS)
    verdict.measurements.sort(key=lambda each: (order.index(each.name), each.lead))
    verdict.findings.sort(key=lambda each: each.time_ns)
    return verdict


class _Judging:
    """One capture, while it is judged."""

    def __init__(self, capture: Capture, limits: Limits, verdict: Verdict) -> None:
        self._capture, self._limits, self._verdict = capture, limits, verdict
        self._clock = capture.origin.clock_ppm * 1e-6
        self._gain = capture.origin.gain_percent

    def lead(self, checked: LeadChecked) -> None:
        """Every measure of one lead."""
        if not checked.expected.amplitude_ua:
            self._silent(checked)
            return
        self._timing(checked)
        self._counts(checked)
        self._cycle(checked)
        if checked.train.shapes is not None:
            self._current(checked)

    # Timing.

    def _timing(self, checked: LeadChecked) -> None:
        train, expected, placed = checked.train, checked.expected, checked.placed
        pulses, step = train.pulses[placed.kept], train.resolution_ns if train.resolution_ns > 1 else 0.0
        start = pulses["start_ns"]
        widths = np.concatenate([pulses["cathodic_ns"], pulses["anodic_ns"]]) - expected.width_ns
        self._worst("width_ns", train.lead, widths, np.concatenate([start, start]),
                    step + expected.width_ns * self._clock, "a phase is {:+g} ns off")  # fmt: skip
        complete = pulses["complete"]
        self._worst("gap_ns", train.lead, pulses["gap_ns"][complete] - expected.gap_ns, start[complete],
                    step + expected.gap_ns * self._clock, "the gap is {:+g} ns off")  # fmt: skip
        number, index = placed.number[placed.kept], placed.index[placed.kept]
        next_one = (np.diff(number) == 0) & (np.diff(index) == 1)
        periods = np.diff(start)[next_one] - expected.period_ns
        if expected.pulses < 2:
            return  # a contraction of one pulse has no period
        self._worst("period_ns", train.lead, periods, start[1:][next_one],
                    step + expected.period_ns * self._clock, "the period is {:+g} ns off")  # fmt: skip
        # Each period has two edges that the instrument rounded: a uniform error of one step each.
        rounding = step / np.sqrt(6)
        jitter = float(np.std(periods)) if len(periods) else np.nan
        self._single("jitter_ns", train.lead, jitter, rounding, len(periods))

    def _counts(self, checked: LeadChecked) -> None:
        train, placed = checked.train, checked.placed
        self._number("missing", train.lead, {"missing pulse": placed.missing_ns})
        extra = {"extra pulse": placed.extra_ns, "anodic phase alone": train.orphans_ns}
        extra["cathodic phase alone"] = train.pulses["start_ns"][~train.pulses["complete"]]
        if train.shapes is not None:
            extra["current without a pulse"] = train.shapes.unexplained_ns
        self._number("extra", train.lead, extra)

    def _cycle(self, checked: LeadChecked) -> None:
        """How long contractions and rests were: of those that are whole in the capture."""
        placed, expected, lead = checked.placed, checked.expected, checked.train.lead
        step_ms = checked.train.resolution_ns / 1e6
        wanted_ns = (expected.pulses - 1) * expected.period_ns
        lasted = (placed.ends_ns - placed.begins_ns)[placed.whole]
        self._worst("on_ms", lead, (lasted - wanted_ns) / 1e6, placed.begins_ns[placed.whole],
                    step_ms + wanted_ns * self._clock / 1e6, "the contraction is {:+.4g} ms off")  # fmt: skip
        rests = placed.begins_ns[1:] - placed.ends_ns[:-1]
        wanted_ns = expected.off_ns + expected.period_ns
        self._worst("off_ms", lead, (rests - wanted_ns) / 1e6, placed.ends_ns[:-1],
                    step_ms + wanted_ns * self._clock / 1e6, "the rest is {:+.4g} ms off")  # fmt: skip

    def overlap(self) -> None:
        """Both leads on together, and both phases of a lead."""
        trains = [checked.train for checked in self._verdict.leads.values()]
        together = [overlaps(one.phases, other.phases) for one, other in combinations(trains, 2)]
        for train in trains:
            pulses = train.pulses[train.pulses["complete"] & (train.pulses["gap_ns"] < 0)]
            anodic = pulses["start_ns"] + pulses["cathodic_ns"] + pulses["gap_ns"]
            together.append(np.column_stack([anodic, pulses["start_ns"] + pulses["cathodic_ns"]]))
        if not trains:
            return
        spans = np.concatenate([np.empty((0, 2), np.int64), *together])
        lasting = (spans[:, 1] - spans[:, 0]).astype(np.float64)
        step = max(train.resolution_ns for train in trains)
        found = np.append(lasting, 0.0)
        at = np.append(spans[:, 0], self._capture.start_ns)
        self._worst("overlap_ns", "", found, at, step if step > 1 else 0.0, "on together for {:g} ns",
                    kind="overlap")  # fmt: skip

    # Current.

    def _current(self, checked: LeadChecked) -> None:
        train, expected, hold = checked.train, checked.expected, checked.is_hold
        shapes = train.shapes
        if shapes is None:
            return
        found, start, level = shapes.pulses, train.pulses["start_ns"], expected.amplitude_ua
        of_ua = max(level, FLOOR_UA)
        noise = self._noise_percent(checked, of_ua)
        held, at = found[hold], start[hold]
        both, at_both = np.concatenate([held["cathodic_ua"], held["anodic_ua"]]), np.concatenate([at, at])
        self._worst("amplitude_percent", train.lead, (both - level) / of_ua * 100, at_both,
                    noise + self._gain, "the amplitude is {:+.3g} % off")  # fmt: skip
        charge_nc = expected.width_ns * _NC_PER_UA_NS * of_ua
        edges = 2 * (train.resolution_ns if train.resolution_ns > 1 else 0.0) / expected.width_ns * 100
        charges = np.concatenate([held["cathodic_nc"], held["anodic_nc"]])
        wanted = level * expected.width_ns * _NC_PER_UA_NS
        self._worst("charge_percent", train.lead, (charges - wanted) / charge_nc * 100, at_both,
                    noise + self._gain + edges, "the charge is {:+.3g} % off")  # fmt: skip
        self._worst("imbalance_percent", train.lead, held["net_nc"] / charge_nc * 100, at,
                    noise * np.sqrt(2) + edges, "the net charge is {:+.3g} % of a phase's",
                    kind="imbalance")  # fmt: skip
        self._balance(checked, charge_nc, noise * np.sqrt(2))
        self._ramp(checked, of_ua, noise + self._gain)
        step = shapes.step_ns
        self._worst("rise_ns", train.lead, _known(held["rise_ns"]), at[~np.isnan(held["rise_ns"])], step,
                    "the current rises in {:g} ns")  # fmt: skip
        beyond = held["overshoot_percent"]
        # The highest of many noisy samples lies some standard deviations up.
        self._worst("overshoot_percent", train.lead, _known(beyond), at[~np.isnan(beyond)],
                    4 * shapes.noise_ua / max(level, 1) * 100, "the current goes {:.3g} % beyond its mean",
                    kind="overshoot")  # fmt: skip
        self._net_dc(checked)

    def _noise_percent(self, checked: LeadChecked, of_ua: float) -> float:
        """Expanded uncertainty of the mean of one phase, in percent of an amplitude."""
        shapes = checked.train.shapes
        if shapes is None or not shapes.step_ns:
            return 0.0
        values = max(checked.expected.width_ns / shapes.step_ns, 1.0)
        # Four standard deviations: the worst of some 10 000 pulses.
        return float(4 * shapes.noise_ua / np.sqrt(values) / of_ua * 100)

    def _ramp(self, checked: LeadChecked, of_ua: float, uncertainty: float) -> None:
        train, expected, placed = checked.train, checked.expected, checked.placed
        share = expected.share(placed.index)
        ramp = placed.kept & (share < 1.0) & (share > 0.0)
        if not ramp.any() or train.shapes is None:
            return
        found = train.shapes.pulses["cathodic_ua"][ramp]
        off = (found - share[ramp] * expected.amplitude_ua) / of_ua * 100
        self._worst("ramp_percent", train.lead, off, train.pulses["start_ns"][ramp], uncertainty,
                    "the amplitude in the ramp is {:+.3g} % off", kind="ramp step")  # fmt: skip

    def _balance(self, checked: LeadChecked, charge_nc: float, uncertainty: float) -> None:
        """The mean of a contraction: noise averages out there, and an imbalance that stays does not."""
        shapes, hold = checked.train.shapes, checked.is_hold
        if shapes is None or not hold.any():
            return
        number, net = checked.placed.number[hold], shapes.pulses["net_nc"][hold]
        known = ~np.isnan(net)
        which, inverse, counts = np.unique(number[known], return_inverse=True, return_counts=True)
        means = np.bincount(inverse, weights=net[known]) / counts / charge_nc * 100
        # Four standard deviations of one pulse, and so many pulses in the shortest contraction.
        averaged = uncertainty / np.sqrt(counts.min(initial=1))
        self._worst("balance_percent", checked.train.lead, means, checked.placed.begins_ns[which], averaged,
                    "the mean net charge of the contraction is {:+.3g} % of a phase's")  # fmt: skip

    def _net_dc(self, checked: LeadChecked) -> None:
        """Over whole cycles, from the first pulse of one contraction to that of another one."""
        shapes, placed = checked.train.shapes, checked.placed
        name = f"I_{checked.train.lead.upper()}"
        if shapes is None or shapes.step_ns or len(placed.begins_ns) < 2:
            return  # a sampled current has an offset that no direct current can be told from
        begin, end = int(placed.begins_ns[0]), int(placed.begins_ns[-1])
        value = Current(self._capture.current(name)).net_dc_na(begin, end)
        self._single("net_dc_na", checked.train.lead, abs(value), 0.0, len(placed.begins_ns) - 1)

    def _silent(self, checked: LeadChecked) -> None:
        """A lead without an amplitude: no current may flow."""
        shapes, lead = checked.train.shapes, checked.train.lead
        if shapes is None:
            self._number("extra", lead, {"extra pulse": checked.train.pulses["start_ns"]})
            return
        flows = np.abs(shapes.pulses["cathodic_ua"]) > max(FLOOR_UA / 100, 8 * shapes.noise_ua)
        self._number("extra", lead, {"extra pulse": checked.train.pulses["start_ns"][flows]})

    # Verdicts.

    def _worst(
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
        limit = self._limits.of(name)
        errors = np.asarray(errors, dtype=np.float64)
        if not len(errors):
            self._add(name, lead, np.nan, uncertainty, 0, None)
            return
        magnitude = np.where(np.isnan(errors), np.inf, np.abs(errors))
        index = int(np.argmax(magnitude))
        self._add(name, lead, float(errors[index]), uncertainty, len(errors), int(at_ns[index]))
        if limit is None:
            return
        for place_of in np.flatnonzero(magnitude > limit).tolist():
            outcome = judged(float(magnitude[place_of]), None, limit, uncertainty) or Outcome.FAIL
            allowed = f"{limit:g} {TEXTS[name].unit} allowed"
            told = f"{text.format(errors[place_of])}, {allowed}"
            self._find(kind or name.rpartition("_")[0], lead, int(at_ns[place_of]), told, outcome)

    def _single(self, name: str, lead: str, value: float, uncertainty: float, count: int) -> None:
        self._add(name, lead, value, uncertainty, count, None)
        limit = self._limits.of(name)
        if limit is not None and judged(value, None, limit, uncertainty) is Outcome.FAIL:
            allowed = f"{limit:g} {TEXTS[name].unit} allowed"
            kind = {"net_dc_na": "net direct current"}.get(name, name.rpartition("_")[0])
            self._find(kind, lead, self._capture.start_ns, f"{value:.4g} {TEXTS[name].unit}, {allowed}")

    def _number(self, name: str, lead: str, found: dict[str, Times]) -> None:
        """How many there are of something that should not be."""
        every = np.sort(np.concatenate(list(found.values())))
        self._add(name, lead, float(len(every)), 0.0, 1, int(every[0]) if len(every) else None)
        if self._limits.of(name) is not None:
            for kind, times in found.items():
                for time_ns in times.tolist():
                    self._find(kind, lead, time_ns, f"{kind} at {time_ns / 1e9:.6f} s")

    def _add(
        self, name: str, lead: str, value: float, uncertainty: float, count: int, at_ns: int | None
    ) -> None:
        limit, text, uncertainty = self._limits.of(name), TEXTS[name], float(uncertainty)
        outcome = judged(abs(value), None, limit, uncertainty)
        if not count and name in _NEEDS_NOTHING:
            outcome = None
        made = Measurement(
            name, lead, value, text.unit, None, limit, uncertainty, outcome, count, at_ns, text.what
        )
        self._verdict.measurements.append(made)

    def _find(self, kind: str, lead: str, time_ns: int, text: str, outcome: Outcome = Outcome.FAIL) -> None:
        if outcome is Outcome.PASS:
            return
        label = f"{lead} {kind}".strip()
        self._verdict.counts[label] = self._verdict.counts.get(label, 0) + 1
        if self._verdict.counts[label] <= MOST_FINDINGS:
            self._verdict.findings.append(Finding(kind, lead, time_ns, text, outcome))


_NEEDS_NOTHING = ("rise_ns", "overshoot_percent", "ramp_percent", "on_ms", "off_ms", "net_dc_na")
"""What a capture may not hold: a rate too low for a rise, no ramp, no whole cycle. The plan asks before."""


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]
