"""The limits, and the arithmetic that compares with them: on the safe side, and by no more than a step."""

import math

from stimfw.pulses import lead_scales, waveform
from stimfw.therapy import limits, ranges
from support.control import control


@control("C-55")
def test_the_numbers():
    assert limits.AMPLITUDE_UA == 10_000 and limits.AMPLITUDE_STEP_UA == 25
    assert (limits.SHANNON_K_MILLI, limits.SHANNON_MOST_K_MILLI) == (1500, 1750)
    assert limits.CHARGE_NC == 30 * limits.ELECTRODE_MM2 * 10  # 30 uC/cm2; 1 mm2 is 0.01 cm2
    assert limits.NET_DC_NA == 25 and limits.COMPLIANCE_MV == 12_000
    assert (limits.DUTY_PERMIL, limits.PULSE_DUTY_PERMIL) == (500, 100)
    assert (limits.DAY_S, limits.LEAST_BETWEEN_S) == (7200, 1800)


def test_numbers_that_other_packages_have_too():
    assert limits.SWITCHES_OHM == lead_scales.SWITCHES_OHM
    assert limits.AROUND_PULSE_US == waveform.LEAD_IN_US + waveform.BREAK_US
    assert limits.AMPLITUDE_UA == ranges.AMPLITUDE_UA.high
    assert limits.AMPLITUDE_STEP_UA == ranges.AMPLITUDE_UA.step
    assert limits.MOST_PULSE_NC * 1000 == ranges.AMPLITUDE_UA.high * ranges.WIDTH_US.high


def test_a_charge_is_rounded_up():
    assert limits.charge_nc(4000, 214) == 856
    assert limits.charge_nc(25, 20) == 1  # 0.5 nC
    assert limits.charge_nc(0, 1000) == 0
    assert limits.charge_nc(10_000, 1000) == 10_000


def k_of(phase_nc):
    """Shannon's k: log10(Q^2 / A) in uC and cm2."""
    return math.log10((phase_nc / 1000) ** 2 / (limits.ELECTRODE_MM2 / 100))


def test_shannon_is_the_logarithm():
    for k_milli in (1500, 1750):
        highest = limits.shannon_nc(k_milli)
        assert k_of(highest) <= k_milli / 1000 < k_of(highest + 1)
        assert limits.shannon_holds(highest, k_milli) and not limits.shannon_holds(highest + 1, k_milli)
    assert (limits.shannon_nc(), limits.shannon_nc(1750)) == (1948, 2597)
    assert k_of(2597) < 1.85


def test_shannon_takes_the_stricter_k_unless_told():
    assert limits.shannon_holds(1948) and not limits.shannon_holds(1949)
    assert not limits.shannon_holds(2000) and limits.shannon_holds(2000, limits.SHANNON_MOST_K_MILLI)


def test_shannon_of_more_than_a_pulse_can_carry_does_not_hold():
    assert not limits.shannon_holds(10_001) and not limits.shannon_holds(10**9)


def test_amplitudes_come_down_to_a_step_never_up():
    told = [limits.stepped_ua(ua) for ua in (-5, 0, 24, 25, 49, 50, 9999, 10_000, 10_001, 50_000)]
    assert told == [0, 0, 0, 25, 25, 50, 9975, 10_000, 10_000, 10_000]


def test_the_highest_amplitude_of_a_charge():
    assert limits.of_charge_ua(1948, 214) == 9100  # 1948 nC / 214 us = 9.103 mA
    assert limits.of_charge_ua(1948, 1000) == 1925
    assert limits.of_charge_ua(3600, 360) == 10_000


def test_capacitors_in_series():
    assert limits.series_nf(0) == 4700
    assert limits.series_nf(2500) == 1631
    assert limits.series_nf(4700) == 2350
    assert limits.series_nf(1) == 1


def test_what_the_pump_needs():
    # 4 mA x 519 ohm = 2.076 V; 4 mA x 214 us = 856 nC into 1631 nF = 0.525 V, into 4700 nF 0.182 V
    assert limits.needed_mv(4000, 214, 500, 2500) == 2601
    assert limits.needed_mv(4000, 214, 500, 0) == 2259
    assert limits.needed_mv(0, 214, 500, 2500) == 0


