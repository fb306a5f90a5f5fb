"""The stimulator's end alone: what is refused and what is counted, to the single frame."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import connection, fragments, frames
from support.link_harness import BASE
from support.radio_peer import SLOT, STOP, Peer, flip

WINDOW = 8
START = messages.request(requests.START)
REPEATS = 60


def test_a_hello_is_answered_once_for_its_bytes_and_never_for_an_older_one():
    one = Peer()
    assert one.counts() == (0, 0, 0, 0, 0, 0)
    first = one.say(one.hello(1, 5))
    assert frames.kind_of(first) == frames.CHALLENGE and first[1] == SLOT
    assert one.say(one.hello(1, 5)) is None, "another copy of the same burst"
    assert one.say(one.hello(1, 5), 8) == first and one.say(one.hello(1, 5), 15) is None
    assert one.say(one.hello(1, 5), 16) == first
    # One HELLO that is not above the newest is answered a second, whichever it is.
    assert one.say(one.hello(1, 5, random=b"another"), 16) not in (None, first)
    assert one.say(one.hello(1, 4), 16) is None and one.say(one.hello(0, 9), 16) is None
    assert one.counts() == (8, 0, 0, 2, 0, 0)
    assert one.say(one.hello(1, 6), 16) not in (None, first)
    assert one.say(one.hello(2, 0), 16) is not None and one.say(one.hello(1, 7), 16) is None
    assert one.counts() == (11, 0, 0, 3, 0, 0)


def test_the_very_first_hello_may_be_of_epoch_and_count_zero():
    assert Peer().say(Peer().hello(0, 0)) is not None


def test_a_forged_hello_has_no_answer_and_changes_nothing():
    one = Peer()
    good = one.hello(1, 5)
    for at in (4, 8, 13, 19, 20, 31):
        assert one.say(flip(good, at)) is None, at
    assert one.counts() == (6, 0, 6, 0, 0, 0)
    assert one.strangers == [(messages.EVENT_FORGED, SLOT, frames.HELLO)] and one.notes == []
    assert one.say(good) is not None


def test_a_hello_with_other_open_bytes_is_no_such_frame():
    """The spare byte, `wants` that has no meaning yet, another slot: none of these is verified."""
    one = Peer()
    good = one.hello(1, 5)
    for at, value in ((3, 1), (3, 0x80), (12, 2), (12, 0xFF), (1, SLOT + 1), (2, 33), (2, 255)):
        assert one.say(good[:at] + bytes((value,)) + good[at + 1 :]) is None, at
    assert one.counts() == (7, 7, 0, 0, 0, 0)
    genuine = one.hello(1, 5, 2)
    assert one.say(genuine) is None and one.counts()[1] == 8, "even if its tag is good"


def test_challenges_count_from_one_in_their_epoch():
    one = Peer(epoch=7)
    for count in (1, 2, 3):
        challenge = one.say(one.hello(1, count))
        assert challenge[2:4] == b"\0\0" and challenge[4:12] == b"\x07\0\0\0" + bytes((count, 0, 0, 0))


def test_challenges_end_before_their_numbers_do():
    one = Peer(count=0xFFFFFFFD)
    for count in (1, 2):
        answer = one.say(one.hello(1, count))
        assert answer[8:12] == bytes((0xFD + count,)) + b"\xff\xff\xff"
    for count in (3, 4):
        assert one.say(one.hello(1, count)) is None
    assert one.counts() == (4, 0, 0, 0, 2, 0)


def test_no_two_challenges_are_alike_though_randomness_never_changes():
    one = Peer()
    one.take_random = bytes
    one.stimulator._random = bytes
    answers = [one.say(one.hello(1, count), 12 * count) for count in range(1, 30)]
    assert None not in answers and len(set(answers)) == 29
    assert len({answer[4:20] for answer in answers}) == 29


def test_without_randomness_nobody_new_is_let_in_and_who_is_in_stays():
    one = Peer()
    one.join(1, 1)
    assert one.say(one.request(0)) is not None
    one.random_fails = True
    for count in (2, 3):
        assert one.say(one.hello(1, count)) is None
    assert one.say(one.request(1)) is not None and len(one.executed) == 2
    one.random_fails = False
    assert one.say(one.hello(1, 2)) is not None and one.counts()[2:5] == (0, 0, 0)


def test_a_request_opens_the_connection_and_is_executed():
    one = Peer()
    one.join()
    assert not one.stimulator.connected(0) and one.stimulator.newly_connected == []
    answer = one.say(one.request(0))
    assert one.link.open(frames.REPLY, 0, answer) == fragments.cut(1, b"\x84\x00", 0)
    assert answer[2:5] == one.link.token(frames.REPLY, 0)
    assert one.executed == [(STOP, roles.PATIENT, SLOT)] and one.counts()[5] == 1
    assert one.stimulator.newly_connected == [] and one.stimulator.connected(0)
    assert one.notes == [(messages.EVENT_CONNECTED, SLOT, roles.PATIENT)]
    assert one.stimulator.connected(59_999) and not one.stimulator.connected(60_000)


def test_counters_go_up_by_up_to_eight_and_never_back():
    for ahead in range(-3, 20):
        one = Peer()
        one.join()
        for counter in range(3):
            one.say(one.request(counter))
        answer = one.say(one.request(3 + ahead))
        taken = 0 <= ahead < WINDOW
        assert (answer is not None) == taken, ahead
        assert len(one.executed) == 3 + taken
        if taken:
            assert one.say(one.request(3 + ahead, b"\x02")) is None, "the counter is used up"
            assert one.say(one.request(4 + ahead, b"\x02")) is not None


def test_the_same_request_gets_the_same_reply_sixty_times_and_is_executed_once():
    one = Peer()
    one.join()
    for counter in (0, 1):
        now_ms = 10_000 * counter
        frame = one.request(counter)
        reply = one.say(frame, now_ms)
        found = []
        for _ in range(REPEATS + 2):
            assert one.say(frame, now_ms + 7) is None, "another copy of the same burst"
            now_ms += 8
            found.append(one.say(frame, now_ms) == reply)
        assert found == [True] * REPEATS + [False] * 2
    assert len(one.executed) == 2


def test_the_same_hello_gets_the_same_challenge_sixty_times():
    one = Peer()
    for count in (1, 2):
        now_ms = 10_000 * count
        hello = one.hello(1, count)
        challenge = one.say(hello, now_ms)
        found = []
        for _ in range(REPEATS + 2):
            assert one.say(hello, now_ms + 7) is None
            now_ms += 8
            found.append(one.say(hello, now_ms) == challenge)
        assert found == [True] * REPEATS + [False] * 2


def test_the_hello_of_an_open_connection_gets_another_challenge():
    """It is out of step then. What follows under it is another connection, if anybody can speak in it."""
    one = Peer()
    first = one.join(1, 1)
    one.say(one.request(0))
    again = one.say(one.hello(1, 1))
    assert again is not None and again[4:20] != first[4:20]
    assert one.say(one.request(1)) is not None, "the connection goes on"


def test_forged_requests_are_counted_noted_and_use_up_no_counter():
    one = Peer()
    one.join()
    good = one.request(0)
    for at in (5, 12, 31):
        assert one.say(flip(good, at)) is None
    assert one.counts() == (4, 0, 3, 0, 0, 0) and not one.executed
    assert one.strangers == [(messages.EVENT_FORGED, SLOT, frames.REQUEST)] and one.notes == []
    assert one.say(good) is not None and len(one.executed) == 1


def test_requests_of_another_connection_are_replays():
    one = Peer()
    assert one.say(bytes((0x33, SLOT)) + bytes(30)) is None
    one.join()
    one.say(one.request(0))
    good = one.request(1)
    for at in (2, 3, 4):
        assert one.say(flip(good, at)) is None
    assert one.counts() == (6, 0, 0, 4, 0, 1) and len(one.executed) == 1
    assert one.strangers == [(messages.EVENT_REPLAYED, SLOT, frames.REQUEST)]
    old = one.link
    one.join(1, 2)
    one.say(one.request(0))
    one.link = old
    assert one.say(one.request(1)) is None and one.say(good) is None and len(one.executed) == 2


def test_the_old_connection_works_until_the_new_one_is_used():
    one = Peer()
    one.join(1, 1)
    one.say(one.request(0))
    old = one.link
    one.join(1, 2)
    new, one.link = one.link, old
    assert one.say(one.request(1)) is not None
    one.link = new
    assert one.say(one.request(0)) is not None and one.counts()[5] == 2
    one.link = old
    assert one.say(one.request(2)) is None


def test_noise_is_counted_as_bad():
    one = Peer()
    for frame in (
        b"", b"\x31", bytes(32), bytes((0x32, SLOT)) + bytes(30), bytes((0x34, SLOT)) + bytes(30),
        bytes((0x31, SLOT + 1)) + bytes(30), bytes((0x33, 6)) + bytes(30), bytes((0x33, 255)) + bytes(30),
        bytes((0x35, 1)) + bytes(30), bytes((0x36, 1)) + bytes(30), bytes((0x31, SLOT)) + bytes(29),
        bytes((0x33, SLOT)) + bytes(31), bytes((0x21, SLOT)) + bytes(24), bytes((0x23, SLOT)) + bytes(30),
    ):  # fmt: skip
        assert one.say(frame) is None
    assert one.counts() == (14, 14, 0, 0, 0, 0) and one.notes == one.strangers == []


def test_the_table_is_not_asked_for_slots_that_do_not_exist():
    one = Peer((SLOT, 5, 6, 7))
    for slot, answered in ((5, True), (6, False), (7, False)):
        assert (one.say(one.hello(slot=slot)) is not None) is answered


def test_pairing_frames_go_to_the_pairing_alone():
    class Window:
        heard = []

        def on_frame(self, frame, now_ms):
            self.heard.append((bytes(frame), now_ms))
            return b"answer"

    one = Peer()
    one.stimulator.pairing = Window()
    pair = bytes((0x35, 1)) + bytes(30)
    assert one.say(pair, 77) == b"answer" and Window.heard == [(pair, 77)]
    assert one.say(bytes((0x36, 1)) + bytes(30)) is None and one.say(bytes((0x34, SLOT)) + bytes(30)) is None
    assert one.join() is not None and one.say(one.request(0)) is not None
    assert len(Window.heard) == 1 and one.counts()[:2] == (5, 2)


def test_answers_go_to_the_peers_address_or_to_pairings():
    one = Peer()
    assert one.stimulator.address_for(one.join()) == bytes((0xA0 + SLOT,)) + BASE
    assert one.stimulator.address_for(one.say(one.request(0))) == bytes((0xA0 + SLOT,)) + BASE
    assert one.stimulator.address_for(bytes((0x36, 5)) + bytes(30)) == b"\x51\x4a\x9d\x36\xc5"
    for kind in (1, 2, 3, 4, 5):
        assert one.stimulator.address_for(bytes((0x30 | kind, 0)) + bytes(30))[0] == 0xA0


def test_a_new_epoch_of_the_peer_begins_new_requests_and_the_same_one_does_not():
    for epoch, times in ((1, 1), (2, 2)):
        one = Peer()
        one.join(1, 1)
        one.say(one.request(0, START, 9))
        one.join(epoch, 2)
        one.say(one.request(0, START, 9))
        assert len(one.executed) == times and one.stimulator.duplicates == 2 - times


def test_connections_and_candidates_end_at_the_tick():
    one = Peer()
    one.join(1, 1)
    one.say(one.request(0))
    one.stimulator.expire(59_999)
    peer = one.stimulator._peers[SLOT]
    assert peer.connection is not None and peer.last_request
    one.stimulator.expire(60_000)
    assert peer.connection is None and not peer.last_request and not peer.last_reply
    one.join(1, 2, 100_000)
    one.stimulator.expire(159_999)
    assert peer.candidate is not None
    one.stimulator.expire(160_000)
    assert peer.candidate is None and one.say(one.request(0), 160_000) is None


def test_a_candidate_is_as_old_as_its_challenge():
    for late_ms, taken in ((59_999, True), (60_000, False)):
        one = Peer()
        one.stimulator.expire(0)
        one.join(1, 1, 5000)
        assert (one.say(one.request(0), 5000 + late_ms) is not None) == taken


def test_a_forgotten_pairing_has_no_connection():
    one = Peer()
    one.join()
    one.say(one.request(0))
    one.stimulator.forget(SLOT)
    assert not one.stimulator.connected(0) and one.say(one.request(1)) is None
    one.stimulator.forget(SLOT)


def test_counters_end_at_65535():
    one = Peer()
    one.join()
    one.say(one.request(0))
    one.stimulator._peers[SLOT].connection.taken(connection.LAST_COUNTER - 1)
    assert one.say(one.request(0xFFFF)) is not None
    assert not one.stimulator.connected(0)


def test_a_candidate_that_ends_leaves_the_open_connection_alone():
    one = Peer()
    one.join(1, 1)
    assert one.say(one.request(0)) is not None and one.say(one.request(1)) is not None
    old = one.link
    one.join(1, 2)
    one.link = old
    assert one.say(one.request(2), 50_000) is not None
    one.stimulator.expire(70_000)
    assert one.say(one.request(3), 70_000) is not None


def test_frames_of_the_other_direction_and_of_other_slots_open_nothing():
    """A REPLY thrown back as a REQUEST, a CHALLENGE as a HELLO, all under another slot's number."""
    one = Peer((SLOT, 5))
    challenge = one.join()
    reply = one.say(one.request(0))
    assert one.say(b"\x33" + reply[1:]) is None
    assert one.say(b"\x33" + reply[1:2] + one.link.token(frames.REQUEST, 1) + reply[5:]) is None
    assert one.say(b"\x31" + challenge[1:]) is None
    next_request = one.request(1)
    assert one.say(next_request[:1] + b"\x05" + next_request[2:]) is None
    hello = one.hello(1, 2)
    assert one.say(hello[:1] + b"\x05" + hello[2:]) is None
    assert len(one.executed) == 1 and one.counts()[5] == 1
    assert one.say(next_request) is not None and one.say(hello) is not None
