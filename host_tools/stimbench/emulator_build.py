"""The command `python -m stimbench.emulator_build`: compiles the emulator for this very interpreter.

Two things are compiled: our CPU core (stimbench/emulator/native, through Cython), and rp2040py's own files.

The emulator's package brings its inner loop as C, and that C compiled for any CPython (the stable ABI).
There, each call from one compiled class to another looks the method up by name, in case somebody overrode
it. Compiled for one interpreter the same C runs twice as fast. An extension module for one interpreter is
found before one for any, so what is made here stands beside what came with the package, in site-packages.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from stimbench.process import run

__all__ = ("build", "build_core", "main", "sources")

_PACKAGE = "rp2040py"
_CORE = Path(__file__).parent / "emulator" / "native"
_CORE_MODULE = "stimbench.emulator.native.cortex_m0"
_SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
_FLAGS = ("-O3", "-std=c99", "-fPIC", "-shared", "-fno-semantic-interposition", "-Wl,-strip-all")
"""The package's own, but for the stable ABI's. None of them changes arithmetic: runs stay equal."""

_CORE_FLAGS = (
    "-O2", "-falign-labels=16", "-fno-gcse", "-fno-crossjumping", "-fno-tree-tail-merge",
    "--param", "max-goto-duplication-insns=100", "-DCYTHON_USE_TYPE_SPECS=1",
)  # fmt: skip
"""For our core. -O3 makes it 3 % slower, and so do labels that are not aligned. Each instruction keeps the
jump to the next one that it was written with: GCC would fold them into a few, which the processor predicts
badly (GCC's manual says so of computed gotos, at `-fgcse`). The macro makes our class count its objects.
rp2040py's classes, of the stable ABI, uncount it with each object that goes; at zero it would be freed."""


def sources() -> list[Path]:
    """The C files of the installed emulator.

    Raises:
        FileNotFoundError: it is not installed, or brings none.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    found = sorted(path for folder in folders or () for path in Path(folder, "native").glob("*.c"))
    if not found:
        raise FileNotFoundError(f"{_PACKAGE} is not installed, or came without its C files")
    return found


def build(source: Path) -> str:
    """Compile one of the emulator's files; a module from before stays whole until then.

    Returns:
        What the compiler said against it, or nothing.
    """
    return _compile([source], source.with_name(source.stem + _SUFFIX))


def build_core(into: Path = _CORE) -> str:
    """Translate and compile our CPU core.

    Args:
        into: the folder that gets the module; by default that of its sources.

    Returns:
        What Cython or the compiler said against it, or nothing.
    """
    site = str(sources()[0].parents[2])
    with tempfile.TemporaryDirectory() as folder:
        glue = Path(folder, "cortex_m0_glue.c")
        words = [sys.executable, "-m", "cython", "-3", "-I", site, "--module-name", _CORE_MODULE]
        words += [str(_CORE / "cortex_m0.pyx"), "-o", str(glue)]
        result = subprocess.run(words, capture_output=True, text=True, check=False)
        if result.returncode:
            return result.stderr or f"cython ended with {result.returncode}"
        files = [glue, _CORE / "cortex_m0.c"]
        return _compile(files, into / f"cortex_m0{_SUFFIX}", f"-I{_CORE}", *_CORE_FLAGS)


def _compile(files: list[Path], target: Path, *more: str) -> str:
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    include = f"-I{sysconfig.get_path('include')}"
    words = ["gcc", *_FLAGS, *more, include, *map(str, files), "-o", str(unfinished), "-lm"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode:
        unfinished.unlink(missing_ok=True)
        return result.stderr or f"gcc ended with {result.returncode}"
    unfinished.replace(target)
    return ""


def main(words: list[str] | None = None) -> int:
    """Compile all files, as many at once as there are processors.

    Args:
        words: `--core` for our core alone, `--installed` for rp2040py's files alone; by default those of
            the command line.

    Returns:
        0, or 1 when one could not be compiled: the compiler's words are on standard error.
    """
    words = sys.argv[1:] if words is None else words
    try:
        jobs = [build_core, *(partial(build, source) for source in sources())]
        if "--core" in words:
            del jobs[1:]
        elif "--installed" in words:
            del jobs[0]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            errors = [error for error in pool.map(lambda job: job(), jobs) if error]
    except OSError as error:
        errors = [str(error)]
    print("\n".join(errors), end="", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    run(lambda: main)
