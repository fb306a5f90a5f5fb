"""The link: answered once, executed once, whatever the air does. Time is a number here."""

from stimfw.logic import link, radio_frame
from stimfw.logic.link import TIMEOUT_MS, WINDOW, Requester, Responder
from stimfw.logic.radio_frame import HELLO, NUMBER, REPLY, REQUEST


class Stimulator:
    """A responder whose application notes what it executes."""

    def __init__(self, first_number=0):
        self.executed = []
        self.end = Responder(radio_frame, self.execute, first_number)

    def execute(self, message):
        self.executed.append(message)
        return b"R" + message + bytes((len(self.executed),))

    def take(self, number, message, kind=REQUEST):
        return self.end.on_frame(radio_frame.encode(kind, number, message), 0)


def carry(frame, stimulator, remote, now_ms=0):
    """A perfect air: to and fro until nobody has anything to say."""
    for _ in range(5):
        back = frame and stimulator.end.on_frame(frame, now_ms)
        if back:
            remote.on_frame(back, now_ms)
        frame = remote.poll(now_ms)
        if not frame:
            return
    raise AssertionError("they go on for ever")


def in_step():
    """Two ends that have talked before."""
    remote, stimulator = Requester(radio_frame, 700), Stimulator(300)
    carry(remote.begin(b"first", 3, 0), stimulator, remote)
    assert stimulator.executed == [b"first"]
    stimulator.executed.clear()
    return remote, stimulator


def test_a_request_is_answered():
    remote, stimulator = in_step()
    request = remote.begin(b"S", 3, 0)
    assert remote.state == Requester.WAITING
    remote.on_frame(stimulator.end.on_frame(request, 1), 2)
    assert remote.state == Requester.ANSWERED and remote.reply == b"RS\x01"
    assert remote.poll(1000) is None and remote.wait_ms(1000) == -1


def test_an_unanswered_request_is_repeated_and_then_given_up():
    remote, _ = in_step()
    request = remote.begin(b"S", 3, 0)
    assert remote.poll(TIMEOUT_MS - 1) is None and remote.wait_ms(TIMEOUT_MS - 1) == 1
    assert remote.poll(TIMEOUT_MS) == request
    assert remote.poll(TIMEOUT_MS) is None
    assert remote.poll(2 * TIMEOUT_MS) == request
    assert remote.poll(3 * TIMEOUT_MS) is None
    assert remote.state == Requester.UNANSWERED


def test_a_lost_reply_does_not_execute_twice():
    remote, stimulator = in_step()
    first = stimulator.end.on_frame(remote.begin(b"START", 3, 0), 1)
    again = stimulator.end.on_frame(remote.poll(TIMEOUT_MS), TIMEOUT_MS + 1)
    assert first == again
    assert stimulator.executed == [b"START"] and stimulator.end.duplicates == 1


def test_a_new_request_takes_the_place_of_the_old_one():
    remote, stimulator = in_step()
    late = stimulator.end.on_frame(remote.begin(b"START", 3, 0), 1)
    stop = remote.begin(b"STOP", 3, 2)
    remote.on_frame(late, 3)
    assert remote.state == Requester.WAITING and remote.stray == 1
    remote.on_frame(stimulator.end.on_frame(stop, 4), 5)
    assert remote.state == Requester.ANSWERED


def test_a_start_that_comes_after_its_stop_is_not_executed():
    remote, stimulator = in_step()
    start = remote.begin(b"START", 3, 0)
    stop = remote.begin(b"STOP", 3, 1)
    answer = stimulator.end.on_frame(stop, 2)
    remote.on_frame(stimulator.end.on_frame(start, 3), 3)  # what it gets says NUMBER, and concerns nobody
    assert stimulator.executed == [b"STOP"] and stimulator.end.stale == 1
    remote.on_frame(answer, 4)
    assert remote.state == Requester.ANSWERED and remote.poll(5) is None


def test_only_numbers_a_little_ahead_are_executed():
    for number in (0, WINDOW + 1, 1000, 0x7FFF, 0x8000, 0xFFFF):
        stimulator = Stimulator(0)
        kind, about, told = radio_frame.decode(stimulator.take(number, b"S"))
        assert (kind, about, told) == (NUMBER, number, b"\x00\x00")
        assert stimulator.executed == [] and stimulator.end.stale == 1
    for number in (1, 2, WINDOW):
        stimulator = Stimulator(0)
        assert radio_frame.decode(stimulator.take(number, b"S"))[0] == REPLY


def test_an_old_frame_is_never_executed_again():
    remote, stimulator = in_step()
    recorded = []
    for count in range(50):
        frame = remote.begin(b"%d" % count, 3, count)
        recorded.append(frame)
        carry(frame, stimulator, remote, count)
    stimulator.executed.clear()
    for frame in recorded:
        stimulator.end.on_frame(frame, 10**6)
    assert stimulator.executed == []


