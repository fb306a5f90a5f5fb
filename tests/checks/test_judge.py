"""One fault in an otherwise clean capture is found, named, at its time; a clean one tells nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimbench.analysis.synthetic import make_capture, make_truth
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges
from stimbench.checks.judge import judge_capture
from stimbench.checks.outcome import Outcome
from stimfw.therapy.ranges import LEADS
from support.captures import (
    CURRENT_OFF,
    EXACT,
    LIMITS,
    PERIOD_NS,
    PULSES,
    found,
    insert,
    judged_by,
    kinds,
    measured,
    program_of,
    recipe,
)

SECOND = PULSES
"""Index of the first pulse of the second contraction, which the capture holds whole."""
HOLD = SECOND + 15
STEP_NS = 100
"""Of the analyser: 10 MS/s."""
ALONE = LIMITS.model_copy(
    update={"width_ns": 3000.0, "gap_ns": 3000.0, "period_ns": 3000.0, "jitter_ns": 2000.0}
)
"""For edges from a current at 1 MS/s."""
leads = st.sampled_from(LEADS)


def start(truth, lead, at):
    return int(truth.pulses[lead]["start_ns"][at])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        EXACT,
        {"rate_hz": 198},
        {"rate_hz": 1, "ramp_ms": 0, "on_ms": 3000, "off_ms": 2000, "seconds": 17.0},
        {"rate_hz": 1, "ramp_ms": 2000, "on_ms": 3000, "off_ms": 31, "seconds": 17.0},
        {"off_ms": 31},
        {"off_ms": 40, "rate_hz": 198},
        {"gap_us": 100, "width_us": 60, "analog_hz": 1_000_000},
        {"offset_ua": 35.0, "settle_ns": 300.0, "analog_hz": 1_000_000},
        {"amplitude_ua": (4000, 0)},
        {"amplitude_ua": (0, 500), "noise_db": 80.0},
        {"jitter_ns": 50.0, "drift_ppm": 5.0},
        {"ramp_ms": 0},
        {"analog_hz": 5_000_000, "seconds": 1.0, "noise_db": 40.0},
    ],
)
def test_a_clean_capture_tells_nothing(changes):
    # The board needs some 30 ms from one contraction to the next, and its programme says nothing of them.
    off_ms = 0 if changes.get("off_ms") in (31, 40) else changes.get("off_ms", 400)
    made = recipe(**changes)
    verdict = judged_by(made, program=program_of(made, off_ms=off_ms))
    assert (verdict.findings, verdict.counts) == ([], {})
    assert verdict.outcome is Outcome.PASS, verdict.reason


def test_over_a_long_contraction_two_clocks_differ_by_more_than_a_period():
    made = recipe(seconds=40.0, rate_hz=198, ramp_ms=0, on_ms=30_000, drift_ppm=200.0, analog_hz=0)
    limits = LIMITS.model_copy(update={"on_ms": 10.0, "period_ns": 2000.0} | CURRENT_OFF)
    verdict = judged_by(made, limits=limits)
    assert verdict.outcome is Outcome.PASS, verdict.reason


@settings(max_examples=16)
@given(lead=leads, at=st.integers(0, 2 * PULSES - 1), exact=st.booleans(), count=st.integers(1, 3))
def test_missing_pulses_are_found_where_they_lack(lead, at, exact, count):
    """Anywhere: the first, the last, in a ramp, in the hold; in a contraction that begins in the capture."""
    made = recipe(**EXACT) if exact else recipe()
    truth = make_truth(made)
    whole = at // PULSES
    count = min(count, (whole + 1) * PULSES - at)
    times = [truth.drop(lead, at) for _ in range(count)]
    verdict = judged_by(made, truth, from_start=True)
    missing = found(verdict, "missing pulse", lead)
    assert np.abs(np.subtract(missing, times)).max() <= STEP_NS and len(missing) == count
    assert measured(verdict, "missing", lead).value == count
    # A contraction that lacks its ends is too short as well; so many pulses may look like a longer rest.
    assert kinds(verdict) <= {"missing pulse", "on", "off"}
    assert verdict.outcome is Outcome.FAIL


@settings(max_examples=16)
@given(lead=leads, at=st.integers(0, 2 * PULSES), by=st.floats(0.02, 0.98), exact=st.booleans())
def test_an_extra_pulse_is_found_where_it_is(lead, at, by, exact):
    made = recipe(**EXACT) if exact else recipe()
    truth = make_truth(made)
    time_ns = insert(truth, lead, at, round(by * PERIOD_NS))
    verdict = judged_by(made, truth, from_start=True)
    extra = found(verdict, "extra pulse", lead)
    behind = at % PULSES == PULSES - 1
    if behind and by > 0.5:  # a pulse in the rest that comes later than half a period is one of the train
        assert np.abs(extra[0] - time_ns) <= STEP_NS or found(verdict, "period", lead)
    else:
        assert len(extra) == 1 and abs(extra[0] - time_ns) <= STEP_NS
    assert verdict.outcome is Outcome.FAIL


def shifted(field, by_ns, kind):
    def plant(truth, lead, at):
        truth.pulses[lead][field][at] += by_ns
        return start(truth, lead, at), kind

    return plant


def no_anodic(truth, lead, at):
    truth.pulses[lead]["anodic_ns"][at] = 0
    return start(truth, lead, at), "cathodic phase alone"


def scaled(phases, by, kind):
    def plant(truth, lead, at):
        truth.amplitudes_ua[lead][at, phases] *= by
        return start(truth, lead, at), kind

    return plant


BOTH = slice(0, 2)


@settings(max_examples=4)
@given(lead=leads, at=st.integers(SECOND + 9, SECOND + 25))
@pytest.mark.parametrize(
    "plant",
    [
        shifted("cathodic_ns", 1000, "width"),
        shifted("anodic_ns", -1000, "width"),
        shifted("gap_ns", 1000, "gap"),
        shifted("gap_ns", -1000, "overlap"),
        shifted("start_ns", 5000, "period"),
        shifted("start_ns", -5000, "period"),
        no_anodic,
        scaled(BOTH, -1.0, "amplitude"),
        scaled(BOTH, 1.03, "amplitude"),
        scaled(BOTH, 0.97, "amplitude"),
        scaled(1, 0.97, "imbalance"),
        scaled(1, 0.97, "amplitude"),
        scaled(0, 1.03, "amplitude"),
        scaled(0, 0.97, "imbalance"),
        scaled(BOTH, 0.0, "amplitude"),
    ],
    ids=lambda plant: "",
)
def test_one_bad_pulse_in_a_hold_is_found_by_its_name(plant, lead, at):
    made = recipe()
    truth = make_truth(made)
    time_ns, kind = plant(truth, lead, at)
    verdict = judged_by(made, truth)
    near = [each for each in verdict.findings if each.kind == kind and each.lead in (lead, "")]
    assert near and abs(near[0].time_ns - time_ns) <= 300_000, verdict.counts
    assert verdict.outcome is Outcome.FAIL
    other = LEADS[1 - LEADS.index(lead)]
    assert not [each for each in verdict.findings if each.lead == other]


@pytest.mark.parametrize("signals", [("L_CATH",), ("R_ANOD",)])
def test_a_phase_alone_is_found(signals):
    """A switch that stays open for one pulse, and the other phase of it comes all the same."""
    made = recipe(**EXACT)
    capture, time_ns = make_capture(made), start(make_truth(made), "left", HOLD)
    digital = {name: capture.edges(name) for name in capture.digital}
    for signal in signals:
        edges = digital[f"stimulator.{signal}"]
        keep = np.abs(edges.times_ns - time_ns - 25_000_000 * (signal[0] == "R")) > 1_000_000
        digital[f"stimulator.{signal}"] = Edges(edges.times_ns[keep])
    analog = {name: capture.samples(name) for name in capture.analog}
    changed = Capture(digital, analog, end_ns=capture.end_ns, origin=capture.origin)
    verdict = judge_capture(changed, program_of(made), LIMITS)
    if signals == ("L_CATH",):
        assert found(verdict, "anodic phase alone", "left") == [time_ns + 214_000]
        assert found(verdict, "missing pulse", "left") == [time_ns]
        assert measured(verdict, "extra", "left").value >= 1
    else:
        assert found(verdict, "cathodic phase alone", "right") == [start(make_truth(made), "right", HOLD)]


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("at", [1, 6, 29, 34])
def test_a_step_in_a_ramp_is_found(lead, at):
    made = recipe()
    truth = make_truth(made)
    truth.amplitudes_ua[lead][SECOND + at] += 0.05 * 4000
    verdict = judged_by(made, truth)
    (time_ns,) = found(verdict, "ramp step", lead)
    assert abs(time_ns - start(truth, lead, SECOND + at)) <= STEP_NS
    assert kinds(verdict) == {"ramp step"}


def test_switches_that_are_wired_the_wrong_way_round_are_found():
    made = recipe()
    capture = make_capture(made)
    other = {"stimulator.L_CATH": "stimulator.L_ANOD", "stimulator.L_ANOD": "stimulator.L_CATH"}
    digital = {name: capture.edges(other.get(name, name)) for name in capture.digital}
    swapped = Capture(digital, {name: capture.samples(name) for name in capture.analog},
                      end_ns=capture.end_ns, origin=capture.origin)  # fmt: skip
    verdict = judge_capture(swapped, program_of(made), LIMITS)
    assert {"gap", "amplitude"} <= {each.kind for each in verdict.findings if each.lead == "left"}
    assert not [each for each in verdict.findings if each.lead == "right"]


@pytest.mark.parametrize("digital_hz", [10_000_000, -1])
def test_a_probe_the_wrong_way_round_never_passes(digital_hz):
    made = recipe(digital_hz=digital_hz, analog_hz=1_000_000)
    truth = make_truth(made)
    truth.amplitudes_ua["left"] *= -1
    verdict = judged_by(made, truth, limits=ALONE)
    assert verdict.outcome is Outcome.FAIL and found(verdict, "amplitude", "left")
    assert not [each for each in verdict.findings if each.lead == "right"]


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.99, 0.9999, 1.0001, 1.01, 1.1, 2.0])
def test_a_wrong_rate_is_found(factor):
    made = recipe(on_ms=2000, seconds=8.0)
    truth = make_truth(made)
    for lead in LEADS:
        starts = truth.pulses[lead]["start_ns"]
        starts[:] = (starts * factor).astype(np.int64)
        inside = starts < made.seconds * 1e9 - 1_000_000
        truth.pulses[lead], truth.amplitudes_ua[lead] = (
            truth.pulses[lead][inside],
            truth.amplitudes_ua[lead][inside],
        )
    verdict = judged_by(made, truth)
    expected = {0.5: "extra pulse", 2.0: "missing pulse"}.get(factor, "period")
    assert all(found(verdict, expected, lead) for lead in LEADS)
    assert verdict.outcome is Outcome.FAIL


def contraction(truth, lead, change):
    """Replaces the first contraction of a lead by `change(pulses)` pulses; the rest stays."""
    pulses, levels = truth.pulses[lead], truth.amplitudes_ua[lead]
    mine = change(pulses[:PULSES])
    own = levels[:PULSES][np.minimum(np.arange(len(mine)), PULSES - 1)]
    truth.pulses[lead] = np.concatenate([mine, pulses[PULSES:]])
    truth.amplitudes_ua[lead] = np.concatenate([own, levels[PULSES:]])


@pytest.mark.parametrize("count", [1, 2, 6, 20, 35])
def test_a_contraction_that_ends_too_early_is_found(count):
    made = recipe()
    truth = make_truth(made)
    end_ns = start(truth, "left", PULSES - 1 - count)
    contraction(truth, "left", lambda pulses: pulses[: PULSES - count])
    verdict = judged_by(made, truth, from_start=True)
    assert measured(verdict, "on_ms", "left").value == pytest.approx(-50 * count, abs=0.001)
    missing = found(verdict, "missing pulse", "left")
    assert len(missing) == count and missing[0] == pytest.approx(end_ns + PERIOD_NS, abs=STEP_NS)
    assert measured(verdict, "on_ms", "right").outcome is Outcome.PASS


@pytest.mark.parametrize("count", [1, 3])
def test_a_contraction_that_lasts_too_long_is_found(count):
    made = recipe()
    truth = make_truth(made)

    def longer(pulses):
        more = np.repeat(pulses[-1:], count)
        more["start_ns"] += PERIOD_NS * np.arange(1, count + 1)
        return np.concatenate([pulses, more])

    contraction(truth, "right", longer)
    verdict = judged_by(made, truth, from_start=True)
    assert measured(verdict, "on_ms", "right").value == pytest.approx(50 * count, abs=0.001)
    first_ns = start(truth, "right", PULSES)
    assert found(verdict, "extra pulse", "right") == pytest.approx(
        [first_ns + PERIOD_NS * k for k in range(count)], abs=STEP_NS
    )


@pytest.mark.parametrize("by_ms", [-380, -350, -250, -120, 120, 400, 1500])
def test_a_wrong_rest_is_found(by_ms):
    made = recipe(seconds=7.0)
    truth = make_truth(made)
    for lead in LEADS:
        truth.pulses[lead]["start_ns"][PULSES:] += by_ms * 1_000_000
        keep = truth.pulses[lead]["start_ns"] < made.seconds * 1e9 - 1_000_000
        keep[2 * PULSES :] = False
        truth.pulses[lead], truth.amplitudes_ua[lead] = (
            truth.pulses[lead][keep],
            truth.amplitudes_ua[lead][keep],
        )
    verdict = judged_by(made, truth, from_start=True)
    assert kinds(verdict) == {"off"}
    for lead in LEADS:
        assert measured(verdict, "off_ms", lead).value == pytest.approx(by_ms, abs=0.001)
        assert found(verdict, "off", lead) == pytest.approx([start(truth, lead, PULSES - 1)], abs=STEP_NS)


def test_a_rest_that_is_not_there_is_found():
    made = recipe(seconds=7.0)
    truth = make_truth(made)
    for lead in LEADS:
        truth.pulses[lead]["start_ns"][PULSES:] -= 400_000_000
    verdict = judged_by(made, truth, from_start=True)
    assert {"on", "extra pulse"} <= kinds(verdict)


@pytest.mark.parametrize("off_ms", [0, 400])
@pytest.mark.parametrize("early_ms", [10, 20, 24.6])
def test_one_pulse_at_a_wrong_time_is_no_rest(early_ms, off_ms):
    made = recipe(off_ms=off_ms or 31)
    truth = make_truth(made)
    truth.pulses["right"]["start_ns"][HOLD] -= round(early_ms * 1e6)
    verdict = judged_by(made, truth, program=program_of(made, off_ms=off_ms))
    assert len(found(verdict, "period", "right")) == 2 and kinds(verdict) <= {"period", "jitter", "overlap"}


def test_an_overlap_of_the_leads_is_found_with_its_length():
    made = recipe()
    truth = make_truth(made)
    at_ns = start(truth, "left", HOLD) + 400_000
    truth.pulses["right"]["start_ns"][HOLD] = at_ns
    verdict = judged_by(made, truth)
    assert found(verdict, "overlap") == pytest.approx([at_ns], abs=STEP_NS)
    assert measured(verdict, "overlap_ns").value == pytest.approx(28_000, abs=STEP_NS)


@pytest.mark.parametrize(
    ("apart_ns", "outcome"),
    [(150, Outcome.PASS), (0, Outcome.MARGINAL), (-50, Outcome.MARGINAL), (-250, Outcome.FAIL)],
)
def test_leads_that_nearly_meet_are_judged_by_what_the_analyser_can_tell(apart_ns, outcome):
    made = recipe(seconds=2.0)
    truth = make_truth(made)
    left_ns = start(truth, "left", 15) // 1000 * 1000
    truth.pulses["left"]["start_ns"][15] = left_ns
    truth.pulses["right"]["start_ns"][15] = left_ns + 428_000 + apart_ns
    assert measured(judged_by(made, truth), "overlap_ns").outcome is outcome
