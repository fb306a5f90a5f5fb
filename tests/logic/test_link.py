"""The link: answered once, executed once, whatever the air does. Time is a number here."""

from stimfw.logic import link, radio_frame
from stimfw.logic.link import MEMORY_MS, TIMEOUT_MS, WINDOW, Requester, Responder
from stimfw.logic.radio_frame import REPLY, REQUEST


class Stimulator:
    """A responder whose application notes what it executes."""

    def __init__(self):
        self.executed = []
        self.end = Responder(radio_frame, self.execute)

    def execute(self, message):
        self.executed.append(message)
        return b"R" + message + bytes((len(self.executed),))

    def take(self, number, message, now_ms=0):
        return self.end.on_frame(radio_frame.encode(REQUEST, number, message), now_ms)


def test_a_request_is_answered():
    remote, stimulator = Requester(radio_frame, 100), Stimulator()
    request = remote.begin(b"S", 3, 0)
    assert remote.state == Requester.WAITING
    remote.on_frame(stimulator.end.on_frame(request, 1), 2)
    assert remote.state == Requester.ANSWERED and remote.reply == b"RS\x01"
    assert remote.poll(1000) is None and remote.wait_ms(1000) == -1


def test_an_unanswered_request_is_repeated_and_then_given_up():
    remote = Requester(radio_frame, 100)
    request = remote.begin(b"S", 3, 0)
    assert remote.poll(TIMEOUT_MS - 1) is None and remote.wait_ms(TIMEOUT_MS - 1) == 1
    assert remote.poll(TIMEOUT_MS) == request
    assert remote.poll(TIMEOUT_MS) is None
    assert remote.poll(2 * TIMEOUT_MS) == request
    assert remote.poll(3 * TIMEOUT_MS) is None
    assert remote.state == Requester.UNANSWERED


def test_a_lost_reply_does_not_execute_twice():
    remote, stimulator = Requester(radio_frame, 7), Stimulator()
    first = stimulator.end.on_frame(remote.begin(b"START", 3, 0), 1)
    again = stimulator.end.on_frame(remote.poll(TIMEOUT_MS), TIMEOUT_MS + 1)
    assert first == again
    assert stimulator.executed == [b"START"] and stimulator.end.duplicates == 1


def test_a_new_request_takes_the_place_of_the_old_one():
    remote, stimulator = Requester(radio_frame, 7), Stimulator()
    late = stimulator.end.on_frame(remote.begin(b"START", 3, 0), 1)
    stop = remote.begin(b"STOP", 3, 2)
    remote.on_frame(late, 3)
    assert remote.state == Requester.WAITING and remote.stray == 1
    remote.on_frame(stimulator.end.on_frame(stop, 4), 5)
    assert remote.state == Requester.ANSWERED


def test_a_start_that_comes_after_its_stop_is_not_executed():
    remote, stimulator = Requester(radio_frame, 7), Stimulator()
    start = remote.begin(b"START", 3, 0)
    stimulator.end.on_frame(remote.begin(b"STOP", 3, 1), 2)
    assert stimulator.end.on_frame(start, 3) is None
    assert stimulator.executed == [b"STOP"] and stimulator.end.stale == 1


def test_late_numbers_within_the_window_only():
    stimulator = Stimulator()
    stimulator.take(WINDOW + 5, b"a")
    for back in range(1, WINDOW + 1):
        assert stimulator.take(WINDOW + 5 - back, b"late") is None
    assert stimulator.end.stale == WINDOW and len(stimulator.executed) == 1
    assert stimulator.take(4, b"restarted remote")


def test_numbers_wrap():
    remote, stimulator = Requester(radio_frame, 0xFFFE), Stimulator()
    for count in range(4):
        remote.on_frame(stimulator.end.on_frame(remote.begin(b"S", 1, count), count), count)
        assert remote.state == Requester.ANSWERED
    assert stimulator.take(0xFFFF, b"late", 4) is None
    assert stimulator.end.stale == 1 and len(stimulator.executed) == 4


def test_the_first_request_after_either_side_restarts_is_executed():
    for number in (0, 1, 500, 0x7FFF, 0x8000, 0xFFFF):
        stimulator = Stimulator()
        assert stimulator.take(number, b"a")
        assert stimulator.take(number ^ 0x5555, b"b", 10)
        assert len(stimulator.executed) == 2


def test_the_last_number_is_forgotten_in_time():
    stimulator = Stimulator()
    stimulator.take(9, b"S", 0)
    stimulator.take(9, b"S", MEMORY_MS - 1)
    assert len(stimulator.executed) == 1
    stimulator.take(9, b"S", 2 * MEMORY_MS - 1)  # the repeat was seen at MEMORY_MS - 1
    assert len(stimulator.executed) == 2
    stimulator.take(8, b"S", 3 * MEMORY_MS)
    assert len(stimulator.executed) == 3


def test_the_same_number_with_another_message_is_another_request():
    stimulator = Stimulator()
    stimulator.take(9, b"START")
    assert stimulator.take(9, b"STOP")
    assert stimulator.executed == [b"START", b"STOP"]


def test_a_reply_too_long_for_a_frame_is_counted_not_raised():
    end = Responder(radio_frame, lambda message: bytes(25))
    request = radio_frame.encode(REQUEST, 1, b"P")
    assert end.on_frame(request, 0) is None and end.on_frame(request, 1) is None
    assert end.oversized == 1 and end.duplicates == 1


def test_each_side_ignores_its_own_kind():
    remote, stimulator = Requester(radio_frame, 1), Stimulator()
    request = remote.begin(b"S", 3, 0)
    remote.on_frame(request, 1)
    assert remote.state == Requester.WAITING and remote.stray == 1
    assert stimulator.end.on_frame(radio_frame.encode(REPLY, 2, b"x"), 1) is None
    assert stimulator.end.bad == 1 and stimulator.executed == []


def test_the_clock_may_wrap():
    remote = Requester(radio_frame, 1)
    wrap = 0x40000000
    request = remote.begin(b"S", 2, wrap - 10)
    assert remote.poll(5) is None
    assert remote.poll(TIMEOUT_MS - 10) == request
    assert link.elapsed_ms(3, wrap - 2) == 5


def test_noise_is_counted_and_changes_nothing():
    remote, stimulator = Requester(radio_frame, 1), Stimulator()
    request = remote.begin(b"S", 3, 0)
    seed = 12345
    for length in range(80):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        noise = bytes([(seed >> (i % 23)) & 0xFF for i in range(length)])
        assert stimulator.end.on_frame(noise, 0) is None
        remote.on_frame(noise, 0)
    assert stimulator.end.bad == remote.bad == 80
    assert stimulator.executed == [] and remote.state == Requester.WAITING
    assert stimulator.end.on_frame(request, 1)
