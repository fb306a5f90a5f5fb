"""Who is paired outlives a power cut: each change of the table is there wholly or not at all."""

import struct

from stimfw.protocol import requests, roles
from stimfw.storage.blocks import DamagedError, LaterError, StorageError
from stimfw.storage.pairings import (
    ACTIVE,
    PENDING,
    SLOTS,
    PairingTable,
    RemotePairing,
    RoleClashError,
    TableFullError,
)
from stimfw.storage.record import Record
from support.flash_fake import FlashFake, each_cut

BASE = b"\x11\x22\x33\x44"


def peer(number):
    return b"p%03d" % number


def key(number):
    return bytes((number,)) * 32


def table(flash):
    return PairingTable(Record(flash, 0))


def new_table():
    flash = FlashFake(2)
    table(flash).create(BASE)
    return flash


def with_active(*numbers):
    flash = new_table()
    for number in numbers:
        made = table(flash)
        made.promote(made.add(peer(number), roles.PATIENT, key(number)))
    return flash


def content(flash):
    """Everything that a table tells."""
    found = table(flash)
    slots = [(slot, found.get(slot)) for slot in found.slots()]
    return (
        found.base,
        tuple([(slot, one.state, one.role, one.peer_id, one.key, one.generation) for slot, one in slots]),
    )


def refused(action, kind):
    try:
        action()
    except kind:
        return True
    return False


def test_a_new_board_has_no_table():
    empty = table(FlashFake(2))
    assert empty.base == b"" and empty.slots() == [] and empty.listing() == b""
    assert refused(lambda: empty.add(peer(1), 1, key(1)), StorageError)


def test_what_is_added_is_pending_and_outlives_the_table():
    flash = new_table()
    slot = table(flash).add(peer(1), roles.CLINICIAN, key(1))
    found = table(flash).get(slot)
    assert (found.state, found.role, found.peer_id, found.key) == (PENDING, roles.CLINICIAN, peer(1), key(1))
    assert found.pending and table(flash).base == BASE and table(flash).slots() == [slot]


def test_no_such_slot():
    found = table(with_active(1))
    assert found.get(-1) is None and found.get(SLOTS) is None and found.get(1) is None
    found.forget(99)
    found.promote(5)
    assert found.slots() == [0]


def test_the_new_key_is_used_the_old_goes():
    flash = with_active(1, 2)
    found = table(flash)
    slot = found.add(peer(1), roles.PATIENT, key(9))
    assert found.slots() == [0, 1, slot] and found.get(0).key == key(1)
    found.promote(slot)
    assert found.slots() == [1, slot] and found.get(slot).state == ACTIVE
    assert content(flash) == (
        BASE, ((1, ACTIVE, 1, peer(2), key(2), 0), (slot, ACTIVE, 1, peer(1), key(9), 0)),
    )  # fmt: skip
    assert key(1) not in bytes(flash.memory)


def test_the_old_keys_use_does_not_undo_the_new_one():
    """Else a thief of the old key undid a new one by using his."""
    flash = with_active(1)
    found = table(flash)
    slot = found.add(peer(1), roles.PATIENT, key(9))
    found.settle(0, 3, key(4))
    assert content(flash)[1] == ((0, ACTIVE, 1, peer(1), key(4), 3), (slot, PENDING, 1, peer(1), key(9), 0))
    flash.operations.clear()
    found.settle(0, 3, key(4))
    assert not flash.operations
    found.settle(slot, 1, key(10))
    assert content(flash)[1] == ((slot, ACTIVE, 1, peer(1), key(10), 1),)


def test_what_is_so_already_is_not_written():
    flash = with_active(1)
    found = table(flash)
    flash.operations.clear()
    found.promote(0)
    found.settle(0, 0, key(1))
    found.forget(3)
    found.settle(3, 5, key(5))
    assert not flash.operations


def test_a_later_generation_takes_the_place_of_the_key_before_it():
    flash = with_active(1, 2)
    found = table(flash)
    found.settle(0, 3, key(7))
    assert (found.get(0).generation, found.get(0).key, found.get(0).state) == (3, key(7), ACTIVE)
    assert content(flash)[1][0] == (0, ACTIVE, 1, peer(1), key(7), 3)
    assert content(flash)[1][1] == (1, ACTIVE, 1, peer(2), key(2), 0)
    assert key(1) not in bytes(flash.memory)
    found.settle(0, 0xFFFF, key(8))
    assert table(flash).get(0).generation == 0xFFFF


