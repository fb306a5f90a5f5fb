"""Captures that are made from numbers: what an instrument would have taken of pulses that are known exactly.

They say how far the analysis is from the truth, which no recording of a bench can. Faults are planted by
changing the truth before it is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.pulses import PULSE, Pulses
from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Edges, Floats, Times
from stimbench.capture.samples import BLOCK, ArrayBlocks, Samples

__all__ = ("Recipe", "Truth", "make_capture", "make_truth")

_NS_PER_S = 1_000_000_000
_SCALE_UA = 0.5
"""One step of the converter: 16 bits for +-16 mA."""


@dataclass(frozen=True)
class Recipe:
    """What is recorded, and how.

    Attributes:
        seconds: how long.
        rate_hz, width_us, gap_us: of the pulses.
        amplitude_ua: of both leads in the hold.
        ramp_ms, on_ms, off_ms: of a contraction; without a rest one contraction fills the capture.
        recharge_us: how long the passive recharge is closed after the pulse, from 4 us behind it.
        jitter_ns: standard deviation of each start.
        drift_ppm: how much faster the board's clock runs than the instrument's.
        digital_hz: samples a second of the logic analyser; 0 for exact edges.
        analog_hz: samples a second of the currents; 0 for none.
        noise_db: signal to noise ratio, of the hold's amplitude over the noise's standard deviation.
        offset_ua: of the analog channels.
        settle_ns: time constant with which a current rises and falls; 0 for steps.
        seed: of jitter, noise and where the first pulse lies.
    """

    seconds: float = 10.0
    rate_hz: int = 20
    width_us: int = 214
    gap_us: int = 0
    amplitude_ua: tuple[int, int] = (4000, 4000)
    ramp_ms: int = 0
    on_ms: int = 0
    off_ms: int = 0
    recharge_us: int = 10_000
    jitter_ns: float = 0.0
    drift_ppm: float = 0.0
    digital_hz: int = 0
    analog_hz: int = 100_000
    noise_db: float = 40.0
    offset_ua: float = 0.0
    settle_ns: float = 0.0
    seed: int = 1


@dataclass
class Truth:
    """The pulses of both leads, in the instrument's time: change them to plant a fault.

    Attributes:
        pulses: by lead, shape (n,), dtype PULSE.
        amplitudes_ua: by lead, the magnitudes of both phases of each pulse, shape (n, 2).
        stopped_ns: when the instrument stopped, or None.
    """

    pulses: dict[str, Pulses]
    amplitudes_ua: dict[str, Floats]
    stopped_ns: int | None = None

    def drop(self, lead: str, index: int) -> int:
        """Leave a pulse out; when it would have begun, in ns."""
        start_ns = int(self.pulses[lead]["start_ns"][index])
        self.pulses[lead] = np.delete(self.pulses[lead], index)
        self.amplitudes_ua[lead] = np.delete(self.amplitudes_ua[lead], index, axis=0)
        return start_ns

    def charge_nc(self, lead: str) -> Floats:
        """The charges of both phases of each pulse, magnitudes, shape (n, 2)."""
        widths = np.column_stack([self.pulses[lead][name] for name in ("cathodic_ns", "anodic_ns")])
        charges: Floats = self.amplitudes_ua[lead] * widths * 1e-6
        return charges


def make_truth(recipe: Recipe) -> Truth:
    """The pulses that the recipe describes."""
    rng = np.random.default_rng(recipe.seed)
    period_us = round(1_000_000 / recipe.rate_hz)
    stretch = 1 - recipe.drift_ppm * 1e-6
    cycle = _cycle(recipe, period_us)
    length_us = recipe.seconds * 1e6
    starts_us, shares = [], []
    cycle_us = (recipe.ramp_ms * 2 + recipe.on_ms + recipe.off_ms) * 1000 if recipe.off_ms else np.inf
    for begin_us in np.arange(0, length_us, cycle_us) if np.isfinite(cycle_us) else [0.0]:
        within = cycle if len(cycle) else np.ones(int(length_us // period_us))
        at = begin_us + np.arange(len(within)) * period_us
        starts_us.append(at[at < length_us])
        shares.append(within[: len(starts_us[-1])])
    share = np.concatenate(shares)
    origin_ns = period_us * 500 + rng.integers(0, 10_000)
    truth = Truth({}, {})
    for index, lead in enumerate(LEAD_SIGNALS):
        later_us = index * period_us / 2
        ideal_ns = (np.concatenate(starts_us) + later_us) * 1000 * stretch + origin_ns
        jitter = rng.normal(0, recipe.jitter_ns, len(ideal_ns)) if recipe.jitter_ns else 0.0
        pulses = _pulses(recipe, np.rint(ideal_ns + jitter).astype(np.int64), stretch)
        inside = pulses["start_ns"] + 2 * pulses["cathodic_ns"] + pulses["gap_ns"] < recipe.seconds * 1e9
        truth.pulses[lead] = pulses[inside]
        level = recipe.amplitude_ua[index] * share[inside]
        truth.amplitudes_ua[lead] = np.column_stack([level, level])
    return truth


def _cycle(recipe: Recipe, period_us: int) -> Floats:
    """The share of the full amplitude of each pulse of one contraction; empty for one without an end."""
    if not recipe.off_ms:
        return np.empty(0)
    up, on = recipe.ramp_ms * 1000 // period_us, recipe.on_ms * 1000 // period_us
    ramp = (np.arange(up) + 1) / (up + 1)
    return np.concatenate([ramp, np.ones(on), ramp[::-1]])


def _pulses(recipe: Recipe, starts_ns: Times, stretch: float) -> Pulses:
    pulses = np.zeros(len(starts_ns), dtype=PULSE)
    pulses["start_ns"] = starts_ns
    pulses["cathodic_ns"] = pulses["anodic_ns"] = round(recipe.width_us * 1000 * stretch)
    pulses["gap_ns"] = round(recipe.gap_us * 1000 * stretch)
    pulses["recharge_ns"] = pulses["cathodic_ns"] * 2 + pulses["gap_ns"] + 4000
    pulses["period_ns"][1:] = np.diff(starts_ns)
    pulses["complete"] = True
    return pulses


def make_capture(recipe: Recipe, truth: Truth | None = None) -> Capture:
    """What the instrument takes of it."""
    truth = truth or make_truth(recipe)
    end_ns = round(recipe.seconds * _NS_PER_S)
    digital: dict[str, Edges] = {}
    analog: dict[str, Samples] = {}
    for index, (lead, names) in enumerate(LEAD_SIGNALS.items()):
        bounds = _bounds(recipe, truth.pulses[lead])
        if recipe.digital_hz >= 0:
            for name, spans in zip(names, bounds, strict=True):
                digital[f"stimulator.{name}"] = _edges(spans, recipe.digital_hz, end_ns)
        if recipe.analog_hz:
            seed = recipe.seed * 2 + index
            analog[f"I_{lead.upper()}"] = _sampled(recipe, truth, lead, end_ns, seed)
    stopped_ns = end_ns if truth.stopped_ns is None else truth.stopped_ns
    stopped = "" if truth.stopped_ns is None else f"the trigger stopped at {stopped_ns / 1e9:.6f} s"
    origin = Origin("synthetic", digital_hz=max(recipe.digital_hz, 0), stopped=stopped)
    whole = Capture(digital, analog, end_ns=end_ns, source="a synthetic capture", origin=origin)
    return whole if truth.stopped_ns is None else whole.between(0, stopped_ns)


def _bounds(recipe: Recipe, pulses: Pulses) -> tuple[Times, Times, Times]:
    """Spans of cathodic, anodic and recharge switches, shape (n, 2) each."""
    start = pulses["start_ns"]
    anodic = start + pulses["cathodic_ns"] + pulses["gap_ns"]
    recharge = start + pulses["recharge_ns"]
    return (
        np.column_stack([start, start + pulses["cathodic_ns"]]),
        np.column_stack([anodic, anodic + pulses["anodic_ns"]]),
        np.column_stack([recharge, recharge + recipe.recharge_us * 1000]),
    )


def _edges(spans: Times, rate_hz: int, end_ns: int) -> Edges:
    """The edges as an analyser sees them: at the first sample at or after each."""
    times = spans.reshape(-1)
    if rate_hz:
        # Second by second: half an hour in ns, times 10 MHz, is more than 64 bits hold.
        whole, rest = np.divmod(times, _NS_PER_S)
        index = -(-rest * rate_hz // _NS_PER_S)
        times = whole * _NS_PER_S + index * _NS_PER_S // rate_hz
    return Edges(times[times < end_ns])


def _sampled(recipe: Recipe, truth: Truth, lead: str, end_ns: int, seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    rate_hz = recipe.analog_hz
    count = end_ns * rate_hz // _NS_PER_S
    values = np.empty(count, dtype=np.int16)
    sigma = max(recipe.amplitude_ua) / 10 ** (recipe.noise_db / 20) if recipe.noise_db else 0.0
    cathodic, anodic, _ = _bounds(recipe, truth.pulses[lead])
    phases = ((cathodic, -truth.amplitudes_ua[lead][:, 0]), (anodic, truth.amplitudes_ua[lead][:, 1]))
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        block = rng.standard_normal(last - first, dtype=np.float32) * np.float32(sigma)
        block += np.float32(recipe.offset_ua)
        for spans, levels in phases:
            _add_phase(block, first, spans, levels, rate_hz, recipe.settle_ns)
        np.rint(block / np.float32(_SCALE_UA), out=block)
        values[first:last] = block
    return Samples(0, rate_hz, "uA", ArrayBlocks(values, _SCALE_UA))


def _add_phase(
    block: NDArray[Any], first: int, spans: Times, levels: Floats, rate_hz: int, settle_ns: float
) -> None:
    """Add the current of the phases that lie in a block."""
    period_ns = _NS_PER_S / rate_hz
    tail = 12 * settle_ns
    bounds = np.ceil((spans + np.array([0.0, tail])) / period_ns - 1e-9).astype(np.int64) - first
    low, high = np.searchsorted(bounds[:, 1], 0, side="right"), np.searchsorted(bounds[:, 0], len(block))
    bounds = np.clip(bounds[low:high], 0, len(block))
    counts = np.maximum(bounds[:, 1] - bounds[:, 0], 0)
    which = np.repeat(np.arange(low, high), counts)
    index = np.arange(counts.sum()) + np.repeat(bounds[:, 0] - (np.cumsum(counts) - counts), counts)
    added = levels[which]
    if settle_ns:
        since = (index + first) * period_ns - spans[which, 0]
        behind = np.maximum((index + first) * period_ns - spans[which, 1], 0)
        added = added * (1 - np.exp(-(since - behind) / settle_ns)) * np.exp(-behind / settle_ns)
    # Phases of one kind lie apart, so no index comes twice.
    block[index] += added.astype(np.float32)
