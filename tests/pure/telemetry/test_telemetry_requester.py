"""The peer's end alone: what it accepts as an answer, and what it makes of it."""

from stimfw.protocol import roles
from stimfw.telemetry import connection, fragments, frames, requester
from stimfw.telemetry.requester import Requester
from support.link_harness import LinkHarness, Rng
from support.requester_rig import SLOT, STOP, asking, connected, counts, fresh, reply, say


def test_nothing_is_asked_at_first():
    peer = fresh()
    assert peer.state == Requester.IDLE and peer.reply == b"" and counts(peer) == (0, 0, 0)
    assert peer.wait_ms(0) == -1 and peer.poll(0) is None and peer.poll(5000) is None
    assert peer.state == Requester.IDLE
    states = (Requester.IDLE, Requester.WAITING, Requester.ANSWERED, Requester.UNANSWERED)
    assert states == (0, 1, 2, 3)


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


def test_frames_of_other_slots_and_kinds_are_bad():
    _, peer, link = asking()
    answer = bytearray(reply(peer, link))
    before = counts(peer)
    for slot in (0, SLOT - 1, SLOT + 1, 255):
        peer.on_frame(bytes(answer[:1]) + bytes((slot,)) + bytes(answer[2:]), 0)
    for first in (0x31, 0x33, 0x35, 0x36, 0x24, 0x44):
        peer.on_frame(bytes((first, SLOT)) + bytes(30), 0)
    peer.on_frame(b"", 0)
    peer.on_frame(bytes(answer[:31]), 0)
    assert counts(peer) == (before[0] + 12, before[1] + 12, before[2]) and peer.state == Requester.WAITING


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
    say(peer, ends.now_ms)
    assert peer.counter == 0xFFFF
    peer.on_frame(reply(peer, link, b"", flags=0), ends.now_ms)
    assert frames.kind_of(peer.poll(ends.now_ms)) == frames.HELLO


def test_a_reply_with_another_token_is_stray():
    ends, peer, link = asking()
    good = reply(peer, link)
    before = counts(peer)
    others = [bytes(good[:at]) + bytes((good[at] ^ 1,)) + bytes(good[at + 1 :]) for at in (2, 3, 4)]
    for counter in (peer.counter - 1, peer.counter + 1):
        others.append(link.seal(frames.REPLY, counter, good[5:24]))
    for other in others:
        peer.on_frame(other, ends.now_ms)
    assert counts(peer) == (before[0] + 5, before[1], before[2] + 5) and peer.state == Requester.WAITING
    peer.on_frame(good, ends.now_ms)
    assert peer.state == Requester.ANSWERED


def test_its_own_frames_thrown_back_are_no_answers():
    """A HELLO as a CHALLENGE, a REQUEST as a REPLY: with the first byte of what is awaited."""
    ends, peer, link = connected()
    peer.begin(STOP, 1000, ends.now_ms)
    request = say(peer, ends.now_ms)
    hello = say(peer, ends.now_ms + 20)
    assert (frames.kind_of(request), frames.kind_of(hello)) == (frames.REQUEST, frames.HELLO)
    before = counts(peer)
    peer.on_frame(b"\x34" + request[1:], ends.now_ms)
    token = peer._connection.token(frames.REPLY, peer.counter)
    peer.on_frame(b"\x34" + request[1:2] + token + request[5:], ends.now_ms)
    peer.on_frame(b"\x32" + hello[1:], ends.now_ms)
    peer.on_frame(b"\x32" + hello[1:2] + b"\0\0" + hello[4:], ends.now_ms)
    assert peer.state == Requester.WAITING and peer._hello == hello
    assert counts(peer) == (before[0] + 4, before[1] + 3, before[2] + 1)


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
    for at in (2, 3):
        peer.on_frame(challenge[:at] + b"\x01" + challenge[at + 1 :], 0)
    assert counts(peer) == (3, 3, 0), "spare bytes are zero"
    peer.frames, peer.bad = 1, 1
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
        assert link.open(frames.REQUEST, peer.counter, frame) == fragments.piece(
            peer._id, 0x40 | number + 1, b""
        )


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


def test_no_counter_is_used_for_two_frames():
    """Requests that are given up, begun again and answered late: each new plaintext takes a new counter."""
    ends, peer, link = connected()
    rng, seen = Rng(11), {}
    for turn in range(300):
        peer.begin(bytes((3, turn & 0xFF)), 1000, ends.now_ms)
        for _ in range(rng.below(4)):
            frame = peer.poll(ends.now_ms)
            peer.sent(rng.below(2) == 0, ends.now_ms)
            if frame is not None and frames.kind_of(frame) == frames.REQUEST:
                assert seen.setdefault(peer.counter, frame) == frame
                if rng.below(3) == 0:
                    peer.on_frame(reply(peer, link), ends.now_ms)
            ends.now_ms += 20
    assert len(seen) > 150 and len(set(seen.values())) == len(seen)


def test_a_generation_is_confirmed_by_a_reply_and_not_by_a_challenge():
    """A CHALLENGE does not tell that the stimulator has taken the generation over: it waits for a REQUEST."""
    ends = LinkHarness(((SLOT, roles.PATIENT),))
    peer = ends.peers[SLOT]
    assert not peer.confirmed
    ends.air = lambda frame, up: [frame] if frames.kind_of(frame) != frames.REQUEST else []
    assert ends.ask(STOP, SLOT) is None and not peer.confirmed
    assert frames.CHALLENGE in [frames.kind_of(frame) for _, frame in ends.heard]
    ends.air = lambda frame, up: [frame]
    assert ends.ask(STOP, SLOT) is not None and peer.confirmed
