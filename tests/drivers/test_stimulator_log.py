"""What a stimulator's log says of its output: all that happens to it, and after the output is off."""

import struct

import pytest
from stimfw.protocol import messages, requests
from support.stimulator_harness import StimulatorHarness

HOLD = {"left__amplitude_ua": 2000, "right__amplitude_ua": 3000, "ramp_up_ms": 0, "ramp_down_ms": 0}
NOBODY, USB, SLOT = messages.FROM_NOBODY, messages.FROM_USB, 3


def noted(harness):
    """(kind, sender, detail) of every event."""
    _, raw = harness.log.read(0, 100)
    return [event[1:4] for event in struct.iter_unpack(requests.LOG_RECORD, raw)]


def in_hold(**changes):
    harness = StimulatorHarness(**{**HOLD, **changes})
    assert harness.control.start(0, SLOT) == messages.REASON_NONE
    harness.run_to(messages.HOLD)
    assert noted(harness) == [(messages.EVENT_SESSION, SLOT, 0)]
    return harness


def stopped(cause, sender=NOBODY):
    return (messages.EVENT_STOPPED, sender, cause)


@pytest.mark.parametrize(("cause", "sender"), [(messages.STOPPED_HOST, USB), (messages.STOPPED_REMOTE, SLOT)])
def test_a_stop_is_noted_with_its_cause_and_its_sender(cause, sender):
    harness = in_hold()
    harness.control.stop(cause, sender)
    harness.control.stop(cause, sender)
    assert noted(harness)[1:] == [stopped(cause, sender)], "once: then it was off already"


def test_a_magnet_is_noted_once_and_stops():
    harness = in_hold()
    harness.magnet(True)
    assert len(noted(harness)) == 1, "not by the interrupt handler"
    harness.run_ms(50)
    assert noted(harness)[1:] == [(messages.EVENT_MAGNET, NOBODY, 0), stopped(messages.STOPPED_MAGNET)]
    harness.magnet(False)
    harness.magnet(True)
    harness.run_ms(50)
    assert noted(harness)[3:] == [(messages.EVENT_MAGNET, NOBODY, 0)], "nothing was on"


def chatter(harness, times=5):
    """As a reed switch does when the magnet comes: some edges within a ms or two."""
    for _ in range(times):
        harness.magnet(True)
        harness.run_ms(0.4)
        harness.magnet(False)
    harness.magnet(True)


def test_a_reed_switch_that_chatters_is_one_magnet():
    harness = in_hold()
    chatter(harness)
    harness.run_ms(100)
    magnet = (messages.EVENT_MAGNET, NOBODY, 0)
    assert noted(harness)[1:] == [magnet, stopped(messages.STOPPED_MAGNET)]
    assert harness.app.magnet_stops == 1
    harness.magnet(False)
    harness.run_ms(100)
    chatter(harness)
    harness.run_ms(100)
    assert noted(harness)[3:] == [magnet] and harness.app.magnet_stops == 2


def test_a_chatter_is_one_magnet_although_the_log_goes_to_flash_in_its_middle():
    """The loop comes round 60 ms later: what counts is when the edge was."""
    harness = in_hold()
    harness.magnet(True)
    harness.run_ms(0.3)
    assert not harness.control.busy()
    harness.magnet(False)
    harness.magnet(True)
    harness.hold_up_ms(60)
    harness.run_ms(50)
    assert harness.app.magnet_stops == 1
    harness.magnet(False)
    harness.magnet(True)
    harness.hold_up_ms(60)
    harness.run_ms(50)
    assert harness.app.magnet_stops == 2, "another one, 110 ms later"


def test_a_chatter_stops_what_began_in_the_middle_of_it():
    harness = in_hold()
    harness.magnet(True)
    harness.run_ms(2)
    harness.magnet(False)
    assert harness.control.start() == messages.REASON_NONE
    harness.run_ms(2)
    harness.magnet(True)
    harness.run_ms(2)
    assert not harness.control.busy() and harness.app.magnet_stops == 2
    assert harness.control.stop_cause == messages.STOPPED_MAGNET


