"""A NOR flash in RAM, behind MicroPython's block device, whose supply can be cut inside any operation.

Runs on MicroPython too.
"""

import random

NO_CUT = "no cut"
BLOCK = 4096
PAGE = 256


class PowerCut(BaseException):
    """The supply failed: nothing after it happens. Not an Exception, so that no handler outlives it."""


class FlashFake:
    """`rp2.Flash` with counted operations.

    Attributes:
        operations: (kind, block, page) of each, "erase" or "program", in order.
        stuck: (block, byte) to bits that stay 0 after an erase.
        dead: blocks that nothing is programmed in, or erased.
    """

    def __init__(self, blocks=4):
        self.memory = bytearray(b"\xff" * (blocks * BLOCK))
        self.operations = []
        self.stuck = {}
        self.dead = set()
        self._cut_in = None
        self._share = 0
        self._dice = None

    def cut(self, after, share_256, seed):
        """Cut the supply in the operation after `after` more; each bit is done with share_256 of 256."""
        self._cut_in = after
        self._share = share_256
        self._dice = random.getrandbits
        random.seed(seed)

    def power(self):
        """The supply is there again, and stays."""
        self._cut_in = None
        return self

    def copy(self):
        """Another flash with the same content."""
        other = FlashFake(len(self.memory) // BLOCK)
        other.memory[:] = self.memory
        return other

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK + offset
        buffer[:] = self.memory[start : start + len(buffer)]

    def writeblocks(self, block, data, offset=None):
        if offset is None:
            self.ioctl(6, block)
            offset = 0
        assert offset % PAGE == 0 and len(data) % PAGE == 0 and len(data)
        for at in range(0, len(data), PAGE):
            start = block * BLOCK + offset + at
            old = self.memory[start : start + PAGE]
            new = bytearray(PAGE)
            for index in range(PAGE):
                new[index] = old[index] & data[at + index]
            self._change("program", start, old, new)

    def ioctl(self, operation, argument):
        if operation == 4:
            return len(self.memory) // BLOCK
        if operation == 5:
            return BLOCK
        assert operation == 6
        start = argument * BLOCK
        new = bytearray(b"\xff" * BLOCK)
        for (block, byte), bits in self.stuck.items():
            if block == argument:
                new[byte] &= ~bits & 0xFF
        self._change("erase", start, self.memory[start : start + BLOCK], new)
        return 0

    def _change(self, kind, start, old, new):
        self.operations.append((kind, start // BLOCK, start % BLOCK // PAGE))
        if start // BLOCK in self.dead:
            new = old
        if self._cut_in is None:
            self.memory[start : start + len(new)] = new
            return
        self._cut_in -= 1
        if self._cut_in >= 0:
            self.memory[start : start + len(new)] = new
            return
        for index in range(len(new)):
            if old[index] != new[index]:
                self.memory[start + index] = self._torn(old[index], new[index])
        raise PowerCut()

    def _torn(self, old, new):
        for bit in range(8):
            mask = 1 << bit
            if (old ^ new) & mask and self._dice(8) < self._share:
                old ^= mask
        return old


def is_cut(action, flash):
    """Run `action(flash)`; whether the supply failed meanwhile."""
    try:
        action(flash)
        return False
    except PowerCut:
        return True


def each_cut(start, action, shares=(0, 8, 128, 248, 256), seeds=(1, 2)):
    """Run `action(flash)` on copies of `start`, its supply cut in every operation, at several points of each.

    Gives (the flash, powered again; which cut it was) for each; last the run without one, as NO_CUT.
    """
    whole = start.copy()
    action(whole)
    for after in range(len(whole.operations)):
        for share in shares:
            for seed in seeds:
                flash = start.copy()
                flash.cut(after, share, seed)
                assert is_cut(action, flash), "the same actions are the same operations"
                yield flash.power(), (flash.operations[-1], share, seed)
    yield whole, NO_CUT
