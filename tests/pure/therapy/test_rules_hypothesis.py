"""Prescriptions and boards of any kind: no limit is passed by what is accepted, and nothing goes up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimfw.protocol import messages
from stimfw.therapy import limits, rules
from stimfw.therapy import prescription as p
from stimfw.therapy.prescription import FIELD_NAMES, PACKED_BYTES, Prescription, range_at, unpack
from stimfw.therapy.ranges import ParameterError
from support.prescriptions import PAIR, readings, values

RANGES = [range_at(index) for index in range(len(FIELD_NAMES))]
within = st.tuples(
    *[st.integers(0, (r.high - r.low) // r.step).map(lambda k, r=r: r.low + k * r.step) for r in RANGES]
)
near = st.tuples(
    *[st.sampled_from([r.low - 1, r.low, r.high, r.high + 1, 0]) | st.integers(r.low, r.high) for r in RANGES]
)
anything = st.one_of(st.integers(), st.booleans(), st.none(), st.floats(), st.text(), st.binary())
boards = st.builds(
    readings,
    ohm=st.integers(0, 65_535),
    capacitance_nf=st.integers(0, 65_535),
    kind=st.just(messages.KIND_OK),
    earliest_s=st.just(0),
)


@st.composite
def ordinary(draw):
    """Values that fail no rule for their times, so that their amplitudes decide."""
    wanted = {}
    for lead in ("left", "right"):
        most = draw(st.integers(0, 400)) * 25
        amplitude = draw(st.integers(0, most // 25)) * 25
        wanted[lead + "__width_us"] = draw(st.integers(20, 250))
        wanted[lead + "__gap_us"] = draw(st.sampled_from([0, 3, 100, 500]))
        wanted[lead + "__amplitude_ua"] = amplitude
        wanted[lead + "__most_ua"] = most
        wanted[lead + "__least_ua"] = draw(st.integers(0, amplitude // 25)) * 25
    wanted["rate_hz"] = draw(st.integers(1, 200))
    wanted["on_ms"] = draw(st.integers(1000, 60_000))
    wanted["off_ms"] = 300_000
    return values(**wanted)


@given(st.tuples(*[anything] * len(FIELD_NAMES)))
def test_whatever_comes_is_judged(wanted):
    found = rules.failures(wanted, readings())
    for rule, index, value, _ in found:
        assert 1 <= rule <= len(rules.RULES)
        assert value is wanted[index] or rule in (rules.MEASURED, rules.CONTACT)


@given(near)
def test_a_prescription_is_right_in_itself_if_and_only_if_nothing_is_found(wanted):
    try:
        one = Prescription(wanted)
    except ParameterError as error:
        assert error.field in FIELD_NAMES and p.problems(wanted)
    else:
        assert not p.problems(wanted) and one.values == wanted


@given(within)
def test_what_is_packed_comes_back(wanted):
    try:
        one = Prescription(wanted)
    except ParameterError:
        return
    assert unpack(one.pack()).values == one.values


def test_the_host_shows_the_fields_in_their_order():
    assert list(p.default().as_dict()) == list(FIELD_NAMES)


@given(st.binary(max_size=PACKED_BYTES + 4))
def test_any_bytes_are_a_prescription_or_a_parameter_error(body):
    try:
        assert unpack(body).pack() == body
    except ParameterError:
        pass


@pytest.mark.control("C-55")
@given(ordinary(), boards)
def test_no_accepted_prescription_passes_a_limit(wanted, board):
    """Against floats and the formulas as the literature has them, not against the code's own functions."""
    if rules.failures(wanted, board):
        return
    kept, _ = rules.accepted(wanted, board)
    for lead in (0, 1):
        asked_ua = max(kept.amplitude_ua[lead], kept.most_ua[lead])
        if not asked_ua:
            continue
        _, ohm, capacitance_nf = board.of(lead, *PAIR)
        charge_uc = asked_ua * kept.width_us[lead] * 1e-6
        assert charge_uc <= 3.6
        density = charge_uc / 0.12
        assert math.log10(density) + math.log10(charge_uc) <= 1.5 + 1e-9
        farad = 1 / (1 / 4.7e-6 + (1e9 / capacitance_nf if capacitance_nf else 0))
        volt = asked_ua * 1e-6 * (ohm + 5 + kept.width_us[lead] * 1e-6 / farad)
        assert volt <= 13.0 + 1e-6
        assert 2 * kept.width_us[lead] * kept.rate_hz <= 100_500  # the period is rounded


@given(ordinary(), boards)
def test_what_is_kept_is_never_more_than_what_was_asked_for(wanted, board):
    if rules.failures(wanted, board):
        return
    kept, clamps = rules.accepted(wanted, board)
    asked = Prescription(wanted)
    for lead in (0, 1):
        clamp = [found for found in clamps if found[0] == lead]
        ends = kept.amplitude_ua[lead], kept.most_ua[lead]
        asked_ends = asked.amplitude_ua[lead], asked.most_ua[lead]
        assert ends[0] <= asked_ends[0] and ends[1] <= asked_ends[1]
        assert (ends == asked_ends) == (not clamp)
        for _, asked_ua, allowed_ua, rule in clamp:
            assert asked_ua == max(asked.most_ua[lead], asked.amplitude_ua[lead]) > allowed_ua
            assert allowed_ua == max(kept.most_ua[lead], kept.amplitude_ua[lead]) and rule == rules.COMPLIANCE
    assert not rules.failures(kept.values, board), "what is kept can be sent again"


@pytest.mark.control("C-52")
@given(ordinary(), boards)
def test_the_allowed_amplitude_is_allowed_and_a_step_more_is_not(wanted, board):
    one = Prescription(wanted)
    _, ohm, capacitance_nf = board.of(0, *PAIR)
    highest, rule = rules.allowed_ua(0, one, ohm, capacitance_nf)
    fields = ("least_ua", "most_ua", "amplitude_ua")
    changes = {lead + field: 0 for lead in ("left.", "right.") for field in fields}
    if highest:
        fits = one.replaced(dict(changes, **{"left.amplitude_ua": highest})).values
        assert not {found[0] for found in rules.failures(fits, board)} - {rules.PULSE_DUTY}
    if rule in (rules.CHARGE, rules.SHANNON):
        over = one.replaced(dict(changes, **{"left.amplitude_ua": highest + 25})).values
        assert rule in {found[0] for found in rules.failures(over, board)}
    if rule == rules.COMPLIANCE and highest:
        over = one.replaced(dict(changes, **{"left.amplitude_ua": highest + 25})).values
        if not rules.failures(over, board):
            assert rules.accepted(over, board)[0].amplitude_ua[0] == highest
    assert highest <= limits.AMPLITUDE_UA and highest % 25 == 0
