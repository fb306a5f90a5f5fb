"""STOP that is not answered goes out in a new REQUEST each time: a token that was overheard can be spent."""

from stimfw.protocol import messages, requests
from stimfw.telemetry import fragments, frames
from stimfw.telemetry.connection import LAST_COUNTER, TRIES, WINDOW
from support.control import control
from support.link_harness import LinkHarness
from support.requester_rig import SLOT, STOP, asking, connected, reply, say

START = messages.request(requests.START)


def requests_sent(peer, count, now_ms):
    """The next so many REQUESTs that nobody answers, with the counter of each."""
    found = []
    while len(found) < count:
        frame = say(peer, now_ms)
        if frames.kind_of(frame) == frames.REQUEST:
            found.append((peer.counter, frame))
        now_ms += 40
    return found


def test_each_stop_is_a_frame_of_its_own_and_every_other_request_stays_the_same():
    for message, distinct in ((STOP, 4), (START, 1), (b"\x02", 1)):
        ends, peer, link = connected()
        peer.begin(message, 5000, ends.now_ms)
        found = requests_sent(peer, 4, ends.now_ms)
        assert len({frame for _, frame in found}) == distinct
        assert [counter for counter, _ in found] == [link.counter + k % distinct for k in range(4)]
        for counter, frame in found:
            assert link.open(frames.REQUEST, counter, frame)[:3] == bytes((peer._id, fragments.LAST, 1))


def test_so_it_is_in_a_connection_that_it_has_made_where_two_follow_each_other():
    ends, peer, _ = connected()
    peer._connection = None
    peer.begin(STOP, 5000, ends.now_ms)
    peer.on_frame(ends.stimulator.on_frame(say(peer, ends.now_ms), ends.now_ms), ends.now_ms)
    found = requests_sent(peer, WINDOW + 3, ends.now_ms)
    assert [counter for counter, _ in found] == list(range(WINDOW)) + 3 * [WINDOW - 1]


def test_no_frame_is_beyond_the_stimulator_s_window_and_then_the_last_one_comes_again():
    ends, peer, link = connected()
    peer.begin(STOP, 5000, ends.now_ms)
    found = requests_sent(peer, WINDOW + 3, ends.now_ms)
    expected = [link.counter + min(k, WINDOW - 1) for k in range(WINDOW + 3)]
    assert [counter for counter, _ in found] == expected
    assert {frame for _, frame in found[WINDOW - 1 :]} == {found[-1][1]}
    for _, frame in found[:WINDOW]:
        assert link.counter_of(frames.token_number(frame)) >= 0
    later_ms = ends.now_ms + 5000
    peer.begin(STOP, 5000, later_ms)
    beyond = requests_sent(peer, 3, later_ms)
    assert link.counter_of(frames.token_number(beyond[0][1])) < 0, "it needs its HELLO"
    assert [counter for counter, _ in beyond] == 3 * [link.counter + WINDOW], "and makes it no worse"


def test_an_answer_opens_the_window_again():
    ends, peer, link = connected()
    peer.begin(STOP, 9000, ends.now_ms)
    last = requests_sent(peer, WINDOW, ends.now_ms)[-1][0]
    peer.on_frame(reply(peer, link), ends.now_ms + 1000)
    assert peer.state == peer.ANSWERED
    peer.begin(STOP, 9000, ends.now_ms + 2000)
    found = requests_sent(peer, 3, ends.now_ms + 2000)
    assert [counter for counter, _ in found] == [last + 1, last + 2, last + 3]


def test_the_reply_to_an_earlier_one_counts_and_so_does_the_last():
    for which in range(3):
        ends, peer, link = connected()
        peer.begin(STOP, 5000, ends.now_ms)
        counter = requests_sent(peer, 3, ends.now_ms)[which][0]
        plain = fragments.piece(peer._id, fragments.LAST, b"\x84\x00")
        assert peer.on_frame(link.seal(frames.REPLY, counter, plain), ends.now_ms + 200)
        assert (peer.state, peer.reply) == (peer.ANSWERED, b"\x84\x00")


def test_a_reply_of_an_earlier_request_does_not():
    ends, peer, link = asking(STOP)
    old = reply(peer, link)
    peer.on_frame(old, ends.now_ms)
    assert peer.state == peer.ANSWERED
    peer.begin(STOP, 5000, ends.now_ms)
    requests_sent(peer, 2, ends.now_ms)
    assert not peer.on_frame(old, ends.now_ms) and peer.state == peer.WAITING
    plain = fragments.piece(peer._id, fragments.LAST, b"\x84\x00")
    ahead = link.seal(frames.REPLY, peer.counter + 1, plain)
    assert not peer.on_frame(ahead, ends.now_ms) and peer.state == peer.WAITING


def test_counters_do_not_run_over_their_end():
    ends, peer, _ = connected()
    connection = peer._connection
    connection.counter = connection.answered = LAST_COUNTER - 1
    peer.begin(STOP, 5000, ends.now_ms)
    counters = [counter for counter, _ in requests_sent(peer, 4, ends.now_ms)]
    assert counters == [LAST_COUNTER - 1] + 3 * [LAST_COUNTER]


@control("C-02")
def test_stop_gets_through_to_whom_all_overheard_tokens_are_spent():
    """Each burst's token is overheard and spent by forged frames; the next burst is heard."""
    ends = LinkHarness(((SLOT, 1),))
    assert ends.ask(STOP, SLOT) is not None
    peer, before = ends.peers[SLOT], len(ends.executed)
    peer.begin(STOP, 5000, ends.now_ms)
    for _, frame in requests_sent(peer, 5, ends.now_ms):
        for number in range(TRIES):
            ends.now_ms += 40
            forged = frame[:31] + bytes((frame[31] ^ number + 1,))
            assert ends.stimulator.on_frame(forged, ends.now_ms) is None
        ends.now_ms += 40
        assert ends.stimulator.on_frame(frame, ends.now_ms) is None, "its token is spent"
    assert len(ends.executed) == before
    answer = ends.stimulator.on_frame(requests_sent(peer, 1, ends.now_ms)[0][1], ends.now_ms)
    assert len(ends.executed) == before + 1
    peer.on_frame(answer, ends.now_ms)
    assert peer.state == peer.ANSWERED
