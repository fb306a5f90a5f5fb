"""What holds for every device: the same tests on an emulated board and on the pty of a bench that is served.

On the pty time-outs are wall time. They are long, for a busy machine; nothing is measured by them.
"""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from stimbench.bench import Bench
from stimbench.bench.pty_server import served
from stimbench.client import Console, Stimulator
from stimbench.client.records import Identity
from stimbench.devices import serial_device, serial_ports
from stimbench.devices.device import Device, UsbIdentity
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.serial_device import SerialDevice
from stimbench.emulator.board import ResetCause
from stimbench.errors import BenchError, NoAnswerError, PortError
from stimfw.version import VERSION

pytestmark = pytest.mark.emulated

ANSWER_S = 20.0
PACE = 2.0
"""Emulated seconds a second at the most, so that the time-outs of mpremote mean something."""


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(boards=("stimulator",))


@pytest.fixture
def emulated(bench: Bench) -> Iterator[EmulatedDevice]:
    with EmulatedDevice(bench, "stimulator") as device:
        yield device


@pytest.fixture
def on_pty(bench: Bench) -> Iterator[SerialDevice]:
    with served(bench, PACE) as paths, SerialDevice(paths["stimulator"]) as device:
        yield device


@pytest.fixture(params=["emulated", "on_pty"])
def device(request: pytest.FixtureRequest) -> Device:
    found: Device = request.getfixturevalue(request.param)
    return found


def identify(device: Device, timeout_s: float = ANSWER_S) -> Identity:
    """What the application says that it is."""
    return Stimulator(Console(device.console, timeout_s=timeout_s)).identify()


def read_until(device: Device, ending: bytes) -> bytes:
    link, text = device.console, b""
    end_s = link.now_s() + ANSWER_S
    while not text.endswith(ending) and (data := link.read(end_s)):
        text += data
    return text


def test_its_console_answers(device: Device) -> None:
    assert identify(device).role == "stimulator"


def test_its_repl_is_entered_once_and_left(device: Device) -> None:
    identify(device)
    repl = device.enter_repl()
    assert repl.eval("6 * 7") == 42
    repl.exec("kept = 3")
    assert device.enter_repl() is repl and repl.eval("kept") == 3
    device.leave_repl()
    assert read_until(device, b">>> ").endswith(b">>> ")
    device.leave_repl()  # nothing is sent now
    device.console.write(b"kept * 5\r")
    assert read_until(device, b">>> ") == b"kept * 5\r\n15\r\n>>> "
    assert device.enter_repl().eval("kept") == 3


def test_a_second_entry_into_the_repl_sends_nothing(emulated: EmulatedDevice) -> None:
    identify(emulated)
    emulated.enter_repl()
    entered_s = emulated.console.now_s()
    emulated.enter_repl()
    assert emulated.console.now_s() == entered_s and not emulated.board.console.unsent


def test_a_reset_comes_back_on_the_same_console(device: Device) -> None:
    identify(device)
    device.enter_repl().exec("kept = 1")
    console = device.console
    device.reset()
    assert device.console is console and identify(device).role == "stimulator"
    assert device.enter_repl().eval("'kept' in globals()") is False


def test_a_restart_of_its_own_is_followed_by_reconnect(device: Device) -> None:
    identify(device)
    device.enter_repl().exec_raw_no_follow("import machine; machine.reset()")
    device.console.wait(0.5)
    device.reconnect()
    assert identify(device).role == "stimulator"
    assert device.enter_repl().eval("1 + 1") == 2


HANGING_FOLDER = """
import os, vfs
class Folder:
    def mount(self, readonly, mkfs): pass
    def chdir(self, path): pass
    def stat(self, path):
        while True: pass
vfs.mount(Folder(), "/remote")
os.chdir("/remote")
"""


def test_a_reset_searches_no_file(emulated: EmulatedDevice, bench: Bench) -> None:
    """mpremote's mounted folder answers nothing once mpremote is gone."""
    identify(emulated)
    repl = emulated.enter_repl()
    repl.enter_raw_repl(soft_reset=True)  # nothing is imported now
    repl.exec(HANGING_FOLDER)
    repl.exec_raw_no_follow(serial_device._RESET)
    assert bench.run_until(lambda: emulated.board.resets[-1][1] is ResetCause.SOFTWARE, 1_000_000_000)


def test_where_its_power_can_be_cut_it_is_dead_without_and_boots_with(device: Device) -> None:
    power = device.power
    if power is None:
        assert isinstance(device, SerialDevice)
        return
    identify(device)
    device.enter_repl().exec("kept = 1")
    power.off()
    assert not power.is_on
    with pytest.raises(NoAnswerError):
        identify(device, timeout_s=0.5)
    with pytest.raises(PortError, match="does not come back"):
        device.reconnect()
    power.on()
    assert power.is_on
    device.reconnect()
    assert identify(device).role == "stimulator"
    assert device.enter_repl().eval("'kept' in globals()") is False


