"""Where the project's own files are."""

from __future__ import annotations

from pathlib import Path

from stimbench.errors import BenchError

__all__ = ("find_project_root",)


def find_project_root(start: Path | None = None) -> Path:
    """The folder that holds `boards/`, above this package or above `start`.

    Raises:
        BenchError: there is none.
    """
    for origin in (start, Path(__file__), Path.cwd()):
        for folder in [origin, *origin.parents] if origin else []:
            if (folder / "boards" / "STIMBENCH_STIMULATOR" / "pins.csv").is_file():
                return folder
    raise BenchError("no project root found: no folder above holds boards/STIMBENCH_STIMULATOR/pins.csv")
