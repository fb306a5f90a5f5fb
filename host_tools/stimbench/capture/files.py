"""A capture from a file of any kind: its form, its hash, and the bench's names for its channels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from stimbench.capture.capture import Capture
from stimbench.capture.channel_map import ChannelMap
from stimbench.capture.csv_table import read_csv
from stimbench.capture.instrument_csv import is_instrument_csv, read_instrument_csv
from stimbench.capture.sigrok import read_sr
from stimbench.capture.vcd import read_vcd
from stimbench.errors import InputError

__all__ = ("SUFFIXES", "as_channel_map", "read_capture")

SUFFIXES = (".sr", ".vcd", ".csv")
"""Files that can be read; others are read by what they begin with."""
_BEGIN_BYTES = 64


def as_channel_map(channels: ChannelMap | Iterable[str] | Mapping[str, str]) -> ChannelMap:
    """A channel map, from one, from texts like `D0=stimulator.L_CATH`, or from a table.

    Raises:
        InputError: a text is not of that form.
    """
    return channels if isinstance(channels, ChannelMap) else ChannelMap.of(channels)


def read_capture(
    path: Path | str, channels: ChannelMap | Iterable[str] | Mapping[str, str] = (), start_ns: int = 0
) -> Capture:
    """Read a sigrok session, a Value Change Dump or a table.

    Args:
        path: the file; its suffix says the kind, else its first bytes do.
        channels: which channel of the file is which signal of the bench; empty if the file has the bench's
            names already.
        start_ns: when a sigrok session began, which it does not say itself.

    Returns:
        The capture. Its origin has the file, its SHA-256, the sample rate, and what the file has lost.

    Raises:
        InputError: it cannot be read, its kind is not known, it is damaged, or it lacks a channel.
    """
    path = Path(path)
    chosen = as_channel_map(channels)
    kind = path.suffix.lower() if path.suffix.lower() in SUFFIXES else _kind(path)
    if kind == ".sr":
        capture = read_sr(path, start_ns)
    elif kind == ".vcd":
        capture = read_vcd(path)
    else:
        capture = read_instrument_csv(path) if is_instrument_csv(path) else read_csv(path)
    lost = capture.origin.truncated or (_cut_table(path) if kind == ".csv" else "")
    origin = replace(capture.origin, file=str(path), sha256=_sha256(path), truncated=lost)
    capture = capture.with_origin(origin)
    return chosen.apply(capture) if chosen.uses else capture


def _kind(path: Path) -> str:
    """The suffix that a file without a known one should have."""
    try:
        with path.open("rb") as stream:
            begin = stream.read(_BEGIN_BYTES)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if begin.startswith(b"PK"):
        return ".sr"
    if begin.lstrip().startswith(b"$"):
        return ".vcd"
    if begin.startswith((b"time_", b";", b"X,CH", b"x-axis,")):
        return ".csv"
    raise InputError(f"{path} is no capture that can be read: it must be a {', '.join(SUFFIXES)} file.")


def _cut_table(path: Path) -> str:
    """What is said of a table whose last row has no end: that row may lack digits."""
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - 1))
        return "" if stream.read() == b"\n" else "its last row does not end with a line break"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
