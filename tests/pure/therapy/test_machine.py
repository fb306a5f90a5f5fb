"""Every state of the stimulator and every event in it, written out a second time."""

from stimfw.protocol import messages
from stimfw.protocol.messages import FAULT, HOLD, MEASURING, RAMP_DOWN, RAMP_UP, READY, REST
from stimfw.therapy import machine
from stimfw.therapy.machine import Machine
from support.control import control
from support.machine_states import (
    AWAKE,
    CONTRACTING,
    INTERFERENCE,
    MRI,
    ON,
    REST_STATES,
    SESSION,
    SHUT,
    STATES,
    STOPPED,
    STORAGE,
    TRAIN,
    fed,
    in_state,
)  # fmt: skip

BEGINS = machine.LIGHT | machine.NOTE | machine.TELL
ENDED = machine.OFF | machine.CAUSE | machine.TELL | machine.HOLD_BACK


def test_it_starts_ready_or_in_fault():
    assert Machine(0).state == READY and not Machine(0).is_on()
    for bit in range(8):
        assert Machine(1 << bit).state == FAULT and not Machine(1 << bit).is_on()


def test_a_session_a_measurement_and_a_train_are_on():
    assert [state for state in STATES if in_state(state).is_on()] == list(ON)


def test_what_is_asked_for_begins():
    session, measuring = machine.BEGIN_SESSION | BEGINS, machine.BEGIN_MEASURING | BEGINS
    for event in (machine.START, machine.TEST):
        begun = {state: fed(state, event) for state in STATES if state not in SESSION and fed(state, event)}
        assert begun == {READY: (RAMP_UP, session), STOPPED: (RAMP_UP, session)}
    for event in (machine.MEASURE, machine.SELF_TEST):
        begun = {state: fed(state, event) for state in STATES if fed(state, event)}
        assert begun == {state: (MEASURING, measuring) for state in AWAKE}
    begun = {state: fed(state, machine.TRAIN) for state in STATES if fed(state, machine.TRAIN)}
    assert begun == {state: (TRAIN, machine.BEGIN_TRAIN | machine.LIGHT | machine.TELL) for state in AWAKE}


def test_a_start_while_a_session_runs_does_nothing():
    for state in SESSION:
        assert fed(state, machine.START) == (state, 0)


def test_a_contraction_goes_round():
    one = in_state(RAMP_UP)
    for event, state in (
        (machine.RAMP_OVER, HOLD),
        (machine.HOLD_OVER, RAMP_DOWN),
        (machine.RAMP_OVER, REST),
        (machine.REST_OVER, RAMP_UP),
    ):
        assert one.over() == event
        assert one.feed(event) == machine.TELL and one.state == state


def test_parts_of_a_contraction_end_in_their_own_states_only():
    ends = {
        machine.RAMP_OVER: [RAMP_UP, RAMP_DOWN],
        machine.HOLD_OVER: [HOLD],
        machine.REST_OVER: [REST],
        machine.RESUMED: [INTERFERENCE],
    }
    for event, states in ends.items():
        assert [state for state in STATES if fed(state, event)] == states


@control("C-01")
def test_a_stop_turns_the_output_off_in_every_state():
    for state in STATES:
        after, effects = fed(state, machine.STOP, messages.STOPPED_HOST)
        if state in ON:
            assert (after, effects) == (READY, ENDED), state
        else:
            assert (after, effects) == (state, machine.OFF | machine.HOLD_BACK), state


@control("C-03")
def test_a_magnet_turns_the_output_off_in_every_state_and_is_noted():
    for state in STATES:
        after, effects = fed(state, machine.MAGNET)
        if state in ON:
            assert (after, effects) == (READY, ENDED | machine.NOTE), state
        else:
            assert (after, effects) == (state, machine.OFF | machine.NOTE | machine.HOLD_BACK), state


