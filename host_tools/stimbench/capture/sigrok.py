"""sigrok sessions (`.sr`), which PulseView and sigrok-cli open: a capture sampled at a fixed rate."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Analog, Edges, Times, Voltages
from stimbench.capture.vcd import read_vcd
from stimbench.errors import InputError

__all__ = ("read_sr", "sample_signal", "sample_waveform", "write_sr")

_CHUNK_BYTES = 4 * 1024 * 1024
"""sigrok splits its data into files of this size, or a little less: a file holds whole samples."""
_DIGITS_V = 3
_NS_PER_S = 1_000_000_000


def sample_signal(edges: Edges, start_ns: int, count: int, rate_hz: int) -> NDArray[np.uint8]:
    """A signal's levels at the instants of a logic analyser.

    Args:
        edges: the signal.
        start_ns: when the first sample is taken.
        count: how many samples.
        rate_hz: samples a second, at most 2 GHz.

    Returns:
        `count` values of 0 or 1; a pulse between two samples is not seen, as on the instrument.
    """
    # The first sample at or after each edge. Seconds and rest apart: the product would not fit into 64 bits.
    seconds, rest_ns = np.divmod(edges.times_ns - start_ns, _NS_PER_S)
    firsts = seconds * rate_hz - (-rest_ns * rate_hz // _NS_PER_S)
    bounds = np.clip(np.concatenate(([0], firsts, [count])), 0, count)
    levels = (np.arange(len(edges) + 1) + edges.initial).astype(np.uint8) & 1
    found: NDArray[np.uint8] = np.repeat(levels, np.diff(bounds))
    return found


def sample_waveform(waveform: Analog, start_ns: int, count: int, rate_hz: int) -> NDArray[np.float32]:
    """A current in uA, or a voltage in V to 1 mV, at the instants of an oscilloscope."""
    instants = _instants(start_ns, count, rate_hz)
    samples = np.zeros(count, dtype=np.float32)
    for t0_ns, t1_ns, begin, end in waveform:
        first, last = np.searchsorted(instants, (t0_ns, t1_ns))
        if first < last:
            share = (instants[first:last] - t0_ns) / (t1_ns - t0_ns)
            samples[first:last] = begin + (end - begin) * share
    # The board's own converter has steps of 8 mV. Finer ones make a slow decay, which hardly compresses.
    return np.round(samples, _DIGITS_V) if isinstance(waveform, Voltages) else samples


def _instants(start_ns: int, count: int, rate_hz: int) -> Times:
    return start_ns + np.arange(count, dtype=np.int64) * _NS_PER_S // rate_hz


def write_sr(capture: Capture, path: Path | str, rate_hz: int = 1_000_000) -> None:
    """Write a session, version 2, with all channels, analog ones too.

    It holds neither the time of its first sample nor units: currents are in uA, voltages in V.

    Args:
        capture: what to write. A decoder would misread an SPI bus at a low rate: leave its lines out, or take
            4 samples or more a clock.
        path: the file, usually `.sr`.
        rate_hz: samples a second; edges between two samples are lost, as on a real analyser.

    Raises:
        ValueError: the span holds no sample.
    """
    start_ns, end_ns = capture.start_ns, capture.end_ns
    count = (end_ns - start_ns) * rate_hz // _NS_PER_S
    if count <= 0:
        raise ValueError(f"no sample at {rate_hz} Hz between {start_ns} and {end_ns} ns")
    signals = capture.digital
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "version", b"2")
        _add(archive, "metadata", _metadata(signals, capture.analog, rate_hz).encode())
        _add_chunks(archive, "logic-1", _logic(capture, count, rate_hz), _unit_size(len(signals)))
        for index, name in enumerate(capture.analog, len(signals) + 1):
            samples = sample_waveform(capture.waveform(name), start_ns, count, rate_hz)
            _add_chunks(archive, f"analog-1-{index}", samples.astype("<f4").tobytes(), 4)


def _metadata(signals: Sequence[str], currents: Sequence[str], rate_hz: int) -> str:
    lines = ["[global]", "sigrok version=0.5.2", "", "[device 1]", "capturefile=logic-1"]
    lines += [f"total probes={len(signals)}", f"samplerate={rate_hz} Hz", f"total analog={len(currents)}"]
    lines += [f"probe{index}={name}" for index, name in enumerate(signals, 1)]
    lines += [f"analog{index}={name}" for index, name in enumerate(currents, len(signals) + 1)]
    lines.append(f"unitsize={_unit_size(len(signals))}")
    return "\n".join(lines) + "\n"


def _unit_size(signals: int) -> int:
    return max(1, (signals + 7) // 8)


def _logic(capture: Capture, count: int, rate_hz: int) -> bytes:
    packed = np.zeros((count, _unit_size(len(capture.digital))), dtype=np.uint8)
    for index, name in enumerate(capture.digital):
        levels = sample_signal(capture.edges(name), capture.start_ns, count, rate_hz)
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


def read_sr(path: Path | str, start_ns: int = 0) -> Capture:
    """Read a session's digital channels, with sigrok-cli. Analog ones are left out: its VCD has none.

    Args:
        path: the file.
        start_ns: the time of the first sample, which a session does not hold.

    Raises:
        InputError: it cannot be read, is no session, or sigrok-cli is not installed.
    """
    if shutil.which("sigrok-cli") is None:
        raise InputError("A session is read with sigrok-cli, which is not installed: run 'make setup'.")
    with tempfile.TemporaryDirectory() as folder:
        session, dump = Path(folder) / "logic.sr", Path(folder) / "logic.vcd"
        _copy_logic(Path(path), session)
        command = ["sigrok-cli", "-i", str(session), "-O", "vcd", "-o", str(dump)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"sigrok-cli cannot read {path}: {done.stderr.strip()}")
        return read_vcd(dump).shifted(start_ns, str(path))


def _copy_logic(session: Path, copy: Path) -> None:
    """Copy a session without its analog channels, of which sigrok-cli would write text between the changes.

    Raises:
        InputError: it cannot be read, or is no session.
    """
    try:
        with zipfile.ZipFile(session) as whole, zipfile.ZipFile(copy, "w") as logic:
            for name in whole.namelist():
                data = whole.read(name)
                if name == "metadata":
                    lines = data.decode().splitlines()
                    data = "\n".join(line for line in lines if not _is_analog(line)).encode() + b"\n"
                if not name.startswith("analog-"):
                    logic.writestr(name, data)
    except OSError as error:
        raise InputError(f"{session} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise InputError(f"{session} is no sigrok session: {error}.") from error


def _is_analog(line: str) -> bool:
    return line.startswith(("analog", "total analog"))
