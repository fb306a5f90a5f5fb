"""A board's records on a flash in RAM: new, used, damaged. Runs on MicroPython too."""

from stimfw.storage import layout
from stimfw.storage.areas import EPOCHS, LIMIT, PAIRINGS, Areas
from stimfw.storage.blocks import BLOCK_BYTES
from stimfw.storage.pairings import PairingTable, RemotePairing

from support.damage import fill
from support.flash_fake import FlashFake

MATERIAL = b"48 bytes on a board" * 3
BLOCKS = {EPOCHS: layout.EPOCHS, LIMIT: layout.EPOCH_LIMIT, PAIRINGS: layout.PAIRINGS}
FIRST = layout.EPOCHS
BASE, PEER, KEY = b"\x11\x22\x33\x44", b"peer", b"k" * 32


class Shifted:
    """A flash of the blocks of the records only, as a board counts them: the rest would take long to copy."""

    def __init__(self, flash):
        self.flash = flash

    def readblocks(self, block, buffer, offset=0):
        self.flash.readblocks(block - FIRST, buffer, offset)

    def writeblocks(self, block, data, offset=None):
        self.flash.writeblocks(block - FIRST, data, offset)

    def ioctl(self, operation, argument):
        return self.flash.ioctl(operation, argument - FIRST)


def begin_table(table, random):
    if not table.base:
        table.create(random.take(4))


def begin_remote(record, random):
    if not record.own_id:
        record.keep_id(random.take(4))


BOARDS = ((PairingTable, begin_table), (RemotePairing, begin_remote))


def opened(flash, board=0, material=MATERIAL):
    return Areas(Shifted(flash), *BOARDS[board], material)


def blank():
    return FlashFake(layout.END - FIRST)


def used(board=0, boots=3):
    """A board that was paired and started a few times."""
    flash = blank()
    for _ in range(boots):
        found = opened(flash, board)
    if board == 0:
        found.pairings.create(BASE)
        found.pairings.promote(found.pairings.add(PEER, 1, KEY))
    else:
        found.pairings.store(PEER, BASE, 2, 1, KEY)
    flash.operations.clear()
    return flash


def key_of(found, board=0):
    """The key that a board would use; None if it has none."""
    if board:
        return found.pairings.key or None
    pairing = found.pairings.get(0)
    return pairing.key if pairing else None


def content(flash, area):
    start = (BLOCKS[area] - FIRST) * BLOCK_BYTES
    return bytes(flash.memory[start : start + 2 * BLOCK_BYTES])


def at(area):
    return (BLOCKS[area] - FIRST) * BLOCK_BYTES


def states_of(flash, board=0):
    before = bytes(flash.memory)
    states = opened(flash.copy(), board).states
    assert bytes(flash.memory) == before
    return states


def damaged(flash, area, name):
    fill(flash.memory, at(area), name, area == EPOCHS, 3)
    return flash
