"""Every request of every role: what the table lacks is refused, in one order, and nothing happens."""

import struct

from stimfw.protocol import asking, messages, refusals, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from support.control import control

ROWS = requests.answered_by("stimulator")


class Log:
    def __init__(self):
        self.events = []

    def add(self, kind, sender, detail):
        self.events.append((kind, sender, detail))


class Conditions:
    """`reasons` by the condition's name; `asked` in their order."""

    def __init__(self):
        self.reasons, self.asked = {}, []

    def outcome(self, reason):
        return refusals.wrong_state(messages.HOLD, reason) if reason else refusals.done()

    def _reason(self, name):
        self.asked.append(name)
        return self.reasons.get(name, messages.REASON_NONE)

    def session_allowed(self):
        return self._reason("session_allowed")

    def test_allowed(self):
        return self._reason("test_allowed")

    def impedance_allowed(self):
        return self._reason("impedance_allowed")

    def self_test_allowed(self):
        return self._reason("self_test_allowed")

    def output_off(self):
        return self._reason("output_off")

    def window_closed(self):
        return self._reason("window_closed")

    def records_usable(self):
        return self._reason("records_usable")

    def random_works(self):
        return self._reason("random_works")

    def magnet_near(self):
        return self._reason("magnet_near")

    def idle(self):
        return self._reason("idle")

    def implanted(self):
        return self._reason("implanted")


class Group:
    """A handler for every row: notes the call and answers with zeros."""

    def __init__(self, rig, board):
        for row in requests.answered_by(board):
            setattr(self, row[requests.NAME], self._handler(rig, row))

    def _handler(self, rig, row):
        def handle(*values):
            sender = rig.dispatcher.role, rig.dispatcher.sender
            rig.done.append((row[requests.OPCODE],) + sender + (values,))
            zeros = struct.unpack(row[requests.REPLY], bytes(struct.calcsize(row[requests.REPLY])))
            return rig.answer or refusals.done(*(zeros + ((b"",) if row[requests.TAIL] else ())))

        return handle


class Rig:
    def __init__(self, board="stimulator"):
        self.done, self.log, self.conditions, self.answer = [], Log(), Conditions(), None
        self.dispatcher = Dispatcher(board, self.conditions, self.log)
        self.dispatcher.serve(Group(self, board))

    def ask(self, row, role=roles.SERVICE, slot=4, size=None):
        """Code and body of the reply."""
        size = struct.calcsize(row[requests.BODY].split("|")[0]) if size is None else size
        message = messages.request(row[requests.OPCODE], bytes(size))
        return messages.parse_reply(row[requests.OPCODE], self.dispatcher.execute(message, role, slot))


@control("C-27")
def test_each_request_of_each_role():
    for role in range(5):
        for row in ROWS:
            rig, opcode = Rig(), row[requests.OPCODE]
            code = rig.ask(row, role)[0]
            if asking.may(role, opcode):
                assert code == messages.OK and [call[:3] for call in rig.done] == [(opcode, role, 4)], row
                assert rig.log.events == [] and rig.dispatcher.forbidden == rig.dispatcher.refused == 0
            else:
                assert code == messages.FORBIDDEN and rig.done == [], row
                assert rig.log.events == [(messages.EVENT_FORBIDDEN, 4, opcode)]
                assert rig.dispatcher.forbidden == rig.dispatcher.refused == 1


@control("C-27")
def test_the_role_comes_before_the_length():
    """A wrong length must not tell a patient's key what it may not ask."""
    for row in ROWS:
        rig = Rig()
        for size in (0, 1, 2, 100):
            if not asking.may(roles.PATIENT, row[requests.OPCODE]):
                assert rig.ask(row, roles.PATIENT, 0, size) == (messages.FORBIDDEN, b""), (row, size)


def test_a_wrong_length_is_refused_before_the_conditions():
    for row in ROWS:
        size = struct.calcsize(row[requests.BODY])
        for wrong in (size - 1, size + 1):
            rig = Rig()
            if wrong >= 0:
                assert rig.ask(row, size=wrong) == (messages.BAD_LENGTH, b"") and rig.done == []
                assert rig.dispatcher.refused == 1 and rig.conditions.asked == []


