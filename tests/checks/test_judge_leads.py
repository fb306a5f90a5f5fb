"""What a capture has of each lead, and what its ends cut: nothing passes because it was not seen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.analysis.synthetic import make_capture, make_truth
from stimbench.capture.capture import Capture, NoChannelError
from stimbench.checks.judge import judge_capture
from stimbench.checks.limits import Limits
from stimbench.checks.outcome import Outcome
from stimfw.therapy.ranges import LEADS
from support.captures import (
    CURRENT_OFF,
    EXACT,
    LIMITS,
    NONE,
    PULSES,
    found,
    judged_by,
    kinds,
    measured,
    no_pulses,
    program_of,
    recipe,
)

SECOND = PULSES
"""Index of the first pulse of the second contraction, which the capture holds whole."""
HOLD = SECOND + 15
ALONE = LIMITS.model_copy(
    update={"width_ns": 3000.0, "gap_ns": 3000.0, "period_ns": 3000.0, "jitter_ns": 2000.0}
)
"""For edges from a current at 1 MS/s."""


def start(truth, lead, at):
    return int(truth.pulses[lead]["start_ns"][at])


# Leads.


@pytest.mark.parametrize("lead", LEADS)
def test_a_lead_without_a_pulse_fails_though_the_other_one_is_right(lead):
    made = recipe()
    truth, none = make_truth(made), no_pulses(made)
    truth.pulses[lead], truth.amplitudes_ua[lead] = none.pulses[lead], none.amplitudes_ua[lead]
    verdict = judged_by(made, truth)
    assert verdict.outcome is Outcome.FAIL and kinds(verdict) == {"missing pulse"}
    assert [each.text for each in verdict.findings] == ["there is no pulse in the whole capture"]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", [name for name in Limits.model_fields if name not in ("energy_mj",)])
def test_an_empty_capture_passes_by_no_limit(name, exact):
    """Whatever is the only thing that a plan asks for: what cannot be measured is no PASS."""
    made = recipe(seconds=2.0, **EXACT) if exact else recipe(seconds=2.0)
    verdict = judged_by(made, no_pulses(made), limits=Limits(**(NONE | {name: 5.0})))
    if name in ("extra", "overlap_ns"):
        assert verdict.outcome is Outcome.PASS  # that nothing is there is right in these
    else:
        assert verdict.outcome in (Outcome.FAIL, Outcome.ERROR)


def test_without_any_limit_nothing_is_said_of_the_board():
    verdict = judged_by(recipe(seconds=2.0), limits=Limits(**NONE))
    assert verdict.outcome is Outcome.ERROR and verdict.reason == "nothing could be judged by these limits"


@pytest.mark.parametrize(
    ("left_out", "lacks"),
    [
        (("L_CATH", "L_ANOD", "L_SHORT", "I_LEFT"), "nothing of the left lead"),
        (("R_CATH", "I_RIGHT"), "nothing of the right lead"),
        (("I_LEFT",), "no current of the left lead"),
    ],
)
def test_a_lead_that_nobody_recorded_never_passes_with_the_other_one(left_out, lacks):
    made = recipe(seconds=2.0)
    whole = make_capture(made)
    digital = [name for name in whole.digital if name.removeprefix("stimulator.") not in left_out]
    capture = whole.select(digital, [name for name in whole.analog if name not in left_out])
    with pytest.raises(NoChannelError, match=f"has {lacks}, which has an amplitude"):
        judge_capture(capture, program_of(made), LIMITS)
    if left_out == ("I_LEFT",):  # the switches alone are enough for times alone
        timing = LIMITS.model_copy(update=CURRENT_OFF)
        assert judge_capture(capture, program_of(made), timing).outcome is Outcome.PASS


@pytest.mark.parametrize("digital_hz", [10_000_000, -1])
def test_a_lead_that_is_active_without_an_amplitude_is_found(digital_hz):
    made = recipe(digital_hz=digital_hz, analog_hz=1_000_000, seconds=2.0)
    verdict = judged_by(made, program=program_of(made, **{"right.amplitude_ua": 0}), limits=ALONE)
    times = found(verdict, "current without an amplitude", "right")
    assert len(times) == PULSES and kinds(verdict) == {"current without an amplitude"}
    assert abs(times[0] - start(make_truth(made), "right", 0)) <= 2000


def test_a_current_without_switches_in_a_lead_without_an_amplitude_is_found():
    made = recipe(amplitude_ua=(4000, 0), seconds=2.0)
    truth = make_truth(made)
    truth.amplitudes_ua["right"][15] = 300.0
    capture = make_capture(made, truth)
    capture = capture.select([name for name in capture.digital if ".R_" not in name], capture.analog)
    verdict = judge_capture(capture, program_of(made), LIMITS)
    (time_ns,) = found(verdict, "current without an amplitude", "right")
    assert abs(time_ns - start(truth, "right", 15)) <= 10_000


def test_switches_alone_of_a_lead_without_an_amplitude_are_extra_pulses():
    made = recipe(seconds=2.0, analog_hz=0)
    limits = LIMITS.model_copy(update=CURRENT_OFF)
    verdict = judged_by(made, program=program_of(made, **{"right.amplitude_ua": 0}), limits=limits)
    assert len(found(verdict, "extra pulse", "right")) == PULSES


def test_a_current_that_no_switch_explains_is_found():
    made = recipe()
    truth = make_truth(made)
    whole, capture = make_capture(made), make_capture(made, truth)
    time_ns = truth.drop("left", HOLD)
    switches = make_capture(made, truth)
    digital = {name: (switches if ".L_" in name else whole).edges(name) for name in whole.digital}
    analog = {name: capture.samples(name) for name in capture.analog}
    verdict = judge_capture(
        Capture(digital, analog, end_ns=whole.end_ns, origin=whole.origin), program_of(made), LIMITS
    )
    assert kinds(verdict) == {"missing pulse", "current without a pulse"}
    assert abs(found(verdict, "current without a pulse", "left")[0] - time_ns) <= 10_000


# What the ends of a capture cut.


@settings(max_examples=12)
@given(
    begin_ns=st.integers(0, 2_600_000_000),
    end_ns=st.integers(3_000_000_000, 6_000_000_000),
    kind=st.sampled_from(("sampled", "exact", "current")),
)
def test_where_a_capture_begins_and_ends_does_not_matter(begin_ns, end_ns, kind):
    verdict = judge_capture(whole_of(kind).between(begin_ns, end_ns), program_of(recipe()), ALONE)
    assert verdict.counts == {} and verdict.outcome is not Outcome.FAIL, verdict.reason


@pytest.mark.parametrize("kind", ["sampled", "exact", "current"])
@pytest.mark.parametrize("at_us", [-100, -30, -1, 1, 100, 213, 215, 300, 427, 429, 500])
def test_an_end_within_a_pulse_does_not_matter(kind, at_us):
    pulse_ns = start(make_truth(recipe()), "left", HOLD) + at_us * 1000
    for begin_ns, end_ns in ((0, pulse_ns), (pulse_ns, 6_000_000_000)):
        verdict = judge_capture(whole_of(kind).between(begin_ns, end_ns), program_of(recipe()), ALONE)
        assert verdict.counts == {} and verdict.outcome is not Outcome.FAIL, verdict.reason


WHOLE = {
    "sampled": recipe(),
    "exact": recipe(**EXACT),
    "current": recipe(digital_hz=-1, analog_hz=1_000_000, noise_db=50.0),
}


def whole_of(kind, made={}):  # noqa: B006 - made once
    if kind not in made:
        made[kind] = make_capture(WHOLE[kind])
    return made[kind]


@pytest.mark.parametrize("noise_db", [40.0, 60.0])
@pytest.mark.parametrize("ramp_ms", [400, 2000])
def test_from_a_current_alone_a_ramp_whose_first_pulses_are_too_small_to_see_is_whole(ramp_ms, noise_db):
    made = recipe(digital_hz=-1, analog_hz=1_000_000, noise_db=noise_db, ramp_ms=ramp_ms, seconds=8.0)
    verdict = judged_by(made, limits=ALONE.model_copy(update={"balance_percent": False}))
    assert verdict.counts == {} and verdict.outcome is Outcome.PASS, verdict.reason
    assert measured(verdict, "on_ms", "left").count >= 1


def test_from_a_current_alone_a_missing_pulse_is_found():
    made = recipe(digital_hz=-1, analog_hz=1_000_000)
    truth = make_truth(made)
    time_ns = truth.drop("left", HOLD)
    verdict = judged_by(made, truth, limits=ALONE)
    assert kinds(verdict) == {"missing pulse"}
    assert found(verdict, "missing pulse", "left") == pytest.approx([time_ns], abs=2000)
