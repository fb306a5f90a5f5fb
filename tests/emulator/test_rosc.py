"""What makes boards and starts differ: random bits, and the flash's unique ID."""

import itertools
from collections.abc import Callable

import pytest
from stimbench.bench import Bench
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.rosc import RandomBit

from .test_flash import chip_with, command

ROSC = 0x40060000
CTRL, FREQA, DORMANT, DIV, PHASE, STATUS, RANDOMBIT, COUNT = 0x00, 0x04, 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x20
XOR, SET, CLEAR = 0x1000, 0x2000, 0x3000
STABLE, BAD_WRITE, DIV_RUNNING, ENABLED = 1 << 31, 1 << 24, 1 << 16, 1 << 12
DISABLE, MEDIUM = 0xD1E000, 0xFA5
PERIOD_NS = 1_000_000_000 / 6_500_000
BITS = 4000


def bits(board: EmulatedBoard, count: int = BITS) -> list[int]:
    return [board.read_word(ROSC + RANDOMBIT) for _ in range(count)]


def made(seed: int) -> EmulatedBoard:
    board = EmulatedBoard("bare", {}, seed)
    board.power_on()
    board.hang()
    return board


def test_bits_are_fair_and_independent(bare: EmulatedBoard) -> None:
    read = bits(bare)
    assert set(read) == {0, 1}
    assert abs(sum(read) / BITS - 0.5) < 0.03
    same = sum(one == other for one, other in itertools.pairwise(read))
    assert abs(same / BITS - 0.5) < 0.03


def test_same_board_same_bits_another_board_others() -> None:
    assert bits(made(1)) == bits(made(1)) != bits(made(2))


def test_each_power_on_has_bits_of_its_own_a_reset_goes_on(bare: EmulatedBoard) -> None:
    def power_cycle(board: EmulatedBoard) -> list[int]:
        board.power_off()
        board.power_on()
        return bits(board)

    first = bits(bare)
    other = made(1)
    bits(other)
    assert power_cycle(bare) == power_cycle(other) != first
    before = bits(bare)
    bare.reset()
    assert bits(bare) != before


@pytest.mark.parametrize("level", [0, 1])
def test_a_stuck_source_gives_one_level(bare: EmulatedBoard, level: int) -> None:
    bare.random_bit = RandomBit(ones=level)
    assert set(bits(bare)) == {level}
    bare.random_bit = RandomBit()
    assert set(bits(bare)) == {0, 1}


@pytest.mark.parametrize("ones", [0.1, 0.6, 0.9])
def test_a_biased_source_is_independent_bit_by_bit(bare: EmulatedBoard, ones: float) -> None:
    bare.random_bit = RandomBit(ones=ones)
    read = bits(bare)
    assert abs(sum(read) / BITS - ones) < 0.03
    same = sum(one == other for one, other in itertools.pairwise(read))
    assert abs(same / BITS - (ones**2 + (1 - ones) ** 2)) < 0.03


@pytest.mark.parametrize("repeats", [2, 5, 50])
def test_a_slow_source_gives_each_bit_so_many_times(bare: EmulatedBoard, repeats: int) -> None:
    bare.random_bit = RandomBit(repeats=repeats)
    read = bits(bare, 40 * repeats)
    groups = [read[at : at + repeats] for at in range(0, len(read), repeats)]
    assert all(len(set(group)) == 1 for group in groups)
    assert {group[0] for group in groups} == {0, 1}


def test_a_fault_outlives_a_reset_and_a_power_cut(bare: EmulatedBoard) -> None:
    bare.random_bit = RandomBit(ones=1)
    bare.reset()
    assert set(bits(bare, 100)) == {1}
    bare.power_off()
    bare.power_on()
    assert set(bits(bare, 100)) == {1}


