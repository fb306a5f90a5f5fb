"""When the converter samples inside a cathodic phase, and what its codes mean.

The sampler machine (stimfw.logic.waveform, machine 3) takes one 32-bit word a sample from a DMA channel: a
delay and the value for the ADC's CS register. It pushes that value; a second DMA channel carries it to the
ADC, which converts once; a third stores the result. No CPU has a part in it.
"""

from stimfw.logic import pio_words as w
from stimfw.logic.waveform import FLAG_SAMPLE

DIVIDER = 25
"""System clocks in a cycle of the sampler: 0.2 us."""
_CYCLE_NS = 200
_WAIT_NS = 1000  # the flag is set 1 us before the cathodic edge
_SETUP_CYCLES = 5  # wait, set y, out x, out isr, push: from the flag to the first conversion, less the delay
_BETWEEN_CYCLES = 4  # jmp y, out x, out isr, push: between two conversions, less the delay

_CS_EN_START_ONCE = 0x5  # ADC CS bits 0 and 2 (RP2040 datasheet, table 566)
_CS_AINSEL = 12

CHANNEL_V = (0, 1)
CHANNEL_I = 2

# 3.3 V / 4096 codes, behind 1.65 V + V/10 and 1.65 V + 0.15 V/mA (docs/hardware.md); scaled by 1024.
_MV_PER_CODE_1024 = 8250
_UA_PER_CODE_1024 = 5500


def millivolts(codes: int) -> int:
    """Electrode voltage in mV of a difference of ADC codes."""
    return codes * _MV_PER_CODE_1024 // 1024


def microamps(codes: int) -> int:
    """Delivered current in uA of a difference of ADC codes."""
    return codes * _UA_PER_CODE_1024 // 1024


class SamplePlan:
    """The same samples in each cathodic phase of both leads.

    Attributes:
        count: samples a pulse.
        kinds: a string of `count` letters, V (electrode voltage) or I (current), in order of time.
        times_ns: when each conversion starts, ns after the cathodic edge.
        words: sampler programme for address `start`.
        table: `2 * count` DMA words, left's then right's.
    """

    def __init__(self, start: int, width_us: int, kinds: str) -> None:
        """Spread `kinds` evenly over a phase of `width_us`.

        Raises:
            ValueError: they do not fit (2 us a conversion), or are not 2, 4, 8 or 16.
        """
        self.count = len(kinds)
        if self.count not in (2, 4, 8, 16):
            raise ValueError("%d samples" % self.count)
        self.kinds = kinds
        # A loop of 1 us is fine enough for a short phase; a long one is counted in 5 us, 5 times cheaper.
        cycles = 5 if width_us <= 100 else 25
        interval = width_us * 1000 // (self.count + 1) - _BETWEEN_CYCLES * _CYCLE_NS
        loops = interval // (cycles * _CYCLE_NS)
        if loops < 1:
            raise ValueError("%d samples in %d us" % (self.count, width_us))
        spacing = loops * cycles * _CYCLE_NS + _BETWEEN_CYCLES * _CYCLE_NS
        first = loops * cycles * _CYCLE_NS + _SETUP_CYCLES * _CYCLE_NS - _WAIT_NS
        self.times_ns = [first + i * spacing for i in range(self.count)]
        self.words = [
            w.wait_irq(FLAG_SAMPLE),
            w.set_y(self.count - 1),
            w.out_x_16(),
            w.jmp_x_dec(start + 3, cycles - 1),
            w.out_isr_16(),
            w.push_noblock(),
            w.jmp_y_dec(start + 2),
        ]
        self.table = [loops - 1 | cs_word(lead, kind) << 16 for lead in (0, 1) for kind in kinds]


def cs_word(lead: int, kind: str) -> int:
    """What starts one conversion of a lead's voltage (V) or of the current (I)."""
    channel = CHANNEL_I if kind == "I" else CHANNEL_V[lead]
    return _CS_EN_START_ONCE | channel << _CS_AINSEL
