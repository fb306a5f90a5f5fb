"""Sessions on a desk: when KEEPALIVE is pulsed, what ends them, and what their clock says."""

from itertools import pairwise

import pytest
from stimfw.logic import messages
from support.stimulator_desk import KEYBOARD, StimulatorDesk

# docs/firmware.md and docs/hardware.md.
KEEPALIVE_MS = 100  # the gate closes so long after the last edge
LATE_MS = 3 * 50  # at 20 Hz: so late pulses may be
STALLED_MS = 4 * 50 + 120  # so late it is noticed at last
RADIO_MS = 1000 + 5

HOLD = {"left__amplitude_ua": 2000, "right__amplitude_ua": 3000, "ramp_up_ms": 0, "ramp_down_ms": 0}
US = 1000


def session(**changes):
    """A desk whose session has reached its first hold."""
    desk = StimulatorDesk(**{**HOLD, "on_ms": 60_000, "session_s": 3600, **changes})
    assert desk.control.start() == messages.REASON_NONE
    desk.run_to(messages.HOLD)
    return desk


def gaps_ms(edges):
    return [(later - earlier) / US for earlier, later in pairwise(edges)]


def test_keepalive_is_pulsed_while_the_output_is_on_and_silent_in_the_rest():
    desk = session(on_ms=1000, off_ms=3000)
    began_us = desk.now_us
    desk.run_to(messages.REST)
    on = desk.edges(began_us)
    assert len(on) > 10 and max(gaps_ms(on)) < KEEPALIVE_MS
    rest_us = desk.now_us
    desk.run_ms(2900)
    assert desk.control.state() == messages.REST and desk.edges(rest_us) == []
    desk.run_ms(300)
    assert desk.control.state() == messages.HOLD and len(desk.edges(rest_us)) > 2


@pytest.mark.parametrize("rate_hz", [1, 20, 51, 200])
def test_keepalive_never_pauses_for_so_long_that_the_gate_closes(rate_hz):
    desk = session(rate_hz=rate_hz, ramp_up_ms=1000, ramp_down_ms=1000, on_ms=3000, off_ms=0, session_s=60)
    began_us = desk.now_us
    desk.run_ms(9000)
    edges = desk.edges(began_us)
    assert len(edges) > 80 and max(gaps_ms(edges)) < KEEPALIVE_MS


def test_after_a_trip_there_is_no_keepalive_edge_until_somebody_asks_anew():
    desk = session()
    desk.output.off_now()
    tripped_us = desk.now_us
    for _ in range(3):
        desk.output.keep_alive()
    assert desk.edges(tripped_us) == [] and not desk.pulser.running()
    desk.run_ms(500)
    assert desk.edges(tripped_us) == [] and not desk.pulser.running()
    assert desk.control.state() == messages.READY
    assert desk.control.start() == messages.REASON_NONE
    desk.run_to(messages.HOLD)
    assert len(desk.edges(tripped_us)) > 2 and desk.pulser.running()


def test_a_magnet_in_the_middle_of_a_turn_is_not_followed_by_a_keepalive_edge():
    desk = session()
    step = desk.control.advance
    came_us = []

    def interrupted(now, called):
        if not came_us:
            desk.magnet(True)
            came_us.append(desk.now_us)
        return step(now, called)

    desk.control.advance = interrupted
    desk.run_ms(500)
    assert came_us and desk.edges(came_us[0]) == [] and not desk.pulser.running()
    assert (desk.control.state(), desk.control.stop_cause) == (messages.READY, messages.STOPPED_MAGNET)


def test_a_magnet_between_the_last_question_and_the_start_of_the_pulses_wins():
    for train in range(2):  # the self-test's, the session's
        desk = StimulatorDesk(**HOLD)

        def come(desk=desk, train=train):
            if desk.pulser.trains == train:
                desk.magnet(True)

        desk.pulser.on_start = come
        assert desk.control.start() == messages.REASON_NONE
        desk.run_ms(500)
        assert desk.pulser.trains == train + 1, "it was about to start"
        assert not desk.pulser.running() and desk.app.magnet_stops == 1
        assert (desk.control.state(), desk.control.stop_cause) == (messages.READY, messages.STOPPED_MAGNET)


def test_no_train_runs_for_a_moment_after_a_magnet_that_came_as_it_started():
    desk = StimulatorDesk()
    desk.output.load(214, 0, 50_000, "IVIV", (40, 80, 120, 160))
    desk.output.arm_trip()
    desk.pulser.on_start = lambda: desk.magnet(True)
    assert not desk.output.start(True)
    assert desk.pulser.trains == 1 and not desk.pulser.running(), "pulses until the loop came round"
    desk.magnet(False)
    assert not desk.output.start(True) and desk.pulser.trains == 1, "nobody has asked anew"
    desk.output.arm_trip()
    desk.pulser.on_start = lambda: None
    assert desk.output.start(True) and desk.pulser.running()


