"""STOP: by a HELLO alone, by each REQUEST; and what every stop ends, so that no earlier START follows it."""

from stimfw.protocol import messages, requests, roles
from support.control import control
from support.radio_peer import SLOT, STOP, Peer, flip

START = messages.request(requests.START)
HIGHEST = 0xFFFFFFFF
OTHER = 5


def connected(slots=(SLOT,)):
    """A stimulator whose peer has had a connection under (10, 5)."""
    one = Peer(slots)
    one.join(10, 5)
    assert one.say(one.request(0, START)) is not None
    one.executed.clear()
    return one


def stop_hello(one, epoch=10, count=6, **others):
    return one.hello(epoch, count, 1, **others)


STOPPED = [(STOP, roles.PATIENT, SLOT)]


def test_a_hello_that_wants_stop_stops_before_its_challenge():
    one = connected()
    order = []
    one.stimulator._random = lambda count: order.append(list(one.executed)) or bytes(count)
    assert one.say(stop_hello(one)) is not None
    assert order == [STOPPED] and one.executed == STOPPED


def test_it_stops_once_however_often_it_comes():
    one = connected()
    hello = stop_hello(one)
    for now_ms in range(0, 5000, 4):
        one.say(hello, now_ms)
    assert one.executed == STOPPED
    assert one.say(stop_hello(one, count=7), 5000) is not None and one.executed == STOPPED * 2


def test_one_that_wants_a_connection_stops_nothing():
    one = connected()
    assert one.say(one.hello(10, 6, 0)) is not None and one.executed == []


def test_it_stops_nothing_before_a_connection_since_the_start():
    """It may be one that somebody recorded before the stimulator's restart."""
    one = Peer()
    for mark in ((10, 5), (10, 6), (11, 1)):
        assert one.say(stop_hello(one, *mark)) is not None, "it is answered"
    one.join(11, 2, 50)
    assert one.executed == [], "a handshake is no connection yet"
    assert one.say(one.request(0, START), 60) is not None
    one.executed.clear()
    for now_ms, mark in ((2000, (10, 5)), (4000, (10, 6)), (6000, (11, 1)), (8000, (11, 2))):
        assert one.say(stop_hello(one, *mark), now_ms) is not None, "out of step: one a second is answered"
        assert one.executed == [], "and never executed"
    assert one.say(stop_hello(one, 11, 3), 8010) is not None and one.executed == STOPPED


def test_it_stops_nothing_out_of_step():
    for mark in ((10, 5), (10, 4), (9, 6), (10, 4102), (75, 1), (HIGHEST, 1), (11, 4097)):
        one = connected()
        assert one.say(stop_hello(one, *mark), 2000) is not None
        assert one.executed == [], mark


@control("C-24")
def test_it_stops_nothing_if_it_is_forged():
    one = connected()
    genuine = one.hello(10, 6, 0)
    assert one.say(flip(genuine, 12)) is None, "the other `wants` under the same tag"
    for at in list(range(4, 12)) + list(range(13, 32)):
        one.say(flip(stop_hello(one), at))
    assert one.executed == [] and one.counts()[2] > 20


@control("C-05")
def test_it_stops_without_randomness_too_and_still_once():
    one = connected()
    one.random_fails = True
    for now_ms in range(0, 4000, 9):
        assert one.say(stop_hello(one), now_ms) is None
    assert one.executed == STOPPED
    one.say(stop_hello(one, count=7), 4000)
    assert one.executed == STOPPED * 2
    one.random_fails = False
    assert one.say(stop_hello(one, count=7), 4009) is not None, "it may connect now"
    assert one.executed == STOPPED * 2


def test_it_stops_when_counts_or_the_budget_are_used_up():
    one = connected()
    one.stimulator._count = HIGHEST
    assert one.say(stop_hello(one)) is None and one.executed == STOPPED
    one = connected()
    one.stimulator._limiter._left = 0
    assert one.say(stop_hello(one)) is None and one.executed == STOPPED


def test_it_stops_in_a_flood_and_under_the_next_generation():
    one = connected()
    for _ in range(1000):
        one.say(bytes(32))
    assert one.say(stop_hello(one, generation=1)) is not None and one.executed == STOPPED


def test_each_slot_stops_for_itself():
    one = connected((SLOT, OTHER))
    assert one.say(stop_hello(one, slot=OTHER)) is not None and one.executed == []
    assert one.say(stop_hello(one)) is not None and one.executed == STOPPED


