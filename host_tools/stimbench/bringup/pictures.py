"""The drawings of docs/circuit: a checkout has them there, a wheel beside this file."""

from __future__ import annotations

from pathlib import Path

from stimbench.errors import InputError
from stimbench.project import find_project_root

__all__ = ("picture_path",)

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
