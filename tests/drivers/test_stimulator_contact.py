"""Sessions whose remote falls silent: how they end, what the log says of the link."""

import pytest
from stimfw.protocol import messages
from support.stimulator_harness import CLOCK, StimulatorHarness

CONTACT_S = 20
LATE_MS = 100  # and one period
LINK_MS = 15_000
CHECKED_MS = 1000 + 20
SLOT, OTHER = 2, 4
US = 1000
LOST, BACK, CONTACT = messages.EVENT_LINK_LOST, messages.EVENT_LINK_BACK, messages.EVENT_CONTACT_LOST
PROGRAM = {
    "left__amplitude_ua": 2000,
    "right__amplitude_ua": 3000,
    "ramp_up_ms": 10_000,
    "ramp_down_ms": 2000,
    "on_ms": 60_000,
    "off_ms": 60_000,
    "session_s": 3600,
    "contact_s": CONTACT_S,
}


def begun(sender=SLOT, test_s=0, **changes):
    """A harness whose session has just begun; its peer was heard then. `falls`: each fall of an amplitude."""
    harness = StimulatorHarness(**{**PROGRAM, **changes})
    harness.falls = []
    write = harness.dac.write

    def watched(channel, code):
        if code * 2.5 < harness.dac.ua[channel]:
            harness.falls.append((CLOCK.now_us, channel, code * 2.5))
        write(channel, code)

    harness.dac.write = watched
    if sender < messages.SLOTS:
        harness.hear(sender)
    assert harness.control.start(test_s, sender) == messages.REASON_NONE
    return harness


def silent_from_now_on(harness):
    """The last frame; when contact is lost."""
    harness.hear(SLOT)
    return CLOCK.now_us + CONTACT_S * 1000 * US


def run_until(harness, at_us):
    harness.run_ms((at_us - CLOCK.now_us) / US)


def assert_off(harness, cause=messages.STOPPED_CONTACT):
    assert (harness.control.state(), harness.control.stop_cause) == (messages.READY, cause)
    assert not harness.pulser.running() and harness.matrix.closed == (0, 0) and harness.dac.ua == [0, 0]


@pytest.mark.control("C-23")
@pytest.mark.parametrize("rate_hz", [1, 20, 51, 200])
def test_in_a_hold_the_ramp_down_begins_in_time_and_ends_the_session(rate_hz):
    harness = begun(rate_hz=rate_hz, ramp_up_ms=0)
    harness.run_ms(3000)
    due_us = silent_from_now_on(harness)
    run_until(harness, due_us)
    assert harness.control.state() == messages.HOLD
    fallen = [fall for fall in harness.falls if fall[0] > due_us - 5_000 * US]
    assert fallen == [], "too early"
    harness.run_ms(LATE_MS + 1000 / rate_hz)
    first_us = next(at_us for at_us, _, _ in harness.falls if at_us > due_us - 5_000 * US)
    assert due_us <= first_us <= due_us + (LATE_MS + 1000 / rate_hz) * US
    least_ua = 2000 * (1 - (LATE_MS + 2000 / rate_hz) / 2000) - 25
    assert harness.dac.ua[0] >= least_ua, "a ramp, and not a fall"
    assert harness.events(CONTACT) == [(CONTACT, messages.FROM_NOBODY)]
    run_until(harness, first_us + (2000 + 2000 / rate_hz + 60) * US)
    assert_off(harness)
    assert harness.events(messages.EVENT_STOPPED, CONTACT) == [
        (CONTACT, messages.FROM_NOBODY), (messages.EVENT_STOPPED, messages.FROM_NOBODY)
    ]  # fmt: skip
    harness.run_ms(70_000)
    assert_off(harness)
    assert harness.stops[-1][1] == messages.FROM_NOBODY


@pytest.mark.parametrize("rate_hz", [20, 200])
def test_every_pulse_of_the_ramp_is_lower_than_the_one_before(rate_hz):
    harness = begun(rate_hz=rate_hz, ramp_up_ms=0)
    harness.run_ms(1000)
    due_us = silent_from_now_on(harness)
    run_until(harness, due_us + 3000 * US)
    assert_off(harness)
    for lead, top_ua in ((0, 2000), (1, 3000)):
        falls = [ua for at_us, channel, ua in harness.falls if channel == lead and at_us > due_us]
        wanted = 2 * rate_hz + 1
        assert wanted - 1 <= len(falls) <= wanted and falls[-1] == 0
        steps = [before - after for before, after in zip([top_ua, *falls], falls, strict=False)]
        assert max(steps) <= top_ua / wanted + 2 * 2.5 + 1


