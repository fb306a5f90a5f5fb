"""The remote without hardware, when its random source has failed: STOP goes out, and nothing else."""

import pytest
from stimfw.protocol import messages, requests
from stimfw.remote.panel import HOLD_MS
from stimfw.telemetry import frames
from stimfw.ui import feedback
from support.remote_harness import Remote, merged


@pytest.fixture
def remote():
    one = Remote()
    one.random.failed = True
    return one


def test_stop_is_sent_and_executed(remote):
    remote.press("stop")
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.executed[-1] == requests.STOP


@pytest.mark.parametrize("button", ["start", "status"])
def test_nothing_else_is_sent(remote, button):
    remote.press(button)
    assert remote.watch() == merged(feedback.NO_FLASH)
    assert remote.radio.sent == [] and not remote.radio.awake


def test_a_button_works_again_after_one_that_was_refused(remote):
    remote.press("start")
    remote.watch()
    remote.press("stop")
    assert remote.watch() == merged(feedback.DELIVERED)


@pytest.mark.parametrize("found", ["before", "in the draw"])
def test_no_pairing_begins(remote, found):
    if found == "in the draw":
        remote.random.failed = False
        remote.random.take = lambda count: type(remote.random).take(failing(remote.random), count)
        remote.pairing.client._random = remote.random.take
    remote.stimulator.window.open(remote.now_ms)
    remote.press("status", hold_ms=HOLD_MS + 50)
    remote.watch()
    assert frames.PAIR not in remote.kinds() and not remote.app.busy()
    assert remote.lights == 0 and not remote.radio.awake


def failing(random):
    random.failed = True
    return random


def test_a_key_over_usb_is_refused(remote):
    remote.serve(None, None, None)
    before = remote.pairing.record.key
    asked = remote.ask(requests.PAIR, b"base" + bytes((1, 1)) + bytes(32))
    assert asked == (messages.WRONG_STATE, bytes((messages.FAULT, messages.REASON_RANDOM)))
    assert remote.pairing.record.key == before
