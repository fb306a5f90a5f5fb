"""Faults that are planted in captures: each must be found and named, with its time, and none invented."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stimbench.analysis.synthetic import Recipe, Truth, make_capture, make_truth
from stimbench.benchmarks.captures.recipes import AMPLITUDE_UA, LIMITS, PROGRAM, session_recipe
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.capture.quality import refusals
from stimbench.checks.judge import judge_capture
from stimbench.checks.limits import Limits
from stimbench.checks.outcome import Finding
from stimbench.checks.single import needed_of

__all__ = ("FAULTS", "PLANTED", "Found", "look")

_SESSION_S, _QUICK_S = 1830, 124
_CLEAN, _QUICK_CLEAN = 20, 3
_NEAR_NS = 60_000_000
"""A finding names the time of its fault if it is nearer than a period and a bit."""

_FOLLOWS_NS = 100_000_000
"""Two periods: a pulse that is moved has a wrong period before it and one behind it."""


@dataclass(frozen=True)
class Found:
    """What came of one capture.

    Attributes:
        name: of the fault, or `clean`.
        pulses: in the capture, both leads.
        hit: the fault was found by its name at its time.
        others: findings that are neither it nor follow from it.
        text: the finding.
    """

    name: str
    pulses: int
    hit: bool
    others: int
    text: str


@dataclass(frozen=True)
class _Fault:
    """One planted fault.

    Attributes:
        plant: changes the truth; returns when the fault is, in ns.
        kind: how the finding must be called.
        follow: findings that follow from it: a pulse that is moved has two wrong periods as well.
        fine: needs a current that is sampled ten times as fast and with less noise.
    """

    plant: Callable[[Truth], int]
    kind: str
    follow: tuple[str, ...] = ()
    fine: bool = False


def _middle(truth: Truth, lead: str = "left") -> int:
    """A pulse in the hold, in the middle of the capture."""
    levels = truth.amplitudes_ua[lead][:, 0]
    at = len(levels) // 2
    return at + int(np.argmax(levels[at:] >= AMPLITUDE_UA)) + 5


def _missing(truth: Truth) -> int:
    return truth.drop("left", _middle(truth))


def _longer(truth: Truth) -> int:
    at = _middle(truth)
    truth.pulses["left"]["cathodic_ns"][at] += 1000
    # The phases keep their distance, so that the width alone is off.
    return int(truth.pulses["left"]["start_ns"][at])


def _one_imbalance(truth: Truth) -> int:
    at = _middle(truth)
    truth.amplitudes_ua["left"][at, 1] *= 0.995
    return int(truth.pulses["left"]["start_ns"][at])


def _imbalance(truth: Truth) -> int:
    """From the middle of the session on every anodic phase lacks 0.5 %: noise hides it in a single pulse."""
    start, levels = truth.pulses["right"]["start_ns"], truth.amplitudes_ua["right"]
    begins = np.flatnonzero(np.diff(start) > 60_000_000) + 1
    first = int(begins[(len(begins) - 1) // 2])
    levels[first:, 1] *= 0.995
    return int(start[first])


def _overlap(truth: Truth) -> int:
    left, right = truth.pulses["left"], truth.pulses["right"]
    at = _middle(truth)
    end = int(left["start_ns"][at] + left["cathodic_ns"][at] * 2 + left["gap_ns"][at])
    near = int(np.searchsorted(right["start_ns"], end))
    right["start_ns"][near] = end - 50_000
    return end - 50_000


def _ramp_step(truth: Truth) -> int:
    levels = truth.amplitudes_ua["right"]
    at = len(levels) // 2
    at += int(np.argmax((levels[at:, 0] > 0.3 * AMPLITUDE_UA) & (levels[at:, 0] < 0.7 * AMPLITUDE_UA)))
    levels[at] += 0.05 * AMPLITUDE_UA
    return int(truth.pulses["right"]["start_ns"][at])


def _stopped(truth: Truth) -> int:
    truth.stopped_ns = int(truth.pulses["left"]["start_ns"][_middle(truth)])
    return truth.stopped_ns


FAULTS = {
    "one missing pulse": _Fault(_missing, "missing pulse"),
    "1 us on one width": _Fault(_longer, "width", ("charge", "imbalance")),
    "0.5 % imbalance of one pulse": _Fault(_one_imbalance, "imbalance", fine=True),
    "0.5 % imbalance that stays": _Fault(_imbalance, "balance"),
    "one overlap": _Fault(_overlap, "overlap", ("period", "jitter", "extra pulse", "missing pulse")),
    "a ramp step": _Fault(_ramp_step, "ramp step"),
    "a stopped trigger": _Fault(_stopped, "stopped trigger"),
}
_FINE = {"analog_hz": 1_000_000, "noise_db": 60.0}
_FINE_LIMITS = LIMITS.model_copy(update={"imbalance_percent": 0.25})
_FINE_S = 186


def look(name: str, seconds: float, seed: int) -> Found:
    """Make a capture with one fault, or `clean`, and judge it."""
    fault = FAULTS.get(name)
    fine = fault is not None and fault.fine
    recipe = session_recipe(min(seconds, _FINE_S) if fine else seconds, seed, **(_FINE if fine else {}))
    truth = make_truth(recipe)
    at_ns = fault.plant(truth) if fault else 0
    return _judged(name, recipe, truth, at_ns, _FINE_LIMITS if fine else LIMITS)


def _judged(name: str, recipe: Recipe, truth: Truth, at_ns: int, limits: Limits) -> Found:
    capture = make_capture(recipe, truth)
    pulses = sum(len(each) for each in truth.pulses.values())
    reasons = refusals(capture, needed_of(capture, PROGRAM, limits))
    if reasons:
        is_hit = name == "a stopped trigger" and f"{at_ns / 1e9:.6f} s" in reasons[0]
        return Found(name, pulses, is_hit, len(reasons) - int(is_hit), reasons[0])
    verdict = judge_capture(capture, PROGRAM, limits)
    fault = FAULTS.get(name)
    hits = [each for each in verdict.findings if fault and each.kind == fault.kind
            and abs(each.time_ns - at_ns) < _NEAR_NS]  # fmt: skip
    # What stays is found in every contraction that follows.
    stays = fault is not None and fault.kind == "balance"
    others = [
        each for each in verdict.findings
        if each not in hits and not _follows(each, fault, at_ns)
        and not (stays and each.kind == "balance" and each.time_ns > at_ns)
    ]  # fmt: skip
    text = f"{hits[0].time_ns / 1e9:.6f} s: {hits[0].text}" if hits else "not found"
    return Found(name, pulses, bool(hits), len(others), text if fault else f"{len(others)} findings")


def _follows(finding: Finding, fault: _Fault | None, at_ns: int) -> bool:
    """Whether a finding is what a fault brings along: beside it, or, as jitter is, of the whole capture."""
    if fault is None or finding.kind not in fault.follow:
        return False
    return finding.kind == "jitter" or abs(finding.time_ns - at_ns) < _FOLLOWS_NS


def _cases(options: Options) -> list[tuple[str, float, int]]:
    seconds: float = _QUICK_S if options.quick else _SESSION_S
    clean = _QUICK_CLEAN if options.quick else _CLEAN
    faults = [(name, seconds, options.seed) for name in FAULTS]
    return faults + [("clean", seconds, options.seed + 1 + k) for k in range(clean)]


def _work(case: tuple[str, float, int]) -> Found:
    return look(*case)


def _judge(found: Sequence[Found], options: Options) -> list[Line]:
    faults = [each for each in found if each.name != "clean"]
    clean = [each for each in found if each.name == "clean"]
    told = "; ".join(f"{each.name}: {each.text}" for each in faults)
    most = max(each.pulses for each in found)
    how = f"sessions of up to {most} pulses, 10 MS/s digital, 100 kS/s current at 40 dB"
    return [
        reached("faults planted and found, named, with their time", sum(each.hit for each in faults),
                Relation.EQUAL, len(FAULTS), "", f"{how}; {told}"),
        reached("findings that no fault explains", sum(each.others for each in found), Relation.EQUAL, 0, "",
                f"in {len(clean)} clean captures and in the others; {how}"),
    ]  # fmt: skip


PLANTED = Row("planted", "faults planted in captures", _cases, _work, _judge, weight=15)
