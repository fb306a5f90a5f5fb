"""A run as it is put into a file: what it is, what was recorded, and what its page was told.

Arrays are compressed (zlib) with their bytes sorted by significance, which is what makes them small. Times
are differences. Nothing of the record is left out or rounded.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench import __version__
from stimbench.errors import StimbenchError
from stimbench.firmware_build import uf2
from stimbench.project import image_path
from stimbench.web.muscle import GRID_NS
from stimbench.web.muscles import Muscles
from stimbench.web.record import LEADS, MEASURED, Record
from stimbench.web.run_file import Run, to_link

__all__ = ("Block", "Firmware", "SavedRun", "firmware_images", "packed", "unpacked")

Firmware = dict[str, dict[str, str] | None]

FORMAT = 1
_BOARDS = ("stimulator", "remote")
_COUNTING = "+"
"""After a type: what is kept is the difference to the value before."""
_TEXT = "json"


@dataclass(frozen=True)
class Block:
    """Something large of a file.

    Attributes:
        name: `left.current.times`, say.
        form: numpy's name of its type, little-endian, `+` after it if differences are kept; or `json`.
        count: how many values.
        data: compressed.
    """

    name: str
    form: str
    count: int
    data: bytes


@dataclass(frozen=True)
class SavedRun:
    """All that a file has of a run; a copy, so that the run can go on meanwhile.

    Attributes:
        about: what is readable in the file, plain data for JSON.
        arrays: by name, with the form of its block.
        table: of views and actions, as pages get it.
        states: what the page was told, as History.packed has it.
    """

    about: dict[str, Any]
    arrays: dict[str, tuple[str, NDArray[Any]]]
    table: dict[str, Any]
    states: list[bytes]

    @classmethod
    def of(
        cls,
        run: Run,
        record: Record,
        states: list[bytes],
        table: dict[str, Any],
        firmware: Firmware,
        marks: Sequence[dict[str, Any]] = (),
    ) -> SavedRun:
        """Copy what there is.

        Args:
            run: its seed and its actions.
            record: currents, voltages and pulses.
            states: of History.packed.
            table: of views and actions, as pages get it.
            firmware: what `firmware_images` said when the bench was switched on.
            marks: as pages get them.
        """
        about = {
            "format": FORMAT,
            "stimbench": __version__,
            "firmware": firmware,
            "config": run.config.model_dump(mode="json"),
            "end_ns": record.end_ns,
            "force_step_ns": GRID_NS,
            "marks": list(marks),
            "actions": [list(one) for one in run.actions],
            "link": to_link(run),
        }
        return cls(about, _arrays(record), table, states)

    @property
    def pulses(self) -> dict[str, int]:
        """How many pulses each lead has."""
        return {name: len(self.arrays[f"{name}.pulses.start_ns"][1]) for name in LEADS}

    def blocks(self) -> list[Block]:
        """The large parts, compressed: half a second for half an hour's record."""
        found = [
            Block(name, form, len(values), packed(form, values))
            for name, (form, values) in self.arrays.items()
        ]
        return [*found, self._told()]

    def _told(self) -> Block:
        """JSON: the table, and all states in a list. Never whole in memory: it is large."""
        packer, count, data = zlib.compressobj(9), 0, b""
        table = json.dumps(self.table, separators=(",", ":"), allow_nan=False).encode()
        begin = b'{"table":' + table + b',"states":['
        texts = ((b"," if at else b"") + zlib.decompress(one) for at, one in enumerate(self.states))
        for text in chain((begin,), texts, (b"]}",)):
            count += len(text)
            data += packer.compress(text)
        return Block("told", _TEXT, count, data + packer.flush())


def firmware_images() -> Firmware:
    """What the boards' images are now.

    Returns:
        By board `version`, `build` (the first digits of the hash over its sources) and `sha256` of the file;
        None for an image that is not there.
    """
    return {board: _firmware(board) for board in _BOARDS}


def _firmware(board: str) -> dict[str, str] | None:
    path = image_path(board)
    try:
        identity, data = uf2.read_for(path, board).identity, path.read_bytes()
    except (StimbenchError, OSError):
        return None
    assert identity is not None
    return {"version": identity.version, "build": identity.build, "sha256": sha256(data).hexdigest()}


def _arrays(record: Record) -> dict[str, tuple[str, NDArray[Any]]]:
    found: dict[str, tuple[str, NDArray[Any]]] = {}
    muscles: Muscles | None = record.memory.get("leads")
    for name, lead in record.leads.items():
        for quantity, line in lead.lines.items():
            found[f"{name}.{quantity}.times"] = "<i8+", line.times_ns.copy()
            found[f"{name}.{quantity}.values"] = "<f4", line.values.copy()
        for field in MEASURED.names or ():
            form = MEASURED[field].newbyteorder("<").str + (_COUNTING if field == "start_ns" else "")
            found[f"{name}.pulses.{field}"] = form, lead.pulses[field].copy()
        force = np.zeros(1, np.uint16) if muscles is None else muscles.series(name).copy()
        found[f"{name}.force"] = "<u2", force
    return found


def packed(form: str, values: NDArray[Any]) -> bytes:
    """An array's bytes: all lowest ones first, all highest ones last; compressed.

    Args:
        form: as of Block.
        values: shape (n,).
    """
    if form.endswith(_COUNTING):
        values = np.diff(values, prepend=values.dtype.type(0))
    rows = np.ascontiguousarray(values, form.removesuffix(_COUNTING))
    planes = rows.view(np.uint8).reshape(len(rows), rows.itemsize).T
    return zlib.compress(np.ascontiguousarray(planes).tobytes(), 9)


def unpacked(form: str, count: int, data: bytes) -> NDArray[Any]:
    """The opposite of `packed`: shape (count,)."""
    kind = np.dtype(form.removesuffix(_COUNTING))
    planes = np.frombuffer(zlib.decompress(data), np.uint8).reshape(kind.itemsize, count)
    values = np.ascontiguousarray(planes.T).view(kind).reshape(count)
    return np.cumsum(values) if form.endswith(_COUNTING) else values
