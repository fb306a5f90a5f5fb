"""What hatch puts into the wheel and the source archive beside Python: images, pins, licences, the CPU core.

uPlot, which the page of `stimbench serve` draws with, is fetched before, too (`make setup`).

The images are built before (`make firmware`): they need a cross-compiler and 100 s, so no wheel builds them.
A source archive carries them too; a wheel that is built from it takes them from there.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_BOARDS = ("stimulator", "remote")
_RESOURCES = "stimbench/_resources"
_LICENCES = "build/licences"
_TUTORIAL = "docs/tutorial"
_DRAWINGS = "docs/circuit"
_HAZARDS = "docs/hazards.toml"
_VENDOR = "build/web/vendor/uplot"


class StimbenchBuildHook(BuildHookInterface[Any]):
    """Adds to `wheel` and `sdist`; an editable install needs nothing of it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before a target is built.

        Args:
            version: `standard` or `editable`.
            build_data: hatch's; files to include are put into its `force_include`.

        Raises:
            SystemExit: an image, a licence text, uPlot or a compiler is missing; the text says what to do.
        """
        if version == "editable":
            return
        self._scratch = tempfile.TemporaryDirectory()
        sys.path[:0] = [str(Path(self.root, folder)) for folder in ("host_tools", "firmware")]
        carried = self._carried()
        if self.target_name == "sdist":
            build_data["force_include"].update({source: name for name, source in carried.items()})
            return
        build_data["force_include"].update(
            {source: f"{_RESOURCES}/{name}" for name, source in carried.items()}
        )
        if Path(self.root, _TUTORIAL).is_dir():
            build_data["force_include"][str(Path(self.root, _TUTORIAL))] = "stimbench/lessons/texts"
        for drawing in Path(self.root, _DRAWINGS).glob("stimulator-*.svg"):
            build_data["force_include"][str(drawing)] = f"stimbench/bringup/pictures/{drawing.name}"
        core = self._core()
        build_data["force_include"][str(core)] = f"stimbench/emulator/native/{core.name}"
        build_data.update(pure_python=False, infer_tag=True)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """After a target was built: what was made for it goes."""
        if version != "editable":
            self._scratch.cleanup()

    def _carried(self) -> dict[str, str]:
        """Source path by name below the project's root."""
        names = [f"boards/STIMBENCH_{board.upper()}/pins.csv" for board in _BOARDS]
        names += [f"build/{board}.uf2" for board in _BOARDS]
        missing = [name for name in names if not Path(self.root, name).is_file()]
        if missing:
            raise SystemExit(f"error: {' and '.join(missing)} missing: run `make firmware` first")
        vendor = [f"{_VENDOR}/{name}" for name in ("uPlot.esm.js", "uPlot.min.css", "LICENSE")]
        if missing := [name for name in vendor if not Path(self.root, name).is_file()]:
            raise SystemExit(f"error: {' and '.join(missing)} missing: run `make setup` first")
        names += [*vendor, _HAZARDS]
        found = {name: str(Path(self.root, name)) for name in names}
        return found | {f"{_LICENCES}/{path.name}": str(path) for path in self._licences()}

    def _licences(self) -> list[Path]:
        """Of what the images link; from the build, or as a source archive brings them."""
        folder = Path(self.root, _LICENCES)
        if not Path(self.root, "build", "firmware").is_dir():
            return sorted(folder.glob("*.txt")) or _fail(f"{_LICENCES} missing: run `make firmware` first")
        from stimbench.firmware_build.errors import BuildError
        from stimbench.firmware_build.licences import texts

        try:
            for board in _BOARDS:
                linked = Path(self.root, "build", "firmware", board, "firmware.elf.map").read_text()
                for name, text in texts(linked, Path(self.root, "build", "sources")).items():
                    Path(self._scratch.name, name).write_text(text, encoding="utf-8")
        except (BuildError, OSError) as error:
            _fail(str(error))
        return sorted(Path(self._scratch.name).glob("*.txt"))

    def _core(self) -> Path:
        """The CPU core, compiled for the Python that builds the wheel."""
        from stimbench import emulator_build

        folder = Path(self._scratch.name)
        try:
            said = emulator_build.build_core(folder)
        except OSError as error:
            said = str(error)
        modules = list(folder.glob("cortex_m0*.so"))
        if not modules:
            _fail(f"the CPU core was not compiled (it needs gcc, Cython and Python's headers):\n{said}")
        return modules[0]


def _fail(text: str) -> Any:
    raise SystemExit(f"error: {text}")
