"""What `stimbench log` says that started the board, after each kind of start."""

import pytest
from stimfw.protocol import messages
from support.board import INTERRUPT, SOFT_RESET, Board

BY_POWER, BY_SOFTWARE, BY_WATCHDOG, AT_PROMPT = (
    "power on or RUN pin",
    "restart by software",
    "watchdog",
    "Ctrl-D at the prompt",
)
HUNG_NS = 3_000_000_000  # the watchdog waits for 2 s


def started_by(board: Board) -> str:
    board.wait_ready()
    first = board.client.log()[0]
    assert first.kind == messages.EVENT_STARTED
    assert first.detail == board.client.details().reset_cause
    return first.detail_text


def restart_by_software(board: Board) -> None:
    board.repl().exec_raw_no_follow("import machine; machine.reset()")
    board.rebooted()


def restart_at_the_prompt(board: Board) -> None:
    board.write(INTERRUPT)
    board.wait(0.2)
    board.discard_input()
    board.write(SOFT_RESET)


def test_machine_reset_is_no_watchdog(board: Board):
    restart_by_software(board)
    assert started_by(board) == BY_SOFTWARE


def test_ctrl_d_is_told_whatever_reset_the_chip_before(board: Board):
    restart_by_software(board)
    restart_at_the_prompt(board)
    assert started_by(board) == AT_PROMPT
    restart_at_the_prompt(board)
    assert started_by(board) == AT_PROMPT
    restart_by_software(board)
    assert started_by(board) == BY_SOFTWARE


@pytest.mark.control("C-07")
def test_power_the_run_pin_and_the_watchdog(board: Board, bench):
    stimulator = bench.board("stimulator")
    assert started_by(board) == BY_POWER
    stimulator.hang()
    bench.run_for(HUNG_NS)
    board.rebooted()
    assert started_by(board) == BY_WATCHDOG
    stimulator.reset()
    board.rebooted()
    assert started_by(board) == BY_POWER
    restart_at_the_prompt(board)
    assert started_by(board) == AT_PROMPT
    stimulator.hang()
    bench.run_for(HUNG_NS)
    board.rebooted()
    assert started_by(board) == BY_WATCHDOG


def test_a_programmer_that_loads_an_image_restarts_by_software(board: Board, bench):
    """BOOTSEL's restart is a watchdog's too, timed; what tells it apart is SCRATCH4, which it sets to 0."""
    stimulator = bench.board("stimulator")
    stimulator.write_word(0x4005801C, 0)
    stimulator.hang()
    bench.run_for(HUNG_NS)
    board.rebooted()
    assert started_by(board) == BY_SOFTWARE
