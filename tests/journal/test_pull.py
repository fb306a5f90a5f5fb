"""A journal is pulled exactly once, resumed, verified, and never mixed with another."""

import random
from dataclasses import replace

import pytest
from stimbench.errors import ProtocolError
from stimbench.journal.chain import Finding
from stimbench.journal.errors import StoreError
from stimbench.journal.pull import pull
from stimbench.journal.store import Store
from stimfw.protocol import journal_entries as kinds
from support.journals import (
    DEVICE,
    EPOCH_S,
    OTHER_DEVICE,
    JournalBoard,
    MadeUpJournal,
    implanted,
    kept,
    prescription,
    sealed,
)

NOW_S = EPOCH_S + 400 * 86_400


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "j.sqlite", create=True) as opened:
        yield opened


def pulled(journal, store, **more):
    return pull(JournalBoard(journal, **more), store, lambda: NOW_S)


def what(done):
    return [finding.what for finding in done.findings]


def stored(store, journal=1):
    return list(store.slots(journal))


@pytest.mark.control("C-66")
def test_everything_is_stored_once(store):
    journal = implanted(40)
    done = pulled(journal, store)
    assert (done.device_id, done.new, done.total, done.is_sound) == (DEVICE.hex(), 42, 42, True)
    assert stored(store) == journal.slots
    again = pulled(journal, store)
    assert (again.new, again.total, again.journal) == (0, 42, 1)


def test_what_is_new_is_added_and_only_that_is_asked_for(store):
    journal = implanted(40)
    pulled(journal, store)
    for index in range(10):
        journal.add(kinds.MAGNET, EPOCH_S + index, 1)
    board = JournalBoard(journal)
    assert pull(board, store, lambda: NOW_S).new == 10
    assert board.asked == [0, 41, 42, 49]
    assert stored(store) == journal.slots


@pytest.mark.control("C-66")
@pytest.mark.parametrize("seed", range(8))
def test_an_interruption_anywhere_leaves_a_good_store_and_the_next_pull_goes_on(store, seed):
    rng, journal = random.Random(seed), implanted(200)
    for _ in range(6):
        board, left = JournalBoard(journal), rng.randrange(1, 5)

        def interrupt(_first, board=board, left=left):
            if len(board.asked) > left:
                raise KeyboardInterrupt

        board.on_ask = interrupt
        with pytest.raises(KeyboardInterrupt):
            pull(board, store, lambda: NOW_S)
        for number in store.journals():
            assert stored(store, number) == journal.slots[: len(stored(store, number))]
    assert pulled(journal, store).is_sound
    assert stored(store) == journal.slots and store.journals() == [1]


