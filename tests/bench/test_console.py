"""The USB console: bytes both ways, a host that does not read, a port that closes."""

import pytest
from stimbench.bench import Bench
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.emulated_serial import EmulatedSerial
from stimbench.devices.repl import BoardTransport, TransportExecError
from stimbench.emulator.board import EmulatedBoard

pytestmark = pytest.mark.emulated

Repl = tuple[Bench, EmulatedBoard, BoardTransport]


def test_exec_eval_and_files(repl: Repl) -> None:
    _, _, transport = repl
    assert transport.eval("6 * 7") == 42
    assert transport.exec("print('x' * 3000)") == b"x" * 3000 + b"\r\n"
    transport.write_file("notes.txt", bytes(range(256)) * 4)
    assert transport.read_file("notes.txt") == bytes(range(256)) * 4
    assert [entry.name for entry in transport.fs_listdir("/")] == ["notes.txt"]
    with pytest.raises(TransportExecError, match="ZeroDivisionError"):
        transport.exec("1 / 0")


def test_large_source_arrives_whole(repl: Repl) -> None:
    _, _, transport = repl
    source = "\n".join(f"v{i} = {i}" for i in range(300))
    transport.exec(source + "\nprint(v299)")
    assert transport.eval("v299") == 299


def test_waiting_takes_emulated_time_only(repl: Repl) -> None:
    bench, board, _ = repl
    serial = EmulatedSerial(bench, board, timeout=30.0)
    start_ns = bench.now_ns
    serial.read(1000)
    assert bench.now_ns - start_ns >= 30_000_000_000


def test_host_that_does_not_read_makes_the_firmware_wait(repl: Repl) -> None:
    """Its FIFO fills; each print then waits for at most the firmware's own 500 ms."""
    bench, board, transport = repl
    transport.exec("import time; took = 0")
    transport.exec_raw_no_follow(
        "t = time.ticks_ms()\nprint('y' * 2000)\ntook = time.ticks_diff(time.ticks_ms(), t)"
    )
    board.console.host_reads = False
    bench.run_for(2_000_000_000)
    assert board.console.pending <= 128
    board.console.host_reads = True
    bench.run_for(500_000_000)
    board.console.read()
    again = EmulatedDevice(bench, board.name).open().enter_repl()
    assert again.eval("took") >= 500


def test_sleeping_board_is_not_woken_by_an_idle_host(repl: Repl) -> None:
    bench, board, transport = repl
    transport.exec_raw_no_follow("import time; time.sleep(5)")
    bench.run_for(500_000_000)
    before_ns = board.cpu_awake_ns
    bench.run_for(1_000_000_000)
    assert board.cpu_awake_ns - before_ns < 1_000_000


def test_closing_the_port_is_seen_by_the_firmware(repl: Repl) -> None:
    bench, board, transport = repl
    transport.exec("pass")
    board.console.set_dtr(False)
    bench.run_for(10_000_000)
    board.console.read()
    board.console.write(b"print(1)\x04")
    bench.run_for(100_000_000)
    assert not board.console.pending
    board.console.set_dtr(True)
    bench.run_for(10_000_000)
    board.console.write(b"print(1)\x04")
    bench.run_for(100_000_000)
    assert board.console.pending


def test_reset_comes_back_on_the_bus(repl: Repl) -> None:
    bench, board, transport = repl
    transport.exec("kept = 1")
    board.reset()
    assert not board.usb_connected
    assert bench.run_until(lambda: board.usb_connected, 2_000_000_000)
    bench.run_for(500_000_000)
    again = EmulatedDevice(bench, board.name).open().enter_repl()
    assert again.eval("'kept' in globals()") is False


@pytest.mark.parametrize("apart_ns", [0, 4_000, 9_000, 12_000, 20_000, 40_000])
def test_a_host_ends_one_control_transfer_before_the_next(repl: Repl, apart_ns: int) -> None:
    """A second SETUP in the first one's status stage makes TinyUSB panic; what was set last is told last."""
    bench, board, transport = repl
    transport.exec("pass")
    for on in (False, True) * 10:
        board.console.set_dtr(on)
        bench.run_for(apart_ns)
    bench.run_for(10_000_000)
    assert transport.eval("6 * 7") == 42
    for on in (False, True, False):
        board.console.set_dtr(on)
        bench.run_for(apart_ns)
    bench.run_for(10_000_000)
    board.console.read()
    board.console.write(b"print(1)\x04")
    bench.run_for(100_000_000)
    assert not board.console.pending, "closed, as set last"
