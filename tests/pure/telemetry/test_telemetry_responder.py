"""The stimulator's end alone: what is refused and what is counted, to the single frame."""

from stimfw.protocol import messages, roles
from stimfw.telemetry import connection, fragments, frames
from support.link_harness import BASE
from support.radio_peer import SLOT, STOP, Peer, flip

WINDOW = 16
REPEATS = 60


def test_a_hello_is_answered_once_for_its_bytes_and_never_for_an_older_one():
    one = Peer()
    assert one.counts() == (0, 0, 0, 0, 0, 0)
    first = one.say(one.hello(1, 5))
    assert frames.kind_of(first) == frames.CHALLENGE and first[1] == SLOT
    assert one.say(one.hello(1, 5)) == first and one.say(one.hello(1, 5, b"otherrnd")) is None
    assert one.say(one.hello(1, 4)) is None and one.say(one.hello(0, 9)) is None
    assert one.counts() == (5, 0, 0, 3, 0, 0)
    assert one.say(one.hello(1, 6)) not in (None, first)
    assert one.say(one.hello(2, 0)) is not None and one.say(one.hello(1, 7)) is None
    assert one.counts() == (8, 0, 0, 4, 0, 0)
    for count in (0xFFFFFF, 0x1000000, 0xFFFFFFFF):
        assert one.say(one.hello(2, count)) is not None, count
    assert one.say(one.hello(0x1000000, 0)) is not None


def test_the_very_first_hello_may_be_of_epoch_and_count_zero():
    assert Peer().say(Peer().hello(0, 0)) is not None


def test_a_forged_hello_has_no_answer_and_changes_nothing():
    one = Peer()
    good = one.hello(1, 5)
    for at in (2, 6, 10, 17, 18, 25):
        assert one.say(flip(good, at)) is None, at
    assert one.counts() == (6, 0, 6, 0, 0, 0)
    assert one.notes == [(messages.EVENT_FORGED, SLOT, frames.HELLO)]
    assert one.say(good) is not None


def test_challenges_count_from_one_in_their_epoch():
    one = Peer(epoch=7)
    for count in (1, 2, 3):
        challenge = one.say(one.hello(1, count))
        assert challenge[2:10] == b"\x07\0\0\0" + bytes((count, 0, 0, 0))


def test_challenges_end_before_their_numbers_do():
    one = Peer(count=0xFFFFFFFD)
    assert one.say(one.hello(1, 1))[6:10] == b"\xfe\xff\xff\xff"
    for count in (2, 3):
        assert one.say(one.hello(1, count)) is None
    one = Peer(count=0xFD)
    one.join(1, 1)
    one.say(one.request(0))
    one.stimulator._count = 0xFFFFFFFD
    assert one.say(one.hello(1, 2))[6:10] == b"\xff" * 4, "0xFE is the open connection's number"
    assert one.say(one.hello(1, 3)) is None


def test_a_challenges_number_is_never_that_of_the_open_connection():
    for used in (1, 7, 254):
        for count, wanted in ((0, 1), (1, 2), (255, 257), (511, 513), (254, 255), (256, 257)):
            one = Peer(count=used - 1)
            one.join(1, 1)
            assert one.say(one.request(0)) is not None and one.link.number == used
            one.stimulator._count = used + count
            challenge = one.say(one.hello(1, 2))
            assert int.from_bytes(challenge[6:10], "little") == used + wanted, (used, count)
            assert challenge[6] != used


def test_a_request_opens_the_connection_and_is_executed():
    one = Peer()
    one.join()
    assert not one.stimulator.connected(0) and one.stimulator.newly_connected == []
    answer = one.say(one.request(0))
    assert one.link.open(frames.REPLY, answer) == fragments.cut(1, b"\x84\x00", 0)
    assert one.executed == [(STOP, roles.PATIENT, SLOT)] and one.counts()[5] == 1
    assert one.stimulator.newly_connected == [SLOT] and one.stimulator.connected(0)
    assert one.notes == [(messages.EVENT_CONNECTED, SLOT, roles.PATIENT)]
    assert one.stimulator.connected(59_999) and not one.stimulator.connected(60_000)


def test_counters_go_up_by_up_to_sixteen_and_never_back():
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
    frame = one.request(0)
    reply = one.say(frame)
    assert [one.say(frame) == reply for _ in range(REPEATS)] == [True] * REPEATS
    assert one.say(frame) is None and one.say(frame) is None
    assert len(one.executed) == 1 and one.counts()[3] == 2
    other = one.request(1)
    reply = one.say(other)
    assert [one.say(other) == reply for _ in range(REPEATS + 1)] == [True] * REPEATS + [False]


