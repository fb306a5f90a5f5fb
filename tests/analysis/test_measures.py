"""One session as exact pieces, as samples and as files: the measures agree with the truth and each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stimbench.analysis.current import Current
from stimbench.analysis.detect import pulses_in, threshold_ua
from stimbench.analysis.leads import LEAD_SIGNALS
from stimbench.analysis.pulses import PULSE
from stimbench.analysis.sampled import of_samples
from stimbench.analysis.shape import of_pieces
from stimbench.analysis.silence import flows_ns
from stimbench.analysis.synthetic import make_capture, make_truth
from stimbench.analysis.train import measure_train
from stimbench.capture.capture import Capture
from stimbench.capture.channel_map import ChannelMap
from stimbench.capture.channels import Edges, Segments
from stimbench.capture.csv_table import write_csv
from stimbench.capture.files import read_capture
from stimbench.capture.samples import BLOCK, Samples
from stimbench.capture.sigrok import write_sr
from stimbench.capture.vcd import write_vcd
from stimbench.checks.judge import judge_capture
from stimbench.checks.limits import Limits
from stimbench.checks.outcome import Outcome
from stimfw.therapy.ranges import LEADS
from support.captures import BASE, EXACT, exact_capture, program_of, recipe

CHARGE_PERCENT = 0.5
"""At 40 dB and 1 MS/s, the worst pulse."""
AMPLITUDE_PERCENT = 0.6
"""Of the mean in a phase, whose edges are a sample off at most."""
STEADY = {"ramp_ms": 0, "on_ms": 0, "off_ms": 0}
LOOSE = Limits(
    width_ns=3000, gap_ns=3000, period_ns=3000, jitter_ns=2000, rise_ns=False, overshoot_percent=False,
    net_dc_na=False, amplitude_percent=2, charge_percent=2, balance_percent=1,
)  # fmt: skip
RATHER_UNSURE = ("rise_ns", "overshoot_percent", "jitter_ns")
"""Where noise and the samples' distance tell more than the current itself."""


@pytest.mark.parametrize(
    "changes",
    [
        {"digital_hz": 0},
        {"digital_hz": 24_000_000},
        {"offset_ua": 30.0},
        {"offset_ua": -250.0},
        {"settle_ns": 364.0},
        {"gap_us": 50},
        {"digital_hz": -1, "analog_hz": 10_000_000, "seconds": 1.0},
    ],
)
def test_widths_periods_and_charges_are_those_of_the_truth(changes):
    noisy = {"noise_db": 40.0, "analog_hz": 1_000_000, "jitter_ns": 500.0, "drift_ppm": 50.0, "seconds": 3.0}
    made = recipe(**STEADY, **(noisy | changes))
    truth = make_truth(made)
    capture = make_capture(made, truth)
    for lead, wanted in truth.pulses.items():
        train = measure_train(capture, lead)
        step = train.resolution_ns
        assert train.by_current == (made.digital_hz < 0) and len(train.pulses) == len(wanted)
        for name in ("cathodic_ns", "anodic_ns", "gap_ns"):
            assert np.abs(train.pulses[name] - wanted[name]).max() <= step, name
        periods = np.diff(wanted["start_ns"])
        assert np.abs(train.pulses["period_ns"][1:] - periods).max() <= step
        found = train.shapes.pulses
        charges = np.column_stack([found["cathodic_nc"], found["anodic_nc"]])
        assert np.abs(charges / truth.charge_nc(lead) - 1).max() * 100 <= CHARGE_PERCENT
        means = np.column_stack([found["cathodic_ua"], found["anodic_ua"]])
        assert np.abs(means / truth.amplitudes_ua[lead] - 1).max() * 100 <= AMPLITUDE_PERCENT
        assert np.abs(found["net_nc"]).max() <= 2 * CHARGE_PERCENT / 100 * truth.charge_nc(lead).max()
        assert train.shapes.offset_ua == pytest.approx(made.offset_ua, abs=5)
        assert train.shapes.noise_ua == pytest.approx(40.0, rel=0.1)


