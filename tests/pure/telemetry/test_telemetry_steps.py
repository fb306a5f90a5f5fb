"""HELLOs in step and out of step: nobody is locked out, and nothing that is replayed ends what is new."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import frames
from stimfw.telemetry.requester import Requester
from support.link_harness import LinkHarness, Rng, key_of
from support.radio_peer import STOP, Peer

HIGHEST = 0xFFFFFFFF
START = messages.request(requests.START)


def proven(epoch, count):
    """A stimulator whose peer has had a connection under this HELLO; strays of both sides were answered."""
    one = Peer()
    one.join(epoch, count)
    assert one.say(one.request(0)) is not None
    assert one.say(one.hello(epoch, count)) is not None, "out of step by now, and the one of this second"
    assert one.say(one.hello(epoch, count, random=b"another")) is None
    if (epoch, count) < (HIGHEST, HIGHEST - 1):
        above = (HIGHEST, HIGHEST - 1)
        assert one.say(one.hello(*above)) is not None, "what is too far above has a turn of its own"
        assert one.say(one.hello(*above, random=b"another")) is None
    return one


def test_how_far_a_hello_in_step_may_be_ahead():
    for mark, in_step in (
        ((10, 6), True), ((10, 5), False), ((10, 4), False), ((10, 0), False), ((10, 5 + 4096), True),
        ((10, 5 + 4097), False), ((10, HIGHEST), False), ((9, 6), False), ((9, HIGHEST), False),
        ((0, 0), False), ((11, 0), True), ((11, 1), True), ((11, 4096), True), ((11, 4097), False),
        ((74, 0), True), ((74, 4096), True), ((74, 4097), False), ((75, 0), False), ((HIGHEST, 0), False),
        ((HIGHEST, 6), False),
    ):  # fmt: skip
        one = proven(10, 5)
        assert (one.say(one.hello(mark[0], mark[1], random=b"another")) is not None) == in_step, mark


def test_each_in_step_is_measured_from_the_newest():
    one = proven(10, 5)
    for mark in ((10, 4000), (10, 8000), (74, 3), (138, 4096), (138, 8192)):
        assert one.say(one.hello(*mark)) is not None, mark
        assert one.say(one.hello(*mark, random=b"another")) is None, mark


def test_before_anything_is_proven_whatever_is_above_all_before_is_in_step():
    one = Peer()
    for mark in ((0, 0), (0, 1), (5, 9), (400, 5000), (400, 20_000), (HIGHEST, HIGHEST)):
        assert one.say(one.hello(*mark)) is not None, mark
    assert one.say(one.hello(7, 7)) is not None, "the one out of step of this second"
    assert one.say(one.hello(8, 8)) is None


def test_one_out_of_step_is_answered_a_second():
    one = proven(10, 5)
    answered = []
    for now_ms in range(0, 5000, 100):
        if one.say(one.hello(3, now_ms), now_ms) is not None:
            answered.append(now_ms)
    assert answered == [1000, 2000, 3000, 4000]
    assert one.counts()[3] == 50 - 4 + 2, "the first second's turns were taken by others"


def test_the_answered_one_is_repeated_twice():
    one = proven(10, 5)
    stray = one.hello(3, 3)
    challenge = one.say(stray, 1000)
    assert challenge is not None and one.say(stray, 1007) is None
    assert one.say(stray, 1008) == challenge
    assert one.say(stray, 1016) == challenge
    assert [one.say(stray, now_ms) for now_ms in (1024, 1100, 1999, 2500, 9000)] == [None] * 5


def test_recorded_hellos_in_turn_draw_three_answers_a_second():
    one = proven(10, 5)
    old = [one.hello(3, count) for count in range(8)]
    answers = [now_ms for now_ms in range(1000, 9000, 10) if one.say(old[now_ms // 1000 % 8], now_ms)]
    assert len(answers) == 3 * 8


def test_one_out_of_step_does_not_end_what_one_in_step_began():
    one = proven(10, 5)
    one.join(10, 6, 2000)
    newer = one.link
    assert one.say(one.hello(3, 3), 2000) is not None
    one.link = newer
    assert one.say(one.request(0, START), 2010) is not None and one.executed[-1][0] == START


def test_one_in_step_does_not_end_what_one_out_of_step_began():
    """The genuine peer may be the one out of step, and somebody repeats what he recorded."""
    one = proven(10, 5)
    one.join(3, 3, 2000)
    stray = one.link
    assert one.say(one.hello(10, 6), 2000) is not None
    one.link = stray
    assert one.say(one.request(0, START), 2010) is not None and one.executed[-1][0] == START


def test_whose_request_came_is_the_peer_from_then_on():
    """After a peer that lost its epochs has proven itself, those above it are in step, and no others."""
    for wild in ((HIGHEST, HIGHEST), (HIGHEST, 0), (500, 70_000)):
        one = proven(*wild)
        one.join(3, 3, 2000)
        assert one.say(one.request(0), 2000) is not None
        one.say(one.hello(*wild), 2001)
        assert one.say(one.hello(*wild, random=b"another"), 2001) is None, "above, once a second"
        assert one.say(one.hello(2, 2), 2001) is None, "below, once a second"
        for count in (4, 5, 6):
            assert one.say(one.hello(3, count), 2002) is not None
        assert one.say(one.hello(3, 4, random=b"another"), 2003) is None


def test_recorded_hellos_do_not_take_the_turn_of_a_peer_that_was_started_often_out_of_reach():
    one = proven(10, 5)
    answered = []
    for now_ms in range(2000, 5000, 10):
        one.say(one.hello(3, now_ms), now_ms)
        if now_ms % 500 == 0 and one.say(one.hello(100, 1 + now_ms), now_ms) is not None:
            answered.append(now_ms)
    assert answered == [2000, 3000, 4000]
    one = proven(10, 5)
    one.join(100, 1, 3000)
    for number in range(100):
        one.say(one.hello(4, number), 3001 + number)
    assert one.say(one.request(0), 3200) is not None, "nor its place"


def test_the_request_of_the_handshake_before_the_newest_may_be_late():
    """A peer whose CHALLENGE was lost goes on with what it has."""
    one = proven(10, 5)
    one.join(10, 6, 2000)
    first = one.link
    one.join(10, 7, 2100)
    one.link = first
    assert one.say(one.request(0), 2200) is not None
    one = proven(10, 5)
    one.join(10, 6, 2000)
    first = one.link
    one.join(10, 7, 2100)
    one.join(10, 8, 2200)
    one.link = first
    assert one.say(one.request(0), 2300) is None, "two of them, no more"


def test_a_request_ends_both_handshakes():
    one = proven(10, 5)
    links = []
    for epoch, count in ((10, 6), (3, 3)):
        one.join(epoch, count, 2000)
        links.append(one.link)
    one.link = links[0]
    assert one.say(one.request(0), 2000) is not None
    one.link = links[1]
    assert one.say(one.request(0), 2000) is None
    one = proven(10, 5)
    one.join(10, 6, 2000)
    other = one.link
    one.join(3, 3, 2000)
    assert one.say(one.request(0), 2000) is not None
    one.link = other
    assert one.say(one.request(0), 2000) is None


def test_handshakes_of_both_kinds_end_after_a_minute():
    for mark in ((10, 6), (3, 3)):
        for late_ms, taken in ((59_999, True), (60_000, False)):
            for checks in (False, True):
                one = proven(10, 5)
                one.join(*mark, now_ms=2000)
                if checks:
                    one.stimulator.expire(2000 + late_ms)
                assert (one.say(one.request(0), 2000 + late_ms) is not None) == taken, (mark, late_ms)


# On a link.


def record(link, presses):
    """HELLOs that somebody recorded: of so many starts of the peer, a few of each."""
    recorded = []
    for _ in range(presses):
        link.start_peer(0)
        for _ in range(2):
            link.peers[0]._connection = None
            link.peers[0].begin(STOP, 1000, link.now_ms)
            recorded.append(link.peers[0].poll(link.now_ms))
    return recorded


def test_the_highest_epoch_locks_nobody_out():
    """Whoever has the key may make any HELLO. The peer's own is answered within a second."""
    for connects in (False, True):
        link = LinkHarness()
        assert link.ask(START) is not None
        wild = Requester(0, roles.PATIENT, key_of(0), HIGHEST, Rng(3).take, HIGHEST - 2)
        wild.begin(START, 1000, link.now_ms)
        hello = wild.poll(link.now_ms)
        wild.sent(True, link.now_ms)
        wild.on_frame(link.deliver(hello), link.now_ms)
        if connects:
            assert link.deliver(wild.poll(link.now_ms)) is not None
        link.now_ms += 50
        for _ in range(3):
            began_ms = link.now_ms
            link.start_peer(0)
            assert link.ask(STOP, limit_ms=3000) is not None and link.executed[-1][0] == STOP
            assert link.now_ms - began_ms <= 1100


