"""When the converter samples inside a cathodic phase.

The sampler machine (stimfw.pulses.waveform, machine 3) takes one 32-bit word a sample from a DMA channel: a
delay and the value for the ADC's CS register. It pushes that value; a second DMA channel carries it to the
ADC, which converts once; a third stores the result. The CPU has no part in it.
"""

from typing import TYPE_CHECKING

from stimfw.pulses import pio_words as w
from stimfw.pulses.waveform import FLAG_LEAD_US, FLAG_SAMPLE

if TYPE_CHECKING:
    from collections.abc import Sequence

DIVIDER = 25
"""System clocks in a cycle of the sampler: 0.2 us."""
_LOOP_CYCLES = 5  # a delay is counted in us
_LOOP_NS = 1000
_FIRST_NS = 1000 - 1000 * FLAG_LEAD_US  # flag to first conversion without its delay: 5 cycles
_BETWEEN_NS = 800  # jmp y, out x, out isr, push: between two conversions, less the delay
_LEAST_LOOPS = 2  # a conversion takes 2 us

_CS_EN_START_ONCE = 0x5  # ADC CS bits 0 and 2 (RP2040 datasheet, table 566)
_CS_AINSEL = 12

CHANNEL_V = (0, 1)
CHANNEL_I = 2


class SamplePlan:
    """The same samples in each pulse of both leads.

    Attributes:
        count: samples a pulse.
        kinds: a letter a sample, in order of time: I (current), V (electrode voltage) or B (the same before
            the cathodic edge).
        times_ns: when each conversion starts, ns after the cathodic edge.
        words: sampler programme for address `start`.
        table: `2 * count` DMA words, left's then right's.
        period_us: of the train that they are taken in; set by who loads it.
    """

    def __init__(self, start: int, kinds: str, times_us: "Sequence[int]") -> None:
        """Place samples of `kinds` as near to `times_us` (from -10 on, ascending) as the sampler can.

        Raises:
            ValueError: they are not 2, 4, 8 or 16, or they are closer than 2.8 us.
        """
        self.count = len(kinds)
        if self.count not in (2, 4, 8, 16) or len(times_us) != self.count:
            raise ValueError("%d samples" % self.count)
        self.kinds = kinds
        self.period_us = 0
        self.times_ns: "list[int]" = []
        loops = []
        before_ns = _FIRST_NS
        for time_us in times_us:
            count = (time_us * 1000 - before_ns + _LOOP_NS // 2) // _LOOP_NS
            if count < (_LEAST_LOOPS if self.times_ns else 1):
                raise ValueError("a sample at %d us" % time_us)
            loops.append(count)
            self.times_ns.append(before_ns + count * _LOOP_NS)
            before_ns = self.times_ns[-1] + _BETWEEN_NS
        self.words = [
            w.wait_irq(FLAG_SAMPLE),
            w.set_y(self.count - 1),
            w.out_x_16(),
            w.jmp_x_dec(start + 3, _LOOP_CYCLES - 1),
            w.out_isr_16(),
            w.push_noblock(),
            w.jmp_y_dec(start + 2),
        ]
        self.table = [n - 1 | cs_word(lead, kind) << 16 for lead in (0, 1) for n, kind in zip(loops, kinds)]


def evenly(width_us: int, count: int) -> "list[int]":
    """`count` times spread over a phase, in us."""
    return [width_us * (k + 1) // (count + 1) for k in range(count)]


def cs_word(lead: int, kind: str) -> int:
    """What starts one conversion of a lead's voltage (V, B) or of the current (I)."""
    channel = CHANNEL_I if kind == "I" else CHANNEL_V[lead]
    return _CS_EN_START_ONCE | channel << _CS_AINSEL
