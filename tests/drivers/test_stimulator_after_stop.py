"""After a stop: what others asked for before it begins nothing, whatever route the stop came by."""

import pytest
from stimfw.protocol import messages
from stimfw.therapy import machine
from support.stimulator_harness import StimulatorHarness

HOLD = {"left__amplitude_ua": 2000, "right__amplitude_ua": 3000, "ramp_up_ms": 0, "ramp_down_ms": 0}
PEER, OTHER = 1, 3
TRIES_MS = 1000  # so long a peer tries: docs/telemetry.md
FREE_MS = 1150
USB, NOBODY = messages.FROM_USB, messages.FROM_NOBODY
BEGINNINGS = {
    "session": lambda control, sender: control.start(0, sender),
    "test stimulation": lambda control, sender: control.start(5, sender),
    "measurement": lambda control, sender: control.measure(sender),
    "self-test": lambda control, sender: control.test_output(sender),
}


def magnet(harness):
    harness.magnet(True)
    harness.run_ms(5)
    harness.magnet(False)


STOPS = {
    "STOP of another peer": (lambda harness: harness.control.stop(messages.STOPPED_REMOTE, OTHER), OTHER),
    "USB": (lambda harness: harness.control.stop(messages.STOPPED_HOST, USB), USB),
    "Ctrl-C": (lambda harness: harness.control.stop(messages.STOPPED_REPL), NOBODY),
    "magnet": (magnet, NOBODY),
    "a part that fails": (lambda harness: (harness.control.fail(1), harness.control.mended(1)), NOBODY),
}


def at_rest():
    harness = StimulatorHarness(**HOLD)
    harness.run_ms(100)
    return harness


def in_hold():
    harness = at_rest()
    assert harness.control.start(0, PEER) == messages.REASON_NONE
    harness.run_to(messages.HOLD)
    return harness


@pytest.mark.control("C-09")
@pytest.mark.parametrize("where", [at_rest, in_hold])
@pytest.mark.parametrize("route", list(STOPS))
@pytest.mark.parametrize("what", list(BEGINNINGS))
def test_for_a_second_after_any_stop_nothing_of_another_peer_begins(route, what, where):
    harness = where()
    stop, sender = STOPS[route]
    stop(harness)
    assert harness.stops[-1][1] == sender
    trains, stopped_us = harness.pulser.trains, harness.now_us
    ask = BEGINNINGS[what]
    while harness.now_us < stopped_us + TRIES_MS * 1000:
        assert ask(harness.control, PEER) == messages.REASON_JUST_STOPPED
        harness.run_ms(90)
    assert harness.pulser.trains == trains and not harness.control.busy()
    harness.run_ms(FREE_MS - TRIES_MS)
    assert ask(harness.control, PEER) == messages.REASON_NONE


def test_who_stopped_may_start_at_once_and_so_may_usb():
    for sender in (OTHER, USB):
        harness = in_hold()
        harness.control.stop(messages.STOPPED_REMOTE, OTHER)
        assert harness.control.start(0, PEER) == messages.REASON_JUST_STOPPED
        assert harness.control.start(0, sender) == messages.REASON_NONE


def test_a_stop_that_follows_another_peers_stop_frees_nobody():
    """An older STOP of a peer is kept back, and released after another's: its START may be older still."""
    harness = in_hold()
    harness.control.stop(messages.STOPPED_REMOTE, OTHER)
    harness.run_ms(300)
    harness.control.stop(messages.STOPPED_REMOTE, PEER)
    for sender in (PEER, OTHER):
        assert harness.control.start(0, sender) == messages.REASON_JUST_STOPPED
    harness.run_ms(FREE_MS)
    harness.control.stop(messages.STOPPED_REMOTE, PEER)
    harness.run_ms(300)
    harness.control.stop(messages.STOPPED_REMOTE, PEER)
    assert harness.control.start(0, PEER) == messages.REASON_NONE, "twice by the same peer"


def test_only_the_last_stop_counts():
    harness = in_hold()
    harness.control.stop(messages.STOPPED_REMOTE, PEER)
    harness.run_ms(600)
    harness.control.stop(messages.STOPPED_REMOTE, OTHER)  # of what is off already
    assert harness.control.start(0, PEER) == messages.REASON_JUST_STOPPED
    harness.run_ms(600)
    assert harness.control.start(0, PEER) == messages.REASON_JUST_STOPPED, "1.2 s after the first one"
    harness.run_ms(FREE_MS - 600)
    assert harness.control.start(0, PEER) == messages.REASON_NONE


def test_the_end_of_a_session_by_itself_is_a_stop():
    harness = at_rest()
    assert harness.control.start(1, PEER) == messages.REASON_NONE
    harness.run_to(messages.READY)
    assert harness.stops[-1][1] == NOBODY
    assert harness.control.start(0, PEER) == messages.REASON_JUST_STOPPED
    harness.run_ms(FREE_MS)
    assert harness.control.start(0, PEER) == messages.REASON_NONE


def test_the_end_of_a_measurement_is_nobodys_stop():
    harness = at_rest()
    assert harness.control.test_output(PEER) == messages.REASON_NONE
    harness.run_to(messages.READY)
    assert harness.stops == [] and harness.control.start(0, OTHER) == messages.REASON_NONE


def test_after_a_start_nothing_is_held_back():
    harness = at_rest()
    assert harness.control.start(0, PEER) == messages.REASON_NONE and harness.stops == []


def test_while_the_second_lasts_a_start_of_a_running_session_is_held_back_too():
    harness = in_hold()
    harness.control.stop(messages.STOPPED_REMOTE, OTHER)
    assert harness.control.start(0, USB) == messages.REASON_NONE
    assert harness.control.start(0, PEER) == messages.REASON_JUST_STOPPED and harness.control.busy()


def test_days_later_the_clock_has_wrapped_and_nothing_is_held_back(monkeypatch):
    """MicroPython's ticks: 2**30 ms, and a difference of more than half of that is negative."""
    harness = at_rest()
    harness.control.stop(messages.STOPPED_REMOTE, OTHER)
    wrapped = lambda end, start: (end - start + (1 << 29)) % (1 << 30) - (1 << 29)  # noqa: E731
    for module in ("control", "session", "app", "output"):
        monkeypatch.setattr(f"stimfw.stimulator.{module}.ticks_diff", wrapped)
    harness.run_ms(2000)
    monkeypatch.setattr(
        "stimfw.stimulator.control.ticks_ms", lambda: harness.now_us // 1000 + (1 << 29) + 5000
    )
    assert harness.control.refusal(machine.START, PEER) == messages.REASON_NONE
