"""The peer's end alone: what a taken channel changes, and what it says of each frame that it gets."""

from stimfw.protocol import messages, requests
from stimfw.telemetry import fragments, frames
from stimfw.telemetry.connection import WINDOW
from support.requester_rig import SLOT, STOP, asking, connected, counts, fresh, reply, say

DRAWS = (0, 1, 63, 64, 127, 128, 191, 192, 255)
START = messages.request(requests.START)


def waits_after(peer, looks, draw, now_ms=0):
    """How long it waits after a burst that went out after so many looks had found the channel taken."""
    peer._random = lambda count: (bytes((draw, 0x77)) + bytes(count))[:count]
    for _ in range(looks):
        assert peer.poll(now_ms) is not None
        peer.sent(False, now_ms)
        assert peer.wait_ms(now_ms) == 0
    assert peer.poll(now_ms) is not None
    peer.sent(True, now_ms)
    return peer.wait_ms(now_ms)


def test_after_a_burst_on_a_taken_channel_stop_waits_3_to_6_milliseconds():
    for looks in range(6):
        for draw in DRAWS:
            peer = fresh()
            peer.begin(STOP, 10_000, 0)
            expected = 3 + draw // 64 if looks >= 2 else 8 + draw * 25 // 256
            assert waits_after(peer, looks, draw) == expected, (looks, draw)


def test_the_looks_before_one_burst_say_nothing_of_the_next():
    for first, second in ((3, 0), (3, 1), (1, 1), (0, 2), (2, 2)):
        peer = fresh()
        peer.begin(STOP, 10_000, 0)
        waits_after(peer, first, 255)
        assert waits_after(peer, second, 255, 100) == (6 if second >= 2 else 32), (first, second)
        peer.begin(STOP, 10_000, 200)
        assert waits_after(peer, 1, 255, 200) == 32, "nor of the next request"


def test_other_requests_wait_as_long_as_ever():
    for looks in range(5):
        for draw in DRAWS:
            peer = fresh()
            peer.begin(START, 10_000, 0)
            assert waits_after(peer, looks, draw) == 12 + draw % 8, (looks, draw)


def test_without_randomness_it_waits_the_shortest_time():
    def broken(count):
        raise OSError("stuck")

    for message, looks, shortest in ((STOP, 0, 8), (STOP, 2, 3), (START, 0, 12)):
        peer = fresh()
        peer.begin(message, 10_000, 0)
        peer._random = broken
        for _ in range(looks):
            peer.poll(0)
            peer.sent(False, 0)
        say(peer, 0)
        assert peer.wait_ms(0) == shortest


def test_it_says_of_each_frame_whether_it_waited_for_it():
    ends, peer, link = asking(b"\x03" * 20)
    challenge = ends.stimulator.on_frame(hello_of(peer, ends), ends.now_ms)
    genuine = reply(peer, link, b"", flags=0)
    for frame in (
        bytes(32), b"\x34" + bytes(31), genuine[:31] + bytes((genuine[31] ^ 1,)),
        challenge[:31] + bytes((challenge[31] ^ 1,)), reply(peer, link, request_id=peer._id + 1),
        genuine[:1] + bytes((SLOT + 1,)) + genuine[2:],
    ):  # fmt: skip
        assert peer.on_frame(frame, ends.now_ms) is False
    assert peer.on_frame(genuine, ends.now_ms) is True, "a piece has arrived"
    assert peer.on_frame(genuine, ends.now_ms) is False, "it counts once"
    say(peer, ends.now_ms)
    assert peer.on_frame(reply(peer, link, b"\x83\x00"), ends.now_ms) is True
    assert peer.on_frame(genuine, ends.now_ms) is False, "nothing waits any more"


def hello_of(peer, ends):
    """The HELLO of a second peer of the same key: its CHALLENGE is none of this one's."""
    other = fresh()
    other._generation, other._epoch = peer._generation, peer._epoch + 1
    other.begin(b"\x03", 1000, ends.now_ms)
    return say(other, ends.now_ms)


def test_a_challenge_that_it_waited_for_is_said_so_once():
    ends, peer, _ = connected()
    peer._connection = None
    peer.begin(START, 1000, ends.now_ms)
    challenge = ends.stimulator.on_frame(say(peer, ends.now_ms), ends.now_ms)
    assert peer.on_frame(challenge[:31] + bytes((challenge[31] ^ 1,)), ends.now_ms) is False
    assert peer.on_frame(challenge, ends.now_ms) is True
    assert peer.on_frame(challenge, ends.now_ms) is False
    assert counts(peer)[1:] == (1, 1)


def test_before_it_is_asked_and_after_its_answer_it_sends_nothing():
    peer = fresh()
    assert peer.poll(0) is None and peer.poll(1000) is None and peer.count == 0
    ends, peer, link = asking(START)
    peer.on_frame(reply(peer, link, b"\x83\x00"), ends.now_ms)
    place = peer.channel
    for later_ms in range(0, 900, 7):
        assert peer.poll(ends.now_ms + later_ms) is None and peer.channel == place
    assert peer.state == peer.ANSWERED
    peer.begin(START, 100, ends.now_ms)
    say(peer, ends.now_ms)
    for later_ms in range(100, 900, 7):
        assert peer.poll(ends.now_ms + later_ms) is None
    assert peer.state == peer.UNANSWERED


def test_after_an_answer_the_window_begins_behind_its_counter():
    """Whichever of the frames it answers; those behind it may have been taken, or not."""
    for which in (0, 2):
        ends, peer, link = connected()
        peer.begin(STOP, 9000, ends.now_ms)
        sent = []
        while len(sent) < 3:
            if frames.kind_of(say(peer, ends.now_ms)) == frames.REQUEST:
                sent.append(peer.counter)
            ends.now_ms += 40
        plain = fragments.piece(peer._id, fragments.LAST, b"\x84\x00")
        assert peer.on_frame(link.seal(frames.REPLY, sent[which], plain), ends.now_ms)
        peer.begin(STOP, 9000, ends.now_ms)
        used = set()
        for _ in range(4 * WINDOW):
            say(peer, ends.now_ms)
            used.add(peer.counter)
            ends.now_ms += 40
        assert used == set(range(sent[-1] + 1, sent[which] + 1 + WINDOW))
