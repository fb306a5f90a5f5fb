"""Sessions on a harness: when KEEPALIVE is pulsed, what ends them, and what their clock says."""

from itertools import pairwise

import pytest
from stimfw.protocol import messages, refusals
from stimfw.protocol.steps import all_of
from support.stimulator_harness import CLOCK, KEYBOARD, StimulatorHarness

from stimfw.stimulator.conditions import Conditions  # isort: skip
from stimfw.stimulator.session_requests import SessionRequests  # isort: skip

# docs/firmware.md and docs/hardware.md.
KEEPALIVE_MS = 106  # the gate may close so long after the last edge: 120 ms less 11 %
LATE_MS = 3 * 50  # at 20 Hz: so late pulses may be
STALLED_MS = 4 * 50 + 120  # so late it is noticed at last
RADIO_MS = 1000 + 5

HOLD = {"left__amplitude_ua": 2000, "right__amplitude_ua": 3000, "ramp_up_ms": 0, "ramp_down_ms": 0}
US = 1000


def session(**changes):
    """A harness whose session has reached its first hold."""
    harness = StimulatorHarness(**{**HOLD, "on_ms": 60_000, "session_s": 3600, **changes})
    assert harness.control.start() == messages.REASON_NONE
    harness.run_to(messages.HOLD)
    return harness


class FromUsb:
    """The dispatcher, as far as handlers ask it."""

    sender = messages.FROM_USB
    in_steps = staticmethod(all_of)


def gaps_ms(edges):
    return [(later - earlier) / US for earlier, later in pairwise(edges)]


@pytest.mark.control("C-06")
def test_keepalive_is_pulsed_while_the_output_is_on_and_silent_in_the_rest():
    harness = session(on_ms=1000, off_ms=3000)
    began_us = harness.now_us
    harness.run_to(messages.REST)
    on = harness.edges(began_us)
    assert len(on) > 10 and max(gaps_ms(on)) < KEEPALIVE_MS
    rest_us = harness.now_us
    harness.run_ms(2900)
    assert harness.control.state() == messages.REST and harness.edges(rest_us) == []
    harness.run_ms(300)
    assert harness.control.state() == messages.HOLD and len(harness.edges(rest_us)) > 2


@pytest.mark.parametrize("rate_hz", [1, 20, 51, 200])
def test_keepalive_never_pauses_for_so_long_that_the_gate_closes(rate_hz):
    harness = session(rate_hz=rate_hz, ramp_up_ms=1000, ramp_down_ms=1000, on_ms=3000, off_ms=0, session_s=60)
    began_us = harness.now_us
    harness.run_ms(9000)
    edges = harness.edges(began_us)
    assert len(edges) > 80 and max(gaps_ms(edges)) < KEEPALIVE_MS


def paused(pause_ms, **changes):
    """A harness whose loop stood still for so long after an edge of KEEPALIVE, and when it went on."""
    harness = session(**changes)
    harness.run_ms(1000)
    edges = len(harness.edges())
    while len(harness.edges()) == edges:
        harness.run_ms(0.1)
    CLOCK.now_us = harness.edges()[-1] + pause_ms * US
    went_on_us = harness.now_us
    harness.run_ms(1000)
    return harness, went_on_us


@pytest.mark.parametrize("rate_hz", [1, 20, 200])
def test_a_pause_of_the_loop_that_may_have_closed_the_gate_is_a_stop(rate_hz):
    for pause_ms in (*range(KEEPALIVE_MS - 1, KEEPALIVE_MS + 21), KEEPALIVE_MS + 60):
        harness, went_on_us = paused(pause_ms, rate_hz=rate_hz)
        assert harness.edges(went_on_us) == [], "the gate would open again"
        assert not harness.pulser.running() and harness.control.state() == messages.READY
        assert harness.control.stop_cause == messages.STOPPED_FAULT


@pytest.mark.parametrize("rate_hz", [1, 20, 200])
def test_a_pause_that_leaves_the_gate_open_is_none(rate_hz):
    for pause_ms in (60, 73, 94, 99, 100):
        harness, went_on_us = paused(pause_ms, rate_hz=rate_hz)
        assert harness.control.state() == messages.HOLD and len(harness.edges(went_on_us)) > 10
        assert max(gaps_ms(harness.edges())) < KEEPALIVE_MS


