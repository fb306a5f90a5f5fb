"""Why the stimulator refuses in each of its states, written out a second time."""

from stimfw.protocol import messages
from stimfw.protocol.messages import FAULT, MEASURING, READY
from stimfw.therapy import machine
from support.control import control
from support.machine_states import (
    AWAKE,
    COMPLETE,
    CONTRACTING,
    HEALING,
    INTERFERENCE,
    MRI,
    REST_STATES,
    SESSION,
    SHUT,
    STATES,
    STORAGE,
    TRAIN,
    UNCONFIGURED,
    fed,
    in_state,
    reason,
)  # fmt: skip

BEGINNINGS = (machine.START, machine.TEST, machine.MEASURE, machine.SELF_TEST, machine.TRAIN)
ASKED = BEGINNINGS + (machine.PROGRAM, machine.LEFT_AMPLITUDE, machine.RIGHT_AMPLITUDE)


@control("C-09")
def test_what_was_sent_before_somebodys_stop_begins_nothing():
    """Not even again: a START while a session runs is held back like any other. The others have no output."""
    for event in ASKED:
        wanted = messages.REASON_JUST_STOPPED if event in BEGINNINGS else messages.REASON_NONE
        assert reason(READY, event, held=True) == wanted, event
    for state in CONTRACTING:
        assert reason(state, machine.START, held=True) == messages.REASON_JUST_STOPPED
        assert reason(state, machine.TEST, held=True) == messages.REASON_LOCKED
        assert reason(state, machine.LEFT_AMPLITUDE, held=True) == messages.REASON_NONE


def test_nothing_is_refused_that_can_begin():
    for event in ASKED:
        assert reason(READY, event) == messages.REASON_NONE, event
    assert reason(FAULT, machine.SELF_TEST, failed_parts=messages.PART_DAC) == messages.REASON_NONE


def test_what_is_not_refused_has_a_row_and_what_has_none_is_refused():
    for state in STATES:
        for event in ASKED:
            if reason(state, event) == messages.REASON_NONE:
                assert fed(state, event) is not None, (state, event)
            if fed(state, event) is None:
                assert reason(state, event) != messages.REASON_NONE, (state, event)


def test_while_a_measurement_or_a_train_runs_everything_is_refused_as_busy():
    for state in (MEASURING, TRAIN):
        for event in ASKED:
            assert reason(state, event, True, False, window=True) == messages.REASON_BUSY, event


def test_while_a_session_runs_only_amplitudes_and_another_start_are_not_locked():
    free = (machine.START, machine.LEFT_AMPLITUDE, machine.RIGHT_AMPLITUDE)
    for state in CONTRACTING:
        for event in ASKED:
            wanted = messages.REASON_NONE if event in free else messages.REASON_LOCKED
            assert reason(state, event) == wanted, (state, event)
        assert reason(state, machine.START, magnet_near=True) == messages.REASON_MAGNET
        assert reason(state, machine.START, has_amplitude=False) == messages.REASON_NO_AMPLITUDE


def test_reasons_come_in_their_order():
    """The window, failed parts, the magnet, the amplitudes; last what is over in a second."""
    radio = messages.PART_RADIO
    for event in (machine.START, machine.TEST):
        assert reason(READY, event, False, False, held=True) == messages.REASON_NO_AMPLITUDE
        assert reason(READY, event, True, True, held=True) == messages.REASON_MAGNET
        assert reason(FAULT, event, True, False, radio, True) == messages.REASON_PAIRING
        assert reason(FAULT, event, True, False, radio) == messages.REASON_SELF_TEST
        assert reason(READY, event, True, False) == messages.REASON_MAGNET
        assert reason(READY, event, False, False) == messages.REASON_NO_AMPLITUDE
    for event in (machine.MEASURE, machine.SELF_TEST, machine.TRAIN):
        assert reason(FAULT, event, True, False, radio, True) == messages.REASON_PAIRING
        assert reason(FAULT, event, True, False, radio) == messages.REASON_SELF_TEST
        assert reason(READY, event, True, False) == messages.REASON_MAGNET
        assert reason(READY, event, False, False) == messages.REASON_NONE


def test_only_a_self_test_overlooks_the_outputs_parts():
    for bit in (0, 1, 3, 4, 9, 10, 11, 12, 13, 14):
        part = 1 << bit
        for event in (machine.START, machine.TEST, machine.MEASURE, machine.TRAIN):
            assert reason(FAULT, event, failed_parts=part) == messages.REASON_SELF_TEST
        assert reason(FAULT, machine.SELF_TEST, failed_parts=part) == messages.REASON_NONE
    for bit in (2, 5, 6, 7, 8, 15):
        assert reason(FAULT, machine.SELF_TEST, failed_parts=1 << bit) == messages.REASON_SELF_TEST


def test_a_programme_at_rest_is_taken_whatever_else_there_is():
    for state in REST_STATES:
        for event in (machine.PROGRAM, machine.LEFT_AMPLITUDE, machine.RIGHT_AMPLITUDE):
            assert reason(state, event, True, False, window=True) == messages.REASON_NONE
        assert fed(state, machine.PROGRAM) == (state, 0)
    for state in REST_STATES + SESSION:
        for event in (machine.LEFT_AMPLITUDE, machine.RIGHT_AMPLITUDE):
            assert fed(state, event) == (state, machine.NOTE)


