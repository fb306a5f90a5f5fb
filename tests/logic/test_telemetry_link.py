"""Requester and Responder over an air of our own: delivered, once, after whatever happened."""

from stimfw.logic import messages
from stimfw.telemetry import channel, fragments, frames, roles
from stimfw.telemetry.requester import STOP_LIMIT_MS
from support.radio_pair import Desk, Dice

STOP = messages.request(messages.STOP)
START = messages.request(messages.START)
OK_STOP = messages.reply(messages.STOP, messages.OK)
DAY_MS = 86_400_000


def backwards(data):
    return bytes(list(reversed(data)))


def executed(desk):
    return [message for message, _, _ in desk.executed]


def test_a_request_opens_a_connection_and_the_next_one_uses_it():
    desk = Desk()
    assert desk.ask(STOP) == OK_STOP
    assert [frames.kind_of(f) for _, f in desk.heard] == [1, 2, 3, 4]
    assert desk.ask(START) == messages.reply(messages.START, messages.OK)
    assert [frames.kind_of(f) for _, f in desk.heard][4:] == [3, 4]
    assert desk.executed == [(STOP, roles.PATIENT, 0), (START, roles.PATIENT, 0)]
    assert desk.stimulator.connections == 1
    assert desk.stimulator.settled == [0]


def test_nothing_of_a_message_is_in_the_air():
    desk = Desk()
    marks = bytes(range(100, 116))
    desk.reply = lambda message: marks
    desk.ask(backwards(marks))
    for _, frame in desk.heard:
        for part in (marks[:4], backwards(marks)[:4]):
            assert part not in bytes(frame)


def test_every_frame_has_one_of_two_lengths():
    desk = Desk()
    for size in (1, 15, 16, 17, 100, 248):
        assert desk.ask(bytes(size)) is not None
    assert {len(f) for _, f in desk.heard} == {26, 32}


def test_long_requests_and_replies_arrive_whole():
    for size in (1, 16, 17, 32, 33, 247, 248):
        desk = Desk()
        message = bytes([n & 0xFF for n in range(size)])
        desk.reply = lambda received: backwards(received)
        assert desk.ask(message) == backwards(message)
        assert executed(desk) == [message]


def test_a_message_that_is_too_long_is_refused():
    desk = Desk()
    for size in (0, fragments.MAX_BYTES + 1):
        try:
            desk.peers[0].begin(bytes(size), 100, 0)
        except ValueError:
            continue
        raise AssertionError("%d bytes were accepted" % size)


def test_the_first_press_after_either_side_restarted_is_executed():
    desk = Desk()
    for restart in (desk.start_stimulator, lambda: desk.start_peer(0)) * 3:
        assert desk.ask(START) is not None
        restart()
        began = desk.now_ms
        assert desk.ask(STOP, limit_ms=STOP_LIMIT_MS) == OK_STOP
        assert desk.now_ms - began <= 150
    assert executed(desk) == [START, STOP] * 6


def test_stop_works_after_months_out_of_contact():
    desk = Desk()
    assert desk.ask(START) is not None
    for days in (1, 11, 12, 13, 24, 90, 365, 3650):
        # Both boards turn their loops once a second at least; a few of those stand for all.
        for _ in range(20):
            desk.now_ms += days * DAY_MS // 20
            desk.stimulator.tick(desk.now_ms)
        assert desk.ask(STOP, limit_ms=STOP_LIMIT_MS) == OK_STOP