@pytest.mark.control("C-06", "C-08")
def test_after_a_trip_there_is_no_keepalive_edge_until_somebody_asks_again():
    harness = session()
    harness.output.trip()
    tripped_us = harness.now_us
    for _ in range(3):
        harness.output.keep_alive()
    assert harness.edges(tripped_us) == [] and not harness.pulser.running()
    harness.run_ms(500)
    assert harness.edges(tripped_us) == [] and not harness.pulser.running()
    assert harness.control.state() == messages.READY
    assert harness.control.start() == messages.REASON_NONE
    harness.run_to(messages.HOLD)
    assert len(harness.edges(tripped_us)) > 2 and harness.pulser.running()


def test_a_magnet_in_the_middle_of_a_turn_is_not_followed_by_a_keepalive_edge():
    harness = session()
    step = harness.control.poll
    came_us = []

    def interrupted(now, called):
        if not came_us:
            harness.magnet(True)
            came_us.append(harness.now_us)
        return step(now, called)

    harness.control.poll = interrupted
    harness.run_ms(500)
    assert came_us and harness.edges(came_us[0]) == [] and not harness.pulser.running()
    assert (harness.control.state(), harness.control.stop_cause) == (messages.READY, messages.STOPPED_MAGNET)


def test_a_magnet_between_the_last_question_and_the_start_of_the_pulses_wins():
    for train in range(2):  # the self-test's, the session's
        harness = StimulatorHarness(**HOLD)

        def come(harness=harness, train=train):
            if harness.pulser.trains == train:
                harness.magnet(True)

        harness.pulser.on_start = come
        assert harness.control.start() == messages.REASON_NONE
        harness.run_ms(500)
        assert harness.pulser.trains == train + 1, "it was about to start"
        assert not harness.pulser.running() and harness.app.magnet_stops == 1
        control = harness.control
        assert (control.state(), control.stop_cause) == (messages.READY, messages.STOPPED_MAGNET)


@pytest.mark.control("C-01")
@pytest.mark.parametrize("train", [0, 1])
def test_a_stop_that_comes_while_a_train_is_made_ready_is_heard_before_its_first_pulse(train):
    harness = StimulatorHarness(**HOLD)  # trains: the self-test's, the session's

    def heard(_now_ms):
        harness.control.stop(messages.STOPPED_REMOTE, 0)
        return False

    def come():
        if harness.pulser.trains == train:
            harness.radio.poll = heard
            harness.app.on_radio(None)

    harness.pulser.on_prepare = come
    assert harness.control.start() == messages.REASON_NONE
    harness.run_ms(500)
    assert harness.pulser.trains == train
    assert (harness.control.state(), harness.control.stop_cause) == (messages.READY, messages.STOPPED_REMOTE)


def test_other_values_than_amplitudes_are_refused_while_the_output_is_on_whatever_they_are():
    harness = session()
    handlers = SessionRequests(harness.control, Conditions(harness.control, None), FromUsb(), harness.log)
    before = harness.control.program
    for changed in ((width, *before.values[1:]) for width in (before.width_us + 1, 0, 60_000)):
        assert handlers.set_program(*changed) == refusals.wrong_state(messages.HOLD, messages.REASON_LOCKED)
        assert harness.control.program is before
    louder = list(before.values)
    louder[8] = 2500
    assert handlers.set_program(*louder) == refusals.done()
    assert harness.control.program.values == tuple(louder) and harness.control.session.amplitude_ua != (0, 0)
    louder[8] = 10_025
    assert handlers.set_program(*louder) == refusals.out_of_range(10_025, 8)


@pytest.mark.control("C-03")
def test_no_train_runs_for_a_moment_after_a_magnet_that_came_as_it_started():
    harness = StimulatorHarness()
    harness.output.load(214, 0, 50_000, "IVIV", (40, 80, 120, 160))
    harness.output.arm_trip()
    harness.output.prepare(True)
    harness.pulser.on_start = lambda: harness.magnet(True)
    assert not harness.output.start()
    assert harness.pulser.trains == 1 and not harness.pulser.running(), "pulses until the loop came round"
    harness.magnet(False)
    assert not harness.output.start() and harness.pulser.trains == 1, "nobody has asked again"
    harness.output.arm_trip()
    harness.pulser.on_start = lambda: None
    assert harness.output.start() and harness.pulser.running()


