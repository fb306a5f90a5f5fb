"""Tables of pairings byte by byte, and which of several slots a change touches."""

import struct

from stimfw.storage import pairings
from stimfw.storage.blocks import DamagedError, StorageError
from stimfw.storage.pairings import PairingTable, RemotePairing, RoleClashError, TableFullError

BASE = b"\x11\x22\x33\x44"
PENDING = 1
ACTIVE = 2
SLOTS = 6


class Kept:
    """A record in RAM: what was stored last is loaded."""

    def __init__(self, payload=None):
        self.payload = payload
        self.writes = 0

    def load(self):
        return self.payload

    def store(self, payload):
        self.payload = payload
        self.writes += 1


def peer(number):
    return b"p%03d" % number


def key(number):
    return bytes((number,)) * 32


def packed(ranks=(), slots=()):
    """A table as its format has it: `slots` of (state, role, number of the peer[, generation]) or None."""
    ranks = list(ranks) + [0] * (SLOTS - len(ranks))
    out = b"\x02" + BASE
    for index in range(SLOTS):
        one = slots[index] if index < len(slots) else None
        if one is None:
            out += bytes(39)
            continue
        state, role, number = one[:3]
        head = state | ranks[index] << 2 | role << 5
        out += bytes((head,)) + peer(number) + key(number) + struct.pack("<H", one[3] if len(one) > 3 else 0)
    return out


def table(ranks=(), slots=()):
    return PairingTable(Kept(packed(ranks, slots)))


def said(action, kind):
    try:
        action()
    except kind as error:
        return str(error)
    raise AssertionError("taken")


A, B, C = (ACTIVE, 1, 1), (ACTIVE, 2, 2), (ACTIVE, 1, 3)


def test_a_new_table_is_239_bytes():
    kept = Kept()
    PairingTable(kept).create(BASE)
    assert kept.payload == packed() and len(kept.payload) == 239


def test_what_is_added_stands_where_the_table_says():
    kept = Kept(packed())
    found = PairingTable(kept)
    for number, role in ((1, 1), (2, 2), (3, 1)):
        assert found.add(peer(number), role, key(number)) == number - 1
    assert kept.payload == packed((1, 2, 3), [(PENDING, 1, 1), (PENDING, 2, 2), (PENDING, 1, 3)])
    found.promote(1)
    assert kept.payload == packed((1, 0, 3), [(PENDING, 1, 1), (ACTIVE, 2, 2), (PENDING, 1, 3)])
    found.add(peer(4), 1, key(4))
    slots = [(PENDING, 1, 1), (ACTIVE, 2, 2), (PENDING, 1, 3), (PENDING, 1, 4)]
    assert kept.payload == packed((1, 0, 2, 3), slots)
    found.add(peer(1), 1, key(1))  # again: the youngest now
    assert kept.payload == packed((3, 0, 1, 2), slots)
    found.forget(2)
    slots[2] = None
    assert kept.payload == packed((3, 0, 0, 2), slots)


def test_the_oldest_pending_one_gives_way():
    slots = [(PENDING, 1, n) for n in range(1, 7)]
    for oldest in range(SLOTS):
        ranks = [(slot - oldest) % SLOTS + 1 for slot in range(SLOTS)]
        found = table(ranks, slots)
        assert found.add(peer(9), 1, key(9)) == oldest


def test_a_pending_key_of_the_same_peer_gives_way_first_and_no_other_peers():
    slots = [(PENDING, 1, n) for n in (5, 3, 7)]
    for number, slot in ((5, 0), (3, 1), (7, 2), (1, 3), (4, 3), (9, 3)):
        assert table((1, 2, 3), slots).add(peer(number), 1, key(number)) == slot, number


def test_forgetting_one_slot_leaves_every_other():
    for slot in range(3):
        found = table((), [A, B, C])
        found.forget(slot)
        assert found.slots() == [other for other in range(3) if other != slot]
    for slot in (-1, 3, 6, 255):
        found = table((), [A, B, C])
        found.forget(slot)
        assert found.slots() == [0, 1, 2]


def test_a_used_key_frees_the_peers_other_slots_wherever_they_are():
    for slots, slot, left in (
        ([A, B, (PENDING, 1, 1)], 2, [1, 2]),
        ([(PENDING, 1, 1), B, A], 0, [0, 1]),
        ([B, (PENDING, 1, 1), A, A], 1, [0, 1]),
    ):
        ranks = [1 if one[0] == PENDING else 0 for one in slots]
        kept = Kept(packed(ranks, slots))
        found = PairingTable(kept)
        found.promote(slot)
        assert found.slots() == left and found.get(slot).state == ACTIVE
        assert [kept.payload[5 + 39 * slot] >> 2 & 7 for slot in range(SLOTS)] == [0] * SLOTS


def test_a_used_key_stands_with_its_generation_and_frees_no_peer_of_another_role():
    """One id of two roles: an older firmware took that."""
    kept = Kept(packed((1,), [(PENDING, 1, 1), (ACTIVE, 2, 1), (ACTIVE, 1, 1), B]))
    found = PairingTable(kept)
    found.settle(0, 0x1234, key(9))
    slots = [(ACTIVE, 1, 9, 0x1234), (ACTIVE, 2, 1), None, B]
    wanted = packed((), slots).replace(peer(9), peer(1))
    assert kept.payload == wanted and kept.writes == 1
    found.settle(0, 0x1235, key(9))
    assert kept.payload[42:44] == b"\x35\x12"
    assert found.get(0).generation == 0x1235 and found.slots() == [0, 1, 3]


