"""The net direct current of a bench's contractions: derived once more, in floating point (decision 59)."""

import math

from stimfw.therapy import net_current, program
from stimfw.therapy.net_current import left_ppm, most_ua, net_pa, ramped_ppm, reached_ppm
from stimfw.therapy.ranges import ParameterError
from support.control import control

# Two electrodes of 100 kohm and 5 uF, 500 ohm, two switches of 9.5 ohm; 4.7 uF; 1045 ohm of recharge.
DECAY_MS = 200e3 * (2.5e-6 + 4.7e-6) * 1e3
RECHARGE_US = (1045 + 500 + 19) / (1 / 4.7 + 1 / 2.5)
MISMATCH = 250e-6
MARGIN = 1.02
CORNER = (1000, 500, 5051, 0, 1000, 0)


def na_of(amplitude_ua, width_us, gap_us, period_us, up_ms, on_ms, down_ms):
    """As decision 59 says, in nA: what leaks, and what phases that differ leave."""

    def ramped(span_ms):
        return (1 - math.exp(-span_ms / DECAY_MS)) * DECAY_MS / span_ms if span_ms else 1.0

    reached = ramped(down_ms) - math.exp(-(on_ms + down_ms) / DECAY_MS) * ramped(up_ms)
    phase_nc = amplitude_ua * width_us / 1e6 * 1e3
    last_nc = phase_nc * 4.7 / 2.5 * (width_us + gap_us) / period_us
    taken = 1 - math.exp(-(period_us - 2 * width_us - gap_us - 22) / RECHARGE_US)
    length_s = (up_ms + on_ms + down_ms) / 1000
    differ_na = min(phase_nc * MISMATCH / taken / length_s, phase_nc * MISMATCH / (period_us / 1e6))
    return last_nc * reached * MARGIN / length_s, differ_na


def test_what_is_left_is_the_exponential():
    spans = list(range(0, 3000, 7)) + [4096, 8191, 16_383, 16_384, 20_000, 32_767, 32_768, 80_000, 1 << 20]
    for span_ms in spans:
        assert abs(left_ppm(span_ms) - 1e6 * math.exp(-span_ms / DECAY_MS)) <= 16, span_ms
    assert left_ppm(0) == 1_000_000 and left_ppm(32_767) >= 0 and left_ppm(32_768) == 0


def test_each_bit_of_a_time_has_its_own_factor():
    for bit in range(15):
        assert left_ppm(1 << bit) == round(1e6 * math.exp(-(1 << bit) / DECAY_MS)), bit


def test_a_ramp_is_behind_by_the_mean_of_the_exponential():
    assert ramped_ppm(0) == 1_000_000
    for ramp_ms in (1, 10, 100, 1000, 1440, 2000, 10_000):
        exact = 1e6 * (1 - math.exp(-ramp_ms / DECAY_MS)) * DECAY_MS / ramp_ms
        # A millionth of what is left is as much as 1440 of a ramp of 1 ms.
        assert abs(ramped_ppm(ramp_ms) - exact) <= 16 * DECAY_MS / ramp_ms + 1, ramp_ms


def test_what_a_contraction_reaches():
    for shape, reached in (
        ((0, 1000, 0), 0.50065),  # 1 - e^(-1/1.44)
        ((0, 60_000, 0), 1.0),
        ((2000, 10_000, 2000), 0.54033),
        ((10_000, 13_000, 10_000), 0.14386),
    ):
        assert abs(reached_ppm(*shape) - 1e6 * reached) <= 40, shape
    assert reached_ppm(0, 1, 0) > 0


@control("C-43")
def test_the_corner_is_refused_with_what_would_fit():
    """10 mA, 2 x 1000 us, 198 Hz, 1 s: 5583 nC x 0.50065 x 1.02 in 1 s, and 0.025 % of 10 uC, twice."""
    assert abs(net_pa(10_000, *CORNER) - 2_855_000) <= 2000
    assert most_ua(*CORNER) == 75
    corner = {"width_us": 1000, "gap_us": 500, "rate_hz": 198, "on_ms": 1000}
    corner.update({"ramp_up_ms": 0, "ramp_down_ms": 0})
    quiet = program.default().replaced(corner)
    assert quiet.replaced({"right.amplitude_ua": 75}).amplitude_ua == (0, 75)
    for lead in ("left", "right"):
        try:
            quiet.replaced({lead + ".amplitude_ua": 100})
        except ParameterError as error:
            assert error.field == lead + ".amplitude_ua" and error.value == 100
            assert error.allowed == (
                "at most 75 uA for 25 nA of net direct current (longer contractions, longer ramps, "
                "shorter pulses, a shorter gap or a lower rate allow more)"
            )
        else:
            raise AssertionError("taken")


def test_the_left_lead_is_named_first_if_both_have_too_much():
    values = list(program.default().replaced({"rate_hz": 200, "width_us": 500, "on_ms": 60_000}).values)
    values[8] = values[11] = 10_000
    assert program.Program(tuple(values)).amplitude_ua == (10_000, 10_000)
    values[5] = 1000
    try:
        program.Program(tuple(values))
    except ParameterError as error:
        assert error.field == "left.amplitude_ua"
    else:
        raise AssertionError("taken")


