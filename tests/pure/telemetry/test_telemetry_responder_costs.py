"""What failures cost at the stimulator, and what of them is noted."""

from stimfw.protocol import messages
from stimfw.telemetry import frames
from support.control import control
from support.link_harness import Rng
from support.radio_peer import SLOT, Peer, flip

REPEATS = 60


@control("C-31")
def test_failures_are_noted_once_a_second_for_each_kind():
    one = Peer()
    bad = flip(one.hello(1, 5), 31)
    stale = bytes((0x33, SLOT)) + bytes(30)
    noted = []
    for now_ms in (0, 1, 500, 999, 1000, 1001, 1999, 2000, 4500, 5499, 5500):
        before = len(one.strangers)
        one.say(bad, now_ms)
        one.say(stale, now_ms)
        noted += [(now_ms, event) for event, _, _ in one.strangers[before:]]
    both = (messages.EVENT_FORGED, messages.EVENT_REPLAYED)
    assert noted == [(now_ms, event) for now_ms in (0, 1000, 2000, 4500, 5500) for event in both]


def test_the_first_attack_is_noted_in_whatever_second_it_comes():
    both = (messages.EVENT_FORGED, messages.EVENT_REPLAYED)
    for second in (0, 1, 2, 3):
        one = Peer()
        bad = flip(one.hello(1, 5), 31)
        stale = bytes((0x33, SLOT)) + bytes(30)
        for _ in range(2):
            one.say(bad, 1000 * second)
            one.say(stale, 1000 * second)
        assert tuple([event for event, _, _ in one.strangers]) == both, second


def test_a_flood_of_three_seconds_is_noted_three_times_for_each_kind():
    one = Peer()
    bad = flip(one.hello(1, 5), 31)
    stale = bytes((0x33, SLOT)) + bytes(30)
    for now_ms in range(0, 3000, 10):
        one.say(bad, now_ms)
        one.say(stale, now_ms)
    assert len(one.strangers) == 6 and one.stimulator.forged > 100 and one.stimulator.replayed == 300


def test_what_is_repeated_too_often_is_noted():
    one = Peer()
    hello = one.hello()
    one.join()
    frame = one.request(0)
    for kind, repeated in ((frames.HELLO, hello), (frames.REQUEST, frame)):
        for turn in range(REPEATS + 1):
            assert one.say(repeated, 8 * turn) is not None or turn in (0, REPEATS)
        one.say(repeated, 8 * REPEATS + 8)
        assert one.strangers == [(messages.EVENT_REPLAYED, SLOT, kind)]
        one.strangers.clear()
        one.stimulator._noted_ms.clear()


def flood(one, count, now_ms=0):
    for _ in range(count):
        one.say(bytes(32), now_ms)


def test_a_flood_is_noted_when_its_level_changes():
    one = Peer()
    assert one.stimulator.pause_ms(0) == 0 and one.strangers == [] and not one.stimulator.flooded()
    flood(one, 4)
    for _ in range(20):
        assert 2 <= one.stimulator.pause_ms(0) <= 5
    assert one.stimulator.flooded()
    flood(one, 20)
    assert 17 <= one.stimulator.pause_ms(0) <= 50
    one.stimulator.expire(5000)
    assert not one.stimulator.flooded()
    nobody = messages.FROM_NOBODY
    assert one.strangers == [(messages.EVENT_FLOOD, nobody, level) for level in (1, 3, 0)]
    assert one.notes == []


def test_pauses_are_random_and_no_two_boards_have_the_same():
    runs = []
    for seed in (1, 2):
        one = Peer()
        one.stimulator._random = Rng(seed).take
        flood(one, 100)
        runs.append([one.stimulator.pause_ms(0) for _ in range(300)])
        assert set(runs[-1]) == set(range(17, 51))
    assert runs[0] != runs[1] and len(set(zip(runs[0], runs[0][1:]))) > 200


def test_pauses_without_randomness_are_pauses_still():
    one = Peer()
    flood(one, 100)
    one.random_fails = True
    assert [one.stimulator.pause_ms(0) for _ in range(3)] == [34] * 3


def test_there_is_no_pause_while_the_output_is_on_or_a_peer_is_connected():
    one = Peer()
    flood(one, 1000)
    assert one.stimulator.pause_ms(0) > 0
    one.stimulator.attentive = True
    assert [one.stimulator.pause_ms(now_ms) for now_ms in range(100)] == [0] * 100
    assert one.stimulator.flooded(), "it is a flood all the same"
    one.stimulator.attentive = False
    one.join(1, 1, 100)
    assert one.say(one.request(0), 100) is not None
    flood(one, 1000, 60_099)
    for _ in range(50):
        assert one.stimulator.pause_ms(60_099) == 0
    assert one.stimulator.connected(60_099) and not one.stimulator.connected(60_100)
    assert one.stimulator.pause_ms(60_100) > 0
    one.stimulator.end_connections(messages.FROM_USB, 60_100)
    assert one.stimulator.pause_ms(60_100) > 0


