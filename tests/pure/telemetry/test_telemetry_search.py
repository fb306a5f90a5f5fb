"""Where a peer looks for the stimulator, and that nothing but an authentic answer tells it where to look."""

from stimfw.protocol import messages, requests
from stimfw.telemetry import frames
from stimfw.telemetry.requester import STOP_LIMIT_MS, Requester
from stimfw.telemetry.search import ChannelSearch
from support.link_harness import LinkHarness

STOP = messages.request(requests.STOP)
START = messages.request(requests.START)
ORDERS = (
    (76, [76, 76, 50, 76, 76, 24, 76]),
    (50, [50, 50, 24, 50, 50, 76, 50]),
    (24, [24, 24, 76, 24, 24, 50, 24]),
)


def at_home(channel):
    """A search that has met the stimulator there."""
    search = ChannelSearch()
    while search.channel != channel:
        search.go_on()
    search.met(search.channel)
    return search


def test_the_order_of_each_home_again_and_again():
    for home, order in ORDERS:
        search = at_home(home)
        for _ in range(3):
            for channel in order:
                assert search.channel == channel
                search.go_on()


def test_a_search_begins_at_76_and_each_request_at_home():
    search, found = ChannelSearch(), []
    for _ in range(14):
        found.append(search.channel)
        search.go_on()
    assert found == ORDERS[0][1] * 2
    for home, order in ORDERS:
        search = at_home(home)
        for steps in range(16):
            for _ in range(steps):
                search.go_on()
            search.restart()
            assert search.channel == home and search.home == (76, 50, 24).index(home)
            search.go_on()
            search.go_on()
            assert search.channel == order[2], "and goes on from its beginning"
            search.restart()


def test_an_answer_elsewhere_makes_that_the_home():
    for home, order in ORDERS:
        for place in range(7):
            search = at_home(home)
            for _ in range(place):
                search.go_on()
            search.met(search.channel)
            found = []
            for _ in range(7):
                found.append(search.channel)
                search.go_on()
            assert found == dict(ORDERS)[order[place]]


# The peer's end.


def channels_of(peer, turns, now_ms):
    """Where so many bursts go that nobody answers, and what each is."""
    found = []
    for _ in range(turns):
        frame = peer.poll(now_ms)
        found.append((peer.channel, frames.kind_of(frame)))
        peer.sent(True, now_ms)
        now_ms += 40
    return found


def test_bursts_without_an_answer_go_round_and_requests_and_hellos_meet_every_channel():
    link = LinkHarness()
    assert link.ask(START) is not None
    for message in (STOP, START):
        link.peers[0].begin(message, 10_000, link.now_ms)
        found = channels_of(link.peers[0], 42, link.now_ms)
        assert [channel for channel, _ in found] == ORDERS[0][1] * 6
        for kind in (frames.REQUEST, frames.HELLO):
            assert {channel for channel, its in found if its == kind} == {76, 50, 24}, (message, kind)
        link.now_ms += 20_000


def test_a_new_request_begins_at_home():
    peer = LinkHarness().peers[0]
    for turns in range(1, 8):
        peer.begin(STOP, 10_000, 0)
        assert channels_of(peer, turns, 0)[0][0] == 76


def test_nothing_that_is_not_authentic_moves_the_search():
    """Somebody on every channel says something to each frame: noise, old answers, forged ones."""
    link = LinkHarness()
    assert link.ask(START) is not None and link.ask(STOP) is not None
    old = [frame for up, frame in link.heard if not up]
    peer = link.peers[0]
    peer.begin(START, 10_000, link.now_ms)
    found = []
    for turn in range(42):
        frame = peer.poll(link.now_ms)
        found.append(peer.channel)
        peer.sent(True, link.now_ms)
        forged = b"\x32" + frame[1:2] + b"\0\0" + bytes((turn,)) * 28
        answers = [b"", bytes(32), frame, forged, b"\x34" + frame[1:], old[turn % len(old)]]
        if frames.kind_of(frame) == frames.REQUEST:
            token = peer._connection.token(frames.REPLY, peer.counter)
            answers.append(b"\x34" + frame[1:2] + token + frame[5:])
        for answer in answers:
            peer.on_frame(answer, link.now_ms)
        assert peer.wait_ms(link.now_ms) >= 12, "nor does it make the next burst due"
        link.now_ms += 20
    assert found == ORDERS[0][1] * 6 and peer.state == Requester.WAITING and peer._search.home == 0


def test_only_an_answer_moves_home_and_not_that_a_burst_went_out():
    link = LinkHarness()
    link.channel = 50
    assert link.ask(START) is not None and link.peers[0]._search.home == 1
    link.heard.clear()
    assert link.ask(STOP) is not None and len(link.heard) == 2, "found at once"
    link.air = lambda frame, to_stimulator: [frame] if to_stimulator else []
    assert link.ask(STOP) is None and link.peers[0]._search.home == 1


def test_a_challenge_and_a_reply_each_tell_where_the_stimulator_is():
    for kind in (frames.CHALLENGE, frames.REPLY):
        link = LinkHarness()
        assert link.ask(START) is not None
        link.channel = 50
        if kind == frames.CHALLENGE:
            link.start_peer(0)
        link.air = lambda frame, up, kind=kind: [frame] if up or frames.kind_of(frame) == kind else []
        assert (link.ask(STOP) is None) == (kind == frames.CHALLENGE)
        assert link.peers[0]._search.home == 1, kind


def test_stop_finds_the_stimulator_on_every_channel_within_a_quarter_of_a_second():
    for channel in (76, 50, 24):
        for home in (76, 50, 24):
            for restarted in (False, True):
                link = LinkHarness()
                link.channel = home
                assert link.ask(START, limit_ms=STOP_LIMIT_MS) is not None
                link.channel = channel
                if restarted:
                    link.start_peer(0)
                began_ms, stopped_ms = link.now_ms, []
                link.reply = lambda message, link=link, at=stopped_ms: at.append(link.now_ms) or b"\x84\0"
                assert link.ask(STOP, limit_ms=STOP_LIMIT_MS) is not None
                assert stopped_ms[0] - began_ms <= 250, (channel, home, restarted, stopped_ms)


def test_a_channel_that_is_taken_is_tried_again_and_others_when_it_was_sent_to_in_vain():
    link = LinkHarness()
    peer = link.peers[0]
    peer.begin(STOP, 10_000, 0)
    for _ in range(3):
        assert peer.poll(0) is not None and peer.channel == 76
        peer.sent(False, 0)
    assert peer.poll(0) is not None
    peer.sent(True, 0)
    channels = [channel for channel, _ in channels_of(peer, 6, 40)]
    assert channels == ORDERS[0][1][1:]
