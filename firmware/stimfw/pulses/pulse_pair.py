"""PIO programmes of a watched train, in which each lead has its own width and gap.

Both leads' machines run one programme; what differs is in their registers: ISR holds the width, OSR the
gap. So it fits into the block's 32 words (17 for the pulse, 7 for the pacer, 7 for the sampler), where two
programmes of stimfw.pulses.waveform would not. A watched train's pacer tells the CPU behind the right lead's
pulse: then one look in a period sees the left lead's pulse half a period before its next one, and the right
lead's at once.

In a module of its own, because a board on the bench has no heap to spare for it.
"""

from stimfw.pulses import pio_words as w
from stimfw.pulses.waveform import (
    ANODIC,
    BREAK_US,
    CATHODIC,
    FLAG_LEAD_US,
    FLAG_PERIOD,
    FLAG_SAMPLE,
    LEAD_IN_US,
    LEFT,
    OFF,
    PULSE_DIVIDER,
    RIGHT,
    SHORT,
)

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


LEAST_WIDTH_US = const(5)
LEAST_GAP_US = const(3)
"""A gap that is not 0: what `set` and two `jmp` take."""
_WIDTH_CYCLES: int = const(4)  # set, the last jmp x--, mov, jmp: around the loop of a phase
_GAP_CYCLES: int = const(2)
_JMP_NOT_X = const(0x0020)  # `jmp !x, address` (RP2040 datasheet, 3.4.2.2)
_LOOP = const(32)  # cycles of `jmp x-- [31]`
_MIN_CYCLES = const(138)  # of a period: each half is its first instructions' delays and a loop
_MAX_DIVIDER = 65535 // PULSE_DIVIDER
_CATHODIC_LOOP = const(7)
_ANODIC_FROM = const(12)


def pulse_pair() -> "list[int]":
    """The pulse programme of both leads, to stand at address 0. Cycles of 1 us.

    ISR: `width_register`; OSR: `gap_register`. Edges are those of waveform.pulse_program.
    """
    words = [
        w.wait_own_irq(),
        w.set_pins(OFF),
        w.mov_pins_low(),
        w.mov_pins_high(LEAD_IN_US - FLAG_LEAD_US - 3),
        w.irq(FLAG_SAMPLE, FLAG_LEAD_US - 2),
        w.mov_x_isr(),
        w.set_pins(CATHODIC),
        w.jmp_x_dec(_CATHODIC_LOOP),
        w.mov_x_osr(),
        _JMP_NOT_X | _ANODIC_FROM,
        w.set_pins(OFF),
        w.jmp_x_dec(11),
        w.set_pins(ANODIC, 1),
        w.mov_x_isr(),
        w.jmp_x_dec(14),
        w.set_pins(OFF, BREAK_US - 1),
        w.set_pins(SHORT),
    ]
    return words


def width_register(width_us: int) -> int:
    """What ISR holds for a phase of `width_us`.

    Raises:
        ValueError: it is below LEAST_WIDTH_US.
    """
    if width_us < LEAST_WIDTH_US:
        raise ValueError("a width of %d us" % width_us)
    return width_us - _WIDTH_CYCLES


def gap_register(gap_us: int) -> int:
    """What OSR holds for a gap of `gap_us`: 0 for none.

    Raises:
        ValueError: it is 1 or 2, or negative.
    """
    if gap_us == 0:
        return 0
    if gap_us < LEAST_GAP_US:
        raise ValueError("a gap of %d us" % gap_us)
    return gap_us - _GAP_CYCLES


def gap_fits(gap_us: int) -> bool:
    """Whether the programme can make this gap."""
    return gap_us == 0 or gap_us >= LEAST_GAP_US


class PairPacer:
    """The pacer of a watched train: attributes as of waveform.Pacer.

    Attributes:
        right_go: where in `words` the right lead's go stands.
        registers: what the left and the right lead's pulse machine hold in ISR and OSR.
        told_us: from the right lead's go until the CPU is told. Its pulse is over by then, if `slot_us` was
            the longer lead's and 31 of the pacer's cycles hold it: not with a period that has few divisors.
    """

    right_go = 3

    def __init__(
        self, start: int, period_us: int, slot_us: int, registers: "tuple[tuple[int, int], ...]" = ()
    ) -> None:
        """Pace `period_us` (at least 138) from address `start`, each lead with `slot_us` for itself.

        Raises:
            ValueError: the period is too short.
        """
        if period_us < _MIN_CYCLES or 2 * slot_us > period_us:
            raise ValueError("period of %d us" % period_us)
        self.registers = registers
        self.cycle_us = _cycle_us(period_us, slot_us)
        cycles = period_us // self.cycle_us
        first = cycles // 2
        self.right_us = first * self.cycle_us
        # First half: irq 0 [a], mov, loops. Second: irq 1 [b], irq FLAG_PERIOD [c], mov, loops.
        rest_a = first - 2
        told = min(_LOOP - 1, -(-slot_us // self.cycle_us))
        self.told_us = (told + 1) * self.cycle_us
        rest_c = cycles - first - 3 - told
        self.isr = rest_a // _LOOP - 1
        self.osr = rest_c // _LOOP - 1
        self.words = [
            w.irq(LEFT, rest_a % _LOOP),
            w.mov_x_isr(),
            w.jmp_x_dec(start + 2, 31),
            w.irq(RIGHT, told),
            w.irq(FLAG_PERIOD, rest_c % _LOOP),
            w.mov_x_osr(),
            w.jmp_x_dec(start + 6, 31),
        ]


def _cycle_us(period_us: int, slot_us: int) -> int:
    """The longest cycle that divides the period into _MIN_CYCLES or more and gives the left lead its slot."""
    for cycle in range(min(_MAX_DIVIDER, period_us // _MIN_CYCLES), 1, -1):
        if period_us % cycle == 0 and period_us // cycle // 2 * cycle >= slot_us:
            return cycle
    return 1