@pytest.mark.control("C-22")
def test_pulses_that_do_not_come_end_the_session():
    harness = session()
    harness.run_ms(5000)
    assert harness.control.state() == messages.HOLD
    harness.pulser.stall()
    harness.run_ms(LATE_MS)
    assert harness.control.state() == messages.HOLD, "so late they may be"
    harness.run_ms(STALLED_MS - LATE_MS)
    stopped_us = harness.now_us
    assert harness.control.stop_cause == messages.STOPPED_FAULT and not harness.control.busy()
    harness.run_ms(500)
    assert harness.edges(stopped_us) == [] and not harness.pulser.running() and harness.dac.ua == [0, 0]


@pytest.mark.control("C-22")
def test_a_train_that_does_not_end_ends_the_session():
    harness = session(on_ms=1000, off_ms=60_000)
    harness.run_ms(990 - 50)
    assert harness.control.state() == messages.HOLD
    finish = harness.pulser.finish
    harness.pulser.finish = lambda: (harness.pulser.stall(), finish())
    harness.run_ms(60 + 50 + 60 + 60)
    assert harness.control.stop_cause == messages.STOPPED_FAULT and not harness.control.busy()
    stopped_us = harness.now_us
    harness.run_ms(500)
    assert harness.edges(stopped_us) == [] and not harness.pulser.running()


def test_without_a_radio_there_is_no_stop_so_the_session_ends():
    harness = session()
    harness.run_ms(2500)
    assert harness.control.state() == messages.HOLD
    harness.radio.works = False
    harness.run_ms(RADIO_MS)
    assert (harness.control.state(), harness.control.stop_cause) == (messages.FAULT, messages.STOPPED_FAULT)
    assert harness.control.failed_parts == messages.PART_RADIO
    assert not harness.pulser.running() and harness.control.start() == messages.REASON_SELF_TEST
    harness.radio.works = True
    harness.run_ms(RADIO_MS)
    assert harness.control.state() == messages.READY and not harness.pulser.running()
    assert harness.control.start() == messages.REASON_NONE


def test_other_amplitudes_do_not_begin_the_session_again():
    harness = session(on_ms=1000, off_ms=1000, session_s=60)
    began_us = harness.now_us
    for step in range(11):
        harness.run_ms(5000)
        changed = harness.control.program.replaced({"left.amplitude_ua": 2000 + 25 * (step & 1)})
        assert harness.control.set_program(changed) == messages.REASON_NONE
        elapsed_s = (harness.now_us - began_us) / 1e6
        assert abs(harness.control.session.elapsed_s() - elapsed_s) <= 1.1
    harness.run_to(messages.READY, 60_000 + 2500 - 11 * 5000)
    assert harness.control.stop_cause == messages.STOPPED_SESSION_OVER
    assert (harness.now_us - began_us) / 1e6 >= 59


def test_a_stop_of_what_is_already_off_keeps_the_cause():
    harness = StimulatorHarness(**HOLD)
    harness.control.stop(messages.STOPPED_REMOTE)
    assert harness.control.stop_cause == messages.STOPPED_NEVER_ON
    harness.control.start()
    harness.run_to(messages.HOLD)
    harness.magnet(True)
    harness.run_ms(50)
    for cause in (messages.STOPPED_HOST, messages.STOPPED_REMOTE, messages.STOPPED_REPL):
        harness.control.stop(cause)
        assert harness.control.stop_cause == messages.STOPPED_MAGNET


class Typed:
    """Waiter and watchdog of a board whose host types Ctrl-C in the hold, and goes on typing."""

    def __init__(self, harness):
        self.harness = harness
        self.watched = True
        self.ignored = 0
        off = harness.output.trip
        harness.output.trip = lambda: (off(), self.interrupt())

    def interrupt(self):
        if self.ignored or self.harness.control.state() == messages.HOLD:
            if KEYBOARD.character == 3:
                raise KeyboardInterrupt
            self.ignored += 1

    def wait(self, wait_ms):
        self.harness.run_ms(max(1, wait_ms))
        self.interrupt()
        return False

    def feed(self):
        pass

    def disable(self):
        self.watched = False


def test_a_second_ctrl_c_does_not_keep_the_first_from_ending_the_watchdog(capsys):
    harness = StimulatorHarness(**HOLD)
    harness.control.start()
    typed = Typed(harness)
    # What is typed when all is done ends nothing but the REPL's own line.
    with pytest.raises(KeyboardInterrupt):
        harness.app.run(typed, typed)
    assert typed.ignored >= 1 and not typed.watched
    assert not harness.pulser.running() and harness.control.stop_cause == messages.STOPPED_REPL
    assert "stimulator stopped: output off" in capsys.readouterr().out
