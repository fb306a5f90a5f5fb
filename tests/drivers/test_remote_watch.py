"""The remote's watch over a session: it asks in the background, tells what is lost, and yields to a press."""

import struct
from itertools import pairwise

import pytest
from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import frames
from stimfw.telemetry.requester import LIMIT_MS
from stimfw.ui import feedback, therapy_feedback
from support.remote_harness import Remote, merged

EVERY_MS = (5000, 5500)  # docs/remote.md
LOST_AFTER_MS = 3 * 5500 + LIMIT_MS
LONGEST_S = 3690
STATES = range(len(messages.STATE_NAMES))
INTERFERENCE = messages.STATE_NAMES.index("interference")
SESSION = (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST, INTERFERENCE)
IDLE = [state for state in STATES if state not in SESSION]
ANSWER_MS = 100
DARK = (0, 0)


def says(remote, state, session_s=0):
    """What the stimulator answers to STATUS from now on."""
    body = requests.pack_reply(
        requests.row_of(requests.STATUS), (state, 0, 0, 0, 2000, 2000, session_s, 5000)
    )
    remote.stimulator.bodies = {requests.STATUS: body}


def in_session(state=messages.HOLD):
    """A remote whose START was done 1 s ago; all that it showed is over."""
    remote = Remote()
    says(remote, state)
    remote.press("start")
    remote.go(1000)
    assert remote.stimulator.executed == [requests.START] and remote.shown[-1][1:] == DARK
    return remote


def looks(remote, span_ms):
    """How often the watch asked in a time in which no button was pressed."""
    before = len(remote.stimulator.executed)
    remote.go(span_ms)
    asked = remote.stimulator.executed[before:]
    assert set(asked) <= {requests.STATUS}
    return len(asked)


def quiet(remote, span_ms):
    """Whether nothing was shown in a time."""
    before = len(remote.shown)
    remote.go(span_ms)
    return len(remote.shown) == before and remote.shown[-1][1:] == DARK


def away(remote, is_away=True):
    """The stimulator hears nothing."""
    remote.radio.delivers = not is_away


def seen(remote, span_ms):
    """All patterns of a time, each with its end: (lights, tone, ms) without what is dark."""
    before = len(remote.shown) - 1
    remote.go(span_ms)
    marks = [*remote.shown[before:], (remote.now_ms, 0, 0)]
    steps = [(*a[1:], b[0] - max(a[0], 0)) for a, b in pairwise(marks)]
    return [step for step in steps if step[:2] != DARK]


def lit(pattern):
    return [step for step in merged(pattern) if step[:2] != DARK]


def lost(remote):
    """Let the link be lost, and watch it being told for the first time."""
    away(remote)
    assert seen(remote, LOST_AFTER_MS)[: len(lit(feedback.LINK_LOST))] == lit(feedback.LINK_LOST)


# When it asks.


def test_a_session_is_watched_in_silence_while_the_answers_come():
    remote = in_session()
    assert quiet(remote, 60_000)
    assert 60_000 // EVERY_MS[1] <= remote.stimulator.executed.count(requests.STATUS) <= 60_000 // EVERY_MS[0]
    assert remote.stimulator.executed.count(requests.START) == 1 and not remote.radio.awake


def test_two_looks_are_never_equally_far_apart():
    remote = in_session()
    times = []
    for _ in range(3000):
        before = len(remote.radio.sent)
        remote.go(20)
        times += [remote.now_ms] if len(remote.radio.sent) > before else []
    apart = [after - before for before, after in pairwise(times)]
    assert len(apart) >= 9 and all(EVERY_MS[0] - 20 <= gap <= EVERY_MS[1] + 20 for gap in apart)
    assert len(set(apart)) > 4


@pytest.mark.parametrize("state", STATES)
def test_a_status_that_shows_a_session_begins_the_watch(state):
    remote = Remote()
    says(remote, state)
    remote.press("status")
    remote.go(4000)
    assert (looks(remote, 20_000) > 0) == (state in SESSION)


def test_without_a_session_the_remote_is_off_the_air():
    for name, code in (("status", messages.OK), ("stop", messages.OK), ("start", messages.WRONG_STATE)):
        remote = Remote()
        says(remote, messages.READY)
        remote.stimulator.code = code
        remote.press(name)
        remote.go(4000)
        assert looks(remote, 60_000) == 0, name
    remote = Remote()
    away(remote)
    remote.press("start")
    remote.go(4000)
    sent = len(remote.radio.sent)
    remote.go(60_000)
    assert len(remote.radio.sent) == sent, (
        "an unanswered START is told in red; nothing says that a session runs"
    )


def test_a_stop_ends_the_watch_and_nothing_more_is_shown():
    remote = in_session()
    remote.press("stop")
    assert remote.watch() == merged(feedback.DELIVERED)
    assert quiet(remote, 60_000) and looks(remote, 60_000) == 0


def test_a_status_without_a_session_ends_the_watch():
    remote = in_session()
    says(remote, messages.READY)
    remote.press("status")
    assert remote.watch() == merged(feedback.status(messages.READY, False))
    assert quiet(remote, 60_000) and looks(remote, 60_000) == 0


