"""The remote of an implanted stimulator: what STATUS tells besides the state, and the time that it keeps."""

import struct

import pytest
from stimfw.protocol import messages, requests, therapy_reasons
from stimfw.ui import fault_meanings, feedback, therapy_feedback
from support.remote_harness import Remote, merged, status_body

THERAPY, KEPT_TIME, STATUS = requests.THERAPY, requests.KEPT_TIME, requests.STATUS
FIELDS = requests.row_of(THERAPY)[requests.REPLY_FIELDS].split()
NOW_S = 1_790_000_000
HEALING = messages.STATE_NAMES.index("healing")
STOPPED = messages.STATE_NAMES.index("stopped")
INTERFERENCE = messages.STATE_NAMES.index("interference")
SPAN_MS = 25_000


def therapy_body(**values):
    told = {"sessions_left": 1, "sessions_a_day": 2, "session_s": 1800, "fault_lead": 255, "clock_known": 1}
    told |= {"time_s": NOW_S, **values}
    return requests.pack_reply(requests.row_of(THERAPY), tuple(told.get(name, 0) for name in FIELDS))


def implanted(state=messages.READY, flags=messages.FLAG_IMPLANTED, **values):
    """A remote whose stimulator is implanted and answers THERAPY."""
    remote = Remote()
    tells(remote, state, flags, **values)
    return remote


def tells(remote, state=messages.READY, flags=messages.FLAG_IMPLANTED, **values):
    remote.stimulator.bodies[STATUS] = status_body(state, flags)
    remote.stimulator.bodies[THERAPY] = therapy_body(state=state, **values)
    remote.stimulator.bodies[KEPT_TIME] = b""


def shown(remote):
    remote.press("status")
    return remote.watch(SPAN_MS)


def asked(remote, opcode):
    return [message for message in remote.stimulator.asked if message[0] == opcode]


# What is asked.


def test_a_board_on_the_bench_is_asked_for_its_status_alone():
    for state in range(messages.FAULT + 1):
        remote = implanted(state, flags=0)
        assert shown(remote) == merged(feedback.status(state, False))
        assert set(remote.stimulator.executed) == {STATUS}, state


@pytest.mark.parametrize("state", range(len(messages.STATE_NAMES)))
@pytest.mark.parametrize("flag", [0, messages.FLAG_IMPLANTED])
def test_an_implanted_stimulator_is_asked_for_its_therapy_behind_its_status(state, flag):
    remote = implanted(state, flag)
    remote.press("status")
    remote.go(2000)
    wanted = [STATUS, THERAPY] if flag or state > messages.FAULT else [STATUS]
    assert remote.stimulator.executed[:2] == wanted and len(remote.stimulator.asked) <= 2


def test_the_light_of_the_state_does_not_wait_for_the_therapy():
    remote = implanted()
    remote.press("status")
    while STATUS not in remote.stimulator.executed:
        remote.go(1)
    remote.radio.delivers = False
    remote.go(100)
    assert remote.lights or remote.tone_hz


@pytest.mark.control("C-04")
def test_stop_takes_the_place_of_what_is_asked_behind():
    remote = implanted()
    remote.press("status")
    while not remote.lights and not remote.tone_hz:
        remote.go(1)
    remote.radio.delivers = False
    remote.go(40)
    assert remote.app.busy()
    remote.press("stop")
    remote.radio.delivers = True
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.executed[-1] == requests.STOP


# What is shown.


@pytest.mark.control("C-65")
@pytest.mark.parametrize(
    ("elapsed_s", "over"), [(0, 0), (450, 1), (900, 2), (1799, 3)], ids=["begun", "a quarter", "half", "last"]
)
def test_a_session_shows_its_progress_and_the_day(elapsed_s, over):
    remote = implanted(messages.HOLD, elapsed_s=elapsed_s, sessions_left=1)
    steps = shown(remote)
    state = feedback.status(messages.HOLD, False)
    assert steps == merged(
        state + therapy_feedback.progress(elapsed_s, 1800) + therapy_feedback.today(1, 2)
    )
    long = [lights for lights, _, span_ms in steps if span_ms == 400]
    assert long == [feedback.GREEN] * over + [feedback.AMBER] * (4 - over) + [feedback.GREEN, feedback.AMBER]


def test_at_rest_the_day_is_shown():
    remote = implanted(sessions_left=0)
    assert shown(remote) == merged(feedback.status(messages.READY, False) + therapy_feedback.today(0, 2))


