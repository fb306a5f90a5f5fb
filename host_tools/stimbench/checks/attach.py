"""Files that belong to a result: they travel inside it, and are put beside it, each with its hash."""

from __future__ import annotations

import base64
import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stimbench.capture.capture import Capture
from stimbench.capture.sigrok import write_sr
from stimbench.capture.vcd import write_vcd
from stimbench.checks.outcome import Attachment

__all__ = ("pack", "pack_capture", "unpack")

FOLDER = "attachments"
_CHANNELS = ("L_CATH", "L_ANOD", "L_SHORT", "R_CATH", "R_ANOD", "R_SHORT", "KEEPALIVE", "MAGNET")
_CURRENTS = ("I_LEFT", "I_RIGHT")
_MOST_SAMPLES = 1_000_000
"""An instrument's own files hold more; a VCD of so many has 15 MB before it is packed."""


def pack(name: str, data: bytes, about: str) -> dict[str, Any]:
    """A file as JSON."""
    packed = base64.b85encode(zlib.compress(data, 6)).decode("ascii")
    return {"name": name, "about": about, "sha256": hashlib.sha256(data).hexdigest(), "data": packed}


def pack_capture(capture: Capture) -> list[dict[str, Any]]:
    """The switches and currents of a capture, in files that `stimbench check --import` judges as before.

    What is known piece by piece goes into a Value Change Dump. Samples go into a sigrok session of their own
    rate: as value changes, the slopes between them would become steps.
    """
    digital = [f"stimulator.{name}" for name in _CHANNELS if f"stimulator.{name}" in capture.digital]
    analog = [name for name in _CURRENTS if name in capture.analog and not _is_long(capture, name)]
    rates = {samples.rate_hz for name in analog if (samples := capture.samples(name)) is not None}
    if not rates:
        what = "switches and currents" if analog or not capture.analog else "switches, without the currents"
        return [_packed(capture.select(digital, analog), "capture.vcd", what)]
    rate_hz = max(rates)
    if not digital or capture.origin.digital_hz == rate_hz:
        return [_packed(capture.select(digital, analog), "capture.sr", "what was recorded", rate_hz)]
    return [
        _packed(capture.select(digital), "switches.vcd", "the switches"),
        _packed(capture.select((), analog), "currents.sr", "the currents", rate_hz),
    ]


def _packed(capture: Capture, name: str, what: str, rate_hz: int = 0) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if rate_hz:
            write_sr(capture, path, rate_hz)
        else:
            write_vcd(capture, path)
        programs = "PulseView or sigrok-cli" if rate_hz else "PulseView or GTKWave"
        return pack(name, path.read_bytes(), f"{what}, for {programs}")


def _is_long(capture: Capture, name: str) -> bool:
    """Whether a current has too many samples for a file that travels inside a result."""
    samples = capture.samples(name)
    return samples is not None and len(samples) > _MOST_SAMPLES


def unpack(packed: Iterable[Mapping[str, Any]], folder: Path, case: str) -> tuple[Attachment, ...]:
    """Put a result's files into `folder/attachments/case`, unless they are there, whole.

    Raises:
        ValueError: a file's bytes do not have its hash.
    """
    made = []
    for each in packed:
        path = Path(FOLDER) / case / Path(str(each["name"])).name
        target = folder / path
        # A run that was killed may have left half of a file.
        if not target.is_file() or hashlib.sha256(target.read_bytes()).hexdigest() != each["sha256"]:
            data = zlib.decompress(base64.b85decode(each["data"]))
            if hashlib.sha256(data).hexdigest() != each["sha256"]:
                raise ValueError(f"{path}: its bytes are not those of its hash")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        made.append(Attachment(path.as_posix(), str(each["sha256"]), str(each["about"])))
    return tuple(made)
