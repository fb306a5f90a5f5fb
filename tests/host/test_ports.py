"""Choosing and opening ports: every failure is a sentence."""

from __future__ import annotations

import fcntl
import os
import pty
from types import SimpleNamespace

import pytest
from stimbench.devices.link import SerialLink
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import (
    RASPBERRY_PI_VID,
    REMOTE_PRODUCT,
    STIMULATOR_PRODUCT,
    choose_port,
    choose_remote_port,
)
from stimbench.errors import InputError, PortError


def port(device, vid=RASPBERRY_PI_VID, product="Board in FS mode"):
    return SimpleNamespace(device=device, vid=vid, product=product)


def test_the_only_board_is_taken_and_other_serial_ports_are_not():
    assert choose_port([port("/dev/ttyS0", vid=None), port("/dev/ttyACM0")]) == "/dev/ttyACM0"


def test_a_stimulator_goes_before_the_remote():
    ports = [port("a", product="stimbench remote"), port("b", product=STIMULATOR_PRODUCT)]
    assert choose_port(ports) == "b"


def test_an_unnamed_board_goes_before_the_other_kind():
    assert choose_port([port("a", product=REMOTE_PRODUCT), port("b")]) == "b"
    assert choose_remote_port([port("a"), port("b", product=STIMULATOR_PRODUCT)]) == "a"


def test_the_remote_is_found_beside_the_stimulator():
    ports = [port("a", product=REMOTE_PRODUCT), port("b", product=STIMULATOR_PRODUCT), port("c", vid=None)]
    assert choose_remote_port(ports) == "a"


def test_a_stimulator_is_no_remote_and_two_remotes_are_too_many():
    with pytest.raises(PortError, match="No remote is plugged in"):
        choose_remote_port([port("b", product=STIMULATOR_PRODUCT)])
    with pytest.raises(InputError, match=r"2 RP2040 boards are plugged in \(a, b\)"):
        choose_remote_port([port("a", product=REMOTE_PRODUCT), port("b", product=REMOTE_PRODUCT)])


def test_no_board_and_two_boards_are_sentences():
    with pytest.raises(PortError, match="No RP2040 board"):
        choose_port([port("/dev/ttyUSB0", vid=0x0403)])
    with pytest.raises(InputError, match=r"2 RP2040 boards are plugged in \(a, b\)"):
        choose_port([port("a"), port("b")])


def test_a_port_that_is_not_there(tmp_path):
    with pytest.raises(PortError, match="There is no port"):
        SerialDevice(str(tmp_path / "nothing")).open()


def test_a_file_is_no_port(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(PortError, match="is not a serial port"):
        SerialDevice(str(file)).open()


@pytest.fixture
def terminal():
    ours, theirs = pty.openpty()
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_pty_is_opened_for_one_only(terminal):
    _, name = terminal
    with SerialDevice(name), pytest.raises(PortError, match="already in use by this command: each board has"):
        SerialDevice(name).open()
    held = os.open(name, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(PortError, match="in use by another program"):
        SerialDevice(name).open()
    os.close(held)
    SerialDevice(name).open().close()


def test_bytes_go_both_ways_over_a_pty(terminal):
    ours, name = terminal
    with SerialDevice(name) as device:
        link = device.console
        link.write(b"~ping\n")
        assert os.read(ours, 100) == b"~ping\n"
        os.write(ours, b"~pong\x03\n")
        assert link.read(link.now_s() + 5) == b"~pong\x03\n"
        assert link.read(link.now_s()) == b""


def test_a_read_waits_until_its_deadline_and_no_longer():
    class Device:
        timeout = None
        in_waiting = 0

        def read(self, _size=1):
            waited.append(self.timeout)
            return b""

    waited = []
    link = SerialLink("x", Device(), now_s=lambda: 10.0)
    assert link.read(12.5) == b"" and link.read(9.0) == b""
    assert waited == [2.5, 0.0]


def test_a_port_that_goes_away_is_a_sentence():
    ours, theirs = pty.openpty()
    with SerialDevice(os.ttyname(theirs)) as device:
        os.close(theirs)
        os.close(ours)
        with pytest.raises(PortError, match="went away"):
            device.console.read(device.console.now_s() + 1)
        with pytest.raises(PortError, match="went away"):
            device.enter_repl()
