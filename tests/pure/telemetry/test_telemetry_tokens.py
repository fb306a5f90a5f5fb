"""Tokens: eight at a time, each good for one frame, spent by four forgeries, none that tells of another."""

from stimfw.protocol import messages
from stimfw.telemetry import frames
from stimfw.telemetry.connection import LAST_COUNTER, TRIES, WINDOW, ListeningConnection
from support.link_harness import Rng
from support.radio_peer import SLOT, Peer, flip

KEYS = (bytes(16), bytes(range(16)), b"token key 16 by.")


def number(connection, counter):
    return frames.token_number(b"\0\0" + connection.token(frames.REQUEST, counter))


def expected(connection):
    return sorted(connection._expected.values())


def test_eight_counters_may_come():
    one = ListeningConnection(KEYS, SLOT, 0)
    assert WINDOW == 8 and expected(one) == list(range(8))
    for counter in range(12):
        assert one.counter_of(number(one, counter)) == (counter if counter < 8 else -1)
    assert one.counter_of(0) == -1 and one.counter_of(-1) == -1


def test_the_window_moves_behind_what_was_taken_and_nothing_comes_back():
    for taken in ((0,), (3,), (7,), (0, 1, 2), (2, 9), (7, 14, 21)):
        one = ListeningConnection(KEYS, SLOT, 0)
        for counter in taken:
            assert one.counter_of(number(one, counter)) == counter
            one.taken(counter)
            assert one.counter == counter + 1 and expected(one) == list(range(counter + 1, counter + 9))
        for counter in range(taken[-1] + 1):
            assert one.counter_of(number(one, counter)) == -1, (taken, counter)


def test_the_last_counter_is_65535():
    one = ListeningConnection(KEYS, SLOT, 0)
    one.taken(LAST_COUNTER - 3)
    assert expected(one) == [LAST_COUNTER - 2, LAST_COUNTER - 1, LAST_COUNTER]
    one.taken(LAST_COUNTER)
    assert expected(one) == [] and one.over(0) and one.counter == 0x10000


def test_a_token_is_spent_after_four_frames_that_do_not_verify():
    one = ListeningConnection(KEYS, SLOT, 0)
    assert TRIES == 4
    for counter in (0, 5):
        for _ in range(3):
            one.failed(number(one, counter))
            assert one.counter_of(number(one, counter)) == counter
        one.failed(number(one, counter))
        assert one.counter_of(number(one, counter)) == -1
    assert expected(one) == [1, 2, 3, 4, 6, 7]
    one.taken(1)
    assert expected(one) == [2, 3, 4, 6, 7, 8, 9], "a spent one does not come back"
    for _ in range(3):
        one.failed(number(one, 2))
    one.taken(3)
    for _ in range(3):
        one.failed(number(one, 4))
    assert one.counter_of(number(one, 4)) == 4, "each authentic frame forgives"


def test_a_forger_cannot_fill_the_memory():
    one = ListeningConnection(KEYS, SLOT, 0)
    for turn in range(500):
        for counter in range(turn, turn + 8):
            for _ in range(6):
                if one.counter_of(number(one, counter)) >= 0:
                    one.failed(number(one, counter))
        assert len(one._expected) <= 8 and len(one._failed) <= 8
        one.taken(turn)


def test_tokens_of_both_directions_and_of_neighbours_differ():
    one = ListeningConnection(KEYS, SLOT, 0)
    seen = set()
    for counter in range(500):
        seen.add(bytes(one.token(frames.REQUEST, counter)))
        seen.add(bytes(one.token(frames.REPLY, counter)))
    assert len(seen) >= 999, "of 24 bits each: at most one of 1000 alike"
    other = ListeningConnection((KEYS[0], KEYS[1], b"another key 16b."), SLOT, 0)
    assert other.token(frames.REQUEST, 0) != one.token(frames.REQUEST, 0)


# At the stimulator.


def test_forgeries_with_an_overheard_token_cost_four_seals_and_the_peer_one_handshake():
    one = Peer()
    one.join()
    one.say(one.request(0))
    good = one.request(1)
    for _ in range(10):
        assert one.say(flip(good, 20)) is None
    assert one.counts()[2:4] == (4, 6), "forged, then no more than replayed"
    assert one.say(good) is None, "its token is spent, too"
    assert one.say(one.request(2)) is not None, "the next one's is not"
    one.join(1, 2)
    assert one.say(one.request(0)) is not None and len(one.executed) == 3


def test_three_forgeries_and_the_genuine_frame_is_taken():
    one = Peer()
    one.join()
    good = one.request(0)
    for at in (5, 20, 31):
        assert one.say(flip(good, at)) is None
    assert one.say(good) is not None and len(one.executed) == 1


def test_the_last_reply_is_not_given_to_whoever_knows_the_last_token():
    one = Peer()
    one.join()
    good = one.request(0)
    reply = one.say(good)
    for at in (5, 20, 31):
        assert one.say(flip(good, at), 100) is None
    assert one.counts()[2:4] == (0, 3) and one.say(good, 100) == reply


def test_a_changed_token_costs_no_seal():
    one = Peer()
    one.join()
    good = one.request(0)
    left = one.stimulator._limiter._left
    for bit in range(24):
        changed = bytearray(good)
        changed[2 + bit // 8] ^= 1 << bit % 8
        assert one.say(bytes(changed)) is None
    assert one.counts()[2:4] == (0, 24) and one.stimulator._limiter._left == left
    assert one.say(good) is not None


def test_a_frame_with_a_token_of_another_counter_is_a_forgery():
    """The counter is in the nonce: who puts a due token before an old frame's seal gets nothing."""
    one = Peer()
    one.join()
    old = one.request(0)
    assert one.say(old) is not None
    for counter in (1, 2, 8):
        token = one.link.token(frames.REQUEST, counter)
        assert one.say(old[:2] + token + old[5:]) is None
    assert one.counts()[2] == 3 and len(one.executed) == 1


def test_no_seal_is_ever_made_twice_under_one_counter():
    """Random conversations with losses and repeats: each REPLY's token belongs to one frame only."""
    rng = Rng(77)
    for _ in range(20):
        one = Peer()
        one.join()
        replies = {}
        counter, now_ms, sent = 0, 0, []
        for _ in range(40):
            if sent and rng.below(3) == 0:
                frame = sent[rng.below(len(sent))]
            else:
                counter += 1 + rng.below(3)
                frame = one.request(counter - 1, messages.request(2, bytes((rng.below(4),))), rng.below(3))
                sent.append(frame)
            now_ms += rng.below(20)
            answer = one.say(frame, now_ms)
            if answer is not None:
                assert replies.setdefault(bytes(answer[2:5]), answer) == answer
        assert len(replies) > 10
