"""sigrok sessions (`.sr`), which PulseView and sigrok-cli open: a capture sampled at a fixed rate."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Analog, Edges, Times, Voltages
from stimbench.capture.grid import first_samples, instants, whole_samples
from stimbench.capture.logic import edges_of_logic
from stimbench.capture.samples import Samples
from stimbench.capture.sr_blocks import SrBlocks
from stimbench.capture.sr_session import Session, open_session

__all__ = ("read_sr", "sample_signal", "sample_waveform", "write_sr")

_CHUNK_BYTES = 4 * 1024 * 1024
"""sigrok splits its data into files of this size, or a little less: a file holds whole samples."""
_FLOAT_BYTES = 4
_DIGITS_V = 3
_Floats = NDArray[np.float32]


def sample_signal(edges: Edges, start_ns: int, count: int, rate_hz: int) -> NDArray[np.uint8]:
    """A signal's levels at the instants of a logic analyser.

    Args:
        edges: the signal.
        start_ns: when the first sample is taken.
        count: how many samples.
        rate_hz: samples a second, at most 8 GHz.

    Returns:
        `count` values of 0 or 1; a pulse between two samples is not seen, as on the instrument.
    """
    return _levels(first_samples(edges.times_ns, rate_hz, start_ns), edges.initial, 0, count)


def _levels(firsts: Times, initial: bool, begin: int, end: int) -> NDArray[np.uint8]:
    """The levels of samples `begin` to `end`, from the first sample after each edge."""
    low, high = np.searchsorted(firsts, (begin, end))
    bounds = np.concatenate(([begin], firsts[low:high], [end]))
    levels = (np.arange(low, high + 1) + initial).astype(np.uint8) & 1
    found: NDArray[np.uint8] = np.repeat(levels, np.diff(bounds))
    return found


def sample_waveform(waveform: Analog, start_ns: int, count: int, rate_hz: int) -> _Floats:
    """A current in uA, or a voltage in V to 1 mV, at the instants of an oscilloscope."""
    return _values(waveform, instants(np.arange(count), rate_hz, start_ns))


def _values(waveform: Analog | Samples, times_ns: Times) -> _Floats:
    if isinstance(waveform, Samples):
        return _resampled(waveform, times_ns)
    pieces = waveform.between(int(times_ns[0]), int(times_ns[-1]) + 1) if len(times_ns) else waveform
    values: _Floats = pieces.at(times_ns).astype(np.float32)
    # The board's own converter has steps of 8 mV. Finer ones make a slow decay, which hardly compresses.
    return np.round(values, _DIGITS_V) if isinstance(waveform, Voltages) else values


def _resampled(samples: Samples, times_ns: Times) -> _Floats:
    """Values between two samples lie on a straight line; at the instants of the samples nothing changes."""
    first, last = samples.index_at(times_ns[[0, -1]]).tolist()
    low, high = max(first - 1, 0), min(max(last + 1, 0), len(samples))
    if low >= high:
        return np.zeros(len(times_ns), dtype=np.float32)
    taken_ns = instants(np.arange(low, high), samples.rate_hz, samples.start_ns)
    values: _Floats = np.interp(times_ns, taken_ns, samples.read(low, high)).astype(np.float32)
    return values


def write_sr(capture: Capture, path: Path | str, rate_hz: int = 1_000_000, *, compression: int = 6) -> None:
    """Write a session, version 2, with all channels, analog ones too: chunk by chunk.

    It holds neither the time of its first sample nor units: currents are in uA, voltages in V.

    Args:
        capture: what to write. A decoder would misread an SPI bus at a low rate: leave its lines out, or take
            4 samples or more a clock.
        path: the file, usually `.sr`.
        rate_hz: samples a second; edges between two samples are lost, as on a real analyser.
        compression: from 0 to 9. A recording without noise is read twice as fast if it was written with 1,
            and its file is 3 to 4 times larger.

    Raises:
        ValueError: the span holds no sample.
    """
    start_ns, end_ns = capture.start_ns, capture.end_ns
    count = whole_samples(end_ns - start_ns, rate_hz)
    if count <= 0:
        raise ValueError(f"no sample at {rate_hz} Hz between {start_ns} and {end_ns} ns")
    signals = capture.digital
    with zipfile.ZipFile(path, "w") as archive:
        _add(archive, "version", b"2", compression)
        _add(archive, "metadata", _metadata(signals, capture.analog, rate_hz).encode(), compression)
        for number, chunk in enumerate(_logic(capture, count, rate_hz), 1):
            _add(archive, f"logic-1-{number}", chunk, compression)
        for index, name in enumerate(capture.analog, len(signals) + 1):
            for number, chunk in enumerate(_analog(capture, name, count, rate_hz), 1):
                _add(archive, f"analog-1-{index}-{number}", chunk, compression)


def _metadata(signals: Sequence[str], currents: Sequence[str], rate_hz: int) -> str:
    lines = ["[global]", "sigrok version=0.5.2", "", "[device 1]", "capturefile=logic-1"]
    lines += [f"total probes={len(signals)}", f"samplerate={rate_hz} Hz", f"total analog={len(currents)}"]
    lines += [f"probe{index}={name}" for index, name in enumerate(signals, 1)]
    lines += [f"analog{index}={name}" for index, name in enumerate(currents, len(signals) + 1)]
    lines.append(f"unitsize={_unit_size(len(signals))}")
    return "\n".join(lines) + "\n"


def _unit_size(signals: int) -> int:
    return max(1, (signals + 7) // 8)


def _spans(count: int, unit: int) -> Iterator[tuple[int, int]]:
    size = _CHUNK_BYTES // unit
    for begin in range(0, count, size):
        yield begin, min(begin + size, count)


def _logic(capture: Capture, count: int, rate_hz: int) -> Iterator[bytes]:
    unit = _unit_size(len(capture.digital))
    edges = [capture.edges(name) for name in capture.digital]
    firsts = [first_samples(each.times_ns, rate_hz, capture.start_ns) for each in edges]
    for begin, end in _spans(count, unit):
        packed = np.zeros((end - begin, unit), dtype=np.uint8)
        for index, (each, first) in enumerate(zip(edges, firsts, strict=True)):
            packed[:, index // 8] |= _levels(first, each.initial, begin, end) << (index % 8)
        yield packed.tobytes()


def _analog(capture: Capture, name: str, count: int, rate_hz: int) -> Iterator[bytes]:
    sampled = capture.samples(name)
    waveform = capture.waveform(name) if sampled is None else sampled
    for begin, end in _spans(count, _FLOAT_BYTES):
        yield _values(waveform, instants(np.arange(begin, end), rate_hz, capture.start_ns)).tobytes()


def _add(archive: zipfile.ZipFile, name: str, data: bytes, compression: int) -> None:
    # A fixed date: the same recording makes the same file.
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    archive.writestr(info, data, zipfile.ZIP_DEFLATED, compression)


def read_sr(path: Path | str, start_ns: int = 0) -> Capture:
    """Read a session. Its digital channels are read at once, the analog ones when somebody asks for blocks.

    A session holds no units: an analog channel whose name begins with `I_` is a current in uA, any other one
    a voltage in V. `ChannelMap` gives others.

    Args:
        path: the file. It stays open as long as the capture is used.
        start_ns: the time of the first sample, which a session does not hold.

    Raises:
        InputError: it cannot be read, is cut off or damaged, or is no session.
    """
    session = open_session(path)
    names = [name for name, _ in session.logic]
    edges = edges_of_logic(
        map(session.logic_chunks.load, range(len(session.logic_chunks))),
        session.logic_chunks.unit,
        [bit for _, bit in session.logic],
        session.rate_hz,
        start_ns,
    )
    end_ns = int(instants(session.samples, session.rate_hz, start_ns))
    origin = Origin(instrument="", digital_hz=session.rate_hz, file=str(path), truncated=session.truncated)
    return Capture(
        {name: each.between(start_ns, end_ns) for name, each in zip(names, edges, strict=True)},
        {name: _samples(session, name, start_ns) for name, _ in session.analog},
        start_ns=start_ns, end_ns=end_ns, source=str(path), origin=origin,
    )  # fmt: skip


def _samples(session: Session, name: str, start_ns: int) -> Samples:
    unit = "uA" if name.startswith("I_") else "V"
    blocks = SrBlocks(dict(session.analog)[name], session.samples)
    return Samples(start_ns, session.rate_hz, unit, blocks)
