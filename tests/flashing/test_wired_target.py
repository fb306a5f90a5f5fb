"""A USB socket: which port and which disk belong to it, and the choice of a board."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from stimbench.errors import InputError, PortError
from stimbench.flashing.errors import FlashError
from stimbench.flashing.usb import BootDisk, UsbPort
from stimbench.flashing.wired_target import UsbSockets, choose

STIMULATOR = UsbPort("/dev/ttyACM0", "1-2.3", "e6605838", "stimulator")
REMOTE = UsbPort("/dev/ttyACM1", "1-2.4", "e6609999", "remote")
OTHER = UsbPort("/dev/ttyACM2", "1-3", "", None)


class Machine:
    """What is plugged in, a clock, and a mounter that knows one answer."""

    def __init__(self, *ports, disks=()):
        self.now, self.waited, self.seen, self.disk_list = list(ports), 0.0, [], list(disks)
        self.closed = False

    def ports(self):
        return self.now

    def disks(self):
        return self.disk_list

    def mount(self, disk):
        self.seen.append(disk)
        return disk.mounted or Path("/mnt/mounted-here")

    def close(self):
        self.closed = True

    def wait(self, seconds):
        self.waited += seconds

    def sockets(self):
        opened = lambda path: SimpleNamespace(name=path)  # noqa: E731
        return UsbSockets(self, self, opened, lambda: self.waited, self.wait)


def test_a_board_that_restarts_as_a_disk_and_comes_back_under_another_name():
    machine = Machine(REMOTE, STIMULATOR)
    target = machine.sockets().of_port("/dev/ttyACM0")
    assert target.name == "/dev/ttyACM0 (USB 1-2.3)" and target.role == "stimulator"
    assert target.device().name == "/dev/ttyACM0" and target.volume() is None

    mine, others = (
        BootDisk("/dev/sdb1", "1-2.3", Path("/media/b")),
        BootDisk("/dev/sda1", "1-2.4", Path("/media/a")),
    )
    machine.now, machine.disk_list = [], [others, mine]  # both boards at once
    assert target.device() is None and target.volume().name == "/media/b"

    machine.now, machine.disk_list = [UsbPort("/dev/ttyACM7", "1-2.3", "e6605838", "remote")], [others]
    assert target.device().name == "/dev/ttyACM7" and target.volume() is None


def test_another_board_in_the_same_socket_is_noticed():
    machine = Machine(STIMULATOR)
    target = machine.sockets().of_port("/dev/ttyACM0")
    machine.now = [UsbPort("/dev/ttyACM0", "1-2.3", "e6600000", "stimulator")]
    with pytest.raises(FlashError, match=r"Another board is in the socket.*e6600000, and not e6605838"):
        target.device()
    machine.now = [UsbPort("/dev/ttyACM0", "1-2.3", "", "stimulator")]
    assert target.device() is not None


def test_the_desktop_is_given_time_to_mount_and_then_it_is_done_here():
    machine = Machine(disks=[BootDisk("/dev/sda1", "1-2.3", None)])
    (target,) = machine.sockets().find()
    assert target.name == "the board on USB 1-2.3" and target.role is None
    assert target.volume().name == "/mnt/mounted-here" and machine.waited >= 3.0

    late = Machine(disks=[BootDisk("/dev/sda1", "1-2.3", None)])
    (target,) = late.sockets().find()
    late.wait = lambda seconds: late.disk_list.__setitem__(
        0, BootDisk("/dev/sda1", "1-2.3", Path("/media/x"))
    )
    target.wait = late.wait
    assert target.volume().name == "/media/x" and late.seen[-1].mounted == Path("/media/x")


def test_a_board_without_a_socket_is_known_by_its_number():
    machine = Machine(UsbPort("COM5", None, "e6605838", "stimulator"))
    target = machine.sockets().of_port("COM5")
    machine.now = [UsbPort("COM6", None, "e6609999", None), UsbPort("COM9", None, "e6605838", None)]
    assert target.device().name == "COM9" and target.name == "COM5"


def test_a_disk_that_is_named_by_its_folder(tmp_path):
    (tmp_path / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2")
    machine = Machine(STIMULATOR)
    target = machine.sockets().of_volume(tmp_path)
    assert target.volume().name == str(tmp_path) and target.device() is None
    (tmp_path / "INFO_UF2.TXT").unlink()
    machine.now = [STIMULATOR, REMOTE]
    assert target.volume() is None and target.device().name == "/dev/ttyACM1", "the one that is new"
    with pytest.raises(InputError, match=r"it has no INFO_UF2\.TXT"):
        machine.sockets().of_volume(tmp_path)


def test_a_folder_whose_socket_is_known_is_matched_by_it(tmp_path):
    (tmp_path / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2")
    machine = Machine(disks=[BootDisk("/dev/sda1", "1-9", tmp_path)])
    assert machine.sockets().of_volume(tmp_path).name == "the board on USB 1-9"


def test_every_board_is_found_once():
    machine = Machine(
        STIMULATOR, OTHER, disks=[BootDisk("/dev/sda1", "1-3", None), BootDisk("/dev/sdb", "2-1", None)]
    )
    names = [target.name for target in machine.sockets().find()]
    assert names == ["/dev/ttyACM0 (USB 1-2.3)", "/dev/ttyACM2 (USB 1-3)", "the board on USB 2-1"]


def test_the_choice_of_a_board():
    both = Machine(STIMULATOR, REMOTE).sockets().find()
    assert choose(both, "remote").role == "remote" and choose(both, "stimulator").role == "stimulator"
    with pytest.raises(InputError, match=r"2 boards are plugged in \(.*ttyACM0.*ttyACM1.*--port, or --all"):
        choose(both, None)
    assert choose(Machine(REMOTE).sockets().find(), None).role == "remote"
    mixed = Machine(REMOTE, OTHER).sockets().find()
    assert choose(mixed, "stimulator").name.startswith("/dev/ttyACM2"), (
        "not the one that calls itself a remote"
    )
    assert choose(Machine(REMOTE).sockets().find(), "stimulator").role == "remote", "the flasher refuses it"
    with pytest.raises(PortError, match=r"No RP2040 is plugged in.*hold BOOTSEL.*stimbench doctor"):
        choose([], None)
    with pytest.raises(PortError, match="No RP2040 is on /dev/ttyACM5"):
        Machine(STIMULATOR).sockets().of_port("/dev/ttyACM5")
