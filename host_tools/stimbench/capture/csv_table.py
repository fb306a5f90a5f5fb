"""Captures as tables of comma-separated values: for a spreadsheet, or from an instrument that exports them.

The first row names the columns: the time, then the channels. A channel with a unit, `I_LEFT (uA)` or
`V_LEFT (V)`, is analog; one without is digital, 0 or 1. The capture ends with the last row.

A row stands for each instant at which something changes. Between two rows an analog channel goes in a
straight line. Where it jumps, two rows have the same time: the values before, then the values after. So
nothing is lost.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Analog, Edges, Floats, Segments, Times, Voltages
from stimbench.errors import InputError

__all__ = ("read_csv", "write_csv")

_UNITS_NS = {"time_ns": 1, "time_us": 1_000, "time_ms": 1_000_000, "time_s": 1_000_000_000}
_ANALOG = re.compile(r"(.+) \((uA|V)\)")
_KINDS: dict[str, type[Segments] | type[Voltages]] = {"uA": Segments, "V": Voltages}


def write_csv(capture: Capture, path: Path | str) -> None:
    """Write all channels. `capture.select` and `capture.between` say which, and of which span."""
    edges = {name: capture.edges(name) for name in capture.digital}
    waves = {name: capture.waveform(name) for name in capture.analog}
    times = _instants(capture, edges.values(), waves.values())
    with Path(path).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["time_ns", *edges, *(f"{name} ({wave.UNIT})" for name, wave in waves.items())])
        levels = [_levels(edge, times) for edge in edges.values()]
        before = [_before(wave, times) for wave in waves.values()]
        after = [wave.at(times) for wave in waves.values()]
        for row, time_ns in enumerate(times.tolist()):
            digital = [int(level[row]) for level in levels]
            was, now = ([float(values[row]) for values in side] for side in (before, after))
            if row and was != now:
                table.writerow([time_ns, *digital, *was])
            table.writerow([time_ns, *digital, *now])


def _instants(capture: Capture, edges: Iterable[Edges], waves: Iterable[Analog]) -> Times:
    """When something changes; the begin and the end of the capture with it."""
    parts = [edge.times_ns for edge in edges]
    parts += [ends for wave in waves for ends in (wave.t0_ns, wave.t1_ns)]
    times: Times = np.unique(np.concatenate([*parts, (capture.start_ns, capture.end_ns)]))
    return times[(times >= capture.start_ns) & (times <= capture.end_ns)]


def _levels(edges: Edges, times_ns: Times) -> NDArray[np.bool_]:
    before = np.searchsorted(edges.times_ns, times_ns, side="right")
    levels: NDArray[np.bool_] = (before % 2 == 1) ^ edges.initial
    return levels


def _before(wave: Analog, times_ns: Times) -> Floats:
    """The values that an analog channel comes to at `times_ns`, before it jumps there."""
    if not len(wave):
        return np.zeros(times_ns.shape)
    piece = np.minimum(np.searchsorted(wave.t1_ns, times_ns), len(wave) - 1)
    start, end = wave.t0_ns[piece], wave.t1_ns[piece]
    begin_value, end_value = (values[piece] for values in wave.values)
    flows = (start < times_ns) & (times_ns <= end)
    values = begin_value + (end_value - begin_value) * ((times_ns - start) / (end - start))
    return np.where(flows, np.where(times_ns == end, end_value, values), 0.0)


def read_csv(path: Path | str) -> Capture:
    """Read a table as `write_csv` makes it, or one like it with `time_us`, `time_ms` or `time_s` first.

    Times are rounded to ns. A digital channel has its first row's level before it.

    Raises:
        InputError: it cannot be read, or is no such table; the text says the row.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            head = next(rows, [])
            return _captured(str(path), head, list(rows))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no table of comma-separated values: {error}.") from error


def _captured(path: str, head: list[str], rows: list[list[str]]) -> Capture:
    if not head or head[0] not in _UNITS_NS:
        raise InputError(f"{path}: the first column must be {_listed(_UNITS_NS)}.")
    if len(head) < 2 or len(set(head)) < len(head):
        raise InputError(f"{path}: after the time, each column is a channel with a name of its own.")
    if not rows:
        raise InputError(f"{path} has no row of values.")
    values = _numbers(path, head, rows)
    times = np.rint(values[:, 0] * _UNITS_NS[head[0]]).astype(np.int64)
    if np.any(np.diff(times) < 0):
        row = int(np.argmax(np.diff(times) < 0)) + 3
        raise InputError(f"{path}, row {row}: the time runs backwards.")
    digital: dict[str, Edges] = {}
    analog: dict[str, Analog] = {}
    for name, column in zip(head[1:], values.T[1:], strict=True):
        found = _ANALOG.fullmatch(name)
        if found:
            analog[found[1]] = _pieces(_KINDS[found[2]], times, column)
        else:
            digital[name] = _edges(path, name, times, column)
    return Capture(digital, analog, start_ns=int(times[0]), end_ns=int(times[-1]), source=path)


def _numbers(path: str, head: list[str], rows: list[list[str]]) -> Floats:
    """Shape (rows, columns)."""
    values = np.empty((len(rows), len(head)))
    for row, cells in enumerate(rows):
        if len(cells) != len(head):
            raise InputError(f"{path}, row {row + 2}: {len(cells)} values for {len(head)} columns.")
        try:
            values[row] = [float(cell) for cell in cells]
        except ValueError as error:
            raise InputError(f"{path}, row {row + 2}: {error}.") from error
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise InputError(f"{path}, row {row + 2}: not a finite number.")
    return values


def _edges(path: str, name: str, times_ns: Times, levels: Floats) -> Edges:
    wrong = (levels != 0) & (levels != 1)
    if wrong.any():
        raise InputError(
            f"{path}, row {int(np.argmax(wrong)) + 2}: {name} is {levels[np.argmax(wrong)]:g}, and a digital "
            f"channel is 0 or 1. An analog one has its unit in its name: {name} (uA) or {name} (V)."
        )
    return Edges.from_levels(times_ns[1:], levels[1:] == 1, bool(levels[0]))


def _pieces(kind: type[Segments] | type[Voltages], times_ns: Times, values: Floats) -> Analog:
    flows = (times_ns[1:] > times_ns[:-1]) & ((values[1:] != 0) | (values[:-1] != 0))
    return kind(times_ns[:-1][flows], times_ns[1:][flows], values[:-1][flows], values[1:][flows])


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"