def test_an_older_generation_is_refused():
    flash = with_active(1)
    found = table(flash)
    found.settle(0, 3, key(7))
    before = content(flash)
    for generation, secret in ((2, key(1)), (-1, key(1)), (0x10000, key(1)), (4, b"short")):
        assert refused(lambda: found.settle(0, generation, secret), ValueError)  # noqa: B023
    assert content(flash) == before


def test_a_pending_key_that_was_stepped_on_before_its_first_use_is_settled_in_one_write():
    flash = with_active(1, 2)
    found = table(flash)
    slot = found.add(peer(1), roles.PATIENT, key(9))
    flash.operations.clear()
    found.settle(slot, 2, key(11))
    assert len([1 for kind, _, _ in flash.operations if kind == "program"]) == 1
    assert content(flash)[1] == ((1, ACTIVE, 1, peer(2), key(2), 0), (slot, ACTIVE, 1, peer(1), key(11), 2))


def test_an_id_is_its_owners_alone():
    """A patient's pairing that claims the clinician's id would have its slot freed with the first use."""
    flash = with_active(1)
    found = table(flash)
    found.add(peer(2), roles.CLINICIAN, key(2))
    before = content(flash)
    for number, role in ((1, roles.CLINICIAN), (2, roles.PATIENT)):
        assert refused(lambda: found.add(peer(number), role, key(9)), RoleClashError)  # noqa: B023
    assert content(flash) == before
    found.forget(0)
    assert found.add(peer(1), roles.CLINICIAN, key(9)) == 0


def test_two_pending_keys_of_one_peer_never_exist():
    found = table(with_active(1))
    first = found.add(peer(1), 1, key(5))
    assert found.add(peer(1), 1, key(6)) == first
    assert [found.get(slot).key for slot in found.slots()] == [key(1), key(6)]


def test_a_second_attempt_replaces_the_first():
    found = table(new_table())
    assert found.add(peer(1), 1, key(1)) == found.add(peer(1), 1, key(2)) == 0
    assert found.slots() == [0] and found.get(0).key == key(2)


def test_when_no_slot_is_free_the_oldest_pending_one_goes():
    flash = with_active(0, 1, 2)
    for number in (13, 14, 15):
        table(flash).add(peer(number), 1, key(number))
    table(flash).add(peer(13), 1, key(23))  # that makes it the youngest: slot 3
    order = [table(flash).add(peer(number), 1, key(number)) for number in range(30, 34)]
    assert order == [4, 5, 3, 4]
    assert [table(flash).get(slot).key for slot in (3, 4, 5)] == [key(32), key(33), key(31)]


def test_a_full_table_says_so_and_stays():
    flash = with_active(*range(SLOTS))
    before = content(flash)
    found = table(flash)
    assert refused(lambda: found.add(peer(9), 1, key(9)), TableFullError)
    assert content(flash) == before
    found.forget(2)
    assert found.add(peer(9), 1, key(9)) == 2


def test_bad_values_are_refused():
    found = table(new_table())
    for wrong in ((b"abc", 1, key(1)), (peer(1), 0, key(1)), (peer(1), 3, key(1)), (peer(1), 1, b"")):
        assert refused(lambda: found.add(*wrong), ValueError)  # noqa: B023
    assert refused(lambda: found.create(b"12345"), ValueError)


def test_the_listing_holds_no_keys():
    found = table(with_active(1, 2))
    found.add(peer(3), roles.CLINICIAN, key(3))
    size = struct.calcsize(requests.PAIRING_RECORD)
    listed = [
        struct.unpack_from(requests.PAIRING_RECORD, found.listing(), at)
        for at in range(0, len(found.listing()), size)
    ]
    assert listed == [(0, ACTIVE, 1, peer(1)), (1, ACTIVE, 1, peer(2)), (2, PENDING, 2, peer(3))]


def test_forgetting_all_keeps_the_base_and_a_factory_reset_does_not():
    flash = with_active(1, 2)
    table(flash).forget_all()
    assert content(flash) == (BASE, ()) and key(1) not in bytes(flash.memory)
    table(flash).create(b"abcd")
    assert content(flash) == (b"abcd", ())


CHANGES = (
    lambda found: found.add(peer(7), 2, key(7)),
    lambda found: found.add(peer(1), 1, key(8)),
    lambda found: found.promote(2),
    lambda found: found.settle(0, 4, key(14)),
    lambda found: found.settle(2, 1, key(15)),
    lambda found: found.forget(0),
    lambda found: found.forget_all(),
    lambda found: found.create(b"abcd"),
)


