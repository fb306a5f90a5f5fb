"""The boot ROM's USB boot, against the RP2040 datasheet (2.8) and the published source of the boot ROM."""

from __future__ import annotations

import struct
import zlib

import pytest
from stimbench.bench import BenchConfig
from stimbench.client.on_bench import ready_bench
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.emulator.boot_rom import boot2_crc
from stimbench.emulator.bootsel import SECTOR_BYTES
from stimbench.emulator.flash import FlashTiming

MS = 1_000_000
RESTART_MS = 500
"""The boot ROM asks its watchdog for 1000 ms, which counts twice as fast (erratum RP2040-E1)."""
GATE_MS = 110
FAMILY = 0xE48BFF56
BASE = 0x10000000
SECTOR = 4096
WATCHDOG_CTRL, SCRATCH4, TRIGGER = 0x40058000, 0x4005801C, 1 << 31
VECTOR_MAGIC, ROM_ENTRY = 0xB007C0D3, 0x1B99
QUICK = FlashTiming(sector_erase_ns=100_000, page_program_ns=10_000)


def block(number: int, count: int, fill: int = 0xA5, *, at: int | None = None, **changed: int) -> bytes:
    fields = {"flags": 0x2000, "size": 256, "family": FAMILY} | changed
    address = BASE + number * 256 if at is None else at
    head = (0x0A324655, 0x9E5D5157, fields["flags"], address, fields["size"], number, count, fields["family"])
    return struct.pack("<8I", *head) + bytes([fill]) * 256 + bytes(220) + struct.pack("<I", 0x0AB16F30)


@pytest.fixture
def bench(make_bench):
    return make_bench(boards=("stimulator",), flash_timing=QUICK)


@pytest.fixture
def board(bench):
    """In its boot ROM, by the button."""
    board = bench.board("stimulator")
    board.power_off()
    board.bootsel_held = True
    board.power_on()
    board.bootsel_held = False
    return board


