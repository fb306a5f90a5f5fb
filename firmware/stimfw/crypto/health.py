"""Health tests of a source of random bits: NIST SP 800-90B, 4.4.1 and 4.4.2. Integers only.

They notice a source that has failed. They do not make a good one, and nothing here is certified. They are
laid out for a source that gives half a bit of entropy in each bit read (H = 0.5), and for at most one false
alarm in 2**20 tests (alpha).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Register(Protocol):
        """Gives a raw bit, 0 or 1, each time that its item 0 is read."""

        def __getitem__(self, index: int) -> int: ...


try:
    import micropython  # type: ignore[import-not-found,unused-ignore]
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython
    from types import SimpleNamespace

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """`value`. MicroPython's compiler puts it in place of the name."""
        return value

    # Its decorators need this name.
    micropython = SimpleNamespace(native=lambda function: function)  # type: ignore[assignment,unused-ignore]


BLOCK_BITS = const(64)
"""What is read and tested at a time; a whole number of them makes a window."""
REPETITIONS = const(41)
"""Equal bits in a row that are too many: 1 + ceil(20 / H) (4.4.1)."""
WINDOW_BITS = const(1024)
"""Of the proportion test, for a source of two values (4.4.2)."""
MOST_ALIKE = const(793)
"""Equal bits in a window that are too many: 1 + critbinom(1024, 2**-H, 1 - alpha) (4.4.2)."""
START_BITS = const(1024)
"""So many bits are tested at a start before any is used (4.3, requirement 4)."""


class CheckedBits:
    """The raw bits of a source, each of them tested before it is used.

    Attributes:
        failed: a test has failed. It stays so: only another start of the board, with its test, mends it.
    """

    def __init__(self, register: "Register") -> None:
        """Args: register: its item 0 is a new bit at each reading. `start` comes before all else."""
        self._register = register
        self._block = bytearray(BLOCK_BITS)  # most draws are one: no heap for them
        self.failed = False
        self._last = 0
        self._run = 0
        self._ones = 0  # in the present window
        self._seen = 0

    def start(self) -> bytearray:
        """The test of a start: START_BITS bits, which may be used afterwards. Takes 10 ms."""
        return self.draw(START_BITS)

    def draw(self, count: int) -> bytearray:
        """At least `count` raw bits, a byte each, in whole blocks: to be hashed, also if they failed.

        What it returns holds until the next draw.
        """
        blocks = (count + BLOCK_BITS - 1) // BLOCK_BITS
        bits = self._block if blocks == 1 else bytearray(blocks * BLOCK_BITS)
        for begin in range(0, len(bits), BLOCK_BITS):
            self._read_block(bits, begin)
        return bits

    @micropython.native  # type: ignore[untyped-decorator,unused-ignore]
    def _read_block(self, bits: bytearray, begin: int) -> None:
        """Read and test a block. The tests are what keeps two readings apart: 9 us on the RP2040.

        4.4.2 counts how often the first bit of a window comes again. Here the other value is counted as well:
        otherwise a source that nearly always gives 1 passes each window that begins with a 0.
        """
        register = self._register
        last = self._last
        run = self._run
        longest = 0
        ones = self._ones
        for place in range(begin, begin + BLOCK_BITS):
            bit = register[0]
            bits[place] = bit
            ones += bit
            if bit == last:
                run += 1
            else:
                if run > longest:
                    longest = run
                run = 1
                last = bit
        self._last = last
        self._run = run
        self._seen += BLOCK_BITS
        if max(run, longest) >= REPETITIONS or max(ones, self._seen - ones) >= MOST_ALIKE:
            self.failed = True
        if self._seen == WINDOW_BITS:
            ones = self._seen = 0
        self._ones = ones
