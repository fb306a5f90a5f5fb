"""Keys go from generation to generation on both boards, and a power cut anywhere leaves a pair that works."""

import struct

from stimfw.protocol import roles
from stimfw.storage.blocks import DamagedError, StorageError
from stimfw.storage.pairings import PairingTable, RemotePairing
from stimfw.storage.record import Record
from stimfw.telemetry.keys import next_key
from support.flash_fake import FlashFake, PowerCut, each_cut

BASE = b"\x11\x22\x33\x44"
OWN = b"mine"
FIRST = b"\x01" * 32
NEW = b"\x02" * 32
AHEAD = 32
"""The stimulator follows a peer so many generations beyond the one on its flash."""
MOST_STEPS = 8


def stepped(key, count):
    for _ in range(count):
        key = next_key(key)
    return key


def table(flash):
    return PairingTable(Record(flash, 0))


def remote(flash):
    return RemotePairing(Record(flash, 2))


def refused(action, kind=ValueError):
    try:
        action()
    except kind:
        return True
    return False


def paired(generation=0, steps=0):
    """Both boards' records on one flash, the remote so many unconfirmed steps ahead."""
    flash = FlashFake(4)
    held = table(flash)
    held.create(BASE)
    held.add(b"othr", roles.CLINICIAN, b"c" * 32)
    slot = held.add(OWN, roles.PATIENT, FIRST)
    held.settle(slot, generation, stepped(FIRST, generation))
    its = remote(flash)
    its.store(OWN, BASE, slot, roles.PATIENT, FIRST)
    for number in range(generation + steps):
        its.step(next_key(its.key))
        if number < generation:
            its.confirmed()
    flash.operations.clear()
    return flash


def connect(held, its):
    """What the stimulator then holds in RAM: slot, generation, key; None: these two are no pair."""
    pairing = held.get(its.slot)
    if not its.paired or pairing is None or pairing.peer_id != its.own_id:
        return None
    ahead = its.generation - pairing.generation
    if not 0 <= ahead <= AHEAD or stepped(pairing.key, ahead) != its.key:
        return None
    return its.slot, its.generation, its.key


def works(flash):
    """Whether the boards, started now, connect, and again after all that follows from it."""
    its, held = remote(flash), table(flash)
    if its.may_step():
        its.step(next_key(its.key))
    used = connect(held, its)
    if used is None:
        return False
    its.confirmed()
    held.settle(*used)
    return connect(table(flash), remote(flash)) is not None and remote(flash).steps == 0


def test_a_step_puts_the_next_key_in_the_place_of_the_last():
    flash = paired()
    its = remote(flash)
    its.step(next_key(its.key))
    again = remote(flash)
    assert (again.key, again.generation, again.steps) == (next_key(FIRST), 1, 1)
    assert FIRST not in bytes(flash.memory[2 * 4096 :]), "a key that was left behind opens nothing any more"
    assert (again.own_id, again.base, again.slot, again.role) == (OWN, BASE, 1, roles.PATIENT)


def test_a_remote_that_nobody_answers_steps_eight_times():
    flash = paired()
    its = remote(flash)
    for number in range(MOST_STEPS):
        assert its.may_step() and its.steps == number
        its.step(next_key(its.key))
    assert not its.may_step() and refused(lambda: its.step(next_key(its.key)))
    assert (remote(flash).generation, remote(flash).steps) == (MOST_STEPS, MOST_STEPS)
    its.confirmed()
    assert remote(flash).steps == 0 and remote(flash).generation == MOST_STEPS and its.may_step()


def test_what_is_confirmed_already_is_not_written():
    flash = paired()
    its = remote(flash)
    its.confirmed()
    assert not flash.operations
    assert refused(lambda: its.step(b"short")) and its.generation == 0


def test_the_last_generation_is_not_stepped_beyond():
    flash = paired()
    payload = b"\x02" + OWN + BASE + bytes((1, 1)) + FIRST + b"\xff\xff\x00"
    Record(flash, 2).store(payload)
    assert not remote(flash).may_step() and refused(lambda: remote(flash).step(NEW))


