"""RECORDS, REPAIR and XIP at the stimulator: when they are refused, and a restart only after a change."""

import struct

from stimfw.protocol import messages, requests, roles
from stimfw.protocol.dispatcher import Dispatcher
from stimfw.stimulator.cache_requests import CacheRequests
from stimfw.stimulator.conditions import Conditions
from stimfw.storage.flash_requests import FlashRequests


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


class Others:
    """Handlers of the other requests, which these tests do not send."""

    def __init__(self):
        for row in requests.answered_by("stimulator"):
            if row[requests.NAME] not in ("records", "repair", "xip"):
                setattr(self, row[requests.NAME], None)


class Rig:
    def __init__(self, counted=(3, 5)):
        self.areas, self.control, self.fed, self.restarts = Areas(), Control(), [], []
        self.counted, self.cleared = counted, []
        conditions = Conditions(self.control, None)
        self.dispatcher = Dispatcher("stimulator", conditions)
        self.dispatcher.serve(
            FlashRequests(self.areas, conditions, lambda: self.fed.append(1), self.restarts.append),
            CacheRequests(self._read),
            Others(),
        )

    def _read(self, clear):
        self.cleared.append(clear)
        return self.counted

    def ask(self, opcode, body=b"", role=roles.SERVICE):
        reply = self.dispatcher.execute(messages.request(opcode, body), role, messages.FROM_USB)
        return messages.parse_reply(opcode, reply)


def refused(reason):
    return messages.WRONG_STATE, bytes((messages.FAULT, reason))


def test_states_and_a_repair():
    rig = Rig()
    rig.areas.plan = 5
    assert rig.ask(requests.RECORDS) == (messages.OK, bytes((3, 0, 0)))
    for body, later in ((b"\0", False), (b"\1", True), (b"\2", False)):
        assert rig.ask(requests.REPAIR, body) == (messages.OK, b"\x05")
        assert rig.areas.asked[-1] is later
    assert len(rig.fed) == 3 and rig.restarts == [200] * 3, "ms: the reply is read by then"
    assert rig.ask(requests.REPAIR) == (messages.BAD_LENGTH, b"")


def test_nothing_done_or_failed_is_no_restart():
    rig = Rig()
    assert rig.ask(requests.REPAIR, b"\0") == (messages.OK, b"\0")
    rig.areas.broken = True
    assert rig.ask(requests.REPAIR, b"\0") == refused(messages.REASON_STORAGE)
    assert rig.restarts == []


def test_not_while_the_output_is_on_nor_in_the_pairing_window():
    rig = Rig()
    rig.control.pairing = True
    assert rig.ask(requests.REPAIR, b"\1") == refused(messages.REASON_PAIRING)
    rig.control.is_busy = True
    assert rig.ask(requests.REPAIR, b"\1") == refused(messages.REASON_LOCKED)
    assert rig.ask(requests.RECORDS) == refused(messages.REASON_LOCKED)
    assert rig.areas.asked == [] and rig.restarts == []


def test_hits_of_the_cache_come_first_then_accesses():
    assert Rig().ask(requests.XIP, b"\0") == (messages.OK, struct.pack("<II", 3, 5))
    most = (0xFFFFFFFE, 0xFFFFFFFF)
    assert Rig(most).ask(requests.XIP, b"\0")[1] == struct.pack("<II", *most)


def test_only_1_clears_the_counters():
    rig = Rig()
    for value in (0, 1, 2, 255):
        rig.ask(requests.XIP, bytes((value,)))
    assert rig.cleared == [False, True, False, False]


def test_a_body_of_another_length_reads_no_counters():
    rig = Rig()
    assert [rig.ask(requests.XIP, body) for body in (b"", b"\1\1")] == [(messages.BAD_LENGTH, b"")] * 2
    assert rig.cleared == []


def test_the_counters_are_for_usb_alone():
    rig = Rig()
    for role in (roles.PATIENT, roles.CLINICIAN):
        assert rig.ask(requests.XIP, b"\1", role) == (messages.FORBIDDEN, b"")
    assert rig.cleared == []
