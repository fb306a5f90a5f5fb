"""A PIO state machine that counts cycles: what a programme does, without a chip (RP2040 datasheet, 3.4).

Only the instructions of stimfw.pulses.pio_words. Runs on CPython and on MicroPython.
"""

_SET_PINS = 0
_SET_X = 1
_SET_Y = 2


class Machine:
    """One state machine, from `start` on, wrapping from behind `top` to `bottom`.

    `pins` and `mov_pins` note `(cycle, value)` of the SET pins and of the MOV pin, `flags` `(cycle, flag)` of
    what was set, `pushes` `(cycle, ISR)`.
    """

    def __init__(self, words, start=0, bottom=0, top=None, number=0):
        self.words = words
        self.pc = start
        self.bottom = bottom
        self.top = len(words) - 1 if top is None else top
        self.number = number
        self.cycle = 0
        self.x = self.y = self.isr = self.osr = 0
        self.feed = []
        self.pins = []
        self.mov_pins = []
        self.flags = []
        self.pushes = []
        self.waits_for = None

    def go(self, cycle=None):
        """Run from the present `wait` (its flag is set at `cycle`) to the next one, or to the first."""
        if self.waits_for is not None:
            self.cycle = max(self.cycle, self.cycle if cycle is None else cycle) + 1
            self.waits_for = None
            self._next()
        while self.waits_for is None:
            self.step()

    def step(self):
        """One instruction; at a `wait` the machine stands still until `go`."""
        word = self.words[self.pc]
        kind = word >> 13
        delay = word >> 8 & 31
        if kind == 1:
            assert word & 0x60 == 0x40 and word & 0x80, "wait 1 irq is the only wait here"
            flag = word & 7
            self.waits_for = (flag + self.number) & 3 if word & 0x10 else flag
            return
        act = (self._jmp, None, None, self._out, self._push_pull, self._mov, self._irq, self._set)
        jumped = act[kind](word)
        self.cycle += 1 + delay
        if not jumped:
            self._next()

    def _next(self):
        self.pc = self.bottom if self.pc == self.top else self.pc + 1

    def _jmp(self, word):
        condition = word >> 5 & 7
        if condition == 2:
            taken = self.x != 0
            self.x = (self.x - 1) & 0xFFFFFFFF
        elif condition == 4:
            taken = self.y != 0
            self.y = (self.y - 1) & 0xFFFFFFFF
        elif condition == 1:
            taken = self.x == 0
        else:
            assert condition == 0, condition
            taken = True
        if taken:
            self.pc = word & 31
        return taken

    def _out(self, word):
        bits = word & 31
        if not self.osr_bits():
            self.osr = self.feed.pop(0)
            self._left = 32
        value = self.osr & ((1 << bits) - 1)
        self.osr >>= bits
        self._left -= bits
        if word >> 5 & 7 == 1:
            self.x = value
        else:
            assert word >> 5 & 7 == 6
            self.isr = value

    _left = 0

    def osr_bits(self):
        """Bits left in the OSR."""
        return self._left

    def _push_pull(self, word):
        assert not word & 0x80, "pull is for the CPU's own use"
        self.pushes.append((self.cycle, self.isr))
        self.isr = 0

    def _mov(self, word):
        to, source = word >> 5 & 7, word & 7
        value = (0, self.x, self.y, 0, 0, 0, self.isr, self.osr)[source]
        if word >> 3 & 3 == 1:
            value ^= 0xFFFFFFFF
        if to == 0:
            self.mov_pins.append((self.cycle, value & 1))
        elif to == 1:
            self.x = value
        elif to == 2:
            self.y = value
        else:
            assert to == 6, to
            self.isr = value

    def _irq(self, word):
        assert not word & 0x60, "irq nowait, set"
        self.flags.append((self.cycle, word & 7))

    def _set(self, word):
        to, value = word >> 5 & 7, word & 31
        if to == _SET_PINS:
            self.pins.append((self.cycle, value))
        elif to == _SET_X:
            self.x = value
        else:
            assert to == _SET_Y, to
            self.y = value
