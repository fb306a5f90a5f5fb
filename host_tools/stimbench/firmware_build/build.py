"""Builds mpy-cross and the boards' images, each step only if what it is made from has changed."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stimbench.firmware_build import frozen, sizes
from stimbench.firmware_build.sources import Tree, prepare
from stimbench.firmware_build.steps import Timer, fingerprint, is_fresh, run_logged, say, write_if_changed
from stimbench.firmware_build.toolchain import compiler_version, require_toolchain

BOARDS = ("stimulator", "remote")

# The RP2040's UF2 family and the address at which its flash appears (datasheet 2.8.4.2, UF2 format).
_UF2_FAMILY = "0xe48bff56"
_FLASH_START = "0x10000000"

# make-pins.py walks a set of a pin's names: without a fixed seed the table's order changes.
_FIXED_ORDER = {"PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class Layout:
    """Where things are in the project.

    Attributes:
        root: the project's top folder.
    """

    root: Path

    @property
    def firmware(self) -> Path:
        """The firmware's Python sources."""
        return self.root / "firmware"

    @property
    def boards(self) -> Path:
        """Board definitions, and sources.toml."""
        return self.root / "boards"

    @property
    def build(self) -> Path:
        """Everything generated."""
        return self.root / "build"

    def board_dir(self, board: str) -> Path:
        """The definition of one board."""
        return self.boards / f"STIMBENCH_{board.upper()}"

    def work_dir(self, board: str) -> Path:
        """The folder in which one board is built."""
        return self.build / "firmware" / board

    def uf2(self, board: str) -> Path:
        """The image to put on a board."""
        return self.build / f"{board}.uf2"