@control("C-59", "C-61")
def test_a_start_at_rest_is_refused_with_the_states_own_reason():
    """Whatever else would refuse it too, but the window, a failed part and the two locked modes."""
    for state, wanted in (
        (UNCONFIGURED, "it has no prescription"),
        (HEALING, "the healing time is not over"),
        (COMPLETE, "all sessions of today are done"),
        (INTERFERENCE, "something near it disturbs its measurements: try again later, at another place"),
        (MRI, "MRI mode: only a clinician ends it"),
        (STORAGE, "it is in storage"),
    ):
        for magnet_near in (False, True):
            for has_amplitude in (False, True):
                for held in (False, True):
                    found = reason(state, machine.START, magnet_near, has_amplitude, held=held)
                    assert messages.REASON_TEXTS[found] == wanted, state
    one = in_state(READY)
    one.feed(machine.SETTLED, machine.CONDITION_FAULT)  # the watch's fault: no part has failed
    found = one.refusal(machine.START, False, True)
    assert messages.REASON_TEXTS[found] == "it has found a fault: call the clinic"


def test_a_clinician_can_measure_and_test_in_every_state_at_rest_but_the_locked_modes():
    for event in (machine.MEASURE, machine.SELF_TEST, machine.TRAIN):
        for state in AWAKE:
            if state != FAULT:
                assert reason(state, event, has_amplitude=False) == messages.REASON_NONE, (state, event)
        assert [reason(state, event) for state in SHUT] == [23, 24]
    one = in_state(READY)
    one.feed(machine.SETTLED, machine.CONDITION_FAULT)
    for event in (machine.MEASURE, machine.SELF_TEST, machine.TRAIN):
        assert one.refusal(event, False, False) == messages.REASON_NONE


# Why each event is refused where nothing else stands against it, by state: the whole matrix a second time.
# Columns: START TEST MEASURE SELF_TEST TRAIN PROGRAM LEFT_AMPLITUDE RIGHT_AMPLITUDE.
MATRIX = (
    (0, 0, 0, 0, 0, 0, 0, 0),  # ready
    (0, 2, 2, 2, 2, 2, 0, 0),  # ramp up
    (0, 2, 2, 2, 2, 2, 0, 0),  # hold
    (0, 2, 2, 2, 2, 2, 0, 0),  # ramp down
    (0, 2, 2, 2, 2, 2, 0, 0),  # rest
    (5, 5, 5, 5, 5, 5, 5, 5),  # measuring impedance
    (1, 1, 1, 1, 1, 0, 0, 0),  # fault: a part that no self-test clears
    (16, 16, 0, 0, 0, 0, 0, 0),  # unconfigured
    (17, 17, 0, 0, 0, 0, 0, 0),  # healing
    (0, 0, 0, 0, 0, 0, 0, 0),  # stopped
    (18, 18, 0, 0, 0, 0, 0, 0),  # complete
    (22, 2, 2, 2, 2, 2, 0, 0),  # interference
    (23, 23, 23, 23, 23, 0, 0, 0),  # mri mode
    (24, 24, 24, 24, 24, 0, 0, 0),  # storage
    (5, 5, 5, 5, 5, 5, 5, 5),  # test train
)


def expected(state, event, magnet, amplitude, window, part, held):
    """The reason, from MATRIX and the order of what stands against it."""
    alone = MATRIX[state][ASKED.index(event)]
    if alone in (messages.REASON_LOCKED, messages.REASON_BUSY) or event not in BEGINNINGS:
        return alone
    if window:
        return messages.REASON_PAIRING
    if state in SHUT:
        return alone
    if part:
        return messages.REASON_SELF_TEST
    if alone:
        return alone
    if magnet:
        return messages.REASON_MAGNET
    if event in (machine.START, machine.TEST) and not amplitude:
        return messages.REASON_NO_AMPLITUDE
    return messages.REASON_JUST_STOPPED if held else messages.REASON_NONE


@control("C-59", "C-61")
def test_every_refusal_in_every_state():
    for state in STATES:
        for part in (0, messages.PART_RADIO):
            one = in_state(state)
            if part:
                one.failed_parts = part
            for bits in range(16):
                magnet, amplitude, window, held = [bool(bits >> bit & 1) for bit in range(4)]
                one.window_open = window
                for event in ASKED:
                    found = one.refusal(event, magnet, amplitude, held)
                    wanted = expected(state, event, magnet, amplitude, window, part, held)
                    assert found == wanted, (state, event, part, bits)


def test_a_part_that_is_spared_refuses_nothing_until_it_was_mended():
    radio = messages.PART_RADIO
    one = machine.Machine(radio)
    assert one.state == messages.FAULT and one.spared == 0
    one.spare(radio | messages.PART_DAC)
    assert (one.state, one.failed_parts, one.spared) == (messages.READY, radio, radio)
    for event in (machine.START, machine.TEST, machine.MEASURE, machine.SELF_TEST):
        assert one.refusal(event, False, True) == messages.REASON_NONE
        assert one.refusal(event, True, True) == messages.REASON_MAGNET
    one.feed(machine.FAILED, messages.PART_DAC)
    assert one.state == messages.FAULT
    assert one.refusal(machine.START, False, True) == messages.REASON_SELF_TEST
    one.feed(machine.MENDED, messages.PART_DAC)
    assert one.state == messages.READY and one.spared == radio
    one.feed(machine.MENDED, radio)
    assert (one.state, one.failed_parts, one.spared) == (messages.READY, 0, 0)
    one.feed(machine.FAILED, radio)
    assert one.state == messages.FAULT
    assert one.refusal(machine.START, False, True) == messages.REASON_SELF_TEST