def test_a_new_pairing_begins_at_generation_zero():
    flash = paired(5, 2)
    its = remote(flash)
    assert (its.generation, its.steps) == (7, 2)
    its.store(OWN, BASE, 3, roles.PATIENT, NEW)
    assert (its.generation, its.steps, its.key) == (0, 0, NEW)
    held = table(flash)
    slot = held.add(OWN, roles.PATIENT, NEW)
    assert held.get(slot).generation == 0 and held.get(1).generation == 5


def test_a_remote_without_a_pairing_steps_nowhere():
    its = RemotePairing(Record(FlashFake(4), 2))
    its.keep_id(OWN)
    assert not its.may_step() and refused(lambda: its.step(NEW))
    its.confirmed()
    assert not its.paired


# The supply fails.


def test_a_cut_in_a_step_leaves_a_pair_that_works():
    for generation, steps in ((0, 0), (3, 0), (3, 7), (3, 8)):
        start = paired(generation, steps)

        def step(flash):
            its = remote(flash)
            if its.may_step():
                its.step(next_key(its.key))

        for flash, cut in each_cut(start, step, (0, 8, 128, 248, 256), (1,)):
            assert remote(flash).steps in (steps, steps + 1), cut
            assert works(flash), (generation, steps, cut)


def test_a_cut_in_a_confirmation_leaves_a_pair_that_works():
    for generation, steps in ((0, 1), (3, 8)):
        for flash, cut in each_cut(
            paired(generation, steps), lambda flash: remote(flash).confirmed(), seeds=(1,)
        ):
            its = remote(flash)
            assert its.steps in (steps, 0) and its.generation == generation + steps, cut
            assert works(flash), (generation, steps, cut)


def test_a_cut_in_a_settlement_leaves_a_pair_that_works():
    for generation, steps in ((0, 0), (0, 1), (3, 8)):
        start = paired(generation, steps)

        def settle(flash):
            held = table(flash)
            held.settle(*connect(held, remote(flash)))

        for flash, cut in each_cut(start, settle, seeds=(1,)):
            assert table(flash).get(1).generation in (generation, generation + steps), cut
            assert table(flash).get(0).key == b"c" * 32, cut
            assert works(flash), (generation, steps, cut)


def test_a_cut_anywhere_in_a_new_pairing_leaves_a_pair_that_works():
    """The stimulator stores it as pending, then the remote stores, steps, and is the first to use it."""
    start = paired(3, 2)

    def pair(flash):
        held = table(flash)
        slot = held.add(OWN, roles.PATIENT, NEW)
        its = remote(flash)
        its.store(OWN, BASE, slot, roles.PATIENT, NEW)
        its.step(next_key(its.key))
        held.settle(*connect(held, its))
        its.confirmed()

    for flash, cut in each_cut(start, pair, (0, 128, 256), (1,)):
        assert works(flash), cut
        mine = [slot for slot in table(flash).slots() if table(flash).get(slot).peer_id == OWN]
        assert len(mine) == 1 or table(flash).get(mine[1]).pending or table(flash).get(mine[0]).pending, cut


def life(flash, dice, cut_at):
    """Twelve starts of the two boards in turn; the flash operation number `cut_at` is cut short."""
    flash.cut(cut_at, dice(8), cut_at)
    for _ in range(12):
        its = remote(flash)
        if its.may_step():
            its.step(next_key(its.key))
        held = table(flash)
        used = connect(held, its)
        assert used is not None
        if dice(1):
            held.settle(*used)
        if dice(1):
            its.confirmed()


def test_whole_lives_with_a_cut_at_each_operation():
    from support.link_harness import Rng

    for number in range(60):
        rng = Rng(number)
        flash = paired(1, number % 3)
        try:
            life(flash, lambda bits, rng=rng: rng.below(1 << bits), number)
        except PowerCut:
            pass
        flash.power()
        assert works(flash), number


# What an older firmware wrote.