def build_all(layout: Layout, boards: tuple[str, ...] = BOARDS) -> None:
    """Builds the images of some boards.

    A second call on the same folder waits for the first.

    Raises:
        BuildError: the machine lacks something (exit code 2), or a step failed (1).
    """
    require_toolchain()
    with _locked(layout.build / "lock"):
        tree = prepare(layout.boards / "sources.toml", layout.build)
        mpy_cross = build_mpy_cross(tree, layout)
        for board in boards:
            build_board(board, tree, mpy_cross, layout)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build_mpy_cross(tree: Tree, layout: Layout) -> Path:
    """Builds the bytecode compiler that belongs to a tree, once.

    Returns:
        The program.
    """
    folder = layout.build / "mpy-cross"
    program, stamp = folder / "mpy-cross", folder / "stamp"
    wanted = fingerprint([], str(tree.path), tree.identity or "")
    if tree.identity and program.is_file() and is_fresh(stamp, wanted):
        return program
    timer = Timer()
    if not is_fresh(stamp, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    log = layout.build / "logs" / "mpy-cross.log"
    log.unlink(missing_ok=True)
    words = ["make", "-C", tree.path / "mpy-cross", f"-j{os.cpu_count() or 1}", f"BUILD={folder}"]
    run_logged(words, log, env={**tree.env, "MAKEFLAGS": "", "MAKELEVEL": ""})
    stamp.write_text(wanted, encoding="utf-8")
    say(f"mpy-cross  built in {timer}")
    return program


def sources(board: str, layout: Layout) -> list[Path]:
    """The project's files that an image is made of: what is frozen, how a board is built, and from what.

    Raises:
        BuildError: the manifest is wrong.
    """
    folder = layout.board_dir(board)
    files = frozen.frozen_files(folder / "manifest.py", layout.firmware)
    return [*files, *_setup_files(board, layout), folder / "pins.csv", layout.boards / "sources.toml"]


def build_board(board: str, tree: Tree, mpy_cross: Path, layout: Layout) -> None:
    """Brings one board's image up to date and prints what it takes.

    Raises:
        BuildError: a step failed, or the image is too large.
    """
    timer = Timer()
    work, uf2 = layout.work_dir(board), layout.uf2(board)
    storage = sizes.filesystem_bytes((layout.boards / "stimbench_common.h").read_text(encoding="utf-8"))
    files = sources(board, layout)
    digest = frozen.source_hash(files, layout.root)
    module = frozen.build_module(board, frozen.read_version(layout.firmware), digest)
    setup = _setup_fingerprint(board, tree, layout)
    stamp = work / "stamp-image"
    wanted = fingerprint(files, setup, module)
    fresh = tree.identity is not None and uf2.is_file() and is_fresh(stamp, wanted)
    if not fresh:
        log = layout.build / "logs" / f"{board}.log"
        log.unlink(missing_ok=True)
        stamp.unlink(missing_ok=True)
        _configure(board, tree, setup, layout, log)
        write_if_changed(work / "generated" / "stimfw_build.py", module)
        env = {**tree.env, **_FIXED_ORDER, "MICROPY_MPYCROSS": str(mpy_cross)}
        run_logged(["ninja", "-C", work], log, env=env)
        _write_uf2(tree, work / "firmware.bin", uf2, log)
    used = sizes.measure(work / "firmware.elf", storage)
    # Last, so that an image that is too large is not taken for a good one next time.
    write_if_changed(stamp, wanted)
    done = "up to date" if fresh else f"built in {timer}"
    say(f"{board:<10} {uf2.relative_to(layout.root)} {digest}, {done}")
    say(f"{'':<10} {used}")


def _setup_fingerprint(board: str, tree: Tree, layout: Layout) -> str:
    """Digests all that asks for a build from nothing when it changes.

    Board headers are among it because the port's rules for qstrs do not follow them, manifests because a
    changed opt level does not make makemanifest.py compile a file again.
    """
    words = _cmake_words(board, tree, layout)
    return fingerprint(_setup_files(board, layout), tree.identity or "", compiler_version(), *words)


def _setup_files(board: str, layout: Layout) -> list[Path]:
    folder = layout.board_dir(board)
    own = [folder / name for name in ("mpconfigboard.h", "mpconfigboard.cmake", "manifest.py")]
    return [*own, *sorted(layout.boards.glob("stimbench_*")), layout.boards / "manifest_common.py"]


def _configure(board: str, tree: Tree, setup: str, layout: Layout, log: Path) -> None:
    work = layout.work_dir(board)
    stamp = work / "stamp-setup"
    if is_fresh(stamp, setup):
        return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    # mpy-cross is ours: with the variable set at all, the port does not build one in its own tree.
    env = {**tree.env, **_FIXED_ORDER, "MICROPY_MPYCROSS": "set-at-build-time"}
    run_logged(_cmake_words(board, tree, layout), log, env=env)
    stamp.write_text(setup, encoding="utf-8")


def _cmake_words(board: str, tree: Tree, layout: Layout) -> list[str]:
    # cmake itself and not the port's Makefile, which insists on files that Debian's packages leave out.
    words = ["cmake", "-G", "Ninja", "-S", f"{tree.path}/ports/rp2", "-B", str(layout.work_dir(board))]
    definitions = {
        "MICROPY_BOARD": f"STIMBENCH_{board.upper()}",
        "MICROPY_BOARD_DIR": layout.board_dir(board),
        "PICO_BUILD_DOCS": 0,
        "PICO_NO_PICOTOOL": 1,
        "Python3_EXECUTABLE": _base_python(),
    }
    return words + [f"-D{name}={value}" for name, value in definitions.items()]


def _base_python() -> str:
    """Returns the interpreter beneath a virtual environment: it stays when the environment is made again."""
    return str(Path(getattr(sys, "_base_executable", None) or sys.executable).resolve())


def _write_uf2(tree: Tree, image: Path, uf2: Path, log: Path) -> None:
    part = uf2.with_suffix(".uf2.part")
    tool = tree.path / "tools" / "uf2conv.py"
    options = ["-f", _UF2_FAMILY, "-b", _FLASH_START, "-c"]
    run_logged([sys.executable, tool, *options, "-o", part, image], log)
    part.replace(uf2)  # in one step: a bench that starts meanwhile finds the old image or the new one