def test_halfway_up_it_turns_back_at_its_height():
    harness = begun(ramp_up_ms=10_000, on_ms=1000, ramp_down_ms=10_000, off_ms=5000)
    harness.run_ms(10_000)
    due_us = silent_from_now_on(harness)
    harness.run_to(messages.REST, 20_000)
    harness.run_to(messages.RAMP_UP, 10_000)
    run_until(harness, due_us)
    height_ua = harness.dac.ua[0]
    assert harness.control.state() == messages.RAMP_UP and 500 < height_ua < 1500
    harness.run_ms(LATE_MS + 50)
    assert harness.control.state() == messages.RAMP_DOWN
    assert height_ua - 60 < harness.dac.ua[0] <= height_ua + 20
    harness.run_ms(2000)
    assert abs(harness.dac.ua[0] - (height_ua - 400)) < 60, "the slope of the programme"
    harness.run_ms(height_ua / 2000 * 10_000 - 2000 + 200)
    assert_off(harness)


def test_without_a_ramp_the_period_is_completed():
    harness = begun(ramp_up_ms=0, ramp_down_ms=0, rate_hz=2)
    harness.run_ms(700)
    due_us = silent_from_now_on(harness)
    run_until(harness, due_us)
    assert harness.control.state() == messages.HOLD and harness.pulser.running()
    harness.run_ms(500 + LATE_MS)
    assert_off(harness)


def test_a_ramp_down_that_has_begun_goes_on_and_no_other_contraction_comes():
    harness = begun(ramp_up_ms=0, on_ms=1000, ramp_down_ms=10_000, off_ms=0)
    due_us = silent_from_now_on(harness)
    harness.run_to(messages.RAMP_DOWN)
    harness.run_to(messages.HOLD, 12_000)
    harness.run_to(messages.RAMP_DOWN)
    ends_us = CLOCK.now_us + 10_000 * US
    run_until(harness, due_us + LATE_MS * US)
    assert harness.events(CONTACT)
    run_until(harness, ends_us - 100 * US)
    assert harness.control.state() == messages.RAMP_DOWN
    harness.run_ms(300)
    assert_off(harness)
    assert harness.control.cycles == 2 and harness.pulser.trains == 3, "the self-test's and two contractions'"


def test_in_a_rest_the_session_is_over_at_once():
    harness = begun(ramp_up_ms=0, on_ms=1000, ramp_down_ms=0)
    harness.run_to(messages.REST)
    harness.run_ms(270)
    due_us = silent_from_now_on(harness)
    run_until(harness, due_us)
    assert harness.control.state() == messages.REST
    harness.run_ms(LATE_MS)
    assert_off(harness)
    assert harness.events(CONTACT) == [(CONTACT, messages.FROM_NOBODY)]


def test_in_a_test_stimulation_too():
    harness = begun(test_s=60, ramp_up_ms=0)
    due_us = silent_from_now_on(harness)
    run_until(harness, due_us + (LATE_MS + 50 + 2100) * US)
    assert_off(harness)


def test_any_peer_that_is_heard_keeps_the_session_going():
    harness = begun(ramp_up_ms=0, off_ms=0, session_s=3600)
    for _ in range(12):
        harness.run_ms(CONTACT_S * 1000 - 500)
        harness.hear(OTHER)
    assert harness.control.busy() and harness.events(CONTACT) == []
    harness.run_ms(CONTACT_S * 1000 + 2500)
    assert_off(harness)


def test_with_zero_it_goes_on_until_its_time_is_over():
    harness = begun(contact_s=0, ramp_up_ms=0, on_ms=1000, off_ms=1000, session_s=300)
    harness.run_ms(290_000)
    assert harness.control.busy() and harness.events(CONTACT) == []
    harness.run_to(messages.READY, 20_000)
    assert harness.control.stop_cause == messages.STOPPED_SESSION_OVER


def test_a_session_from_usb_counts_from_its_beginning():
    """No remote was ever heard; what the console asks for does not count."""
    harness = begun(sender=messages.FROM_USB, ramp_up_ms=0)
    began_us = CLOCK.now_us
    for _ in range(CONTACT_S - 1):
        harness.run_ms(1000)
        changed = harness.control.program.replaced({"left.amplitude_ua": 2025})
        harness.control.set_program(changed, messages.FROM_USB)
    assert harness.control.state() == messages.HOLD
    run_until(harness, began_us + (CONTACT_S * 1000 + LATE_MS + 50 + 2100) * US)
    assert_off(harness)


