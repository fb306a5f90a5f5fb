"""What a sigrok session (`.sr`) holds: its channels, its rate, and where the samples of each channel are.

A session is a zip archive with a `metadata` file. The samples stand in numbered chunks: `logic-1-N` has one
bit a channel, `analog-1-CHANNEL-N` has 32-bit floats. sigrok-cli writes chunks of 4 KB, this project and
newer sigroks of 4 MB.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from pathlib import Path

from stimbench.capture.grid import MOST_HZ
from stimbench.errors import InputError

__all__ = ("Chunks", "Session", "open_session", "parse_rate")

_ZIP_BEGIN = b"PK\x03\x04"
_CHUNK = re.compile(r"(logic-1|analog-1-\d+)(?:-(\d+))?")
_CHANNEL = re.compile(r"(probe|analog)(\d+)")
_RATE = re.compile(r"\s*([\d.]+)\s*([kMG]?)Hz\s*")
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_FLOAT_BYTES = 4
_ENCRYPTED = 1
_HEAD_BYTES = 30
_MOST_BYTES = 64 << 20
"""So much memory is taken for a chunk on the word of the archive's directory."""


def parse_rate(text: str) -> int:
    """Samples a second from sigrok's words, `62.5 MHz`; 0 if it is no rate."""
    found = _RATE.fullmatch(text)
    if found is None:
        return 0
    try:
        return round(Decimal(found[1]) * _FACTORS[found[2]])
    except InvalidOperation:
        return 0