def test_the_highest_amplitude_needs_no_more_than_the_compliance_and_a_step_more_does():
    for width_us in (20, 214, 1000):
        for ohm in (0, 500, 1500, 5000, 65_535):
            for capacitance_nf in (0, 100, 2500, 65_535):
                ua = limits.compliance_ua(width_us, ohm, capacitance_nf)
                assert limits.needed_mv(ua, width_us, ohm, capacitance_nf) <= 12_000
                if ua < 10_000:
                    assert limits.needed_mv(ua + 25, width_us, ohm, capacitance_nf) > 12_000
    assert limits.compliance_ua(214, 2000, 2500) == 5575  # 12 V / (2019 ohm + 214 us / 1631 nF)


def test_the_capacitors_count():
    assert limits.compliance_ua(1000, 1000, 2500) < limits.compliance_ua(1000, 1000, 0)


def test_what_recharge_leaves_is_never_less_than_the_exponential():
    for ohm, capacitance_nf in ((500, 2500), (5000, 2500), (0, 0), (500, 100)):
        tau_us = (1064 + ohm) * limits.series_nf(capacitance_nf) * 1e-3
        for rest_us in list(range(0, 20_000, 97)) + [49_500, 1_000_000]:
            exact = 1e6 * math.exp(-rest_us / tau_us)
            told = limits.left_ppm(rest_us, ohm, capacitance_nf)
            assert exact <= told <= 1.25 * exact + 4, (rest_us, ohm, capacitance_nf)


def test_net_dc_bounds_what_the_bench_has_measured():
    """docs/figures.md: 0.67 nA (default programme); 22 nA (10 mA, 2 x 1000 us, 20 Hz); 2.8 uA (198 Hz)."""
    assert 670 <= limits.net_dc_pa(4000, 214, 0, 50_000, 10_000, 500, 2500) < 1000
    assert 22_000 <= limits.net_dc_pa(10_000, 1000, 500, 50_000, 10_000, 500, 2500) < 60_000
    assert 2_800_000 <= limits.net_dc_pa(10_000, 1000, 500, 5051, 1000, 500, 2500) < 8_000_000


def test_double_layers_leak_in_the_first_phase_and_in_the_gap():
    """Q / C x (w + gap) x rate, on 4.7 uF, in 10 s; and 0.2 % of 1 uC, once, in 10 s."""
    for gap_us, leaked_pa in ((0, 940), (500, 1410)):
        told = limits.net_dc_pa(1000, 1000, gap_us, 50_000, 10_000, 500, 10_000)
        assert 0 <= told - leaked_pa - 200 <= 3


def test_net_dc_of_a_resistor_is_only_what_recharge_leaves():
    # 0.2 % of 2140 nC, once, in 10 s.
    assert limits.net_dc_pa(10_000, 214, 0, 50_000, 10_000, 500, 0) == 429
    # No time to recharge: 0.2 % of 1000 nC, each 422 us, are 4.7 uA.
    assert limits.net_dc_pa(5000, 200, 0, 422, 1000, 500, 0) == 2_000_000_000 // 422 + 1
    # Half of it is taken back each time: twice 2 nC, in 1 s.
    half_us = next(us for us in range(9000) if limits.left_ppm(us, 500, 0) <= 500_001)
    told = limits.net_dc_pa(5000, 200, 0, half_us + 422, 1000, 500, 0)
    assert 4000 <= told <= 4002


def test_the_highest_amplitude_of_net_dc_holds():
    for shape in (
        (214, 0, 50_000, 10_000), (1000, 500, 5051, 1000), (1000, 500, 50_000, 1000), (20, 0, 5000, 60_000),
    ):  # fmt: skip
        for ohm, capacitance_nf in ((500, 2500), (5000, 500), (500, 0)):
            ua = limits.net_dc_ua(*shape, ohm, capacitance_nf)
            assert limits.net_dc_pa(ua, *shape, ohm, capacitance_nf) <= 25_000 + 2
            if ua < 10_000:
                assert limits.net_dc_pa(ua + 50, *shape, ohm, capacitance_nf) > 25_000