# What it ends: a START that somebody keeps back.


def test_a_start_kept_back_in_the_open_connection_is_over_by_a_hello_that_stops():
    for fails in (False, True):
        one = connected()
        kept = one.request(1, START)
        one.random_fails = fails
        one.say(stop_hello(one))
        assert one.executed == STOPPED and not one.stimulator.connected(0)
        assert one.say(kept) is None and one.executed == STOPPED


def test_a_start_kept_back_in_a_handshake_is_over_by_a_hello_that_stops():
    """In step or out of step; also when no new handshake takes its place."""
    for mark in ((10, 6), (3, 3)):
        for fails in (False, True):
            one = connected()
            one.join(*mark, now_ms=0)
            kept = one.request(0, START)
            one.random_fails = fails
            one.say(stop_hello(one, count=7), 10)
            assert one.executed == STOPPED
            assert one.say(kept, 20) is None and one.executed == STOPPED, (mark, fails)


def test_a_stop_of_whatever_kind_ends_every_handshake_and_the_others_connections():
    for but_slot in (messages.FROM_NOBODY, messages.FROM_USB, SLOT, OTHER, 0):
        one = connected((SLOT, OTHER))
        kept = {("open", SLOT): one.request(1, START)}
        one.join(10, 5, slot=OTHER)
        assert one.say(one.request(0, START)) is not None
        kept["open", OTHER] = one.request(1, START)
        for slot in (SLOT, OTHER):
            for what, mark in (("in step", (10, 6)), ("stray", (3, 3))):
                assert one.join(*mark, slot=slot) is not None
                kept[what, slot] = one.request(0, START)
        one.executed.clear()
        one.stimulator.end_connections(but_slot, 0)
        # Of the connection that brought the stop, what came before it has an earlier counter.
        taken = [("open", but_slot)] if but_slot in (SLOT, OTHER) else []
        for key in kept:
            if key not in taken:
                assert one.say(kept[key]) is None, (but_slot, key)
        assert one.executed == []
        for key in taken:
            assert one.say(kept[key]) is not None


def test_a_repeat_of_what_was_answered_before_a_stop_gets_nothing_after_it():
    one = connected()
    last = one.request(1, START)
    reply = one.say(last)
    assert one.say(last, 8) == reply
    one.stimulator.end_connections(messages.FROM_NOBODY, 0)
    assert one.say(last, 16) is None and one.say(last, 5000) is None and len(one.executed) == 1


def test_a_stop_inside_the_execution_of_a_request_leaves_no_connection():
    """A fault that shows while START is carried out."""
    one = Peer()
    one.join(10, 5)

    def execute(message, role, slot):
        one.stimulator.end_connections(messages.FROM_NOBODY, 0)
        return b"\x83\x02\x06\x01"

    one.stimulator._execute = execute
    start = one.request(0, START)
    assert one.say(start) is not None, "the reply goes out"
    assert not one.stimulator.connected(0)
    assert one.say(start, 8) is None and one.say(one.request(1, START)) is None


def test_a_hello_after_a_stop_makes_another_connection():
    """Somebody keeps a HELLO's connection back, stops, and repeats the HELLO: other keys."""
    one = connected()
    one.join(10, 6)
    kept = one.request(0, START)
    one.stimulator.end_connections(messages.FROM_NOBODY, 0)
    assert one.say(one.hello(10, 6), 1000) is not None
    assert one.say(kept, 1000) is None and one.executed == []


# The second after a stop. A peer that was pressed just before it tries on, and begins a new handshake.


def begun_after(one, stops, begun_ms, slot=SLOT):
    """A handshake that is begun `begun_ms` after the last of some stops: (sender, ms before the last)."""
    one.stimulator.expire(9000)
    for sender, before_ms in stops:
        one.stimulator.end_connections(sender, 10_000 - before_ms)
    assert one.join(10, 9, 10_000 + begun_ms, slot=slot) is not None
    return one.request(0, START)


def test_what_was_begun_just_after_a_stop_and_is_kept_back_ends_a_second_later():
    for sender in (messages.FROM_USB, messages.FROM_NOBODY, OTHER):
        for begun_ms, taken_ms, taken in (
            (0, 0, True), (0, 1049, True), (0, 1050, False), (5, 60_000, False), (1049, 1049, True),
            (1049, 1050, False), (1050, 1051, True), (1050, 59_000, True),
        ):  # fmt: skip
            one = connected((SLOT, OTHER))
            kept = begun_after(one, ((sender, 0),), begun_ms)
            assert (one.say(kept, 10_000 + taken_ms) is not None) == taken, (sender, begun_ms, taken_ms)
            assert (one.executed != []) == taken