def test_other_amplitudes_do_not_stop_the_ramp_down():
    harness = begun(ramp_up_ms=0, ramp_down_ms=10_000)
    due_us = silent_from_now_on(harness)
    run_until(harness, due_us + 5000 * US)
    assert harness.control.state() == messages.RAMP_DOWN
    changed = harness.control.program.replaced({"left.amplitude_ua": 1000})
    harness.hear(SLOT)  # and it is too late
    assert harness.control.set_program(changed, SLOT) == messages.REASON_NONE
    harness.run_ms(500)
    assert harness.control.state() == messages.RAMP_DOWN and 300 < harness.dac.ua[0] < 500
    harness.run_ms(5000)
    assert_off(harness)


def test_a_start_while_it_ramps_down_for_good_is_refused_and_taken_afterwards():
    harness = begun(ramp_up_ms=0)
    due_us = silent_from_now_on(harness)
    run_until(harness, due_us + 1000 * US)
    harness.hear(SLOT)
    assert harness.control.start(sender=SLOT) == messages.REASON_LOCKED
    harness.run_to(messages.READY)
    harness.run_ms(1200)
    assert harness.control.start(sender=SLOT) == messages.REASON_NONE
    harness.run_ms(CONTACT_S * 1000 - 100)
    assert harness.control.busy() and len(harness.events(CONTACT)) == 1


def test_a_stop_in_the_ramp_is_a_stop():
    harness = begun(ramp_up_ms=0)
    run_until(harness, silent_from_now_on(harness) + 1000 * US)
    harness.control.stop(messages.STOPPED_REMOTE, SLOT)
    assert_off(harness, messages.STOPPED_REMOTE)


def test_the_time_of_contact_is_locked_while_the_output_is_on():
    harness = begun(ramp_up_ms=0)
    for contact_s in (0, CONTACT_S + 1):
        wanted = harness.control.program.replaced({"contact_s": contact_s})
        assert harness.control.set_program(wanted, messages.FROM_USB) == messages.REASON_LOCKED


def test_a_board_that_nobody_told_how_long_the_radio_was_silent_hears_nobody():
    """A hook that is forgotten in main.py must not keep a session going."""
    told = StimulatorHarness()
    bare = type(told.control)(
        told.output, told.measurements, told.reed, told.led, told.control.program, 0, told.log.add
    )
    harness = begun(ramp_up_ms=0)
    harness.control.stop(messages.STOPPED_HOST, messages.FROM_USB)
    harness.control.silent_ms = bare.silent_ms
    assert harness.control.start(sender=messages.FROM_USB) == messages.REASON_NONE
    harness.run_ms(CONTACT_S * 1000 + 2500)
    assert_off(harness)
    assert bare.link.silent_ms(SLOT, 0) >= LINK_MS


# The link with the peer that began the session.


def test_a_link_that_is_lost_and_back_is_noted_once_each():
    harness = begun(contact_s=0, ramp_up_ms=0)
    harness.hear(OTHER)
    for _ in range(3):
        harness.run_ms(5000)
        harness.hear(SLOT)
    harness.run_ms(LINK_MS - 1)
    assert harness.events(LOST, BACK) == []
    harness.run_ms(CHECKED_MS)
    assert harness.events(LOST, BACK) == [(LOST, SLOT)]
    harness.run_ms(30_000)
    harness.hear(OTHER)
    harness.run_ms(CHECKED_MS)
    assert harness.events(LOST, BACK) == [(LOST, SLOT)], "it is the peer that began it"
    harness.hear(SLOT)
    harness.run_ms(CHECKED_MS + 3000)
    assert harness.events(LOST, BACK) == [(LOST, SLOT), (BACK, SLOT)]
    harness.run_ms(LINK_MS + CHECKED_MS)
    # What comes again within a minute is counted into the first: who jams a link does not fill the log.
    assert harness.events(LOST, BACK) == [(LOST, SLOT), (BACK, SLOT)] and harness.log.count == 3
    assert harness.log.read(0, 3)[1][7::8] == b"\0\1\0"


def test_without_a_session_no_link_is_lost():
    harness = begun(contact_s=0, ramp_up_ms=0)
    harness.run_ms(1000)
    harness.control.stop(messages.STOPPED_REMOTE, SLOT)
    harness.run_ms(60_000)
    assert harness.control.start(sender=messages.FROM_USB) == messages.REASON_NONE
    harness.run_ms(60_000)
    assert harness.events(LOST, BACK) == []


def test_a_link_that_was_lost_in_one_session_is_not_back_in_the_next():
    harness = begun(contact_s=0, ramp_up_ms=0)
    harness.run_ms(LINK_MS + CHECKED_MS)
    harness.control.stop(messages.STOPPED_HOST, messages.FROM_USB)
    harness.run_ms(2000)
    harness.hear(SLOT)
    assert harness.control.start(sender=SLOT) == messages.REASON_NONE
    harness.run_ms(3000)
    assert harness.events(LOST, BACK) == [(LOST, SLOT)]
