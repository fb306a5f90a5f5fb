"""Where the project's own files are: in a checkout, or in the installed package.

Some things that the host tools read are no Python: the boards' pins, the firmware images, the register of
hazards. A checkout has them in boards/, build/ and docs/. A wheel carries a copy of each, in the same folders
below RESOURCES, where host_tools/hatch_build.py puts them. Whoever stands in a checkout, or runs its code,
gets its own.
"""

from __future__ import annotations

from pathlib import Path

from stimbench.errors import BenchError, InputError

__all__ = (
    "HAZARDS",
    "IMAGE_FOLDER",
    "PINS",
    "RESOURCES",
    "find_project_root",
    "hazards_path",
    "image_path",
    "pins_path",
    "web_vendor_path",
)

RESOURCES = Path(__file__).parent / "_resources"
"""The wheel's copy; a checkout has no such folder."""

IMAGE_FOLDER = "build"
PINS = "boards/STIMBENCH_{board}/pins.csv"
HAZARDS = "docs/hazards.toml"


def find_project_root(start: Path | None = None) -> Path:
    """The checkout: the folder that holds `boards/`, above `start`, this package or the working directory.

    Raises:
        InputError: there is none; what asks for it needs a checkout.
    """
    root = _checkout(start)
    if root is None:
        raise InputError(
            "This needs a checkout of stimbench, and no folder above this one holds "
            f"{PINS.format(board='STIMULATOR')}."
        )
    return root


def image_path(board: str) -> Path:
    """The UF2 file of a board's firmware, which may not have been built.

    Args:
        board: `stimulator` or `remote`.
    """
    return _root() / IMAGE_FOLDER / f"{board}.uf2"


def pins_path(board: str) -> Path:
    """The table of a board's pins.

    Args:
        board: `stimulator` or `remote`.

    Raises:
        BenchError: there is no such board.
    """
    path = _root() / PINS.format(board=board.upper())
    if not path.is_file():
        raise BenchError(f"no board {board!r}: {path.parent} has no {path.name}")
    return path


def web_vendor_path() -> Path:
    """The folder with the page's JavaScript of others, and its licences, which may not have been fetched."""
    return _root() / IMAGE_FOLDER / "web" / "vendor"


def hazards_path() -> Path:
    """The register of hazards and controls."""
    return _root() / HAZARDS


def _root() -> Path:
    return _checkout() or RESOURCES


def _checkout(start: Path | None = None) -> Path | None:
    for origin in (start, Path(__file__), Path.cwd()):
        for folder in [origin, *origin.parents] if origin else []:
            if folder != RESOURCES and (folder / PINS.format(board="STIMULATOR")).is_file():
                return folder
    return None
