"""Every request of every role at the stimulator: what the table lacks is refused, and nothing happens."""

from stimfw.protocol import messages, roles
from stimfw.stimulator.commands import _BODY_BYTES, Commands

OPCODES = [getattr(messages, name) for name in (
    "IDENTIFY", "STATUS", "START", "STOP", "GET_PROGRAM", "SET_PROGRAM", "IMPEDANCE", "IMPEDANCE_RESULTS",
    "PULSES", "DETAILS", "COUNTERS", "SELF_TEST", "AMPLITUDE", "GET_WINDOW", "SET_WINDOW", "TEST_STIMULATION",
    "LOG", "GET_TIME", "SET_TIME", "PAIRINGS", "PAIR", "FORGET", "FACTORY_RESET", "RECORDS", "REPAIR", "XIP",
)]  # fmt: skip


class Log:
    def __init__(self):
        self.events = []

    def add(self, kind, sender, detail):
        self.events.append((kind, sender, detail))


class Rig:
    def __init__(self):
        self.done, self.log = [], Log()
        self.commands = Commands(None, None, self.log)
        self.commands.add({opcode: self._handler(opcode) for opcode in OPCODES})

    def _handler(self, opcode):
        def handle(body):
            self.done.append((opcode, self.commands.role, self.commands.sender))
            return messages.OK, b""

        return handle

    def ask(self, opcode, role, sender, size=None):
        size = _BODY_BYTES.get(opcode, 0) if size is None else size
        return self.commands.execute(bytes((opcode,)) + bytes(size), role, sender)[1]


def test_each_request_of_each_role():
    for role in range(5):
        for opcode in OPCODES:
            rig = Rig()
            code = rig.ask(opcode, role, 4)
            if roles.may(role, opcode):
                assert code == messages.OK and rig.done == [(opcode, role, 4)], (role, opcode)
                assert rig.log.events == [] and rig.commands.forbidden == 0
            else:
                assert code == messages.FORBIDDEN and rig.done == [], (role, opcode)
                assert rig.log.events == [(messages.EVENT_FORBIDDEN, 4, opcode)]
                assert rig.commands.forbidden == rig.commands.refused == 1


def test_the_role_comes_before_the_length():
    """A wrong length must not tell a patient's key what it may not ask."""
    for opcode in OPCODES:
        rig = Rig()
        for size in (0, 1, 2, 100):
            code = rig.ask(opcode, roles.PATIENT, 0, size)
            if not roles.may(roles.PATIENT, opcode):
                assert code == messages.FORBIDDEN, (opcode, size)


def test_a_wrong_length_is_refused():
    for opcode in OPCODES:
        size = _BODY_BYTES.get(opcode, 0)
        for wrong in (size - 1, size + 1):
            rig = Rig()
            if wrong >= 0:
                assert rig.ask(opcode, roles.SERVICE, 4, wrong) == messages.BAD_LENGTH and rig.done == []


def test_a_refused_request_does_not_lend_its_sender_to_the_next():
    rig = Rig()
    rig.ask(messages.STOP, roles.SERVICE, messages.FROM_USB)
    rig.ask(messages.PAIR, roles.PATIENT, 3)
    rig.ask(messages.STOP, roles.PATIENT, 2)
    assert rig.done == [
        (messages.STOP, roles.SERVICE, messages.FROM_USB),
        (messages.STOP, roles.PATIENT, 2),
    ]


def test_the_cable_has_the_role_of_nobody_else():
    rig = Rig()
    assert rig.commands.from_host(bytes((messages.RECORDS,)))[1] == messages.OK
    assert rig.done == [(messages.RECORDS, roles.SERVICE, messages.FROM_USB)]
