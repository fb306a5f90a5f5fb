"""One capture of an instrument, on its way into the record: what was seen of each lead, on the page's clock.

A capture is known from its begin to its end, and nothing is known between two of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.analysis.train import Train, has_current, has_switches, measure_train
from stimbench.capture.capture import Capture
from stimbench.web import channel
from stimbench.web.measured import LEADS, MEASURED

__all__ = ("Captured", "CapturedLead", "Placed", "captured_from", "packed", "placed", "unpacked")

_ANALOG = {"current": "I_{}", "voltage": "V_{}"}
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Placed:
    """When a capture began on the page's clock.

    Attributes:
        zero_ns: the capture's own time 0.
        off_ns: how far that may be off, up or down.
    """

    zero_ns: int
    off_ns: int


@dataclass(frozen=True)
class CapturedLead:
    """What was seen of one lead.

    Attributes:
        lines: by quantity, `current` in uA and `voltage` in V, times (int64) and values (float32), shape (k,)
            both; only those that were recorded.
        pulses: shape (n,), dtype MEASURED; a current that was not recorded is NaN.
    """

    lines: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float32]]]
    pulses: NDArray[Any]


@dataclass(frozen=True)
class Captured:
    """A capture.

    Attributes:
        source: the instrument's name.
        begin_ns, end_ns: its span on the page's clock.
        off_ns: how far that may be off; times within the capture are the instrument's own.
        leads: by name, those of which it has something.
        digital: by signal its level at the begin, and the times of its edges.
    """

    source: str
    begin_ns: int
    end_ns: int
    off_ns: int
    leads: Mapping[str, CapturedLead]
    digital: Mapping[str, tuple[bool, NDArray[np.int64]]]


def placed(armed_from_ns: int, armed_ns: int, done_ns: int, capture: Capture, triggered: bool) -> Placed:
    """Where a capture lies on this machine's clock, by what this machine saw of it.

    It began after the instrument was told to, and so early that it could be over when it was handed over.

    Args:
        armed_from_ns: when the instrument was told to get ready.
        armed_ns: when it was said to record, or to wait for its trigger.
        done_ns: when the capture had come.
        capture: it.
        triggered: whether it began at a trigger. Then nobody saw when: the middle of what is possible.
    """
    latest_ns = max(armed_ns, done_ns - capture.end_ns)
    earliest_ns = armed_ns - capture.start_ns if triggered else armed_from_ns
    earliest_ns = min(earliest_ns, latest_ns)
    zero_ns = (earliest_ns + latest_ns) // 2 if triggered else armed_ns
    return Placed(zero_ns, max(latest_ns - zero_ns, zero_ns - earliest_ns))


def captured_from(capture: Capture, source: str, place: Placed) -> Captured:
    """Measure a capture: pulses by the switches if there are any, else by the current.

    Raises:
        InputError: it has too many samples, or cannot be read.
    """
    leads = {}
    for name in LEADS:
        lines = {}
        for quantity, pattern in _ANALOG.items():
            if (channel_name := pattern.format(name.upper())) in capture.analog:
                lines[quantity] = _points(capture, channel_name, place.zero_ns)
        train = None
        if has_switches(capture, name) or has_current(capture, name):
            train = measure_train(capture, name)
        if lines or train is not None:
            leads[name] = CapturedLead(lines, _rows(train, place.zero_ns))
    digital = {
        name: (capture.edges(name).initial, capture.edges(name).times_ns + place.zero_ns)
        for name in capture.digital
    }
    begin_ns, end_ns = (place.zero_ns + at for at in (capture.start_ns, capture.end_ns))
    return Captured(source, begin_ns, end_ns, place.off_ns, leads, digital)


def _rows(train: Train | None, zero_ns: int) -> NDArray[Any]:
    """The pulses as the record has them. The period before the first one is not known: 0."""
    if train is None:
        return np.zeros(0, MEASURED)
    rows = np.zeros(len(train.pulses), MEASURED)
    for name in ("cathodic_ns", "gap_ns", "anodic_ns", "period_ns"):
        rows[name] = train.pulses[name]
    rows["start_ns"] = train.pulses["start_ns"] + zero_ns
    for name in ("cathodic_ua", "anodic_ua", "cathodic_nc", "anodic_nc"):
        rows[name] = np.nan if train.shapes is None else train.shapes.pulses[name]
    if len(rows):
        rows["period_ns"][0] = 0
    return rows


def _points(capture: Capture, name: str, zero_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """A sampled channel as a broken line. Of equal values in a row the first and the last are kept."""
    samples = capture.samples(name)
    if samples is None:
        return _points_of_pieces(capture, name, zero_ns)
    values = np.concatenate([_NONE.astype(np.float32), *(block.astype(np.float32) for _, block in samples)])
    kept = np.ones(len(values), bool)
    kept[1:-1] = (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
    at = np.flatnonzero(kept)
    times: NDArray[np.int64] = np.rint(samples.times_ns(at)).astype(np.int64) + zero_ns
    found: NDArray[np.float32] = values[at].astype(np.float32)
    return times, found


def _points_of_pieces(
    capture: Capture, name: str, zero_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    pieces = capture.waveform(name)
    begin, end = pieces.values
    times = np.column_stack([pieces.t0_ns, pieces.t0_ns, pieces.t1_ns, pieces.t1_ns]).reshape(-1)
    values = np.column_stack([0 * begin, begin, end, 0 * end]).reshape(-1)
    times = np.concatenate([[capture.start_ns], times, [capture.end_ns]]) + zero_ns
    values = np.concatenate([[0.0], values, [0.0]])
    return np.asarray(times, np.int64), np.asarray(values, np.float32)


def packed(one: Captured) -> bytes:
    """The body of a message CAPTURED."""
    meta = {
        "source": one.source, "begin_ns": one.begin_ns, "end_ns": one.end_ns, "off_ns": one.off_ns,
        "leads": {name: list(lead.lines) for name, lead in one.leads.items()},
        "digital": {name: initial for name, (initial, _) in one.digital.items()},
    }  # fmt: skip
    arrays: list[NDArray[Any]] = [times for _, times in one.digital.values()]
    for lead in one.leads.values():
        arrays.append(lead.pulses.view(np.uint8))
        for line in lead.lines.values():
            arrays += line
    return channel.pack(meta, arrays)


def unpacked(body: bytes) -> Captured:
    """The opposite of `packed`."""
    meta, arrays = channel.unpack(body)
    left = iter(arrays)
    digital = {name: (initial, next(left)) for name, initial in meta["digital"].items()}
    leads = {}
    for name, quantities in meta["leads"].items():
        pulses = next(left).view(MEASURED)
        leads[name] = CapturedLead({one: (next(left), next(left)) for one in quantities}, pulses)
    return Captured(meta["source"], meta["begin_ns"], meta["end_ns"], meta["off_ns"], leads, digital)
