"""The remote's application without hardware: pairing by radio, from the held STATUS to the new key."""

from itertools import pairwise

import pytest
from stimfw.protocol import messages, requests
from stimfw.remote.panel import HOLD_MS
from stimfw.storage import layout
from stimfw.storage.pairings import RemotePairing
from stimfw.storage.record import Record
from stimfw.telemetry import frames
from stimfw.telemetry.keys import next_key
from stimfw.ui import feedback
from support.remote_harness import SLOT, Remote, merged, status_body

PASS_MS = 4000


@pytest.fixture
def remote():
    return Remote()


def begin_pairing(remote, window=True):
    if window:
        remote.stimulator.window.open(remote.now_ms)
    remote.stimulator.body = status_body()
    remote.press("status", hold_ms=HOLD_MS + 50)


def until_the_code(remote):
    client = remote.pairing.client
    for _ in range(600):
        if client.state == client.COMPARING:
            return
        remote.go(10)
    raise AssertionError("no code")


def until_awaited(remote):
    """Until the stimulator asks for its person's consent."""
    for _ in range(100):
        if remote.stimulator.window.awaits_consent(remote.now_ms):
            return
        remote.go(10)
    raise AssertionError("no acceptance came")


def test_status_held_shorter_does_not_pair(remote):
    remote.stimulator.body = status_body()
    remote.press("status", hold_ms=HOLD_MS - 50)
    remote.go(3000)
    assert remote.stimulator.executed == [requests.STATUS] and frames.PAIR not in remote.kinds()


def test_a_held_status_pairs_at_low_power_and_uses_the_new_key(remote):
    begin_pairing(remote)
    until_the_code(remote)
    said = [(frame, low) for frame, _, _, _, low in remote.radio.sent if frames.kind_of(frame) == frames.PAIR]
    assert said and all(low for _, low in said)
    executed = len(remote.stimulator.executed)
    remote.go(PASS_MS)
    remote.press("start")
    until_awaited(remote)
    remote.stimulator.window.consent(remote.now_ms)
    assert [step for step in remote.watch() if step[1]][-3:] == merged(feedback.PAIRED)[:3]
    assert remote.pairing.record.slot == 3
    assert remote.pairing.record.key == remote.stimulator.table.pairings[3].key
    assert remote.stimulator.executed[executed:] == [requests.STATUS] and remote.stimulator.slots[-1] == 3
    remote.press("start")
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.slots[-1] == 3


def test_the_last_frame_of_a_pairing_goes_out_though_the_channel_is_occupied(remote):
    """It closes the stimulator's window, and is given once."""
    begin_pairing(remote)
    until_the_code(remote)
    remote.radio.busy = {76}
    said = len(remote.radio.sent)
    remote.press("stop")
    remote.go(2000)
    last = [frame for frame, *_ in remote.radio.sent[said:] if frames.kind_of(frame) == frames.PAIR]
    assert len(last) == 1 and last[0][1] == 5 and not any(last[0][2:])
    assert not remote.radio.awake


def test_the_code_is_shown_in_amber(remote):
    begin_pairing(remote)
    until_the_code(remote)
    seen = set()
    for _ in range(400):
        remote.go(10)
        lit = remote.pairing.lit(remote.now_ms)
        remote.app.poll(remote.now_ms)
        assert remote.lights == (feedback.AMBER if lit > 0 else 0)
        seen.add(lit)
    assert seen == {0, 1}


def test_stop_refuses_a_pairing_and_changes_nothing(remote):
    begin_pairing(remote)
    until_the_code(remote)
    kept = remote.pairing.record.key
    remote.press("stop")
    remote.stimulator.window.consent(remote.now_ms)
    refused = feedback.pairing_failed(feedback.FAILED_NOT_ALIKE)
    assert remote.watch() == merged(feedback.DELIVERED + refused)
    assert remote.pairing.record.key == kept and remote.stimulator.executed[-1] == requests.STOP
    assert not remote.stimulator.window.is_open(remote.now_ms)
    remote.press("stop")
    assert remote.watch() == merged(feedback.DELIVERED)


def test_without_a_window_a_pairing_says_so(remote):
    begin_pairing(remote, window=False)
    assert remote.watch(40_000)[-3:] == merged(feedback.pairing_failed(feedback.FAILED_NO_WINDOW))[-3:]


def test_start_before_the_code_is_shown_accepts_nothing(remote):
    begin_pairing(remote)
    remote.press("start")
    until_the_code(remote)
    remote.stimulator.window.consent(remote.now_ms)
    remote.go(3000)
    assert remote.pairing.client.state == remote.pairing.client.COMPARING
    assert requests.START not in remote.stimulator.executed


