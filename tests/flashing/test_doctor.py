"""What a machine lacks: each question on a machine that has it, and on one that has not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from stimbench.client.records import Identity
from stimbench.errors import NoAnswerError
from stimbench.flashing import doctor_boards, doctor_software
from stimbench.flashing.doctor import Finding, Machine, State, has_module, needed_is_missing
from stimbench.flashing.examination import examine
from stimbench.flashing.usb import BootDisk, UsbPort
from stimbench.project import find_project_root
from support.flashing import as_file, built

OK, MISSING, CANNOT_TELL = State.OK, State.MISSING, State.CANNOT_TELL
PORT = UsbPort("/dev/ttyACM0", "1-2", "e6605838", "stimulator")
DISK = BootDisk("/dev/sda1", "1-3", None)
RUNS = Identity("stimulator", "0.1.0", "e3c33af1b191")


def usb(ports=(), disks=()):
    return SimpleNamespace(ports=lambda: list(ports), disks=lambda: list(disks))


def has(*names):
    return lambda name: f"/usr/bin/{name}" if name in names else None


@pytest.fixture
def machine(tmp_path) -> Machine:
    """One that has everything, and nothing plugged in."""
    (tmp_path / "run" / "udev").mkdir(parents=True)
    (tmp_path / "run" / "udev" / "control").touch()
    (tmp_path / "requirements.lock").write_text("# pins\ntyper==1.0\nrich==2.0\nsome-stubs==3\n")
    return Machine(
        python=(3, 11),
        platform="linux",
        which=has("udisksctl", "sigrok-cli", "uhubctl"),
        requires=lambda: ["typer"],
        version_of={"typer": "1.0", "rich": "2.0"}.get,
        has_module=lambda name: True,
        groups=lambda: frozenset({"dialout"}),
        is_root=False,
        may_use=lambda path: True,
        root=tmp_path,
        project=tmp_path,
        usb=usb(),
    )


def told(finding: Finding, state: State, *texts: str, needed: bool = False) -> None:
    assert finding.state is state, finding
    assert finding.needed is needed or state is not MISSING, finding
    for text in texts:
        assert text in f"{finding.told} | {finding.mend}", finding
    assert finding.mend or state is not MISSING, "what is missing has a mend"


def test_python(machine):
    told(doctor_software.python_version(machine), OK, "3.11")
    told(
        doctor_software.python_version(replace(machine, python=(3, 10))), MISSING, "3.10", "3.11", needed=True
    )


def test_packages(machine):
    told(doctor_software.packages(machine), OK, "all 2 as in requirements.lock")
    absent = replace(machine, version_of={"rich": "2.0"}.get)
    told(doctor_software.packages(absent), MISSING, "not installed: typer", "make setup", needed=True)
    other = replace(machine, version_of={"typer": "1.0", "rich": "2.1"}.get)
    told(doctor_software.packages(other), MISSING, "rich 2.1, not 2.0", "make setup")
    tools = replace(machine, version_of={"typer": "1.0"}.get)
    told(doctor_software.packages(tools), MISSING, "rich absent, not 2.0")
    wheel = replace(machine, project=None)
    told(doctor_software.packages(wheel), OK, "the wheel")
    told(doctor_software.packages(replace(absent, project=None)), MISSING, "pip install", needed=True)
    (machine.project / "requirements.lock").unlink()
    told(doctor_software.packages(machine), CANNOT_TELL, "cannot be read")


def test_the_compiled_core(machine):
    told(doctor_software.compiled_core(machine), OK)
    without = replace(machine, has_module=lambda name: name != "stimbench.emulator.native.cortex_m0")
    told(doctor_software.compiled_core(without), MISSING, "make setup", needed=True)
    assert has_module("stimbench.emulator.native.cortex_m0") and not has_module("stimbench.nothing.at_all")


def test_images_that_are_missing_damaged_old_or_good(machine, tmp_path):
    findings = doctor_software.images(machine)
    assert [one.name for one in findings] == ["stimulator's image", "remote's image"]
    for finding in findings:
        told(finding, MISSING, "not built", "make firmware", needed=True)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "stimulator.uf2").write_bytes(b"half" * 128)
    as_file(built("stimulator"), tmp_path / "build" / "remote.uf2")
    damaged, wrong = doctor_software.images(machine)
    told(damaged, MISSING, "no UF2 file", needed=True)
    told(wrong, MISSING, "is the firmware of a stimulator", needed=True)

    root = find_project_root()
    for name in ("boards", "firmware"):
        (tmp_path / name).symlink_to(root / name)
    for name in ("stimulator", "remote"):
        as_file(built(name), tmp_path / "build" / f"{name}.uf2")
    good = doctor_software.images(replace(machine, project=root))
    assert [one.told.split(", ")[1] for one in good] == [
        built(n).identity.build for n in ("stimulator", "remote")
    ]


def test_an_image_older_than_its_sources(machine, monkeypatch):
    monkeypatch.setattr(doctor_software, "_source_hash", lambda project, board: "feedfeedfeed")
    old = doctor_software.images(replace(machine, project=find_project_root()))[0]
    told(old, MISSING, "older than its sources (feedfeedfeed)", "make firmware")


def test_programs(machine, monkeypatch):
    monkeypatch.setattr(doctor_software.toolchain, "find_missing", lambda which, root: {})
    told(doctor_software.toolchain_programs(machine), OK)
    lacks = {"cmake": "cmake", "ninja": "ninja-build"}
    monkeypatch.setattr(doctor_software.toolchain, "find_missing", lambda which, root: lacks)
    told(
        doctor_software.toolchain_programs(machine),
        MISSING,
        "cmake, ninja",
        "apt-get install",
        "cmake ninja-build",
    )
    bare = replace(machine, which=has(), has_module=lambda name: False)
    told(doctor_software.sigrok(machine), OK)
    told(doctor_software.sigrok(bare), MISSING, "logic analysers", "sigrok-cli")
    told(doctor_software.visa(machine), OK)
    told(doctor_software.visa(bare), MISSING, "pyvisa, pyvisa-py", "stimbench[instruments]")
    told(doctor_boards.power_switch(machine), OK)
    told(doctor_boards.power_switch(bare), MISSING, "uhubctl")
    told(doctor_boards.modem_manager(machine), OK)
    told(
        doctor_boards.modem_manager(replace(machine, which=has("ModemManager"))),
        CANNOT_TELL,
        "systemctl disable",
    )


def test_permissions(machine):
    told(doctor_boards.permissions(machine), OK, "dialout")
    outside = replace(machine, groups=lambda: frozenset({"users"}))
    told(doctor_boards.permissions(outside), MISSING, "not in the group dialout", "usermod -aG dialout")
    told(doctor_boards.permissions(replace(outside, is_root=True)), OK, "root")
    told(doctor_boards.permissions(replace(outside, platform="darwin")), CANNOT_TELL, "no board")
    plugged = replace(outside, usb=usb([PORT]))
    told(doctor_boards.permissions(plugged), OK, "/dev/ttyACM0 can be opened")
    shut = replace(plugged, may_use=lambda path: False)
    told(doctor_boards.permissions(shut), MISSING, "/dev/ttyACM0", "usermod", needed=True)


def test_disks_and_udev(machine):
    told(doctor_boards.mounting(machine), OK, "udisksctl")
    nobody = replace(machine, which=has())
    told(doctor_boards.mounting(nobody), MISSING, "udisks2", "--volume")
    told(doctor_boards.mounting(replace(nobody, usb=usb(disks=[DISK]))), MISSING, needed=True)
    desktop = usb(disks=[replace(DISK, mounted=Path("/media/x"))])
    told(doctor_boards.mounting(replace(nobody, usb=desktop)), OK, "the desktop")
    told(doctor_boards.mounting(replace(machine, platform="win32")), CANNOT_TELL, "--volume DIR")
    told(doctor_boards.udev(machine), OK)
    (machine.root / "run" / "udev" / "control").unlink()
    told(doctor_boards.udev(machine), CANNOT_TELL, "container")
    told(doctor_boards.udev(replace(machine, platform="darwin")), CANNOT_TELL, "darwin")


def test_boards(machine):
    def silent(path):
        raise NoAnswerError(f"No answer from {path} in 3 s.")

    (none,) = doctor_boards.boards(machine, silent)
    told(none, OK, "no RP2040 is plugged in")
    plugged = replace(machine, usb=usb([PORT], [DISK]))
    board, disk = doctor_boards.boards(plugged, lambda path: RUNS)
    told(board, OK, "stimulator 0.1.0, e3c33af1b191")
    told(disk, OK, "USB 1-3", "boot ROM", "not mounted")
    told(
        doctor_boards.boards(plugged, silent)[0],
        CANNOT_TELL,
        "No answer from /dev/ttyACM0",
        "stimbench flash",
    )
    shut = replace(plugged, may_use=lambda path: False)
    told(doctor_boards.boards(shut, silent)[0], CANNOT_TELL, "may not open")
    deployed = doctor_boards.boards(plugged, lambda path: replace(RUNS, build="e3c33af1b191+2.9f8e7d6c"))[0]
    told(deployed, CANNOT_TELL, "2 DEPLOYED", "does not say what runs", "deploy --remove --port /dev/ttyACM0")


def test_what_is_needed_decides(machine, monkeypatch):
    findings = examine(replace(machine, usb=usb([PORT])), lambda path: RUNS)
    names = [one.name for one in findings]
    assert names[:5] == ["Python", "packages", "emulator's core", "stimulator's image", "remote's image"]
    assert {
        "toolchain",
        "serial ports",
        "udev",
        "RPI-RP2 disks",
        "/dev/ttyACM0",
        "sigrok-cli",
        "VISA",
        "uhubctl",
    } <= set(names)
    assert needed_is_missing(findings), "the images"
    assert not needed_is_missing([one for one in findings if not one.name.endswith("image")])
