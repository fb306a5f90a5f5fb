"""What a board looks at when it starts: its clocks, and the +-15 V of the output stage."""

import pytest
from stimbench.parts.wiring import StimulatorWiring
from stimfw.protocol import messages
from support.board import INTERRUPT, SOFT_RESET, Board
from support.scene import HOLD, pulse

SYSTEM_HZ = 125_000_000
OTHER_HZ = 200_000_000


def restart_at_the_prompt(board, command):
    """Run a command at the prompt, then Ctrl-D."""
    board.write(INTERRUPT)
    board.wait(0.2)
    board.write(command + b"\r")
    board.wait(0.2)
    board.discard_input()
    board.write(SOFT_RESET)
    board.wait_ready()


@pytest.mark.control("C-15")
def test_a_system_clock_that_somebody_changed_is_put_right_by_a_soft_reset(board: Board, bench):
    clocks = bench.board("stimulator").mcu.clocks
    board.write(INTERRUPT)
    board.wait(0.2)
    board.write(b"import machine; machine.freq(%d)\r" % OTHER_HZ)
    board.wait(0.2)
    assert clocks.sys_hz == OTHER_HZ, "the chip's own registers"
    restart_at_the_prompt(board, b"")
    assert clocks.sys_hz == SYSTEM_HZ
    assert board.client.status().failed_parts == ()
    pulse(board, **HOLD)


@pytest.mark.control("C-15")
def test_a_clock_that_cannot_be_put_right_is_named(board: Board, bench):
    bench.board("stimulator").mcu.clocks.plls[0].fault_share = 1.01
    restart_at_the_prompt(board, b"")
    assert board.client.status().failed_parts == ("clock",)


@pytest.mark.bench(wiring={"stimulator": StimulatorWiring(rails_ms=180.0)})
def test_a_supply_that_is_slow_is_waited_for(board: Board, bench):
    assert board.client.status().failed_parts == ()
    assert board.client.self_test() == ()


@pytest.mark.control("C-15")
@pytest.mark.bench(wiring={"stimulator": StimulatorWiring(rails_ms=60_000.0)})
def test_a_supply_that_does_not_come_is_named(board: Board, bench):
    assert board.client.status().failed_parts == ("supply",)
    assert board.client.status().state == messages.FAULT


def test_a_supply_that_is_lost_ends_the_self_test(board: Board, bench):
    bench.board("stimulator").parts.rails.lose()
    assert board.client.self_test() == ("supply",)