def test_start_before_the_code_was_shown_whole_is_told_by_a_low_beep_and_not_taken(remote):
    begin_pairing(remote)
    until_the_code(remote)
    client = remote.pairing.client
    for until_ms in (35, 1500, PASS_MS - 400):
        remote.go(client._shown_ms + until_ms - remote.now_ms)
        first = len(remote.shown)
        remote.press("start")
        remote.go(300)
        marks = pairwise(remote.shown[first - 1 :])
        tones = [(tone_hz, after[0] - at_ms) for (at_ms, _, tone_hz), after in marks]
        assert {tone_hz for tone_hz, _ in tones} == {0, 400}
        assert sum(span_ms for tone_hz, span_ms in tones if tone_hz) == 100, "short"
        assert client.state == client.COMPARING and remote.tone_hz == 0, until_ms
    remote.go(400)
    first = len(remote.shown)
    remote.press("start")
    remote.press("start")
    remote.go(300)
    assert client.state == client.WAITING_MAGNET
    assert not any(tone_hz for _, _, tone_hz in remote.shown[first:]), "a second press changes nothing"


def test_a_stop_under_way_is_not_given_up_for_a_pairing(remote):
    remote.down("status")
    remote.go(HOLD_MS - 100)
    remote.radio.delivers = False
    remote.press("stop")
    remote.go(1000)
    remote.radio.delivers = True
    remote.go(3000)
    assert remote.stimulator.executed[-1] == requests.STOP and frames.PAIR not in remote.kinds()


def test_a_dead_radio_is_told_at_a_pairing_too(remote):
    remote.stimulator.body = status_body()
    remote.down("status")
    remote.go(HOLD_MS - 20)
    remote.radio.works = False
    remote.go(100)
    remote.up("status")
    assert remote.lights == feedback.RED and not remote.app.busy()


# Generations of the key.


def test_a_start_steps_on_and_the_stimulator_follows(remote):
    first = remote.pairing.record.key
    again = Remote(before=remote)
    assert again.pairing.record.key == next_key(first) and again.pairing.record.generation == 1
    again.press("start")
    assert again.watch() == merged(feedback.DELIVERED)
    assert again.stimulator.responder.used(SLOT) == (1, next_key(first))


def test_a_confirmation_is_written_in_a_calm_moment_once(remote):
    again = Remote(before=remote)
    record = again.pairing.record
    for _ in range(2):
        again.press("stop")
        again.go(1900)
        assert record.steps == 1, "somebody may press another button"
    again.flash.operations.clear()
    again.go(6000)
    assert record.steps == 0 and len(again.flash.operations) == 2, "a page and an erase"
    assert RemotePairing(Record(again.flash, layout.PAIRINGS)).steps == 0


def test_nothing_is_confirmed_without_an_authentic_answer(remote):
    again = Remote(before=remote)
    again.radio.delivers = False
    again.press("status")
    again.flash.operations.clear()
    again.go(9000)
    assert again.pairing.record.steps == 1 and not again.flash.operations


def test_nothing_is_written_while_a_session_runs(remote):
    again = Remote(before=remote)
    again.stimulator.bodies[requests.STATUS] = status_body(messages.HOLD)
    again.press("start")
    again.go(9000)
    assert again.pairing.record.steps == 1, "a STOP would be late"
    again.stimulator.bodies[requests.STATUS] = status_body()
    again.go(20_000)
    assert again.pairing.record.steps == 0


def test_a_flash_that_does_not_take_it_is_not_tried_again(remote):
    again = Remote(before=remote)
    again.press("status")
    again.flash.dead |= {layout.PAIRINGS, layout.PAIRINGS + 1}
    again.go(3000)
    tried = len(again.flash.operations)
    again.go(5000)
    assert len(again.flash.operations) == tried and again.pairing.record.steps == 1
    again.press("stop")
    assert again.watch() == merged(feedback.DELIVERED)


def test_a_flash_that_takes_no_step_leaves_the_key_that_works(remote):
    first = remote.pairing.record.key
    remote.flash.dead |= {layout.PAIRINGS, layout.PAIRINGS + 1}
    again = Remote(before=remote)
    assert again.pairing.record.key == first and again.pairing.record.generation == 0
    again.press("stop")
    assert again.watch() == merged(feedback.DELIVERED)


def test_a_remote_that_nobody_answers_goes_eight_generations_ahead_and_is_heard_again(remote):
    first = remote.pairing.record.key
    again = remote
    for _ in range(20):
        again = Remote(before=again)
        again.radio.delivers = False
        again.press("stop")
        again.go(100)
    assert again.pairing.record.generation == 8
    again = Remote(before=again)
    again.press("stop")
    assert again.watch() == merged(feedback.DELIVERED)
    key = first
    for _ in range(8):
        key = next_key(key)
    assert again.stimulator.responder.used(SLOT) == (8, key)


def test_a_new_pairing_is_of_generation_zero_and_has_nothing_to_confirm(remote):
    again = Remote(before=remote)
    begin_pairing(again)
    until_the_code(again)
    again.go(PASS_MS)
    again.press("start")
    until_awaited(again)
    again.stimulator.window.consent(again.now_ms)
    again.go(6000)
    record = again.pairing.record
    assert (record.slot, record.generation, record.steps) == (3, 0, 0)
