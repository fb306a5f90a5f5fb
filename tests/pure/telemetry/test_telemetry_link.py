"""Requester and Responder over an air in the test: delivered once, whatever happened."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import connection, fragments, frames
from stimfw.telemetry.requester import STOP_LIMIT_MS
from support.control import control
from support.link_harness import LinkHarness, Rng

STOP = messages.request(requests.STOP)
START = messages.request(requests.START)
STATUS = messages.request(requests.STATUS)
OK_STOP = messages.reply(requests.STOP, messages.OK)
DAY_MS = 86_400_000


def backwards(data):
    return bytes(list(reversed(data)))


def executed(link):
    return [message for message, _, _ in link.executed]


def test_a_request_opens_a_connection_and_the_next_one_uses_it():
    link = LinkHarness()
    assert link.ask(STATUS) is not None
    assert [frames.kind_of(f) for _, f in link.heard] == [1, 2, 3, 4]
    assert link.ask(START) == messages.reply(requests.START, messages.OK)
    assert [frames.kind_of(f) for _, f in link.heard][4:] == [3, 4]
    assert link.executed == [(STATUS, roles.PATIENT, 0), (START, roles.PATIENT, 0)]
    assert link.stimulator.connections == 1
    assert link.stimulator.newly_connected == [], "flash knows this pairing and its generation"


@control("C-30")
def test_nothing_of_a_message_is_in_the_air():
    link = LinkHarness()
    marks = bytes(range(100, 116))
    link.reply = lambda message: marks
    link.ask(backwards(marks))
    for _, frame in link.heard:
        for part in (marks[:4], backwards(marks)[:4]):
            assert part not in bytes(frame)


@control("C-30")
def test_every_frame_has_the_same_length():
    link = LinkHarness()
    for size in (1, 15, 16, 17, 100, 248):
        assert link.ask(bytes(size)) is not None
    assert {len(f) for _, f in link.heard} == {32}
    assert {frames.kind_of(f) for _, f in link.heard} == {1, 2, 3, 4}


@control("C-30")
def test_a_counter_is_not_in_the_air():
    """The same requests in two connections: no open byte but kind and slot is the same, nor goes up."""
    link = LinkHarness()
    tokens = []
    for _ in range(2):
        link.start_peer(0)
        link.heard.clear()
        for _ in range(6):
            assert link.ask(STOP) == OK_STOP
        tokens += [bytes(f[2:5]) for _, f in link.heard if frames.kind_of(f) in (3, 4)]
    assert len(tokens) == len(set(tokens)) == 24
    for at in range(3):
        column = [token[at] for token in tokens]
        assert column != sorted(column) and len(set(column)) > 12


def test_long_requests_and_replies_arrive_whole():
    for size in (1, 16, 17, 32, 33, 247, 248):
        link = LinkHarness()
        message = bytes([n & 0xFF for n in range(size)])
        link.reply = lambda received: backwards(received)
        assert link.ask(message) == backwards(message)
        assert executed(link) == [message]


def test_a_message_that_is_too_long_is_refused():
    link = LinkHarness()
    for size in (0, fragments.MAX_BYTES + 1):
        try:
            link.peers[0].begin(bytes(size), 100, 0)
        except ValueError:
            continue
        raise AssertionError("%d bytes were accepted" % size)


def test_the_first_press_after_either_side_restarted_is_executed():
    link = LinkHarness()
    for restart in (link.start_stimulator, lambda: link.start_peer(0)) * 3:
        assert link.ask(START) is not None
        restart()
        began = link.now_ms
        assert link.ask(STOP, limit_ms=STOP_LIMIT_MS) == OK_STOP
        assert link.now_ms - began <= 150
    # The restarted peer's STOP is executed by its HELLO, and once more by its REQUEST.
    assert executed(link) == [START, STOP, START, STOP, STOP] * 3


def test_stop_works_after_months_out_of_contact():
    link = LinkHarness()
    assert link.ask(START) is not None
    for days in (1, 11, 12, 13, 24, 90, 365, 3650):
        # Both boards turn their loops once a second at least; a few of those stand for all.
        for _ in range(20):
            link.now_ms += days * DAY_MS // 20
            link.stimulator.expire(link.now_ms)
        assert link.ask(STOP, limit_ms=STOP_LIMIT_MS) == OK_STOP


def test_a_connection_ends_by_itself_on_both_sides():
    link = LinkHarness()
    link.ask(START)
    link.now_ms += connection.IDLE_MS
    link.stimulator.expire(link.now_ms)
    assert not link.stimulator.connected(link.now_ms)
    link.ask(STOP)
    assert link.stimulator.connections == 2
    for _ in range(connection.LIFE_MS // 30_000 + 2):  # in use all the time
        link.now_ms += 30_000
        link.stimulator.expire(link.now_ms)
        assert link.ask(STOP) == OK_STOP
    assert link.stimulator.connections == 3


def test_a_recorded_frame_of_an_ended_connection_is_dropped_without_a_tick():
    link = LinkHarness()
    link.ask(START)
    peer = link.peers[0]
    peer.begin(STOP, 1000, link.now_ms)
    frame = peer.poll(link.now_ms)  # sealed, kept back by somebody
    link.now_ms += connection.IDLE_MS
    assert link.deliver(frame) is None
    assert executed(link) == [START]


def test_counters_go_to_their_end_and_a_new_connection_follows():
    link = LinkHarness()
    link.ask(START)
    old = link.stimulator._peers[0].connection
    link.peers[0]._connection.counter = connection.LAST_COUNTER - 1
    old.taken(connection.LAST_COUNTER - 2)
    counters = []
    for _ in range(4):
        assert link.ask(STOP) == OK_STOP
        counters.append(link.peers[0].counter)
    assert link.stimulator.connections == 2 and old.counter == connection.LAST_COUNTER + 1
    assert counters == [connection.LAST_COUNTER - 1, connection.LAST_COUNTER, 0, 1]


@control("C-10")
def test_each_lost_frame_is_made_up_for_and_nothing_is_executed_twice():
    for lost in range(8):
        link = LinkHarness()
        count = [0]

        def air(frame, to_stimulator, count=count, lost=lost):
            count[0] += 1
            return [] if count[0] - 1 == lost else [frame]

        link.air = air
        assert link.ask(START) is not None
        assert link.ask(STATUS) is not None
        assert executed(link) == [START, STATUS], lost
        assert link.ask(STOP) == OK_STOP
        assert set(executed(link)[2:]) == {STOP}, lost


def test_a_reply_lost_for_good_and_a_new_connection_execute_once():
    link = LinkHarness()
    link.air = lambda frame, to_stimulator: [] if frames.kind_of(frame) == frames.REPLY else [frame]
    peer = link.peers[0]
    assert link.ask(START) is None
    assert executed(link) == [START]
    assert link.stimulator.connections > 1
    assert link.stimulator.duplicates > 0
    assert peer.state == peer.UNANSWERED


def test_thirty_percent_loss_and_the_time_that_it_takes():
    link = LinkHarness()
    rng = Rng(30)
    link.air = lambda frame, to_stimulator: [frame] if rng.below(100) >= 30 else []
    asked = 0
    for _ in range(200):
        link.now_ms += 1000
        link.heard.clear()
        asked += link.ask(STOP) == OK_STOP
    assert asked == 200
    assert len(executed(link)) >= 200 and set(executed(link)) == {STOP}
    link.executed.clear()
    asked = 0
    for number in range(200):
        link.now_ms += 1000
        link.heard.clear()
        asked += link.ask(START + bytes((number,))) is not None
    assert asked >= 199
    assert executed(link) == [START + bytes((number,)) for number in range(200)]


@control("C-10")
def test_delayed_duplicated_and_reordered_frames_execute_nothing_more():
    link = LinkHarness()
    rng = Rng(5)
    kept = []

    def air(frame, to_stimulator):
        out = [frame]
        if to_stimulator:
            kept.append(frame)
            while rng.below(3) == 0:
                out.append(kept[rng.below(len(kept))])
            out.sort(key=lambda f: f[7:12])
        return out

    link.air = air
    for n in range(60):
        message = messages.request(requests.START, bytes((n,)))
        if link.ask(message) is None:
            continue
        assert executed(link)[-1] == message
    sent = executed(link)
    assert len(sent) == len(set(sent)) >= 55


def test_the_same_frame_again_gets_the_same_answer_so_many_times():
    link = LinkHarness()
    link.ask(START)
    frame = [f for up, f in link.heard if up][-1]
    answer = [f for up, f in link.heard if not up][-1]
    for _ in range(60):  # docs/telemetry.md
        assert link.deliver(frame) is None, "another copy of the same burst"
        link.now_ms += 8
        assert link.deliver(frame) == answer
    link.now_ms += 8
    assert link.deliver(frame) is None
    assert executed(link) == [START]


def test_stop_takes_the_place_of_a_long_request_in_its_middle():
    link = LinkHarness()
    peer = link.peers[0]
    peer.begin(bytes(200), 1000, 0)
    for _ in range(4):
        link.step(0)
    assert link.ask(STOP) == OK_STOP
    assert executed(link) == [STOP]


def test_two_peers_do_not_disturb_each_other():
    link = LinkHarness(((0, roles.PATIENT), (3, roles.CLINICIAN)))
    for n in range(5):
        message = bytes((1, n)) * 20
        link.peers[3].begin(message, 1000, link.now_ms)
        for _ in range(2):
            link.step(3)
        assert link.ask(STOP, slot=0) == OK_STOP
        while link.peers[3].state == link.peers[3].WAITING:
            link.step(3)
            link.now_ms += 1
        assert link.executed[-2:] == [(STOP, roles.PATIENT, 0), (message, roles.CLINICIAN, 3)]


def test_a_stimulator_restarted_while_it_is_asked():
    """At each frame of a request of 3 pieces with a reply of 3: it begins again, and is answered whole."""
    for at in range(1, 15):
        link = LinkHarness()
        link.reply = lambda message: backwards(message)
        count = [0]

        def air(frame, to_stimulator, count=count, at=at, link=link):
            count[0] += 1
            if count[0] == at:
                link.start_stimulator()
            return [frame]

        link.air = air
        message = bytes(range(40))
        assert link.ask(message, limit_ms=1000) == backwards(message), at
        assert set(executed(link)) == {message}
        assert link.ask(STOP) == STOP


def test_pieces_of_an_old_connection_are_no_part_of_what_a_new_one_sends():
    """Piece 0 and 1 in one connection; in the next one the same request goes on with piece 2."""
    link = LinkHarness()
    peer = link.peers[0]
    assert link.ask(STATUS) is not None
    message = bytes(range(40))
    old = peer._connection
    for number in (0, 1):
        link.deliver(old.seal(frames.REQUEST, old.counter + number, fragments.cut(9, message, number)))
    link.executed.clear()
    peer._connection = None
    peer.begin(STATUS, 1000, link.now_ms)
    link.step(0)
    new = peer._connection
    answer = link.deliver(new.seal(frames.REQUEST, 0, fragments.cut(9, message, 2)))
    assert link.executed == [] and new.open(frames.REPLY, 0, answer)[3:5] == b"\x80\x04"


def test_an_execution_that_fails_is_not_answered_with_an_older_reply():
    link = LinkHarness()
    link.ask(START)

    def fail(message):
        raise RuntimeError("x")

    link.reply = fail
    peer = link.peers[0]
    peer.begin(STOP, 1000, link.now_ms)
    frame = peer.poll(link.now_ms)
    try:
        link.deliver(frame)
    except RuntimeError:
        pass
    assert link.deliver(frame) is None


def test_a_forgotten_peer_is_not_answered():
    link = LinkHarness()
    link.ask(START)
    link.table.pairings.clear()
    link.stimulator.forget(0)
    assert link.ask(STOP) is None
    assert executed(link) == [START]


def kinds(link, first=0):
    return [(up, frames.kind_of(frame)) for up, frame in link.heard[first:]]


def test_a_late_reply_is_taken_although_a_hello_is_under_way():
    link = LinkHarness()
    link.ask(START)
    first, late = len(link.heard), []

    def air(frame, to_stimulator):
        if not to_stimulator and frames.kind_of(frame) == frames.REPLY:
            late.append(frame)
            return []
        return [frame] if frames.kind_of(frame) == frames.REQUEST else []

    link.air = air
    peer = link.peers[0]
    peer.begin(STOP, 1000, link.now_ms)
    while len(kinds(link, first)) < 3:
        link.step(0)
        link.now_ms += 1
    assert kinds(link, first) == [(True, frames.REQUEST), (False, frames.REPLY), (True, frames.HELLO)]
    assert peer.state == peer.WAITING
    peer.on_frame(late[0], link.now_ms)
    assert peer.state == peer.ANSWERED and peer.reply == OK_STOP
    link.air = lambda frame, to_stimulator: [frame]
    assert link.ask(STOP) == OK_STOP and link.stimulator.connections == 1


def test_the_copies_of_a_burst_are_answered_once():
    link = LinkHarness()
    link.copies = 3
    link.reply = lambda message: bytes(40)
    for message in (START, bytes(40), STOP):
        assert link.ask(message) == bytes(40)
    ups = [f for up, f in link.heard if up]
    assert len([f for up, f in link.heard if not up]) == len(ups) == len(set(ups))
    assert executed(link) == [START, bytes(40), STOP] and link.stimulator.replayed == 0
    # Repeated later, each burst is answered once again.
    for _ in range(5):
        link.now_ms += 20
        assert [link.deliver(ups[-1]) is None for _ in range(3)] == [False, True, True]


def test_a_peer_that_was_restarted_stops_by_its_hello_alone():
    link = LinkHarness()
    assert link.ask(START) is not None
    link.start_peer(0)
    link.air = lambda frame, to_stimulator: [frame] if frames.kind_of(frame) == frames.HELLO else []
    assert link.ask(STOP, limit_ms=STOP_LIMIT_MS) is None
    assert executed(link) == [START, STOP]
