"""Whether all that flowed in a capture stayed within a programme's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from stimfw.therapy.ranges import LEADS

from stimbench.analysis.edges import overlaps, union
from stimbench.analysis.pulses import Pulses
from stimbench.analysis.train import Train, current_name, measure_train
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Times
from stimbench.checks.session import therapy_of
from stimbench.client.on_bench import ready_program

__all__ = ("PROGRAM", "Flowed", "outside_limits")

PROGRAM: Mapping[str, int] = {
    "width_us": 214,
    "gap_us": 50,
    "rate_hz": 50,
    "ramp_up_ms": 200,
    "on_ms": 1000,
    "ramp_down_ms": 200,
    "off_ms": 1000,
    "left_amplitude_ua": 2000,
    "right_amplitude_ua": 2000,
}
"""As short as the firmware takes it: 2.9 s hold all of its states."""

_FLOWS_UA = 200.0
"""Less is what recharge takes back after a pulse that was cut short."""
_MOST_UA = 2000 * 1.01
_EDGE_NS = 8
"""How exact each edge of a pulse is (docs/figures.md)."""
_SETTLES_NS = 5_000
"""The pump needs so long to follow a switch."""


@dataclass(frozen=True)
class Flowed:
    """What a capture told.

    Attributes:
        pulses: of the therapy on both leads, with a current.
        wrong: in words, what was beyond the limits.
    """

    pulses: int
    wrong: tuple[str, ...]


def outside_limits(capture: Capture, off_ns: int | None = None) -> Flowed:
    """Hold all currents of a capture against PROGRAM.

    The period, the gap and the order of the leads are judged from the first pulse of the therapy on: the
    output's own test before it has others. All else holds for the test, too.

    Args:
        capture: from START on, with the bridges' switches and the leads' currents.
        off_ns: from when on no current may flow; None if it may.
    """
    wrong: list[str] = []
    pulses, phases = 0, []
    begin_ns = _therapy_ns(capture)
    for lead in LEADS:
        train = measure_train(capture, lead)
        wrong += _current(capture, lead, train, off_ns)
        therapy = train.pulses[train.pulses["start_ns"] >= begin_ns]
        pulses += _count(train, begin_ns)
        wrong += [f"{lead}: {each}" for each in _widths(train.pulses) + _timing(therapy)]
        phases.append(_spans(therapy))
    together = overlaps(*phases)
    if len(together):
        wrong.append(f"both leads are on together at {_ms(capture, int(together[0, 0]))}")
    return Flowed(pulses, tuple(wrong))


def _therapy_ns(capture: Capture) -> int:
    """When the first contraction began; the end of the capture if none did."""
    first = therapy_of(capture, ready_program(**PROGRAM)).capture
    return first.start_ns if first is not capture else capture.end_ns


def _count(train: Train, begin_ns: int) -> int:
    """Pulses with a current: switches may go on moving behind a gate that is closed."""
    if train.shapes is None:
        return 0
    flowing = train.shapes.pulses["cathodic_ua"] > _FLOWS_UA / 4
    return int(np.sum(flowing & (train.pulses["start_ns"] >= begin_ns)))


def _spans(pulses: Pulses) -> Times:
    """Both phases of each pulse, shape (n, 2)."""
    start, cathodic = pulses["start_ns"], pulses["cathodic_ns"]
    anodic = start + cathodic + pulses["gap_ns"]
    both = [
        np.column_stack([start, start + cathodic]),
        np.column_stack([anodic, anodic + pulses["anodic_ns"]]),
    ]
    spans: Times = union(np.concatenate(both))
    return spans


def _widths(pulses: Pulses) -> list[str]:
    """A phase that is longer than the programme's."""
    longest = max(pulses["cathodic_ns"].max(initial=0), pulses["anodic_ns"].max(initial=0))
    if longest <= PROGRAM["width_us"] * 1000 + _EDGE_NS:
        return []
    return [f"a phase lasts {longest / 1000:.3f} us"]


def _timing(pulses: Pulses) -> list[str]:
    """A pulse, or its second phase, that comes before its time."""
    wrong = []
    apart = np.diff(pulses["start_ns"])
    if len(apart) and apart.min() < 1_000_000_000 // PROGRAM["rate_hz"] - _EDGE_NS:
        wrong.append(f"two pulses are {apart.min() / 1e6:.3f} ms apart")
    gaps = pulses["gap_ns"][pulses["complete"]]
    if len(gaps) and gaps.min() < PROGRAM["gap_us"] * 1000 - _EDGE_NS:
        wrong.append(f"a gap lasts {gaps.min() / 1000:.3f} us")
    return wrong


def _current(capture: Capture, lead: str, train: Train, off_ns: int | None) -> list[str]:
    """A current that is too large, or flows where no phase is, or when the output must be off."""
    pieces = capture.current(current_name(lead))
    size = np.maximum(np.abs(pieces.i0_ua), np.abs(pieces.i1_ua))
    wrong = []
    if size.max(initial=0.0) > _MOST_UA:
        wrong.append(f"{lead}: {size.max():.0f} uA flow")
    flows = size > _FLOWS_UA
    begins, ends = pieces.t0_ns[flows], pieces.t1_ns[flows]
    spans = _spans(train.pulses)
    slot = np.searchsorted(spans[:, 0], begins, side="right") - 1
    outside = (
        (slot < 0) | (ends > spans[np.maximum(slot, 0), 1] + _SETTLES_NS) if len(spans) else flows[flows]
    )
    if outside.any():
        wrong.append(f"{lead}: a current flows without a pulse at {_ms(capture, int(begins[outside][0]))}")
    if off_ns is not None and (ends > off_ns).any():
        wrong.append(f"{lead}: a current still flows at {_ms(capture, int(ends.max()))}, which must be off")
    return wrong


def _ms(capture: Capture, time_ns: int) -> str:
    return f"{(time_ns - capture.start_ns) / 1e6:.3f} ms after START"
