"""The peer's end alone: when it sends what, to the millisecond, and what each HELLO says."""

from stimfw.protocol import roles
from stimfw.telemetry import connection, frames
from stimfw.telemetry.requester import Requester
from support.link_harness import LinkHarness, Rng, key_of
from support.requester_rig import SLOT, STOP, connected, fresh, reply, say


def test_hellos_are_counted_from_one_to_the_last_number():
    peer = fresh()
    peer.begin(STOP, 1000, 0)
    assert peer.poll(0)[8:12] == b"\x01\0\0\0" and peer.count == 1
    assert Requester(SLOT, roles.PATIENT, key_of(SLOT), 1, Rng(7).take).count == 0
    peer = fresh(0xFFFFFFFE)
    peer.begin(STOP, 1000, 0)
    last = say(peer, 0)
    assert last[8:12] == b"\xff" * 4 and say(peer, 30) == last
    peer = fresh(0xFFFFFFFF)
    peer.begin(STOP, 1000, 0)
    assert peer.poll(0) is None and peer.state == Requester.UNANSWERED and peer.count == 0xFFFFFFFF


def test_a_peer_without_further_hellos_goes_on_in_its_connection():
    ends, peer, _ = connected()
    peer.count = 0xFFFFFFFF
    peer.begin(STOP, 1000, ends.now_ms)
    kinds = set()
    for _ in range(6):
        kinds.add(frames.kind_of(say(peer, ends.now_ms)))
        ends.now_ms += 40
    assert kinds == {frames.REQUEST} and peer.state == Requester.WAITING and peer.count == 0xFFFFFFFF


def test_a_hello_tells_generation_epoch_and_what_is_wanted():
    for generation, low in ((0, 0), (1, 1), (0x1234, 0x34), (0xFFFF, 0xFF)):
        for message, wants in ((STOP, 1), (b"\x03", 0), (b"\x04\x00", 0)):
            peer = Requester(SLOT, 1, key_of(SLOT), 0x01020304, Rng(7).take, generation=generation)
            peer.begin(message, 1000, 0)
            hello = peer.poll(0)
            assert hello[:8] == bytes((0x31, SLOT, low, 0, 4, 3, 2, 1)) and hello[12] == wants


def test_the_same_hello_until_it_is_answered_and_a_new_one_for_each_request():
    peer = fresh()
    peer.begin(STOP, 1000, 0)
    first = say(peer, 0)
    assert [say(peer, 40 * turn) for turn in range(1, 10)] == [first] * 9 and peer.count == 1
    peer.begin(b"\x03", 1000, 400)
    other = say(peer, 400)
    assert other[8] == 2 and other[12] == 0 and other != first


def waits(peer, turns, now_ms=0):
    """How long the peer waits after each burst that nobody answers."""
    found = []
    for _ in range(turns):
        assert peer.poll(now_ms) is not None
        now_ms += 1
        peer.sent(True, now_ms)
        found.append(peer.wait_ms(now_ms))
        if found[-1] > 0:
            assert peer.poll(now_ms + found[-1] - 1) is None
        now_ms += found[-1]
    return found


def test_the_next_burst_is_due_after_12_to_19_milliseconds_at_random():
    peer = fresh()
    peer.begin(b"\x03", 100_000, 0)
    found = waits(peer, 400)
    assert set(found) == set(range(12, 20))
    for ms in range(12, 20):
        assert 20 <= found.count(ms) <= 90, (ms, found.count(ms))
    others = Requester(SLOT, roles.PATIENT, key_of(SLOT), 1, Rng(8).take)
    others.begin(b"\x03", 100_000, 0)
    assert waits(others, 400) != found
    # The times do not follow each other in a way that can be learned: each pair of them comes.
    assert len(set(zip(found, found[1:]))) > 60


def test_for_stop_it_is_8_to_32_milliseconds_so_that_nobody_covers_all_of_it():
    peer = fresh()
    peer.begin(STOP, 1_000_000, 0)
    found = waits(peer, 1200)
    assert set(found) == set(range(8, 33))
    for ms in range(8, 33):
        assert 20 <= found.count(ms) <= 90, (ms, found.count(ms))
    assert len(set(zip(found, found[1:]))) > 400


def test_a_source_of_randomness_that_fails_keeps_nobody_from_sending():
    def broken(count):
        raise OSError("stuck")

    peer = Requester(SLOT, roles.PATIENT, key_of(SLOT), 1, broken)
    peer.begin(STOP, 1000, 0)
    assert waits(peer, 5) == [8] * 5 and peer.count == 1
    ends = LinkHarness(((SLOT, roles.PATIENT),))
    ends.peers[SLOT]._random = broken
    assert ends.ask(STOP, SLOT) == b"\x84\x00"
    assert ends.ask(b"\x03", SLOT) == b"\x83\x00"


def test_a_frame_waits_for_word_that_it_is_out():
    peer = fresh()
    peer.begin(STOP, 1000, 100)
    assert peer.wait_ms(100) == 0
    assert peer.poll(100) is not None
    assert peer.wait_ms(100) == 200 and peer.wait_ms(130) == 170 and peer.poll(130) is None
    peer.sent(True, 110)
    wait_ms = peer.wait_ms(110)
    assert 8 <= wait_ms <= 32
    peer.sent(True, 111)
    assert peer.wait_ms(111) == wait_ms - 1, "what is told twice counts once"


