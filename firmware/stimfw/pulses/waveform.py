"""From widths and rate to PIO programmes: every edge of a pulse train, counted in clock cycles.

Four state machines of one PIO block, started in the same cycle, make the train with no help from the CPU:

- machine 0 (left) and 1 (right) run the pulse programme at 1 MHz: recharge off, amplitude latched (LDAC),
  cathodic phase, interphase gap, anodic phase, recharge on, then they stall for the next go.
- machine 2, the pacer, says go: left at the start of a period, right half a period later. It runs as slowly
  as the period's divisors let it, and exactly: `cycles * cycle_us == period_us`.
- machine 3 takes the measurements inside the cathodic phase (stimfw.pulses.sampling).

All dividers are whole numbers and all machines share one start, so each time is the same in every pulse.
"""

from stimfw.pulses import pio_words as w

SYSTEM_HZ = 125_000_000
PULSE_DIVIDER = 125
"""System clocks in a microsecond: the pulse machines' cycle."""

LEFT, RIGHT, PACER, SAMPLER = 0, 1, 2, 3
FLAG_PERIOD = 2  # tells the CPU that a period began
FLAG_SAMPLE = 4  # tells the sampler that a cathodic phase begins in FLAG_LEAD_US

# The three pins of a bridge, from the machine's SET base: hardware order CATH, ANOD, SHORT.
CATHODIC = 1
ANODIC = 2
SHORT = 4
OFF = 0

RIGHT_GO = 4
"""Where in the pacer's programme the right lead's go stands."""
LEAD_IN_US = 18
"""Go to cathodic edge: recharge opens, LDAC pulses, the DAC has 15 us for its 4.5 us of settling."""
FLAG_LEAD_US = 12
"""The sampler is told this long before the cathodic edge, so that it can also see the rest before it."""
BREAK_US = 4
"""Both switches off between the anodic phase and the recharge."""

_MAX_DIVIDER = 65535 // PULSE_DIVIDER
_LOOP = 32  # cycles of `jmp x-- [31]`
_MIN_CYCLES = 72  # two halves of at least one loop each
WORDS = 32
"""Instructions that a PIO block holds."""


def _hold(start: int, pins: int, cycles: int) -> "list[int]":
    """Instructions from `start` on that put `pins` out and keep them for exactly `cycles` (1-1025)."""
    if cycles <= _LOOP:
        return [w.set_pins(pins, cycles - 1)]
    loops = (cycles - 2) // _LOOP
    if loops == 0:
        return [w.set_pins(pins, 31), w.nop(cycles - 33)]
    return [w.set_pins(pins, cycles - 2 - loops * _LOOP), w.set_x(loops - 1), w.jmp_x_dec(start + 2, 31)]


def pulse_program(width_us: int, gap_us: int) -> "list[int]":
    """The pulse programme of both leads, to stand at address 0.

    Args:
        width_us: each phase, 1-1025.
        gap_us: between the phases, 0-1025.
    """
    words = [
        w.wait_own_irq(),
        w.set_pins(OFF),
        w.mov_pins_low(),
        w.mov_pins_high(LEAD_IN_US - FLAG_LEAD_US - 3),
        w.irq(FLAG_SAMPLE, FLAG_LEAD_US - 1),
    ]
    words += _hold(len(words), CATHODIC, width_us)
    if gap_us:
        words += _hold(len(words), OFF, gap_us)
    words += _hold(len(words), ANODIC, width_us)
    words += [w.set_pins(OFF, BREAK_US - 1), w.set_pins(SHORT)]
    return words


def pacer_cycle_us(period_us: int, slot_us: int) -> int:
    """The cycle in us of the slowest pacer that divides the period and gives the left lead its slot."""
    for cycle in range(min(_MAX_DIVIDER, period_us // _MIN_CYCLES), 1, -1):
        if period_us % cycle == 0 and period_us // cycle // 2 * cycle >= slot_us:
            return cycle
    return 1


class Pacer:
    """The pacer's programme and what its registers hold, for one period.

    `words` for address `start`; `isr` and `osr` are to be loaded before it starts; `cycle_us` is its clock.
    `right_us` is the delay from the left lead's go to the right one's: half a period, to half a cycle.
    """

    def __init__(self, start: int, period_us: int, slot_us: int) -> None:
        """Pace `period_us` (at least 72) from address `start`, each lead with `slot_us` for itself.

        Raises:
            ValueError: the period is too short.
        """
        if period_us < _MIN_CYCLES or 2 * slot_us > period_us:
            raise ValueError("period of %d us" % period_us)
        self.cycle_us = pacer_cycle_us(period_us, slot_us)
        cycles = period_us // self.cycle_us
        first = cycles // 2
        self.right_us = first * self.cycle_us
        # First half: irq 0, irq FLAG_PERIOD [a], mov, loops. Second: irq 1 [b], mov, loops.
        rest_a = first - 3
        rest_b = cycles - first - 2
        self.isr = rest_a // _LOOP - 1
        self.osr = rest_b // _LOOP - 1
        self.words = [
            w.irq(LEFT),
            w.irq(FLAG_PERIOD, rest_a % _LOOP),
            w.mov_x_isr(),
            w.jmp_x_dec(start + 3, 31),
            w.irq(RIGHT, rest_b % _LOOP),
            w.mov_x_osr(),
            w.jmp_x_dec(start + 6, 31),
        ]
