"""A slot of the journal byte by byte, and what the chain tells of a journal that was changed."""

import struct
from binascii import unhexlify
from hashlib import sha256

from stimfw.protocol import journal_entries
from stimfw.storage import journal_format
from stimfw.storage.journal_format import (
    CHANGED,
    FAULT_TEXTS,
    MISSING,
    NO_CHAIN,
    ORDER,
    SOUND,
    UNREADABLE,
    checksum,
    fault_of,
    marker,
    pack,
    verify,
)
from support.control import control

SLOT = 32


def chain(count):
    """So many slots, from the first number on."""
    slots, before = [], NO_CHAIN
    for number in range(count):
        slots.append(pack(number, 1_700_000_000 + number, number % 29 or 1, 3, b"body%d" % number, before))
        before = journal_format.chain_of(slots[-1])
    return slots


def resealed(slot):
    """With a right checksum, whatever else was done to it."""
    return bytes(slot[:30]) + struct.pack("<H", checksum(bytes(slot[:30])))


def raised(action, kind):
    try:
        action()
    except kind:
        return
    raise AssertionError("nothing was raised")


def test_the_checksum_is_the_published_one():
    # CRC-16/IBM-3740 in the catalogue of parametrised CRC algorithms: its check value.
    assert checksum(b"123456789") == 0x29B1
    assert checksum(b"") == 0xFFFF


def test_a_slot_is_what_its_description_says():
    slot = pack(0x01020304, 0x65432100, journal_entries.FAULT, 0xFE, b"abc", b"12345678")
    head = b"\x04\x03\x02\x01\x00\x21\x43\x65" + bytes([12, 0xFE]) + b"abc" + bytes(9)
    hashed = sha256(b"SBj1" + b"12345678" + head).digest()[:8]
    assert slot == head + hashed + struct.pack("<H", checksum(head + hashed))
    assert len(slot) == SLOT == journal_format.SLOT_BYTES
    assert journal_format.fields(slot) == (0x01020304, 0x65432100, 12, 0xFE, b"abc" + bytes(9), hashed)


def test_a_known_slot():
    """The bytes of one slot for good: what a board wrote must be readable by every later host."""
    slot = pack(0, 1_700_000_000, journal_entries.BOOT, 254, bytes(range(9)), NO_CHAIN)
    assert slot == KNOWN


KNOWN = unhexlify("0000000000f1536501fe000102030405060708000000" "441314b9f3e1c9410bf1")


def test_what_does_not_fit_is_refused():
    raised(lambda: pack(0, 0, 1, 0, bytes(13), NO_CHAIN), ValueError)
    raised(lambda: pack(0xFFFFFFFF, 0, 1, 0, b"", NO_CHAIN), ValueError)
    assert journal_format.number_of(pack(0xFFFFFFFE, 0, 1, 0, bytes(12), NO_CHAIN)) == 0xFFFFFFFE


def test_a_whole_chain_verifies():
    slots = chain(40)
    walk = verify(slots)
    assert (walk.entries, walk.markers, walk.thinned, walk.faults) == (40, 0, 0, [])
    assert walk.last == 39 and walk.head == slots[-1][22:30]
    assert verify([]).faults == [] and verify([]).head == NO_CHAIN


def test_up_to_three_wrong_bits_are_an_unreadable_slot():
    slot = chain(2)[1]
    for bit in range(8 * SLOT):
        for others in ((), ((bit + 1) % 256,), ((bit + 9) % 256, (bit + 100) % 256)):
            changed = bytearray(slot)
            for each in (bit,) + others:
                changed[each >> 3] ^= 1 << (each & 7)
            assert not journal_format.is_whole(changed), (bit, others)
    assert fault_of(changed, 0, NO_CHAIN) == UNREADABLE


def test_blank_and_zero_slots_are_none():
    assert not journal_format.is_whole(bytes(SLOT))
    assert not journal_format.is_whole(b"\xff" * SLOT)


@control("C-64")
def test_a_changed_byte_is_told_even_with_a_right_checksum():
    slots = chain(6)
    for at in range(22):
        changed = bytearray(slots[3])
        changed[at] ^= 0x40 if at != 8 else 0x20
        walk = verify(slots[:3] + [resealed(changed)] + slots[4:])
        assert walk.faults, at
    # The hash recomputed as well: then the next entry does not follow.
    forged = pack(3, 1_700_000_003, 3, 3, b"other", journal_format.chain_of(slots[2]))
    assert verify(slots[:3] + [forged] + slots[4:]).faults == [(4, CHANGED)]


