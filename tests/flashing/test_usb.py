"""What is plugged in, from a copy of what Linux tells, and mounting."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from stimbench.flashing.errors import FlashError
from stimbench.flashing.mounting import Mounter, ways_to_mount
from stimbench.flashing.usb import BootDisk, UsbFinder
from support.flashing import usb_disk

DISK = BootDisk("/dev/sda1", "1-2.3", None)


def port(device="/dev/ttyACM0", **fields):
    known = {
        "vid": 0x2E8A,
        "location": "1-2.3:1.0",
        "serial_number": "e6605838",
        "product": "stimbench remote",
    }
    return SimpleNamespace(device=device, **(known | fields))


def finder(tmp_path, *ports, mounts=""):
    (tmp_path / "mounts").write_text(mounts)
    return UsbFinder(lambda: ports, tmp_path / "sys", tmp_path / "mounts")


def test_ports_of_rp2040s_with_their_sockets(tmp_path):
    strange = port("/dev/ttyACM2", location=None, product=None, serial_number=None)
    found = finder(
        tmp_path, strange, port(), port("/dev/ttyUSB0", vid=0x0403), port("/dev/ttyS0", vid=None)
    ).ports()
    assert [(one.device, one.usb_path, one.role) for one in found] == [
        ("/dev/ttyACM0", "1-2.3", "remote"),
        ("/dev/ttyACM2", None, None),
    ]
    assert found[0].serial_number == "e6605838" and found[1].serial_number == ""


def test_disks_of_boot_roms_by_socket_and_where_they_are_mounted(tmp_path):
    usb_disk(tmp_path / "sys", "1-2.3", "sda")
    usb_disk(tmp_path / "sys", "1-4", "sdb", partition=False)
    usb_disk(tmp_path / "sys", "1-5", "sdc", ids="0781 5567")
    usb_disk(tmp_path / "sys", "1-6", "sdd", ids="2e8a 000f")
    mounts = "proc /proc proc rw 0 0\n/dev/sda1 /media/a\\040b/RPI-RP2 vfat rw 0 0\n\n"
    assert finder(tmp_path, mounts=mounts).disks() == [
        BootDisk("/dev/sda1", "1-2.3", Path("/media/a b/RPI-RP2")),
        BootDisk("/dev/sdb", "1-4", None),
    ]


def test_a_machine_without_any_of_it(tmp_path):
    empty = UsbFinder(lambda: [], tmp_path / "none", tmp_path / "none")
    assert empty.ports() == [] and empty.disks() == []


class Commands:
    """Answers by the first word of a command."""

    def __init__(self, **answers):
        self.answers, self.ran = answers, []

    def __call__(self, words):
        self.ran.append(list(words))
        answer = self.answers[words[0]]
        if isinstance(answer, Exception):
            raise answer
        code, out, err = answer
        return subprocess.CompletedProcess(words, code, out, err)


def has(*programs):
    return lambda name: f"/usr/bin/{name}" if name in programs else None


def test_the_desktops_own_folder_is_taken():
    run = Commands()
    mounted = BootDisk("/dev/sda1", "1-2.3", Path("/media/me/RPI-RP2"))
    assert Mounter(run, has("udisksctl"), False).mount(mounted) == mounted.mounted and not run.ran


def test_udisks_mounts_for_a_user_of_a_desktop():
    run = Commands(udisksctl=(0, "Mounted /dev/sda1 at /media/me/RPI-RP2.\n", ""))
    assert Mounter(run, has("udisksctl"), False).mount(DISK) == Path("/media/me/RPI-RP2")
    assert run.ran == [["udisksctl", "mount", "--no-user-interaction", "-b", "/dev/sda1"]]


def test_root_mounts_in_a_folder_that_is_given_back():
    refused = (1, "", "Error looking up object\nNotAuthorized\n")
    run = Commands(udisksctl=refused, mount=(0, "", ""), umount=(0, "", ""))
    mounter = Mounter(run, has("udisksctl", "mount"), True)
    path = mounter.mount(DISK)
    assert path.is_dir() and run.ran[-1] == ["mount", "-t", "vfat", "/dev/sda1", str(path)]
    mounter.close()
    assert not path.exists() and run.ran[-1] == ["umount", str(path)]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((1, "", "x\nNot authorized to perform operation\n"), "(Not authorized to perform operation)"),
        (None, "mounted."),
    ],
)
def test_who_cannot_mount_is_told_the_command(answer, why):
    run = Commands(udisksctl=answer)
    with pytest.raises(FlashError) as error:
        Mounter(run, has("udisksctl") if answer else has(), False).mount(DISK)
    assert "sudo mount -o uid=$(id -u) /dev/sda1 /mnt, then --volume /mnt" in str(error.value)
    assert why in str(error.value)


def test_a_program_that_hangs_is_given_up():
    run = Commands(udisksctl=subprocess.TimeoutExpired("udisksctl", 20))
    with pytest.raises(FlashError, match="is there, and is not mounted"):
        Mounter(run, has("udisksctl"), False).mount(DISK)


def test_ways():
    assert ways_to_mount(has("mount"), False) == ()
    assert ways_to_mount(has("mount"), True) == ("mount",)
    assert ways_to_mount(has("mount", "udisksctl"), True) == ("udisksctl", "mount")
