"""Recordings as files that other tools open: Value Change Dumps and sigrok sessions."""

from __future__ import annotations

import heapq
import zipfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from vcd import VCDWriter
from vcd.writer import Variable

if TYPE_CHECKING:
    from stimbench.capture.recorder import CurrentTrace, Recorder

__all__ = ("current_points", "read_sr", "sample_current", "sample_signal", "write_sr", "write_vcd")

_CHUNK_BYTES = 4 * 1024 * 1024
"""sigrok splits its data into files of this size, or a little less: a file holds whole samples."""


def current_points(trace: CurrentTrace) -> list[tuple[int, float]]:
    """A current as the points where it changes: `(time_ns, uA)`, 0 between the pieces."""
    points: list[tuple[int, float]] = []
    value = 0.0
    end_ns = 0

    def go(time_ns: int, next_value: float) -> None:
        nonlocal value
        if next_value != value:
            value = next_value
            points.append((time_ns, value))

    for t0_ns, t1_ns, i0_ua, i1_ua in trace.segments:
        if t0_ns > end_ns:
            go(end_ns, 0.0)
        go(t0_ns, i0_ua)
        go(t1_ns, i1_ua)
        end_ns = t1_ns
    go(end_ns, 0.0)
    return points


def write_vcd(recorder: Recorder, path: Path, signals: Sequence[tuple[str, str]]) -> None:
    """Write signals and every current with a time base of 1 ns."""
    with path.open("w", encoding="ascii") as stream, VCDWriter(stream, timescale="1 ns", date="") as writer:
        changes: list[Iterator[tuple[int, int, Variable[Any], Any]]] = []
        for order, (board, name) in enumerate(signals):
            initial = int(recorder.initial_level(board, name))
            wire = writer.register_var(board, name, "wire", size=1, init=initial)
            changes.append(_bits(recorder.edges(board, name), order, wire))
        for order, (name, trace) in enumerate(recorder.currents.items(), len(signals)):
            real = writer.register_var("currents_ua", name, "real", init=0.0)
            changes.append(_reals(current_points(trace), order, real))
        last_ns = 0
        for time_ns, _, variable, value in heapq.merge(*changes, key=lambda change: change[:2]):
            writer.change(variable, time_ns, value)
            last_ns = time_ns
        writer.close(max(last_ns, recorder.end_ns))


def _bits(
    edges: list[tuple[int, bool]], order: int, variable: Variable[Any]
) -> Iterator[tuple[int, int, Variable[Any], Any]]:
    for time_ns, level in edges:
        yield time_ns, order, variable, int(level)


def _reals(
    points: list[tuple[int, float]], order: int, variable: Variable[Any]
) -> Iterator[tuple[int, int, Variable[Any], Any]]:
    for time_ns, value in points:
        yield time_ns, order, variable, value