class Chunks:
    """The chunks of one channel, or of all logic channels: one sequence of samples, cut into pieces."""

    def __init__(
        self, archive: zipfile.ZipFile, path: str, members: Sequence[zipfile.ZipInfo], unit: int
    ) -> None:
        """Take the members in their order; `unit` bytes are one sample."""
        self._archive, self._path, self._members = archive, path, members
        self._ends = list(accumulate(member.file_size // unit for member in members))
        self.unit = unit

    def __len__(self) -> int:
        """How many chunks."""
        return len(self._members)

    @property
    def samples(self) -> int:
        """How many samples in all."""
        return self._ends[-1] if self._ends else 0

    def bounds(self, chunk: int) -> tuple[int, int]:
        """The samples of a chunk: the first one, and the one after the last."""
        return self._ends[chunk - 1] if chunk else 0, self._ends[chunk]

    def holding(self, sample: int) -> int:
        """Which chunk has this sample."""
        return bisect_right(self._ends, sample)

    def load(self, chunk: int) -> bytes:
        """A chunk's bytes. Several threads may load at once: zlib lets go of Python's lock.

        Raises:
            InputError: it is damaged.
        """
        member = self._members[chunk]
        try:
            if member.compress_type == zipfile.ZIP_DEFLATED and not member.flag_bits & _ENCRYPTED:
                return _inflated(self._archive, member)
            return self._archive.read(member)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise InputError(f"{self._path} is damaged in {member.filename}: {error}.") from error


def _inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """What `archive.read` gives, in 0.6 of its time: one buffer of the right size, no lock on the file."""
    assert archive.fp is not None
    descriptor = archive.fp.fileno()
    head = os.pread(descriptor, _HEAD_BYTES, member.header_offset)
    if not head.startswith(_ZIP_BEGIN):
        raise zipfile.BadZipFile("its header is not where the directory says")
    # The name and the extra field stand between header and data; the directory's extra field is another one.
    lengths = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = os.pread(descriptor, member.compress_size, member.header_offset + _HEAD_BYTES + lengths)
    data = zlib.decompress(packed, -zlib.MAX_WBITS, max(1, min(member.file_size, _MOST_BYTES)))
    if len(data) != member.file_size or zlib.crc32(data) != member.CRC:
        raise zipfile.BadZipFile("its checksum is wrong")
    return data


@dataclass(frozen=True)
class Session:
    """An opened session.

    Attributes:
        rate_hz: samples a second.
        logic: the channels' names, and the bit of each.
        analog: the channels' names, and the chunks of each.
        logic_chunks: of all logic channels.
        samples: how many samples every channel has.
        truncated: what is missing at its end; empty if nothing.
    """

    rate_hz: int
    logic: tuple[tuple[str, int], ...]
    analog: tuple[tuple[str, Chunks], ...]
    logic_chunks: Chunks
    samples: int
    truncated: str


def open_session(path: Path | str) -> Session:
    """Open a session; its samples are read later.

    Raises:
        InputError: it cannot be read, is cut off, or is no session with a sample rate.
    """
    try:
        archive = zipfile.ZipFile(path)
        metadata = archive.read("metadata").decode()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, UnicodeDecodeError, zlib.error) as error:
        raise InputError(_not_a_session(Path(path), error)) from error
    except KeyError as error:
        raise InputError(f"{path} is no sigrok session: it has no metadata.") from error
    return _session(str(path), archive, metadata)


def _not_a_session(path: Path, error: Exception) -> str:
    with path.open("rb") as stream:
        begin = stream.read(len(_ZIP_BEGIN))
    if begin == _ZIP_BEGIN:
        return f"{path} is cut off: the archive's directory, which stands at its end, is missing or damaged."
    return f"{path} is no sigrok session: {error}."


def _session(path: str, archive: zipfile.ZipFile, metadata: str) -> Session:
    device = _device(path, metadata)
    rate_hz = parse_rate(device.get("samplerate", ""))
    if not 0 < rate_hz <= MOST_HZ:
        given = device.get("samplerate", "none")
        raise InputError(f"{path} has no sample rate that can be used: {given}. Up to 8 GHz is possible.")
    names = {
        (found[1], int(found[2])): name for key, name in device.items() if (found := _CHANNEL.fullmatch(key))
    }
    unit = _unit(path, device.get("unitsize", "1"))
    members = _members(path, archive)
    logic = tuple((name, number - 1) for (kind, number), name in sorted(names.items()) if kind == "probe")
    if logic and max(bit for _, bit in logic) >= 8 * unit:
        raise InputError(f"{path} is damaged: {len(logic)} logic channels do not fit into {unit} bytes.")
    logic_chunks = _chunks(path, archive, members.get("logic-1", {}), unit)
    analog = tuple(
        (name, _chunks(path, archive, members.get(f"analog-1-{number}", {}), _FLOAT_BYTES))
        for (kind, number), name in sorted(names.items())
        if kind == "analog"
    )
    counts = {name: chunks.samples for name, chunks in analog}
    if logic:
        counts = {"the logic": logic_chunks.samples, **counts}
    return Session(
        rate_hz, logic, analog, logic_chunks, min(counts.values(), default=0), _shortest(counts)
    )  # fmt: skip


def _shortest(counts: dict[str, int]) -> str:
    """What is said of channels of unequal length."""
    most = max(counts.values(), default=0)
    short = [f"{name} {count}" for name, count in counts.items() if count < most]
    return f"of {most} samples, there are of {', '.join(short)} only" if short else ""


def _device(path: str, metadata: str) -> dict[str, str]:
    parser = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=())
    try:
        parser.read_string(metadata)
    except ConfigError as error:
        raise InputError(f"{path} is no sigrok session: its metadata cannot be read.") from error
    if "device 1" not in parser:
        raise InputError(f"{path} is no sigrok session: its metadata names no device.")
    return dict(parser["device 1"])


def _unit(path: str, text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise InputError(f"{path} is damaged: a sample of {text} bytes.")
    return int(text)


def _members(path: str, archive: zipfile.ZipFile) -> dict[str, dict[int, zipfile.ZipInfo]]:
    """The chunks by what they belong to and by number."""
    found: dict[str, dict[int, zipfile.ZipInfo]] = {}
    for member in archive.infolist():
        name = _CHUNK.fullmatch(member.filename)
        if name is not None:
            found.setdefault(name[1], {})[int(name[2] or 1)] = member
    return found


def _chunks(path: str, archive: zipfile.ZipFile, members: dict[int, zipfile.ZipInfo], unit: int) -> Chunks:
    ordered = [members[number] for number in sorted(members)]
    if members and max(members) != len(members):
        number = next(number for number in range(1, max(members) + 1) if number not in members)
        raise InputError(f"{path} is damaged: chunk {number} before {ordered[-1].filename} is missing.")
    for member in ordered:
        if member.file_size % unit:
            raise InputError(
                f"{path} is damaged: {member.filename} ends in the middle of a sample of {unit} bytes."
            )
    return Chunks(archive, path, ordered, unit)