def old_table(ranks, slots):
    out = b"\x01" + BASE + bytes(ranks)
    for one in slots:
        out += bytes(38) if one is None else struct.pack("<BB4s32s", *one)
    return out + bytes(38 * (6 - len(slots)))


def test_a_table_of_version_1_is_read_and_converted_when_something_is_stored():
    flash = FlashFake(2)
    slots = [(2, 1, b"aaaa", FIRST), None, (1, 2, b"bbbb", NEW), (1, 1, b"cccc", FIRST)]
    Record(flash, 0).store(old_table((0, 0, 2, 1, 0, 0), slots))
    before = bytes(flash.memory)
    found = table(flash)
    assert found.base == BASE and found.slots() == [0, 2, 3] and bytes(flash.memory) == before
    told = [found.get(slot) for slot in found.slots()]
    assert [(one.state, one.role, one.peer_id, one.key, one.generation) for one in told] == [
        (2, 1, b"aaaa", FIRST, 0), (1, 2, b"bbbb", NEW, 0), (1, 1, b"cccc", FIRST, 0),
    ]  # fmt: skip
    assert [found.add(b"p%03d" % number, 1, NEW) for number in range(3)] == [1, 4, 5]
    assert found.add(b"last", 1, NEW) == 3, "the ranks came along: cccc was the oldest"
    assert Record(flash, 0).load()[:1] == b"\x02" and len(Record(flash, 0).load()) == 239
    assert [table(flash).get(slot).peer_id for slot in (0, 2, 3)] == [b"aaaa", b"bbbb", b"last"]


def test_the_conversion_outlives_a_power_cut():
    flash = FlashFake(2)
    Record(flash, 0).store(old_table((0, 1, 0, 0, 0, 0), [(2, 1, b"aaaa", FIRST), (1, 1, b"aaaa", NEW)]))
    flash.operations.clear()
    for cut_flash, cut in each_cut(flash, lambda flash: table(flash).settle(1, 2, stepped(NEW, 2))):
        found = table(cut_flash)
        if found.slots() == [1]:
            assert (found.get(1).generation, found.get(1).key) == (2, stepped(NEW, 2)), cut
        else:
            assert [found.get(slot).key for slot in found.slots()] == [FIRST, NEW], cut


def test_what_version_1_could_not_be_is_damage():
    good = [(2, 1, b"aaaa", FIRST)]
    flash = FlashFake(2)
    for ranks, slots in (
        ((0,) * 6, [(3, 1, b"aaaa", FIRST)]),
        ((0,) * 6, [(2, 3, b"aaaa", FIRST)]),
        ((0,) * 6, [(1, 0, b"aaaa", FIRST)]),
        ((7, 0, 0, 0, 0, 0), good),
    ):
        Record(flash, 0).store(old_table(ranks, slots))
        assert refused(lambda: table(flash), DamagedError), (ranks, slots)
    for payload in (old_table((0,) * 6, good)[:-1], old_table((0,) * 6, good) + b"\0"):
        Record(flash, 0).store(payload)
        assert refused(lambda: table(flash), StorageError)


def test_a_remote_of_version_1_is_read_and_converted_when_something_is_stored():
    flash = FlashFake(4)
    old = b"\x01" + OWN + BASE + bytes((4, 1)) + FIRST
    Record(flash, 2).store(old)
    its = remote(flash)
    assert (its.own_id, its.base, its.slot, its.role, its.key) == (OWN, BASE, 4, 1, FIRST)
    assert (its.generation, its.steps, its.may_step()) == (0, 0, True)
    its.confirmed()
    assert Record(flash, 2).load() == old
    its.step(next_key(FIRST))
    assert Record(flash, 2).load() == b"\x02" + old[1:11] + next_key(FIRST) + b"\x01\x00\x01"
    for role in (0, 3, 255):
        Record(flash, 2).store(old[:10] + bytes((role,)) + FIRST)
        assert refused(lambda: remote(flash), DamagedError), role
    Record(flash, 2).store(b"\x01" + OWN)
    assert not remote(flash).paired and remote(flash).own_id == OWN