def test_samples_tell_what_exact_pieces_tell_within_their_uncertainty():
    made = recipe(analog_hz=1_000_000)
    truth = make_truth(made)
    truth.amplitudes_ua["left"][50, 1] *= 0.97
    truth.amplitudes_ua["right"][55] *= 1.05
    exact = judge_capture(exact_capture(made, truth), program_of(made), LOOSE)
    sampled = judge_capture(make_capture(made, truth), program_of(made), LOOSE)
    compared = 0
    others = {(each.name, each.lead): each for each in sampled.measurements}
    for one in exact.measurements:
        other = others.get((one.name, one.lead))
        if other is None or one.name in RATHER_UNSURE:
            continue  # the net direct current, which samples do not tell
        assert one.count == other.count, one.title
        if one.count:
            assert abs(one.value - other.value) <= other.uncertainty + 1e-6, one.title
            compared += 1
    assert compared >= 23
    wanted = ["left amplitude", "left charge", "left imbalance", "right amplitude", "right charge"]
    assert sorted(exact.counts) == sorted(sampled.counts) == wanted


WRITERS = {".vcd": write_vcd, ".sr": write_sr, ".csv": write_csv}


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_session_tells_the_same_from_a_file(tmp_path, suffix):
    made = recipe(analog_hz=1_000_000, digital_hz=1_000_000, seconds=1.0)
    # A sigrok session has one sample rate; the others hold straight pieces.
    capture = make_capture(made) if suffix == ".sr" else exact_capture(made, make_truth(made))
    path = tmp_path / f"a session \N{GREEK CAPITAL LETTER OMEGA}{suffix}"
    WRITERS[suffix](capture, path)
    direct = judge_capture(capture, program_of(made), LOOSE)
    read = judge_capture(read_capture(path), program_of(made), LOOSE)
    assert direct.outcome is not Outcome.FAIL and read.outcome is not Outcome.FAIL, read.reason
    for one, other in zip(direct.measurements, read.measurements, strict=True):
        assert (one.name, one.lead, one.count) == (other.name, other.lead, other.count)
        if one.count and one.name not in RATHER_UNSURE:
            assert abs(one.value - other.value) <= one.uncertainty + other.uncertainty + 1e-3, one.title


def test_a_probe_the_wrong_way_round_is_turned_by_its_map():
    made = recipe(seconds=1.0)
    capture = make_capture(made)
    volts = {
        name: Samples.of(-capture.samples(name).read(0, len(capture.samples(name))) * 1e-4, 0, 100_000, "V")
        for name in capture.analog
    }
    turned = Capture({name: capture.edges(name) for name in capture.digital}, volts, end_ns=capture.end_ns,
                     origin=capture.origin)  # fmt: skip
    uses = [f"{name}={name}" for name in capture.digital] + [
        "I_LEFT=I_LEFT:-100ohm",
        "I_RIGHT=I_RIGHT:-100ohm",
    ]
    mapped = ChannelMap.of(uses).apply(turned)
    for lead in LEADS:
        one, other = (measure_train(each, lead).shapes.pulses["cathodic_ua"] for each in (capture, mapped))
        assert other == pytest.approx(one, rel=1e-3, abs=0.5)


# Blocks.


@pytest.mark.parametrize("at", [-420, -215, -214, -100, -8, -1, 0, 1, 3, 10])
def test_a_pulse_across_the_border_of_two_blocks_is_like_any_other(at):
    """The analysis reads block by block; a pulse begins `at` samples from a border."""
    rate_hz, width, level = 1_000_000, 214, 2000.0
    values = np.zeros(BLOCK + 5000)
    starts = [BLOCK - 50_000, BLOCK + at, BLOCK + 2000]
    for first in starts:
        values[first : first + width] = -level
        values[first + width : first + 2 * width] = level
    samples = Samples.of(values, 0, rate_hz)
    pulses = np.zeros(3, dtype=PULSE)
    pulses["start_ns"] = np.array(starts) * 1000
    pulses["cathodic_ns"] = pulses["anodic_ns"] = width * 1000
    pulses["complete"] = True
    shapes = of_samples(samples, pulses)
    assert shapes.pulses["cathodic_ua"] == pytest.approx([level] * 3, rel=0.005)
    assert shapes.pulses["net_nc"] == pytest.approx([0.0] * 3, abs=0.5)
    assert not len(shapes.unexplained_ns)
    found = pulses_in(samples)
    assert np.abs(found["start_ns"] - pulses["start_ns"]).max() <= 1000
    assert np.abs(found["anodic_ns"] - width * 1000).max() <= 1000


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_numbers_of_any_type_are_measured_alike(dtype):
    made = recipe(**STEADY, seconds=1.0, noise_db=0.0)
    capture = make_capture(made)
    whole = capture.samples("I_LEFT")
    values = whole.read(0, len(whole)).astype(dtype)
    other = Samples.of(values, 0, whole.rate_hz)
    pulses = measure_train(capture, "left").pulses
    assert of_samples(other, pulses).pulses["cathodic_ua"] == pytest.approx(
        of_samples(whole, pulses).pulses["cathodic_ua"], rel=1e-6
    )


