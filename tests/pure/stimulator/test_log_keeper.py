"""When the log's events come to flash, and that they are read as one over restarts."""

import struct

from stimfw.protocol import messages, requests
from stimfw.stimulator.log_keeper import LogKeeper
from stimfw.storage import areas
from stimfw.storage.event_store import EventStore
from stimfw.therapy.event_log import EventLog
from support.flash_fake import NO_CUT, FlashFake, each_cut

USB = messages.FROM_USB
EVENT = struct.calcsize(requests.LOG_RECORD)


class Board:
    """A start of a board on this flash."""

    def __init__(self, flash, now_ms=0):
        self.flash, self.now_ms = flash, now_ms
        self.busy, self.asked = False, 0
        self.store = EventStore(flash, 0)
        self.log = EventLog(lambda: self.now_ms // 1000, self.store.next_number)
        self.keeper = LogKeeper(self.log, self.store, lambda: self.busy, lambda: self.asked)

    def add(self, detail, kind=messages.EVENT_MAGNET, sender=USB):
        self.log.add(kind, sender, detail)

    def run(self, ms, step_ms=100):
        """Let time pass; the times at which something was written."""
        writes = []
        for _ in range(ms // step_ms):
            self.now_ms += step_ms
            before = len(self.flash.operations)
            self.keeper.poll(self.now_ms & 0x3FFFFFFF)
            if len(self.flash.operations) > before:
                writes.append(self.now_ms)
        return writes

    def details(self):
        """Number and detail of every event, as a host reads them."""
        found, first = [], 0
        while True:
            number, raw = self.keeper.read(first, 16)
            assert number >= first
            if not raw:
                return found
            for at in range(0, len(raw), EVENT):
                found.append((number, raw[at + 6]))
                number += 1
            first = number


def test_it_writes_when_it_has_been_quiet_for_two_seconds():
    board = Board(FlashFake(2))
    assert board.run(5000) == [], "there is nothing to write"
    board.add(1)
    assert board.run(5000) == [7100]


def test_while_the_output_is_on_and_two_seconds_after_it_nothing_is_written():
    board = Board(FlashFake(2))
    board.busy = True
    board.add(1)
    assert board.run(60_000) == []
    board.busy = False
    assert board.run(5000) == [62_000]


def test_a_request_puts_it_off_for_half_a_minute_at_the_most():
    board = Board(FlashFake(2))
    board.add(1)
    for _ in range(15):
        board.asked += 1
        assert board.run(1900) == []
    board.asked += 1
    assert board.run(1900) == [30_100], "nobody keeps it from flash by asking"
    board.add(2)
    board.asked += 1
    assert board.run(1900) == []
    assert board.run(20_000) != [], "and the next one when it is quiet"


def test_the_half_minute_begins_when_the_output_is_off():
    board = Board(FlashFake(2))
    board.add(1)
    board.busy = True
    assert board.run(60_000) == []
    board.busy = False
    for _ in range(15):
        board.asked += 1
        assert board.run(1900) == []


def test_at_most_once_in_ten_seconds():
    board = Board(FlashFake(2))
    writes = []
    for detail in range(100):
        board.add(detail)
        writes += board.run(500)
    assert writes and all([after - before >= 10_000 for before, after in zip(writes, writes[1:])])
    assert len(writes) == 5


def test_before_a_planned_restart_at_once():
    board = Board(FlashFake(2))
    board.busy = True
    for detail in range(40):
        board.add(detail)
    board.keeper.flush()
    assert [detail for _, detail in Board(board.flash).details()] == list(range(40))
    board.flash.operations.clear()
    board.keeper.flush()
    assert board.flash.operations == []


def test_numbers_go_on_over_restarts_and_all_is_read_as_one():
    flash, told = FlashFake(2), []
    for start in range(12):
        board = Board(flash)
        for n in range(30):
            told.append((len(told), (start * 30 + n) & 0xFF))
            board.add(told[-1][1])
            if n == 20:
                board.run(3000)
        assert board.details() == told, "9 of them are in RAM alone"
        board.keeper.flush()
        assert board.details() == told
    assert Board(flash).details() == told


def test_a_cut_loses_what_was_not_written_and_nothing_else():
    flash = FlashFake(2)
    board = Board(flash)
    for detail in range(20):
        board.add(detail)
    board.keeper.flush()

    def goes_on(flash):
        board = Board(flash)
        for detail in range(100, 105):
            board.add(detail)
        board.run(3000)

    flash.operations.clear()
    for after, cut in each_cut(flash, goes_on, (0, 30, 128, 250), (1,)):
        found = Board(after).details()
        assert found[:20] == [(n, n) for n in range(20)], cut
        new = [detail for _, detail in found[20:]]
        assert new == [100, 101, 102, 103, 104] if cut == NO_CUT else set(new) <= {100, 101, 102, 103, 104}


def test_what_ram_has_is_read_with_its_newest_repeats():
    board = Board(FlashFake(2))
    board.add(0)
    board.add(5, messages.EVENT_CONNECTED, 2)
    board.run(3000)
    board.add(6, messages.EVENT_CONNECTED, 2)
    number, raw = board.keeper.read(0, 16)
    assert number == 0 and raw[EVENT + 6 : EVENT + 8] == b"\x06\x01"
    number, raw = Board(board.flash).keeper.read(0, 16)
    assert raw[EVENT + 6 : EVENT + 8] == b"\x05\x00", "as it was when it was written"


def test_the_newest_repeats_are_read_also_behind_what_ram_has_no_more():
    board = Board(FlashFake(2))
    board.add(0, messages.EVENT_LEFT_AMPLITUDE)
    board.add(5, messages.EVENT_CONNECTED, 2)
    for detail in range(2, 70):
        board.add(detail, messages.EVENT_LEFT_AMPLITUDE)
        if detail == 20:
            board.run(3000)
    board.add(6, messages.EVENT_CONNECTED, 2)
    assert board.log.read(0, 1)[0] == 1, "number 0 gave way"
    number, raw = board.keeper.read(0, 16)
    assert number == 0 and raw[EVENT + 6 : EVENT + 8] == b"\x06\x01"
    assert len(raw) == 2 * EVENT and board.keeper.read(2, 16)[0] == 2


def test_what_gave_way_in_ram_is_read_from_flash():
    board = Board(FlashFake(2))
    for detail in range(10):
        board.add(detail, messages.EVENT_LEFT_AMPLITUDE)
    board.run(3000)
    for detail in range(10, 100):
        board.add(detail, messages.EVENT_LEFT_AMPLITUDE)
    numbers = [number for number, _ in board.details()]
    assert numbers == list(range(10)) + list(range(36, 100))
    assert board.keeper.read(0, 16)[0] == 0 and board.keeper.read(10, 16)[0] == 36


def test_replies_are_no_longer_than_asked_for():
    board = Board(FlashFake(2))
    for detail in range(10):
        board.add(detail)
    board.keeper.flush()
    again = Board(board.flash)
    for detail in range(10, 30):
        again.add(detail)
    for first in range(30):
        number, raw = again.keeper.read(first, 16)
        assert number == first and len(raw) == EVENT * min(16, 30 - first), first


def test_a_flash_that_takes_nothing_leaves_the_log_in_ram_and_says_so():
    flash = FlashFake(2)
    assert Board(flash).keeper.state == areas.EMPTY
    board = Board(flash)
    board.add(1)
    board.run(3000)
    assert board.keeper.state == areas.SOUND and Board(flash).keeper.state == areas.SOUND
    flash.dead |= {0, 1}
    board.add(2)
    board.run(20_000)
    assert board.keeper.state == areas.UNUSABLE
    board.add(3)
    flash.operations.clear()
    assert board.run(60_000) == [], "it is not tried again and again"
    board.keeper.flush()
    assert flash.operations == [] and board.details() == [(0, 1), (1, 2), (2, 3)]


def test_the_times_are_those_of_the_documents():
    from stimfw.stimulator import log_keeper

    assert (log_keeper.QUIET_MS, log_keeper.GAP_MS) == (2000, 10_000)
