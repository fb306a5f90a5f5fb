"""A host's request is done in steps while the output is on: STOP comes between them, all else behind them."""

import struct

from stimfw.protocol import messages, refusals, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.protocol.steps import all_of
from support.control import control

PEER = 3
LOG = messages.request(requests.LOG, struct.pack("<I", 7))
STOP, STATUS = messages.request(requests.STOP), messages.request(requests.STATUS)


class Conditions:
    def outcome(self, reason):
        return refusals.wrong_state(messages.HOLD, reason) if reason else refusals.done()


class Handlers:
    """LOG in three steps; others at once. `done`: what, and for whom."""

    def __init__(self, on):
        self.on, self.done = on, []
        self.refused = False
        self.dispatcher = Dispatcher("stimulator", Conditions(), None, lambda: self.on)
        self.dispatcher.serve(self)

    def _note(self, what):
        self.done.append((what, self.dispatcher.role, self.dispatcher.sender))

    def log(self, first):
        self._note("asked")
        return self.dispatcher.in_steps(self._reading(first))

    def _reading(self, first):
        self._note("first")
        yield
        self._note("second")
        if self.refused:
            return refusals.out_of_range(first)
        yield
        self._note("third")
        return refusals.done(first, b"")

    def stop(self):
        self._note("stop")
        self.on = False
        return refusals.done()

    def status(self):
        self._note("status")
        return refusals.done(0, 0, 0, 0, 0, 0, 0, 0)

    def __getattr__(self, name):
        if name in [row[requests.NAME] for row in requests.answered_by("stimulator")]:
            return lambda *_values: refusals.done()
        raise AttributeError(name)

    def replies(self, most=9):
        """What comes out of the steps that follow, up to the reply; None if there is none."""
        for count in range(most):
            found = self.dispatcher.go_on()
            if found:
                return count, found
        return None

    def what(self):
        return [what for what, _, _ in self.done]


HOST = (roles.SERVICE, messages.FROM_USB)
ANSWER = messages.reply(requests.LOG, messages.OK, struct.pack("<I", 7))


@control("C-01")
def test_a_step_a_call_and_then_the_reply():
    board = Handlers(on=True)
    assert board.dispatcher.from_host(LOG) == b"" and board.what() == ["asked"]
    for done in (["first"], ["first", "second"], ["first", "second", "third"]):
        assert board.dispatcher.go_on() == b"" and board.what() == ["asked"] + done
    assert board.dispatcher.go_on() == ANSWER and board.replies() is None
    assert {call[1:] for call in board.done} == {HOST}


@control("C-01")
def test_a_request_without_steps_is_answered_in_the_next_call():
    board = Handlers(on=True)
    assert board.dispatcher.from_host(STATUS) == b"" and board.what() == ["status"]
    assert messages.parse_reply(requests.STATUS, board.dispatcher.go_on())[0] == messages.OK


def test_with_the_output_off_and_by_radio_all_is_done_at_once():
    board = Handlers(on=False)
    assert board.dispatcher.from_host(LOG) == ANSWER
    board = Handlers(on=True)
    assert board.dispatcher.execute(LOG, roles.CLINICIAN, PEER) == ANSWER
    assert board.what() == ["asked", "first", "second", "third"]
    assert {call[1:] for call in board.done} == {(roles.CLINICIAN, PEER)}


@control("C-01")
def test_a_stop_waits_for_no_step():
    for steps in range(4):
        board = Handlers(on=True)
        board.dispatcher.from_host(LOG)
        for _ in range(steps):
            board.dispatcher.go_on()
        before = board.what()
        stopped = board.dispatcher.execute(STOP, roles.PATIENT, PEER)
        assert stopped == messages.reply(requests.STOP, messages.OK)
        assert board.what() == before + ["stop"]
        # What was begun is completed, as the host's, although the output is off by now.
        assert board.replies()[1] == ANSWER
        assert board.what() == before + ["stop"] + ["asked", "first", "second", "third"][len(before) :]
        assert [call[1:] for call in board.done if call[0] != "stop"] == [HOST] * 4


def test_any_other_request_finds_it_done():
    for steps in range(4):
        board = Handlers(on=True)
        board.dispatcher.from_host(LOG)
        for _ in range(steps):
            board.dispatcher.go_on()
        board.dispatcher.execute(STATUS, roles.PATIENT, PEER)
        assert board.what() == ["asked", "first", "second", "third", "status"]
        assert [call[1:] for call in board.done] == [HOST] * 4 + [(roles.PATIENT, PEER)]
        assert board.replies() == (0, ANSWER)


def test_an_unknown_request_and_one_that_is_forbidden_find_it_done_too():
    for message in (b"", b"\x7f", messages.request(requests.SELF_TEST)):
        board = Handlers(on=True)
        board.dispatcher.from_host(LOG)
        board.dispatcher.execute(message, roles.PATIENT, PEER)
        assert board.what()[-1] == "third" and board.replies() == (0, ANSWER)


def test_a_refusal_in_a_later_step_is_counted_once():
    board = Handlers(on=True)
    board.refused = True
    board.dispatcher.from_host(LOG)
    found = board.replies()[1]
    assert messages.parse_reply(requests.LOG, found)[0] == messages.OUT_OF_RANGE
    assert board.dispatcher.refused == 1 and board.what() == ["asked", "first", "second"]


def test_all_of_gives_what_the_work_returns():
    def work():
        yield
        yield
        return 7

    begun = work()
    next(begun)
    assert all_of(begun) == 7