def test_a_page_is_written_whole_or_not_at_all(store, monkeypatch):
    journal = implanted(20)
    monkeypatch.setattr(Store, "_add_findings", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    journal_number = store.begin_journal(NOW_S)
    with pytest.raises(KeyboardInterrupt):
        store.add_page(journal_number, journal.slots[:7], [], NOW_S)
    assert stored(store) == []


def test_a_broken_chain_is_stored_and_shown_as_that(store):
    journal = implanted(20)
    slot = bytearray(journal.slots[9])
    slot[10] ^= 1
    journal.slots[9] = sealed(bytes(slot[:30]))
    done = pulled(journal, store)
    assert [(each.number, each.what) for each in done.findings] == [(9, "broken")]
    assert stored(store) == journal.slots
    assert what(pulled(journal, store)) == ["broken"], "it stays so"


def test_an_entry_that_the_board_changed_after_it_was_pulled_is_found(store):
    journal = implanted(20)
    pulled(journal, store)
    forged = implanted(20)
    forged.slots, forged.number, forged.chain = [], 0, bytes(8)
    forged.add(kinds.BOOT, EPOCH_S, 1, b"\1\2\3\4", 0)
    forged.add(kinds.IMPLANTED, EPOCH_S + 1, DEVICE, 14)
    for index in range(30):
        forged.add(kinds.DAILY_CHECK, EPOCH_S + 60 * (index + 1), 0, 3001, 250)
    done = pulled(forged, store)
    assert "replaced" in what(done) and done.journal == 2
    assert stored(store, 1) == journal.slots and stored(store, 2) == forged.slots


@pytest.mark.control("C-66")
def test_a_board_that_was_rolled_back_is_told(store):
    journal = implanted(20)
    older = journal.copy()
    older.slots, older.number = older.slots[:15], 15
    pulled(journal, store)
    done = pulled(older, store)
    assert what(done) == ["less"] and done.new == 0
    assert stored(store) == journal.slots


def test_a_board_that_was_rolled_back_and_went_on_is_another_journal(store):
    journal = implanted(20)
    older = implanted(12)
    pulled(journal, store)
    for index in range(12):
        older.add(kinds.MAGNET, EPOCH_S + index, 1)
    done = pulled(older, store)
    assert set(what(done)) == {"forked", "replaced"} and done.journal == 2
    assert stored(store, 1) == journal.slots and stored(store, 2) == older.slots
    older.add(kinds.MAGNET, EPOCH_S, 0)
    assert (pulled(older, store).new, pulled(journal, store).journal) == (1, 1)


def test_an_erased_journal_is_told(store):
    pulled(implanted(20), store)
    with pytest.raises(StoreError, match="erased"):
        pulled(MadeUpJournal(), store)
    assert len(stored(store)) == 22


def test_a_board_without_a_journal_stores_nothing(store):
    with pytest.raises(StoreError, match="never implanted"):
        pulled(MadeUpJournal(), store)
    assert store.journals() == []


def test_two_boards_in_one_store_stay_apart(store):
    one, two = implanted(20), implanted(25, device=OTHER_DEVICE)
    for _ in range(2):
        for journal in (one, two):
            assert pulled(journal, store).is_sound
            journal.add(kinds.MAGNET, EPOCH_S, 1)
    assert store.devices() == sorted([DEVICE.hex(), OTHER_DEVICE.hex()])
    assert {entry.device_id for entry in store.entries(DEVICE.hex())} == {DEVICE.hex()}
    assert len(store.entries(OTHER_DEVICE.hex())) == 28


def test_a_board_that_is_implanted_again_goes_on_in_one_chain_with_two_devices(store):
    journal = implanted(5)
    journal.add(kinds.EXPLANTED, EPOCH_S + 900)
    journal.add(kinds.IMPLANTED, EPOCH_S + 999, OTHER_DEVICE, 14)
    journal.add(kinds.MAGNET, EPOCH_S + 1000, 1)
    done = pulled(journal, store)
    assert done.is_sound and done.device_id == OTHER_DEVICE.hex()
    assert [entry.number for entry in store.entries(OTHER_DEVICE.hex())] == [8, 9]
    assert [entry.number for entry in store.entries(DEVICE.hex())] == list(range(8))


@pytest.mark.parametrize("run", [(2, 4), (5, 9), (12, 25), (18, 20), (21, 26)])
def test_what_the_board_thins_between_two_pulls_stays_in_the_store(store, run):
    journal = implanted(20)
    pulled(journal, store)
    before = list(journal.slots)
    for _ in range(10):
        journal.add(kinds.MAGNET, EPOCH_S, 1)
    journal.thin(*run)
    done = pulled(journal, store)
    assert done.is_sound, done.findings
    assert stored(store)[:22] == before
    assert store.journals() == [1]


def test_a_slot_that_cannot_be_read_stops_nothing(store):
    journal = implanted(20)
    journal.slots[9] = journal.slots[9][:8] + bytes(24)
    done = pulled(journal, store)
    assert what(done) == ["unreadable", "missing"] and not done.is_sound
    assert stored(store) == journal.slots
    assert what(pulled(journal, store)) == ["unreadable", "missing"]


def test_a_slot_without_a_number_is_told_and_the_others_are_stored(store):
    journal = implanted(20)
    board, usual = JournalBoard(journal), JournalBoard(journal).journal

    def with_noise(first):
        page = usual(first)
        return replace(page, slots=(*page.slots[:3], b"\xff" * 32, *page.slots[4:])) if first == 7 else page

    board.journal = with_noise
    done = pull(board, store, lambda: NOW_S)
    assert what(done) == ["missing", "unreadable"] or what(done) == ["unreadable", "missing"]
    assert len(stored(store)) == 21 and "ffffffff" in done.findings[0].text + done.findings[1].text


def test_a_board_that_answers_with_other_entries_than_asked_is_an_error(store):
    journal = implanted(20)
    board = JournalBoard(journal)
    usual = board.journal
    board.journal = lambda first: usual(min(first, 3))
    with pytest.raises(ProtocolError, match="was asked for"):
        pull(board, store, lambda: NOW_S)
    assert stored(store) == journal.slots[:7]


def test_prescriptions_are_kept_of_every_pull(store):
    both = [kept(4, prescription(sessions_a_day=3)), kept(3, prescription())]
    pulled(implanted(2), store, prescriptions=both[1:])
    pulled(implanted(2), store, prescriptions=both)
    pulled(implanted(2), store)
    assert [row[0] for row in store.prescriptions(DEVICE.hex())] == [3, 4]


def test_nothing_that_was_stored_can_be_changed(store):
    pulled(implanted(5), store)
    store.add_findings(1, [Finding(1, "less", "made up")], NOW_S)
    for sql in ("UPDATE entries SET slot = zeroblob(32)", "DELETE FROM entries",
                "UPDATE entries SET device_id = 'x'", "DELETE FROM findings"):  # fmt: skip
        with pytest.raises(StoreError, match="append-only"), store.writing() as db:
            db.execute(sql)
    assert len(stored(store)) == 7


def test_progress_is_told(store):
    told = []
    pull(JournalBoard(implanted(20)), store, lambda: NOW_S, lambda done, end: told.append((done, end)))
    assert told == [(7, 22), (14, 22), (21, 22), (22, 22)]