def test_a_condition_refuses_and_those_behind_it_are_not_asked():
    row = requests.row_of(requests.FACTORY_RESET)
    order = row[requests.CONDITIONS].split()
    assert order == ["magnet_near", "records_usable", "random_works", "window_closed", "output_off"]
    for index, name in enumerate(order):
        rig = Rig()
        for later in order[index:]:
            rig.conditions.reasons[later] = 1 + order.index(later)
        assert rig.ask(row) == (messages.WRONG_STATE, bytes((messages.HOLD, 1 + index))), name
        assert rig.conditions.asked == order[: index + 1] and rig.done == []
        assert rig.dispatcher.refused == 1 and rig.dispatcher.forbidden == 0


def test_conditions_of_each_request():
    for opcode, board, conditions in (
        (requests.STOP, "stimulator", ""),
        (requests.START, "stimulator", "session_allowed"),
        (requests.TEST_STIMULATION, "stimulator", "test_allowed"),
        (requests.IMPEDANCE, "stimulator", "impedance_allowed"),
        (requests.SELF_TEST, "stimulator", "self_test_allowed"),
        (requests.PAIRINGS, "stimulator", "records_usable"),
        (requests.PAIR, "stimulator", "output_off records_usable random_works window_closed"),
        (requests.FORGET, "stimulator", "records_usable window_closed output_off"),
        (requests.RECORDS, "stimulator", "output_off"),
        (requests.REPAIR, "stimulator", "output_off window_closed"),
        (requests.IMPLANT, "stimulator", "output_off"),
        (requests.EXPLANT, "stimulator", "implanted output_off"),
        (requests.GET_PRESCRIPTION, "stimulator", "implanted output_off"),
        (requests.SET_PRESCRIPTION, "stimulator", "implanted output_off"),
        (requests.THERAPY, "stimulator", "implanted"),
        (requests.MODE, "stimulator", "implanted output_off"),
        (requests.TRAIN, "stimulator", "implanted"),
        (requests.TRAIN_ON, "stimulator", "implanted"),
        (requests.JOURNAL, "stimulator", "output_off"),
        (requests.LEDGER, "stimulator", "implanted"),
        (requests.HISTORY, "stimulator", "implanted output_off"),
        (requests.KEPT_TIME, "stimulator", "implanted"),
        (requests.WATCH, "stimulator", "implanted"),
        (requests.CLEAR_FAULT, "stimulator", "implanted output_off"),
        (requests.CONTRACTIONS, "stimulator", "implanted"),
        (requests.PAIRINGS, "remote", "records_usable"),
        (requests.PAIR, "remote", "random_works"),
        (requests.FORGET, "remote", "idle"),
        (requests.RECORDS, "remote", ""),
        (requests.REPAIR, "remote", "idle"),
    ):
        rig = Rig(board)
        assert rig.ask(requests.row_of(opcode, board))[0] == messages.OK
        assert rig.conditions.asked == conditions.split(), (opcode, board)


def test_what_a_handler_refuses_is_counted_and_packed():
    row = requests.row_of(requests.AMPLITUDE)
    for answer, body in (
        (refusals.wrong_state(2, 7), b"\2\7"),
        (refusals.out_of_range(0xFFFFFFFE), b"\xff\xfe\xff\xff\xff"),
        (refusals.out_of_range(0x80000000, 6), b"\x06\0\0\0\x80"),
        (refusals.out_of_range(-1), b"\xff\0\0\0\0"),
        (refusals.out_of_range(1 << 32, 3), b"\x03\0\0\0\0"),
        (refusals.out_of_range(10_025, 8), b"\x08\x29\x27\0\0"),
        (refusals.out_of_range("7", 8), b"\x08\0\0\0\0"),
    ):
        rig = Rig()
        rig.answer = answer
        assert rig.ask(row) == (answer[0], body)
        assert (rig.dispatcher.refused, rig.dispatcher.forbidden) == (1, 0)
        assert refusals.unpack(answer[0], body) == answer[1]
        assert refusals.unpack(answer[0], body + b"\0") is None
        for short in range(len(body)):
            assert refusals.unpack(answer[0], body[:short]) is None


