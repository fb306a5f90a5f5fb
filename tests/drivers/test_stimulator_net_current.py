"""Too much net direct current: refused whatever asks for it, before the output is on and while it is."""

import struct
import subprocess
import sys

import pytest
from stimfw.protocol import messages, requests, roles
from stimfw.therapy.net_current import most_ua
from support.clinic import CLOSED, PATIENT, WINDOW_UA, Clinic

LARGE = {"width_us": 1000, "gap_us": 500, "ramp_up_ms": 2000, "ramp_down_ms": 2000, "on_ms": 2000}
MOST_UA = most_ua(1000, 500, 50_000, 2000, 2000, 2000)
OVER_UA = MOST_UA + 25
LEFT, RIGHT = 8, 11  # in program.FIELD_NAMES


def clinic(**changes):
    one = Clinic(left__amplitude_ua=MOST_UA, right__amplitude_ua=0, **(LARGE | changes))
    assert 3000 < MOST_UA < 9000
    return one


def out_of_range(index, value):
    return messages.OUT_OF_RANGE, struct.pack("<BI", index, value)


@pytest.mark.control("C-43")
@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize(("left_ua", "right_ua", "index"), [(OVER_UA, 0, LEFT), (MOST_UA, OVER_UA, RIGHT)])
def test_amplitudes_and_programmes_that_ask_for_too_much_change_nothing(running, left_ua, right_ua, index):
    one = clinic()
    control = one.harness.control
    before = control.program
    if running:
        assert one.ask(requests.START)[0] == messages.OK
        one.harness.run_to(messages.HOLD)
    refused = out_of_range(index, OVER_UA)
    assert one.ask(requests.AMPLITUDE, struct.pack("<HH", left_ua, right_ua)) == refused
    wanted = bytearray(one.program_with())
    struct.pack_into("<H", wanted, 18, left_ua)
    struct.pack_into("<H", wanted, 22, right_ua)
    assert one.ask(requests.SET_PROGRAM, bytes(wanted)) == refused
    assert control.program is before and one.window() == WINDOW_UA
    one.harness.run_ms(200)
    assert one.harness.dac.ua == [MOST_UA if running else 0, 0]


def test_amplitudes_that_are_just_allowed_are_taken_while_the_output_is_on():
    one = clinic()
    assert one.ask(requests.START)[0] == messages.OK
    one.harness.run_to(messages.HOLD)
    assert one.ask(requests.AMPLITUDE, struct.pack("<HH", MOST_UA, MOST_UA))[0] == messages.OK
    one.harness.run_ms(200)
    assert one.harness.dac.ua == [MOST_UA, MOST_UA]


@pytest.mark.parametrize("window_ua", [(0, OVER_UA, 0, 0), (0, 0, 0, OVER_UA)])
def test_a_window_cannot_reach_too_far(window_ua):
    one = clinic()
    lead = LEFT if window_ua[1] else RIGHT
    assert one.set_window(window_ua) == out_of_range(lead, OVER_UA)
    assert one.window() == WINDOW_UA and one.patient_may(500, 0)
    assert one.set_window((0, MOST_UA, 0, MOST_UA))[0] == messages.OK
    assert one.patient_may(MOST_UA, MOST_UA) and not one.patient_may(OVER_UA, 0)


def test_a_test_too_short_for_the_amplitude_does_not_begin():
    one = clinic()
    for seconds in (1, 2):
        answer = one.ask(requests.TEST_STIMULATION, bytes([seconds]))
        assert answer == (out_of_range(LEFT, MOST_UA) if seconds == 1 else (messages.OK, b""))
    assert one.harness.control.state() != messages.READY


def test_a_patient_hears_of_the_window_first():
    one = clinic()
    body = struct.pack("<HH", OVER_UA, 0)
    assert one.ask(requests.AMPLITUDE, body, roles.PATIENT, PATIENT)[0] == messages.WRONG_STATE
    assert one.set_window(CLOSED)[0] == messages.OK


def test_a_board_loads_the_rule_with_the_first_programme_of_another_shape():
    """Its heap has no room for it: docs/figures.md, row heap."""
    script = (
        "import sys; from stimfw.therapy import program\n"
        "quiet = program.default().replaced({'off_ms': 0, 'left.amplitude_ua': 25})\n"
        "names = ('stimfw.therapy.net_current', 'stimfw.therapy.limits')\n"
        "assert not any(name in sys.modules for name in names)\n"
        "quiet.replaced({'rate_hz': 30})\n"
        "assert all(name in sys.modules for name in names)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