def test_a_pairing_is_pending_or_active_or_the_table_is_damaged():
    found = table((1,), [(PENDING, 1, 1), (ACTIVE, 1, 2), (0, 1, 3)])
    assert found.slots() == [0, 1]
    assert found.get(0).pending is True and found.get(1).pending is False
    assert (pairings.FREE, pairings.PENDING, pairings.ACTIVE) == (0, PENDING, ACTIVE)
    for state, role in ((3, 1), (3, 0), (1, 0), (2, 0), (1, 3), (2, 3), (2, 7), (1, 4)):
        text = said(lambda slot=(state, role, 4): table((1,), [slot]), DamagedError)  # noqa: B008
        assert text == "slot 0: state %d, role %d" % (state, role)


def test_there_are_six_slots_and_no_others():
    found = table((), [(ACTIVE, 1, n) for n in range(1, 7)])
    assert [found.get(slot).peer_id for slot in range(SLOTS)] == [peer(n) for n in range(1, 7)]
    for slot in (-7, -6, -1, 6, 7, 255):
        assert found.get(slot) is None, slot


def test_a_key_is_a_patients_or_a_clinicians():
    for role in (1, 2):
        found = table()
        assert found.get(found.add(peer(1), role, key(1))).role == role
    for role in (-1, 0, 3, 4, 255, 256):
        assert said(lambda role=role: table().add(peer(1), role, key(1)), ValueError) == "role %d" % role


def test_another_roles_id_is_refused_wherever_it_stands():
    for slots in ([A, B], [None, B, A], [B, None, None, None, None, (PENDING, 1, 1)]):
        found = table((), slots)
        slot = [slot for slot in found.slots() if found.get(slot).peer_id == peer(1)][0]
        text = said(lambda found=found: found.add(peer(1), 2, key(1)), RoleClashError)
        assert text == "the peer in slot %d has another role" % slot


def test_generations_do_not_go_back():
    found = table((), [(ACTIVE, 1, 1, 7)])
    for generation in (-1, 0, 6, 0x10000):
        text = said(lambda generation=generation: found.settle(0, generation, key(1)), ValueError)
        assert text == "generation %d, 7 is kept" % generation


def test_a_full_table_says_so():
    found = table((), [(ACTIVE, 1, n) for n in range(1, 7)])
    assert said(lambda: found.add(peer(9), 1, key(9)), TableFullError) == "all 6 slots are taken"


def test_other_formats_are_refused():
    good = packed()
    for payload in (b"\x00" + good[1:], b"\x03" + good[1:], good[:-1], good + b"\0", b"", b"\x01", b"\x02"):
        said(lambda payload=payload: PairingTable(Kept(payload)), StorageError)
    for payload in (
        b"\x00own1", b"\x03own1", b"\x02own", b"\x02own12", b"\x02own1" + bytes(40), b"\x02own1" + bytes(42),
        b"\x02own1" + BASE + b"\x00\x01" + key(1), b"\x01own1" + BASE + b"\x00\x01" + key(1) + bytes(3),
    ):  # fmt: skip
        said(lambda payload=payload: RemotePairing(Kept(payload)), StorageError)


def test_a_remotes_pairing_stands_where_its_format_says():
    kept = Kept()
    one = RemotePairing(kept)
    assert (one.own_id, one.paired, one.base, one.slot, one.role, one.key) == (b"", False, b"", 0, 0, b"")
    one.keep_id(b"own1")
    assert kept.payload == b"\x02own1" and not one.paired and not one.may_step()
    one.store(b"own1", BASE, 5, 2, key(7))
    assert kept.payload == b"\x02own1" + BASE + b"\x05\x02" + key(7) + bytes(3) and len(kept.payload) == 46
    one.step(key(8))
    assert kept.payload == b"\x02own1" + BASE + b"\x05\x02" + key(8) + b"\x01\x00\x01"
    one.confirmed()
    assert kept.payload == b"\x02own1" + BASE + b"\x05\x02" + key(8) + b"\x01\x00\x00"
    one.forget_all()
    assert kept.payload == b"\x02own1"
    assert (one.own_id, one.paired, one.base, one.slot, one.role, one.key) == (b"own1", False, b"", 0, 0, b"")
    assert (one.generation, one.steps) == (0, 0)


def test_a_remotes_slot_and_role_keep_their_ranges():
    for slot, role in ((0, 1), (5, 1), (0, 2)):
        one = RemotePairing(Kept())
        one.store(b"own1", BASE, slot, role, key(1))
        assert (one.slot, one.role) == (slot, role)
    for slot, role in ((-1, 1), (6, 1), (7, 1), (0, 0), (0, -1), (0, 3), (0, 256), (0, 257)):
        one = RemotePairing(Kept())
        text = said(lambda: one.store(b"own1", BASE, slot, role, key(1)), ValueError)  # noqa: B023
        assert text == "slot %d, role %d" % (slot, role) and not one.paired


def test_a_wrong_size_is_told_in_words():
    assert said(lambda: table().create(b"123"), ValueError) == "3 bytes, 4 wanted"
    assert said(lambda: table().add(peer(1), 1, bytes(31)), ValueError) == "31 bytes, 32 wanted"
    assert said(lambda: table((), [A]).settle(0, 1, bytes(33)), ValueError) == "33 bytes, 32 wanted"
