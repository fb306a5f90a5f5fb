"""Edges out of the samples of a logic analyser: each sample is a few bytes, with one bit a channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.channels import Edges, Times
from stimbench.capture.grid import instants

__all__ = ("edges_of_logic",)

_WORDS = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}
_Bytes = NDArray[np.uint8]


def edges_of_logic(
    chunks: Iterable[bytes], unit: int, bits: Sequence[int], rate_hz: int, start_ns: int = 0
) -> list[Edges]:
    """The edges of some channels; an edge is at the first sample that shows the new level.

    Args:
        chunks: the samples, cut into pieces of whole samples.
        unit: bytes a sample.
        bits: which bit each channel is, from 0.
        rate_hz: samples a second.
        start_ns: when the first sample was taken.

    Returns:
        Of each channel in the order of `bits`. The level of the first sample is the initial one.
    """
    found: list[list[Times]] = [[] for _ in bits]
    first: _Bytes | None = None
    last = np.zeros(unit, dtype=np.uint8)
    offset = 0
    for chunk in chunks:
        samples = np.frombuffer(chunk, dtype=np.uint8).reshape(-1, unit)
        if not len(samples):
            continue
        if first is None:
            first = last = samples[0]
        changed = _changed(samples, last)
        before = np.where((changed > 0)[:, None], samples[changed - 1], last)
        flips = before ^ samples[changed]
        for bit, times in zip(bits, found, strict=True):
            flipped = flips[:, bit // 8] >> (bit % 8) & 1
            times.append(offset + changed[flipped.astype(bool)])
        last = samples[-1]
        offset += len(samples)
    return [
        Edges(
            instants(np.concatenate([*times, np.empty(0, np.int64)]), rate_hz, start_ns),
            first is not None and bool(first[bit // 8] >> (bit % 8) & 1),
        )
        for bit, times in zip(bits, found, strict=True)
    ]


def _changed(samples: _Bytes, before: _Bytes) -> Times:
    """Which samples differ from the one before them in any bit."""
    if samples.shape[1] in _WORDS:
        words = samples.view(_WORDS[samples.shape[1]])[:, 0]
        differs = words[1:] != words[:-1]
    else:
        differs = (samples[1:] != samples[:-1]).any(axis=1)
    inside: Times = np.flatnonzero(differs) + 1
    return inside if np.array_equal(samples[0], before) else np.concatenate(([0], inside))
