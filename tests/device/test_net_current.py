"""Too much net direct current, on a board: refused by each request that asks for it, and nothing changes."""

import struct

import pytest
from stimfw.protocol import messages, requests
from stimfw.therapy.net_current import most_ua
from support.board import Board

CORNER = {"width_us": 1000, "gap_us": 500, "rate_hz": 198, "ramp_up_ms": 0, "ramp_down_ms": 0, "on_ms": 1000}
LONG = {"ramp_up_ms": 10_000, "ramp_down_ms": 10_000, "on_ms": 13_000}
CORNER_UA = 10_000
LEFT = 8  # in program.FIELD_NAMES
REFUSED = messages.OUT_OF_RANGE, struct.pack("<BI", LEFT, CORNER_UA)


@pytest.mark.control("C-43")
def test_the_corner_of_the_largest_pulses_is_refused_and_what_fits_is_taken(board: Board):
    client = board.client
    client.set_program(client.program().replaced(CORNER | {"left.amplitude_ua": 0, "right.amplitude_ua": 0}))
    quiet = client.program()
    values = list(quiet.values)
    values[LEFT] = CORNER_UA
    assert board.ask(requests.SET_PROGRAM, struct.pack("<HHHHHHIHHBBHBBH", *values)) == REFUSED
    assert board.ask(requests.AMPLITUDE, struct.pack("<HH", CORNER_UA, 0)) == REFUSED
    assert board.ask(requests.SET_WINDOW, struct.pack("<HHHH", 0, CORNER_UA, 0, 0)) == REFUSED
    assert client.program().values == quiet.values and not client.window().is_open
    most = most_ua(1000, 500, quiet.period_us, 0, 1000, 0)
    client.amplitude(most, 0)
    assert client.program().amplitude_ua == (most, 0)
    assert board.ask(requests.AMPLITUDE, struct.pack("<HH", most + 25, 0))[0] == messages.OUT_OF_RANGE


def test_a_test_of_pulses_that_take_a_longer_contraction_does_not_begin(board: Board):
    client = board.client
    wanted = client.program().replaced(CORNER | LONG | {"left.amplitude_ua": CORNER_UA})
    client.set_program(wanted)
    assert client.program().values == wanted.values
    assert board.ask(requests.TEST_STIMULATION, b"\x01") == REFUSED
    assert client.status().state == messages.READY
