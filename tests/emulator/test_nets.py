"""What a voltmeter and a logic analyser see on a net."""

import pytest
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.nets import read_pins_csv

IO_BANK0, PADS_BANK0, SIO = 0x40014000, 0x4001C000, 0xD0000000
GPIO_IN, OUT_SET, OUT_CLR, OE_SET, OE_CLR = 0x04, 0x14, 0x18, 0x24, 0x28
FUNC_SIO = 5
PIN = 2
PULL_UP, PULL_DOWN = 0x5A, 0x56


@pytest.fixture
def board(bare: EmulatedBoard) -> EmulatedBoard:
    bare.write_word(IO_BANK0 + 8 * PIN + 4, FUNC_SIO)
    return bare


def test_output_wins_then_the_part_then_the_pull_then_low(board: EmulatedBoard) -> None:
    net = board.pin(f"P{PIN}")
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, PULL_UP)
    assert net.level
    net.drive(False)
    assert not net.level
    board.write_word(SIO + OUT_SET, 1 << PIN)
    board.write_word(SIO + OE_SET, 1 << PIN)
    assert net.level
    assert net.mcu_drives
    board.write_word(SIO + OE_CLR, 1 << PIN)
    assert not net.level
    net.drive(None)
    assert net.level
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, PULL_DOWN)
    assert not net.level


def test_every_change_is_told_once_with_its_time(board: EmulatedBoard) -> None:
    seen: list[tuple[bool, int]] = []
    net = board.pin(f"P{PIN}")
    net.on_edge(lambda level, time_ns: seen.append((level, time_ns)))
    board.write_word(SIO + OE_SET, 1 << PIN)
    board.runner.run_to(1000)
    board.write_word(SIO + OUT_SET, 1 << PIN)
    board.write_word(SIO + OUT_SET, 1 << PIN)
    board.runner.run_to(3000)
    board.write_word(SIO + OUT_CLR, 1 << PIN)
    assert seen == [(True, 1000), (False, 3000)]


def test_chip_reads_back_its_own_output_and_what_a_part_drives(board: EmulatedBoard) -> None:
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, PULL_DOWN)
    board.write_word(SIO + OE_SET, 1 << PIN)
    board.write_word(SIO + OUT_SET, 1 << PIN)
    assert board.read_word(SIO + GPIO_IN) >> PIN & 1
    board.write_word(SIO + OE_CLR, 1 << PIN)
    assert not board.read_word(SIO + GPIO_IN) >> PIN & 1
    board.pin(f"P{PIN}").drive(True)
    assert board.read_word(SIO + GPIO_IN) >> PIN & 1


def test_power_off_lets_every_pin_go(board: EmulatedBoard) -> None:
    net = board.pin(f"P{PIN}")
    board.write_word(SIO + OE_SET, 1 << PIN)
    board.write_word(SIO + OUT_SET, 1 << PIN)
    assert net.level
    board.power_off()
    assert not net.level
    assert not net.mcu_drives


PULLS = [(PULL_UP, True), (PULL_DOWN, False)]


@pytest.mark.parametrize(("pads", "level"), PULLS)
def test_a_floating_pin_reads_its_pull_resistor(board: EmulatedBoard, pads: int, level: bool) -> None:
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, pads)
    assert board.pin(f"P{PIN}").level is level
    assert (board.read_word(SIO + GPIO_IN) >> PIN & 1) == level


@pytest.mark.parametrize(("pads", "level"), PULLS)
def test_an_output_let_go_falls_back_to_its_pull_resistor(
    board: EmulatedBoard, pads: int, level: bool
) -> None:
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, pads)
    board.write_word(SIO + (OUT_CLR if level else OUT_SET), 1 << PIN)
    board.write_word(SIO + OE_SET, 1 << PIN)
    assert (board.read_word(SIO + GPIO_IN) >> PIN & 1) != level
    board.write_word(SIO + OE_CLR, 1 << PIN)
    assert (board.read_word(SIO + GPIO_IN) >> PIN & 1) == level


def test_pulls_tell_the_interrupt_of_their_edge(board: EmulatedBoard) -> None:
    """INTR0 (2.19.6.1): level low, level high, edge low, edge high, 4 bits a pin."""
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, PULL_UP)
    raw = board.read_word(IO_BANK0 + 0x0F0) >> 4 * PIN & 0xF
    assert raw & 0b1010 == 0b1010 and not raw & 1


