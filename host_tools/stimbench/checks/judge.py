"""A capture against a programme: every measure with its limits, every failing pulse with its time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.current import Current
from stimbench.analysis.edges import Intervals, overlaps
from stimbench.analysis.silence import flows_ns
from stimbench.analysis.train import AROUND_STEPS, Train, has_current, has_switches, measure_train
from stimbench.capture.capture import Capture, NoChannelError
from stimbench.capture.channels import Floats
from stimbench.checks.contractions import Around, Expected, place
from stimbench.checks.limits import CURRENT_MEASURES, FLOOR_UA, TEXTS, Limits
from stimbench.checks.tally import LeadChecked, Tally, Verdict

__all__ = ("LeadChecked", "Verdict", "judge_capture")

_NC_PER_UA_NS = 1e-6
_SILENT_UA = FLOOR_UA / 100


def judge_capture(
    capture: Capture,
    program: Program,
    limits: Limits,
    least_ua: float | None = None,
    may_stop: bool = False,
    from_start: bool = False,
    partly: bool = False,
) -> Verdict:
    """Measure every pulse of both leads, and hold it against the programme.

    A lead whose amplitude is 0 must have no current; its switches may move.

    Args:
        capture: of a session, without what came before START.
        program: what was asked for.
        limits: what is allowed.
        least_ua: without switches: what is smaller is no pulse.
        may_stop: the session may have been stopped, so that the last contraction may be short.
        from_start: the session begins in the capture, so that its first contraction is there from its begin.
        partly: another capture has what this one lacks.

    Raises:
        NoChannelError: the capture lacks a lead that has an amplitude, or its current if a limit asks for it.
    """
    verdict = Verdict()
    present = [lead for lead in LEADS if has_switches(capture, lead) or has_current(capture, lead)]
    if not partly:
        _require(capture, program, limits)
    # Most of the time goes into unpacking files and into numpy, which let another thread run.
    with ThreadPoolExecutor(len(LEADS)) as pool:
        trains = pool.map(lambda lead: measure_train(capture, lead, least_ua), present)
    for lead, train in zip(present, trains, strict=True):
        expected = Expected.of(program, lead)
        levels = None if train.shapes is None else train.shapes.pulses["cathodic_ua"]
        around = Around(capture.start_ns, capture.end_ns, from_start, may_stop, levels, train.least_ua)
        placed = place(train.pulses, expected, around)
        verdict.leads[lead] = LeadChecked(train, expected, placed)
    judging = _Judging(capture, limits, verdict)
    for checked in verdict.leads.values():
        judging.lead(checked)
    judging.overlap()
    order = list(TEXTS)
    verdict.measurements.sort(key=lambda each: (order.index(each.name), each.lead))
    verdict.findings.sort(key=lambda each: each.time_ns)
    return verdict


def _require(capture: Capture, program: Program, limits: Limits) -> None:
    wants_current = any(limits.of(name) is not None for name in CURRENT_MEASURES)
    for lead, level in zip(LEADS, program.amplitude_ua, strict=True):
        if level and not has_current(capture, lead) and (wants_current or not has_switches(capture, lead)):
            what = "no current" if has_switches(capture, lead) else "nothing"
            raise NoChannelError(f"{capture.source} has {what} of the {lead} lead, which has an amplitude.")


class _Judging(Tally):
    """One capture, while it is judged."""

    def __init__(self, capture: Capture, limits: Limits, verdict: Verdict) -> None:
        super().__init__(capture, limits, verdict)
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
        self.worst("width_ns", train.lead, widths, np.concatenate([start, start]),
                    step + expected.width_ns * self._clock, "a phase is {:+g} ns off")  # fmt: skip
        complete = pulses["complete"]
        self.worst("gap_ns", train.lead, pulses["gap_ns"][complete] - expected.gap_ns, start[complete],
                    step + expected.gap_ns * self._clock, "the gap is {:+g} ns off")  # fmt: skip
        number, index = placed.number[placed.kept], placed.index[placed.kept]
        next_one = (np.diff(number) == 0) & (np.diff(index) == 1)
        periods = np.diff(start)[next_one] - expected.period_ns
        if expected.pulses < 2:
            return  # a contraction of one pulse has no period
        self.worst("period_ns", train.lead, periods, start[1:][next_one],
                    step + expected.period_ns * self._clock, "the period is {:+g} ns off")  # fmt: skip
        # Each period has two edges that the instrument rounded: a uniform error of one step each.
        rounding = step / np.sqrt(6)
        jitter = float(np.std(periods)) if len(periods) else np.nan
        self.single("jitter_ns", train.lead, jitter, rounding, len(periods))

    def _counts(self, checked: LeadChecked) -> None:
        train, placed = checked.train, checked.placed
        if not len(train.pulses):
            self._none_at_all(checked)
        else:
            self.number("missing", train.lead, {"missing pulse": placed.missing_ns})
        extra = {"extra pulse": placed.extra_ns, "anodic phase alone": train.orphans_ns}
        extra["cathodic phase alone"] = train.pulses["start_ns"][~train.pulses["complete"]]
        if train.shapes is not None:
            extra["current without a pulse"] = train.shapes.unexplained_ns
        self.number("extra", train.lead, extra)

    def _none_at_all(self, checked: LeadChecked) -> None:
        """No pulse tells when others should be: so many are missing as the capture could hold."""
        capture, lead = self.capture, checked.train.lead
        room = (capture.end_ns - capture.start_ns) // checked.expected.period_ns
        missing = float(max(min(room, checked.expected.pulses), 1))
        self.add("missing", lead, missing, 0.0, 1, capture.start_ns)
        if self.limits.of("missing") is not None:
            self.find("missing pulse", lead, capture.start_ns, "there is no pulse in the whole capture")

    def _cycle(self, checked: LeadChecked) -> None:
        """How long contractions and rests were: of those that are whole in the capture."""
        placed, expected, lead = checked.placed, checked.expected, checked.train.lead
        step_ms = checked.train.resolution_ns / 1e6
        wanted_ns = (expected.pulses - 1) * expected.period_ns
        lasted = (placed.ends_ns - placed.begins_ns)[placed.whole]
        self.worst("on_ms", lead, (lasted - wanted_ns) / 1e6, placed.begins_ns[placed.whole],
                    step_ms + wanted_ns * self._clock / 1e6, "the contraction is {:+.4g} ms off")  # fmt: skip
        rests = placed.begins_ns[1:] - placed.ends_ns[:-1]
        wanted_ns = expected.off_ns + expected.period_ns
        self.worst("off_ms", lead, (rests - wanted_ns) / 1e6, placed.ends_ns[:-1],
                    step_ms + wanted_ns * self._clock / 1e6, "the rest is {:+.4g} ms off")  # fmt: skip

    def overlap(self) -> None:
        """Both leads on together, and both phases of a lead."""
        trains = [checked.train for checked in self.verdict.leads.values()]
        if not trains:
            return
        step = max(train.resolution_ns for train in trains)
        step = step if step > 1 else 0.0
        spans = _together(trains, 0)
        lasting = np.append((spans[:, 1] - spans[:, 0]).astype(np.float64), 0.0)
        at = np.append(spans[:, 0], self.capture.start_ns)
        # Where nothing comes within a step of anything else, a step more or less makes no overlap.
        near = step if len(_together(trains, int(np.ceil(step)))) else 0.0
        self.worst("overlap_ns", "", lasting, at, near, "on together for {:g} ns", kind="overlap")

    # Current.

    def _current(self, checked: LeadChecked) -> None:
        train, expected, hold = checked.train, checked.expected, checked.is_hold
        shapes = train.shapes
        if shapes is None:
            return
        found, start, level = shapes.pulses, train.pulses["start_ns"], expected.amplitude_ua
        of_ua = max(level, FLOOR_UA)
        noise = self._noise_percent(checked, of_ua)
        hold = hold & ~(np.isnan(found["cathodic_ua"]) & self._at_ends(checked))
        held, at = found[hold], start[hold]
        both, at_both = np.concatenate([held["cathodic_ua"], held["anodic_ua"]]), np.concatenate([at, at])
        self.worst("amplitude_percent", train.lead, (both - level) / of_ua * 100, at_both,
                    noise + self._gain, "the amplitude is {:+.3g} % off")  # fmt: skip
        charge_nc = expected.width_ns * _NC_PER_UA_NS * of_ua
        edges = 2 * (train.resolution_ns if train.resolution_ns > 1 else 0.0) / expected.width_ns * 100
        charges = np.concatenate([held["cathodic_nc"], held["anodic_nc"]])
        wanted = level * expected.width_ns * _NC_PER_UA_NS
        self.worst("charge_percent", train.lead, (charges - wanted) / charge_nc * 100, at_both,
                    noise + self._gain + edges, "the charge is {:+.3g} % off")  # fmt: skip
        self.worst("imbalance_percent", train.lead, held["net_nc"] / charge_nc * 100, at,
                    noise * np.sqrt(2) + edges, "the net charge is {:+.3g} % of a phase's",
                    kind="imbalance")  # fmt: skip
        self._balance(checked, charge_nc, noise * np.sqrt(2))
        self._ramp(checked, of_ua, noise + self._gain)
        step = shapes.step_ns
        self.worst("rise_ns", train.lead, _known(held["rise_ns"]), at[~np.isnan(held["rise_ns"])], step,
                    "the current rises in {:g} ns")  # fmt: skip
        beyond = held["overshoot_percent"]
        # The highest of many noisy samples lies some standard deviations up.
        self.worst("overshoot_percent", train.lead, _known(beyond), at[~np.isnan(beyond)],
                    4 * shapes.noise_ua / max(level, 1) * 100, "the current goes {:.3g} % beyond its mean",
                    kind="overshoot")  # fmt: skip
        self._net_dc(checked)

    def _at_ends(self, checked: LeadChecked) -> NDArray[np.bool_]:
        """Which pulses lie so near to an end of the capture that samples around them are not there."""
        shapes, pulses = checked.train.shapes, checked.train.pulses
        if shapes is None or not len(pulses):
            return np.zeros(len(pulses), dtype=np.bool_)
        longest_ns = float(np.median(pulses["cathodic_ns"] + pulses["anodic_ns"] + pulses["gap_ns"])) * 4
        margin_ns = longest_ns + AROUND_STEPS * shapes.step_ns
        start = pulses["start_ns"]
        near: NDArray[np.bool_] = start - self.capture.start_ns < margin_ns
        return near | (self.capture.end_ns - start < margin_ns)

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
        if train.shapes is None:
            return
        levels = train.shapes.pulses["cathodic_ua"]
        ramp &= ~(np.isnan(levels) & self._at_ends(checked))
        if not ramp.any():
            return
        found = levels[ramp]
        off = (found - share[ramp] * expected.amplitude_ua) / of_ua * 100
        self.worst("ramp_percent", train.lead, off, train.pulses["start_ns"][ramp], uncertainty,
                    "the amplitude in the ramp is {:+.3g} % off", kind="ramp step")  # fmt: skip

    def _balance(self, checked: LeadChecked, charge_nc: float, uncertainty: float) -> None:
        """The mean of a contraction: noise averages out there, and an imbalance that stays does not."""
        shapes, hold = checked.train.shapes, checked.is_hold
        if shapes is None or not hold.any():
            return
        number, net = checked.placed.number[hold], shapes.pulses["net_nc"][hold]
        known = ~np.isnan(net)
        which, inverse, counts = np.unique(number[known], return_inverse=True, return_counts=True)
        if not len(which):
            return  # each pulse fails as it is
        means = np.bincount(inverse, weights=net[known]) / counts / charge_nc * 100
        # What an end of the capture cut has fewer pulses, whose mean tells less than the others do.
        most = counts * 2 >= counts.max()
        # Four standard deviations of one pulse, and so many pulses in the shortest contraction.
        averaged = uncertainty / np.sqrt(counts[most].min())
        begins_ns = checked.placed.begins_ns[which[most]]
        self.worst("balance_percent", checked.train.lead, means[most], begins_ns, averaged,
                    "the mean net charge of the contraction is {:+.3g} % of a phase's")  # fmt: skip

    def _net_dc(self, checked: LeadChecked) -> None:
        """Over whole cycles, from the first pulse of one contraction to that of another one."""
        shapes, placed = checked.train.shapes, checked.placed
        name = f"I_{checked.train.lead.upper()}"
        begins = placed.begins_ns[placed.begun]
        if shapes is None or shapes.step_ns or len(begins) < 2:
            return  # a sampled current has an offset that no direct current can be told from
        value = Current(self.capture.current(name)).net_dc_na(int(begins[0]), int(begins[-1]))
        self.single("net_dc_na", checked.train.lead, abs(value), 0.0, len(begins) - 1)

    def _silent(self, checked: LeadChecked) -> None:
        """A lead without an amplitude: no current may flow, whether its switches move or not."""
        shapes, lead = checked.train.shapes, checked.train.lead
        if shapes is None:
            self.number("extra", lead, {"extra pulse": checked.train.pulses["start_ns"]})
            return
        flows = flows_ns(self.capture, lead, _SILENT_UA)
        self.number("extra", lead, {"current without an amplitude": flows})


def _together(trains: list[Train], within_ns: int) -> Intervals:
    """When phases of two leads, or both of one lead, are on together, or nearer than `within_ns`."""
    grown = np.array([0, within_ns])
    found = [np.empty((0, 2), np.int64)]
    for one, other in combinations(trains, 2):
        found += [overlaps(one.phases + grown, other.phases), overlaps(one.phases, other.phases + grown)]
    if not within_ns:
        found = found[:2]  # both ways are the same
    for train in trains:
        pulses = train.pulses[train.pulses["complete"] & (train.pulses["gap_ns"] < 0)]
        anodic = pulses["start_ns"] + pulses["cathodic_ns"] + pulses["gap_ns"]
        found.append(np.column_stack([anodic, pulses["start_ns"] + pulses["cathodic_ns"]]))
    return np.concatenate(found)


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]
