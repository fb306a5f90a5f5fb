"""Each rule fails where it has to, by the smallest step, and all that fail are told at once."""

from stimfw.protocol import messages
from stimfw.therapy import limits, rules
from stimfw.therapy.prescription import FIELD_NAMES, Prescription
from support.control import control
from support.prescriptions import readings, values

UNTIL_S = 1_900_000_000


def failed(wanted, board=None):
    """(rule, field, value, limit) of all that fails."""
    found = rules.failures(wanted, board or readings())
    return [(rule, FIELD_NAMES[index], value, limit) for rule, index, value, limit in found]


def only(wanted, board=None):
    (found,) = failed(wanted, board)
    return found


def test_rules_are_numbered_by_their_place():
    assert [number for number, _, _ in rules.RULES] == list(range(1, len(rules.RULES) + 1))
    assert len({name for _, name, _ in rules.RULES}) == len(rules.RULES) < 32
    assert rules.RULES[rules.AMPLITUDE - 1][1] == "amplitude" and rules.AMPLITUDE == len(rules.RULES)
    assert rules.RULES[rules.SHANNON - 1][1] == "Shannon"


def test_each_rule_has_its_number():
    names = {number: name for number, name, _ in rules.RULES}
    for number, name in (
        (rules.RANGE, "range"),
        (rules.ELECTRODES, "electrodes"),
        (rules.PERIOD, "period"),
        (rules.WINDOW, "window"),
        (rules.MEASURED, "measured"),
        (rules.CONTACT, "contact"),
        (rules.COMPLIANCE, "compliance"),
        (rules.CHARGE, "charge"),
        (rules.SHANNON, "Shannon"),
        (rules.PULSE_DUTY, "pulse duty"),
        (rules.DUTY, "duty"),
        (rules.DAY_TOTAL, "day total"),
        (rules.DAY_LENGTH, "day length"),
        (rules.BETWEEN, "between"),
        (rules.NET_DC, "net DC"),
        (rules.ACTIVATION, "activation"),
        (rules.AMPLITUDE, "amplitude"),
    ):
        assert names.pop(number) == name
    assert not names and rules.NONE == 0


def test_an_ordinary_prescription_fails_nothing():
    assert failed(values()) == []
    assert failed(values(right__amplitude_ua=0)) == []


def test_another_number_of_values():
    for wanted in ((1, 2), values() + (0,)):
        try:
            rules.failures(wanted, readings())
        except ValueError:
            continue
        raise AssertionError(wanted)


@control("C-56")
def test_all_that_fails_is_told_at_once():
    wanted = values(
        rate_hz=201, left__anode=1, off_ms=0, session_s=3600, sessions_a_day=10, between_s=0,
        activation_s=UNTIL_S - 1, right__amplitude_ua=10_000, right__width_us=500,
    )  # fmt: skip
    found = failed(wanted, readings(kind=messages.KIND_OPEN, earliest_s=UNTIL_S))
    told = {rule for rule, _, _, _ in found}
    assert told == {
        rules.RANGE, rules.ELECTRODES, rules.CHARGE, rules.SHANNON, rules.DUTY, rules.DAY_TOTAL,
        rules.BETWEEN, rules.ACTIVATION,
    }  # fmt: skip
    bits = rules.failed_bits(rules.failures(wanted, readings(earliest_s=UNTIL_S)))
    assert bits == sum([1 << rule for rule in told])


def test_garbage_is_only_out_of_range():
    found = rules.failures((None,) * len(FIELD_NAMES), readings())
    assert [rule for rule, _, _, _ in found] == [rules.RANGE] * len(FIELD_NAMES)
    assert rules.failures((1 << 70,) * len(FIELD_NAMES), readings())


@control("C-51")
def test_a_field_that_fails_one_rule_is_judged_by_the_others():
    wanted = values(left__width_us=300, left__amplitude_ua=6500, left__most_ua=1000)
    assert [rule for rule, _, _, _ in failed(wanted)] == [rules.WINDOW, rules.SHANNON]


def test_a_lead_with_a_field_out_of_range_is_not_measured_and_the_other_one_is():
    nothing = rules.Readings()
    for field in ("cathode", "anode", "amplitude_ua", "width_us", "gap_us", "least_ua", "most_ua"):
        for lead, other in (("left", "right"), ("right", "left")):
            found = failed(values(**{lead + "__" + field: 1_000_000}), nothing)
            names = [name for rule, name, _, _ in found if rule == rules.MEASURED]
            assert names == [other + ".cathode"], field
    for field in ("rate_hz", "on_ms"):
        assert rules.MEASURED not in [rule for rule, _, _, _ in failed(values(**{field: 0}), nothing)]
    both = [name for rule, name, _, _ in failed(values(contact_s=5), nothing) if rule == rules.MEASURED]
    assert both == ["left.cathode", "right.cathode"]


