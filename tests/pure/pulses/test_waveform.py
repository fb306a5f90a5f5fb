"""Every edge of every pulse that can be asked for, counted in cycles of the machines that make it."""

from stimfw.pulses import waveform
from stimfw.pulses.waveform import (
    ANODIC,
    CATHODIC,
    FLAG_LEAD_US,
    OFF,
    SHORT,
    Pacer,
    pulse_program,
)
from stimfw.therapy import ranges
from stimfw.therapy.program import period_us
from support.control import control
from support.pio_cycles import Machine

WIDTHS = range(ranges.WIDTH_US.low, ranges.WIDTH_US.high + 1)
GAPS = range(ranges.GAP_US.low, ranges.GAP_US.high + 1)
RATES = range(ranges.RATE_HZ.low, ranges.RATE_HZ.high + 1)
SAMPLER_WORDS = 7

# What docs/firmware.md and docs/hardware.md promise, in us; not read from the code that is to keep it.
LEAD_IN_US = 18  # go to cathodic edge
BREAK_US = 4  # from the end of the anodic phase to the recharge
GUARD_US = 20  # of a period, beside each pulse
NO_OVERLAP_US = 18  # one lead's LDAC comes 2 us after its go, and must not meet the other's pulse
LONGEST_PULSE_US = 2500  # two phases of 1000 us and a gap of 500 us


def pulse(width_us, gap_us):
    """The machine after one pulse whose go came at cycle 0; it waits for the next."""
    machine = Machine(pulse_program(width_us, gap_us))
    machine.go()
    assert machine.waits_for == 0
    machine.go(-1)  # times count from the end of the wait
    return machine


def check_pulse(width_us, gap_us):
    machine = pulse(width_us, gap_us)
    at = machine.pins[0][0] + LEAD_IN_US
    expected = [(at, CATHODIC)]
    if gap_us:
        expected.append((at + width_us, OFF))
    at += width_us + gap_us
    expected.append((at, ANODIC))
    at += width_us
    expected += [(at, OFF), (at + BREAK_US, SHORT)]
    assert machine.pins[0][1] == OFF and machine.pins[1:] == expected, (width_us, gap_us, machine.pins)
    assert len(machine.words) + 7 + SAMPLER_WORDS <= waveform.WORDS, (width_us, gap_us)


def test_every_width_at_the_gaps_that_compose_differently():
    for gap_us in (0, 1, 32, 33, 34, 65, 66, 500):
        for width_us in WIDTHS:
            check_pulse(width_us, gap_us)


def test_every_gap_at_the_widths_that_compose_differently():
    for width_us in (20, 32, 33, 34, 66, 214, 1000):
        for gap_us in GAPS:
            check_pulse(width_us, gap_us)


@control("C-18")
def test_recharge_opens_and_the_amplitude_is_latched_before_the_pulse():
    machine = pulse(214, 0)
    opened = machine.pins[0][0]
    assert machine.mov_pins == [(opened + 1, 0), (opened + 2, 1)]
    settling_us = machine.pins[1][0] - machine.mov_pins[1][0]
    assert settling_us > 4  # MCP4922 settles in 4.5 us, table 1-1


def test_the_sampler_is_told_before_the_cathodic_edge():
    for width_us in (20, 214, 1000):
        machine = pulse(width_us, 0)
        assert machine.flags == [(machine.pins[1][0] - FLAG_LEAD_US, waveform.FLAG_SAMPLE)]


@control("C-18")
def test_no_two_bridge_lines_are_ever_high_together():
    for width_us, gap_us in ((20, 0), (214, 0), (1000, 500), (33, 33)):
        assert {value for _, value in pulse(width_us, gap_us).pins} <= {OFF, CATHODIC, ANODIC, SHORT}


@control("C-18")
def test_both_phases_are_equally_long():
    for width_us in WIDTHS:
        pins = pulse(width_us, 1).pins
        assert pins[2][0] - pins[1][0] == pins[4][0] - pins[3][0] == width_us


class Train:
    """Two periods of a pacer: when it says go, in us."""

    def __init__(self, period, slot=0):
        self.pacer = Pacer(0, period, slot)
        machine = Machine(self.pacer.words)
        machine.isr, machine.osr = self.pacer.isr, self.pacer.osr
        while len(machine.flags) < 6:
            machine.step()
        cycle_us = self.pacer.cycle_us
        self.gos = [(cycle * cycle_us, flag) for cycle, flag in machine.flags if flag != waveform.FLAG_PERIOD]
        self.period_us = self.gos[2][0] - self.gos[0][0]
        self.right_us = self.gos[1][0] - self.gos[0][0]


@control("C-20")
def test_the_period_of_every_rate_is_exact():
    for rate_hz in RATES:
        train = Train(period_us(rate_hz))
        assert train.period_us == period_us(rate_hz), rate_hz
        assert [flag for _, flag in train.gos] == [0, 1, 0, 1]
        assert train.right_us == train.pacer.right_us


def test_the_pacers_clock_can_be_set():
    for rate_hz in RATES:
        assert 1 <= Pacer(0, period_us(rate_hz), 0).cycle_us * waveform.PULSE_DIVIDER <= 65535


def test_periods_of_odd_and_prime_lengths_are_exact_too():
    for period in (72, 73, 97, 2500, 4999, 5051, 10007, 99991, 524288):
        assert Train(period).period_us == period


@control("C-20")
def test_a_period_that_is_too_short_is_refused():
    try:
        Pacer(0, 71, 0)
    except ValueError as error:
        assert "71" in str(error)
    else:
        assert False, "accepted"  # noqa: B011


def test_two_slots_that_do_not_fit_into_a_period_are_refused():
    assert Pacer(0, 1000, 500).right_us == 500
    try:
        Pacer(0, 1000, 501)
    except ValueError:
        pass
    else:
        assert False, "accepted"  # noqa: B011


def longest_allowed_us(rate_hz):
    """The longest pulse (both phases and gap) that the programme's rule of two pulses in a period accepts."""
    return min(LONGEST_PULSE_US, period_us(rate_hz) // 2 - GUARD_US)


@control("C-17", "C-20")
def test_left_and_right_never_overlap_at_any_rate():
    assert ranges.slot_us(1000, 500) == LONGEST_PULSE_US + GUARD_US  # what the firmware asks a pacer for
    for rate_hz in RATES:
        longest = longest_allowed_us(rate_hz)
        train = Train(period_us(rate_hz), longest + GUARD_US)
        assert train.period_us == period_us(rate_hz)
        free_us = (train.right_us - longest, train.period_us - train.right_us - longest)
        assert min(free_us) >= NO_OVERLAP_US, (
            "%d Hz: %d us between left and right, %d between right and left"
            % (
                rate_hz,
                free_us[0],
                free_us[1],
            )
        )
