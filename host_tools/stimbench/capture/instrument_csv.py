"""Tables of samples as instruments write them: sigrok-cli, Rigol DS1000Z, Keysight InfiniiVision.

- sigrok-cli: comments that name the channels and the rate, a row of units, a row a sample; with or without a
  column of times. Its columns of floats are analog, in V.
- Rigol: `X,CH1,CH2,Start,Increment,`, then the units with the first time and the distance, then the samples.
- Keysight: `x-axis,1,2`, then the units, then a row a sample with its time.

The forms of the two oscilloscopes come from files that their owners published, not from a manual.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Edges
from stimbench.capture.grid import MOST_HZ, NS_PER_S, instants
from stimbench.capture.samples import Samples
from stimbench.capture.sr_session import parse_rate
from stimbench.errors import InputError

__all__ = ("is_instrument_csv", "rate_of", "read_instrument_csv")

_CHANNELS = re.compile(r"; Channels \(\d+/\d+\): (.*)")
_RATE = re.compile(r"; Samplerate: (.*)")
_PRINTED = re.compile(r"\S+: ")
_LOGIC = "logic"
_TIMES = ("nanoseconds", "microseconds", "milliseconds", "seconds")
_RIGOL_CHANNEL = re.compile(r"CH\d")
_MOST_UNEVEN = 0.01
"""Of a period: so much may the distances between samples differ before they are no samples of one rate."""
_MOST_RATE_ERROR = 1e-6
_HEAD_LINES = 20
_Table = NDArray[np.float64]


def is_instrument_csv(path: Path) -> bool:
    """Whether a file begins as one of these does."""
    try:
        with path.open(encoding="utf-8") as stream:
            first = stream.readline()
    except (OSError, UnicodeDecodeError):
        return False
    return first.startswith((";", "X,CH", "x-axis,"))


def read_instrument_csv(path: Path | str) -> Capture:
    """Read such a table. Analog channels are voltages; Keysight's channel 1 is called `CH1`, as Rigol's is.

    Raises:
        InputError: it cannot be read, or a row or the rate is wrong; the text says which.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as stream:
            head = [line.strip() for line in islice(stream, _HEAD_LINES)]
        if head[0].startswith(";"):
            return _sigrok(path, head)
        return _rigol(path, head) if head[0].startswith("X,") else _keysight(path, head)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, IndexError) as error:
        # NumPy's own text has the row.
        raise InputError(f"{path} is no table of samples that can be read: {error}.") from error


def rate_of(period_s: float, source: str) -> int:
    """Samples a second, from the time between two.

    Raises:
        InputError: that is no whole rate up to 8 GHz, to one part in a million.
    """
    rate = 1 / period_s if period_s > 0 else 0.0
    whole = round(rate) if np.isfinite(rate) else 0
    if not 0 < whole <= MOST_HZ or abs(whole / rate - 1) > _MOST_RATE_ERROR:
        raise InputError(f"{source} has a sample each {period_s:g} s: no rate that can be used.")
    return whole


def _numbers(path: Path, skip: int, columns: Sequence[int]) -> _Table:
    table: _Table = np.loadtxt(path, delimiter=",", skiprows=skip, usecols=columns, ndmin=2, dtype=np.float64)
    if not len(table):
        raise ValueError("it has no row of values")
    if not np.isfinite(table).all():
        row = int(np.argmin(np.isfinite(table).all(axis=1)))
        raise ValueError(f"row {row + skip + 1} is not a finite number")
    return table


def _sigrok(path: Path, head: list[str]) -> Capture:
    rate_hz = next((parse_rate(found[1]) for line in head if (found := _RATE.fullmatch(line))), 0)
    listed = next((found[1] for line in head if (found := _CHANNELS.fullmatch(line))), "")
    if not 0 < rate_hz <= MOST_HZ:
        raise InputError(f"{path} does not say its sample rate: write it with a header (-O csv:header=true).")
    names = listed.split(", ")
    skip = next(number for number, line in enumerate(head) if not line.startswith(";"))
    if _PRINTED.match(head[skip]):
        raise InputError(
            f"{path} has analog values beside its table: sigrok-cli 0.7 cannot write them into one. Let it "
            f"write a session, with -o capture.sr."
        )
    units = head[skip].split(",")
    times = int(units[0] in _TIMES)
    if len(units) - times != len(names):
        raise ValueError(f"{len(units) - times} columns for {len(names)} channels")
    table = _numbers(path, skip + 1, range(times, len(units)))
    kinds = {name: unit == _LOGIC for name, unit in zip(names, units[times:], strict=True)}
    columns = dict(zip(names, table.T, strict=True))
    digital = {name: _edges(path, name, columns[name], rate_hz) for name in names if kinds[name]}
    analog = {name: columns[name] for name in names if not kinds[name]}
    return _captured(path, digital, analog, 0, rate_hz, len(table))


def _edges(path: Path, name: str, column: NDArray[np.float64], rate_hz: int) -> Edges:
    if ((column != 0) & (column != 1)).any():
        raise InputError(f"{path}: {name} is logic, and has values that are not 0 or 1.")
    changed = np.flatnonzero(column[1:] != column[:-1]) + 1
    return Edges(instants(changed, rate_hz), bool(column[0]))


def _rigol(path: Path, head: list[str]) -> Capture:
    names, units = head[0].split(","), head[1].split(",")
    start_s, period_s = (float(units[names.index(which)]) for which in ("Start", "Increment"))
    columns = [index for index, name in enumerate(names) if _RIGOL_CHANNEL.fullmatch(name)]
    table = _numbers(path, 2, columns)
    analog = dict(zip([names[index] for index in columns], table.T, strict=True))
    return _captured(path, {}, analog, round(start_s * NS_PER_S), rate_of(period_s, str(path)), len(table))


def _keysight(path: Path, head: list[str]) -> Capture:
    names = head[0].split(",")
    table = _numbers(path, 2, range(len(names)))
    if len(table) < 2:
        raise ValueError("one row says no sample rate")
    times_s = table[:, 0]
    period_s = (times_s[-1] - times_s[0]) / (len(table) - 1)
    ideal_s = times_s[0] + np.arange(len(table)) * period_s
    if (np.abs(times_s - ideal_s) > period_s * (_MOST_UNEVEN + 0.5)).any() or period_s <= 0:
        raise ValueError("its rows are not equally far apart in time")
    analog = {f"CH{name}": column for name, column in zip(names[1:], table.T[1:], strict=True)}
    start_ns = round(float(times_s[0]) * NS_PER_S)
    return _captured(path, {}, analog, start_ns, rate_of(float(period_s), str(path)), len(table))


def _captured(
    path: Path,
    digital: dict[str, Edges],
    analog: dict[str, NDArray[np.float64]],
    start_ns: int,
    rate_hz: int,
    count: int,
) -> Capture:
    return Capture(
        digital,
        {name: Samples.of(values, start_ns, rate_hz, "V") for name, values in analog.items()},
        start_ns=start_ns, end_ns=int(instants(count, rate_hz, start_ns)), source=str(path),
        origin=Origin(instrument="", digital_hz=rate_hz if digital else 0, file=str(path)),
    )  # fmt: skip
