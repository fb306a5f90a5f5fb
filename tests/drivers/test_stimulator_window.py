"""The patient's amplitude window: it belongs to one programme, and ends with it."""

import struct

import pytest
from stimfw.protocol import messages, requests, roles
from stimfw.therapy import program
from support.clinic import CLINICIAN, CLOSED, USB, WINDOW_UA, Clinic

SENDERS = ((roles.CLINICIAN, CLINICIAN), (roles.SERVICE, USB))
OTHER_VALUES = {
    "width_us": 1000, "gap_us": 100, "rate_hz": 40, "ramp_up_ms": 100, "ramp_down_ms": 100, "on_ms": 5000,
    "off_ms": 5000, "session_s": 60, "left.cathode": 3, "left.anode": 3, "right.cathode": 3, "right.anode": 3,
    "contact_s": 30,
}  # fmt: skip



@pytest.mark.control("C-13")
@pytest.mark.parametrize("field", OTHER_VALUES)
@pytest.mark.parametrize(("role", "sender"), SENDERS)
def test_each_change_but_of_amplitude_closes_it_whoever_sends_it(field, role, sender):
    clinic = Clinic()
    assert clinic.patient_may(1000, 1000)
    wanted = clinic.program_with(**{field: OTHER_VALUES[field]})
    assert clinic.ask(requests.SET_PROGRAM, wanted, role, sender)[0] == messages.OK
    assert clinic.window() == CLOSED and not clinic.patient_may(1000, 1000)
    # Its opening by the clinician's own slot is a minute's one event with its closing.
    assert clinic.window_events()[-1] == (sender, 0)


def test_every_field_but_amplitudes_was_tried():
    assert set(OTHER_VALUES) == {name for name in program.FIELD_NAMES if not name.endswith(".amplitude_ua")}


@pytest.mark.parametrize(("role", "sender"), SENDERS)
def test_a_programme_with_other_amplitudes_keeps_it(role, sender):
    clinic = Clinic()
    for changes in ({}, {"left__amplitude_ua": 9000}, {"left__amplitude_ua": 0, "right__amplitude_ua": 25}):
        body = clinic.program_with(**changes)
        assert clinic.ask(requests.SET_PROGRAM, body, role, sender)[0] == messages.OK
    assert clinic.ask(requests.AMPLITUDE, struct.pack("<HH", 9000, 9000), role, sender)[0] == messages.OK
    assert clinic.window() == WINDOW_UA and clinic.patient_may(4000, 0)
    assert clinic.window_events() == [(CLINICIAN, 1)]


def test_a_change_back_does_not_open_it_again():
    clinic = Clinic()
    before = clinic.program_with()
    for body in (clinic.program_with(width_us=1000), before):
        assert clinic.ask(requests.SET_PROGRAM, body)[0] == messages.OK
    assert clinic.window() == CLOSED and not clinic.patient_may(1000, 1000)


def test_a_programme_that_is_refused_keeps_it():
    clinic = Clinic()
    bad = bytearray(clinic.program_with())
    bad[0:2] = struct.pack("<H", 5000)
    assert clinic.ask(requests.SET_PROGRAM, bytes(bad))[0] == messages.OUT_OF_RANGE
    assert clinic.window() == WINDOW_UA
    assert clinic.ask(requests.START)[0] == messages.OK
    clinic.harness.run_to(messages.HOLD)
    assert clinic.ask(requests.SET_PROGRAM, clinic.program_with(width_us=1000))[0] == messages.WRONG_STATE
    assert clinic.window() == WINDOW_UA and clinic.patient_may(600, 600), "also while the output is on"


def test_it_is_closed_before_the_programme_is_another_one():
    clinic = Clinic()
    seen = []
    close, control = clinic.harness.control.on_program, clinic.harness.control
    control.on_program = lambda sender: (close(sender), seen.append((clinic.window(), control.program)))
    before = control.program
    assert clinic.ask(requests.SET_PROGRAM, clinic.program_with(gap_us=100))[0] == messages.OK
    assert seen == [(CLOSED, before)] and control.program.gap_us == 100


def test_a_factory_reset_closes_it():
    clinic = Clinic()
    clinic.dispatcher.sender = USB
    clinic.clinician.restore()
    assert clinic.window() == CLOSED and clinic.harness.control.program.amplitude_ua == (0, 0)
    assert clinic.window_events()[-1] == (USB, 0)
    clinic.clinician.restore()
    assert len(clinic.window_events()) == 2, "it was closed already"


@pytest.mark.control("C-13", "C-12")
def test_no_window_allows_what_no_programme_may_have():
    for window_ua in (
        (0, 10_025, 0, 0),
        (0, 0, 0, 10_025),
        (10, 1000, 0, 0),
        (0, 1010, 0, 0),
        (0, 0, 65_535, 65_535),
    ):
        clinic = Clinic()
        assert clinic.set_window(window_ua)[0] == messages.OUT_OF_RANGE, window_ua
        assert clinic.window() == WINDOW_UA
    for window_ua in ((2000, 1000, 0, 0), (0, 0, 25, 0)):
        assert clinic.set_window(window_ua)[0] == messages.OUT_OF_RANGE, "the lowest above the highest"
    # Whatever the window allows must still be an amplitude of a programme.
    assert not clinic.patient_may(510, 1000) and clinic.patient_may(525, 1000)


def test_who_has_no_role_is_bound_by_it_too():
    """Not only a patient: what is not a clinician at least."""
    clinic = Clinic()
    clinic.dispatcher.role = 0
    assert clinic.clinician.amplitude(9000, 0)[0] == messages.WRONG_STATE