def test_a_taken_channel_makes_the_same_frame_due_there_at_once():
    """Whoever is on the air for half of the time must not drive a peer away from where it would be heard."""
    peer = fresh()
    peer.begin(STOP, 1000, 0)
    seen = []
    for _ in range(5):
        frame = peer.poll(0)
        seen.append((peer.channel, frame))
        peer.sent(False, 0)
        assert peer.wait_ms(0) == 0
    assert [channel for channel, _ in seen] == [76] * 5
    assert len({frame for _, frame in seen}) == 1 and peer.count == 1


def test_stop_goes_out_in_longer_bursts_where_it_had_no_answer():
    for message, copies in ((STOP, [3, 8, 8, 8]), (b"\x03", [3, 3, 3, 3])):
        peer = fresh()
        for began_ms in (0, 10_000):
            peer.begin(message, 1000, began_ms)
            found = []
            for turn in range(4):
                assert peer.poll(began_ms + 40 * turn) is not None
                found.append(peer.copies)
                peer.sent(False, began_ms + 40 * turn)
                assert peer.copies == found[-1], "a burst that did not go out is none"
                peer.poll(began_ms + 40 * turn)
                peer.sent(True, began_ms + 40 * turn)
            assert found == copies


def test_a_frame_whose_fate_is_never_told_goes_out_again_after_200_milliseconds():
    peer = fresh()
    peer.begin(STOP, 1000, 0)
    first = peer.poll(0)
    assert peer.poll(199) is None and peer.wait_ms(199) == 1
    assert peer.poll(200) == first


def kinds_sent(peer, turns, now_ms):
    """The kinds of so many bursts that nobody answers."""
    found = []
    for _ in range(turns):
        found.append(frames.kind_of(say(peer, now_ms)))
        now_ms += 40
    return found


def test_every_third_try_is_a_hello_and_every_second_for_stop():
    for message, pattern in ((STOP, [3, 1]), (b"\x03", [3, 3, 1]), (bytes(40), [3, 3, 1])):
        ends, peer, _ = connected()
        peer.begin(message, 1000, ends.now_ms)
        assert kinds_sent(peer, 12, ends.now_ms) == pattern * (12 // len(pattern)), message


def test_in_a_connection_that_stop_has_made_every_third_try_is_a_hello():
    """Who is in step spoils the REQUEST that follows a CHALLENGE: the next try must not be another HELLO."""
    ends, peer, _ = connected()
    for link, pattern in ((None, [3, 3, 1]), (peer._connection, [3, 1])):
        peer._connection = link
        peer.begin(STOP, 3000, ends.now_ms)
        if link is None:
            peer.on_frame(ends.stimulator.on_frame(say(peer, ends.now_ms), ends.now_ms), ends.now_ms)
        assert kinds_sent(peer, 12, ends.now_ms) == pattern * (12 // len(pattern))
        ends.now_ms += 1000


def test_the_turns_begin_anew_with_each_request_and_each_piece():
    for tried in range(1, 7):
        ends, peer, link = connected()
        peer.begin(b"\x03", 1000, ends.now_ms)
        kinds_sent(peer, tried, ends.now_ms)
        peer.begin(bytes(40), 1000, ends.now_ms + 500)
        assert kinds_sent(peer, 1 + tried, ends.now_ms + 500) == ([3, 3, 1] * 3)[: 1 + tried]
        peer.on_frame(reply(peer, link, b"", flags=0), ends.now_ms + 800)
        assert kinds_sent(peer, 6, ends.now_ms + 800) == [3, 3, 1] * 2, tried


def test_a_busy_channel_does_not_change_whose_turn_it_is():
    ends, peer, _ = connected()
    peer.begin(STOP, 1000, ends.now_ms)
    assert frames.kind_of(say(peer, ends.now_ms)) == frames.REQUEST
    found = []
    for _ in range(4):
        found.append(frames.kind_of(peer.poll(ends.now_ms + 20)))
        peer.sent(False, ends.now_ms + 20)
    assert found == [frames.HELLO] * 4


def test_without_a_connection_all_are_hellos():
    peer = fresh()
    peer.begin(b"\x03", 1000, 0)
    assert kinds_sent(peer, 10, 0) == [frames.HELLO] * 10


def test_a_connection_is_left_five_seconds_before_its_end():
    for quiet_ms, kind in ((54_999, frames.REQUEST), (55_000, frames.HELLO)):
        ends, peer, link = connected()
        heard_ms = peer._connection._received_ms
        peer.begin(STOP, 1000, heard_ms + quiet_ms)
        assert frames.kind_of(peer.poll(heard_ms + quiet_ms)) == kind, quiet_ms


def test_at_rest_a_connection_is_dropped_before_the_clock_wraps():
    for checks in (True, False):
        ends, peer, _ = connected()
        heard_ms = peer._connection._received_ms
        if checks:
            peer.expire(heard_ms + 59_999)
            assert peer._connection is not None
            peer.expire(heard_ms + 60_000)
        again_ms = heard_ms + (1 << 30) + 10  # 12 days later
        peer.begin(STOP, 1000, again_ms)
        kind = frames.kind_of(peer.poll(again_ms))
        assert kind == (frames.HELLO if checks else frames.REQUEST)


def test_a_connection_whose_last_counter_waits_for_its_reply_is_not_dropped():
    ends, peer, link = connected()
    peer._connection.counter = connection.LAST_COUNTER
    peer.begin(STOP, 1000, ends.now_ms)
    say(peer, ends.now_ms)
    peer.expire(ends.now_ms + 1)
    peer.on_frame(reply(peer, link), ends.now_ms + 1)
    assert peer.state == Requester.ANSWERED
