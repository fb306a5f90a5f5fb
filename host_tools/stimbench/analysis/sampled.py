"""Currents that an instrument sampled: measured in one pass, block by block.

The switches say where a phase begins and ends, finer than the samples do. A coarse sampling rate sees the
phase as a few values of a plateau, so its charge is taken as follows: the samples inside it by the trapezoid
rule, and from the first and the last of these to the phase's own edges the value stays as it is. The samples
in the first microsecond are left out, because the current still rises there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.pulses import Pulses
from stimbench.analysis.shape import SHAPE, Bounds, Shapes, bounds_of, measured_rise, relative_overshoot
from stimbench.capture.channels import Floats, Times
from stimbench.capture.samples import BLOCK, Samples

__all__ = ("SETTLE_NS", "of_samples")

SETTLE_NS = 1000
"""The improved Howland pump that this bench uses settles to 1 % within a microsecond at 500 ohm."""
_BEFORE = 8
"""Samples before a pulse from which offset and noise are taken, but for the last one of them."""
_AFTER = 2
_LONGEST = 4
"""So many times as long as the median is far longer: such a pulse has a window of its own."""
_MOST = 4 * BLOCK
_AROUND = 500
_OUTLIER = 15
"""Of the median deviation: ten standard deviations."""
_SURE = 8
"""No noise comes so many standard deviations far in a session."""
_SURELY_SEEN = 1.5
_RESOLVED = 20
"""A rise can be seen if a phase has so many samples."""
_TICK_NS = 0.01
"""Times of samples are rounded."""
_NC_PER_UA_NS = 1e-6
_Matrix = NDArray[np.float64]


class _Rows(NamedTuple):
    """The windows of some pulses: one row each."""

    which: Times
    """Indices of the pulses, shape (k,)."""
    columns: Times
    """Indices of their samples in the block, shape (k, w)."""
    since_ns: _Matrix
    """Time of each sample since the start of its pulse."""
    values: _Matrix


class _Phase(NamedTuple):
    """One phase of some pulses."""

    charge_nc: Floats
    mean_ua: Floats
    inside: NDArray[np.bool_]


def of_samples(samples: Samples, pulses: Pulses, resolution_ns: float = 0.0, least_ua: float = 0.0) -> Shapes:
    """Measure all pulses.

    Args:
        samples: the current of the lead, in uA.
        pulses: shape (n,), dtype PULSE. One whose window is not whole in the samples has NaN.
        resolution_ns: how far an edge of the pulses may be from where it was.
        least_ua: smaller pulses were not looked for, and are no currents without one.
    """
    found = np.full(len(pulses), np.nan, dtype=SHAPE)
    bounds, collected = bounds_of(pulses), _Collected(least_ua)
    durations = bounds.anodic_end - bounds.start
    longest = _LONGEST * (np.median(durations) if len(durations) else 0)
    baseline = np.full(len(pulses), np.nan)
    before = _BEFORE + int(np.ceil(resolution_ns / samples.period_ns))
    for first, values, rows in _blocks(samples, bounds, durations <= longest, before):
        if len(rows.which):
            baseline[rows.which] = collected.add_baseline(rows)
            _measure_rows(found, rows, collected.offset_ua(), bounds, samples.period_ns, resolution_ns)
        collected.add_block(values, first, rows, found)
    for which in np.flatnonzero(durations > longest):
        alone = _window(samples, bounds, int(which))
        if alone is not None:
            _measure_rows(found, alone, collected.offset_ua(), bounds, samples.period_ns, resolution_ns)
    _take_off(found, _smoothed(baseline), bounds)
    noise, offset = collected.noise_ua(), collected.offset_ua()
    span_ns = len(samples) * samples.period_ns
    charge = (collected.total * samples.period_ns - offset * span_ns) * _NC_PER_UA_NS
    unexplained = samples.times_ns(np.array(collected.unexplained, dtype=np.int64))
    return Shapes(found, noise, offset, samples.period_ns, np.rint(unexplained).astype(np.int64), charge)


def _blocks(
    samples: Samples, bounds: Bounds, usual: NDArray[np.bool_], before: int
) -> Iterator[tuple[int, NDArray[Any], _Rows]]:
    """Block by block: the index of its first sample, its values, and the windows that begin in it."""
    durations = (bounds.anodic_end - bounds.start)[usual]
    wide = 0 if not len(durations) else int(np.ceil(durations.max() / samples.period_ns))
    width = before + wide + _AFTER + 1
    firsts = samples.index_at(bounds.start) - before
    whole = usual & (firsts >= 0) & (firsts + width <= len(samples))
    for first in range(0, len(samples), BLOCK):
        last = min(first + BLOCK, len(samples))
        values = samples.read(first, min(last + width, len(samples)))
        low, high = np.searchsorted(firsts, (first, last))
        which = np.arange(low, high)[whole[low:high]]
        columns = firsts[which, None] - first + np.arange(width)
        since = samples.times_ns(columns + first) - bounds.start[which, None]
        yield first, values[: last - first], _Rows(which, columns, since, values[columns].astype(np.float64))


def _window(samples: Samples, bounds: Bounds, which: int) -> _Rows | None:
    """The window of one pulse that is far longer than the others; None if it is not whole, or endless."""
    first = int(samples.index_at(bounds.start[which])) - _BEFORE
    last = int(samples.index_at(bounds.anodic_end[which])) + _AFTER
    if first < 0 or last > len(samples) or last - first > _MOST:
        return None
    columns = np.arange(last - first)[None, :]
    since = samples.times_ns(columns + first) - bounds.start[which]
    values = samples.read(first, last).astype(np.float64)[None, :]
    return _Rows(np.array([which]), columns, since, values)


def _measure_rows(
    found: NDArray[Any], rows: _Rows, offset_ua: float, bounds: Bounds, period_ns: float, resolution_ns: float
) -> None:
    """Measure some pulses. The offset is taken off for rise and overshoot only; see _take_off."""
    which = rows.which
    values = rows.values
    start = bounds.start[which]
    guard = min(SETTLE_NS, period_ns) + resolution_ns
    cathodic = _phase(values, rows.since_ns, bounds.start[which] - start, bounds.cathodic_end[which] - start,
                      guard, period_ns, resolution_ns)  # fmt: skip
    anodic = _phase(values, rows.since_ns, bounds.anodic_start[which] - start,
                    bounds.anodic_end[which] - start, guard, period_ns, resolution_ns)  # fmt: skip
    made = np.empty(len(which), dtype=SHAPE)
    made["cathodic_nc"], made["cathodic_ua"] = -cathodic.charge_nc, -cathodic.mean_ua
    made["anodic_nc"], made["anodic_ua"] = anodic.charge_nc, anodic.mean_ua
    made["net_nc"] = cathodic.charge_nc + anodic.charge_nc
    width_ns = bounds.cathodic_end[which] - start
    resolved = width_ns >= _RESOLVED * period_ns
    near = (rows.since_ns > -2 * period_ns) & (rows.since_ns < width_ns[:, None])
    rising = np.where(near, offset_ua - values, -np.inf)
    level = made["cathodic_ua"] + offset_ua
    made["rise_ns"] = np.where(resolved, measured_rise(rising, rows.since_ns, level), np.nan)
    beyond = [
        relative_overshoot(np.where(phase.inside, sign * (values - offset_ua), -np.inf), level)
        for phase, sign, level in ((cathodic, -1, level), (anodic, 1, made["anodic_ua"] - offset_ua))
    ]
    made["overshoot_percent"] = np.where(resolved, np.fmax(*beyond), np.nan)
    found[which] = made


def _smoothed(baseline: Floats) -> Floats:
    """The offset at each pulse, from 1000 pulses around it: it drifts slowly, and one pulse tells little."""
    known = np.isfinite(baseline)
    if not known.any():
        return np.zeros(len(baseline))
    # What is far off is no offset: a current flowed there.
    median = np.median(baseline[known])
    spread = np.median(np.abs(baseline[known] - median))
    known &= np.abs(np.where(known, baseline, np.inf) - median) <= _OUTLIER * spread
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, baseline, 0.0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    index = np.arange(len(baseline))
    low, high = np.maximum(index - _AROUND, 0), np.minimum(index + _AROUND + 1, len(baseline))
    number = counts[high] - counts[low]
    return np.where(number > 0, (sums[high] - sums[low]) / np.maximum(number, 1), median)


def _take_off(found: NDArray[Any], offset_ua: Floats, bounds: Bounds) -> None:
    """Take the offset off amplitudes and charges, which are linear in it."""
    found["cathodic_ua"] += offset_ua
    found["anodic_ua"] -= offset_ua
    cathodic_nc = offset_ua * (bounds.cathodic_end - bounds.start) * _NC_PER_UA_NS
    anodic_nc = offset_ua * (bounds.anodic_end - bounds.anodic_start) * _NC_PER_UA_NS
    found["cathodic_nc"] += cathodic_nc
    found["anodic_nc"] -= anodic_nc
    found["net_nc"] -= cathodic_nc + anodic_nc


def _phase(
    values: _Matrix,
    since_ns: _Matrix,
    begin: Times,
    end: Times,
    guard: float,
    period: float,
    resolution: float,
) -> _Phase:
    """Charge and mean of a phase, of each row."""
    # A sample at the very end shows what comes behind it.
    inside = (since_ns >= begin[:, None] + guard) & (since_ns < end[:, None] - resolution - _TICK_NS)
    counts, rows = inside.sum(axis=1), np.arange(len(values))
    first = np.argmax(inside, axis=1)
    last = values.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)
    total = np.where(inside, values, 0.0).sum(axis=1)
    ends = values[rows, first], values[rows, last]
    lead_in, lead_out = since_ns[rows, first] - begin, end - since_ns[rows, last]
    charge = period * (total - (ends[0] + ends[1]) / 2) + ends[0] * lead_in + ends[1] * lead_out
    width = np.maximum(end - begin, 1)
    charge = np.where(counts > 0, charge, np.where(end > begin, np.nan, 0.0))
    return _Phase(charge * _NC_PER_UA_NS, charge / width, inside)


class _Collected:
    """What is gathered from block to block."""

    def __init__(self, least_ua: float) -> None:
        self.total, self._least_ua = 0.0, least_ua
        self.unexplained: list[int] = []
        self._offsets: list[float] = []
        self._variances: list[tuple[float, int]] = []
        self._level = np.inf
        self._explained_to = -1

    def add_baseline(self, rows: _Rows) -> Floats:
        """What the instrument shows before each pulse of a block, in uA."""
        quiet = rows.values[:, : _BEFORE - 1]
        means: Floats = quiet.mean(axis=1)
        self._offsets.append(float(np.median(means)))
        # Around its own mean: a recharge that still decays is no noise.
        spread = quiet - quiet.mean(axis=1, keepdims=True)
        freedom = quiet.shape[1] - 1
        self._variances.append((float((spread**2).sum(axis=1).mean() / freedom), len(quiet)))
        return means

    def add_block(self, values: NDArray[Any], first: int, rows: _Rows, found: NDArray[Any]) -> None:
        """The sum of a block, and where a current flows in it beside the pulses."""
        self.total += float(values.sum(dtype=np.float64))
        if len(rows.which):
            level = np.nanmedian(found["cathodic_ua"][rows.which])
            # Small pulses of a ramp do not make noise a current.
            if level > 0:
                self._level = max(float(level) / 2, _SURE * self.noise_ua(), _SURELY_SEEN * self._least_ua)
        if not np.isfinite(self._level):
            return
        offset = self._offsets[-1]
        # All that belongs to a window is explained; the last one of a block may reach into the next.
        rest = np.array(values)
        rest[: max(self._explained_to - first + 1, 0)] = offset
        if len(rows.which):
            rest[rows.columns[rows.columns < len(rest)]] = offset
            self._explained_to = int(rows.columns[-1, -1]) + first
        if rest.max() <= offset + self._level and rest.min() >= offset - self._level:
            return
        beyond = np.flatnonzero(np.abs(rest - offset) > self._level)
        runs = beyond[np.concatenate(([True], np.diff(beyond) > 1))]
        self.unexplained += (runs + first).tolist()

    def offset_ua(self) -> float:
        """Over all blocks."""
        return float(np.median(self._offsets)) if self._offsets else 0.0

    def noise_ua(self) -> float:
        """Standard deviation of one value."""
        if not self._variances:
            return 0.0
        values, weights = zip(*self._variances, strict=True)
        return float(np.sqrt(np.average(values, weights=weights)))
