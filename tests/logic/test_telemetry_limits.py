"""Where the stimulator's end draws its lines: counters, connection numbers, the budget, what prolongs."""

from stimfw.logic import messages
from stimfw.telemetry import channel, fragments, frames, guard, roles
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import WINDOW
from support.radio_pair import Desk, Dice, key_of

STOP = messages.request(messages.STOP)
START = messages.request(messages.START)
HOUR_MS = 3_600_000


def connected():
    """A desk with an open connection, and the peer's end of it."""
    desk = Desk()
    assert desk.ask(STOP) is not None
    return desk, desk.peers[0]._connection


def sealed(connection, counter, request_id, message=START):
    """A genuine REQUEST with any counter."""
    return connection.seal(frames.REQUEST, counter, fragments.cut(request_id, message, 0))


def hello(desk):
    """A new HELLO of the peer."""
    peer = desk.peers[0]
    peer._connection = None
    peer.begin(STOP, 1000, desk.now_ms)
    frame = peer.poll(desk.now_ms)
    peer.sent(True, desk.now_ms)
    return frame


def due(desk):
    return desk.stimulator._peers[0].connection.counter


# Counters.


def test_a_counter_may_be_15_above_the_one_due_and_not_16():
    assert WINDOW == 16
    for ahead in range(20):
        desk, connection = connected()
        answer = desk.deliver(sealed(connection, due(desk) + ahead, 99))
        assert (answer is not None) == (ahead <= 15), ahead
        assert len(desk.executed) == (2 if ahead <= 15 else 1)
        assert desk.stimulator.forged == 0


def test_counters_that_were_skipped_are_gone():
    """Somebody kept those frames back, and delivers them when a later one was executed."""
    for ahead in (1, 2, 15):
        desk, connection = connected()
        first = due(desk)
        kept = [sealed(connection, first + n, 50 + n) for n in range(ahead + 1)]
        assert desk.deliver(kept[ahead]) is not None and due(desk) == first + ahead + 1
        for frame in kept[:-1]:
            assert desk.deliver(frame) is None
        assert desk.deliver(sealed(connection, first + ahead + 1, 80, STOP)) is not None
        for frame in kept:
            assert desk.deliver(frame) is None
        assert len(desk.executed) == 3 and desk.stimulator.replayed == 2 * ahead + 1


# Connection numbers.


def test_a_candidate_never_takes_the_open_connections_number():
    desk, connection = connected()
    for turn in range(300):
        desk.now_ms += 100
        challenge = desk.deliver(hello(desk))
        assert challenge is not None and challenge[6] != connection.number, turn
        if turn % 4 == 0:
            # With the same number the candidate's keys would be tried, and the peer be taken for a forger.
            frame = sealed(connection, due(desk), turn & 0xFF, messages.request(messages.STATUS))
            assert desk.deliver(frame) is not None, turn
    assert desk.stimulator.forged == 0 and desk.stimulator.connections == 1


# The budget of verifications.


def test_a_budget_that_was_not_used_for_an_hour_is_no_larger():
    for idle_ms in (0, 1000, HOUR_MS, 24 * HOUR_MS):
        made = guard.Guard()
        tried = 0
        while made.may_verify(idle_ms) and tried < 1000:
            made.failed(idle_ms, True)
            tried += 1
        assert tried == guard.VERIFICATIONS == 24, idle_ms


def test_recorded_hellos_are_answered_within_the_budget_after_a_restart():
    desk = Desk()
    recorded = [hello(desk) for _ in range(60)]
    assert len(set(recorded)) == 60
    for idle_ms in (0, HOUR_MS):
        desk.start_stimulator()
        desk.now_ms += idle_ms
        answers = [desk.deliver(frame) for frame in recorded]
        assert len([answer for answer in answers if answer is not None]) == guard.VERIFICATIONS
        assert desk.stimulator.over_budget == 60 - guard.VERIFICATIONS and desk.stimulator.forged == 0


def test_forged_and_recorded_ones_share_one_budget():
    desk = Desk()
    recorded = [hello(desk) for _ in range(40)]
    desk.start_stimulator()
    answered = 0
    for frame in recorded:
        forged = frame[:-1] + bytes((frame[-1] ^ 1,))
        assert desk.deliver(forged) is None
        answered += desk.deliver(frame) is not None
    assert answered + desk.stimulator.forged == guard.VERIFICATIONS


# What prolongs a connection.


def test_forged_frames_do_not_prolong_a_connection():
    desk, connection = connected()
    last_ms = desk.now_ms
    while desk.now_ms - last_ms < channel.IDLE_MS + 10_000:
        desk.now_ms += 5000
        good = sealed(connection, due(desk) if desk.stimulator.in_contact(desk.now_ms) else 1, 9)
        assert desk.deliver(good[:-1] + bytes((good[-1] ^ 1,))) is None
        assert desk.stimulator.in_contact(desk.now_ms) == (desk.now_ms - last_ms < channel.IDLE_MS)
    assert desk.stimulator.forged > 10
    assert desk.deliver(sealed(connection, connection.counter, 10)) is None
    assert [message for message, _, _ in desk.executed] == [STOP]


def test_stale_and_recorded_frames_do_not_prolong_a_connection():
    desk, connection = connected()
    again = [frame for up, frame in desk.heard if up][-1]
    old = sealed(connection, 0, 9)
    last_ms = desk.now_ms
    while desk.now_ms - last_ms < channel.IDLE_MS:
        assert desk.stimulator.in_contact(desk.now_ms)
        desk.deliver(again)
        desk.deliver(old)
        desk.now_ms += 5000
    assert not desk.stimulator.in_contact(desk.now_ms)


# Roles.


def test_a_role_that_the_stimulator_did_not_give_opens_nothing():
    """The peer's own word for its role counts for nothing: the keys are those of the role in the table."""
    for given, claimed in ((roles.PATIENT, roles.CLINICIAN), (roles.CLINICIAN, roles.PATIENT)):
        desk = Desk(((0, given),))
        desk.peers[0] = Requester(0, claimed, key_of(0), 9, Dice(3).take)
        assert desk.ask(STOP) is None and desk.executed == []
        assert desk.stimulator.forged > 0 and desk.stimulator.connections == 0
        desk.start_peer(0)
        desk.epochs[0] = 10
        desk.start_peer(0)
        assert desk.ask(STOP) is not None and desk.executed == [(STOP, given, 0)]