def test_other_codes_have_no_body_to_unpack():
    for code in (messages.OK, messages.UNKNOWN_OPCODE, messages.BAD_LENGTH, messages.FORBIDDEN):
        assert refusals.unpack(code, b"\0\0") is None


def test_fields_and_replies_are_unpacked_and_packed():
    rig = Rig()
    rig.answer = refusals.done(9, b"1234567")
    message = messages.request(requests.LOG, b"\5\0\0\0")
    assert rig.dispatcher.from_host(message) == b"\x91\0\x09\0\0\0" + b"1234567"
    assert rig.done == [(requests.LOG, roles.SERVICE, messages.FROM_USB, (5,))]


def test_a_refused_request_does_not_lend_its_sender_to_the_next():
    rig = Rig()
    stop = requests.row_of(requests.STOP)
    rig.ask(stop, roles.SERVICE, messages.FROM_USB)
    rig.ask(requests.row_of(requests.PAIR), roles.PATIENT, 3)
    rig.ask(stop, roles.PATIENT, 2)
    assert [call[:3] for call in rig.done] == [
        (requests.STOP, roles.SERVICE, messages.FROM_USB),
        (requests.STOP, roles.PATIENT, 2),
    ]


def test_what_the_board_does_not_know():
    rig = Rig("remote")
    for message, reply in (
        (b"", bytes((0x80, messages.UNKNOWN_OPCODE))),
        (bytes((requests.START,)), bytes((0x80 | requests.START, messages.UNKNOWN_OPCODE))),
        (b"\xff", b"\xff\x03"),
        (b"\x80", b"\x80\x03"),
    ):
        assert rig.dispatcher.from_host(message) == reply
    assert rig.done == [] and rig.dispatcher.refused == 4


def test_every_number_that_no_row_has_is_unknown():
    """Also the first one behind the highest row, and one that looks like a reply."""
    for board in ("stimulator", "remote"):
        known = [row[requests.OPCODE] for row in requests.answered_by(board)]
        rig = Rig(board)
        unknown = [opcode for opcode in range(256) if opcode not in known]
        for opcode in unknown:
            answer = bytes((opcode & 0x7F | 0x80, messages.UNKNOWN_OPCODE))
            for body in (b"", b"\0"):
                assert rig.dispatcher.from_host(bytes((opcode,)) + body) == answer, (board, opcode)
        assert rig.done == [] and rig.dispatcher.refused == 2 * len(unknown) and max(known) + 1 in unknown


def test_the_first_group_that_has_a_handler_answers():
    class Own:
        def uptime(self):
            return refusals.done(0x01020304)

    rig = Rig("remote")
    for groups, answer in (
        ((Own(), Group(rig, "remote")), b"\x9b\0\4\3\2\1"),
        ((Log(), Group(rig, "remote"), Own()), b"\x9b\0\0\0\0\0"),
    ):
        dispatcher = Dispatcher("remote", Conditions())
        rig.dispatcher = dispatcher
        dispatcher.serve(*groups)
        assert dispatcher.from_host(bytes((requests.UPTIME,))) == answer


def test_a_request_without_a_handler_is_told_at_the_start():
    try:
        Dispatcher("remote", Conditions()).serve(Log())
    except ValueError as error:
        assert str(error) == "no handler of status"
    else:
        assert False, "accepted"  # noqa: B011


def test_without_a_log_what_is_forbidden_is_counted_only():
    rig = Rig()
    dispatcher = Dispatcher("stimulator", Conditions())
    dispatcher.serve(Group(rig, "stimulator"))
    assert dispatcher.execute(bytes((requests.XIP, 0)), roles.PATIENT, 1)[1] == messages.FORBIDDEN
    assert dispatcher.forbidden == 1