def test_a_cut_leaves_a_change_done_or_not_begun():
    start = with_active(1, 2)
    table(start).add(peer(2), 1, key(12))
    start.operations.clear()
    for change in CHANGES:
        before, done = content(start), start.copy()
        change(table(done))
        for flash, cut in each_cut(start, lambda flash: change(table(flash)), (0, 60, 250), (1,)):  # noqa: B023
            assert content(flash) in (before, content(done)), cut


def test_a_flash_that_does_not_take_it_changes_nothing():
    for change in CHANGES:
        flash = with_active(1, 2)
        table(flash).add(peer(2), 1, key(12))
        found = table(flash)
        before = content(flash)
        flash.dead |= {0, 1}
        assert refused(lambda: change(found), StorageError)  # noqa: B023
        assert (found.base, found.slots()) == (BASE, [0, 1, 2])
        assert found.get(2).pending and content(flash) == before


def test_a_remote_keeps_its_id_when_it_forgets():
    flash = FlashFake(2)
    remote = RemotePairing(Record(flash, 0))
    assert not remote.paired and remote.own_id == b"" and remote.key == b""
    remote.keep_id(b"mine")
    remote.store(b"mine", BASE, 3, roles.PATIENT, key(1))
    again = RemotePairing(Record(flash, 0))
    told = (again.own_id, again.base, again.slot, again.role, again.key)
    assert again.paired and told == (b"mine", BASE, 3, roles.PATIENT, key(1))
    again.forget_all()
    for known in (again, RemotePairing(Record(flash, 0))):
        assert not known.paired and known.own_id == b"mine" and known.key == b""
    assert key(1) not in bytes(flash.memory)


def test_a_cut_leaves_a_remote_with_one_whole_key():
    start = FlashFake(2)
    RemotePairing(Record(start, 0)).store(b"mine", BASE, 3, 1, key(1))
    start.operations.clear()

    def pair_again(flash):
        RemotePairing(Record(flash, 0)).store(b"mine", b"abcd", 4, 1, key(2))

    for flash, cut in each_cut(start, pair_again):
        remote = RemotePairing(Record(flash, 0))
        assert (remote.base, remote.slot, remote.key) in ((BASE, 3, key(1)), (b"abcd", 4, key(2))), cut


def test_bad_values_for_a_remote_are_refused():
    remote = RemotePairing(Record(FlashFake(2), 0))
    for slot, role, secret in ((6, 1, key(1)), (-1, 1, key(1)), (0, 0, key(1)), (0, 1, b"short")):
        assert refused(lambda: remote.store(b"mine", BASE, slot, role, secret), ValueError)  # noqa: B023
    assert refused(lambda: remote.keep_id(b"five5"), ValueError) and not remote.paired


def test_another_boards_record_is_an_error_not_an_empty_table():
    flash = new_table()
    assert refused(lambda: RemotePairing(Record(flash, 0)), DamagedError)
    for payload in (
        b"\x01mine",
        b"\x02mine",
        b"",
        b"\x00" + bytes(238),
        b"\x01" + bytes(237),
        b"\x02" + bytes(237),
    ):
        Record(flash, 0).store(payload)
        assert refused(lambda: table(flash), DamagedError)


def test_a_later_firmwares_record_is_named_so():
    flash = FlashFake(2)
    for payload in (b"\x03" + bytes(238), b"\x03", b"\xff" * 43):
        Record(flash, 0).store(payload)
        assert refused(lambda: table(flash), LaterError)
        assert refused(lambda: RemotePairing(Record(flash, 0)), LaterError)


def test_slots_states_and_roles_that_cannot_be_are_damage():
    flash = with_active(1)
    good = Record(flash, 0).load()
    assert good[5] == ACTIVE | roles.PATIENT << 5
    for head in (3 | 1 << 5, ACTIVE, ACTIVE | 3 << 5, PENDING | 3 << 5, ACTIVE | 5 << 5, PENDING | 1 << 7):
        bad = bytearray(good)
        bad[5] = head
        Record(flash, 0).store(bytes(bad))
        assert refused(lambda: table(flash), DamagedError), head
    pairing = b"\x02mine" + BASE + bytes((5, 1)) + key(1) + b"\x07\x01\x08"
    for at, value in ((9, 6), (9, 255), (10, 0), (10, 3), (45, 9), (45, 255)):  # slot, role, steps
        bad = bytearray(pairing)
        bad[at] = value
        Record(flash, 0).store(bytes(bad))
        assert refused(lambda: RemotePairing(Record(flash, 0)), DamagedError), (at, value)
    Record(flash, 0).store(pairing)
    found = RemotePairing(Record(flash, 0))
    assert (found.slot, found.role, found.generation, found.steps) == (5, 1, 0x107, 8)
