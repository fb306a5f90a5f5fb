"""The firmware's modules as MicroPython's bytecode files, and the order in which a board has to load them."""

from __future__ import annotations

import ast
import hashlib
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stimbench.errors import InputError
from stimbench.firmware_build import frozen
from stimbench.firmware_build.build import Layout
from stimbench.flashing.deployed import Deployed
from stimbench.flashing.errors import FlashError

__all__ = ("Compiler", "Mpy", "Sources", "require_loadable")

_ARCH, _ARCH_BITS = "armv6m", 4
_HEADER_BYTES = 4


@dataclass(frozen=True)
class Mpy:
    """A compiled module."""

    name: str
    data: bytes

    @property
    def deployed(self) -> Deployed:
        """How it is known on the board."""
        return Deployed(self.name, hashlib.sha256(self.data).hexdigest()[:12])


class Compiler:
    """mpy-cross of the MicroPython that the firmware is built with: `make firmware` makes it."""

    def __init__(self, program: Path) -> None:
        """Use the program at `program`.

        Raises:
            InputError: it is not there.
        """
        if not program.is_file():
            raise InputError(f"The compiler {program} is missing: `make firmware` builds it.")
        self._program = program

    def compile(self, name: str, path: Path) -> Mpy:
        """Compile a module just as the build freezes it: without asserts, for the RP2040's instructions.

        Raises:
            InputError: its source has an error; the text has the compiler's line.
        """
        source = "/".join(name.split(".")) + ".py"
        words = [str(self._program), "-s", source, "-O1", f"-march={_ARCH}", "-o", "-", str(path)]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise InputError(f"{source} cannot be compiled: {' '.join(line.strip() for line in lines[-2:])}")
        return Mpy(name, done.stdout)


def require_loadable(module: Mpy, board_mpy: int) -> None:
    """Check a compiled module against the board's `sys.implementation._mpy`.

    Raises:
        FlashError: the board would refuse it.
    """
    version, sub_version, arch = board_mpy & 0xFF, board_mpy >> 8 & 3, board_mpy >> 10 & 0xF
    head = module.data[:_HEADER_BYTES]
    told = f"{head[1]}.{head[2] & 3}"
    native = head[2] >> 2 & 0xF
    if head[1] != version or (native and (head[2] & 3 != sub_version or native != arch)):
        raise FlashError(
            f"The board's MicroPython loads .mpy files of version {version}.{sub_version}, and mpy-cross "
            f"makes {told}: build the firmware again and flash it first."
        )


class Sources:
    """The firmware's modules for one board, in a checkout."""

    def __init__(self, layout: Layout, board: str) -> None:
        """Look at the sources that `board` freezes."""
        self._layout, self._board = layout, board
        self._known_imports: dict[str, Sequence[str]] = {}
        files = frozen.frozen_files(layout.board_dir(board) / "manifest.py", layout.firmware)
        self.paths: dict[str, Path] = {
            ".".join(path.relative_to(layout.firmware).with_suffix("").parts): path
            for path in files
            if path.is_relative_to(layout.firmware / "stimfw") and path.name != "__init__.py"
        }
        """File by module name. Packages, main and the modules that MicroPython itself needs are left out."""

    @property
    def built_hash(self) -> str:
        """The content hash of the image that was built last; "" if none was."""
        path = self._layout.work_dir(self._board) / "generated" / "stimfw_build.py"
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            return ""
        tree = ast.parse(text)
        return next((str(one.value.value) for one in tree.body if _assigns(one, "SOURCE_HASH")), "")  # type: ignore[attr-defined]

    def named(self, names: Iterable[str]) -> list[str]:
        """The modules that a person means: `stimfw.therapy.ranges`, `therapy/ranges`, or the file's path.

        Raises:
            InputError: there is none of that name on this board.
        """
        return [self._named(name) for name in names]

    def _named(self, name: str) -> str:
        dotted = ".".join(Path(name).with_suffix("").parts if name.endswith(".py") else Path(name).parts)
        found = [
            one for one in self.paths if f".{one}".endswith(f".{dotted}") or f".{dotted}".endswith(f".{one}")
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{name} may be {' or '.join(sorted(found))}: say which.")
        raise InputError(
            f"The {self._board} has no module {name!r} that can be deployed. Modules are named "
            "stimfw.therapy.ranges or therapy/ranges; packages, main and _boot need a new image."
        )

    def changed(self, compiler: Compiler) -> list[str]:
        """The modules that differ from those of the image that was built last.

        Raises:
            InputError: one cannot be compiled.
        """
        folder = self._layout.work_dir(self._board) / "frozen_mpy"
        return [
            name
            for name in self.paths
            if compiler.compile(name, self.paths[name]).data != _frozen(folder, name)
        ]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """`names`, each after all that it imports, through modules that are not among them, too."""
        done: dict[str, None] = {}

        def visit(name: str) -> None:
            if name not in done:
                for one in self._imports(name):
                    visit(one)
                done[name] = None

        wanted = set(names)
        for name in sorted(wanted):
            visit(name)
        return [name for name in done if name in wanted]

    def _imports(self, name: str) -> Sequence[str]:
        if name not in self._known_imports:
            self._known_imports[name] = _imported_by(self.paths[name], self.paths)
        return self._known_imports[name]


def _frozen(folder: Path, name: str) -> bytes:
    path = folder.joinpath(*name.split(".")).with_suffix(".mpy")
    return path.read_bytes() if path.is_file() else b""


def _imported_by(path: Path, known: Mapping[str, Path]) -> list[str]:
    """Modules among `known` that a file imports when it is loaded (not those of its functions)."""
    found: dict[str, None] = {}
    for node in _at_import(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        else:
            names = [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)]
        found.update((name, None) for name in names if name in known)
    return list(found)


def _at_import(tree: ast.Module) -> Iterable[ast.Import | ast.ImportFrom]:
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse  # the board takes the other way
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(one, ast.Name) and one.id == name for one in node.targets
    )
