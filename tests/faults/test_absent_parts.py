"""A part that is not there: the self-test names it and nothing else, and the board does not stimulate."""

import pytest
from stimbench.errors import WrongStateError
from stimbench.parts.wiring import StimulatorWiring
from stimfw.protocol import messages, requests
from support import scene
from support.board import Board
from support.scene import HOLD, MS

TEST_UA = 2000
TOLERANCE_UA = 100
RADIO_NS = 1100 * MS
"""The firmware checks the radio each second (docs/firmware.md)."""


def without(*parts):
    return pytest.mark.bench(wiring={"stimulator": StimulatorWiring(absent=parts)})


def assert_refuses(board, bench, part):
    """START and IMPEDANCE are refused because of the self-test, and nothing moves."""
    since_ns = bench.now_ns
    with pytest.raises(WrongStateError) as refused:
        board.client.start()
    assert (refused.value.state, refused.value.reason) == (messages.FAULT, messages.REASON_SELF_TEST)
    code, body = board.ask(requests.IMPEDANCE)
    assert (code, body[1]) == (messages.WRONG_STATE, messages.REASON_SELF_TEST)
    scene.assert_stays_off(bench, since_ns, 200 * MS)
    status = board.client.status()
    assert (status.state, status.failed_parts) == (messages.FAULT, (part,))


@without("radio")
def test_an_absent_radio_is_named_at_boot(board: Board, bench):
    """It refuses nothing to a host on USB: test_usb_only.py."""
    board.set(**HOLD)
    status = board.client.status()
    assert (status.state, status.failed_parts) == (messages.READY, ("radio",))
    assert scene.edges(bench) == []


@pytest.mark.control("C-36")
@pytest.mark.parametrize("part", [pytest.param(part, marks=without(part)) for part in ("dac", "matrix")])
def test_the_self_test_names_what_is_absent(board: Board, bench, part):
    board.set(**HOLD)
    assert board.client.self_test() == (part,)
    assert_refuses(board, bench, part)


@pytest.mark.control("C-15", "C-36")
@pytest.mark.parametrize("part", [pytest.param(part, marks=without(part)) for part in ("dac", "matrix")])
def test_a_session_without_it_ends_in_its_own_self_test(board: Board, bench, part):
    board.set(**HOLD)
    board.client.start()
    board.wait_state(messages.FAULT)
    assert board.client.status().stop_cause == messages.STOPPED_FAULT
    assert_refuses(board, bench, part)
    assert scene.most_current_ua(bench) <= TEST_UA + TOLERANCE_UA


@pytest.mark.control("C-36", "C-08")
def test_a_radio_lost_while_pulsing_ends_the_session_and_its_return_starts_nothing(board: Board, bench):
    scene.pulse(board)
    bench.run_for(500 * MS)
    radio, lost_ns = bench.board("stimulator").parts.radio, bench.now_ns
    assert scene.last_current_ns(bench) > lost_ns - scene.PERIOD_MS * MS
    radio.power(False)
    bench.run_for(RADIO_NS)
    assert lost_ns < scene.last_current_ns(bench) <= lost_ns + RADIO_NS
    assert board.client.status().stop_cause == messages.STOPPED_FAULT
    assert_refuses(board, bench, "radio")
    radio.power(True)
    back_ns = bench.now_ns
    bench.run_for(2 * RADIO_NS)
    assert (board.state(), board.client.status().failed_parts) == (messages.READY, ())
    scene.assert_stays_off(bench, back_ns)


def test_with_everything_there_it_passes_and_no_electrode_pair_carries_a_test(board: Board, bench):
    assert board.client.self_test() == ()
    assert board.state() == messages.READY
    assert scene.most_current_ua(bench) <= TEST_UA + TOLERANCE_UA