def test_the_same_hello_gets_the_same_challenge_sixty_times():
    one = Peer()
    for count in (1, 2):
        hello = one.hello(1, count)
        challenge = one.say(hello)
        again = [one.say(hello) == challenge for _ in range(REPEATS + 2)]
        assert again == [True] * REPEATS + [False] * 2


def test_the_hello_of_an_open_connection_is_not_answered_again():
    one = Peer()
    one.join(1, 1)
    one.say(one.request(0))
    assert one.say(one.hello(1, 1)) is None


def test_forged_requests_are_counted_noted_and_use_up_no_counter():
    one = Peer()
    one.join()
    good = one.request(0)
    for at in (5, 12, 31):
        assert one.say(flip(good, at)) is None
    assert one.counts() == (4, 0, 3, 0, 0, 0) and not one.executed
    assert one.notes == [(messages.EVENT_FORGED, SLOT, frames.REQUEST)]
    assert one.say(good) is not None and len(one.executed) == 1


def test_requests_of_another_connection_are_replays():
    one = Peer()
    assert one.say(bytes((0x23, SLOT)) + bytes(30)) is None
    one.join()
    one.say(one.request(0))
    number = one.link.number
    for other in (number - 1, number + 1, 255):
        frame = one.request(1)
        assert one.say(frame[:2] + bytes((other & 0xFF,)) + frame[3:]) is None
    assert one.counts() == (6, 0, 0, 4, 0, 1) and len(one.executed) == 1
    assert one.notes[0] == (messages.EVENT_REPLAYED, SLOT, frames.REQUEST)
    one.join(1, 2)
    old = one.link
    one.say(one.request(0))
    one.join(1, 3)
    one.say(one.request(0))
    one.link = old
    assert one.say(one.request(1)) is None


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
    assert one.stimulator.newly_connected == [SLOT]
    one.link = old
    assert one.say(one.request(2)) is None


def test_noise_is_counted_as_bad():
    one = Peer()
    for frame in (
        b"", b"\x21", bytes(32), bytes((0x22, SLOT)) + bytes(24), bytes((0x24, SLOT)) + bytes(30),
        bytes((0x21, SLOT + 1)) + bytes(24), bytes((0x23, 6)) + bytes(30), bytes((0x23, 255)) + bytes(30),
        bytes((0x25, 1)) + bytes(30), bytes((0x26, 1)) + bytes(30), bytes((0x21, SLOT)) + bytes(30),
    ):  # fmt: skip
        assert one.say(frame) is None
    assert one.counts() == (11, 11, 0, 0, 0, 0) and one.notes == []


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
    pair = bytes((0x25, 1)) + bytes(30)
    assert one.say(pair, 77) == b"answer" and Window.heard == [(pair, 77)]
    assert one.say(bytes((0x26, 1)) + bytes(30)) is None and one.say(bytes((0x24, SLOT)) + bytes(30)) is None
    assert one.join() is not None and one.say(one.request(0)) is not None
    assert len(Window.heard) == 1 and one.counts()[:2] == (5, 2)


def test_answers_go_to_the_peers_address_or_to_pairings():
    one = Peer()
    assert one.stimulator.address_for(one.join()) == bytes((0xA0 + SLOT,)) + BASE
    assert one.stimulator.address_for(one.say(one.request(0))) == bytes((0xA0 + SLOT,)) + BASE
    assert one.stimulator.address_for(bytes((0x26, 5)) + bytes(30)) == b"\x51\x4a\x9d\x36\xc5"
    for kind in (1, 2, 3, 4, 5):
        assert one.stimulator.address_for(bytes((0x20 | kind, 0)) + bytes(30))[0] == 0xA0


def test_a_new_epoch_of_the_peer_begins_new_requests_and_the_same_one_does_not():
    for epoch, times in ((1, 1), (2, 2)):
        one = Peer()
        one.join(1, 1)
        one.say(one.request(0, STOP, 9))
        one.join(epoch, 2)
        one.say(one.request(0, STOP, 9))
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
    one = Peer()
    one.join(1, 1, 5000)
    assert one.say(one.request(0), 64_999) is not None
    one = Peer()
    one.join(1, 1, 5000)
    assert one.say(one.request(0), 65_000) is None


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
    one.stimulator._peers[SLOT].connection.counter = connection.LAST_COUNTER
    assert one.say(one.request(0xFFFF)) is not None
    assert not one.stimulator.connected(0)


def test_a_candidate_that_ends_leaves_the_open_connection_alone():
    for count in (0xFF, 0x100, 0xFE):  # connections 0, 1 and 255
        one = Peer(count=count)
        one.join(1, 1)
        assert one.say(one.request(0)) is not None and one.say(one.request(1)) is not None
        old = one.link
        one.join(1, 2)
        one.link = old
        assert one.say(one.request(2), 50_000) is not None
        one.stimulator.expire(70_000)
        assert one.say(one.request(3), 70_000) is not None, count
