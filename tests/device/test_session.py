"""Sessions as a host sees them: what is locked, what stops them, what they cost."""

import pytest
from stimbench.errors import WrongStateError
from stimfw.protocol import console_frame, messages, requests
from support.board import Board
from support.scene import HOLD, PULSING, STATES, bring_to, pulse

LOCKED_CHANGES = (
    {"width_us": 300},
    {"gap_us": 10},
    {"rate_hz": 30},
    {"ramp_up_ms": 10},
    {"on_ms": 2000},
    {"off_ms": 0},
    {"session_s": 61},
    {"contact_s": 20},
    {"left__cathode": 0},
    {"right__anode": 3},
)
TWO_CYCLES_S = 20.0  # one takes 2.1 s; more is for a wired board whose host is busy


def refused(call):
    with pytest.raises(WrongStateError) as caught:
        call()
    return caught.value.reason


def test_a_self_test_is_stopped_by_a_stop_right_behind_it(board: Board):
    """It takes 60 ms: a wired board's host that waits for an answer may come too late."""
    frames = [
        console_frame.encode(number, messages.request(opcode))
        for number, opcode in ((100, requests.SELF_TEST), (101, requests.STOP))
    ]
    board.write(b"".join(frames))
    board.wait_state(messages.READY)
    assert board.client.status().stop_cause == messages.STOPPED_HOST


@pytest.mark.control("C-01")
@pytest.mark.parametrize("name", [name for name in STATES if name != "self-test"])
def test_the_host_stops_it_in_every_state(board: Board, name):
    bring_to(board, name)
    board.client.stop()
    status = board.client.status()
    assert (status.state, status.amplitude_ua) == (messages.READY, (0, 0))
    assert status.stop_cause == messages.STOPPED_HOST


@pytest.mark.control("C-14")
def test_all_but_the_amplitude_is_locked_while_pulsing(board: Board):
    pulse(board)
    before = board.client.program()
    for changes in LOCKED_CHANGES:
        assert refused(lambda changes=changes: board.set(**changes)) == messages.REASON_LOCKED, changes
    assert board.client.program().values == before.values and board.state() == messages.HOLD
    board.set(left__amplitude_ua=1500)
    board.wait(0.15)
    assert board.client.status().amplitude_ua == (1500, 3000)


@pytest.mark.control("C-39")
def test_measurements_are_refused_while_pulsing(board: Board):
    pulse(board)
    for opcode in (requests.IMPEDANCE, requests.SELF_TEST):
        code, body = board.ask(opcode)
        assert code == messages.WRONG_STATE and body[1] == messages.REASON_LOCKED
    assert board.state() in PULSING


def test_start_and_programmes_are_refused_while_measuring(board: Board):
    board.set(**HOLD)
    assert board.ask(requests.IMPEDANCE)[0] == messages.OK
    assert refused(board.client.start) == messages.REASON_BUSY
    assert refused(lambda: board.set(left__amplitude_ua=0)) == messages.REASON_BUSY
    board.client.stop()
    board.client.start()


@pytest.mark.control("C-14")
def test_moved_electrodes_zero_their_leads_amplitude(board: Board):
    board.set(left__amplitude_ua=2000, right__amplitude_ua=3000)
    assert board.set(left__cathode=0).amplitude_ua == (0, 3000)
    assert board.set(right__anode=3).amplitude_ua == (0, 0)


def test_zero_amplitudes_are_refused(board: Board):
    assert refused(board.client.start) == messages.REASON_NO_AMPLITUDE
    assert board.state() == messages.READY


def test_a_cycle_goes_through_its_states_and_is_counted(board: Board):
    board.set(**dict(HOLD, ramp_up_ms=300, ramp_down_ms=300, on_ms=1000, off_ms=500))
    board.client.start()
    seen = []

    def second_cycle_began():
        state = board.state()
        if seen[-1:] != [state]:
            seen.append(state)
        return len(seen) == 5

    board.wait_for(second_cycle_began, TWO_CYCLES_S)
    order = [messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST]
    assert seen == [*order, messages.RAMP_UP]
    assert board.client.details().cycles == 1
    board.client.stop()


@pytest.mark.control("C-37")
def test_the_board_measures_what_it_delivers(board: Board):
    pulse(board)
    samples = board.client.pulses()
    assert len(samples) >= 8
    for sample in samples[2:]:
        wanted_ua = (2000, 3000)[sample.lead]
        assert abs(sample.current_ua - wanted_ua) <= 0.02 * wanted_ua + 20
    board.client.stop()


def heap_after_sessions(board, count):
    """Bytes free after so many sessions since a reset: power-on leaves other words on the stack."""
    board.reset()
    board.set(**HOLD)
    for _ in range(count):
        board.client.start()
        board.wait_state(messages.HOLD)
        board.wait(0.5)
        board.client.stop()
    board.wait(0.1)
    return board.free_heap()


@pytest.mark.control("C-40")
def test_more_sessions_hold_no_more_heap(board: Board):
    assert heap_after_sessions(board, 4) == heap_after_sessions(board, 1)