def test_impedance_must_have_been_measured():
    board = readings()
    board.pairs = ({}, board.pairs[1])
    assert only(values(), board) == (rules.MEASURED, "left.cathode", messages.KIND_NOT_MEASURED, 0)
    assert failed(values(left__amplitude_ua=0), board) == [], "a lead that never stimulates"
    assert only(values(left__amplitude_ua=0, left__most_ua=3000), board)[0] == rules.MEASURED
    assert [rule for rule, _, _, _ in failed(values(left__cathode=3), readings())] == [rules.MEASURED]
    assert [rule for rule, _, _, _ in failed(values(right__cathode=2, right__anode=1))] == [rules.MEASURED]


def test_without_a_board_nothing_is_measured():
    assert failed(values(), rules.Readings(is_known=False)) == []
    assert len(failed(values(), rules.Readings())) == 2


@control("C-51")
def test_an_open_or_shorted_pair():
    for kind in (messages.KIND_OPEN, messages.KIND_SHORT):
        board = readings(right=(kind, 20, 0))
        assert only(values(), board) == (rules.CONTACT, "right.cathode", kind, messages.KIND_OK)


@control("C-43", "C-55")
def test_charge_and_shannon_at_the_border():
    # 1948 nC in 300 us are 6.493 mA
    assert failed(values(left__width_us=300, left__amplitude_ua=6475)) == []
    assert only(values(left__width_us=300, left__amplitude_ua=6500)) == (
        rules.SHANNON, "left.amplitude_ua", 6500, 6475,
    )  # fmt: skip
    # 3600 nC in 600 us are exactly 6 mA.
    told = [failed(values(left__width_us=600, left__amplitude_ua=ua)) for ua in (6000, 6025)]
    assert [[rule for rule, _, _, _ in found] for found in told] == [
        [rules.SHANNON], [rules.CHARGE, rules.SHANNON],
    ]  # fmt: skip
    assert told[1][0] == (rules.CHARGE, "left.amplitude_ua", 6025, 6000)


def test_the_end_of_the_patients_window_is_judged_like_an_amplitude():
    wanted = values(left__width_us=300, left__least_ua=1000, left__most_ua=6500)
    assert only(wanted) == (rules.SHANNON, "left.most_ua", 6500, 6475)
    assert failed(values(left__width_us=300, left__least_ua=1000, left__most_ua=6475)) == []


def test_both_phases_are_the_pulses_share_of_the_time():
    # 10 % of 5000 us are 2 x 250 us.
    assert failed(values(rate_hz=200, left__width_us=250)) == []
    assert (rules.PULSE_DUTY, "left.width_us", 251, 250) in failed(values(rate_hz=200, left__width_us=251))


def test_the_rest_is_as_long_as_the_contraction_with_its_ramps():
    assert failed(values(off_ms=14_000)) == []
    assert only(values(off_ms=13_999)) == (rules.DUTY, "off_ms", 13_999, 14_000)
    assert only(values(off_ms=14_000, ramp_down_ms=2001))[3] == 14_001


def test_a_days_sessions():
    assert failed(values(session_s=3600, sessions_a_day=2)) == []
    assert only(values(session_s=3600, sessions_a_day=3)) == (rules.DAY_TOTAL, "sessions_a_day", 3, 2)
    # 2 x 1800 s and one time between fill 86 400 s.
    assert failed(values(between_s=82_800)) == []
    assert only(values(between_s=82_801)) == (rules.DAY_LENGTH, "between_s", 82_801, 82_800)
    assert failed(values(between_s=86_400, sessions_a_day=1)) == []


def test_the_least_time_between_sessions():
    assert failed(values(between_s=1800)) == []
    assert only(values(between_s=1799)) == (rules.BETWEEN, "between_s", 1799, 1800)


@control("C-43", "C-55")
def test_net_dc():
    shape = {"left__width_us": 300, "left__gap_us": 500, "on_ms": 1000}
    highest = limits.net_dc_ua(300, 500, 50_000, 1000, 500, 2500)
    assert 0 < highest < 6475
    pulse = (300, 500, 50_000, 1000, 500, 2500)
    steps = (highest, highest + 25, highest + 50)
    told = [limits.net_dc_pa(ua, *pulse) > 25_000 for ua in steps]
    assert told[0] is False and told[2] is True
    assert [bool(failed(values(left__amplitude_ua=ua, **shape))) for ua in steps] == told
    assert failed(values(left__amplitude_ua=highest, **shape)) == []
    assert only(values(left__amplitude_ua=highest + 50, **shape)) == (
        rules.NET_DC, "left.amplitude_ua", highest + 50, highest,
    )  # fmt: skip


