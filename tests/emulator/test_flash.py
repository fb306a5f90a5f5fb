"""The flash takes the datasheet's time, keeps its contents, and can be interrupted."""

from collections.abc import Callable

import pytest
from stimbench.bench import Bench
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.repl import BoardTransport
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.flash import FlashChip, FlashTiming

SECTOR_ERASE_NS = 45_000_000
PAGE_PROGRAM_NS = 400_000
OVERHEAD_NS = 2_000_000
"""What the CPU may take on top of the chip's own time."""
SPARE = 0x100000
"""An offset that no firmware and no file uses here."""


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def chip_with(contents: bytes, seed: int = 1) -> tuple[FlashChip, Clock]:
    clock = Clock()
    return FlashChip(memoryview(bytearray(contents)), clock, FlashTiming(), seed), clock


def command(chip: FlashChip, *data: int) -> list[int]:
    chip.select()
    answer = [chip.exchange(byte) for byte in data]
    chip.deselect()
    return answer


def test_erase_is_busy_for_its_time_and_ignores_commands_meanwhile() -> None:
    chip, clock = chip_with(bytes(8192))
    command(chip, 0x06)
    command(chip, 0x20, 0x00, 0x00, 0x00)
    assert command(chip, 0x05, 0)[1] & 1
    command(chip, 0x06)
    command(chip, 0x20, 0x00, 0x10, 0x00)
    clock.now_ns = SECTOR_ERASE_NS - 1
    assert command(chip, 0x05, 0)[1] & 1
    clock.now_ns = SECTOR_ERASE_NS
    assert command(chip, 0x05, 0)[1] == 0
    assert chip.read(0, 4096) == b"\xff" * 4096
    assert chip.read(4096, 4096) == bytes(4096)
    assert dict(chip.erases) == {0: 1}


def test_program_only_clears_bits_and_wraps_within_its_page() -> None:
    chip, clock = chip_with(b"\xff" * 4096)
    command(chip, 0x06)
    command(chip, 0x02, 0x00, 0x01, 0xFE, 0xF0, 0x0F, 0xAA)
    clock.now_ns += PAGE_PROGRAM_NS
    assert chip.read(0x1FE, 2) + chip.read(0x100, 1) == b"\xf0\x0f\xaa"
    command(chip, 0x06)
    command(chip, 0x02, 0x00, 0x01, 0xFE, 0x3C)
    assert chip.read(0x1FE, 1) == b"\x30"


def test_nothing_happens_without_write_enable() -> None:
    chip, _ = chip_with(bytes(4096))
    command(chip, 0x20, 0, 0, 0)
    assert chip.read(0, 16) == bytes(16)
    assert not chip.operations


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_power_cut_leaves_an_erase_as_far_as_it_got(share: float) -> None:
    def torn(seed: int) -> bytes:
        chip, clock = chip_with(bytes(4096), seed)
        command(chip, 0x06)
        command(chip, 0x20, 0, 0, 0)
        clock.now_ns = round(share * SECTOR_ERASE_NS)
        chip.cut_power()
        assert not chip.busy
        return chip.read(0, 4096)

    ones = sum(byte.bit_count() for byte in torn(1)) / (4096 * 8)
    assert abs(ones - share) < 0.02
    assert torn(1) == torn(1)
    assert share == 0.0 or torn(1) != torn(2)


@pytest.mark.emulated
def test_firmware_feels_the_times(repl: tuple[Bench, EmulatedBoard, BoardTransport]) -> None:
    _, board, transport = repl
    transport.exec("import rp2, time; flash = rp2.Flash(); n = flash.ioctl(4, 0) - 1; page = bytes(256)")
    before = len(board.flash.operations)
    took_us = transport.eval(
        "(lambda t: (flash.ioctl(6, n), time.ticks_diff(time.ticks_us(), t))[1])(time.ticks_us())"
    )
    assert SECTOR_ERASE_NS <= took_us * 1000 <= SECTOR_ERASE_NS + OVERHEAD_NS
    transport.exec("flash.writeblocks(n, page, 0)")
    kinds = [(op.kind, op.end_ns - op.start_ns) for op in board.flash.operations[before:]]
    assert kinds == [("erase", SECTOR_ERASE_NS), ("program", PAGE_PROGRAM_NS)]


@pytest.mark.emulated
def test_files_outlive_the_supply_and_a_cut_tears_the_sector(
    repl: tuple[Bench, EmulatedBoard, BoardTransport],
) -> None:
    bench, board, transport = repl
    transport.write_file("kept.txt", b"kept")
    transport.exec("import rp2; flash = rp2.Flash(); n = flash.ioctl(4, 0) - 1")
    transport.exec("flash.writeblocks(n, bytes(4096))")
    transport.exec_raw_no_follow("flash.ioctl(6, n)")
    assert bench.run_until(lambda: board.flash.busy, 1_000_000_000, poll_ns=100_000)
    bench.run_for(SECTOR_ERASE_NS // 2)
    address = board.flash.operations[-1].address
    board.power_off()
    bench.run_for(50_000_000)
    ones = sum(byte.bit_count() for byte in board.flash.read(address, 4096)) / (4096 * 8)
    assert 0.4 < ones < 0.6
    board.power_on()
    assert bench.run_until(lambda: board.usb_connected, 2_000_000_000)
    bench.run_for(500_000_000)
    again = EmulatedDevice(bench, board.name).open().enter_repl()
    assert again.read_file("kept.txt") == b"kept"


@pytest.mark.emulated
def test_slow_flash_can_be_asked_for(make_bench: Callable[..., Bench]) -> None:
    timing = FlashTiming(sector_erase_ns=400_000_000, page_program_ns=3_000_000)
    bench = make_bench(boards=("stimulator",), with_parts=False, flash_timing=timing)
    bench.run_for(1)
    assert bench.board("stimulator").flash.timing.sector_erase_ns == 400_000_000
