"""A watched train: edges counted for each lead's own width and gap, and samples within the phases."""

from stimfw.pulses import pair_sampling, pulse_pair, waveform
from stimfw.pulses.pair_sampling import KINDS, PairPlan, times_us
from stimfw.pulses.pulse_pair import PairPacer, gap_register, width_register
from stimfw.pulses.sampling import cs_word
from stimfw.pulses.waveform import ANODIC, CATHODIC, OFF, SHORT
from stimfw.therapy import ranges
from stimfw.therapy.program import period_us
from support.pio_cycles import Machine

LEAD_IN_US, BREAK_US = 18, 4  # docs/firmware.md
CONVERSION_NS = 2000
WIDTHS = range(ranges.WIDTH_US.low, ranges.WIDTH_US.high + 1)
GAPS = (0, 3, 4, 5, 33, 100, 499, 500)


def pulse(width_us, gap_us):
    machine = Machine(pulse_pair.pulse_pair())
    machine.isr, machine.osr = width_register(width_us), gap_register(gap_us)
    machine.go()
    machine.go(-1)
    return machine


def check(width_us, gap_us):
    machine = pulse(width_us, gap_us)
    at = machine.pins[0][0] + LEAD_IN_US
    expected = [(at, CATHODIC)]
    if gap_us:
        expected.append((at + width_us, OFF))
    at += width_us + gap_us
    expected += [(at, ANODIC), (at + width_us, OFF), (at + width_us + BREAK_US, SHORT)]
    assert machine.pins[0][1] == OFF and machine.pins[1:] == expected, (width_us, gap_us, machine.pins)


def test_widths_at_every_kind_of_gap():
    for gap_us in GAPS:
        for width_us in range(WIDTHS[0] + gap_us % 5, WIDTHS[-1] + 1, 11):
            check(width_us, gap_us)


def test_every_gap_that_can_be_made():
    for gap_us in range(ranges.GAP_US.high + 1):
        assert pulse_pair.gap_fits(gap_us) == (gap_us not in (1, 2))
        if pulse_pair.gap_fits(gap_us):
            check(20 + gap_us, gap_us)


def test_a_second_pulse_is_like_the_first():
    machine = pulse(214, 30)
    first = list(machine.pins)
    machine.pins = []
    machine.go(machine.cycle + 100)
    moved = machine.pins[0][0] - first[0][0]
    assert machine.pins == [(at + moved, value) for at, value in first]


def test_the_sampler_is_told_as_long_before_the_edge_as_by_the_other_programme():
    machine = pulse(214, 0)
    assert machine.flags == [(machine.pins[1][0] - waveform.FLAG_LEAD_US, waveform.FLAG_SAMPLE)]
    opened = machine.pins[0][0]
    assert machine.mov_pins == [(opened + 1, 0), (opened + 2, 1)]


def refused(call, *values):
    try:
        call(*values)
    except ValueError:
        return True
    return False


def test_what_the_programme_cannot_make_is_refused():
    assert refused(gap_register, 1) and refused(gap_register, 2) and refused(gap_register, -1)
    assert refused(width_register, 4) and width_register(5) == 1


def test_all_of_it_fits_into_the_block():
    plan = PairPlan(0, times_us(214, 0), times_us(214, 0))
    pacer = PairPacer(0, 50_000, 448)
    assert len(pulse_pair.pulse_pair()) + len(pacer.words) + len(plan.words) == 31 <= waveform.WORDS


class Train:
    def __init__(self, period, slot):
        self.pacer = PairPacer(0, period, slot)
        machine = Machine(self.pacer.words)
        machine.isr, machine.osr = self.pacer.isr, self.pacer.osr
        while len(machine.flags) < 6:
            machine.step()
        self.flags = [(cycle * self.pacer.cycle_us, flag) for cycle, flag in machine.flags]


def test_periods_are_exact_and_the_cpu_is_told_behind_the_right_lead():
    for rate_hz in range(ranges.RATE_HZ.low, ranges.RATE_HZ.high + 1):
        period = period_us(rate_hz)
        slot = min(ranges.slot_us(1000, 500), period // 2)
        train = Train(period, slot)
        flags = train.flags
        assert [flag for _, flag in flags] == [0, 1, waveform.FLAG_PERIOD] * 2
        assert flags[3][0] - flags[0][0] == period, rate_hz
        assert flags[1][0] - flags[0][0] == train.pacer.right_us >= slot - train.pacer.cycle_us
        told = flags[2][0] - flags[1][0]
        assert told == train.pacer.told_us
        assert min(slot, 32 * train.pacer.cycle_us) <= told <= period // 2, (rate_hz, told)
        assert 1 <= train.pacer.cycle_us * waveform.PULSE_DIVIDER <= 65535


def test_right_go_is_where_it_says():
    pacer = PairPacer(0, 50_000, 448)
    assert pacer.words[pacer.right_go] & 0xE0FF == 0xC000 | waveform.RIGHT


def test_a_period_that_is_too_short_is_refused():
    assert refused(PairPacer, 0, 137, 0) and refused(PairPacer, 0, 1000, 501)
    assert PairPacer(0, 1000, 500).right_us == 500


def test_samples_lie_at_rest_and_in_their_phases():
    for gap_us in (0, 3, 500):
        for width_us in list(WIDTHS)[:60] + list(WIDTHS)[60 + gap_us % 7 :: 13]:
            asked = times_us(width_us, gap_us)
            at = PairPlan(0, asked, asked).times_ns
            cathodic_end, anodic = width_us * 1000, (width_us + gap_us) * 1000
            assert -11_000 <= at[0] and at[1] + CONVERSION_NS <= 0, width_us
            assert at[2] >= 2000 and at[5] + CONVERSION_NS <= cathodic_end, (width_us, at)
            assert at[6] >= anodic + 2000 and at[7] + CONVERSION_NS <= anodic + cathodic_end, (width_us, at)
            assert min([b - a for a, b in zip(at, at[1:])]) >= 2800, (width_us, at)


def test_each_lead_has_its_own_times_and_inputs():
    left, right = times_us(20, 3), times_us(1000, 500)
    plan = PairPlan(7, left, right)
    alone = [PairPlan(7, each, each) for each in (left, right)]
    assert plan.times_ns == alone[0].times_ns and plan.right_ns == alone[1].times_ns
    assert plan.table == alone[0].table[:8] + alone[1].table[8:]
    assert [word >> 16 for word in plan.table] == [cs_word(lead, kind) for lead in (0, 1) for kind in KINDS]
    assert plan.count == 8 and pair_sampling.KINDS[pair_sampling.ANODIC_I] == "I"