def test_a_removed_entry_is_told():
    slots = chain(6)
    for gone in range(5):
        assert verify(slots[:gone] + slots[gone + 1 :]).faults == [(gone + 1, MISSING)]


def test_a_removed_entry_is_told_where_the_later_ones_are_numbered_anew():
    slots = chain(6)
    moved = bytearray(slots[3])
    moved[0] = 2
    walk = verify(slots[:2] + [resealed(moved)])
    assert walk.faults == [(2, CHANGED)]


def test_swapped_and_repeated_entries_are_told():
    slots = chain(6)
    swapped = slots[:2] + [slots[3], slots[2]] + slots[4:]
    assert verify(swapped).faults == [(3, MISSING), (2, ORDER), (4, MISSING)]
    assert verify(slots[:3] + [slots[2]] + slots[3:]).faults == [(2, ORDER)]
    # Each with the other's number.
    two, three = bytearray(slots[3]), bytearray(slots[2])
    two[0], three[0] = 2, 3
    assert verify(slots[:2] + [resealed(two), resealed(three)] + slots[4:]).faults[0] == (2, CHANGED)


def test_a_missing_end_is_told_by_number_and_head_only():
    slots = chain(6)
    walk, whole = verify(slots[:4]), verify(slots)
    assert walk.faults == []
    assert walk.last != whole.last and walk.head != whole.head


def test_another_beginning_is_told():
    other = pack(0, 5, 1, 0, b"", NO_CHAIN)
    slots = chain(3)
    assert verify([other] + slots[1:]).faults == [(1, CHANGED)]
    assert verify(slots[1:]).faults == [(1, MISSING)]


def test_a_marker_stands_for_a_run_and_the_next_entry_follows_from_it():
    slots = chain(8)
    walk = verify([slots[0], marker(slots[4], 4, 2)] + slots[5:])
    assert (walk.faults, walk.entries, walk.markers, walk.thinned, walk.last) == ([], 4, 1, 4, 7)
    assert verify([marker(slots[4], 5, 0)] + slots[5:]).faults == []
    assert verify(slots[:5] + [marker(slots[7], 3, 3)]).faults == []
    row = journal_entries.unpack(journal_entries.THINNED, marker(slots[4], 4, 2)[10:22])
    assert row == {"entries": 4, "clinical": 2}
    assert journal_format.begin_of(marker(slots[4], 4, 2)) == 1 and journal_format.begin_of(slots[4]) == 4


def test_a_forged_marker_is_told():
    slots = chain(8)
    after = slots[5:]
    for entries, fault in ((3, MISSING), (1, MISSING), (5, CHANGED), (6, CHANGED), (0, CHANGED)):
        forged = marker(slots[4], entries, 0)
        assert verify([slots[0], forged] + after).faults == [(4, fault)], entries
    assert verify(slots[:4] + [marker(slots[4], 0, 0)] + after).faults == [(4, CHANGED)]
    assert verify([slots[0], marker(slots[4], 4, 5)] + after).faults == [(4, CHANGED)]
    # With another chain hash the next entry does not follow from it.
    other = bytearray(marker(slots[4], 4, 0))
    other[25] ^= 1
    assert verify([slots[0], resealed(other)] + after).faults == [(5, CHANGED)]
    # With another number the count is wrong, or the next entry's place.
    moved = bytearray(marker(slots[4], 4, 0))
    moved[0] = 3
    assert verify([slots[0], resealed(moved)] + after).faults[0][0] in (3, 5)


def test_a_marker_over_entries_that_the_journal_never_dropped_is_not_told():
    """What the chain cannot tell: only a host that pulled entry 3 before does."""
    slots = chain(6)
    assert verify(slots[:3] + [marker(slots[3], 1, 0)] + slots[4:]).faults == []


def test_a_walk_goes_on_from_what_was_pulled_before():
    slots = chain(9)
    half = verify(slots[:5])
    walk = journal_format.Walk(half.last, half.head)
    assert [walk.feed(slot) for slot in slots[5:]] == [SOUND] * 4
    again = journal_format.Walk(half.last, NO_CHAIN)
    assert again.feed(slots[5]) == CHANGED and again.feed(slots[6]) == SOUND


def test_an_unreadable_slot_leaves_a_hole_in_the_walk():
    slots = chain(6)
    bad = bytearray(slots[2])
    bad[11] ^= 1
    walk = verify(slots[:2] + [bad] + slots[3:])
    assert walk.faults == [(2, UNREADABLE), (3, MISSING)] and walk.last == 5
    assert len(FAULT_TEXTS) == 5