@control("C-36")
def test_a_lost_part_turns_the_output_off_in_every_state():
    for state in STATES:
        after, effects = fed(state, machine.FAILED, messages.PART_EPOCHS)
        wanted = ENDED | machine.NOTE if state in ON else ENDED & ~machine.CAUSE | machine.NOTE
        assert (after, effects) == (state if state in SHUT else FAULT, wanted), state


@control("C-05", "C-32")
def test_a_random_source_that_fails_ends_nothing_and_lets_nothing_begin():
    for state in STATES:
        one = in_state(state)
        effects = one.feed(machine.RANDOM_FAILED, messages.PART_RANDOM)
        if state in ON:
            assert (one.state, effects) == (state, machine.NOTE), state
        else:
            wanted = state if state in SHUT else FAULT
            assert (one.state, effects) == (wanted, machine.NOTE | machine.TELL), state
        one.feed(machine.STOP, messages.STOPPED_HOST)
        assert one.state == (state if state in SHUT else FAULT) and one.failed_parts & messages.PART_RANDOM
        for event in (machine.START, machine.TEST, machine.MEASURE, machine.SELF_TEST, machine.TRAIN):
            wanted = {MRI: 23, STORAGE: 24}.get(state, messages.REASON_SELF_TEST)
            assert one.refusal(event, False, True) == wanted


def test_effects_are_single_bits_in_the_order_in_which_they_are_carried_out():
    effects = (
        machine.OFF, machine.BEGIN_SESSION, machine.BEGIN_MEASURING, machine.LIGHT, machine.NOTE,
        machine.CAUSE, machine.TELL, machine.HOLD_BACK, machine.BEGIN_TRAIN,
    )  # fmt: skip
    assert effects == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert len(machine.EFFECT_NAMES) == len(effects)
    assert machine.EFFECT_NAMES[0] == "off" and machine.EFFECT_NAMES[-1] == "begin train"


def test_what_stands_for_no_state_is_none():
    for word in (machine.SAME, machine.IDLE):
        assert word not in STATES
    assert machine.SAME != machine.IDLE


def test_a_procedure_ends_only_where_one_runs():
    assert [state for state in STATES if fed(state, machine.ENDED)] == list(ON)
    for state in SESSION + (TRAIN,):
        assert fed(state, machine.ENDED) == (READY, ENDED)
    assert fed(MEASURING, machine.ENDED) == (READY, machine.OFF | machine.NOTE | machine.TELL)


def test_parts_fail_and_are_mended_one_by_one():
    one = in_state(READY)
    one.feed(machine.FAILED, messages.PART_RADIO)
    one.feed(machine.FAILED, messages.PART_DAC)
    assert (one.state, one.failed_parts) == (FAULT, messages.PART_RADIO | messages.PART_DAC)
    assert one.feed(machine.MENDED, messages.PART_RADIO) == machine.NOTE | machine.TELL
    assert (one.state, one.failed_parts) == (FAULT, messages.PART_DAC)
    one.feed(machine.MENDED, messages.PART_DAC)
    assert (one.state, one.failed_parts) == (READY, 0)
    for state in ON:
        assert fed(state, machine.MENDED, messages.PART_RADIO) == (state, machine.NOTE)


def test_a_self_test_answers_for_the_outputs_parts_alone():
    output = messages.PART_DAC | messages.PART_MATRIX | messages.PART_SENSE
    for found in (0, messages.PART_DAC, messages.PART_MATRIX | messages.PART_SENSE):
        one = Machine(output)
        one.feed(machine.SELF_TEST)
        assert one.feed(machine.TESTED, found) == 0 and one.state == MEASURING
        assert one.failed_parts == found
        one.feed(machine.ENDED)
        assert one.state == (FAULT if found else READY)
    one = Machine(output | messages.PART_RADIO)
    one.feed(machine.SELF_TEST)
    one.feed(machine.TESTED, 0)
    assert one.failed_parts == messages.PART_RADIO
    assert [state for state in STATES if fed(state, machine.TESTED)] == [RAMP_UP, MEASURING]