def test_closed_it_says_so_and_a_second_close_does_nothing(device: Device) -> None:
    identify(device)
    device.close()
    device.close()
    device.leave_repl()
    for use in (lambda: device.console, device.enter_repl, device.reset, device.reconnect):
        with pytest.raises(PortError, match="is not open"):
            use()
    assert device.open() is device and device.open() is device
    assert identify(device).role == "stimulator"


def test_the_firmware_sees_whether_it_is_open(emulated: EmulatedDevice) -> None:
    assert emulated.board.console.dtr
    emulated.close()
    assert not emulated.board.console.dtr
    emulated.open()
    assert emulated.board.console.dtr


def test_a_device_that_does_not_exist_is_one_clear_error(bench: Bench, tmp_path: Path) -> None:
    with (
        pytest.raises(PortError, match=r"^There is no port /\S+/nothing\.$"),
        SerialDevice(f"{tmp_path}/nothing"),
    ):
        pass
    with pytest.raises(BenchError, match="no board 'pump' on this bench"):
        EmulatedDevice(bench, "pump")


def test_a_board_without_a_prompt_is_one_clear_error(
    emulated: EmulatedDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    identify(emulated)
    emulated.board.hang()
    with pytest.raises(NoAnswerError, match=r"the emulated stimulator gives no MicroPython prompt: "):
        emulated.enter_repl()
    assert capsys.readouterr().out == "", "what mpremote prints would spoil --json"


def test_a_port_that_does_not_come_back_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_device, "_GONE_S", 0.0)
    monkeypatch.setattr(serial_device, "_BACK_S", 0.0)
    ours, theirs = pty.openpty()
    with SerialDevice(os.ttyname(theirs)) as device:
        os.close(theirs)
        os.close(ours)
        with pytest.raises(PortError, match="does not come back"):
            device.reconnect()


def test_an_emulated_board_is_called_as_its_image_calls_itself(emulated: EmulatedDevice, root: Path) -> None:
    identify(emulated)
    told = json.loads((root / "boards/STIMBENCH_STIMULATOR/board.json").read_text())["product"]
    number = emulated.enter_repl().eval("__import__('machine').unique_id().hex()")
    assert emulated.identity == UsbIdentity(told, number)


def test_a_serial_port_is_called_as_usb_calls_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link = tmp_path / "board"
    link.symlink_to("/dev/ttyACM7")
    ports = [
        SimpleNamespace(device="/dev/ttyS0", vid=None, product=None, serial_number=None),
        SimpleNamespace(device="/dev/ttyACM7", vid=0x2E8A, product="stimbench remote", serial_number="e6"),
    ]
    monkeypatch.setattr(serial_ports.serial.tools.list_ports, "comports", lambda: ports)
    assert SerialDevice("/dev/ttyACM7").identity == UsbIdentity("stimbench remote", "e6")
    assert SerialDevice(str(link)).identity == UsbIdentity("stimbench remote", "e6")
    assert SerialDevice("/dev/ttyS0").identity is None
    assert SerialDevice("/dev/pts/1").identity is None


def test_what_one_holds_says_what_it_is(bench: Bench, emulated: EmulatedDevice) -> None:
    assert repr(emulated) == "<EmulatedDevice of the emulated stimulator, open>"
    assert repr(emulated.power) == "<EmulatedPower of the emulated stimulator, on>"
    assert repr(emulated.console) == "<EmulatedLink to the emulated stimulator>"
    stimulator = Stimulator(Console(emulated.console))
    assert repr(stimulator) == "<Stimulator on the emulated stimulator, not asked yet>"
    stimulator.identify()
    assert repr(stimulator) == f"<Stimulator on the emulated stimulator, firmware {VERSION}>"
    assert repr(Console(emulated.console)) == "<Console to the emulated stimulator>"
    repl = emulated.enter_repl()
    assert repr(repl) == "<BoardTransport on stimulator, in the raw REPL>"
    assert repr(repl.serial) == "<EmulatedSerial on the emulated stimulator, open>"
    emulated.close()
    assert repr(emulated) == "<EmulatedDevice of the emulated stimulator, closed>"


def test_what_one_holds_of_a_port_says_what_it_is() -> None:
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    try:
        with SerialDevice(name) as device:
            assert repr(device) == f"<SerialDevice of {name}, open>"
            assert repr(device.console) == f"<SerialLink to {name}>"
        assert repr(device) == f"<SerialDevice of {name}, closed>"
    finally:
        os.close(theirs)
        os.close(ours)