def test_recorded_hellos_lock_nobody_out_after_a_restart_of_the_stimulator():
    """Those of a hundred starts are repeated, the oldest first, whatever the peer does."""
    link = LinkHarness()
    recorded = record(link, 100)
    link.start_peer(0)
    for order in (recorded, recorded[:2] + recorded[130:], recorded[::-1]):
        link.start_stimulator()
        link.deliver(order[0])
        link.now_ms += 500
        left = list(order) * 20

        def air(frame, to_stimulator, left=left, link=link):
            for _ in range(4):  # before each frame of the peer
                if to_stimulator and left:
                    link.deliver(left.pop(0))
            return [frame]

        link.air = air
        began_ms = link.now_ms
        assert link.ask(START) is not None
        assert link.now_ms - began_ms <= 150, link.now_ms - began_ms
        link.air = lambda frame, to_stimulator: [frame]


def test_a_recorded_hello_opens_nothing_and_stops_nothing():
    link = LinkHarness()
    assert link.ask(START) is not None
    recorded = record(link, 5)
    assert link.ask(START) is not None
    link.start_stimulator()
    executed = len(link.executed)
    for frame in recorded + recorded:
        link.now_ms += 1100
        answer = link.deliver(frame)
        assert answer is None or frames.kind_of(answer) == frames.CHALLENGE
    assert len(link.executed) == executed and not link.stimulator.connected(link.now_ms)
