"""A contraction: ramps that never turn back, a hold at the target, and nothing outside it."""

from stimfw.protocol import messages
from stimfw.therapy import program
from stimfw.therapy.contraction import Contraction

LEFT, RIGHT = 0, 1
SPEC = {"left.amplitude_ua": 2000, "right.amplitude_ua": 10000}


def contraction(**changes):
    return Contraction(program.default().replaced(dict(SPEC, **changes)))


CASES = (
    {},
    {"rate_hz": 1},
    {"rate_hz": 200, "ramp_up_ms": 10000, "ramp_down_ms": 10000, "on_ms": 1000},
    {"ramp_up_ms": 0, "ramp_down_ms": 0, "on_ms": 1000},
    {"ramp_up_ms": 1, "ramp_down_ms": 49},
    {"rate_hz": 7, "ramp_up_ms": 1000, "ramp_down_ms": 3000, "on_ms": 1500},
)


def test_the_default_contraction_has_40_200_and_40_pulses():
    one = contraction()
    states = [one.state(n) for n in range(one.periods)]
    assert states == [messages.RAMP_UP] * 40 + [messages.HOLD] * 200 + [messages.RAMP_DOWN] * 40
    assert one.state(one.periods) == one.state(one.periods + 1000) == messages.REST


def test_ramps_are_monotone_and_end_at_the_target_and_near_zero():
    for case in CASES:
        one = contraction(**case)
        for lead, target in ((LEFT, 2000), (RIGHT, 10000)):
            curve = [one.amplitude_ua(lead, n) for n in range(one.periods)]
            up = [n for n in range(one.periods) if one.state(n) == messages.RAMP_UP]
            down = [n for n in range(one.periods) if one.state(n) == messages.RAMP_DOWN]
            hold = curve[len(up) : one.periods - len(down)]
            assert hold and set(hold) == {target}, case
            rising = curve[: len(up) + 1]
            falling = curve[one.periods - len(down) - 1 :]
            assert rising == sorted(rising) and falling == sorted(falling, reverse=True), case
            least = target // (len(up) + 1), target // (len(down) + 1)
            assert (curve[0], curve[-1]) == least, case
            check_steps(rising, target, len(up))
            check_steps(falling, target, len(down))


def check_steps(curve, target, periods):
    """A linear ramp: no step differs from the mean one by more than the rounding."""
    for one, next_one in zip(curve, curve[1:]):
        assert abs(abs(next_one - one) - target / (periods + 1)) <= 1


def test_nothing_comes_out_before_or_after():
    one = contraction()
    for period in (one.periods, one.periods + 1, 1 << 20):
        assert one.amplitude_ua(LEFT, period) == one.amplitude_ua(RIGHT, period) == 0


def test_a_lead_at_zero_stays_at_zero():
    one = Contraction(program.default().replaced({"left.amplitude_ua": 1000}))
    assert {one.amplitude_ua(RIGHT, n) for n in range(one.periods)} == {0}


def test_held_after_counts_down_to_the_end_of_the_hold():
    one = contraction()
    assert one.held_after(40) == 199 and one.held_after(239) == 0 and one.held_after(240) == -1


def test_the_duration_is_that_of_the_programme():
    for case in CASES:
        wanted = program.default().replaced(dict(SPEC, **case))
        one = Contraction(wanted)
        duration_ms = one.periods * wanted.period_us / 1000
        asked_ms = wanted.ramp_up_ms + wanted.on_ms + wanted.ramp_down_ms
        assert asked_ms - 3 * wanted.period_us / 1000 <= duration_ms <= asked_ms