def test_pulses_whose_samples_are_not_all_there_are_not_measured():
    made = recipe(**STEADY, seconds=1.0)
    truth = make_truth(made)
    capture = make_capture(made, truth)
    begin_ns = int(truth.pulses["left"]["start_ns"][3]) - 20_000
    end_ns = int(truth.pulses["left"]["start_ns"][9]) + 430_000
    train = measure_train(capture.between(begin_ns, end_ns), "left")
    measured = np.isfinite(train.shapes.pulses["cathodic_ua"])
    assert measured.tolist() == [False] + [True] * 5 + [False]


def test_pulses_that_are_far_longer_than_the_others_are_measured_alone():
    made = recipe(**STEADY, seconds=1.0)
    truth = make_truth(made)
    truth.pulses["left"]["cathodic_ns"][7] = 9_000_000
    shapes = measure_train(make_capture(made, truth), "left").shapes
    assert shapes.pulses["cathodic_ua"][7] == pytest.approx(4000, rel=0.01)
    assert shapes.pulses["cathodic_nc"][7] == pytest.approx(36_000, rel=0.01)


# A current alone.


def test_noise_alone_makes_no_pulses():
    noise = np.random.default_rng(5).normal(0, 40, 400_000)
    samples = Samples.of(noise, 0, 1_000_000)
    assert threshold_ua(samples) > 8 * 40 * 0.95
    assert not len(pulses_in(samples))


def test_noise_near_the_threshold_does_not_cut_a_pulse_to_pieces():
    made = recipe(ramp_ms=2000, digital_hz=-1, analog_hz=1_000_000, noise_db=40.0, seconds=5.0)
    truth = make_truth(made)
    pulses = measure_train(make_capture(made, truth), "left").pulses
    starts = truth.pulses["left"]["start_ns"]
    nearest = np.abs(pulses["start_ns"][:, None] - starts).min(axis=1)
    assert nearest.max() <= 2000 and len(np.unique(pulses["start_ns"])) == len(pulses)
    seen = truth.amplitudes_ua["left"][:, 0] >= 0.3 * 4000
    assert np.abs(starts[seen][:, None] - pulses["start_ns"]).min(axis=1).max() <= 2000


def test_a_recharge_is_no_pulse():
    """Passive recharge flows the other way for milliseconds, and begins with a tenth of the amplitude."""
    values = np.zeros(30_000)
    for first in (5000, 15_000, 25_000):
        values[first : first + 214] = -4000
        values[first + 214 : first + 428] = 4000
        values[first + 432 : first + 3432] = -400 * np.exp(-np.arange(3000) / 1000)
    found = pulses_in(Samples.of(values, 0, 1_000_000))
    assert found["start_ns"] == pytest.approx([5_000_000, 15_000_000, 25_000_000], abs=1000)
    assert found["complete"].all() and np.abs(found["anodic_ns"] - 214_000).max() <= 1000


@pytest.mark.parametrize(
    ("level", "offset", "flows"),
    [(0, 0, False), (0, 500, False), (30, 0, False), (400, 0, True), (-400, 500, True)],
)
def test_whether_anything_flows_in_a_lead(level, offset, flows):
    values = np.random.default_rng(3).normal(offset, 20, 50_000)
    values[20_000:20_040] += level
    capture = Capture({}, {"I_LEFT": Samples.of(values, 0, 100_000)}, end_ns=500_000_000)
    found = flows_ns(capture, "left", 10.0)
    assert found.tolist() == ([200_000_000] if flows else [])


