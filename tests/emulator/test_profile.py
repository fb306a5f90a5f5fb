"""Whose misses they are: lines of flash to functions, on a table made by hand and on the real image."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from stimbench.emulator.profile import FLASH_START, Image, ImageError, Symbol, attributed, python_names

BUILD = Path(__file__).resolve().parents[2] / "build" / "firmware"
TABLE = (
    Symbol(FLASH_START + 0x100, 0x13, "first", "C"),  # ends 3 bytes into a line
    Symbol(FLASH_START + 0x113, 0x0D, "second", "C"),
    Symbol(FLASH_START + 0x141, 2, "small", "data"),
    Symbol(FLASH_START + 0x143, 5, "larger", "data"),
)
REGIONS = (Symbol(FLASH_START + 0x100, 0x100, "(.text, no symbol)", "other"),)


def names(misses):
    return {share.name: share.misses for share in attributed(misses, TABLE, REGIONS)}


def test_a_line_belongs_to_who_has_more_of_it():
    assert names({0x100: 1, 0x108: 2}) == {"first": 3}
    assert names({0x110: 5}) == {"second": 5}
    assert names({0x118: 7}) == {"second": 7}
    assert names({0x140: 1}) == {"larger": 1}


def test_what_no_symbol_reaches_is_told_by_region():
    assert names({0x120: 1, 0x138: 1, 0xF8: 4, 0x200: 2}) == {
        "(.text, no symbol)": 2,
        "(outside the image)": 6,
    }


def test_shares_are_of_all_misses_and_the_most_come_first():
    shares = attributed({0x110: 1, 0x100: 6, 0x140: 1}, TABLE, REGIONS)
    assert [(share.name, share.kind, share.misses, share.part) for share in shares] == [
        ("first", "C", 6, 0.75),
        ("larger", "data", 1, 0.125),
        ("second", "C", 1, 0.125),
    ]
    assert attributed({}, TABLE, REGIONS) == []


def test_python_names_follow_the_scopes():
    files = ("main.py", "stimfw/logic/pulse.py", "asyncio/__init__.py")
    children = {
        "main__lt_module_gt_": ["main_a", "main_a_b"],
        "stimfw_logic_pulse__lt_module_gt_": ["stimfw_logic_pulse_Pulse", "stimfw_logic_pulse__hold"],
        "stimfw_logic_pulse_Pulse": ["stimfw_logic_pulse_Pulse___init__"],
        "stimfw_logic_pulse__hold": ["stimfw_logic_pulse__hold__lt_lambda_gt_"],
    }
    assert python_names(files, children) == {
        "main__lt_module_gt_": "main.<module>",
        "main_a": "main.a",
        "main_a_b": "main.a_b",  # not main.a.b
        "asyncio___init____lt_module_gt_": "asyncio.<module>",
        "stimfw_logic_pulse__lt_module_gt_": "stimfw.logic.pulse.<module>",
        "stimfw_logic_pulse_Pulse": "stimfw.logic.pulse.Pulse",
        "stimfw_logic_pulse_Pulse___init__": "stimfw.logic.pulse.Pulse.__init__",
        "stimfw_logic_pulse__hold": "stimfw.logic.pulse._hold",
        "stimfw_logic_pulse__hold__lt_lambda_gt_": "stimfw.logic.pulse._hold.<lambda>",
    }


def test_what_is_no_image_is_told(tmp_path):
    with pytest.raises(ImageError, match=r"none\.elf"):
        Image(tmp_path / "none.elf")
    (tmp_path / "text.elf").write_text("no ELF file at all")
    with pytest.raises(ImageError, match="Magic number"):
        Image(tmp_path / "text.elf")


@pytest.mark.parametrize("board", ("stimulator", "remote"))
def test_the_built_image_names_its_functions(board):
    image = Image(BUILD / board / "firmware.elf")
    kinds = {symbol.name: symbol.kind for symbol in image.symbols}
    assert kinds["main.<module>"] == kinds["stimfw.drivers.console.Console._ready"] == "Python"
    assert kinds["tud_task_ext"] == "C" and kinds["mp_qstr_frozen_const_hashes"] == "data"
    raw = [symbol.name for symbol in image.symbols if symbol.kind == "Python" and "." not in symbol.name]
    assert raw == []
    placed = sorted(image.symbols, key=lambda symbol: symbol.address)
    over = [(a.name, b.name) for a, b in pairwise(placed) if a.address + a.size > b.address]
    assert over == []
    misses, expected = {}, Counter()
    for number, symbol in enumerate(placed, 1):
        if symbol.size >= 16:
            misses[(symbol.address + 7) // 8 * 8 - FLASH_START] = number  # a line that is all its own
            expected[symbol.name, symbol.kind] += number
    assert {(share.name, share.kind): share.misses for share in image.attributed(misses)} == expected


def test_the_built_image_is_told_from_another():
    image = Image(BUILD / "stimulator" / "firmware.elf")
    flash = (BUILD / "stimulator" / "firmware.bin").read_bytes()
    assert image.is_in(flash + bytes(1000))
    changed = bytearray(flash)
    changed[-1] ^= 1
    assert not image.is_in(changed)
    assert not image.is_in((BUILD / "remote" / "firmware.bin").read_bytes())