def test_without_a_prescription_there_is_no_day():
    state = messages.STATE_NAMES.index("unconfigured")
    remote = implanted(state, sessions_a_day=0, session_s=0)
    assert shown(remote) == merged(feedback.status(state, False))


@pytest.mark.control("C-65")
@pytest.mark.parametrize("state", [messages.READY, STOPPED])
def test_a_state_that_could_begin_says_why_it_would_not(state):
    remote = implanted(state, reason=therapy_reasons.TOO_SOON)
    beginning = feedback.status(state, False)
    why = therapy_feedback.why_not(therapy_reasons.TOO_SOON)
    assert shown(remote) == merged(beginning + therapy_feedback.today(1, 2) + why)


def test_a_state_that_says_it_itself_does_not_say_it_twice():
    remote = implanted(HEALING, reason=therapy_reasons.HEALING)
    assert shown(remote) == merged(feedback.status(HEALING, False) + therapy_feedback.today(1, 2))


@pytest.mark.control("C-65")
@pytest.mark.parametrize("fault", [0, 1, 5, 17, 255])
def test_a_fault_says_what_it_means(fault):
    remote = implanted(messages.FAULT, fault=fault)
    steps = shown(remote)
    meaning = therapy_feedback.meaning(fault_meanings.of(fault))
    assert steps == merged(feedback.status(messages.FAULT, False) + therapy_feedback.today(1, 2) + meaning)


@pytest.mark.control("C-62")
@pytest.mark.parametrize("battery", [1, 2])
def test_a_stimulators_low_battery_means_the_clinic(battery):
    meaning = therapy_feedback.meaning(therapy_feedback.CLINIC)
    steps = shown(implanted(battery=battery))
    assert steps == merged(feedback.status(messages.READY, False) + therapy_feedback.today(1, 2) + meaning)


def test_the_remotes_own_battery_comes_last_whatever_the_therapys_fate():
    ready, day = feedback.status(messages.READY, False), therapy_feedback.today(1, 2)
    for code, behind in ((messages.OK, day), (messages.WRONG_STATE, ()), (messages.FORBIDDEN, ())):
        remote = implanted()
        remote.supply_mv = 3000
        remote.stimulator.codes[THERAPY] = code
        assert shown(remote) == merged(ready + behind + feedback.LOW_BATTERY), code


def test_a_therapy_without_an_answer_is_no_silence():
    """The state was told; that the rest is not known is told too."""
    remote = implanted()
    remote.press("status")
    while not remote.lights and not remote.tone_hz:
        remote.go(1)
    remote.radio.delivers = False
    remote.go(3000)
    marks = [mark[1:] for mark in remote.shown]
    assert (feedback.RED, feedback.LOW_HZ) in marks and remote.app.refused == 0


@pytest.mark.parametrize("body", [b"", b"short", bytes(24)])
def test_a_therapy_that_makes_no_sense_shows_the_state_alone(body):
    remote = implanted()
    remote.stimulator.bodies[THERAPY] = body
    assert shown(remote) == merged(feedback.status(messages.READY, False))


# The time.


def lost(remote, state=messages.READY):
    """The stimulator starts again, and knows no time."""
    tells(remote, state, clock_known=0, time_s=0)


@pytest.mark.control("C-58")
def test_a_time_that_was_told_is_kept_and_given_back_when_it_is_lost():
    remote = implanted()
    shown(remote)
    began_ms = remote.now_ms - SPAN_MS
    remote.go(7 * 3600 * 1000)
    lost(remote)
    remote.press("status")
    passed_s = (remote.now_ms - began_ms) // 1000
    remote.go(500)
    (told,) = asked(remote, KEPT_TIME)
    (time_s,) = struct.unpack("<I", told[1:])
    assert abs(time_s - NOW_S - passed_s) <= 1
    remote.go(60_000)
    assert len(asked(remote, KEPT_TIME)) == 1, "once, whatever the answer"


def test_a_time_is_kept_over_the_end_of_the_ticks():
    """They begin again after 12 days."""
    remote = implanted()
    remote.now_ms = (1 << 30) - 30_000
    shown(remote)
    for _ in range(20):
        remote.now_ms = remote.now_ms + 1000 & 0x3FFFFFFF
        remote.app.poll(remote.now_ms)
    lost(remote)
    remote.press("status")
    remote.go(500)
    (told,) = asked(remote, KEPT_TIME)
    assert 43 <= struct.unpack("<I", told[1:])[0] - NOW_S <= 46


