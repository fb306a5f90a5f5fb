"""A known resistor and capacitor, sampled without error: each must come out, apart from the other."""

from stimfw.protocol import messages
from stimfw.pulses import impedance
from stimfw.pulses.impedance import KINDS, line, next_current_ua, read_at_once
from stimfw.pulses.lead_scales import SWITCHES_OHM, LeadScales
from stimfw.pulses.sampling import SamplePlan
from support.control import control

# What is promised: percent of the resistance, in and beyond 500 ohm to 5 kohm.
INNER_PERCENT = 2
OUTER_PERCENT = 5
CAPACITANCE_PERCENT = 20
PULSES = impedance.COUNTED_PULSES
PLAN = SamplePlan(0, KINDS, impedance.TIMES_US)
BASE = 16 * 2048
COMPLIANCE_MV = 15000
OK, OPEN = messages.KIND_OK, messages.KIND_OPEN


def reading(ohm, pair_uf, test_ua, rest_mv=0, delivered_percent=100):
    """What is read of `ohm` + two switches, in series with `pair_uf` uF, at `test_ua`, cathodic.

    The pair rests at `rest_mv` before the pulse; only `delivered_percent` of the current flows. Noise dithers
    real samples; here their fractions are kept, as the sum over pulses would keep it.
    """
    sums = []
    asked_ua, test_ua = test_ua, test_ua * delivered_percent / 100
    for at_ns, kind in zip(PLAN.times_ns, KINDS):
        drop_mv = 0
        if at_ns >= 0:
            drop_mv = test_ua * (ohm + SWITCHES_OHM) / 1000
            if pair_uf:
                drop_mv += test_ua * at_ns / pair_uf / 1e6
        sense_mv = -test_ua * 0.15 if kind == "I" else (rest_mv - min(drop_mv, COMPLIANCE_MV)) / 10
        sums.append(round((2048 + sense_mv * 4096 / 3300) * PULSES))
    return read_at_once(sums, PULSES, PLAN.times_ns, BASE, asked_ua, LeadScales())


def measured(ohm, pair_uf, rest_mv=0):
    """As the board does it: a probe, then the current that the probe suggests."""
    probe = reading(ohm, pair_uf, impedance.FIRST_UA, rest_mv)
    return reading(ohm, pair_uf, next_current_ua(probe.last_mv, impedance.FIRST_UA), rest_mv)


RESISTANCES = (200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10000)
CAPACITANCES_UF = (1, 2, 5, 10, 20)  # of each electrode; the pair's is half


@control("C-38")
def test_resistance_is_found_whatever_the_capacitance():
    for ohm in RESISTANCES:
        percent = INNER_PERCENT if 500 <= ohm <= 5000 else OUTER_PERCENT
        for electrode_uf in CAPACITANCES_UF:
            found = measured(ohm, electrode_uf / 2)
            assert abs(found.ohm - ohm) * 100 <= ohm * percent, (ohm, electrode_uf, found.ohm)
            assert found.kind == messages.KIND_OK


def test_what_the_double_layers_keep_between_pulses_does_not_matter():
    for rest_mv in (-200, -30, 0, 30, 200):
        found = measured(1000, 2.5, rest_mv)
        assert abs(found.ohm - 1000) * 100 <= 1000 * INNER_PERCENT, (rest_mv, found.ohm)


def test_capacitance_is_told_apart():
    for electrode_uf in (1, 2, 5):
        found = measured(500, electrode_uf / 2)
        assert (
            abs(found.capacitance_nf - electrode_uf * 500) * 100 <= electrode_uf * 500 * CAPACITANCE_PERCENT
        )


def test_a_plain_resistor_has_no_capacitance_worth_the_name():
    found = measured(1000, 0)
    assert abs(found.ohm - 1000) <= 10 and (found.capacitance_nf == 0 or found.capacitance_nf > 10000)


@control("C-38")
def test_no_current_is_an_open_pair():
    flat = [2048 * PULSES] * len(KINDS)
    found = read_at_once(flat, PULSES, PLAN.times_ns, BASE, 250, LeadScales())
    assert found.kind == messages.KIND_OPEN and found.ohm == impedance.MAX_OHM and found.current_ua == 0


def test_less_than_half_of_the_current_is_an_open_pair():
    for percent, kind in ((5, OPEN), (10, OPEN), (40, OPEN), (48, OPEN), (52, OK), (80, OK), (100, OK)):
        found = reading(1000, 0, 1000, delivered_percent=percent)
        assert abs(found.current_ua - 10 * percent) <= 5
        assert found.kind == kind, (percent, found.kind)
        assert (found.ohm == 65_535) == (kind == OPEN)


@control("C-38")
def test_no_resistance_is_a_short():
    assert measured(0, 0).kind == messages.KIND_SHORT
    assert measured(40, 0).kind == messages.KIND_SHORT
    assert measured(60, 0).kind == messages.KIND_OK


def test_the_test_current_keeps_its_limits():
    for probe_mv in (-100, 0, 1, 50, 500, 2500, 15000, 100000):
        current_ua = next_current_ua(probe_mv, impedance.FIRST_UA)
        assert impedance.FIRST_UA <= current_ua <= impedance.MOST_UA == 2000
        assert (current_ua - impedance.FIRST_UA) % impedance.STEP_UA == 0


def test_a_larger_resistance_gets_a_smaller_current():
    currents = [next_current_ua(mv, 250) for mv in range(100, 4000, 100)]
    assert currents == sorted(currents, reverse=True) and currents[0] == 2000 and currents[-1] < 600


def test_all_ordered_pairs_are_there_once():
    assert len(impedance.PAIRS) == len(set(impedance.PAIRS)) == 12
    assert all([c != a and 0 <= c < 4 and 0 <= a < 4 for c, a in impedance.PAIRS])


def test_line_is_least_squares():
    assert line([0, 1, 2, 3], [5, 7, 9, 11]) == (5 * 1024, 2 * 1024)
    start, slope = line([0, 10, 20], [0, 11, 19])
    assert abs(start - 512) <= 1 and abs(slope - 972) <= 1


def test_ranges_of_the_result_fit_its_record():
    for ohm in (0, 200, 65000, 200000):
        found = reading(ohm, 0.5, 250)
        assert 0 <= found.ohm <= 65535 and 0 <= found.capacitance_nf <= 65535