def test_a_session_whose_self_test_failed_ends_in_fault():
    one = in_state(RAMP_UP)
    one.feed(machine.TESTED, messages.PART_DAC)
    assert one.feed(machine.ENDED, messages.STOPPED_FAULT) == ENDED and one.state == FAULT


def test_the_pairing_window_opens_at_rest_only():
    for event in (machine.WINDOW_OPENED, machine.WINDOW_CLOSED):
        assert [state for state in STATES if fed(state, event)] == list(REST_STATES)
    one = in_state(READY)
    assert one.feed(machine.WINDOW_OPENED) == machine.NOTE | machine.TELL
    assert one.window_open and one.state == READY
    assert one.feed(machine.STOP) == machine.OFF | machine.HOLD_BACK and one.window_open
    assert one.feed(machine.WINDOW_CLOSED) == machine.NOTE | machine.TELL and not one.window_open


def test_a_machine_starts_without_a_pairing_window():
    assert Machine(0).window_open is False and Machine(messages.PART_RADIO).window_open is False
    assert Machine(0).refusal(machine.START, False, True) == messages.REASON_NONE


def test_the_window_is_open_from_its_opening_to_its_closing_whatever_else_happens():
    for state in STATES:
        for event in range(len(machine.EVENT_NAMES)):
            for was_open in (False, True):
                one = in_state(state)
                one.window_open = was_open
                try:
                    one.feed(event)
                except ValueError:
                    assert one.window_open == was_open, (state, event)
                    continue
                opened, closed = event == machine.WINDOW_OPENED, event == machine.WINDOW_CLOSED
                assert one.window_open == (opened or was_open and not closed), (state, event)


def test_parts_fail_and_are_mended_by_their_own_events_alone():
    """Other events have details that look like parts: seconds, reasons, amplitudes."""
    changing = (machine.FAILED, machine.MENDED, machine.TESTED, machine.RANDOM_FAILED)
    for state in STATES:
        for event in range(len(machine.EVENT_NAMES)):
            for detail in (0x00, 0x55, 0xAA, 0xFF):
                for failed in (0x00, 0x0F, 0xFF):
                    one = in_state(state)
                    one.failed_parts = failed
                    try:
                        one.feed(event, detail)
                    except ValueError:
                        assert one.failed_parts == failed, (state, event)
                        continue
                    assert one.failed_parts == failed or event in changing, (state, event, detail)


def test_an_event_without_a_detail_names_no_part():
    for event in (machine.FAILED, machine.MENDED):
        one = Machine(0xA5)
        one.feed(event)
        assert one.failed_parts == 0xA5


def test_a_part_that_failed_before_and_in_the_self_test_has_failed():
    one = Machine(messages.PART_SUPPLY | messages.PART_DAC)
    one.feed(machine.SELF_TEST)
    one.feed(machine.TESTED, messages.PART_SUPPLY | messages.PART_DAC)
    assert one.failed_parts == messages.PART_SUPPLY | messages.PART_DAC


def test_contact_is_lost_in_a_session_only_and_ends_nothing_by_itself():
    """The contraction ramps down as the session counts; its end is another event."""
    for state in STATES:
        wanted = (state, machine.NOTE) if state in SESSION else None
        assert fed(state, machine.CONTACT_LOST) == wanted, state


def test_a_session_that_lost_contact_is_ending_until_it_is_over():
    ends = (
        (machine.STOP, messages.STOPPED_REMOTE), (machine.ENDED, messages.STOPPED_CONTACT),
        (machine.MAGNET, 0), (machine.FAILED, messages.PART_RADIO), (machine.WATCHED, 8),
    )  # fmt: skip
    for state in SESSION:
        for event, detail in ends:
            one = in_state(state)
            assert not one.ending
            one.feed(machine.CONTACT_LOST)
            for still in (machine.LEFT_AMPLITUDE, machine.MENDED, machine.SETTLED):
                one.feed(still)
            assert one.ending and one.refusal(machine.START, False, True) == messages.REASON_LOCKED
            assert one.refusal(machine.LEFT_AMPLITUDE, False, True) == messages.REASON_NONE
            one.feed(event, detail)
            assert not one.ending, (state, event)
    assert Machine(0).ending is False


