"""The pulse machines' fixed numbers, written out a second time, and the pacer's clock by counting."""

from stimfw.pulses import waveform
from stimfw.pulses.waveform import Pacer, pacer_cycle_us

# docs/hardware.md: the bridge's lines from the SET base on are CATH, ANOD, SHORT.
CATH_LINE = 1
ANOD_LINE = 2
SHORT_LINE = 4
CLOCK_HZ = 125_000_000
LONGEST_CYCLE_US = 524  # a 16-bit divider at 125 MHz: 65535 / 125
SHORTEST_PERIOD = 72  # cycles
IRQ = 0xC000  # RP2040 datasheet, section 3.4.9


def slowest_cycle_us(period_us, slot_us):
    """The longest cycle that divides the period and gives the left lead its slot, by trying each."""
    best = 1
    for cycle_us in range(1, LONGEST_CYCLE_US + 1):
        cycles = period_us // cycle_us
        if cycles * cycle_us != period_us or cycles < SHORTEST_PERIOD:
            continue
        if cycles // 2 * cycle_us >= slot_us:
            best = cycle_us
    return best


def test_the_lines_of_a_bridge_are_those_of_the_board():
    assert waveform.CATHODIC == CATH_LINE
    assert waveform.ANODIC == ANOD_LINE
    assert waveform.SHORT == SHORT_LINE
    assert waveform.OFF == 0


def test_a_pulse_machine_counts_microseconds():
    assert waveform.SYSTEM_HZ == CLOCK_HZ
    assert waveform.PULSE_DIVIDER * 1_000_000 == CLOCK_HZ


def test_a_block_has_four_machines_and_32_words():
    assert (waveform.LEFT, waveform.RIGHT, waveform.PACER, waveform.SAMPLER) == (0, 1, 2, 3)
    assert waveform.WORDS == 32


def test_the_flags_of_period_and_sample_are_none_of_a_machine():
    """Flags 0 and 1 are the go of the two leads."""
    assert waveform.FLAG_PERIOD == 2 and waveform.FLAG_SAMPLE == 4


def test_the_sampler_is_told_twelve_microseconds_ahead():
    assert waveform.FLAG_LEAD_US == 12 and waveform.LEAD_IN_US == 18 and waveform.BREAK_US == 4


def test_the_right_go_stands_where_it_is_said_to_stand():
    words = Pacer(0, 50_000, 448).words
    assert words[waveform.RIGHT_GO] & 0xE0FF == IRQ | 1


def test_the_pacer_runs_as_slowly_as_it_may():
    for period_us in (72, 73, 144, 145, 216, 5000, 5051, 6300, 50_000, 52_632, 99_991, 1_000_000):
        half = period_us // 2
        for slot_us in (0, 1, 60, 448, half // 3, half - 1, half):
            wanted = slowest_cycle_us(period_us, slot_us)
            assert pacer_cycle_us(period_us, slot_us) == wanted, (period_us, slot_us)


def test_an_odd_number_of_cycles_makes_the_left_half_the_shorter_one():
    """7500 us in 75 cycles of 100 us: 37 cycles are 3700 us, so a slot of 3701 us needs another clock."""
    assert pacer_cycle_us(7500, 3700) == 100
    assert pacer_cycle_us(7500, 3701) == slowest_cycle_us(7500, 3701) != 100
