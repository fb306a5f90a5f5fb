"""The remote's application without hardware: which request goes out when, and what is shown for it."""

import pytest
from stimfw.protocol import messages, requests
from stimfw.remote.app import LONGEST_SLEEP_MS
from stimfw.telemetry import frames
from stimfw.telemetry.requester import LIMIT_MS, STOP_LIMIT_MS
from stimfw.ui import feedback
from support.remote_harness import Remote, merged, status_body

PRESSES = [("start", requests.START), ("stop", requests.STOP), ("status", requests.STATUS)]


@pytest.fixture
def remote():
    return Remote()


@pytest.mark.control("C-11")
@pytest.mark.parametrize(("name", "opcode"), PRESSES)
def test_a_button_asks_once(remote, name, opcode):
    remote.press(name)
    remote.go(2000)
    assert remote.stimulator.executed == [opcode]
    assert remote.kinds() == [frames.HELLO, frames.REQUEST]


def test_in_an_open_connection_a_press_is_one_frame(remote):
    remote.press("status")
    remote.go(2000)
    said = len(remote.radio.sent)
    remote.press("stop")
    remote.go(2000)
    assert remote.kinds()[said:] == [frames.REQUEST]


def test_nothing_to_do_means_a_long_sleep_with_the_radio_off(remote):
    assert remote.app.poll(0) == LONGEST_SLEEP_MS and not remote.radio.awake
    remote.down("start")
    assert remote.radio.awake
    remote.up("start")
    remote.go(3000)
    assert remote.app.poll(remote.now_ms) == LONGEST_SLEEP_MS and not remote.radio.awake


# Patterns.


@pytest.mark.parametrize("name", ["start", "stop"])
def test_delivered(remote, name):
    remote.press(name)
    assert remote.watch() == merged(feedback.DELIVERED)


@pytest.mark.control("C-46")
@pytest.mark.parametrize("reason", range(1, len(messages.REASON_TEXTS)))
def test_refused_blinks_its_reason(remote, reason):
    remote.stimulator.code, remote.stimulator.body = messages.WRONG_STATE, bytes((messages.READY, reason))
    remote.press("start")
    assert remote.watch() == merged(feedback.refused(reason))
    assert remote.app.refused == 1


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (messages.UNKNOWN_OPCODE, b""),
        (messages.WRONG_STATE, b"\1"),
        (messages.FORBIDDEN, b""),
        (messages.OK, b"no"),
    ],
)
def test_replies_that_make_no_sense_are_refusals_without_a_reason(remote, code, body):
    remote.stimulator.code, remote.stimulator.body = code, body
    remote.press("status")
    assert remote.watch() == merged(feedback.refused(0))
    assert remote.app.refused == 1


@pytest.mark.parametrize("flags", [0, messages.FLAG_MAGNET])
@pytest.mark.parametrize("state", range(len(messages.STATE_NAMES)))
def test_status_shows_the_state(remote, state, flags):
    remote.stimulator.body = status_body(state, flags)
    remote.press("status")
    assert remote.watch() == merged(feedback.status(state, bool(flags)))


def test_a_low_battery_is_told_after_status_whatever_came_of_it(remote):
    remote.supply_mv = 3000
    remote.stimulator.body = status_body()
    remote.press("status")
    assert remote.watch() == merged(feedback.status(messages.READY, False) + feedback.LOW_BATTERY)
    remote.radio.delivers = False
    remote.press("status")
    assert remote.watch() == merged(feedback.NO_ANSWER + feedback.LOW_BATTERY)


@pytest.mark.control("C-46")
@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize(("name", "limit_ms"), [("start", LIMIT_MS), ("stop", STOP_LIMIT_MS)])
def test_no_answer(remote, name, limit_ms, arrives):
    """Whether nothing arrives, or the answers are lost."""
    remote.radio.delivers, remote.radio.answers = arrives, False
    remote.press(name)
    remote.go(limit_ms - 10)
    assert remote.lights == 0 and remote.radio.awake
    assert remote.watch() == merged(feedback.NO_ANSWER)
    assert len(remote.radio.sent) > limit_ms // 50 and not remote.radio.awake


