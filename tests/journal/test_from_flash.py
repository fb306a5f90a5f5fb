"""Pulls from the very journal that a board keeps, while it thins itself."""

import random

import pytest
from stimbench.client.journal_requests import JournalPage
from stimbench.journal.chain import verify
from stimbench.journal.pull import pull
from stimbench.journal.store import Store
from stimfw.protocol import journal_entries as kinds
from stimfw.storage import journal_format
from stimfw.storage.journal_format import SLOT_BYTES
from support import journal_rig
from support.journals import DEVICE, EPOCH_S, JournalBoard, implanted

A_REPLY = 7


class FlashBoard(JournalBoard):
    """Answers from a Journal on flash, as the board's handler does."""

    def __init__(self, journal):
        super().__init__(implanted())
        self.flash_journal = journal

    def journal(self, first):
        at, raw = self.flash_journal.read(first, A_REPLY)
        slots = tuple(raw[begin : begin + SLOT_BYTES] for begin in range(0, len(raw), SLOT_BYTES))
        return JournalPage(at, self.flash_journal.oldest, self.flash_journal.next_number, slots)


@pytest.mark.control("C-66")
@pytest.mark.parametrize("seed", range(4))
def test_pulls_at_any_time_lose_nothing_that_was_there_and_verify(tmp_path, seed):
    rng, flash = random.Random(seed), journal_rig.new_flash()
    journal = journal_rig.opened(flash, kept_numbers=100)
    journal_rig.prepare(journal)
    journal.append(kinds.IMPLANTED, 0, EPOCH_S, kinds.pack(kinds.IMPLANTED, DEVICE, 14))
    seen = {}
    with Store(tmp_path / "j.sqlite", create=True) as store:
        store.rows("PRAGMA synchronous = OFF")
        for _ in range(8):
            journal_rig.run(journal, rng.randrange(1, 350))
            if rng.random() < 0.3:
                journal = journal_rig.opened(flash, kept_numbers=100)  # a restart
            board = FlashBoard(journal)
            done = pull(board, store, lambda: EPOCH_S)
            assert done.is_sound, done.findings
            assert (done.journal, done.device_id) == (1, DEVICE.hex())
            kept = list(store.slots(1))
            by_number = {journal_format.number_of(slot): slot for slot in kept}
            assert all(by_number[number] == slot for number, slot in seen.items()), "nothing is ever lost"
            seen = by_number
            assert journal_format.chain_of(kept[-1]) == journal.head()
        assert verify(kept).markers > 0, "the board has thinned"
        assert len(kept) > len(journal_rig.read_all(journal)), "the store has what the board dropped"
