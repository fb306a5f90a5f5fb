"""What failures cost at the stimulator, and what of them is noted."""

from stimfw.protocol import messages
from support.radio_peer import SLOT, Peer, flip

REPEATS = 60


def test_failures_are_noted_once_a_second_for_each_kind():
    one = Peer()
    bad = flip(one.hello(1, 5), 25)
    stale = bytes((0x23, SLOT)) + bytes(30)
    noted = []
    for now_ms in (0, 1, 500, 999, 1000, 1001, 1999, 2000, 4500, 5499, 5500):
        before = len(one.notes)
        one.say(bad, now_ms)
        one.say(stale, now_ms)
        noted += [(now_ms, event) for event, _, _ in one.notes[before:]]
    both = (messages.EVENT_FORGED, messages.EVENT_REPLAYED)
    assert noted == [(now_ms, event) for now_ms in (0, 1000, 2000, 4500, 5500) for event in both]


def test_the_first_attack_is_noted_in_whatever_second_it_comes():
    both = (messages.EVENT_FORGED, messages.EVENT_REPLAYED)
    for second in (0, 1, 2, 3):
        one = Peer()
        bad = flip(one.hello(1, 5), 25)
        stale = bytes((0x23, SLOT)) + bytes(30)
        for _ in range(2):
            one.say(bad, 1000 * second)
            one.say(stale, 1000 * second)
        assert tuple([event for event, _, _ in one.notes]) == both, second


def test_a_flood_of_three_seconds_is_noted_three_times_for_each_kind():
    one = Peer()
    bad = flip(one.hello(1, 5), 25)
    stale = bytes((0x23, SLOT)) + bytes(30)
    for now_ms in range(0, 3000, 10):
        one.say(bad, now_ms)
        one.say(stale, now_ms)
    assert len(one.notes) == 6 and one.stimulator.forged > 100 and one.stimulator.replayed == 300


def test_what_is_repeated_too_often_is_noted_without_a_kind():
    one = Peer()
    one.join()
    frame = one.request(0)
    for _ in range(REPEATS + 2):
        one.say(frame)
    assert one.notes[-1] == (messages.EVENT_REPLAYED, SLOT, 0)


def test_a_flood_is_noted_when_its_level_changes():
    one = Peer()
    assert one.stimulator.pause_ms(0) == 0 and one.notes == []
    for _ in range(4):
        one.say(bytes(32))
    assert one.stimulator.pause_ms(0) == 4 and one.stimulator.pause_ms(0) == 4
    for _ in range(20):
        one.say(bytes(32))
    assert one.stimulator.pause_ms(0) == 34
    one.stimulator.expire(5000)
    nobody = messages.FROM_NOBODY
    assert one.notes == [(messages.EVENT_FLOOD, nobody, level) for level in (1, 3, 0)]


def units(one):
    return one.stimulator._limiter._failures


def test_cheap_and_dear_failures_fill_the_bucket_by_3_and_6():
    one = Peer()
    for frame, cost in (
        (bytes(32), 3),
        (bytes((0x23, SLOT)) + bytes(30), 3),
        (flip(one.hello(), 25), 6),
    ):
        before = units(one)
        one.say(frame)
        assert units(one) - before == cost
    one.join()
    before = units(one)
    one.say(flip(one.request(0), 31))
    assert units(one) - before == 6


def test_beyond_the_budget_nothing_is_verified_and_that_is_counted():
    one = Peer()
    bad = flip(one.hello(1, 5), 25)
    for _ in range(24):
        one.say(bad)
    assert one.counts() == (24, 0, 24, 0, 0, 0)
    assert one.say(one.hello(1, 5)) is None and one.counts()[4] == 1
    assert one.say(one.hello(1, 5), 12) is not None
    one = Peer()
    one.join()
    bad = flip(one.request(0), 31)
    for _ in range(23):
        one.say(bad)
    assert one.counts()[2] == 23
    assert one.say(one.request(0)) is None and one.counts()[4] == 1 and not one.executed
    assert one.say(one.request(0), 12) is not None