def test_nobody_is_told_of_a_time_that_did_not_arrive():
    """The press showed what it could."""
    remote = implanted()
    shown(remote)
    lost(remote)
    hear = remote.stimulator.hear

    def silent_to_the_time(frame, to, now_ms):
        answer = hear(frame, to, now_ms)
        return None if KEPT_TIME in remote.stimulator.executed else answer

    remote.stimulator.hear = silent_to_the_time
    assert shown(remote) == merged(feedback.status(messages.READY, False) + therapy_feedback.today(1, 2))
    assert remote.stimulator.executed[-1] == KEPT_TIME and not remote.app.busy()


def test_what_was_never_told_is_never_given():
    remote = implanted()
    lost(remote)
    for _ in range(3):
        remote.press("status")
        remote.go(SPAN_MS)
    assert asked(remote, KEPT_TIME) == [] and len(asked(remote, THERAPY)) == 3


def test_a_known_time_is_never_answered_with_ones_own():
    remote = implanted()
    for _ in range(3):
        shown(remote)
    assert asked(remote, KEPT_TIME) == []


def test_a_later_time_takes_the_place_of_the_kept_one():
    remote = implanted()
    shown(remote)
    tells(remote, time_s=NOW_S + 5000)
    shown(remote)
    lost(remote)
    remote.press("status")
    remote.go(500)
    (told,) = asked(remote, KEPT_TIME)
    assert 5024 <= struct.unpack("<I", told[1:])[0] - NOW_S <= 5026


def test_a_start_that_is_refused_for_the_clock_brings_it():
    """The next press succeeds: nothing but the refusal is shown, and no third button is needed."""
    remote = implanted()
    shown(remote)
    lost(remote)
    remote.stimulator.codes[requests.START] = messages.WRONG_STATE
    remote.stimulator.bodies[requests.START] = bytes((messages.READY, therapy_reasons.CLOCK_UNKNOWN))
    remote.press("start")
    assert remote.watch() == merged(feedback.refused(therapy_reasons.CLOCK_UNKNOWN))
    assert remote.stimulator.executed[-3:] == [requests.START, THERAPY, KEPT_TIME]


@pytest.mark.parametrize("reason", [r for r in range(33) if r != therapy_reasons.CLOCK_UNKNOWN])
def test_another_refusal_of_a_start_asks_for_nothing(reason):
    remote = implanted()
    remote.stimulator.codes[requests.START] = messages.WRONG_STATE
    remote.stimulator.bodies[requests.START] = bytes((messages.READY, reason))
    remote.press("start")
    remote.go(2000)
    assert remote.stimulator.executed == [requests.START]


def test_a_session_that_was_started_teaches_the_time_without_a_press_and_without_a_light():
    remote = implanted(messages.HOLD)
    remote.press("start")
    remote.go(3000)
    before = len(remote.shown)
    remote.go(1_800_000)
    assert len(asked(remote, THERAPY)) == 1 and len(remote.shown) == before
    remote.go(3_000_000)
    assert len(asked(remote, THERAPY)) == 2, "again after an hour"
    lost(remote, messages.HOLD)
    remote.press("status")
    remote.go(500)
    assert len(asked(remote, KEPT_TIME)) == 1


def test_a_clock_that_nobody_knows_is_not_asked_for_at_each_look():
    remote = implanted(messages.HOLD)
    lost(remote, messages.HOLD)
    remote.press("start")
    remote.go(1_800_000)
    assert len(asked(remote, THERAPY)) == 1


def test_a_paused_session_is_watched_on():
    remote = implanted(messages.HOLD)
    remote.press("start")
    remote.go(1000)
    tells(remote, INTERFERENCE)
    before = len(remote.shown)
    remote.go(60_000)
    assert len(remote.shown) == before, "nobody says that the session is over"
    assert len(asked(remote, STATUS)) > 9


def test_a_host_waits_for_what_is_asked_behind():
    remote = implanted()
    remote.press("status")
    while not remote.lights and not remote.tone_hz:
        remote.go(1)
    remote.radio.answers = False
    remote.go(5)
    assert remote.app.busy() and not remote.app.calm()
    remote.radio.answers = True
    remote.go(3000)
    assert not remote.app.busy()