def test_numbers_wrap():
    remote, stimulator = Requester(radio_frame, 5), Stimulator(0xFFFD)
    for count in range(6):
        carry(remote.begin(b"S", 3, count), stimulator, remote, count)
        assert remote.state == Requester.ANSWERED
    assert len(stimulator.executed) == 6 and stimulator.end.stale == 0


def test_the_first_request_after_a_restart_of_the_remote_is_executed():
    """Even if it starts at the same number as before and asks the same."""
    for ours in (0, 1, 299, 300, 301, 0x7FFF, 0xFFFF):
        stimulator = Stimulator(300)
        for restart in range(3):
            remote = Requester(radio_frame, ours)
            carry(remote.begin(b"STOP", 3, 0), stimulator, remote)
            assert remote.state == Requester.ANSWERED
            assert len(stimulator.executed) == restart + 1


def test_the_first_request_after_a_restart_of_the_stimulator_is_executed():
    for theirs in (0, 300, 301, 0x7FFF, 0x8000, 0xFFFF):
        remote, _ = in_step()
        stimulator = Stimulator(theirs)
        carry(remote.begin(b"STOP", 3, 0), stimulator, remote)
        assert remote.state == Requester.ANSWERED and stimulator.executed == [b"STOP"]


def test_many_unanswered_requests_do_not_put_them_out_of_step_for_good():
    remote, stimulator = in_step()
    for count in range(3 * WINDOW):
        remote.begin(b"into the void", 1, count)
    carry(remote.begin(b"STOP", 3, 100), stimulator, remote, 100)
    assert stimulator.executed == [b"STOP"] and remote.state == Requester.ANSWERED


def test_hello_executes_nothing():
    stimulator = Stimulator(0x1234)
    answer = radio_frame.decode(stimulator.take(77, b"\x03", kind=HELLO))
    assert answer == (NUMBER, 77, b"\x34\x12") and stimulator.executed == []


def test_tries_bound_what_a_forger_of_numbers_can_cause():
    remote = Requester(radio_frame, 0)
    remote.begin(b"S", 3, 0)
    frames = 1
    for count in range(20):
        remote.on_frame(radio_frame.encode(NUMBER, remote._number, bytes((count, 9))), 0)
        if remote.poll(0):
            frames += 1
    assert frames == 3
    remote.poll(TIMEOUT_MS)
    assert remote.state == Requester.UNANSWERED


def test_the_same_number_with_another_message_is_no_repeat():
    stimulator = Stimulator()
    stimulator.take(1, b"START")
    assert radio_frame.decode(stimulator.take(1, b"STOP"))[0] == NUMBER
    assert stimulator.executed == [b"START"] and stimulator.end.duplicates == 0


def test_a_reply_too_long_for_a_frame_is_counted_not_raised():
    end = Responder(radio_frame, lambda message: bytes(25))
    request = radio_frame.encode(REQUEST, 1, b"P")
    assert end.on_frame(request, 0) is None and end.on_frame(request, 1) is None
    assert end.oversized == 1 and end.duplicates == 1


def test_each_side_ignores_what_is_not_for_it():
    remote, stimulator = in_step()
    request = remote.begin(b"S", 3, 0)
    number = radio_frame.decode(request)[1]
    for frame in (request, radio_frame.encode(HELLO, number, b"x"), radio_frame.encode(NUMBER, number, b"x")):
        remote.on_frame(frame, 1)
    assert remote.state == Requester.WAITING and remote.stray == 3
    for kind in (REPLY, NUMBER):
        assert stimulator.take(number, b"xx", kind) is None
    assert stimulator.end.bad == 2 and stimulator.executed == []


def test_the_clock_may_wrap():
    remote, _ = in_step()
    wrap = 0x40000000
    request = remote.begin(b"S", 2, wrap - 10)
    assert remote.poll(5) is None
    assert remote.poll(TIMEOUT_MS - 10) == request
    assert link.elapsed_ms(3, wrap - 2) == 5


def test_noise_is_counted_and_changes_nothing():
    remote, stimulator = in_step()
    request = remote.begin(b"S", 3, 0)
    before = (stimulator.end.bad, remote.bad)
    seed = 12345
    for length in range(80):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        noise = bytes([(seed >> (i % 23)) & 0xFF for i in range(length)])
        assert stimulator.end.on_frame(noise, 0) is None
        remote.on_frame(noise, 0)
    assert (stimulator.end.bad, remote.bad) == (before[0] + 80, before[1] + 80)
    assert stimulator.executed == [] and remote.state == Requester.WAITING
    assert stimulator.end.on_frame(request, 1)
