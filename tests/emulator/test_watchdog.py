"""WATCHDOG of the RP2040 (datasheet 4.7): what REASON and the scratch registers hold after each reset."""

import pytest
from stimbench.emulator.board import EmulatedBoard, ResetCause

CTRL, LOAD, REASON = 0x40058000, 0x40058004, 0x40058008
SCRATCH = [0x4005800C + 4 * number for number in range(8)]
PSM_WDSEL = 0x40010008
TRIGGER, ENABLE = 1 << 31, 1 << 30
TIMER, FORCE = 1 << 0, 1 << 1  # of REASON
EVERYTHING_BUT_OSCILLATORS = 0x0001FFFC
US = 1000


def reset_by_timer(board: EmulatedBoard) -> None:
    board.write_word(LOAD, 2 * 500)  # it counts two a microsecond (errata RP2040-E1)
    board.write_word(CTRL, ENABLE)
    board.runner.run_to(board.now_ns + 600 * US)


def reset_by_trigger(board: EmulatedBoard) -> None:
    board.write_word(CTRL, TRIGGER)


@pytest.fixture
def board(bare: EmulatedBoard) -> EmulatedBoard:
    """With a number in each scratch register."""
    bare.write_word(PSM_WDSEL, EVERYTHING_BUT_OSCILLATORS)
    for number, address in enumerate(SCRATCH):
        bare.write_word(address, 100 + number)
    return bare


@pytest.mark.parametrize(
    ("reset", "reason", "cause"),
    [(reset_by_timer, TIMER, ResetCause.WATCHDOG), (reset_by_trigger, FORCE, ResetCause.SOFTWARE)],
)
def test_a_reset_by_the_watchdog_tells_which_and_keeps_the_scratch_registers(
    board: EmulatedBoard, reset, reason: int, cause: ResetCause
) -> None:
    reset(board)
    assert board.resets[-1][1] is cause and len(board.resets) == 2
    assert board.read_word(REASON) == reason
    assert [board.read_word(address) for address in SCRATCH] == list(range(100, 108))


def test_the_newest_reset_is_told(board: EmulatedBoard) -> None:
    reset_by_trigger(board)
    board.hang()
    reset_by_timer(board)
    assert board.read_word(REASON) == TIMER
    reset_by_trigger(board)
    assert board.read_word(REASON) == FORCE


def power_cycle(board: EmulatedBoard) -> None:
    board.power_off()
    board.power_on()


@pytest.mark.parametrize("reset", [EmulatedBoard.reset, power_cycle])
def test_a_reset_of_the_chip_clears_both(board: EmulatedBoard, reset) -> None:
    reset_by_trigger(board)
    reset(board)
    assert board.read_word(REASON) == 0
    assert [board.read_word(address) for address in SCRATCH] == [0] * 8
