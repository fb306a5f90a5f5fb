"""A chain verifies, and every change of it is found where it is."""

import json
import random

import pytest
from stimbench.journal.chain import ChainWalk, verify
from stimbench.journal.entries import Entry
from stimfw.protocol import journal_entries as kinds
from support.journals import EPOCH_S, implanted, sealed


def found(slots):
    return [(finding.number, finding.what) for finding in verify(slots).findings]


def test_a_whole_journal_verifies():
    journal = implanted(20)
    seen = verify(journal.slots)
    assert seen.is_sound
    assert (seen.first, seen.last, seen.entries, seen.head) == (0, 21, 22, journal.chain)


@pytest.mark.control("C-66")
@pytest.mark.parametrize("at", range(0, 30, 3))
def test_a_changed_byte_is_found_even_if_its_checksum_was_made_right_again(at):
    journal = implanted(6)
    slot = bytearray(journal.slots[4])
    slot[at] ^= 1
    journal.slots[4] = sealed(bytes(slot[:30]))
    assert found(journal.slots)


def test_a_body_that_was_changed_is_broken_there_and_only_there():
    journal = implanted(6)
    slot = bytearray(journal.slots[4])
    slot[10] ^= 1
    journal.slots[4] = sealed(bytes(slot[:30]))
    assert found(journal.slots) == [(4, "broken")]


def test_a_wrong_checksum_is_unreadable():
    journal = implanted(6)
    journal.slots[4] = journal.slots[4][:-1] + bytes([journal.slots[4][-1] ^ 1])
    assert (4, "unreadable") in found(journal.slots)


@pytest.mark.control("C-66")
def test_an_entry_that_was_taken_out_is_missing():
    journal = implanted(6)
    del journal.slots[3]
    assert found(journal.slots) == [(4, "missing")]


def test_a_chain_that_was_made_anew_from_there_on_is_missing_or_broken_against_what_was_pulled():
    older, forged = implanted(6), implanted(6, device=bytes(8))
    walk = ChainWalk(5, Entry.of(older.slots[5]).chain)
    assert [finding.what for slot in forged.slots[6:] for finding in walk.feed(slot)] == ["broken"]


def test_a_journal_without_its_beginning_says_so():
    assert found(implanted(6).slots[2:]) == [(2, "beginning")]


def test_slots_out_of_order_are_told():
    journal = implanted(6)
    journal.slots[3], journal.slots[4] = journal.slots[4], journal.slots[3]
    assert "order" in [what for _, what in found(journal.slots)]


def test_what_the_board_dropped_itself_is_counted_and_no_fault():
    journal = implanted(10)
    journal.thin(2, 6)
    seen = verify(journal.slots)
    assert seen.is_sound
    assert (seen.thinned, seen.markers, seen.entries) == (5, 1, 8)


def test_a_marker_that_names_fewer_than_are_missing_does_not_hide_the_others():
    journal = implanted(10)
    journal.thin(4, 6)
    del journal.slots[3]
    assert found(journal.slots) == [(6, "missing")]


def test_the_entry_behind_a_marker_is_still_verified():
    journal = implanted(10)
    journal.thin(2, 6)
    slot = bytearray(journal.slots[3])
    slot[10] ^= 1
    journal.slots[3] = sealed(bytes(slot[:30]))
    assert found(journal.slots) == [(7, "broken")]


def test_a_marker_whose_hash_was_changed_breaks_the_next_entry():
    journal = implanted(10)
    journal.thin(2, 6)
    slot = bytearray(journal.slots[2])
    slot[25] ^= 1
    journal.slots[2] = sealed(bytes(slot[:30]))
    assert found(journal.slots) == [(7, "broken")]


def test_an_entry_in_words():
    journal = implanted()
    journal.add(kinds.SESSION_ENDED, EPOCH_S + 5, 7, 4, 1800, 55, 0, sender=2)
    entry = Entry.of(journal.slots[-1])
    assert entry.text == "session 7, cause session over, elapsed_s 1800, cycles 55, fault none"
    assert (entry.name, entry.group, entry.sender_name) == ("session ended", "clinical", "slot 2")
    assert Entry.of(journal.slots[1]).words == {"device_id": "a1b2c3d4e5f60718", "healing_days": 14}


def test_every_kind_has_words():
    journal = implanted()
    for row in kinds.TABLE:
        size = kinds.struct.calcsize(row[kinds.BODY])
        for body in (bytes(size), b"\xff" * size):
            journal.add_body(row[kinds.NUMBER], 5, body)
            entry = Entry.of(journal.slots[-1])
            assert list(entry.words) == row[kinds.FIELDS].split() and isinstance(entry.text, str)


def test_whatever_lies_in_a_slot_can_be_told():
    rng = random.Random(5)
    for _ in range(500):
        raw = bytearray(rng.randbytes(30))
        raw[8] %= len(kinds.TABLE) + 2
        entry = Entry.of(sealed(bytes(raw)))
        assert entry.readable and json.dumps(entry.as_data())
        assert not Entry.of(rng.randbytes(32)).fields


def test_a_kind_of_a_later_firmware_is_kept_and_verified():
    journal = implanted()
    journal.add_body(200, EPOCH_S, b"\1\2\3")
    assert verify(journal.slots).is_sound
    entry = Entry.of(journal.slots[-1])
    assert (entry.name, entry.group, entry.fields) == ("kind 200", "unknown", {})