def write(bench, board, *sectors: bytes) -> None:
    disk = board.bootsel
    for sector in sectors:
        disk.write(sector)
    assert bench.run_until(lambda: disk.idle, 1000 * MS, MS // 10)


def test_the_crc_is_that_of_the_built_images_and_not_the_usual_one():
    for name in ("stimulator", "remote"):
        boot2 = BenchConfig().firmware_image(name).payload[:256]
        assert boot2_crc(boot2[:-4]) == int.from_bytes(boot2[-4:], "little") != zlib.crc32(boot2[:-4])


def test_the_firmware_asks_for_usb_boot_once(bench):
    board = bench.board("stimulator")
    bench.run_for(600 * MS)
    with EmulatedDevice(bench, "stimulator") as device:
        device.enter_repl().exec_raw_no_follow("import machine; machine.bootloader()")
        assert bench.run_until(lambda: board.bootsel, 100 * MS)
    assert board.runner.halted and not board.usb_connected and "BOOTSEL" in repr(board)
    bench.run_for(3000 * MS)
    assert board.bootsel, "it waits"
    board.write_word(WATCHDOG_CTRL, TRIGGER)  # which keeps the scratch registers
    bench.run_for(MS)
    assert not board.bootsel, "the request was for one time"


def test_usb_boot_while_pulsing_turns_the_output_off_in_hardware():
    with ready_bench(ramp_up_ms=0) as (bench, stimulator):
        board = bench.board("stimulator")
        stimulator.start()
        bench.run_for(1000 * MS)
        assert board.parts.gate.q and len(bench.trace.edges("stimulator", "L_CATH")) > 4
        for number, word in enumerate((VECTOR_MAGIC, ROM_ENTRY ^ -VECTOR_MAGIC & 0xFFFFFFFF, 0, ROM_ENTRY)):
            board.write_word(SCRATCH4 + 4 * number, word)
        board.write_word(WATCHDOG_CTRL, TRIGGER)
        reset_ns = bench.now_ns
        bench.run_for(GATE_MS * MS)
        assert board.bootsel and not board.parts.gate.q, "no KEEPALIVE: the monostable falls"
        bench.run_for(1000 * MS)
        for signal in ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD"):
            after = [level for at, level in bench.trace.edges("stimulator", signal) if at > reset_ns]
            assert not any(after) and not board.pin(signal).level, signal


@pytest.mark.parametrize("wrong", [(1, 0, 0), (0, 1, 0), (0, 0, 0x10000)], ids=["magic", "check", "RAM"])
def test_another_vector_is_no_request(bench, wrong):
    board = bench.board("stimulator")
    bench.run_for(100 * MS)
    magic, check, beyond = wrong
    entry = ROM_ENTRY + beyond
    words = (VECTOR_MAGIC + magic, (entry ^ -VECTOR_MAGIC & 0xFFFFFFFF) + check, 0, entry)
    for number, word in enumerate(words):
        board.write_word(SCRATCH4 + 4 * number, word)
    board.write_word(WATCHDOG_CTRL, TRIGGER)
    bench.run_for(MS)
    assert len(board.resets) == 2 and not board.bootsel


def test_a_flash_without_a_whole_boot2_is_not_started(bench):
    board = bench.board("stimulator")
    board.flash.write(100, bytes([board.flash.read(100, 1)[0] ^ 1]))
    for reset in (board.reset, lambda: (board.power_off(), board.power_on())):
        reset()
        assert board.bootsel
    board.flash.write(100, bytes([board.flash.read(100, 1)[0] ^ 1]))
    board.flash.write(256, bytes(1024))  # the boot ROM looks at nothing beyond boot2
    board.reset()
    assert not board.bootsel


def test_blocks_count_by_their_numbers_in_any_order(bench, board):
    board.flash.write(0, bytes(2 * SECTOR))
    begun_ns = bench.now_ns
    write(bench, board, *(block(number, 17, number) for number in reversed(range(17))))
    assert board.flash.read(0, SECTOR) == b"".join(bytes([number]) * 256 for number in range(16))
    assert board.flash.read(SECTOR, 512) == bytes([16]) * 256 + b"\xff" * 256, "the sector was erased"
    assert board.bootsel.restarts
    done_ns = bench.now_ns
    assert bench.run_until(lambda: board.bootsel is None or not board.bootsel.restarts, 1000 * MS)
    assert RESTART_MS - 2 <= (bench.now_ns - done_ns) / MS <= RESTART_MS + 2 and begun_ns < done_ns


@pytest.mark.parametrize(
    "sector",
    [
        bytes(SECTOR_BYTES),
        block(0, 2, family=0xE48BFF57),
        block(0, 2, flags=0),
        block(0, 2, flags=0x2001),
        block(0, 2, size=476),
        block(0, 2)[:-4] + bytes(4),
    ],
    ids=["no block", "another family", "no family", "not for flash", "size", "magic at its end"],
)
def test_what_is_no_block_for_this_chip_is_ignored(bench, board, sector):
    before = board.flash.read(0, SECTOR)
    write(bench, board, sector)
    assert board.flash.read(0, SECTOR) == before and board.bootsel.ignored == 1


def test_a_block_that_came_before_is_ignored_until_another_transfer_begins(bench, board):
    write(bench, board, block(3, 9, 1), block(3, 9, 2))
    assert board.flash.read(768, 1) == b"\x01"
    write(bench, board, block(0, 0), block(3, 9, 2))  # a block of no image ends the transfer
    assert board.flash.read(768, 1) == b"\x02"
    write(bench, board, block(3, 8, 3))  # another count begins one
    assert board.flash.read(768, 1) == b"\x03"
    write(bench, board, block(9, 8, 3), block(3, 8, 4))  # a number above the count ends it
    assert board.flash.read(768, 1) == b"\x04"
    write(bench, board, block(0, 8, at=0x20000000), block(3, 8, 5))  # so does RAM here
    assert board.flash.read(768, 1) == b"\x05"


def test_power_that_goes_ends_the_stay_and_what_was_under_way(bench, board):
    disk = board.bootsel
    for number in range(32):
        disk.write(block(number, 64, 0))
    bench.run_for(150_000)  # in the first sector's program operations
    board.power_off()
    assert board.bootsel is None and not disk.is_current
    done = len(board.flash.operations)
    bench.run_for(50 * MS)
    assert len(board.flash.operations) == done, "nothing goes on"
    board.power_on()
    assert board.bootsel is not disk, "boot2 was erased: the boot ROM waits again"
    assert board.bootsel.idle