def test_why_the_output_went_off():
    assert machine.cause(machine.STOP, messages.STOPPED_REMOTE) == messages.STOPPED_REMOTE
    assert machine.cause(machine.ENDED, messages.STOPPED_SESSION_OVER) == messages.STOPPED_SESSION_OVER
    assert machine.cause(machine.MAGNET, 0) == messages.STOPPED_MAGNET
    assert machine.cause(machine.FAILED, messages.PART_RADIO) == messages.STOPPED_FAULT
    for event in (machine.STOP, machine.ENDED, machine.WATCHED):
        for name in ("watch", "host gone", "interference", "limit"):
            stopped = messages.STOP_NAMES.index(name)
            assert machine.cause(event, stopped) == stopped


def test_every_note_has_its_own_place_in_the_log():
    names = {
        machine.START: "session", machine.TEST: "session", machine.MEASURE: "measurement",
        machine.SELF_TEST: "self-test", machine.ENDED: "measurement over", machine.FAILED: "part failed",
        machine.MENDED: "part mended", machine.WINDOW_OPENED: "window opened",
        machine.WINDOW_CLOSED: "window closed", machine.MAGNET: "magnet",
        machine.LEFT_AMPLITUDE: "left amplitude", machine.RIGHT_AMPLITUDE: "right amplitude",
        machine.CONTACT_LOST: "contact lost", machine.RANDOM_FAILED: "part failed",
    }  # fmt: skip
    noted = {row[1] for row in machine.ROWS if row[3] & machine.NOTE}
    assert noted == set(names)
    for event, name in names.items():
        assert messages.EVENT_NAMES[machine.logged_as(event)] == name


def test_no_state_has_two_rows_for_one_event():
    seen = set()
    for bits, event, after, effects in machine.ROWS:
        assert after in STATES or after in (machine.SAME, machine.IDLE)
        assert effects < 1 << len(machine.EFFECT_NAMES) and event < len(machine.EVENT_NAMES)
        assert 0 < bits < 1 << len(STATES)
        for state in [state for state in STATES if bits >> state & 1]:
            assert (state, event) not in seen
            seen.add((state, event))
    assert {event for _, event in seen} == set(range(len(machine.EVENT_NAMES)))


def test_sets_of_states_and_parts_are_those_of_the_wire():
    assert machine.SESSION == sum([1 << state for state in SESSION])
    assert machine.ON == sum([1 << state for state in ON])
    assert machine.CONTRACTING == sum([1 << state for state in CONTRACTING])
    assert machine.SHUT == sum([1 << state for state in SHUT])
    assert machine.AWAKE == sum([1 << state for state in AWAKE])
    assert machine.AT_REST == sum([1 << state for state in REST_STATES])
    assert machine.STARTABLE == 1 << READY | 1 << STOPPED
    assert machine.OUTPUT_PARTS == (
        messages.PART_DAC | messages.PART_MATRIX | messages.PART_SENSE | messages.PART_SUPPLY
        | messages.PART_GATE | messages.PART_RELAY | messages.PART_BRIDGE | messages.PART_PUMP
        | messages.PART_REFERENCE | messages.PART_IDLE
    )  # fmt: skip
    assert (machine.SESSION, machine.ON, machine.AT_REST, machine.OUTPUT_PARTS) == (2078, 18494, 14273, 32283)
    assert (machine.CONTRACTING, machine.SHUT, machine.AWAKE, machine.STARTABLE) == (30, 12288, 1985, 513)
    assert messages.STATE_NAMES[TRAIN] == "test train" and len(STATES) == len(messages.STATE_NAMES)


def test_what_cannot_happen_says_so():
    try:
        in_state(MEASURING).feed(machine.RAMP_OVER)
    except ValueError as error:
        assert str(error) == "ramp over in state measuring impedance"
    else:
        raise AssertionError