@pytest.mark.parametrize("last", [True, False])
def test_both_pulls_keep_the_last_level(board: EmulatedBoard, last: bool) -> None:
    """2.19.4.1, bus keeper mode."""
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, PULL_UP | PULL_DOWN)
    net = board.pin(f"P{PIN}")
    net.drive(last)
    net.drive(None)
    assert net.level is last
    assert (board.read_word(SIO + GPIO_IN) >> PIN & 1) == last


def test_a_resistor_on_the_board_beats_the_chips_pull_and_loses_to_any_driver(board: EmulatedBoard) -> None:
    board.write_word(PADS_BANK0 + 4 + 4 * PIN, PULL_DOWN)
    net = board.pin(f"P{PIN}")
    net.pull(True)
    assert net.level and board.read_word(SIO + GPIO_IN) >> PIN & 1
    net.drive(False)
    assert not net.level and not board.read_word(SIO + GPIO_IN) >> PIN & 1
    net.drive(None)
    board.write_word(SIO + OE_SET, 1 << PIN)
    assert not net.level
    assert board.log.bus_errors == [], "a resistor is no driver"


def test_chip_and_part_with_opposite_levels_are_one_error_until_it_ends(board: EmulatedBoard) -> None:
    net = board.pin(f"P{PIN}")
    net.drive(True, "the reed")
    board.runner.run_to(5_000)
    board.write_word(SIO + OE_SET, 1 << PIN)
    (line,) = board.log.bus_errors
    assert line == (f"P{PIN}: two drivers disagree: the reed high, the RP2040 low; taken as low (at 5000 ns)")
    assert not net.level
    net.drive(None, "the reed")
    net.drive(False, "the reed")
    assert len(board.log.bus_errors) == 1, "equal levels are none"
    board.write_word(SIO + OUT_SET, 1 << PIN)
    assert net.level
    assert "the reed low, the RP2040 high; taken as high" in board.log.bus_errors[1]


def test_two_parts_with_opposite_levels_are_an_error_and_low_wins(board: EmulatedBoard) -> None:
    net = board.pin(f"P{PIN}")
    net.drive(True, "one")
    net.drive(False, "two")
    assert not net.level
    (line,) = board.log.bus_errors
    assert "one high, two low; taken as low" in line
    net.drive(None, "two")
    assert net.level


def test_a_board_without_power_fights_nobody(board: EmulatedBoard) -> None:
    board.write_word(SIO + OE_SET, 1 << PIN)
    board.power_off()
    board.pin(f"P{PIN}").drive(True)
    assert board.pin(f"P{PIN}").level
    assert board.log.bus_errors == []


def test_calls_of_parts_outlive_a_reset_and_come_exactly(board: EmulatedBoard) -> None:
    seen: list[int] = []
    board.scheduler.call_at(12_345, lambda: seen.append(board.now_ns))
    gone = board.scheduler.call_at(12_346, lambda: seen.append(-1))
    gone.cancel()
    gone.cancel()
    board.reset()
    board.hang()
    board.runner.run_to(20_000)
    board.scheduler.call_at(5, lambda: seen.append(board.now_ns))
    board.runner.run_to(20_001)
    assert seen == [12_345, 20_000]


@pytest.mark.parametrize(
    ("dividend", "divisor", "signed"),
    [
        (100, 7, False),
        (4294967295, 3, False),
        (7, 100, False),
        (5, 0, False),
        (-100, 7, True),
        (100, -7, True),
        (-100, -7, True),
        (-5, 0, True),
        (5, 0, True),
    ],
)
def test_hardware_divider(board: EmulatedBoard, dividend: int, divisor: int, signed: bool) -> None:
    first = SIO + (0x68 if signed else 0x60)
    board.write_word(first, dividend & 0xFFFFFFFF)
    board.write_word(first + 4, divisor & 0xFFFFFFFF)
    if divisor == 0:
        quotient, remainder = (1 if dividend < 0 else -1), dividend
    else:
        quotient = int(dividend / divisor)
        remainder = dividend - quotient * divisor
    assert board.read_word(SIO + 0x74) == remainder & 0xFFFFFFFF
    assert board.read_word(SIO + 0x70) == quotient & 0xFFFFFFFF
    assert board.read_word(SIO + 0x78) & 1


def test_pins_csv() -> None:
    assert read_pins_csv("# a comment\nL_CATH,GPIO2\n\n-LED,-GPIO25\n") == {"L_CATH": 2, "LED": 25}
    with pytest.raises(ValueError, match="line 2"):
        read_pins_csv("A,GPIO1\nB;GPIO2\n")
