"""Typed requests: results, refusals in words, wrong boards and wrong versions."""

from __future__ import annotations

import struct

import pytest
from stimbench.client import Stimulator, connect
from stimbench.errors import (
    AtPromptError,
    NoAnswerError,
    OutOfRangeError,
    ProtocolError,
    RefusedError,
    WrongBoardError,
    WrongStateError,
)
from stimfw.protocol import messages, requests
from stimfw.therapy import program


@pytest.fixture
def stimulator(board):
    return connect(board.link)


def test_identity_and_version_warning(board, stimulator):
    assert (stimulator.identity.role, stimulator.identity.build) == ("stimulator", "abcdef0123456789")
    assert stimulator.identity.warning == ""
    board.version = "9.9.9"
    assert "9.9.9" in stimulator.identify().warning


def test_a_remote_is_the_wrong_board(board):
    board.role = "remote"
    with pytest.raises(WrongBoardError, match="is a remote, not a stimulator"):
        connect(board.link)


def test_status(board, stimulator):
    board.failed_parts, board.magnet = messages.PART_RADIO | messages.PART_DAC, 1
    status = stimulator.status()
    assert status.failed_parts == ("dac", "radio")
    assert status.magnet
    assert (status.state_name, status.stop_name) == ("ready", "host")
    assert (status.amplitude_ua, status.session_s, status.supply_mv) == ((2000, 1500), 1234, 5010)


def test_a_state_of_a_newer_board_is_told_by_its_number(board, stimulator):
    board.state = 99
    assert stimulator.status().state_name == "unknown (99)"


def test_details_and_counters(stimulator):
    assert stimulator.details().left_pulses == 40
    assert stimulator.counters()["forbidden"] == len(messages.COUNTER_NAMES) - 1


def test_a_programme_goes_there_and_back(board, stimulator, other_program):
    stimulator.set_program(other_program)
    assert (
        stimulator.program().values == board.program.values == other_program.after(program.default()).values
    )
    stimulator.set_program(other_program)
    assert stimulator.program().values == other_program.values


def test_impedance_waits_for_the_board_and_returns_every_pair(board, stimulator):
    board.open_pairs = {(1, 2, 3)}
    polls = []
    pairs = stimulator.measure_impedance(polls.append)
    assert len(pairs) == 24
    assert {(p.lead, p.cathode, p.anode) for p in pairs if p.kind == messages.KIND_OPEN} == {(1, 2, 3)}
    assert {p.ohm for p in pairs if (p.cathode, p.anode) == (2, 1)} == {521}
    assert polls and polls == sorted(polls)


def test_the_self_test_waits_for_its_end_and_names_the_parts(board, stimulator):
    assert stimulator.self_test() == ()
    board.will_fail = messages.PART_MATRIX
    before_s = board.link.now_s()
    assert stimulator.self_test() == ("matrix",)
    assert board.link.now_s() - before_s >= 0.4


def test_impedance_that_never_ends_is_given_up(board, stimulator):
    board.state = messages.MEASURING
    with pytest.raises(NoAnswerError, match="within 2 s"):
        stimulator.measure_impedance(timeout_s=2.0)


def test_a_limit_counts_the_boards_time_and_not_the_hosts(board, stimulator):
    board.pace = 1 / 20
    begun_s = board.link.now_s()
    assert len(stimulator.measure_impedance(timeout_s=2.0)) == 24
    assert board.link.now_s() - begun_s > 2.0, "longer than the limit on the host's clock"
    board.state = messages.MEASURING
    begun_s = board.link.now_s()
    with pytest.raises(NoAnswerError, match="within 2 s"):
        stimulator.measure_impedance(timeout_s=2.0)
    assert 40 < board.link.now_s() - begun_s < 42


@pytest.mark.parametrize("a_reply", [1, 8])
def test_pulses_are_numbered_from_what_the_board_still_has(board, stimulator, a_reply):
    board.pulses_a_reply = a_reply
    samples = stimulator.pulses(3)
    assert [(s.number, s.lead, s.current_ua, s.late_mv) for s in samples] == [
        (7, 0, 1998, -1200),
        (8, 1, 2003, -1150),
    ]


@pytest.mark.parametrize("a_reply", [1, 3, 4])
@pytest.mark.parametrize("comes", [0, 2])
def test_pulses_are_the_newest_ones_and_in_order_whatever_comes_meanwhile(board, stimulator, a_reply, comes):
    board.pulses_a_reply, board.pulses_come = a_reply, comes
    board.samples = [(n & 1, 2000 + n, -1000, -1100) for n in range(100)]
    board.pulses_before = 0
    assert stimulator.pulse_count() == 100
    before = len(board.samples)
    found = stimulator.pulses(count=10)
    last = found[-1].number
    assert [(p.number, p.current_ua) for p in found] == [(n, 2000 + n) for n in range(last - 9, last + 1)]
    assert before - 1 <= last <= before + comes
    assert len(stimulator.pulses()) == 30
    assert [p.number for p in stimulator.pulses(50, 7)] == list(range(50, 57))