def test_a_connection_ends_by_itself_on_both_sides():
    desk = Desk()
    desk.ask(START)
    desk.now_ms += channel.IDLE_MS
    desk.stimulator.tick(desk.now_ms)
    assert not desk.stimulator.in_contact(desk.now_ms)
    desk.ask(STOP)
    assert desk.stimulator.connections == 2
    for _ in range(channel.LIFE_MS // 30_000 + 2):  # in use all the time
        desk.now_ms += 30_000
        desk.stimulator.tick(desk.now_ms)
        assert desk.ask(STOP) == OK_STOP
    assert desk.stimulator.connections == 3


def test_a_recorded_frame_of_an_ended_connection_is_dropped_without_a_tick():
    desk = Desk()
    desk.ask(START)
    peer = desk.peers[0]
    peer.begin(STOP, 1000, desk.now_ms)
    frame = peer.poll(desk.now_ms)  # sealed, kept back by somebody
    desk.now_ms += channel.IDLE_MS
    assert desk.deliver(frame) is None
    assert executed(desk) == [START]


def test_counters_go_to_their_end_and_a_new_connection_follows():
    desk = Desk()
    desk.ask(START)
    desk.peers[0]._connection.counter = channel.LAST_COUNTER - 1
    desk.stimulator._peers[0].connection.counter = channel.LAST_COUNTER - 1
    for _ in range(4):
        assert desk.ask(STOP) == OK_STOP
    assert desk.stimulator.connections == 2
    counters = [f[3] | f[4] << 8 for up, f in desk.heard if up and frames.kind_of(f) == frames.REQUEST]
    assert counters == [0, channel.LAST_COUNTER - 1, channel.LAST_COUNTER, 0, 1]


def test_each_lost_frame_is_made_up_for_and_nothing_is_executed_twice():
    for lost in range(8):
        desk = Desk()
        count = [0]

        def air(frame, to_stimulator, count=count, lost=lost):
            count[0] += 1
            return [] if count[0] - 1 == lost else [frame]

        desk.air = air
        assert desk.ask(START) is not None
        assert desk.ask(STOP) == OK_STOP
        assert executed(desk) == [START, STOP], lost


def test_a_reply_lost_for_good_and_a_new_connection_execute_once():
    desk = Desk()
    desk.air = lambda frame, to_stimulator: [] if frames.kind_of(frame) == frames.REPLY else [frame]
    peer = desk.peers[0]
    assert desk.ask(START) is None
    assert executed(desk) == [START]
    assert desk.stimulator.connections > 1
    assert desk.stimulator.duplicates > 0
    assert peer.state == peer.UNANSWERED


def test_thirty_percent_loss_and_the_time_that_it_takes():
    desk = Desk()
    dice = Dice(30)
    desk.air = lambda frame, to_stimulator: [frame] if dice.below(100) >= 30 else []
    asked = 0
    for _ in range(200):
        desk.now_ms += 1000
        asked += desk.ask(STOP) == OK_STOP
    assert asked == 200
    assert executed(desk) == [STOP] * 200


def test_delayed_duplicated_and_reordered_frames_execute_nothing_more():
    desk = Desk()
    dice = Dice(5)
    kept = []

    def air(frame, to_stimulator):
        out = [frame]
        if to_stimulator:
            kept.append(frame)
            while dice.below(3) == 0:
                out.append(kept[dice.below(len(kept))])
            out.sort(key=lambda f: f[7:12])
        return out

    desk.air = air
    for n in range(60):
        message = messages.request(messages.START, bytes((n,)))
        if desk.ask(message) is None:
            continue
        assert executed(desk)[-1] == message
    sent = executed(desk)
    assert len(sent) == len(set(sent)) >= 55


def test_the_same_frame_again_gets_the_same_answer_so_many_times():
    desk = Desk()
    desk.ask(START)
    frame = [f for up, f in desk.heard if up][-1]
    answer = [f for up, f in desk.heard if not up][-1]
    for _ in range(60):  # docs/telemetry.md
        assert desk.deliver(frame) == answer
    assert desk.deliver(frame) is None
    assert executed(desk) == [START]


def test_stop_takes_the_place_of_a_long_request_in_its_middle():
    desk = Desk()
    peer = desk.peers[0]
    peer.begin(bytes(200), 1000, 0)
    for _ in range(4):
        desk.step(0)
    assert desk.ask(STOP) == OK_STOP
    assert executed(desk) == [STOP]


def test_two_peers_do_not_disturb_each_other():
    desk = Desk(((0, roles.PATIENT), (3, roles.CLINICIAN)))
    for n in range(5):
        message = bytes((1, n)) * 20
        desk.peers[3].begin(message, 1000, desk.now_ms)
        for _ in range(2):
            desk.step(3)
        assert desk.ask(STOP, slot=0) == OK_STOP
        while desk.peers[3].state == desk.peers[3].WAITING:
            desk.step(3)
            desk.now_ms += 1
        assert desk.executed[-2:] == [(STOP, roles.PATIENT, 0), (message, roles.CLINICIAN, 3)]


def test_a_stimulator_restarted_while_it_is_asked():
    for at in range(1, 7):
        desk = Desk()
        count = [0]

        def air(frame, to_stimulator, count=count, at=at, desk=desk):
            count[0] += 1
            if count[0] == at:
                desk.start_stimulator()
            return [frame]

        desk.air = air
        assert desk.ask(bytes(range(40)), limit_ms=1000) is not None
        assert desk.ask(STOP) == OK_STOP


def test_an_execution_that_fails_is_not_answered_with_an_older_reply():
    desk = Desk()
    desk.ask(START)

    def fail(message):
        raise RuntimeError("x")

    desk.reply = fail
    peer = desk.peers[0]
    peer.begin(STOP, 1000, desk.now_ms)
    frame = peer.poll(desk.now_ms)
    try:
        desk.deliver(frame)
    except RuntimeError:
        pass
    assert desk.deliver(frame) is None


def test_a_forgotten_peer_is_not_answered():
    desk = Desk()
    desk.ask(START)
    desk.table.pairings.clear()
    desk.stimulator.forget(0)
    assert desk.ask(STOP) is None
    assert executed(desk) == [START]


def kinds(desk, first=0):
    return [(up, frames.kind_of(frame)) for up, frame in desk.heard[first:]]


def test_a_late_reply_is_taken_although_a_hello_is_under_way():
    desk = Desk()
    desk.ask(START)
    first, late = len(desk.heard), []

    def air(frame, to_stimulator):
        if not to_stimulator and frames.kind_of(frame) == frames.REPLY:
            late.append(frame)
            return []
        return [frame] if frames.kind_of(frame) == frames.REQUEST else []

    desk.air = air
    peer = desk.peers[0]
    peer.begin(STOP, 1000, desk.now_ms)
    while len(kinds(desk, first)) < 3:
        desk.step(0)
        desk.now_ms += 1
    assert kinds(desk, first) == [(True, frames.REQUEST), (False, frames.REPLY), (True, frames.HELLO)]
    assert peer.state == peer.WAITING
    peer.on_frame(late[0], desk.now_ms)
    assert peer.state == peer.ANSWERED and peer.reply == OK_STOP
    desk.air = lambda frame, to_stimulator: [frame]
    assert desk.ask(STOP) == OK_STOP and desk.stimulator.connections == 1


def test_a_hello_takes_the_place_of_a_request_that_does_not_arrive_after_silence():
    for silence_ms, kind in ((100, frames.REQUEST), (2000, frames.HELLO)):
        desk = Desk()
        desk.ask(START)
        desk.now_ms += silence_ms
        first = len(desk.heard)
        desk.air = lambda frame, to_stimulator: []
        desk.peers[0].begin(STOP, 1000, desk.now_ms)
        desk.step(0)
        desk.step(0)
        assert kinds(desk, first) == [(True, frames.REQUEST), (True, kind)], silence_ms
        desk.air = lambda frame, to_stimulator: [frame]
        while desk.peers[0].state == desk.peers[0].WAITING:
            desk.step(0)
            desk.now_ms += 1
        assert desk.peers[0].reply == OK_STOP