@pytest.mark.parametrize("wrong", [{"ones": -0.1}, {"ones": 1.1}, {"repeats": 0}])
def test_no_such_source(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no source of bits"):
        RandomBit(**wrong)  # type: ignore[arg-type]


def test_it_runs_at_the_chips_start(bare: EmulatedBoard) -> None:
    assert bare.read_word(ROSC + STATUS) == STABLE | ENABLED | DIV_RUNNING
    assert bare.read_word(ROSC + CTRL) == 0xFABAA0
    assert bare.read_word(ROSC + DIV) == 0xAA0 + 16
    assert not any("ROSC" in message for message in bare.log.messages)


def test_stopped_it_gives_one_level_for_ever(bare: EmulatedBoard) -> None:
    bare.write_word(ROSC + CTRL, DISABLE | MEDIUM)
    assert bare.read_word(ROSC + STATUS) == 0
    assert len(set(bits(bare))) == 1
    bare.write_word(ROSC + CTRL, 0x123000 | MEDIUM)  # an invalid code enables it
    assert set(bits(bare)) == {0, 1}
    assert bare.read_word(ROSC + STATUS) & (STABLE | BAD_WRITE) == STABLE | BAD_WRITE


@pytest.mark.parametrize(
    ("register", "good", "bad"),
    [
        (CTRL, 0xFABFA4, 0xFAB123),
        (FREQA, 0x96967777, 0x7777),
        (DORMANT, 0x77616B65, 1),
        (DIV, 0xAA0, 0x10),
        (PHASE, 0xAA8, 0x8),
    ],
)
def test_a_bad_write_is_told_until_it_is_cleared(
    bare: EmulatedBoard, register: int, good: int, bad: int
) -> None:
    bare.write_word(ROSC + register, good)
    assert not bare.read_word(ROSC + STATUS) & BAD_WRITE
    assert bare.read_word(ROSC + register) == good
    bare.write_word(ROSC + register, bad)
    bare.write_word(ROSC + register, good)
    assert bare.read_word(ROSC + STATUS) & BAD_WRITE
    bare.write_word(ROSC + STATUS + SET, ENABLED)
    assert bare.read_word(ROSC + STATUS) & BAD_WRITE
    bare.write_word(ROSC + STATUS + SET, BAD_WRITE)
    assert not bare.read_word(ROSC + STATUS) & BAD_WRITE


def test_count_runs_down_and_stops(bare: EmulatedBoard) -> None:
    assert bare.read_word(ROSC + COUNT) == 0
    bare.write_word(ROSC + COUNT, 100)
    assert bare.read_word(ROSC + COUNT) == 100
    bare.runner.run_to(round(40 * PERIOD_NS))
    assert 59 <= bare.read_word(ROSC + COUNT) <= 61
    bare.runner.run_to(round(110 * PERIOD_NS))
    assert bare.read_word(ROSC + COUNT) == 0


def test_unique_id_follows_four_dummy_bytes() -> None:
    chip, _ = chip_with(bytes(4096), seed=7)
    assert bytes(command(chip, 0x4B, *bytes(12))[5:]) == chip.unique_id
    assert command(chip, 0x4B, *bytes(14))[-2:] == [0xFF, 0xFF]
    other, _ = chip_with(bytes(4096), seed=8)
    assert other.unique_id != chip.unique_id


@pytest.mark.emulated
def test_firmware_sees_other_bits_and_another_id_on_another_board(make_bench: Callable[..., Bench]) -> None:
    seen = set()
    for seed in (1, 1, 2):
        bench = make_bench(boards=("stimulator",), with_parts=False, seed=seed)
        board = bench.board("stimulator")
        assert bench.run_until(lambda board=board: board.usb_connected, 2_000_000_000)
        bench.run_for(500_000_000)
        transport = EmulatedDevice(bench, board.name).open().enter_repl()
        transport.exec("import os, machine")
        drawn = transport.eval("os.urandom(64)")
        assert transport.eval("machine.unique_id()") == board.flash.unique_id
        assert len(set(drawn)) > 40 and drawn[:32] != drawn[32:]
        seen.add((board.flash.unique_id, drawn))
    assert len(seen) == 2
