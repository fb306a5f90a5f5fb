"""The instants of an instrument that samples at a fixed rate: which sample is taken when, exact to 1 ns.

Sample `i` is taken `i / rate_hz` seconds after the first one, in whole ns, rounded down: times do not drift,
whatever the rate. Seconds and the rest are worked out apart: an index times 1e9 would not fit into 64 bits
after 9.2e9 samples, six minutes at 24 MHz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stimbench.capture.channels import Times

__all__ = ("MOST_HZ", "NS_PER_S", "first_samples", "instants", "whole_samples")

NS_PER_S = 1_000_000_000
MOST_HZ = 8_000_000_000
"""At higher rates the rest of a second, times the rate, would not fit into 64 bits."""


def instants(indices: ArrayLike, rate_hz: int, start_ns: int = 0) -> Times:
    """When samples are taken.

    Args:
        indices: of the samples, from 0.
        rate_hz: samples a second, at most MOST_HZ.
        start_ns: when sample 0 is taken.

    Returns:
        Times in ns, same shape as `indices`.
    """
    seconds, rest = np.divmod(np.asarray(indices, dtype=np.int64), rate_hz)
    times: Times = start_ns + seconds * NS_PER_S + rest * NS_PER_S // rate_hz
    return times


def first_samples(times_ns: ArrayLike, rate_hz: int, start_ns: int = 0) -> Times:
    """The first sample at or after each time: the one that shows an edge at that time first.

    Args:
        times_ns: the times.
        rate_hz: samples a second, at most MOST_HZ.
        start_ns: when sample 0 is taken.

    Returns:
        Indices, same shape as `times_ns`; below 0 for what is earlier than the first sample.
    """
    seconds, rest_ns = np.divmod(np.asarray(times_ns, dtype=np.int64) - start_ns, NS_PER_S)
    indices: Times = seconds * rate_hz - (-rest_ns * rate_hz // NS_PER_S)
    return indices


def whole_samples(duration_ns: int, rate_hz: int) -> int:
    """How many samples with their whole periods fit into a time that may have been rounded down to ns."""
    count = duration_ns * rate_hz // NS_PER_S
    return count + int(rate_hz <= NS_PER_S and int(instants(count + 1, rate_hz)) <= duration_ns)
