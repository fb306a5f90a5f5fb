"""What a capture lacks for a check is said in a sentence with its numbers, before anything is judged."""

import numpy as np
import pytest
from stimbench.analysis import pulses_of
from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channels import Edges
from stimbench.capture.quality import Needed, Tolerance, refusals
from stimbench.capture.samples import ArrayBlocks, Samples
from stimbench.capture.sigrok import read_sr, write_sr

MS = 1_000_000
WIDTH = Tolerance(1000, 214_000)
PERIOD = Tolerance(5000, 50 * MS)


def samples(values, rate_hz=100_000, limits=(-3000, 3000)):
    return Samples(0, rate_hz, "uA", ArrayBlocks(np.asarray(values, np.float32)), limits=limits)


def capture(values=(0, 1, 2), **origin):
    return Capture(
        {"stimulator.L_CATH": Edges([5])}, {"I_LEFT": samples(values)},
        end_ns=100 * MS, source="run.sr", origin=Origin(**origin),
    )  # fmt: skip


def test_a_capture_with_all_that_is_needed_is_not_refused():
    needed = Needed(
        ("stimulator.L_CATH",),
        ("I_LEFT",),
        100 * MS,
        {"width": WIDTH, "period": PERIOD, "gap": 1000},
        100_000,
    )
    assert refusals(capture(digital_hz=2_100_000, clock_ppm=30), needed) == []
    assert refusals(capture(), needed) == [], "edges that are exact"


@pytest.mark.parametrize(
    ("origin", "needed", "says"),
    [
        ({"truncated": "chunk 3 is short"}, {}, "run.sr is truncated: chunk 3 is short."),
        (
            {"stopped": "the instrument gave 7 of 20 samples"}, {},
            "run.sr ended before its time, after 100 ms: the instrument gave 7 of 20 samples.",
        ),
        ({}, {"duration_ns": 100 * MS + 1000}, "run.sr lasts 100 ms, and the check needs 100.001 ms."),
        (
            {}, {"digital": ("stimulator.L_CATH", "stimulator.L_CAHT", "stimulator.R_ANOD")},
            "run.sr lacks the digital channels stimulator.L_CAHT, stimulator.R_ANOD: it has stimulator",
        ),
        ({}, {"analog": ("I_RIGHT",)}, "run.sr lacks the analog channels I_RIGHT: it has I_LEFT"),
        (
            {"digital_hz": 1_000_000}, {"tolerances": {"width": 1000}},
            "run.sr cannot judge width to 1000 ns: at 1000000 samples a second an edge is up to 1000 ns "
            "late, and 500 ns is the most. It takes 2000000 samples a second.",
        ),
        (
            {"digital_hz": 10_000_000, "clock_ppm": 100}, {"tolerances": {"period": PERIOD}},
            "run.sr cannot judge period to 5000 ns: its clock may be off by 100 ppm: 5000 ns in 50 ms.",
        ),
        (
            {"digital_hz": 1_000_000, "clock_ppm": 40}, {"tolerances": {"period": PERIOD}},
            "and 500 ns is the most. It takes 2000000 samples a second.",
        ),
        ({}, {"analog": ("I_LEFT",), "tolerances": {"width": 8000}}, "at 100000 samples a second an edge"),
        (
            {}, {"analog": ("I_LEFT",), "least_hz": 200_000},
            "I_LEFT of run.sr has 100000 samples a second, and the check needs 200000.",
        ),
    ],
)  # fmt: skip
def test_each_reason_is_a_sentence(origin, needed, says):
    (reason,) = refusals(capture(**origin), Needed(**needed))
    assert says in reason and reason.endswith((".", "meant."))


def test_all_reasons_come_at_once():
    needed = Needed(("X",), ("I_LEFT", "Y"), 200 * MS, {"width": 10, "gap": 10})
    assert len(refusals(capture((3000, 3000), digital_hz=1000, truncated="cut", stopped="full"), needed)) == 8


@pytest.mark.parametrize(
    ("values", "clipped"),
    [
        (
            [0, 2999.9, 3000, -3000, 0],
            "3 samples are at the ends of the range of -3000 to 3000 uA, the first at 0.01",
        ),
        ([0, 3000, 0], None),
        ([2990, -2990], None),
    ],
)
def test_a_waveform_that_is_cut_off_by_the_converter(values, clipped):
    found = refusals(capture(values), Needed(analog=("I_LEFT",)))
    assert [clipped in reason for reason in found] == ([True] if clipped else [])


@pytest.mark.parametrize("phase_ns", range(0, 1000, 83))
def test_the_rule_holds_for_pulses_that_were_sampled(tmp_path, phase_ns):
    """With a period of half the tolerance a width that is right passes, and one off by 3/2 of it fails."""
    tolerance_ns, width_ns, rate_hz = 1000, 214_000, 2_000_000
    right, wrong = width_ns + tolerance_ns // 2 - 1, width_ns + 3 * tolerance_ns // 2 + 1
    begins = [MS + phase_ns, 3 * MS + phase_ns]
    cathodic = Edges([begins[0], begins[0] + right, begins[1], begins[1] + wrong])
    names = [f"stimulator.{name}" for name in ("L_CATH", "L_ANOD", "L_SHORT")]
    write_sr(
        Capture({names[0]: cathodic, names[1]: Edges([]), names[2]: Edges([])}, end_ns=5 * MS),
        tmp_path / "run.sr", rate_hz,
    )  # fmt: skip
    found = read_sr(tmp_path / "run.sr")
    assert refusals(found, Needed(tuple(names), tolerances={"width": tolerance_ns})) == []
    errors = np.abs(pulses_of(found, "left")["cathodic_ns"] - width_ns)
    assert errors[0] <= tolerance_ns < errors[1]
    assert refusals(found, Needed(tuple(names), tolerances={"width": tolerance_ns - 1})) != []
