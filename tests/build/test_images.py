"""The images that `make firmware` leaves in build/."""

import re
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from stimbench.emulator.profile import Image
from stimbench.firmware_build import frozen
from stimbench.firmware_build.build import Layout, sources
from stimbench.firmware_build.steps import capture

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
BOARDS = ("stimulator", "remote")

RP2040_FAMILY = 0xE48BFF56
FAMILY_PRESENT = 0x2000
FLASH_START = 0x10000000
RAM_START, RAM_END = 0x20000000, 0x20042000
FIRMWARE_LIMIT = 640 * 1024


def blocks(board: str) -> list[tuple]:
    image = (BUILD / f"{board}.uf2").read_bytes()
    assert image and len(image) % 512 == 0
    return [struct.unpack("<8I476sI", image[at : at + 512]) for at in range(0, len(image), 512)]


@cache
def addresses_of(board: str) -> dict[str, int]:
    """Every name of the image, and where it is."""
    return Image(BUILD / "firmware" / board / "firmware.elf").addresses


def payload(board: str) -> bytes:
    return b"".join(block[8][: block[4]] for block in blocks(board))


@pytest.mark.parametrize("board", BOARDS)
def test_uf2_blocks_are_whole_and_in_order(board):
    rows = blocks(board)
    for number, row in enumerate(rows):
        first, second, flags, address, size, index, count, family, _, last = row
        assert (first, second, last) == (0x0A324655, 0x9E5D5157, 0x0AB16F30)
        assert flags & FAMILY_PRESENT and family == RP2040_FAMILY
        assert (index, count) == (number, len(rows))
        assert (address, size) == (FLASH_START + 256 * number, 256)


@pytest.mark.parametrize("board", BOARDS)
def test_uf2_is_the_linked_image_and_leaves_the_filesystem_alone(board):
    linked = (BUILD / "firmware" / board / "firmware.bin").read_bytes()
    assert payload(board)[: len(linked)] == linked
    assert 200_000 < len(payload(board)) <= FIRMWARE_LIMIT


@pytest.mark.parametrize("board", BOARDS)
def test_image_says_which_board_and_sources_it_is_of(board):
    digest = frozen.source_hash(sources(board, Layout(ROOT)), ROOT)
    assert digest.encode() in payload(board)
    assert f"stimbench {board}".encode() in payload(board)


def test_second_build_does_nothing():
    made = [BUILD / f"{board}.uf2" for board in BOARDS]
    made += [BUILD / "firmware" / board / name for board in BOARDS for name in (".ninja_log", "stamp-image")]
    made += [BUILD / "sources" / "stamp", BUILD / "mpy-cross" / "mpy-cross"]
    before = [path.stat().st_mtime_ns for path in made]
    words = [sys.executable, "-m", "stimbench.firmware_build"]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    assert result.stdout.count("up to date") == len(BOARDS)
    assert [path.stat().st_mtime_ns for path in made] == before


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize(
    "name",
    (
        "mp_execute_bytecode", "mp_map_lookup", "mp_call_function_n_kw", "mp_obj_get_type",
        "gc_alloc", "gc_collect_start", "gc_free",
        "mbedtls_internal_aes_encrypt", "FT0",
    ),
)  # fmt: skip
def test_what_is_called_all_the_time_is_in_ram(board, name):
    address = addresses_of(board)[name]
    assert RAM_START <= address < RAM_END


@pytest.mark.parametrize("board", BOARDS)
def test_what_is_called_now_and_then_stays_in_flash(board):
    addresses = addresses_of(board)
    assert all(FLASH_START < addresses[name] < RAM_START for name in ("tud_task_ext", "main"))


def test_the_ring_of_the_samples_is_outside_the_heap():
    """DMA writes there: in the heap, it would write over objects."""
    source = (ROOT / "firmware" / "stimfw" / "drivers" / "sampler.py").read_text()
    ring = int(re.search(r"^_RING_AT = const\((0x\w+)\)", source, re.MULTILINE)[1], 0)
    size = 1 << int(re.search(r"^RING_BITS = (\d+)$", source, re.MULTILINE)[1])
    symbols = capture(["arm-none-eabi-nm", BUILD / "firmware" / "stimulator" / "firmware.elf"])
    heap_end = int(re.search(r"^(\w+) \w __GcHeapEnd$", symbols, re.MULTILINE)[1], 16)
    assert ring % size == 0
    assert (heap_end, ring + size) == (ring, RAM_END - 2 * 4096)  # then come the two stacks


@pytest.mark.parametrize("board", BOARDS)
def test_what_nobody_here_uses_is_not_in_the_image(board):
    addresses = addresses_of(board)
    left_out = ("mp_fat_vfs_type", "mp_module_cmath", "mp_type_complex", "erff", "lgammaf")
    assert not addresses.keys() & {*left_out}


@pytest.mark.parametrize("board", BOARDS)
def test_ram_without_contents_takes_no_flash(board):
    symbols = capture(["arm-none-eabi-nm", BUILD / "firmware" / board / "firmware.elf"])
    marks = re.findall(r"^(\w+) \S __scratch_[xy]_(?:start|end)__$", symbols, re.MULTILINE)
    assert sorted(marks) == ["20040000", "20040000", "20041000", "20041000"]