def test_pulses_begin_with_the_oldest_one_that_the_board_still_has(board, stimulator):
    board.samples, board.pulses_before = [(n & 1, n, 0, 0) for n in range(100)], 0
    board.pulses_kept = 60
    assert [p.number for p in stimulator.pulses(0, 5)] == [40, 41, 42, 43, 44]
    assert [p.number for p in stimulator.pulses(count=1000)] == list(range(40, 100))
    assert stimulator.pulses(100) == []


def test_without_pulses_there_are_none(board, stimulator):
    board.samples, board.pulses_before = [], 0
    assert (stimulator.pulse_count(), stimulator.pulses(), stimulator.pulses(0)) == (0, [], [])


def test_a_pulse_says_what_it_is(stimulator):
    assert [repr(pulse) for pulse in stimulator.pulses()] == [
        "<pulse 7 of the left lead, measured: 1998 uA, -1100 to -1200 mV>",
        "<pulse 8 of the right lead, measured: 2003 uA, -1000 to -1150 mV>",
    ]


def test_a_refused_field_is_named_with_value_and_range(board, stimulator):
    board.refuse[requests.SET_PROGRAM] = (messages.OUT_OF_RANGE, struct.pack("<BI", 8, 12_000))
    with pytest.raises(
        OutOfRangeError, match=r"left\.amplitude_ua = 12000: allowed is 0 to 10000 uA in steps of 25"
    ):
        stimulator.set_program(program.default())


def test_a_refusal_by_state_says_state_and_reason(board, stimulator):
    board.refuse[requests.START] = (messages.WRONG_STATE, bytes((messages.HOLD, messages.REASON_LOCKED)))
    with pytest.raises(WrongStateError, match="state 'hold', locked while the output is on") as caught:
        stimulator.start()
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("code", [messages.UNKNOWN_OPCODE, messages.BAD_LENGTH, messages.OUT_OF_RANGE, 77])
def test_other_refusals_are_refusals_too(board, stimulator, code):
    board.refuse[requests.STATUS] = (code, b"")
    with pytest.raises(RefusedError):
        stimulator.status()


@pytest.mark.parametrize("ask", ["status", "details", "program", "counters", "pulses", "identify"])
def test_a_reply_of_the_wrong_length_is_a_protocol_error(board, stimulator, ask):
    opcode = {"pulses": requests.PULSES, "identify": requests.IDENTIFY}.get(ask)
    for known in (
        (opcode,) if opcode else (requests.STATUS, requests.DETAILS, requests.GET_PROGRAM, requests.COUNTERS)
    ):
        board.refuse[known] = (messages.OK, b"abc")
    with pytest.raises(ProtocolError, match="different versions"):
        getattr(stimulator, ask)()


def test_a_lost_reply_to_start_is_not_asked_twice_and_says_so(board, stimulator):
    board.link.respond = lambda line, now_s: []
    before = len(board.link.written)
    with pytest.raises(NoAnswerError, match="may be on all the same"):
        stimulator.start()
    assert len(board.link.written) == before + 1


def test_stop_keeps_asking(board, stimulator):
    answers = iter([False, False, False, True])
    usual = board.respond
    board.link.respond = lambda line, now_s: usual(line, now_s) if next(answers) else []
    stimulator.stop()
    assert board.calls[-1] == requests.STOP


def test_a_console_in_the_raw_repl_is_named(make_link):
    def raw_repl(data, _now):
        return [(0.01, b"raw REPL; CTRL-B to exit\r\n>")] if data == b"\x01" else []

    link = make_link(raw_repl)
    with pytest.raises(AtPromptError, match=r"is in MicroPython's raw REPL and does not run its application"):
        connect(link)


def test_a_silent_board_is_asked_once_whether_it_is_in_the_raw_repl(make_link):
    link = make_link(lambda data, _now: [])
    with pytest.raises(NoAnswerError, match=r"No answer from /dev/fake in 3 s\."):
        connect(link)
    assert link.written.count(b"\x01") == 1 and link.written[-1] == b"\x01"


@pytest.mark.parametrize("begin", [Stimulator.measure_impedance, Stimulator.self_test])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, NoAnswerError])
def test_what_is_interrupted_does_not_go_on_at_the_board(board, stimulator, begin, failure):
    def interrupted(_seconds):
        raise failure

    board.link.wait = interrupted
    with pytest.raises(failure):
        begin(stimulator)
    assert board.calls[-1] == requests.STOP


def test_a_refused_measurement_stops_nothing(board, stimulator):
    board.refuse[requests.IMPEDANCE] = (messages.WRONG_STATE, bytes((messages.HOLD, messages.REASON_LOCKED)))
    with pytest.raises(WrongStateError):
        stimulator.measure_impedance()
    assert requests.STOP not in board.calls


def test_a_board_that_cannot_be_told_to_stop_is_named_on_what_interrupted_it(board, stimulator):
    def interrupted(_seconds):
        board.link.respond = lambda data, now: []
        raise KeyboardInterrupt

    board.link.wait = interrupted
    with pytest.raises(KeyboardInterrupt) as caught:
        stimulator.measure_impedance()
    assert caught.value.__notes__ == [
        "The output could not be told to stop: use the magnet. (No answer from /dev/fake in 5 s.)"
    ]