def sample_signal(
    edges: Sequence[tuple[int, bool]], initial: bool, start_ns: int, count: int, rate_hz: int
) -> npt.NDArray[np.uint8]:
    """A signal's levels at the instants of a logic analyser.

    Args:
        edges: `(time_ns, level)` in order of time.
        initial: the level before the first edge.
        start_ns: when the first sample is taken.
        count: how many samples.
        rate_hz: samples a second.

    Returns:
        `count` values of 0 or 1; a pulse between two samples is not seen, as on the instrument.
    """
    # The first sample at or after each edge: rounded up, in whole numbers of any size.
    firsts = [-((start_ns - time_ns) * rate_hz // 1_000_000_000) for time_ns, _ in edges]
    bounds = np.clip(np.array([0, *firsts, count], dtype=np.int64), 0, count)
    levels = np.array([initial, *(level for _, level in edges)], dtype=np.uint8)
    found: npt.NDArray[np.uint8] = np.repeat(levels, np.diff(bounds))
    return found


def sample_current(trace: CurrentTrace, start_ns: int, count: int, rate_hz: int) -> npt.NDArray[np.float32]:
    """A current at the instants of an oscilloscope, in uA."""
    instants = _instants(start_ns, count, rate_hz)
    samples = np.zeros(count, dtype=np.float32)
    for t0_ns, t1_ns, i0_ua, i1_ua in trace.segments:
        first, last = np.searchsorted(instants, (t0_ns, t1_ns))
        if first < last:
            share = (instants[first:last] - t0_ns) / max(1, t1_ns - t0_ns)
            samples[first:last] = i0_ua + (i1_ua - i0_ua) * share
    return samples


def _instants(start_ns: int, count: int, rate_hz: int) -> npt.NDArray[np.int64]:
    return start_ns + np.arange(count, dtype=np.int64) * 1_000_000_000 // rate_hz


def write_sr(
    recorder: Recorder,
    path: Path,
    rate_hz: int,
    *,
    start_ns: int = 0,
    end_ns: int | None = None,
    signals: Sequence[tuple[str, str]] | None = None,
    with_currents: bool = True,
) -> None:
    """Write a sigrok session, version 2, which PulseView and sigrok-cli open.

    Args:
        recorder: what to write.
        path: the file, usually `.sr`.
        rate_hz: samples a second; edges between two samples are lost, as on a real analyser.
        start_ns: the first sample's time.
        end_ns: where to end; the end of the recording if not given.
        signals: which signals; all of them if not given, except lines of an SPI bus: a decoder would misread
            them at a low rate, so name them, and take 4 samples or more a clock.
        with_currents: the leads' currents too.

    Raises:
        ValueError: the span holds no sample.
    """
    if signals is None:
        fast = set(recorder.spi_signals)
        signals = [signal for signal in recorder.signals if signal not in fast]
    chosen = list(signals)
    end_ns = recorder.end_ns if end_ns is None else end_ns
    count = (end_ns - start_ns) * rate_hz // 1_000_000_000
    if count <= 0:
        raise ValueError(f"no sample at {rate_hz} Hz between {start_ns} and {end_ns} ns")
    currents = recorder.currents if with_currents else {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "version", b"2")
        _add(archive, "metadata", _metadata(chosen, list(currents), rate_hz).encode())
        logic = _logic(recorder, chosen, start_ns, count, rate_hz)
        _add_chunks(archive, "logic-1", logic, _unit_size(len(chosen)))
        for index, trace in enumerate(currents.values(), len(chosen) + 1):
            data = sample_current(trace, start_ns, count, rate_hz).astype("<f4").tobytes()
            _add_chunks(archive, f"analog-1-{index}", data, 4)


def _metadata(signals: list[tuple[str, str]], currents: list[str], rate_hz: int) -> str:
    lines = ["[global]", "sigrok version=0.5.2", "", "[device 1]", "capturefile=logic-1"]
    lines += [f"total probes={len(signals)}", f"samplerate={rate_hz} Hz", f"total analog={len(currents)}"]
    lines += [f"probe{index}={board}.{name}" for index, (board, name) in enumerate(signals, 1)]
    lines += [f"analog{index}={name}" for index, name in enumerate(currents, len(signals) + 1)]
    lines.append(f"unitsize={_unit_size(len(signals))}")
    return "\n".join(lines) + "\n"


def _unit_size(signals: int) -> int:
    return max(1, (signals + 7) // 8)


def _logic(
    recorder: Recorder, signals: list[tuple[str, str]], start_ns: int, count: int, rate_hz: int
) -> bytes:
    packed = np.zeros((count, _unit_size(len(signals))), dtype=np.uint8)
    for index, (board, name) in enumerate(signals):
        edges = recorder.edges(board, name)
        initial = recorder.initial_level(board, name)
        levels = sample_signal(edges, initial, start_ns, count, rate_hz)
        packed[:, index // 8] |= levels << (index % 8)
    return packed.tobytes()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date: the same recording makes the same file.
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)


def _add_chunks(archive: zipfile.ZipFile, name: str, data: bytes, unit: int) -> None:
    size = _CHUNK_BYTES // unit * unit
    for number, offset in enumerate(range(0, len(data), size), 1):
        _add(archive, f"{name}-{number}", data[offset : offset + size])


def read_sr(path: Path) -> tuple[int, dict[str, npt.NDArray[np.uint8]], dict[str, npt.NDArray[np.float32]]]:
    """Read a session that `write_sr` wrote.

    Returns:
        Samples a second, levels by probe, values by analogue channel.
    """
    with zipfile.ZipFile(path) as archive:
        fields = dict(
            line.split("=", 1) for line in archive.read("metadata").decode().splitlines() if "=" in line
        )
        probes = {int(key[5:]): name for key, name in fields.items() if key.startswith("probe")}
        analogs = {int(key[6:]): name for key, name in fields.items() if key.startswith("analog")}
        unit = int(fields["unitsize"])
        raw = np.frombuffer(_chunks(archive, "logic-1"), dtype=np.uint8).reshape(-1, unit)
        logic = {name: _bit(raw, i - 1) for i, name in probes.items()}
        analog = {name: _floats(_chunks(archive, f"analog-1-{i}")) for i, name in analogs.items()}
    return int(fields["samplerate"].split()[0]), logic, analog


def _bit(raw: npt.NDArray[np.uint8], index: int) -> npt.NDArray[np.uint8]:
    return (raw[:, index // 8] >> (index % 8) & 1).astype(np.uint8)


def _floats(data: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def _chunks(archive: zipfile.ZipFile, name: str) -> bytes:
    data = array("B")
    names = set(archive.namelist())
    number = 1
    while f"{name}-{number}" in names:
        data.frombytes(archive.read(f"{name}-{number}"))
        number += 1
    return data.tobytes()