def test_what_makes_no_sense_ends_no_watch():
    remote = in_session()
    remote.stimulator.bodies[requests.STATUS] = b"no"
    assert quiet(remote, 60_000)
    says(remote, messages.READY)
    assert seen(remote, 6000) == lit(feedback.SESSION_OVER)


# What it tells.


@pytest.mark.control("C-47")
@pytest.mark.parametrize("state", IDLE)
def test_the_end_of_the_session_is_told_once(state):
    remote = in_session()
    remote.go(20_000)
    says(remote, state)
    assert remote.watch() == merged(feedback.SESSION_OVER)
    assert quiet(remote, 60_000) and looks(remote, 60_000) == 0


def test_two_looks_without_an_answer_are_not_told():
    """However often it happens: an answer in between begins the count again."""
    remote = in_session()
    before = len(remote.shown)
    for _ in range(3):
        remote.go(20_000)
        away(remote)
        for awake in (True, False) * 2:
            while remote.radio.awake != awake:
                remote.go(1)
        remote.go(100)
        away(remote, False)
    remote.go(30_000)
    assert len(remote.shown) == before


@pytest.mark.control("C-47")
def test_a_lost_link_is_told_at_the_third_and_then_every_five_seconds():
    remote = in_session()
    remote.go(20_000)
    away(remote)
    begun_ms, marks = remote.now_ms, len(remote.shown)
    remote.go(60_000)
    red = [since_ms for since_ms, lights, _ in remote.shown[marks:] if lights == feedback.RED]
    firsts = red[::3]
    assert 2 * EVERY_MS[0] + LIMIT_MS <= firsts[0] - begun_ms <= LOST_AFTER_MS + 50
    apart = [after - before for before, after in pairwise(firsts)]
    assert len(apart) >= 7 and all(EVERY_MS[0] - 50 <= gap <= EVERY_MS[1] + 50 for gap in apart)
    assert len(red) == 3 * len(firsts)


def test_a_link_that_is_back_is_told_once():
    remote = in_session()
    lost(remote)
    away(remote, False)
    assert seen(remote, 7000)[-1:] == lit(feedback.LINK_BACK)
    assert quiet(remote, 60_000) and looks(remote, 60_000) > 9


def test_a_link_that_is_back_after_the_session_tells_both():
    remote = in_session()
    lost(remote)
    away(remote, False)
    says(remote, messages.READY)
    assert seen(remote, 7000)[-3:] == lit(feedback.LINK_BACK + feedback.SESSION_OVER)[-3:]
    assert quiet(remote, 60_000)


def test_answers_that_are_lost_count_like_requests():
    remote = in_session()
    remote.radio.answers = False
    assert seen(remote, LOST_AFTER_MS)[:2] == lit(feedback.LINK_LOST)[:2]


def test_a_radio_that_breaks_is_a_lost_link():
    remote = in_session()
    remote.radio.works = False
    assert seen(remote, LOST_AFTER_MS)[:2] == lit(feedback.LINK_LOST)[:2]


def test_it_gives_up_when_no_session_takes_so_long():
    remote = in_session()
    remote.go(100_000)
    lost(remote)
    remote.go(1000 * (LONGEST_S - 200))
    assert not quiet(remote, 15_000)
    remote.go(100_000)
    assert quiet(remote, 60_000) and looks(remote, 60_000) == 0


def test_a_session_that_was_joined_late_is_over_earlier():
    remote = Remote()
    says(remote, messages.HOLD, session_s=3000)
    remote.press("status")
    remote.go(4000)
    away(remote)
    remote.go(1000 * (LONGEST_S - 3000) - 30_000)
    assert not quiet(remote, 15_000)
    remote.go(30_000)
    assert quiet(remote, 60_000)


# A press goes first.


def look_under_way(remote):
    """Until the watch has sent something that is not answered yet."""
    sent = len(remote.radio.sent)
    remote.radio.answers = False
    while len(remote.radio.sent) == sent:
        remote.go(1)


@pytest.mark.parametrize(("name", "opcode"), [("stop", requests.STOP), ("start", requests.START)])
def test_a_press_takes_the_place_of_a_look_at_once(name, opcode):
    remote = in_session()
    remote.go(10_000)
    look_under_way(remote)
    remote.radio.answers = True
    sent, pressed_ms = len(remote.radio.sent), remote.now_ms
    remote.down(name)
    assert len(remote.radio.sent) == sent + 1, "in the very turn of the press"
    assert remote.kinds()[-1] == frames.REQUEST
    while opcode not in remote.stimulator.executed[1:]:
        remote.go(1)
    assert remote.now_ms - pressed_ms <= 20
    assert remote.watch() == merged(feedback.DELIVERED)


def test_a_press_while_the_link_is_lost_says_what_became_of_it_and_silences_the_rest():
    remote = in_session()
    lost(remote)
    remote.press("stop")
    assert remote.watch() == merged(feedback.NO_ANSWER)
    sent = len(remote.radio.sent)
    assert quiet(remote, 60_000), "the person knows"
    assert len(remote.radio.sent) > sent, "and yet the watch goes on"
    away(remote, False)
    assert seen(remote, 7000) == lit(feedback.LINK_BACK)
    lost(remote)


