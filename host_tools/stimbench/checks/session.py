"""Which part of a capture is therapy.

A session begins with a test of the output: some short pulses that cross no electrode pair. Only then are the
programme's electrodes switched on, and the first pulse of the therapy comes after that (docs/firmware.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.edges import Intervals, intervals
from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.train import has_current, has_switches, measure_train
from stimbench.capture.capture import Capture

__all__ = ("Therapy", "therapy_of")

_MATRIX = "stimulator.MATRIX_CS"
_TEST_PERIOD_NS = 1_500_000
"""From one pulse of the test to the next (stimfw.stimulator.output_test)."""
_TEST_MS = 400
"""The first pulse of the test comes later than this before the first one of the therapy."""


@dataclass(frozen=True)
class Therapy:
    """The therapy in a capture.

    Attributes:
        capture: from where the test of the output is over.
        left_out: how many phases were left out as that test; 0 if the electrode switches say where it ends.
    """

    capture: Capture
    left_out: int = 0


def therapy_of(capture: Capture, program: Program, start_ns: int | None = None) -> Therapy:
    """The therapy in a capture that began before START.

    Args:
        capture: of one session.
        program: what was asked for.
        start_ns: where the therapy begins, if a person knows. By default it begins when the electrode
            switches were last set before the first pulse of the programme's width. Without their line in the
            capture, phases of another width in the 400 ms before that pulse are left out.
    """
    if start_ns is not None:
        return Therapy(capture.between(start_ns, capture.end_ns))
    phases, in_test, step = _phases(capture)
    width_ns = program.width_us * 1000
    alike = (np.abs(phases[:, 1] - phases[:, 0] - width_ns) <= max(width_ns * 0.02, step)) & ~in_test
    if not alike.any():
        return Therapy(capture)
    first_ns = int(phases[np.argmax(alike), 0])
    if _MATRIX in capture.digital:
        edges = capture.edges(_MATRIX).times_ns
        before = edges[edges < first_ns]
        return Therapy(capture.between(int(before[-1]), capture.end_ns) if len(before) else capture)
    # Where only a current tells, the first pulses of a long ramp were too small to be seen.
    by_current = not any(has_switches(capture, lead) for lead in LEADS)
    since = by_current | (phases[:, 0] >= first_ns - _TEST_MS * 1_000_000)
    test = ~alike & since & (phases[:, 0] < first_ns)
    if not test.any():
        return Therapy(capture)
    begin_ns = int(phases[test][-1, 1]) + 1
    return Therapy(capture.between(begin_ns, capture.end_ns), int(test.sum()))


def _phases(capture: Capture) -> tuple[Intervals, NDArray[np.bool_], float]:
    """When any phase of either lead was on, in order of time, shape (n, 2); which are the test's, shape (n,).

    And how exact that is, in ns.
    """
    names = [f"stimulator.{name}" for signals in LEAD_SIGNALS.values() for name in signals[:2]]
    found = [intervals(capture.edges(name)) for name in names if name in capture.digital]
    step = 1e9 / capture.origin.digital_hz if capture.origin.digital_hz else 0.0
    if not found:
        trains = [measure_train(capture, lead) for lead in LEADS if has_current(capture, lead)]
        found = [train.phases for train in trains]
        step = max((train.resolution_ns for train in trains), default=0.0)
    every = np.concatenate([np.empty((0, 2), np.int64), *found])
    in_test = np.concatenate([np.empty(0, np.bool_), *(_in_test(phases[:, 0], step) for phases in found)])
    order = np.argsort(every[:, 0], kind="stable")
    return every[order], in_test[order], step


def _in_test(starts_ns: NDArray[np.int64], step_ns: float) -> NDArray[np.bool_]:
    """Which phases of one switch, or of one lead, are the test's, shape (n,): its pulses come 1.5 ms apart.

    No programme's do: it has 5 ms a period, and the phases of a pulse as wide as a test's begin 0.7 ms apart.
    """
    tolerance_ns = max(_TEST_PERIOD_NS * 0.005, 2 * step_ns)
    found = np.zeros(len(starts_ns), np.bool_)
    for off_ns in (-_TEST_PERIOD_NS, _TEST_PERIOD_NS):
        nearest = np.searchsorted(starts_ns, starts_ns + (off_ns - tolerance_ns))
        inside = nearest < len(starts_ns)
        at_ns = starts_ns[np.minimum(nearest, len(starts_ns) - 1)]
        found |= inside & (np.abs(at_ns - starts_ns - off_ns) <= tolerance_ns)
    return found
