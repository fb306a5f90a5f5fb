"""What the machine must have before anything can be built, and which Debian package brings it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

from stimbench.firmware_build.errors import BuildError

# Program, and the Debian package that brings it.
_PROGRAMS = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-g++": "gcc-arm-none-eabi",
    "cmake": "cmake",
    "ninja": "ninja-build",
    "gcc": "build-essential",
    "g++": "build-essential",
    "make": "build-essential",
    "dpkg-source": "dpkg-dev",
}
# What fetches the page's JavaScript, and the packages.
_PAGE_PROGRAMS = {"node": "nodejs", "npm": "npm"}
# Programs that tests run besides, and their packages.
_TEST_PROGRAMS = {"sigrok-cli": "sigrok-cli", "chromium-headless-shell": "chromium-headless-shell"}
# Library of the cross compiler, and its package.
_LIBRARIES = {
    "libc.a": "libnewlib-arm-none-eabi",
    "libstdc++.a": "libstdc++-arm-none-eabi-newlib",
}
# File, and its package. The key of the release that the sources come from: older keyrings do not have it.
_FILES = {
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    "/usr/share/keyrings/debian-archive-trixie-stable.gpg": "debian-archive-keyring",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
}

Which = Callable[[str], str | None]


def find_missing(which: Which = shutil.which, root: Path = Path("/")) -> dict[str, str]:
    """Finds what building needs and the machine lacks.

    Args:
        which: finds a program's path, as shutil.which does.
        root: the file system's root.

    Returns:
        The missing program, library or file, and the Debian package that brings it.
    """
    missing = {name: package for name, package in _PROGRAMS.items() if which(name) is None}
    for library, package in _LIBRARIES.items():
        if not _has_library(which("arm-none-eabi-gcc"), library):
            missing[library] = package
    for file, package in _FILES.items():
        if not (root / file.lstrip("/")).is_file():
            missing[file] = package
    return missing


def missing_for_tests(which: Which = shutil.which) -> dict[str, str]:
    """Finds what tests need and the machine lacks; `which` as in find_missing, and the same answer."""
    return {name: package for name, package in _TEST_PROGRAMS.items() if which(name) is None}


def missing_for_page(which: Which = shutil.which) -> dict[str, str]:
    """Finds what fetches the page's JavaScript and the machine lacks; as missing_for_tests."""
    return {name: package for name, package in _PAGE_PROGRAMS.items() if which(name) is None}


def missing_for_python(include: Path | None = None) -> dict[str, str]:
    """Finds what this interpreter lacks for a virtual environment and for C modules: Debian splits both off.

    Args:
        include: where its headers are, if not where it says.

    Returns:
        The missing module or header, and the Debian package that brings it for Debian's own interpreters.
    """
    missing = {}
    if not (importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv")):
        missing["ensurepip"] = "python3-venv"
    if not Path(include or sysconfig.get_path("include"), "Python.h").is_file():
        missing["Python.h"] = f"libpython{sysconfig.get_python_version()}-dev"
    return missing


def install_command(packages: list[str]) -> str:
    """Returns the shell command that installs packages."""
    return f"apt-get update && apt-get install --no-install-recommends {' '.join(packages)}"


def require_toolchain(which: Which = shutil.which, root: Path = Path("/")) -> None:
    """Checks that everything for a build is there.

    Raises:
        BuildError: (exit code 2) something is missing; the message names it and the command that installs it.
    """
    missing = find_missing(which, root)
    if missing:
        command = install_command(sorted(set(missing.values())))
        raise BuildError(f"missing: {', '.join(missing)}\ninstall with: {command}", exit_code=2)


def compiler_version() -> str:
    """Returns one line that names the cross compiler, for deciding whether objects are up to date."""
    result = subprocess.run(["arm-none-eabi-gcc", "--version"], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()[0]


def _has_library(compiler: str | None, library: str) -> bool:
    if compiler is None:
        return False
    # The compiler answers with a path if it has the file for this CPU, else with the bare name.
    words = [compiler, "-mcpu=cortex-m0plus", "-mthumb", f"-print-file-name={library}"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    return Path(result.stdout.strip()).is_absolute()
