"""The command `python -m stimbench.emulator_build`: compiles the emulator for this very interpreter.

The emulator's package brings its inner loop as C, and that C compiled for any CPython (the stable ABI), in
which each call from one compiled class to another looks the method up by name, lest somebody had overridden
it. Compiled for one interpreter the same C runs twice as fast. An extension module for one interpreter is
found before one for any, so what is made here stands beside what came with the package, in site-packages.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ("build", "main", "sources")

_PACKAGE = "rp2040py"
_SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
_FLAGS = ("-O3", "-std=c99", "-fPIC", "-shared", "-fno-semantic-interposition", "-Wl,-strip-all")
"""The package's own, but for the stable ABI's. None of them changes arithmetic: runs stay equal."""


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
    """Compile one file; a module from before stays whole until then.

    Returns:
        What the compiler said against it, or nothing.
    """
    target = source.with_name(source.stem + _SUFFIX)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    words = ["gcc", *_FLAGS, f"-I{sysconfig.get_path('include')}", str(source), "-o", str(unfinished)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode:
        unfinished.unlink(missing_ok=True)
        return result.stderr or f"gcc ended with {result.returncode}"
    unfinished.replace(target)
    return ""


def main() -> int:
    """Compile all files, as many at once as there are processors.

    Returns:
        0, or 1 when one could not be compiled: the compiler's words are on standard error.
    """
    try:
        files = sources()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            errors = [error for error in pool.map(build, files) if error]
    except OSError as error:
        errors = [str(error)]
    print("\n".join(errors), end="", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
