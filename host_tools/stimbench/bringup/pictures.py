"""The drawings of docs/circuit: a checkout has them there, a wheel beside this file."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from stimbench.errors import InputError
from stimbench.project import find_project_root

__all__ = ("marked_picture", "picture_path")

_NAME = re.compile(r'fill="black"(?P<rest>[^>]*>(?:<tspan[^>]*>)?)(?P<name>[^<]*)(?=<)')
_MARK = 'fill="#a3123f" font-weight="bold"'
_CARRIED = Path(__file__).parent / "pictures"


def picture_path(name: str) -> Path:
    """The SVG file of a drawing, `stimulator-pump` say.

    Raises:
        InputError: there is no such drawing.
    """
    folder = _CARRIED if _CARRIED.is_dir() else find_project_root(Path(__file__)) / "docs" / "circuit"
    path = folder / f"{name}.svg"
    if not path.is_file():
        raise InputError(f"There is no drawing {name} in {folder}.")
    return path


def marked_picture(name: str, nets: Collection[str]) -> str:
    """The drawing with the names of these nets in red: where the probes go.

    A drawing of the left lead stands for the right one's: R_P marks L_P.

    Raises:
        InputError: there is no such drawing.
    """
    drawn = {*nets, *(f"L_{net[2:]}" for net in nets if net.startswith("R_"))}

    def mark(found: re.Match[str]) -> str:
        return f"{_MARK}{found['rest']}{found['name']}" if found["name"] in drawn else found[0]

    return _NAME.sub(mark, picture_path(name).read_text(encoding="utf-8"))
