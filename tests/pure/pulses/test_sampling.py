"""Samples fall inside the cathodic phase, at the times the plan states."""

from stimfw.pulses import impedance, waveform
from stimfw.pulses.sampling import CHANNEL_I, CHANNEL_V, SamplePlan, cs_word, evenly
from stimfw.therapy import ranges
from support.control import control
from support.pio_cycles import Machine

CYCLE_NS = 200
GRID_NS = 500  # how near to the time that was asked for a sample is
TOLERANCE_NS = 200  # whether the push counts as its beginning or its end
CONVERSION_NS = 2000  # 96 clocks of 48 MHz (RP2040 datasheet, 4.9.2)


class Sampler(Machine):
    """A machine that remembers when its flag came."""

    cycle_at_go = 0

    def go(self, cycle=None):
        self.cycle_at_go = self.cycle
        Machine.go(self, cycle)


def run(plan):
    machine = Sampler(plan.words)
    machine.feed = list(plan.table)
    machine.go()
    found = []
    for _ in range(2):
        machine.pushes = []
        machine.go()
        origin = machine.cycle_at_go
        found.append(
            [((at - origin) * CYCLE_NS - 1000 * waveform.FLAG_LEAD_US, value) for at, value in machine.pushes]
        )
    return found


def check(kinds, times_us):
    """What the machine does is what the plan says; the plan's times."""
    plan = SamplePlan(0, kinds, times_us)
    left, right = run(plan)
    assert [at for at, _ in left] == [at for at, _ in right]
    off_ns = [planned - at for planned, (at, _) in zip(plan.times_ns, left)]
    assert len(left) == plan.count and 0 <= min(off_ns) == max(off_ns) <= TOLERANCE_NS, (times_us, off_ns)
    for lead, pulse in enumerate((left, right)):
        assert [value for _, value in pulse] == [cs_word(lead, kind) for kind in kinds]
    for one, next_one in zip(plan.times_ns, plan.times_ns[1:]):
        assert next_one - one >= CONVERSION_NS, times_us
    for planned, asked in zip(plan.times_ns, times_us):
        assert abs(planned - asked * 1000) <= GRID_NS, (times_us, plan.times_ns)
    return plan.times_ns


@control("C-37")
def test_every_width_of_a_session_is_sampled_inside_its_phase():
    for width_us in range(ranges.WIDTH_US.low, ranges.WIDTH_US.high + 1):
        times_ns = check("IVIV", evenly(width_us, 4))
        assert times_ns[0] >= 0 and times_ns[-1] + CONVERSION_NS <= width_us * 1000, (width_us, times_ns)


def test_impedance_pulses_are_sampled_before_and_inside_their_phase():
    times_ns = check(impedance.KINDS, impedance.TIMES_US)
    for at_ns, kind in zip(times_ns, impedance.KINDS):
        if kind == "B":
            assert at_ns < 0
        else:
            assert 0 <= at_ns <= impedance.WIDTH_US * 1000 - CONVERSION_NS


def refused(kinds, times_us):
    try:
        SamplePlan(0, kinds, times_us)
    except ValueError:
        return True
    return False


def test_samples_that_do_not_fit_are_refused():
    assert refused("IVIV", (3, 4, 5, 6)) and refused("IVIV", (10, 5, 20, 30)) and refused("IV", (-30, 5))
    assert refused("IVI", (5, 10, 15)) and refused("", ()) and refused("I" * 32, range(5, 325, 10))
    assert refused("IVIV", (5, 10, 15))


def test_the_converter_is_told_the_right_input():
    assert cs_word(0, "V") >> 12 & 7 == CHANNEL_V[0] and cs_word(1, "V") >> 12 & 7 == CHANNEL_V[1]
    assert cs_word(0, "I") >> 12 & 7 == cs_word(1, "I") >> 12 & 7 == CHANNEL_I
    assert cs_word(0, "V") & 0xFFF == 5  # EN, START_ONCE