def test_other_amplitudes_are_checked_when_that_is_asked_for():
    quiet = program.default().replaced({"width_us": 1000, "gap_us": 500, "on_ms": 1000, "ramp_up_ms": 0})
    most = most_ua(1000, 500, 50_000, 0, 1000, 2000)
    over = most + 25
    for left_ua, right_ua, refused in ((0, 0, ""), (most, most, ""), (0, over, "right"), (over, 0, "left")):
        wanted = quiet.with_amplitudes(left_ua, right_ua)
        try:
            wanted.check_net_current()
            assert not refused
        except ParameterError as error:
            assert error.field == refused + ".amplitude_ua" and error.value == over


def test_the_default_shape_asks_for_no_limit():
    """A board that starts has it, and must not load this module."""
    asked = []
    known = net_current.most_ua
    net_current.most_ua = lambda *shape: asked.append(shape) or 10_000
    try:
        one = program.default().replaced({"right.amplitude_ua": 25, "off_ms": 0})
        one.with_amplitudes(50, 50).check_net_current()
        assert asked == []
        for change in ({"width_us": 213}, {"on_ms": 9999}):
            assert one.replaced(change).amplitude_ua == (0, 25)
        assert asked == [(213, 0, 50_000, 2000, 10_000, 2000), (214, 0, 50_000, 2000, 9999, 2000)]
    finally:
        net_current.most_ua = known


def test_what_the_bench_has_measured_is_less():
    """docs/figures.md, row net-dc, the worse lead of each; the first one by the part models alone."""
    for measured_na, shape in (
        (2780, (10_000,) + CORNER),
        (20.2, (75,) + CORNER),
        (21.8, (10_000, 1000, 500, 50_000, 2000, 10_000, 2000)),
        (24.5, (10_000, 1000, 500, 5051, 10_000, 13_000, 10_000)),
        (0.66, (10_000, 214, 0, 50_000, 2000, 10_000, 2000)),
    ):
        assert measured_na < net_pa(*shape) / 1000 < 1.15 * measured_na + 0.3, shape


def test_it_is_the_formula():
    for shape in (
        (10_000,) + CORNER,
        (4000, 214, 0, 50_000, 2000, 10_000, 2000),
        (25, 20, 0, 1_000_000, 10_000, 60_000, 10_000),
        (10_000, 1000, 500, 5051, 10_000, 60_000, 10_000),
        (3300, 333, 33, 7777, 333, 3333, 33),
        (10_000, 20, 0, 5000, 0, 1000, 0),
    ):
        leaked, differ = na_of(*shape)
        told = net_pa(*shape) / 1000
        # What recharge leaves is bounded by a chord above it (stimfw.therapy.limits).
        assert 0.9995 * leaked + differ - 0.002 <= told <= 1.0005 * leaked + 1.1 * differ + 0.003, shape


def test_numbers():
    """Each was worked out once more with fractions, apart from the firmware's code."""
    for shape, ramped, reached in (
        ((0, 1000, 0), 1_000_000, 500_650),
        ((2000, 10_000, 2000), 540_467, 540_338),
        ((333, 3333, 77), 973_757, 890_136),
        ((1, 1000, 1), 999_360, 500_677),
        ((10_000, 60_000, 10_000), 143_861, 143_861),
    ):
        assert (ramped_ppm(shape[2]), reached_ppm(*shape)) == (ramped, reached), shape
    for shape, pa in (
        ((10_000, 1000, 500, 5051, 0, 1000, 0), 2_855_178),
        ((10_000, 1000, 500, 50_000, 2000, 10_000, 2000), 22_383),
        ((4000, 214, 0, 50_000, 2000, 10_000, 2000), 288),
        ((3300, 333, 33, 7777, 333, 3333, 77), 23_664),
        ((25, 20, 0, 1_000_000, 10_000, 60_000, 10_000), 2),
        ((0, 20, 0, 5000, 0, 1000, 0), 2),
        ((10_000, 1000, 480, 5000, 1, 1000, 1), 2_840_360),
    ):
        assert net_pa(*shape) == pa, shape
    assert (most_ua(214, 0, 5000, 0, 1000, 0), most_ua(214, 0, 5007, 0, 1000, 0)) == (2800, 2825)
    assert most_ua(500, 0, 50_000, 0, 1000, 0) == 5075


def test_the_electrodes_are_those_of_the_bench():
    assert (net_current.PAIR_OHM, net_current.PAIR_NF, net_current.DECAY_MS) == (500, 2500, 1440)


def test_the_default_programmes_limit_is_what_the_module_says():
    made = program.default()
    assert made.most_ua == net_current.most_ua(
        made.width_us, made.gap_us, made.period_us, made.ramp_up_ms, made.on_ms, made.ramp_down_ms
    )


def test_another_amplitude_keeps_the_limit():
    made = program.default().replaced({"width_us": 1000, "rate_hz": 198, "on_ms": 1000})
    assert made.most_ua < 10_000
    assert made.with_amplitudes(25, 25).most_ua == made.most_ua
