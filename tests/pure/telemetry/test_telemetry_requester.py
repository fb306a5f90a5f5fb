"""The peer's end alone: its times to the millisecond, and what it accepts as an answer."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import connection, fragments, frames, requester
from stimfw.telemetry.requester import Requester
from support.link_harness import LinkHarness, Rng, key_of

STOP = messages.request(requests.STOP)
SLOT = 3


def fresh(count=0, slot=SLOT):
    return Requester(slot, roles.PATIENT, key_of(slot), 1, Rng(7).take, count)


def connected():
    """Ends whose peer in SLOT has had an answer, the peer, and the stimulator's end of the connection."""
    ends = LinkHarness(((SLOT, roles.PATIENT),))
    assert ends.ask(STOP, SLOT) is not None
    return ends, ends.peers[SLOT], ends.stimulator._peers[SLOT].connection


def asking(message=STOP):
    """The same with a request under way; its counter is the third result's last one."""
    ends, peer, link = connected()
    peer.begin(message, 1000, ends.now_ms)
    peer.poll(ends.now_ms)
    peer.sent(True, ends.now_ms)
    return ends, peer, link


def say(peer, now_ms):
    """The frame that is due; it arrives."""
    frame = peer.poll(now_ms)
    peer.sent(True, now_ms)
    return frame


def counts(peer):
    return peer.frames, peer.bad, peer.stray


def reply(peer, link, data=b"\x84\x00", request_id=None, flags=fragments.LAST):
    """An authentic REPLY to what waits."""
    plain = fragments.piece(peer._id if request_id is None else request_id, flags, data)
    return link.seal(frames.REPLY, peer.counter, plain)


def test_nothing_is_asked_at_first():
    peer = fresh()
    assert peer.state == Requester.IDLE and peer.reply == b"" and counts(peer) == (0, 0, 0)
    assert peer.wait_ms(0) == -1 and peer.poll(0) is None and peer.poll(5000) is None
    assert peer.state == Requester.IDLE
    states = (Requester.IDLE, Requester.WAITING, Requester.ANSWERED, Requester.UNANSWERED)
    assert states == (0, 1, 2, 3)


def test_hellos_are_counted_from_one_to_the_last_number():
    peer = fresh()
    peer.begin(STOP, 1000, 0)
    assert peer.poll(0)[6:10] == b"\x01\0\0\0" and peer.count == 1
    assert Requester(SLOT, roles.PATIENT, key_of(SLOT), 1, Rng(7).take).count == 0
    peer = fresh(0xFFFFFFFE)
    peer.begin(STOP, 1000, 0)
    last = say(peer, 0)
    assert last[6:10] == b"\xff" * 4 and say(peer, 30) == last
    peer = fresh(0xFFFFFFFF)
    peer.begin(STOP, 1000, 0)
    assert peer.state == Requester.UNANSWERED and peer.poll(0) is None


def test_the_times_of_a_hello():
    peer = fresh()
    peer.begin(STOP, 1000, 100)
    assert peer.wait_ms(100) == 0
    first = peer.poll(100)
    assert peer.wait_ms(100) == 200 and peer.wait_ms(130) == 170 and peer.poll(130) is None
    peer.sent(True, 110)
    assert peer.wait_ms(110) == 30 and peer.wait_ms(120) == 20 and peer.wait_ms(139) == 1
    assert peer.poll(139) is None
    assert peer.poll(140) is not None and peer.count == 1
    peer.sent(False, 150)
    assert peer.wait_ms(150) == 0 and peer.poll(150) == first


def test_a_frame_whose_fate_is_never_told_goes_out_again_after_200_milliseconds():
    peer = fresh()
    peer.begin(STOP, 1000, 0)
    first = peer.poll(0)
    assert peer.poll(199) is None and peer.wait_ms(199) == 1
    assert peer.poll(200) == first


def test_the_times_of_a_request():
    ends, peer, _ = asking()
    now_ms = ends.now_ms
    assert [peer.wait_ms(now_ms + later_ms) for later_ms in (0, 4, 14, 15, 500)] == [15, 11, 1, 0, 0]
    assert peer.poll(now_ms + 14) is None
    assert frames.kind_of(peer.poll(now_ms + 15)) == frames.HELLO


def test_a_request_ends_with_its_limit():
    for late_ms in (1000, 1001, 5000):
        peer = fresh()
        peer.begin(STOP, 1000, 50)
        peer.poll(50)
        peer.sent(True, 1040)
        assert peer.wait_ms(1045) == 5 and peer.wait_ms(1049) == 1 and peer.poll(1049) is None
        assert peer.state == Requester.WAITING
        assert peer.wait_ms(50 + late_ms) == 0
        assert peer.poll(50 + late_ms) is None and peer.state == Requester.UNANSWERED
        assert peer.wait_ms(50 + late_ms) == -1


