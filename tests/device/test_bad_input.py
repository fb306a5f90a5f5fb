"""Whatever comes in on the console: refused whole and counted, and nothing changes."""

import struct

import pytest
from stimfw.protocol import console_frame, messages, requests
from stimfw.therapy import program
from stimfw.therapy.program import FIELD_NAMES, range_of
from support.board import Board
from support.scene import noise

LAYOUT = "<HHHHHHIHHBBHBBH"
WIDEST = {"H": 0xFFFF, "I": 0xFFFFFFFF, "B": 0xFF}
ANSWERS_S = 5.0  # for a wired board whose host is busy
OPCODES = range(requests.IDENTIFY, requests.FACTORY_RESET + 1)
BODIES = {
    requests.IMPEDANCE_RESULTS: 1,
    requests.PULSES: 4,
    requests.SET_PROGRAM: program.PACKED_BYTES,
    requests.AMPLITUDE: 4,
    requests.SET_WINDOW: 8,
    requests.TEST_STIMULATION: 1,
    requests.LOG: 4,
    requests.SET_TIME: 4,
    requests.STRANGERS: 4,
    requests.PAIR: 37,
    requests.FORGET: 1,
}


def wrong_values(name, letter):
    """Values beyond the range of a field that its place on the wire can hold."""
    one = range_of(name)
    below = [one.low - 1] if one.low else []
    between = [one.low + 1] if one.step > 1 else []
    return [*below, *between, one.high + one.step, WIDEST[letter]]


@pytest.mark.control("C-12")
def test_every_field_out_of_range_is_refused_by_index_and_value(board: Board):
    before = board.client.program()
    refused = 0
    for index, name in enumerate(FIELD_NAMES):
        for value in wrong_values(name, LAYOUT[1 + index]):
            values = list(before.values)
            values[index] = value
            answer = board.ask(requests.SET_PROGRAM, struct.pack(LAYOUT, *values))
            assert answer == (messages.OUT_OF_RANGE, struct.pack("<BI", index, value)), (name, value)
            refused += 1
    assert board.client.program().values == before.values
    assert board.client.counters()["refused"] == refused


def test_fields_that_do_not_fit_together_are_refused(board: Board):
    before = board.client.program()
    for changes, field in (
        ({"width_us": 1000, "gap_us": 500, "rate_hz": 200}, "rate_hz"),
        ({"left.anode": before.cathode[0]}, "left.anode"),
        ({"right.cathode": before.anode[1]}, "right.anode"),
    ):
        values = list(before.values)
        for name, value in changes.items():
            values[FIELD_NAMES.index(name)] = value
        code, body = board.ask(requests.SET_PROGRAM, struct.pack(LAYOUT, *values))
        assert code == messages.OUT_OF_RANGE and body[0] == FIELD_NAMES.index(field)
    assert board.client.program().values == before.values


def test_an_unknown_opcode_is_refused(board: Board):
    for opcode in (0, 0x2F, 0x55, 0x7F):
        assert board.ask(opcode) == (messages.UNKNOWN_OPCODE, b"")
    assert board.client.counters()["refused"] == 4
    assert board.state() == messages.READY


def test_a_body_of_a_wrong_length_is_refused(board: Board):
    asked = 0
    for opcode in OPCODES:
        right = BODIES.get(opcode, 0)
        for length in {max(0, right - 1), right + 1} - {right}:
            assert board.ask(opcode, bytes(length)) == (messages.BAD_LENGTH, b""), (opcode, length)
            asked += 1
    assert board.client.counters()["refused"] == asked
    assert board.state() == messages.READY


def test_a_lead_that_there_is_not_is_refused(board: Board):
    for lead in (2, 255):
        code, body = board.ask(requests.IMPEDANCE_RESULTS, bytes((lead,)))
        assert code == messages.OUT_OF_RANGE and struct.unpack("<BI", body)[1] == lead


def test_pulses_from_a_number_that_never_was(board: Board):
    for first in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
        code, body = board.ask(requests.PULSES, struct.pack("<I", first))
        assert code == messages.OK and len(body) == 4


@pytest.mark.control("C-44")
def test_cut_frames_are_counted_and_the_next_one_is_answered(board: Board):
    line = console_frame.encode(50, messages.request(requests.START))
    for cut in (1, 2, 5, len(line) - 2, len(line) - 1):
        board.write(line[:cut])
    counters = board.client.counters()
    assert counters["console_bad"] == 5
    assert board.state() == messages.READY


@pytest.mark.control("C-44")
def test_an_endless_line_is_counted_and_the_next_frame_is_answered(board: Board):
    board.write(b"~" + b"A" * 1500)
    assert board.client.counters()["console_oversized"] == 1
    assert board.state() == messages.READY


@pytest.mark.control("C-44")
def test_noise_on_the_console_does_nothing(board: Board):
    for data in noise(7, 24, 1, 100):
        board.write(data.replace(b"\x03", b"\x04"))  # 0x03 is Ctrl-C, on purpose
        board.write(b"~" + data.replace(b"\x03", b"~") + b"\n")
    before = board.client.counters()
    assert before["console_bad"] >= 20 and before["refused"] == 0
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_NEVER_ON)


def test_frames_repeated_and_out_of_order_are_all_answered(board: Board):
    receiver = console_frame.Receiver()
    answers = []

    def all_answered():
        answers.extend(found for byte in board.text() if (found := receiver.feed(byte)))
        return len(answers) >= 5

    for number in (9, 7, 7, 8, 9):
        board.write(console_frame.encode(number, messages.request(requests.GET_PROGRAM)))
        all_answered()
    assert board.wait_for(all_answered, ANSWERS_S)
    board.wait(0.05)
    all_answered()
    assert [number for number, _ in answers] == [9, 7, 7, 8, 9]
    assert len({body for _, body in answers}) == 1
