"""The queue before the journal: what waits, when it is written, and what if the flash takes nothing."""

from stimfw.protocol import journal_entries
from stimfw.stimulator.journal_keeper import PLACES, ROOM, JournalKeeper
from support.control import control


class Journal:
    """A journal in RAM. `takes`: how many more entries the flash takes; `blank`: its room."""

    def __init__(self):
        self.entries = []
        self.takes = 1000
        self.blank = 1000
        self.steps = 0
        self.state = 0
        self.lost = 0

    def append(self, kind, sender, time_s, body):
        if self.takes <= 0:
            raise OSError
        self.takes -= 1
        self.entries.append((kind, sender, time_s, journal_entries.unpack(kind, body)))
        return len(self.entries) - 1

    def room(self):
        return self.blank

    def prepare(self):
        self.steps += 1
        return self.steps < 3


class Desk:
    def __init__(self):
        self.journal = Journal()
        self.time_s = 1_700_000_000
        self.free = True
        self.keeper = JournalKeeper(self.journal, lambda: self.time_s, lambda: self.free)

    def magnet(self):
        self.keeper.add(journal_entries.MAGNET, 255, 1)


def test_entries_are_written_in_order_with_the_time_at_which_they_happened():
    desk = Desk()
    desk.magnet()
    desk.time_s += 60
    desk.keeper.add(journal_entries.MODE, 2, 0, 1)
    desk.keeper.poll(0, True)
    assert desk.journal.entries == [
        (journal_entries.MAGNET, 255, 1_700_000_000, {"was_on": 1}),
        (journal_entries.MODE, 2, 1_700_000_060, {"before": 0, "after": 1}),
    ]
    assert desk.keeper.waiting() == 0


def test_nothing_is_written_while_a_pulse_may_be_due():
    desk = Desk()
    desk.free = False
    desk.magnet()
    for now_ms in range(0, 60_000, 1000):
        desk.keeper.poll(now_ms, False)
    assert desk.journal.entries == [] and desk.journal.steps == 0
    desk.free = True
    desk.keeper.poll(60_000, False)
    assert len(desk.journal.entries) == 1


def test_room_is_made_with_the_output_off_only_and_one_step_at_a_time():
    desk = Desk()
    for now_ms in range(0, 10_000, 100):
        desk.keeper.poll(now_ms, False)
    assert desk.journal.steps == 0
    desk.keeper.poll(10_000, True)
    assert desk.journal.steps == 1
    desk.keeper.poll(10_100, True)
    assert desk.journal.steps == 1
    for now_ms in range(12_000, 60_000, 500):
        desk.keeper.poll(now_ms, True)
    assert desk.journal.steps == 3  # there was no more to do


@control("C-64")
def test_what_the_flash_does_not_take_waits_and_no_session_may_begin():
    desk = Desk()
    assert desk.keeper.ready()
    desk.journal.takes = 1
    desk.magnet()
    desk.magnet()
    assert not desk.keeper.flush()
    assert not desk.keeper.ready() and desk.keeper.waiting() == 1
    desk.journal.takes = 5
    assert desk.keeper.flush() and desk.keeper.ready()
    assert len(desk.journal.entries) == 2


def test_without_room_no_session_may_begin():
    desk = Desk()
    desk.journal.blank = ROOM - 1
    assert not desk.keeper.ready()
    desk.journal.blank = ROOM
    assert desk.keeper.ready()


def test_entries_that_find_no_place_are_counted_and_told():
    desk = Desk()
    desk.journal.takes = 0
    for _ in range(PLACES + 3):
        desk.magnet()
    assert desk.keeper.waiting() == PLACES and desk.keeper.dropped == 3
    desk.journal.takes = 1000
    assert desk.keeper.flush()
    kinds = [entry[0] for entry in desk.journal.entries]
    assert kinds == [journal_entries.MAGNET] * PLACES + [journal_entries.LOST]
    assert desk.journal.entries[-1][3] == {"what": journal_entries.LOST_QUEUE, "entries": 3}
    assert desk.keeper.dropped == 0


def test_entries_that_rot_are_told_once_all_of_the_journal_was_looked_through():
    desk = Desk()
    desk.journal.lost = 2
    for now_ms in range(0, 20_000, 500):
        desk.keeper.poll(now_ms, True)
    lost = [fields for kind, _, _, fields in desk.journal.entries if kind == journal_entries.LOST]
    assert lost == [{"what": journal_entries.LOST_JOURNAL, "entries": 2}]