def test_answers_have_to_get_through_only_in_a_flood_and_with_the_output_on():
    one = Peer()
    found = []
    for frames_sent in (0, 1000):
        flood(one, frames_sent)
        for one.stimulator.attentive in (False, True):
            one.stimulator.pause_ms(0)
            found.append(one.stimulator.contested())
    assert found == [False, False, False, True]


def test_a_candidate_alone_does_not_keep_the_stimulator_awake_in_a_flood():
    """Somebody repeats a HELLO that he recorded: beyond the grace of its CHALLENGE that opens no ear."""
    one = Peer()
    one.join(1, 1, 0)
    flood(one, 1000)
    assert one.stimulator.pause_ms(24) == 0 and one.stimulator.pause_ms(25) > 0


def units(one):
    return one.stimulator._limiter._failures


def test_cheap_and_dear_failures_fill_the_bucket_by_3_and_6():
    one = Peer()
    for frame, cost in (
        (bytes(32), 3),
        (bytes((0x33, SLOT)) + bytes(30), 3),
        (flip(one.hello(), 31), 3),
    ):
        before = units(one)
        one.say(frame)
        assert units(one) - before == cost
    one.join()
    before = units(one)
    one.say(flip(one.request(0), 31))
    assert units(one) - before == 6


STRANGE = bytes((0x33, SLOT)) + bytes(range(30))


def costs_of(one, *said):
    """What each frame, said at a time, adds to the bucket, from which nothing runs out meanwhile."""
    found = []
    for frame, now_ms in said:
        before = units(one)
        one.stimulator._limiter._forgiven_ms = now_ms
        one.say(frame, now_ms)
        found.append(units(one) - before)
    return found


def test_another_copy_of_a_request_that_was_refused_costs_1_twice():
    """A peer whose connection a stop has ended sends bursts of three: they are no flood."""
    assert costs_of(Peer(), *[(STRANGE, 5)] * 7) == [3, 1, 1] * 2 + [3]
    assert costs_of(Peer(), (STRANGE, 5), (STRANGE, 12), (STRANGE, 13)) == [3, 1, 3]
    for at in (2, 3, 4, 29, 30, 31):
        assert costs_of(Peer(), (STRANGE, 5), (flip(STRANGE, at), 5), (STRANGE, 5)) == [3, 3, 3], at


def test_no_other_refused_frame_gets_cheaper():
    for frame in (bytes(32), Peer().hello(), bytes((0x32,)) + STRANGE[1:]):
        one = Peer()
        assert costs_of(one, *[(flip(frame, 31), 5)] * 4) == [3] * 4


def test_the_key_that_checks_the_first_hello_costs_one_of_the_budget():
    one = Peer()
    before = one.stimulator._limiter._left
    one.say(flip(one.hello(1, 5), 31))
    assert one.stimulator._limiter._left == before - 1
    one.say(flip(one.hello(1, 5), 30))
    assert one.stimulator._limiter._left == before - 1


def test_a_hello_out_of_step_gives_no_grace():
    """Whoever repeats a recorded one, one a second, keeps no ear open in his flood."""
    one = Peer()
    one.join(10, 5)
    assert one.say(one.request(0)) is not None
    flood(one, 1000, 61_000)
    assert one.say(one.hello(3, 3), 61_000) is not None
    assert one.stimulator.pause_ms(61_000) > 0
    assert one.say(one.hello(10, 6), 61_000) is not None
    assert one.stimulator.pause_ms(61_000) == 0, "one in step does"


def test_beyond_the_budget_no_request_is_verified_and_that_is_counted():
    one = Peer()
    one.join()
    one.stimulator._limiter._left = 3
    for counter in range(4):
        one.say(flip(one.request(counter), 31))
    assert one.counts()[2:5] == (3, 0, 1)
    assert one.say(one.request(0)) is None and one.counts()[4] == 2 and not one.executed
    assert one.say(one.request(0), 12) is not None


def test_a_genuine_request_costs_nothing_and_a_hello_one_of_the_budget():
    one = Peer()
    one.join()
    left = one.stimulator._limiter._left
    for counter in range(20):
        assert one.say(one.request(counter)) is not None
    assert one.stimulator._limiter._left == left and units(one) == 0
    assert one.say(one.hello(1, 2)) is not None
    assert one.stimulator._limiter._left == left - 1 and units(one) == 0
