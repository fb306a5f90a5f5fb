"""RECORDS and REPAIR at the stimulator: never while the output is on, and a restart only after a change."""

from stimfw.protocol import messages, roles
from stimfw.stimulator.commands import Commands
from stimfw.stimulator.repair import Repair


class Areas:
    plan, broken = 0, False

    def __init__(self):
        self.asked = []

    def diagnose(self):
        return [3, 0, 0]

    def repair(self, overwrite_later, feed):
        feed()
        self.asked.append(overwrite_later)
        if self.broken:
            raise OSError("worn")
        return self.plan


class Control:
    is_busy = pairing = False

    def busy(self):
        return self.is_busy

    def state(self):
        return messages.FAULT


class Rig:
    def __init__(self):
        self.areas, self.control, self.fed, self.restarts = Areas(), Control(), [], []
        self.commands = Commands(self.control, None, None)
        repair = Repair(
            self.areas, self.control, self.commands, lambda: self.fed.append(1), self.restarts.append
        )
        self.commands.add(repair.handlers())

    def ask(self, opcode, body=b""):
        reply = self.commands.execute(messages.request(opcode, body), roles.SERVICE, messages.FROM_USB)
        return messages.parse_reply(opcode, reply)


def refused(reason):
    return messages.WRONG_STATE, bytes((messages.FAULT, reason))


def test_states_and_a_repair():
    rig = Rig()
    rig.areas.plan = 5
    assert rig.ask(messages.RECORDS) == (messages.OK, bytes((3, 0, 0)))
    for body, later in ((b"\0", False), (b"\1", True), (b"\2", False)):
        assert rig.ask(messages.REPAIR, body) == (messages.OK, b"\x05")
        assert rig.areas.asked[-1] is later
    assert len(rig.restarts) == len(rig.fed) == 3 and min(rig.restarts) >= 100
    assert rig.ask(messages.REPAIR) == (messages.BAD_LENGTH, b"")


def test_nothing_done_or_failed_is_no_restart():
    rig = Rig()
    assert rig.ask(messages.REPAIR, b"\0") == (messages.OK, b"\0")
    rig.areas.broken = True
    assert rig.ask(messages.REPAIR, b"\0") == refused(messages.REASON_STORAGE)
    assert rig.restarts == []


def test_not_while_the_output_is_on_nor_in_the_pairing_window():
    rig = Rig()
    rig.control.pairing = True
    assert rig.ask(messages.REPAIR, b"\1") == refused(messages.REASON_PAIRING)
    rig.control.is_busy = True
    assert rig.ask(messages.REPAIR, b"\1") == refused(messages.REASON_LOCKED)
    assert rig.ask(messages.RECORDS) == refused(messages.REASON_LOCKED)
    assert rig.areas.asked == [] and rig.restarts == []
