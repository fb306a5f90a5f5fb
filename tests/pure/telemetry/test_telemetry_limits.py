"""The limits of the stimulator's end: counters, the budget, what prolongs."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import fragments, frames, rate_limiter
from stimfw.telemetry.connection import IDLE_MS
from stimfw.telemetry.requester import Requester
from support.link_harness import LinkHarness, Rng, key_of

STOP = messages.request(requests.STOP)
START = messages.request(requests.START)
STATUS = messages.request(requests.STATUS)
HOUR_MS = 3_600_000


def connected():
    """A link with an open connection, and the peer's end of it."""
    link = LinkHarness()
    assert link.ask(STATUS) is not None
    return link, link.peers[0]._connection


def sealed(connection, counter, request_id, message=START):
    """A genuine REQUEST with any counter."""
    return connection.seal(frames.REQUEST, counter, fragments.cut(request_id, message, 0))


def hello(link):
    """A new HELLO of the peer."""
    peer = link.peers[0]
    peer._connection = None
    peer.begin(STATUS, 1000, link.now_ms)
    frame = peer.poll(link.now_ms)
    peer.sent(True, link.now_ms)
    return frame


def due(link):
    return link.stimulator._peers[0].connection.counter


# Counters.


def test_a_counter_may_be_7_above_the_one_due_and_not_8():
    for ahead in range(12):
        link, connection = connected()
        answer = link.deliver(sealed(connection, due(link) + ahead, 99))
        assert (answer is not None) == (ahead <= 7), ahead
        assert len(link.executed) == (2 if ahead <= 7 else 1)
        assert link.stimulator.forged == 0


def test_counters_that_were_skipped_are_gone():
    """Somebody kept those frames back, and delivers them when a later one was executed."""
    for ahead in (1, 2, 7):
        link, connection = connected()
        first = due(link)
        kept = [sealed(connection, first + n, 50 + n) for n in range(ahead + 1)]
        assert link.deliver(kept[ahead]) is not None and due(link) == first + ahead + 1
        for frame in kept[:-1]:
            assert link.deliver(frame) is None
        assert link.deliver(sealed(connection, first + ahead + 1, 80, STOP)) is not None
        for frame in kept:
            assert link.deliver(frame) is None
        assert len(link.executed) == 3 and link.stimulator.replayed == 2 * ahead + 1


# The budget of verifications.


def test_a_budget_that_was_not_used_for_an_hour_is_no_larger():
    for idle_ms in (0, 1000, HOUR_MS, 24 * HOUR_MS):
        made = rate_limiter.RateLimiter()
        tried = 0
        while made.may_verify(idle_ms) and tried < 1000:
            made.failed(idle_ms, True)
            tried += 1
        assert tried == rate_limiter.VERIFICATIONS == 24, idle_ms


def test_recorded_hellos_are_answered_within_the_budget_after_a_restart():
    link = LinkHarness()
    recorded = [hello(link) for _ in range(60)]
    assert len(set(recorded)) == 60
    for idle_ms in (0, HOUR_MS):
        link.start_stimulator()
        link.now_ms += idle_ms
        answers = [link.deliver(frame) for frame in recorded]
        answered = len([answer for answer in answers if answer is not None])
        assert answered == rate_limiter.VERIFICATIONS - 1, "one was used up by making the key"
        assert link.stimulator.over_budget == 60 - answered and link.stimulator.forged == 0


def test_forged_hellos_use_nothing_of_the_budget_up():
    """Their tag is one block: whoever forges a thousand keeps no genuine one away."""
    link = LinkHarness()
    genuine = hello(link)
    for turn in range(1000):
        forged = genuine[:20] + turn.to_bytes(4, "little") + genuine[24:]
        assert link.deliver(forged) is None
    assert link.stimulator.forged == 1000 and link.stimulator.over_budget == 0
    assert link.deliver(genuine) is not None


# What prolongs a connection.


def test_forged_frames_do_not_prolong_a_connection():
    link, connection = connected()
    last_ms = link.now_ms
    turn = 0
    while link.now_ms - last_ms < IDLE_MS + 10_000:
        link.now_ms += 5000
        counter = due(link) + turn // 4 if link.stimulator.connected(link.now_ms) else 1
        turn += 1
        good = sealed(connection, counter, 9)
        assert link.deliver(good[:-1] + bytes((good[-1] ^ 1,))) is None
        assert link.stimulator.connected(link.now_ms) == (link.now_ms - last_ms < IDLE_MS)
    assert link.stimulator.forged > 10
    assert link.deliver(sealed(connection, connection.counter, 10)) is None
    assert [message for message, _, _ in link.executed] == [STATUS]


def test_stale_and_recorded_frames_do_not_prolong_a_connection():
    link, connection = connected()
    again = [frame for up, frame in link.heard if up][-1]
    old = sealed(connection, 0, 9)
    last_ms = link.now_ms
    while link.now_ms - last_ms < IDLE_MS:
        assert link.stimulator.connected(link.now_ms)
        link.deliver(again)
        link.deliver(old)
        link.now_ms += 5000
    assert not link.stimulator.connected(link.now_ms)


# Roles.


def test_a_role_that_the_stimulator_did_not_give_opens_nothing():
    """The role that the peer claims has no effect: the keys are those of the role in the table."""
    for given, claimed in ((roles.PATIENT, roles.CLINICIAN), (roles.CLINICIAN, roles.PATIENT)):
        link = LinkHarness(((0, given),))
        link.peers[0] = Requester(0, claimed, key_of(0), 9, Rng(3).take)
        assert link.ask(STOP) is None and link.executed == []
        assert link.stimulator.forged > 0 and link.stimulator.connections == 0
        link.start_peer(0)
        link.epochs[0] = 10
        link.start_peer(0)
        assert link.ask(STOP) is not None and link.executed == [(STOP, given, 0)]