@control("C-59")
def test_not_before_the_healing_time_is_over():
    board = readings(earliest_s=UNTIL_S)
    assert failed(values(activation_s=UNTIL_S), board) == []
    assert failed(values(activation_s=0), board) == []
    found = only(values(activation_s=UNTIL_S - 1), board)
    assert found == (rules.ACTIVATION, "activation_s", UNTIL_S - 1, UNTIL_S)


def test_a_lead_must_have_an_amplitude():
    assert only(values(left__amplitude_ua=0, right__amplitude_ua=0)) == (
        rules.AMPLITUDE, "left.amplitude_ua", 0, 25,
    )  # fmt: skip


def test_the_highest_amplitude_and_the_rule_that_sets_it():
    one = Prescription(values(right__width_us=600, right__gap_us=500))
    assert rules.allowed_ua(0, one, 500, 2500) == (9100, rules.SHANNON)
    assert rules.allowed_ua(0, one, 2000, 2500) == (5575, rules.COMPLIANCE)
    assert rules.allowed_ua(1, one, 500, 2500) == (3225, rules.SHANNON)
    assert rules.allowed_ua(0, Prescription(values(left__width_us=20)), 500, 2500) == (10_000, rules.NONE)
    slow = Prescription(values(left__width_us=300, left__gap_us=500, on_ms=1000))
    highest = limits.net_dc_ua(300, 500, 50_000, 1000, 500, 2500)
    assert rules.allowed_ua(0, slow, 500, 2500) == (highest, rules.NET_DC)


@control("C-52")
def test_what_compliance_does_not_allow_is_clamped_and_the_rule_said():
    high = readings(right=(messages.KIND_OK, 6000, 2500))
    # 12 V / (6019 ohm + 214 us / 1631 nF) = 1.951 mA
    assert failed(values(), high) == []
    kept, clamps = rules.accepted(values(), high)
    assert kept.amplitude_ua == (3000, 1950)
    assert clamps == [(1, 2500, 1950, rules.COMPLIANCE)]


def test_what_is_just_allowed_is_not_clamped():
    for ua, clamped in ((1950, 0), (1975, 1)):
        _, clamps = rules.accepted(values(right__amplitude_ua=0, left__amplitude_ua=ua), readings(ohm=6000))
        assert len(clamps) == clamped


def test_the_end_of_a_window_is_clamped_too():
    high = readings(ohm=6000)
    wanted = values(left__amplitude_ua=1900, left__least_ua=500, left__most_ua=5000, right__amplitude_ua=0)
    kept, clamps = rules.accepted(wanted, high)
    assert (kept.amplitude_ua, kept.least_ua, kept.most_ua) == ((1900, 0), (500, 0), (1950, 0))
    assert clamps == [(0, 5000, 1950, rules.COMPLIANCE)]


def test_nothing_is_clamped_upwards():
    kept, clamps = rules.accepted(values(), readings(ohm=100))
    assert kept.values[:-1] == values()[:-1] and clamps == []


def test_what_leaves_nothing_to_clamp_to_is_refused():
    high = readings(ohm=6000)
    wanted = values(right__amplitude_ua=0, left__least_ua=1975, left__most_ua=5000)
    assert only(wanted, high) == (rules.COMPLIANCE, "left.least_ua", 1975, 1950)
    assert failed(values(right__amplitude_ua=0, left__least_ua=1950, left__most_ua=5000), high) == []
    tiny = readings(capacitance_nf=1)
    found = failed(values(right__amplitude_ua=0, left__width_us=1000, left__amplitude_ua=1000), tiny)
    assert found[0] == (rules.COMPLIANCE, "left.amplitude_ua", 25, 0)


@control("C-55")
def test_hard_limits_are_never_clamped():
    wanted = values(left__width_us=300, left__amplitude_ua=6500)
    try:
        rules.accepted(wanted, readings())
    except ValueError:
        return
    raise AssertionError("taken")


def test_without_an_activation_it_is_the_end_of_the_healing_time():
    assert rules.accepted(values(), readings(earliest_s=UNTIL_S))[0].activation_s == UNTIL_S
    later = rules.accepted(values(activation_s=UNTIL_S + 9), readings(earliest_s=UNTIL_S))[0]
    assert later.activation_s == UNTIL_S + 9
    for earliest_s, activation_s in ((0, 0), (5, 1_000_000_000), (0xFFFFFFFF + 90, 4_102_444_800)):
        assert rules.accepted(values(), readings(earliest_s=earliest_s))[0].activation_s == activation_s
