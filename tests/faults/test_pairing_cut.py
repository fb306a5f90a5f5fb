"""The supply of either board fails in a pairing by radio: then the old key works, or the new one."""

import pytest
from stimfw.pairing import exchange as pk
from stimfw.telemetry import frames
from support.branches import branch
from support.pairing_bench import couple_at_rest

OFF_MS = 20
BOOT_MS = 320
SETTLES_MS = 35_000  # a window that is open lasts up to 30 s, and no key is settled in it
HALF = 0.5
STORING = [
    ("stimulator", 0, HALF, "old"),  # its new record is half written
    ("stimulator", 1, HALF, "old"),  # it is written, the one before half erased; the remote was not told
    ("remote", 0, HALF, "old"),  # its new record is half written
    ("remote", 1, HALF, "new"),  # it is written, the one before half erased
    ("stimulator", 2, HALF, "new"),  # the new key was used: the old one goes
]
"""Board, number of its flash operation since the confirmation, how much of it is done, what works then."""

pytestmark = [pytest.mark.emulated, pytest.mark.slow]


def cut(couple, name, before):
    """The supply fails, and comes back; which key works, if one does."""
    board = couple.bench.board(name)
    board.power_off()
    couple.run_ms(OFF_MS)
    board.power_on()
    couple.run_ms(BOOT_MS)
    if name == "stimulator":
        couple.board.rebooted()
        couple.bench.press("STOP", 80)  # ends the remote's own attempt, if it goes on
    assert couple.works(), "neither key works"
    assert couple.works(), "the key that has worked does not any more"
    old = couple.has_key_of(before)
    couple.wait(couple.one_key_in_use if old else couple.one_key, SETTLES_MS, 100_000)
    return "old" if old else "new"


def cut_at(couple, name, number, share, before):
    """The same when so much of the number-th flash operation from here is done."""
    flash = couple.bench.board(name).flash
    number += len(flash.operations)
    couple.wait(lambda: len(flash.operations) > number, 6000, 50)
    operation = flash.operations[number]
    at_ns = operation.start_ns + round(share * (operation.end_ns - operation.start_ns))
    couple.bench.run_to(max(couple.bench.now_ns, at_ns))
    assert flash.busy
    return cut(couple, name, before)


@pytest.mark.control("C-35")
def test_the_supply_fails_in_a_pairing():
    branch(lambda: assert_outlives_cuts(couple_at_rest()))


def assert_outlives_cuts(couple):
    before = couple.remotes()
    couple.begin()
    couple.wait(lambda: couple.said(frames.PAIR_REPLY, pk.BEGIN), poll_us=100)
    assert branch(lambda: cut(couple, "stimulator", before)) == "old"
    couple.compare()
    assert branch(lambda: cut(couple, "remote", before)) == "old"
    couple.see()
    couple.confirm()
    for name, number, share, expected in STORING:
        found = branch(lambda where=(name, number, share): cut_at(couple, *where, before))
        assert found == expected, (name, number, share)
    couple.wait(lambda: couple.lit("GREEN"))
    assert couple.remotes() != before, "without a cut it is the new one"
