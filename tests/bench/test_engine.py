"""The bench as a whole: time, actions, faults, and the same run for the same seed."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.emulator.board import ResetCause
from stimbench.errors import BenchError

pytestmark = pytest.mark.emulated

BOOT_NS = 1_500_000_000
SETTLE_TO_AIR_NS = 130_000


def fingerprint(bench: Bench) -> str:
    """A digest of every edge of every signal, and of all that was on the air."""
    digest = hashlib.sha256()
    for board, signal in bench.trace.signals:
        digest.update(repr((board, signal, bench.trace.edges(board, signal))).encode())
    assert bench.air is not None
    digest.update(repr([tuple(sniffed) for sniffed in bench.air.tap]).encode())
    return digest.hexdigest()


def run_script(bench: Bench) -> str:
    """Buttons, console and a magnet: a bit of everything that touches both boards."""
    bench.run_for(BOOT_NS)
    bench.press("START", hold_ms=150)
    bench.board("stimulator").console.write(b"\x03")
    bench.at(bench.now_ns + 123_456_789, lambda: bench.magnet(True))
    bench.run_for(600_000_000)
    bench.press("STATUS")
    bench.run_for(400_000_000)
    return fingerprint(bench)


@pytest.fixture(scope="module")
def seven() -> str:
    """The run of seed 7, which the others are compared with."""
    with Bench(BenchConfig(seed=7)) as bench:
        return run_script(bench)


def test_same_seed_same_run(make_bench: Callable[..., Bench], seven: str) -> None:
    assert run_script(make_bench(seed=7)) == seven


def test_same_seed_same_run_in_another_process(root: Path, seven: str) -> None:
    code = (
        "import sys, importlib.util as u\n"
        "spec = u.spec_from_file_location('engine_test', sys.argv[1]); m = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(m)\n"
        "with m.Bench(m.BenchConfig(seed=7)) as bench: print(m.run_script(bench))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, __file__], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == seven


def test_other_seed_other_run(make_bench: Callable[..., Bench], seven: str) -> None:
    assert run_script(make_bench(seed=8)) != seven


def test_how_a_run_is_cut_makes_no_difference_to_sleeping_boards(make_bench: Callable[..., Bench]) -> None:
    """Time may pass in one piece or in many: it is the same time."""
    whole, pieces = make_bench(seed=3), make_bench(seed=3)
    whole.run_for(BOOT_NS)
    for _ in range(150):
        pieces.run_for(BOOT_NS // 150)
    assert fingerprint(whole) == fingerprint(pieces)


def test_both_boards_boot_and_come_up_on_usb(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    boards = bench.boards.values()
    assert bench.run_until(lambda: all(board.usb_connected for board in boards), 2_000_000_000)
    for board in boards:
        assert [cause for _, cause in board.resets] == [ResetCause.POWER_ON]
        assert board.parts is not None


def test_button_crosses_the_air_and_nobody_is_told_too_late(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    provision.pair(bench)
    bench.run_for(BOOT_NS)
    bench.press("START")
    bench.run_for(300_000_000)
    assert bench.air is not None
    assert bench.air.tap
    ce_rises = [time_ns for time_ns, level in bench.trace.edges("remote", "RADIO_CE") if level]
    first = bench.air.tap[0].t_start_ns
    assert any(first - SETTLE_TO_AIR_NS - 1000 <= time_ns <= first for time_ns in ce_rises)
    assert len({sniffed.address for sniffed in bench.air.tap}) == 2, "both boards spoke"
    assert bench.late_calls == 0


def test_boards_stay_together(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    apart = []
    for _ in range(300):
        bench.run_for(1_000_000)
        apart.append(max(board.now_ns for board in bench.boards.values()) - bench.now_ns)
    assert max(apart) < 1000


def test_actions_come_at_their_time_and_in_order(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(boards=("remote",))
    seen: list[tuple[str, int]] = []
    bench.at(2_000_000, lambda: seen.append(("b", bench.now_ns)))
    bench.at(1_000_001, lambda: seen.append(("a", bench.now_ns)))
    bench.at(2_000_000, lambda: seen.append(("c", bench.now_ns)))
    bench.run_for(5_000_000)
    assert seen == [("a", 1_000_001), ("b", 2_000_000), ("c", 2_000_000)]
    with pytest.raises(BenchError, match="has passed"):
        bench.at(1, lambda: None)
    bench.at(6_000_000, lambda: bench.run_for(1))
    with pytest.raises(BenchError, match="running already"):
        bench.run_for(5_000_000)


def test_hung_cpu_is_reset_by_the_watchdog_only_if_it_was_armed(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(boards=("stimulator",), with_parts=False)
    board = bench.board("stimulator")
    bench.run_for(BOOT_NS)
    transport = EmulatedDevice(bench, board.name).open().enter_repl()
    transport.exec("import machine; dog = machine.WDT(timeout=300)")
    armed_ns = bench.now_ns
    board.hang()
    awake_ns = board.cpu_awake_ns
    assert bench.run_until(lambda: len(board.resets) > 1, 1_000_000_000)
    time_ns, cause = board.resets[-1]
    assert cause is ResetCause.WATCHDOG
    assert abs(time_ns - armed_ns - 300_000_000) < 60_000_000
    assert not board.hung
    assert board.cpu_awake_ns - awake_ns < 2_000_000
    assert bench.run_until(lambda: board.usb_connected, 2_000_000_000)


def test_power_cycle_boots_board_and_parts_again(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench.run_for(BOOT_NS)
    stimulator, remote = bench.board("stimulator"), bench.board("remote")
    stimulator.power_off()
    off_ns = bench.now_ns
    awake_ns = stimulator.cpu_awake_ns
    bench.run_for(500_000_000)
    assert stimulator.cpu_awake_ns == awake_ns
    assert not any(net.mcu_drives for net in stimulator.nets.values())
    assert not bench.trace.edges("stimulator", "LED", start_ns=off_ns + 1)
    assert remote.cpu_awake_ns > 0
    stimulator.power_on()
    assert bench.run_until(lambda: stimulator.usb_connected, 2_000_000_000)
    assert [cause for _, cause in stimulator.resets] == [ResetCause.POWER_ON] * 2
    assert len(remote.resets) == 1


def test_missing_firmware_and_unknown_names_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no firmware for the remote"):
        Bench(BenchConfig(boards=("remote",), firmware={"remote": tmp_path / "none.uf2"}))
    with pytest.raises(BenchError, match="no board 'toaster'"):
        Bench(BenchConfig(boards=("toaster",)))