def test_a_press_in_the_middle_of_the_alarm_ends_it_at_once():
    remote = in_session()
    away(remote)
    remote.go(100)
    while remote.lights != feedback.RED:
        remote.go(1)
    remote.down("status")
    assert (remote.lights, remote.tone_hz) == DARK


def test_a_press_that_is_answered_ends_the_loss_without_more_words():
    remote = in_session()
    lost(remote)
    away(remote, False)
    remote.press("status")
    assert remote.watch() == merged(feedback.status(messages.HOLD, False))
    assert quiet(remote, 30_000)
    lost(remote)


def test_a_press_that_is_refused_was_answered_too():
    remote = in_session()
    lost(remote)
    away(remote, False)
    remote.stimulator.bodies[requests.START] = bytes((messages.HOLD, messages.REASON_LOCKED))
    remote.stimulator.code = messages.WRONG_STATE
    remote.press("start")
    assert remote.watch() == merged(feedback.refused(messages.REASON_LOCKED))
    remote.stimulator.code = messages.OK
    assert quiet(remote, 30_000)


def test_nothing_that_is_shown_is_cut_short_by_a_look():
    """A refusal's blinks take longer than the watch waits."""
    remote = in_session()
    away(remote)
    remote.go(2 * EVERY_MS[1] + LIMIT_MS)
    away(remote, False)
    remote.stimulator.code = messages.WRONG_STATE
    remote.stimulator.bodies[requests.START] = bytes((messages.READY, 13))
    remote.press("start")
    assert remote.watch(9000) == merged(feedback.refused(13))


# Beside all else that a remote does.


def test_a_pairing_is_not_disturbed():
    remote = in_session()
    remote.down("status")
    remote.go(4000)
    remote.up("status")
    assert frames.kind_of(remote.radio.sent[-1][0]) == frames.PAIR
    before, since_ms = remote.stimulator.executed[:], remote.now_ms
    away(remote)
    while remote.pairing.under_way():
        remote.go(10)
        assert remote.stimulator.executed == before
    assert remote.now_ms - since_ms > 500
    away(remote, False)
    assert looks(remote, 20_000) > 2, "it failed, and the session is still there"


def test_a_remote_that_is_forgotten_watches_no_more():
    remote = in_session()
    look_under_way(remote)
    code, _ = remote.ask(requests.FORGET, bytes((messages.ALL_SLOTS,)))
    assert code == messages.OK, "a look holds nobody up"
    remote.radio.answers = True
    sent = len(remote.radio.sent)
    assert quiet(remote, 30_000) and len(remote.radio.sent) == sent and not remote.radio.awake


def test_a_remote_that_is_paired_with_another_stimulator_watches_no_more():
    remote = in_session()
    body = struct.pack("<4sBB32s", b"base", 1, roles.PATIENT, bytes(32))
    assert remote.ask(requests.PAIR, body)[0] == messages.OK
    sent = len(remote.radio.sent)
    assert quiet(remote, 60_000) and len(remote.radio.sent) == sent


def test_a_look_is_no_button_and_yet_no_calm():
    remote = in_session()
    look_under_way(remote)
    assert not remote.app.busy() and not remote.app.calm()
    remote.radio.answers = True
    remote.go(ANSWER_MS)
    assert remote.app.calm()


def test_close_in_the_middle_of_a_look_leaves_all_dark():
    remote = in_session()
    look_under_way(remote)
    remote.app.close(remote.now_ms)
    assert (remote.lights, remote.tone_hz, remote.radio.awake) == (0, 0, False)


@pytest.mark.control("C-46", "C-47")
def test_no_pattern_can_be_taken_for_another():
    """Nor for the beginning of another. Red and green in turns are the lost link's alone."""
    statuses = [feedback.status(state, magnet) for state in STATES for magnet in (False, True)]
    others = [
        feedback.DELIVERED, feedback.NO_ANSWER, feedback.NO_RADIO, feedback.NO_FLASH, feedback.LOW_BATTERY,
        feedback.PAIRING_BEGUN, feedback.PAIRED, feedback.NOT_PAIRED,
        *(feedback.refused(reason) for reason in range(len(messages.REASON_TEXTS))),
        therapy_feedback.TRY_LATER, therapy_feedback.CALL_CLINIC, therapy_feedback.SEE_DOCTOR,
        *(feedback.pairing_failed(count) for count in (1, 2, 3)), *statuses,
    ]  # fmt: skip
    watched = [feedback.LINK_LOST, feedback.LINK_BACK, feedback.SESSION_OVER]
    for one in watched:
        for other in [*others, *watched]:
            if other is not one:
                length = min(len(merged(one)), len(merged(other)))
                assert merged(one)[:length] != merged(other)[:length]
    for other in others:
        colours = [lights for lights, _, _ in merged(other) if lights]
        assert (feedback.RED, feedback.GREEN) not in set(pairwise(colours))
