"""Whether a current flows in a lead that should have none, whatever its switches do."""

from __future__ import annotations

import numpy as np

from stimbench.analysis.train import current_name
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Times

__all__ = ("flows_ns",)

_NOISE_FACTOR = 8
"""See analysis.detect: no noise comes so many standard deviations far in a session."""
_MAD = 0.6745
"""Median deviation of a normal distribution, in standard deviations."""
_APART_NS = 1_000_000
"""What flows again sooner belongs to the same pulse."""


def flows_ns(capture: Capture, lead: str, least_ua: float) -> Times:
    """When a current of more than `least_ua`, and of more than noise, begins to flow: shape (k,), in ns.

    What an instrument shows all the time is its offset: a direct current that never changes cannot be told.

    Raises:
        NoChannelError: the capture does not have the lead's current.
    """
    name = current_name(lead)
    samples = capture.samples(name)
    if samples is None:
        pieces = capture.current(name)
        flows = np.maximum(np.abs(pieces.i0_ua), np.abs(pieces.i1_ua)) > least_ua
        return _begins(pieces.t0_ns[flows])
    offsets, noises = [], []
    for _, values in samples:
        offsets.append(float(np.median(values)))
        noises.append(float(np.median(np.abs(values - offsets[-1]))) / _MAD)
    if not offsets:
        return np.empty(0, np.int64)
    offset, least = float(np.median(offsets)), max(least_ua, _NOISE_FACTOR * float(np.median(noises)))
    found = [np.flatnonzero(np.abs(values - offset) > least) + first for first, values in samples]
    return _begins(np.rint(samples.times_ns(np.concatenate(found))).astype(np.int64))


def _begins(times_ns: Times) -> Times:
    return times_ns[np.diff(times_ns, prepend=-_APART_NS - 1) > _APART_NS]