def test_the_answer_stays_when_the_limit_has_passed():
    _, peer, _ = connected()
    assert peer.state == Requester.ANSWERED
    answer = peer.reply
    peer.expire(1 << 20)
    assert peer.state == Requester.ANSWERED and peer.reply == answer


def test_a_connection_is_left_five_seconds_before_its_end():
    for quiet_ms, kind in ((54_999, frames.REQUEST), (55_000, frames.HELLO)):
        ends, peer, link = connected()
        heard_ms = ends.now_ms - peer._connection.silent_ms(ends.now_ms)
        peer.begin(STOP, 1000, heard_ms + quiet_ms)
        assert frames.kind_of(peer.poll(heard_ms + quiet_ms)) == kind, quiet_ms


def test_a_connection_is_doubted_after_a_second_of_silence():
    for quiet_ms, kind in ((999, frames.REQUEST), (1000, frames.HELLO)):
        ends, peer, _ = connected()
        heard_ms = ends.now_ms - peer._connection.silent_ms(ends.now_ms)
        peer.begin(STOP, 1000, heard_ms + quiet_ms)
        peer.poll(heard_ms + quiet_ms)
        peer.sent(False, heard_ms + quiet_ms)
        assert frames.kind_of(peer.poll(heard_ms + quiet_ms)) == kind, quiet_ms


def test_frames_of_other_slots_and_kinds_are_bad():
    _, peer, link = asking()
    answer = bytearray(reply(peer, link))
    before = counts(peer)
    for slot in (0, SLOT - 1, SLOT + 1, 255):
        peer.on_frame(bytes(answer[:1]) + bytes((slot,)) + bytes(answer[2:]), 0)
    for first, length in ((0x21, 26), (0x23, 32), (0x25, 32), (0x26, 32)):
        peer.on_frame(bytes((first, SLOT)) + bytes(length - 2), 0)
    peer.on_frame(b"", 0)
    assert counts(peer) == (before[0] + 9, before[1] + 9, before[2]) and peer.state == Requester.WAITING


def test_whatever_comes_when_nothing_waits_is_stray():
    ends, peer, link = asking()
    good = reply(peer, link)
    peer.on_frame(good, ends.now_ms)
    assert peer.state == Requester.ANSWERED and peer.reply == b"\x84\x00"
    before = counts(peer)
    peer.on_frame(good, ends.now_ms)
    peer.state = Requester.UNANSWERED
    peer.on_frame(good, ends.now_ms)
    peer.state = Requester.IDLE
    peer.on_frame(good, ends.now_ms)
    assert counts(peer) == (before[0] + 3, before[1], before[2] + 3)
    assert peer.state == Requester.IDLE


def test_frames_of_other_slots_are_bad_whether_something_waits_or_not():
    ends, peer, link = asking()
    good = reply(peer, link)
    peer.on_frame(good, ends.now_ms)
    before = counts(peer)
    for slot in (SLOT - 1, SLOT + 1):
        peer.on_frame(good[:1] + bytes((slot,)) + good[2:], ends.now_ms)
    assert counts(peer) == (before[0] + 2, before[1] + 2, before[2])


def test_a_reply_that_comes_too_late_is_stray():
    ends, peer, link = asking()
    good = reply(peer, link)
    before = counts(peer)
    peer.poll(ends.now_ms + 1000)
    peer.on_frame(good, ends.now_ms + 1000)
    assert peer.state == Requester.UNANSWERED and counts(peer) == (before[0] + 1, before[1], before[2] + 1)
    peer.state = Requester.IDLE
    peer.on_frame(good, ends.now_ms + 1000)
    assert peer.state == Requester.IDLE and counts(peer) == (before[0] + 2, before[1], before[2] + 2)


def test_counters_that_end_inside_a_request_begin_it_again_in_another_connection():
    ends, peer, link = connected()
    peer._connection.counter = connection.LAST_COUNTER
    peer.begin(bytes(40), 1000, ends.now_ms)
    assert say(peer, ends.now_ms)[3:5] == b"\xff\xff"
    peer.on_frame(reply(peer, link, b"", flags=0), ends.now_ms)
    assert frames.kind_of(peer.poll(ends.now_ms)) == frames.HELLO


def test_a_reply_of_another_connection_or_counter_is_stray():
    ends, peer, link = asking()
    good = reply(peer, link)
    before = counts(peer)
    others = []
    for number in (link.number - 1, link.number + 1):
        others.append(good[:2] + bytes((number & 0xFF,)) + good[3:])
    for counter in (peer.counter - 1, peer.counter + 1):
        others.append(good[:3] + counter.to_bytes(2, "little") + good[5:])
    for other in others:
        peer.on_frame(other, ends.now_ms)
    assert counts(peer) == (before[0] + 4, before[1], before[2] + 4) and peer.state == Requester.WAITING
    peer.on_frame(good, ends.now_ms)
    assert peer.state == Requester.ANSWERED