def test_whether_anything_flows_in_a_lead_that_is_known_exactly():
    pieces = [
        (0, 10, 5.0, 9.9),
        (5_000_000, 5_000_100, 0.0, 12.0),
        (5_000_100, 5_000_200, -12.0, 0.0),
        (7_000_000, 7_000_001, -9.0, -11.0),
        (9_000_000, 9_000_001, 11.0, 0.0),
    ]
    capture = Capture({}, {"I_LEFT": Segments.of(pieces)}, end_ns=10_000_000)
    assert flows_ns(capture, "left", 10.0).tolist() == [5_000_000, 7_000_000, 9_000_000]


def test_from_exact_pieces_alone_the_pulses_are_those_of_the_switches():
    made = recipe(**EXACT, **STEADY)
    truth = make_truth(made)
    capture = exact_capture(made, truth)
    alone = measure_train(capture.select([], capture.analog), "left")
    both = measure_train(capture, "left")
    for name in ("start_ns", "cathodic_ns", "gap_ns", "anodic_ns"):
        assert (
            alone.pulses[name].tolist() == both.pulses[name].tolist() == truth.pulses["left"][name].tolist()
        )
    assert alone.by_current and alone.least_ua == 1000 and both.least_ua == 0


# Shapes of exact pieces.


def test_rise_and_overshoot_are_those_of_a_current_that_is_drawn_with_them():
    pieces = [
        (1000, 2000, 0.0, -1000.0),  # rises in 1 us: 800 ns from 10 % to 90 %
        (2000, 3000, -1100.0, -1000.0),
        (3000, 101_000, -1000.0, -1000.0),
        (101_000, 201_000, 1000.0, 1000.0),
    ]
    pulses = np.zeros(1, dtype=PULSE)
    pulses["start_ns"], pulses["cathodic_ns"], pulses["anodic_ns"], pulses["complete"] = (
        1000,
        100_000,
        100_000,
        True,
    )
    (found,) = of_pieces(Segments.of(pieces), pulses, 0, 300_000).pulses
    assert found["rise_ns"] == pytest.approx(800, abs=60)
    assert found["overshoot_percent"] == pytest.approx(10.5, abs=0.6)
    assert found["cathodic_ua"] == pytest.approx(995.5) and found["net_nc"] == pytest.approx(0.45)


def test_a_current_that_no_pulse_explains_is_told_when_it_begins():
    pieces = [
        (1000, 2000, -50.0, -50.0),
        (2000, 3000, 50.0, 50.0),
        (50_000, 60_000, 30.0, 30.0),
        (70_000, 80_000, 20.0, 20.0),
    ]
    pulses = np.zeros(1, dtype=PULSE)
    pulses["start_ns"], pulses["cathodic_ns"], pulses["anodic_ns"], pulses["complete"] = (
        1000,
        1000,
        1000,
        True,
    )
    shapes = of_pieces(Segments.of(pieces), pulses, 0, 100_000)
    assert shapes.unexplained_ns.tolist() == [50_000]
    assert shapes.net_charge_nc == pytest.approx(Current(Segments.of(pieces)).charge_nc(0, 100_000))


def test_a_small_pulse_of_a_ramp_does_not_make_noise_a_current():
    """At 10 MS/s a block holds few pulses: the first ones of a ramp are hardly above the noise."""
    made = recipe(seconds=0.5, ramp_ms=2000, noise_db=40.0, analog_hz=10_000_000)
    for lead in LEADS:
        assert not len(measure_train(make_capture(made), lead).shapes.unexplained_ns)


def test_names_of_channels_are_those_of_the_bench():
    capture = make_capture(recipe(seconds=0.2))
    assert set(capture.digital) == {f"stimulator.{name}" for names in LEAD_SIGNALS.values() for name in names}
    assert BASE["digital_hz"] == capture.origin.digital_hz and Edges.of([]) is not None


@pytest.mark.parametrize("digital_hz", [1_000_000, 10_000_000, 24_000_000, 400_000_000])
def test_half_an_hour_at_any_rate_keeps_its_order(digital_hz):
    made = recipe(seconds=2000.0, digital_hz=digital_hz, analog_hz=0, rate_hz=1, ramp_ms=0, on_ms=0, off_ms=0)
    exact = make_capture(replace(made, digital_hz=0)).edges("stimulator.L_CATH").times_ns
    seen = make_capture(made).edges("stimulator.L_CATH").times_ns
    late = seen - exact
    assert late.min() >= 0 and late.max() < 1e9 / digital_hz + 1