def test_pulses_that_do_not_come_end_the_session():
    desk = session()
    desk.run_ms(5000)
    assert desk.control.state() == messages.HOLD
    desk.pulser.stall()
    desk.run_ms(LATE_MS)
    assert desk.control.state() == messages.HOLD, "so late they may be"
    desk.run_ms(STALLED_MS - LATE_MS)
    stopped_us = desk.now_us
    assert desk.control.stop_cause == messages.STOPPED_FAULT and not desk.control.busy()
    desk.run_ms(500)
    assert desk.edges(stopped_us) == [] and not desk.pulser.running() and desk.dac.ua == [0, 0]


def test_a_train_that_does_not_end_ends_the_session():
    desk = session(on_ms=1000, off_ms=60_000)
    desk.run_ms(990 - 50)
    assert desk.control.state() == messages.HOLD
    finish = desk.pulser.finish
    desk.pulser.finish = lambda: (desk.pulser.stall(), finish())
    desk.run_ms(60 + 50 + 60 + 60)
    assert desk.control.stop_cause == messages.STOPPED_FAULT and not desk.control.busy()
    stopped_us = desk.now_us
    desk.run_ms(500)
    assert desk.edges(stopped_us) == [] and not desk.pulser.running()


def test_without_a_radio_there_is_no_stop_so_the_session_ends():
    desk = session()
    desk.run_ms(2500)
    assert desk.control.state() == messages.HOLD
    desk.radio.works = False
    desk.run_ms(RADIO_MS)
    assert (desk.control.state(), desk.control.stop_cause) == (messages.FAULT, messages.STOPPED_FAULT)
    assert desk.control.failed_parts == messages.PART_RADIO
    assert not desk.pulser.running() and desk.control.start() == messages.REASON_SELF_TEST
    desk.radio.works = True
    desk.run_ms(RADIO_MS)
    assert desk.control.state() == messages.READY and not desk.pulser.running()
    assert desk.control.start() == messages.REASON_NONE


def test_other_amplitudes_do_not_begin_the_session_anew():
    desk = session(on_ms=1000, off_ms=1000, session_s=60)
    began_us = desk.now_us
    for step in range(11):
        desk.run_ms(5000)
        changed = desk.control.program.replaced({"left.amplitude_ua": 2000 + 25 * (step & 1)})
        assert desk.control.set_program(changed) == messages.REASON_NONE
        elapsed_s = (desk.now_us - began_us) / 1e6
        assert abs(desk.control.session.elapsed_s() - elapsed_s) <= 1.1
    desk.run_to(messages.READY, 60_000 + 2500 - 11 * 5000)
    assert desk.control.stop_cause == messages.STOPPED_SESSION_OVER
    assert (desk.now_us - began_us) / 1e6 >= 59


def test_a_stop_of_what_is_already_off_keeps_the_cause():
    desk = StimulatorDesk(**HOLD)
    desk.control.stop(messages.STOPPED_REMOTE)
    assert desk.control.stop_cause == messages.STOPPED_NEVER_ON
    desk.control.start()
    desk.run_to(messages.HOLD)
    desk.magnet(True)
    desk.run_ms(50)
    for cause in (messages.STOPPED_HOST, messages.STOPPED_REMOTE, messages.STOPPED_REPL):
        desk.control.stop(cause)
        assert desk.control.stop_cause == messages.STOPPED_MAGNET


class Typed:
    """Waiter and watchdog of a board whose host types Ctrl-C in the hold, and goes on typing."""

    def __init__(self, desk):
        self.desk = desk
        self.watched = True
        self.ignored = 0
        off = desk.output.off_now
        desk.output.off_now = lambda: (off(), self.interrupt())

    def interrupt(self):
        if self.ignored or self.desk.control.state() == messages.HOLD:
            if KEYBOARD.character == 3:
                raise KeyboardInterrupt
            self.ignored += 1

    def wait(self, wait_ms):
        self.desk.run_ms(max(1, wait_ms))
        self.interrupt()
        return False

    def feed(self):
        pass

    def disable(self):
        self.watched = False


def test_a_second_ctrl_c_does_not_keep_the_first_from_ending_the_watchdog(capsys):
    desk = StimulatorDesk(**HOLD)
    desk.control.start()
    typed = Typed(desk)
    # What is typed when all is done ends nothing but the REPL's own line.
    with pytest.raises(KeyboardInterrupt):
        desk.app.run(typed, typed)
    assert typed.ignored >= 1 and not typed.watched
    assert not desk.pulser.running() and desk.control.stop_cause == messages.STOPPED_REPL
    assert "stimulator stopped: output off" in capsys.readouterr().out