def test_a_lost_part_and_its_return_are_noted_once_each():
    harness = in_hold()
    harness.radio.works = False
    harness.run_ms(5000)
    harness.radio.works = True
    harness.run_ms(5000)
    assert noted(harness)[1:] == [
        (messages.EVENT_PART_FAILED, NOBODY, messages.PART_RADIO),
        stopped(messages.STOPPED_FAULT),
        (messages.EVENT_PART_MENDED, NOBODY, messages.PART_RADIO),
    ]


def test_a_session_that_is_over_says_so():
    harness = StimulatorHarness(**HOLD)
    assert harness.control.start(2, USB) == messages.REASON_NONE
    harness.run_to(messages.HOLD)
    harness.run_to(messages.READY)
    assert noted(harness) == [(messages.EVENT_SESSION, USB, 2), stopped(messages.STOPPED_SESSION_OVER)]


def test_measurements_and_what_a_self_test_finds_are_noted():
    harness = StimulatorHarness()
    harness.control.measure(USB)
    harness.run_ms(3000)
    harness.gain[0] = 1.3
    harness.control.test_output(USB)
    harness.run_ms(500)
    harness.gain[0] = 1.0
    harness.control.test_output(USB)
    harness.run_ms(500)
    over, sense = (messages.EVENT_MEASURED, NOBODY, 0), messages.PART_SENSE
    assert noted(harness) == [
        (messages.EVENT_MEASURING, USB, 0), over,
        (messages.EVENT_SELF_TEST, USB, 0), (messages.EVENT_PART_FAILED, NOBODY, sense), over,
        (messages.EVENT_SELF_TEST, USB, 0), (messages.EVENT_PART_MENDED, NOBODY, sense), over,
    ]  # fmt: skip


def test_each_leads_amplitude_is_noted_if_it_changed():
    harness = in_hold()
    program = harness.control.program
    for changes in ({"left.amplitude_ua": 2025}, {"left.amplitude_ua": 10_000, "right.amplitude_ua": 0}, {}):
        program = program.replaced(changes)
        assert harness.control.set_program(program, USB) == messages.REASON_NONE
    left, right = messages.EVENT_LEFT_AMPLITUDE, messages.EVENT_RIGHT_AMPLITUDE
    assert noted(harness)[1:] == [(left, USB, 41), (left, USB, 200), (right, USB, 0)]


def test_a_peers_changes_within_a_minute_are_one_event_with_the_last_amplitude():
    harness = in_hold()
    for left_ua in (2500, 3000, 500):
        program = harness.control.program.replaced({"left.amplitude_ua": left_ua})
        assert harness.control.set_program(program, SLOT) == messages.REASON_NONE
    assert noted(harness)[1:] == [(messages.EVENT_LEFT_AMPLITUDE, SLOT, 10)]
    assert harness.log.read(1, 1)[1][-1] == 2, "how often again"


def test_what_is_refused_changes_and_notes_nothing():
    harness = in_hold()
    assert harness.control.measure() == messages.REASON_LOCKED
    assert harness.control.set_program(harness.control.program.replaced({"rate_hz": 30})) == (
        messages.REASON_LOCKED
    )
    assert len(noted(harness)) == 1 and harness.control.state() == messages.HOLD


def test_the_window_is_noted():
    harness = StimulatorHarness()
    harness.control.window_opened()
    harness.control.window_closed(4)
    assert noted(harness) == [
        (messages.EVENT_WINDOW_OPENED, NOBODY, 0),
        (messages.EVENT_WINDOW_CLOSED, NOBODY, 4),
    ]


def test_nothing_is_noted_before_the_output_is_off():
    for end in ("stop", "magnet_came", "fail"):
        harness = in_hold()
        on = []
        harness.control._note = lambda *_, on=on, harness=harness: on.append(
            (harness.pulser.running(), harness.dac.ua, harness.matrix.closed)
        )
        getattr(harness.control, end)(*{"stop": (messages.STOPPED_HOST,), "fail": (1,)}.get(end, ()))
        assert on and set(map(str, on)) == {str((False, [0.0, 0.0], (0, 0)))}, end


def test_a_change_of_state_is_told():
    harness = StimulatorHarness(**HOLD)
    told = []
    harness.control.on_change = told.append
    harness.control.start(1)
    harness.run_to(messages.HOLD)
    harness.run_to(messages.READY)
    assert told == [
        messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST, messages.READY
    ]  # fmt: skip
