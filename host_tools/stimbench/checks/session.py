"""Which part of a capture is therapy.

A session begins with a test of the output: some short pulses that cross no electrode pair. Only then are the
programme's electrodes switched on, and the first pulse of the therapy comes after that (docs/firmware.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.edges import Intervals, intervals
from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.train import has_current, has_switches, measure_train
from stimbench.capture.capture import Capture

__all__ = ("Therapy", "therapy_of")

_MATRIX = "stimulator.MATRIX_CS"
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
    phases, step = _phases(capture)
    width_ns = program.width_us * 1000
    alike = np.abs(phases[:, 1] - phases[:, 0] - width_ns) <= max(width_ns * 0.02, step)
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


def _phases(capture: Capture) -> tuple[Intervals, float]:
    """When any phase of either lead was on, in order of time, shape (n, 2); and how exact that is, in ns."""
    names = [f"stimulator.{name}" for signals in LEAD_SIGNALS.values() for name in signals[:2]]
    found = [intervals(capture.edges(name)) for name in names if name in capture.digital]
    step = 1e9 / capture.origin.digital_hz if capture.origin.digital_hz else 0.0
    if not found:
        trains = [measure_train(capture, lead) for lead in LEADS if has_current(capture, lead)]
        found = [train.phases for train in trains]
        step = max((train.resolution_ns for train in trains), default=0.0)
    every = np.concatenate([np.empty((0, 2), np.int64), *found])
    return every[np.argsort(every[:, 0], kind="stable")], step
