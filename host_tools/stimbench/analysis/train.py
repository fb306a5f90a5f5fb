"""Everything that is measured of one lead's pulses, from whatever a capture has of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stimbench.analysis.detect import pulses_in, threshold_ua
from stimbench.analysis.edges import union
from stimbench.analysis.leads import LEAD_SIGNALS, switches_of
from stimbench.analysis.pulses import Pulses, find_pulses, orphans_ns
from stimbench.analysis.sampled import of_samples
from stimbench.analysis.shape import Shapes, of_pieces
from stimbench.capture.capture import Capture, NoChannelError
from stimbench.capture.channels import Edges, Times

__all__ = ("AROUND_STEPS", "Train", "current_name", "has_current", "has_switches", "measure_train")

AROUND_STEPS = 12
"""Samples around a pulse that its measures need; see analysis.sampled."""


@dataclass(frozen=True)
class Train:
    """The pulses of one lead.

    Attributes:
        lead: `left` or `right`.
        pulses: shape (n,), dtype PULSE.
        shapes: their currents; None if the capture has no current of the lead.
        orphans_ns: when anodic phases began that belong to no cathodic one, shape (k,).
        resolution_ns: how far an edge may be from where it was: one sample, or 1 ns.
        by_current: whether the pulses were found in the current, for want of switches.
        least_ua: then, what is smaller was taken for no pulse; else 0.
    """

    lead: str
    pulses: Pulses
    shapes: Shapes | None
    orphans_ns: Times
    resolution_ns: float
    by_current: bool
    least_ua: float = 0.0

    @cached_property
    def phases(self) -> Times:
        """When a phase lasted, shape (m, 2), in ns: both phases of each pulse, in order of time."""
        start = self.pulses["start_ns"]
        end = start + self.pulses["cathodic_ns"]
        anodic = end + self.pulses["gap_ns"]
        spans = np.column_stack([start, end, anodic, anodic + self.pulses["anodic_ns"]]).reshape(-1, 2)
        whole = spans[spans[:, 1] > spans[:, 0]]
        return whole[np.argsort(whole[:, 0], kind="stable")]


def current_name(lead: str) -> str:
    """What a capture calls the current of a lead."""
    return f"I_{lead.upper()}"


def has_switches(capture: Capture, lead: str) -> bool:
    """Whether the capture has the switches of both phases."""
    cathodic, anodic, _ = LEAD_SIGNALS[lead]
    return {f"stimulator.{cathodic}", f"stimulator.{anodic}"} <= set(capture.digital)


def has_current(capture: Capture, lead: str) -> bool:
    """Whether the capture has the current of the lead."""
    return current_name(lead) in capture.analog


def measure_train(capture: Capture, lead: str, least_ua: float | None = None) -> Train:
    """Measure the pulses of a lead: by its switches if there are any, else by its current.

    Args:
        capture: has the switches of the lead, or its current, or both.
        lead: `left` or `right`.
        least_ua: without switches: what is smaller is no pulse. See detect.pulses_in.

    Raises:
        NoChannelError: the capture has neither.
    """
    if has_switches(capture, lead):
        return _by_switches(capture, lead)
    if not has_current(capture, lead):
        wanted = ", ".join(LEAD_SIGNALS[lead])
        raise NoChannelError(
            f"{capture.source} has nothing of the {lead} lead: neither {wanted} nor {current_name(lead)}."
        )
    return _by_current(capture, lead, least_ua)


def _by_switches(capture: Capture, lead: str) -> Train:
    recharge_name = f"stimulator.{LEAD_SIGNALS[lead][2]}"
    if recharge_name in capture.digital:
        cathodic, anodic, recharge = switches_of(capture, lead)
        pulses = find_pulses(cathodic, anodic, recharge)
    else:
        cathodic, anodic = (capture.edges(f"stimulator.{name}") for name in LEAD_SIGNALS[lead][:2])
        pulses = find_pulses(cathodic, anodic, cathodic.between(0, 0))
    rate_hz = capture.origin.digital_hz
    resolution = 1e9 / rate_hz if rate_hz else 1.0
    pulses, length_ns = _whole(pulses, capture.end_ns)
    shapes = _shapes(capture, lead, pulses, resolution if rate_hz else 0.0)
    orphans = _inside(orphans_ns(cathodic, anodic), capture, length_ns)
    return Train(lead, pulses, _trimmed(shapes, capture, length_ns), orphans, resolution, by_current=False)


def _whole(pulses: Pulses, end_ns: int) -> tuple[Pulses, int]:
    """Without a last pulse that the end of the capture cut; and how long a pulse is, in ns."""
    complete = pulses[pulses["complete"]]
    if not len(complete):
        return pulses, 0
    length_ns = int(np.median(complete["cathodic_ns"] + complete["gap_ns"] + complete["anodic_ns"]))
    last = pulses[-1]
    is_cut = not last["complete"] and end_ns - last["start_ns"] <= length_ns
    return (pulses[:-1] if is_cut else pulses), length_ns


def _inside(times_ns: Times, capture: Capture, length_ns: int) -> Times:
    """Without what is nearer to an end of the capture than a pulse is long: half a pulse may show there."""
    inside: Times = times_ns[
        (times_ns - capture.start_ns > length_ns) & (capture.end_ns - times_ns > length_ns)
    ]
    return inside


def _trimmed(shapes: Shapes | None, capture: Capture, length_ns: int) -> Shapes | None:
    if shapes is None:
        return None
    # A pulse whose samples are not all there is not measured, and so explains nothing.
    margin_ns = length_ns + round(AROUND_STEPS * shapes.step_ns)
    return replace(shapes, unexplained_ns=_inside(shapes.unexplained_ns, capture, margin_ns))


def _shapes(capture: Capture, lead: str, pulses: Pulses, resolution_ns: float) -> Shapes | None:
    if not has_current(capture, lead):
        return None
    samples = capture.samples(current_name(lead))
    if samples is not None:
        return of_samples(samples, pulses, resolution_ns)
    current = capture.current(current_name(lead))
    return of_pieces(current, pulses, capture.start_ns, capture.end_ns)


def _by_current(capture: Capture, lead: str, least_ua: float | None) -> Train:
    name = current_name(lead)
    samples = capture.samples(name)
    if samples is None:
        return _by_pieces(capture, lead, least_ua)
    least = threshold_ua(samples) if least_ua is None else least_ua
    pulses = pulses_in(samples, least)
    pulses, length_ns = _whole(pulses, capture.end_ns)
    shapes = _trimmed(of_samples(samples, pulses, samples.period_ns, least), capture, length_ns)
    return Train(lead, pulses, shapes, np.empty(0, np.int64), samples.period_ns, True, least)


def _by_pieces(capture: Capture, lead: str, least_ua: float | None) -> Train:
    """From exact pieces: a phase is where they are beyond the threshold."""
    current = capture.current(current_name(lead))
    low, high = np.minimum(current.i0_ua, current.i1_ua), np.maximum(current.i0_ua, current.i1_ua)
    least = least_ua if least_ua is not None else max(float(np.abs([low, high]).max(initial=0)) / 4, 1e-9)
    spans = np.column_stack([current.t0_ns, current.t1_ns])
    cathodic, anodic = (_edges(spans[side]) for side in (high < -least, low > least))
    none = cathodic.between(0, 0)
    pulses, length_ns = _whole(find_pulses(cathodic, anodic, none), capture.end_ns)
    shapes = _trimmed(of_pieces(current, pulses, capture.start_ns, capture.end_ns), capture, length_ns)
    orphans = _inside(orphans_ns(cathodic, anodic), capture, length_ns)
    return Train(lead, pulses, shapes, orphans, 1.0, True, least)


def _edges(spans: Times) -> Edges:
    """The edges of what is high in these spans; touching ones become one."""
    return Edges(union(spans).reshape(-1))