@pytest.mark.parametrize("name", ["start", "stop", "status"])
def test_an_unpaired_remote_says_so_and_sends_nothing(name):
    remote = Remote(paired=False)
    remote.press(name)
    assert remote.watch() == merged(feedback.NOT_PAIRED)
    assert remote.radio.sent == []


@pytest.mark.parametrize("name", ["start", "stop", "status"])
def test_a_dead_radio_is_told_at_each_press(remote, name):
    remote.radio.works = False
    for _ in range(2):
        remote.press(name)
        assert remote.watch() == merged(feedback.NO_RADIO)
    assert remote.radio.sent == []
    remote.radio.works = True
    remote.press("start")
    assert remote.watch() == merged(feedback.DELIVERED)


# Where it sends.


def test_on_an_occupied_channel_it_sends_after_three_looks(remote):
    """Not never: somebody who is on the air most of the time would keep it away."""
    remote.press("status")
    remote.go(2000)
    remote.radio.checked.clear()
    remote.radio.busy = {76}
    remote.press("stop")
    remote.app.poll(remote.now_ms)
    assert remote.radio.checked == [76] * 4 and remote.radio.forced == 1
    assert remote.watch() == merged(feedback.DELIVERED)


def test_each_frame_has_its_own_three_looks(remote):
    remote.radio.busy, remote.radio.delivers = {76, 50, 24}, False
    remote.press("stop")
    remote.go(200)
    assert len(remote.radio.sent) > 5
    assert len(remote.radio.checked) == 4 * len(remote.radio.sent) == 4 * remote.radio.forced


def test_stop_goes_out_more_often_in_a_burst_once_it_had_no_answer(remote):
    remote.radio.delivers = False
    remote.press("stop")
    remote.go(100)
    assert remote.radio.copies[0] == 3 and set(remote.radio.copies[1:]) == {8}


def test_nothing_that_arrived_unanswered_moves_the_search(remote):
    """The stimulator, or anybody in its place, takes what is sent, and nothing comes back."""
    remote.radio.answers = False
    remote.press("stop")
    remote.go(300)
    assert {sent[3] for sent in remote.radio.sent} == {76, 50, 24}
    remote.radio.held.clear()
    remote.radio.answers = True
    assert remote.watch() == merged(feedback.DELIVERED)


# One thing at a time.


@pytest.mark.control("C-04")
def test_stop_takes_the_place_of_start(remote):
    remote.radio.delivers = False
    remote.press("start")
    remote.go(100)
    remote.press("stop")
    remote.radio.delivers = True
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.executed == [requests.STOP]


def test_both_at_once_is_stop(remote):
    remote.press("start", "stop")
    remote.go(2000)
    assert remote.stimulator.executed == [requests.STOP]


@pytest.mark.control("C-04")
def test_nothing_takes_the_place_of_stop(remote):
    remote.radio.delivers = False
    remote.press("stop")
    remote.press("start", "status")
    remote.go(500)
    remote.radio.delivers = True
    remote.go(5000)
    assert remote.stimulator.executed == [requests.STOP]


def test_stop_again_begins_again(remote):
    remote.press("stop", hold_ms=40)
    remote.go(40)
    remote.press("stop")
    remote.go(2000)
    assert remote.stimulator.executed == [requests.STOP] * 2


def test_a_late_reply_to_start_is_not_taken_for_stop(remote):
    remote.press("status")
    remote.go(2000)
    remote.radio.answers = False
    remote.press("start")
    remote.go(10)
    assert remote.stimulator.executed[-1] == requests.START and len(remote.radio.held) == 1
    remote.radio.delivers = False
    remote.press("stop")
    remote.radio.answers = True
    remote.go(200)
    assert remote.lights == 0 and remote.radio.awake, "it was shown as delivered"


def test_close_leaves_all_dark(remote):
    remote.press("start")
    remote.go(20)
    assert remote.lights
    remote.app.close(remote.now_ms)
    assert (remote.lights, remote.tone_hz, remote.radio.awake) == (0, 0, False)
