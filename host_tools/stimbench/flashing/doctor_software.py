"""Doctor: Python, packages, the compiled core, firmware images, and programs that some uses want."""

from __future__ import annotations

import re
from pathlib import Path

from stimbench.errors import StimbenchError
from stimbench.firmware_build import frozen, toolchain, uf2
from stimbench.firmware_build.build import BOARDS, Layout, sources
from stimbench.firmware_build.errors import BuildError
from stimbench.flashing.doctor import Finding, Machine, State
from stimbench.project import image_path

__all__ = ("compiled_core", "images", "packages", "python_version", "sigrok", "toolchain_programs", "visa")

_OLDEST = (3, 11)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)$", re.MULTILINE)
_CORE = "stimbench.emulator.native.cortex_m0"
_SHOWN = 4


def python_version(machine: Machine) -> Finding:
    """Whether this Python is new enough."""
    told = ".".join(map(str, machine.python))
    if machine.python >= _OLDEST:
        return Finding("Python", State.OK, told, needed=True)
    return Finding("Python", State.MISSING, f"{told}; 3.11 is the oldest", "install Python 3.11", needed=True)


def packages(machine: Machine) -> Finding:
    """Whether this project's packages are installed, in a checkout in the versions of requirements.lock."""
    name, mend = "packages", "make setup" if machine.project else "pip install --force-reinstall stimbench"
    absent = [one for one in machine.requires() if machine.version_of(one) is None]
    if absent:
        return Finding(name, State.MISSING, f"not installed: {_some(absent)}", mend, needed=True)
    if machine.project is None:
        return Finding(name, State.OK, "all that the wheel asks for", needed=True)
    try:
        lock = (machine.project / "requirements.lock").read_text(encoding="utf-8")
    except OSError:
        return Finding(name, State.CANNOT_TELL, "requirements.lock cannot be read")
    # Stubs lie where mypy alone sees them.
    pins = [(one, version) for one, version in _PIN.findall(lock) if not one.endswith("-stubs")]
    found = [(one, wanted, machine.version_of(one)) for one, wanted in pins]
    others = [f"{one} {has or 'absent'}, not {wanted}" for one, wanted, has in found if has != wanted]
    if others:
        return Finding(name, State.MISSING, f"not as in requirements.lock: {_some(others)}", mend)
    return Finding(name, State.OK, f"all {len(pins)} as in requirements.lock", needed=True)


def compiled_core(machine: Machine) -> Finding:
    """Whether the emulator's CPU core was compiled for this Python."""
    name = "emulator's core"
    if machine.has_module(_CORE):
        return Finding(name, State.OK, "compiled", needed=True)
    return Finding(name, State.MISSING, "not compiled for this Python", "make setup", needed=True)


def images(machine: Machine) -> list[Finding]:
    """Whether both boards' images are there, whole, and made from the sources that are here."""
    return [_image(machine, board) for board in BOARDS]


def _image(machine: Machine, board: str) -> Finding:
    name = f"{board}'s image"
    path = machine.project / "build" / f"{board}.uf2" if machine.project else image_path(board)
    if not path.is_file():
        return Finding(name, State.MISSING, "not built", "make firmware", needed=True)
    try:
        identity = uf2.read_for(path, board).identity
    except StimbenchError as error:
        return Finding(name, State.MISSING, str(error), "make firmware", needed=True)
    told = f"{identity.version}, {identity.build}" if identity else ""
    wanted = _source_hash(machine.project, board) if machine.project else None
    if identity is None or wanted in (None, identity.build):
        return Finding(name, State.OK, told, needed=True)
    return Finding(name, State.MISSING, f"{told}: older than its sources ({wanted})", "make firmware")


def _source_hash(project: Path, board: str) -> str | None:
    layout = Layout(project)
    try:
        return frozen.source_hash(sources(board, layout), layout.root)
    except (OSError, BuildError):
        return None


def toolchain_programs(machine: Machine) -> Finding:
    """Whether firmware can be built here."""
    missing = toolchain.find_missing(machine.which, machine.root)
    if not missing:
        return Finding("toolchain", State.OK, "firmware can be built here")
    packages_of = sorted(set(missing.values()))
    told = f"to build firmware: {_some(list(missing))}"
    return Finding("toolchain", State.MISSING, told, toolchain.install_command(packages_of))


def sigrok(machine: Machine) -> Finding:
    """Whether logic analysers can be used."""
    name = "sigrok-cli"
    if machine.which(name):
        return Finding(name, State.OK, "logic analysers can be used")
    return Finding(name, State.MISSING, "for logic analysers", toolchain.install_command([name]))


def visa(machine: Machine) -> Finding:
    """Whether oscilloscopes can be used."""
    wanted = {"pyvisa": "pyvisa", "pyvisa_py": "pyvisa-py"}
    absent = [package for module, package in wanted.items() if not machine.has_module(module)]
    if not absent:
        return Finding("VISA", State.OK, "oscilloscopes can be used, through pyvisa-py")
    told = f"for oscilloscopes: {', '.join(absent)}"
    return Finding("VISA", State.MISSING, told, "pip install 'stimbench[instruments]'")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
