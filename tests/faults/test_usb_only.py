"""A board without a radio that works, on USB alone: what runs, what ends it, and what a radio changes."""

import pytest
from stimbench.errors import WrongStateError
from stimbench.parts.wiring import StimulatorWiring
from stimfw.protocol import messages, requests
from stimfw.stimulator.host_watch import SILENT_MS
from support import scene
from support.board import Board
from support.scene import HOLD, MS, S

RADIO_NS = 1100 * MS
"""The firmware checks the radio each second (docs/firmware.md)."""
ASKED_EACH_S = 0.5
LATE_MS = 60
"""A pass of the loop, and the request's own time on USB."""
HOST_GONE = messages.STOP_NAMES.index("host gone")


def wired(**wiring):
    return pytest.mark.bench(wiring={"stimulator": StimulatorWiring(**wiring)})


ABSENT = wired(absent=("radio",))


def attend(board, seconds):
    """Stay there: a request each half a second."""
    for _ in range(round(seconds / ASKED_EACH_S)):
        board.wait(ASKED_EACH_S)
        board.client.uptime_ms()


@ABSENT
def test_it_is_ready_and_says_that_the_radio_does_not_answer(board: Board):
    status = board.client.status()
    assert (status.state, status.failed_parts, status.radio) == (messages.READY, ("radio",), "no answer")


@ABSENT
def test_a_session_goes_on_as_long_as_the_host_asks(board: Board, bench):
    scene.pulse(board)
    attend(board, 10)
    assert board.state() == messages.HOLD
    assert scene.last_current_ns(bench) > bench.now_ns - scene.PERIOD_MS * MS


@pytest.mark.control("C-75")
@pytest.mark.parametrize("state", ["hold", "rest", "ramp up"])
@ABSENT
def test_a_host_that_vanishes_ends_the_session_in_two_seconds(board: Board, bench, state):
    scene.bring_to(board, state)
    board.wait_state(scene.STATES[state][1])
    board.client.uptime_ms()
    asked_ns = bench.now_ns
    bench.run_for((SILENT_MS - LATE_MS) * MS)
    pulsed_ns = scene.last_current_ns(bench)
    if state != "rest":
        assert pulsed_ns > bench.now_ns - 2 * scene.PERIOD_MS * MS, "not before"
    bench.run_for(2 * LATE_MS * MS)
    assert bench.now_ns <= asked_ns + 2060 * MS
    gone_ns = bench.now_ns
    scene.assert_stays_off(bench, gone_ns, 3 * S)
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, HOST_GONE)


@ABSENT
def test_it_measures_and_tests_itself(board: Board):
    assert board.client.self_test() == ("radio",)
    assert {pair.kind_name for pair in board.client.measure_impedance()} == {"ok"}
    assert board.state() == messages.READY


@ABSENT
def test_a_host_that_attends_sees_the_whole_session(board: Board):
    board.set(**(HOLD | {"on_ms": 2000, "off_ms": 2000, "session_s": 60}))
    board.client.start()
    ended = board.client.attend()
    assert (ended.state, ended.stop_cause) == (messages.READY, messages.STOPPED_SESSION_OVER)


@ABSENT
def test_stop_and_magnet_end_it_as_ever(board: Board, bench):
    scene.pulse(board)
    board.client.stop()
    stopped_ns = bench.now_ns
    scene.assert_stays_off(bench, stopped_ns, 200 * MS)
    assert board.client.status().stop_cause == messages.STOPPED_HOST
    board.client.start()
    board.wait_state(messages.HOLD)
    bench.magnet(True)
    board.wait(0.1)
    assert board.client.status().stop_cause == messages.STOPPED_MAGNET
    with pytest.raises(WrongStateError, match="magnet"):
        board.client.start()


@pytest.mark.control("C-75")
@wired(radio_reset_ms=4000)
def test_with_the_radio_back_nothing_is_other_than_ever(board: Board, bench):
    """It was there too late for the start. From then on STOP comes by radio, and its loss ends a session."""
    assert board.client.status().failed_parts == ("radio",)
    bench.run_for(4000 * MS + RADIO_NS)
    assert board.client.status().failed_parts == ()
    scene.pulse(board)
    bench.run_for(2 * SILENT_MS * MS)
    assert board.state() == messages.HOLD
    bench.board("stimulator").parts.radio.power(False)
    bench.run_for(RADIO_NS)
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.FAULT, messages.STOPPED_FAULT)
    with pytest.raises(WrongStateError):
        board.client.start()


def test_with_a_radio_nobody_has_to_ask(board: Board, bench):
    assert board.client.status().radio == "works"
    scene.pulse(board)
    bench.run_for(2 * SILENT_MS * MS)
    assert board.state() == messages.HOLD


@ABSENT
def test_any_other_part_that_fails_lets_nothing_begin(board: Board, bench):
    bench.board("stimulator").parts.rails.lose()
    assert board.client.self_test() != ("radio",)
    board.set(**HOLD)
    code, body = board.ask(requests.START)
    assert (code, body) == (messages.WRONG_STATE, bytes((messages.FAULT, messages.REASON_SELF_TEST)))


@pytest.mark.control("C-75")
@wired(radio_module="nrf24l01")
def test_a_predecessor_of_the_radio_is_named_and_never_used(board: Board, bench):
    bench.run_for(3 * RADIO_NS)
    status = board.client.status()
    assert (status.state, status.failed_parts) == (messages.READY, ("radio",))
    assert status.radio == "needs ACTIVATE: no nRF24L01+"
    radio = bench.board("stimulator").parts.radio
    assert radio.mode.name == "POWER_DOWN"
    scene.pulse(board)
    bench.run_for((SILENT_MS + LATE_MS) * MS)
    assert board.client.status().stop_cause == HOST_GONE


@wired(radio_module="si24r1")
def test_a_clone_is_used_as_the_original(board: Board):
    status = board.client.status()
    assert (status.state, status.failed_parts, status.radio) == (messages.READY, (), "works")