def test_a_forged_reply_is_bad_and_the_genuine_one_is_still_awaited():
    ends, peer, link = asking()
    good = reply(peer, link)
    before = counts(peer)
    for at in (5, 20, 31):
        forged = bytearray(good)
        forged[at] ^= 1
        peer.on_frame(bytes(forged), ends.now_ms)
    assert counts(peer) == (before[0] + 3, before[1] + 3, before[2]) and peer.state == Requester.WAITING
    peer.on_frame(good, ends.now_ms)
    assert peer.state == Requester.ANSWERED


def test_a_reply_to_another_request_is_stray():
    for step in (-1, 1):
        ends, peer, link = asking()
        before = counts(peer)
        peer.on_frame(reply(peer, link, request_id=peer._id + step), ends.now_ms)
        assert counts(peer) == (before[0] + 1, before[1], before[2] + 1)
        assert peer.state == Requester.WAITING and peer.reply == b""


def test_challenges_that_are_forged_or_not_asked_for_are_counted():
    ends = LinkHarness(((SLOT, roles.PATIENT),))
    peer = ends.peers[SLOT]
    peer.begin(STOP, 1000, 0)
    challenge = ends.deliver(say(peer, 0))
    forged = challenge[:-1] + bytes((challenge[-1] ^ 1,))
    peer.on_frame(forged, 0)
    assert counts(peer) == (1, 1, 0)
    peer.on_frame(challenge, 0)
    assert counts(peer) == (2, 1, 0) and frames.kind_of(peer.poll(0)) == frames.REQUEST
    peer.on_frame(challenge, 0)
    assert counts(peer) == (3, 1, 1)


def test_the_same_piece_of_a_reply_counts_once():
    for asked in (STOP, bytes(range(40))):
        ends, peer, link = asking(asked)
        while peer._piece + 1 < fragments.count(asked):
            peer.on_frame(reply(peer, link, b"", flags=peer._piece), ends.now_ms)
            say(peer, ends.now_ms)
        first = reply(peer, link, b"a" * 16, flags=0)
        peer.on_frame(first, ends.now_ms)
        before = counts(peer)
        peer.on_frame(first, ends.now_ms)
        assert counts(peer) == (before[0] + 1, before[1], before[2] + 1)
        assert frames.kind_of(peer.poll(ends.now_ms)) == frames.REQUEST
        peer.on_frame(reply(peer, link, b"b", flags=fragments.LAST | 1), ends.now_ms)
        assert peer.reply == b"a" * 16 + b"b"


def test_pieces_of_a_reply_are_asked_for_one_after_the_other():
    ends, peer, link = asking()
    for number in range(3):
        peer.on_frame(reply(peer, link, bytes((number,)) * 16, flags=number), ends.now_ms)
        frame = say(peer, ends.now_ms)
        assert link.open(frames.REQUEST, frame) == fragments.piece(peer._id, 0x40 | number + 1, b"")


def test_a_reply_that_never_ends_is_cut_off_behind_248_bytes():
    ends, peer, link = asking()
    for number, size in [(n, 16) for n in range(15)] + [(15, 8)]:
        peer.on_frame(reply(peer, link, bytes(size), flags=number), ends.now_ms)
        say(peer, ends.now_ms)
    assert peer.state == Requester.WAITING
    peer.on_frame(reply(peer, link, b"x", flags=16), ends.now_ms)
    assert peer.state == Requester.ANSWERED and len(peer.reply) == 249


def test_a_refusal_in_the_middle_of_a_request_is_its_answer():
    ends, peer, link = asking(bytes(range(40)))
    peer.on_frame(reply(peer, link, b"\x80\x04"), ends.now_ms)
    assert peer.state == Requester.ANSWERED and peer.reply == b"\x80\x04"


def test_a_message_of_a_wrong_size_is_told_in_words():
    for size in (0, 249):
        try:
            fresh().begin(bytes(size), 1000, 0)
        except ValueError as error:
            assert str(error) == "message of %d bytes, 1 to 248 fit" % size
        else:
            assert False, "taken"  # noqa: B011


def test_a_connection_whose_counters_are_used_up_is_left():
    ends, peer, _ = connected()
    peer._connection.counter = connection.LAST_COUNTER + 1
    peer.begin(STOP, 1000, ends.now_ms)
    assert frames.kind_of(peer.poll(ends.now_ms)) == frames.HELLO
    assert requester.LAST_COUNTER == 0xFFFF
