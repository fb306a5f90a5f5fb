"""Whether a capture can carry a verdict: what it lacks for a check, one sentence for each reason.

**The rule for sample rates.** A sampled edge is seen at the first sample at or after it, so it is late by
less than one period T of the samples. A width, a gap or a period is the difference of two edges: it is
off by less than T, up or down. A check asks for T <= t/2 of a tolerance t. Then a pulse that is off by
less than t/2 always passes, and one that is off by more than 3t/2 always fails: the instrument takes at
most half of the tolerance.

The instrument's clock adds its own error: over a time L it is off by L times its ppm. That counts towards
the same half of the tolerance, so a tolerance may come with the time that is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from stimbench.capture.capture import Capture
from stimbench.capture.nearest import nearest
from stimbench.capture.samples import Samples

__all__ = ("Needed", "Tolerance", "refusals")

_NS_PER_S = 1_000_000_000
_SHARE = 0.5
"""Of a tolerance that the instrument may take."""
_AT_LIMIT = 1e-4
"""Of the converter's range: so near to its end a value is at its end. A step of 12 bits is twice as much."""
_MOST_CLIPPED = 1
"""Samples at a limit before a channel counts as clipped: a single one may just touch it."""


@dataclass(frozen=True)
class Tolerance:
    """How far a time may be off.

    Attributes:
        limit_ns: the tolerance, up and down.
        of_ns: the time that is measured: the instrument's clock is off by a share of it.
    """

    limit_ns: float
    of_ns: float = 0.0


@dataclass(frozen=True)
class Needed:
    """What a check asks of a capture.

    Attributes:
        digital, analog: the channels.
        duration_ns: how long it must be.
        tolerances: of times by what is measured, `{"width": Tolerance(1000, 214_000)}`; a plain number is one
            in ns.
        least_hz: the lowest sample rate of the analog channels.
    """

    digital: tuple[str, ...] = ()
    analog: tuple[str, ...] = ()
    duration_ns: int = 0
    tolerances: Mapping[str, Tolerance | float] = field(default_factory=dict)
    least_hz: int = 0


def refusals(capture: Capture, needed: Needed) -> list[str]:
    """Why a capture cannot be judged: one sentence a reason, with its numbers; empty if it can.

    All samples of the analog channels are read where the converter's limits are known.

    Raises:
        InputError: its file is damaged.
    """
    return [
        *_ended_early(capture, needed),
        *_missing(capture, needed),
        *_too_coarse(capture, needed),
        *_too_slow(capture, needed),
        *_clipped(capture, needed),
    ]


def _ended_early(capture: Capture, needed: Needed) -> Iterator[str]:
    if capture.origin.truncated:
        yield f"{capture.source} is truncated: {capture.origin.truncated}."
    lasts_ms, needed_ms = (capture.end_ns - capture.start_ns) / 1e6, needed.duration_ns / 1e6
    if capture.origin.stopped:
        yield f"{capture.source} ended before its time, after {lasts_ms:g} ms: {capture.origin.stopped}."
    if lasts_ms < needed_ms:
        yield f"{capture.source} lasts {lasts_ms:g} ms, and the check needs {needed_ms:g} ms."


def _missing(capture: Capture, needed: Needed) -> Iterator[str]:
    for kind, wanted, known in (
        ("digital", needed.digital, capture.digital),
        ("analog", needed.analog, capture.analog),
    ):
        missing = [name for name in wanted if name not in known]
        if missing:
            near = [found for name in missing if (found := nearest(name, known)) is not None]
            hint = f"; is {', '.join(near)} meant" if near else ""
            yield (
                f"{capture.source} lacks the {kind} channels {', '.join(missing)}: "
                f"it has {', '.join(known) or 'none'}{hint}."
            )


def _too_coarse(capture: Capture, needed: Needed) -> Iterator[str]:
    rate_hz = _edge_hz(capture, needed)
    period_ns = _NS_PER_S / rate_hz if rate_hz else 0.0
    for measure, given in needed.tolerances.items():
        tolerance = given if isinstance(given, Tolerance) else Tolerance(given)
        drift_ns = tolerance.of_ns * capture.origin.clock_ppm / 1e6
        room_ns = tolerance.limit_ns * _SHARE - drift_ns
        cannot = f"{capture.source} cannot judge {measure} to {tolerance.limit_ns:g} ns"
        if room_ns <= 0 < drift_ns:
            yield (
                f"{cannot}: its clock may be off by {capture.origin.clock_ppm:g} ppm: {drift_ns:g} ns "
                f"in {tolerance.of_ns / 1e6:g} ms."
            )
        elif period_ns > room_ns:
            takes = f" It takes {-(-_NS_PER_S // room_ns):.0f} samples a second." if room_ns > 0 else ""
            yield (
                f"{cannot}: at {rate_hz} samples a second an edge is up to {period_ns:g} ns late, and "
                f"{room_ns:g} ns is the most.{takes}"
            )


def _edge_hz(capture: Capture, needed: Needed) -> int:
    """The rate at which edges are seen; 0 if their times are exact."""
    if needed.digital or not needed.analog:
        return capture.origin.digital_hz
    rates = [samples.rate_hz for _, samples in _sampled(capture, needed)]
    return min(rates, default=0)


def _sampled(capture: Capture, needed: Needed) -> Iterator[tuple[str, Samples]]:
    for name in needed.analog:
        samples = capture.samples(name) if name in capture.analog else None
        if samples is not None:
            yield name, samples


def _too_slow(capture: Capture, needed: Needed) -> Iterator[str]:
    for name, samples in _sampled(capture, needed):
        if samples.rate_hz < needed.least_hz:
            yield (
                f"{name} of {capture.source} has {samples.rate_hz} samples a second, and the check needs "
                f"{needed.least_hz}."
            )


def _clipped(capture: Capture, needed: Needed) -> Iterator[str]:
    for name, samples in _sampled(capture, needed):
        if samples.limits is None:
            continue
        low, high = samples.limits
        near = (high - low) * _AT_LIMIT
        count, first = 0, -1
        for begin, values in samples:
            beyond = np.flatnonzero((values <= low + near) | (values >= high - near))
            count += len(beyond)
            if first < 0 and len(beyond):
                first = begin + int(beyond[0])
        if count > _MOST_CLIPPED:
            at_ms = float(samples.times_ns(first)) / 1e6
            yield (
                f"{name} of {capture.source} is clipped: {count} samples are at the ends of the range of "
                f"{low:g} to {high:g} {samples.unit}, the first at {at_ms:g} ms."
            )
