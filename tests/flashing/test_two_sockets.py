"""`stimbench flash --all` on two boards in two USB sockets: the wired path, emulated boards behind it."""

from __future__ import annotations

import json

import pytest
from stimbench.bench.bootsel_folder import BootselFolder
from stimbench.cli.boards import open_board
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.flashing.mounting import Mounter
from stimbench.flashing.usb import BootDisk, UsbPort
from stimbench.flashing.wired_target import UsbSockets
from support.flashing import built
from typer.testing import CliRunner

pytestmark = pytest.mark.emulated

SOCKETS = {"stimulator": "1-2.3", "remote": "1-2.4"}


class Machine:
    """Two boards of a bench as Linux shows wired ones. A port that comes back has another name."""

    def __init__(self, flash_bench, folder):
        self.bench, self.boards = flash_bench.bench, flash_bench.bench.boards
        self.folders = {name: BootselFolder(self.boards[name], folder / f"disk-{name}") for name in SOCKETS}
        self.unplugged = ""

    def ports(self):
        found = []
        for name, board in self.boards.items():
            if board.usb_connected:
                path = f"/dev/{name}-{len(board.resets)}"
                found.append(UsbPort(path, SOCKETS[name], board.flash.unique_id.hex(), name))
        return found

    def disks(self):
        self.poll()
        return [
            BootDisk(f"/dev/sd-{name}", SOCKETS[name], self.folders[name].path)
            for name, board in self.boards.items()
            if board.bootsel
        ]

    def poll(self):
        for folder in self.folders.values():
            folder.poll()
        if self.unplugged and self.boards[self.unplugged].bootsel:
            self.boards[self.unplugged].power_off()

    def wait(self, seconds):
        for _ in range(round(seconds * 100)):
            self.bench.run_for(10_000_000)
            self.poll()

    def device(self, path):
        return EmulatedDevice(self.bench, path.removeprefix("/dev/").split("-")[0])

    def sockets(self):
        return UsbSockets(self, Mounter(), self.device, lambda: self.bench.now_ns / 1e9, self.wait)


@pytest.fixture
def machine(make, tmp_path):
    return Machine(make(boards=("stimulator", "remote")), tmp_path)


def flash(machine, *words, code=0):
    services = Services(open_board=open_board, usb=machine.sockets)
    result = CliRunner().invoke(app, ["flash", *words, "--json"], obj=services)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_each_board_gets_its_own_image(machine):
    for name, board in machine.boards.items():
        board.flash.write(len(built(name).payload) - 256, b"\x00" * 8)  # what the command has to put right
    boards = flash(machine, "--all")["boards"]
    assert [(one["role"], one["done"]) for one in boards] == [("stimulator", True), ("remote", True)]
    for name, board in machine.boards.items():
        payload = built(name).payload
        assert board.flash.read(0, len(payload)) == payload


def test_a_cable_that_is_pulled_from_one_does_not_keep_the_other_from_its_image(machine):
    machine.unplugged = "stimulator"
    failed, done = flash(machine, "--all", code=1)["boards"]
    assert not failed["done"] and "1-2.3" in failed["target"] and "flash" in failed["error"].lower()
    assert done["done"] and done["role"] == "remote"
