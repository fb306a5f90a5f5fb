"""Runs ngspice in batch and reads what it wrote."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float64]
_PACKAGE = "ngspice"
TIMEOUT_S = 60.0


class SpiceError(RuntimeError):
    """ngspice is missing, failed, or did not converge."""


def require() -> str:
    """The path of ngspice.

    Raises:
        SpiceError: it is not installed; the message has the command that installs it.
    """
    path = shutil.which("ngspice")
    if path is None:
        raise SpiceError(f"ngspice is missing; as root: apt-get install --no-install-recommends {_PACKAGE}")
    return path


def run(text: str) -> dict[str, Wave]:
    """Runs a deck whose control section writes `out.raw`.

    Args:
        text: the deck, complete.

    Returns:
        The vectors of out.raw by name, `time` in s among them, all of one length.

    Raises:
        SpiceError: no result; the message has ngspice's last lines.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "deck.cir").write_text(text, encoding="utf-8")
        words = [require(), "-b", "-n", "deck.cir"]
        try:
            done = subprocess.run(
                words, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SpiceError(f"no end after {TIMEOUT_S} s") from error
        raw = Path(folder) / "out.raw"
        if not raw.is_file():
            raise SpiceError("\n".join((done.stdout + done.stderr).splitlines()[-15:]))
        return read_raw(raw.read_bytes())


def read_raw(data: bytes) -> dict[str, Wave]:
    """The vectors of one binary raw file of real numbers."""
    head, _, body = data.partition(b"Binary:\n")
    names: list[str] = []
    points = 0
    listing = False
    for line in head.decode("ascii", "replace").splitlines():
        if line.startswith("No. Points:"):
            points = int(line.split(":")[1])
        elif line.startswith("Variables:"):
            listing = True
        elif listing and line.strip():
            names.append(line.split()[1])
    table = np.frombuffer(body, dtype=np.float64, count=points * len(names)).reshape(points, len(names))
    return {name: table[:, column].copy() for column, name in enumerate(names)}