def test_what_was_begun_just_after_a_start_of_the_stimulator_ends_too():
    """Somebody cuts the supply to stop it: that is a stop as well."""
    for taken_ms, taken in ((1049, True), (1050, False)):
        one = Peer()
        one.join(10, 5, 0)
        assert (one.say(one.request(0, START), taken_ms) is not None) == taken


def test_of_the_peer_that_stopped_it_goes_on():
    one = connected((SLOT, OTHER))
    kept = begun_after(one, ((SLOT, 0),), 5)
    assert one.say(kept, 40_000) is not None


def test_an_older_stop_that_is_released_after_another_one_frees_nobody():
    for others in (messages.FROM_USB, messages.FROM_NOBODY, OTHER):
        one = connected((SLOT, OTHER))
        kept = begun_after(one, ((others, 500), (SLOT, 0)), 5)
        assert one.say(kept, 10_000 + 1050) is None and one.executed == [], others
    one = connected((SLOT, OTHER))
    kept = begun_after(one, ((OTHER, 1050), (SLOT, 0)), 5)
    assert one.say(kept, 10_000 + 1050) is not None, "the other one's was more than a second ago"


def test_whoever_stopped_others_are_held_whatever_their_slots():
    for sender in (0, SLOT - 1, SLOT + 1, OTHER):
        one = connected()
        kept = begun_after(one, ((sender, 0),), 5)
        assert one.say(kept, 11_050) is None and one.executed == [], sender


def test_a_second_stop_of_the_same_sender_changes_nothing():
    for sender in (0, OTHER, messages.FROM_USB, messages.FROM_NOBODY, SLOT):
        for second in (0, OTHER, messages.FROM_USB, messages.FROM_NOBODY, SLOT):
            one = connected()
            kept = begun_after(one, ((sender, 500), (second, 0)), 5)
            taken = sender == second == SLOT
            assert (one.say(kept, 11_050) is not None) == taken, (sender, second)


def test_a_connection_that_was_opened_in_that_second_goes_on():
    one = connected()
    begun = begun_after(one, ((messages.FROM_USB, 0),), 5)
    assert one.say(begun, 10_010) is not None
    assert one.say(one.request(1, START), 20_000) is not None


# STOP is executed each time that it comes.


def test_stop_is_no_duplicate_in_a_new_connection_and_start_is():
    for message, times in ((STOP, 4), (START, 1)):
        one = Peer()
        for count in range(1, 5):
            one.join(1, count, 10 * count)
            assert one.say(one.request(0, message, 7), 10 * count) is not None
        assert len(one.executed) == times, message
        assert one.stimulator.duplicates == 4 - times


def test_nothing_but_stop_is_executed_each_time():
    for opcode in [number for number in range(1, 0x30) if number != requests.STOP]:
        one = Peer()
        for count in (1, 2):
            one.join(1, count, 10 * count)
            assert one.say(one.request(0, messages.request(opcode), 7), 10 * count) is not None
        assert len(one.executed) == 1 and one.stimulator.duplicates == 1, opcode


def test_a_peer_that_lost_its_epochs_begins_new_requests():
    """Its epoch is lower than before: what has the same id and bytes is another press."""
    one = connected()
    one.join(3, 3, 2000)
    assert one.say(one.request(0, START, 1), 2000) is not None
    assert len(one.executed) == 1 and one.stimulator.duplicates == 0


def test_the_same_request_after_five_seconds_is_another_one():
    for late_ms, times in ((4999, 1), (5000, 2)):
        one = Peer()
        one.join(1, 1)
        one.say(one.request(0, START, 7))
        one.say(one.request(1, START, 7), late_ms)
        assert len(one.executed) == times


def test_stop_is_executed_again_though_an_older_stop_had_its_id():
    one = Peer()
    one.join(1, 1)
    for counter in range(10):
        one.say(one.request(counter, STOP, 7), counter)
    assert len(one.executed) == 10


def test_a_repeated_frame_is_not_executed_not_even_stop():
    one = connected()
    frame = one.request(1, STOP)
    assert one.say(frame) is not None
    for now_ms in range(8, 400, 8):
        assert one.say(frame, now_ms) is not None
    assert one.executed == STOPPED
