"""What the bench records goes into files and comes back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from stimbench.analysis import current_of, pulses_of
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Segments
from stimbench.capture.sigrok import read_sr, sample_signal, sample_waveform, write_sr
from stimbench.capture.vcd import read_vcd, write_vcd
from stimbench.errors import InputError
from support.board import emulated_board
from support.scene import HOLD, MS, SELF_TEST_NS

RATE_HZ = 1_000_000
START_NS = 123_456
SENSED = ("V_LEFT", "V_RIGHT", "I_SENSE")
"""What the sense amplifiers are wired to."""
R_S_OHM = 519.0
"""Series resistance of a pair, 500 ohm, with the switches of both rails, 19 ohm."""
C_DL_F = 5e-6
PUMP_ERROR = 0.01
THERAPY_NS = 850 * MS
"""So long pulses have come when the run ends."""


@pytest.fixture(scope="module")
def run():
    """Both boards from power on until pulses have come for THERAPY_NS: the bench and its capture."""
    with Bench(BenchConfig(seed=11)) as bench:
        provision.pair(bench, 11)
        board = emulated_board(bench)
        board.wait_ready()
        board.set(**HOLD)
        board.set(**HOLD)
        board.client.start()
        bench.run_for(SELF_TEST_NS + 900 * MS)
    return bench, bench.trace.capture()


def test_a_capture_of_the_bench_has_what_the_recorder_has(run):
    bench, capture = run
    for board, signal in bench.trace.signals:
        edges = capture.edges(f"{board}.{signal}")
        # Where a pin and its bus both make edges, the recorder may give one level twice.
        assert edges == Edges.of(bench.trace.edges(board, signal), bench.trace.initial_level(board, signal))
    assert {name: list(capture.current(name)) for name in ("I_LEFT", "I_RIGHT")} == {
        name: list(trace.segments) for name, trace in bench.trace.currents.items()
    }
    assert set(capture.analog) == {"I_LEFT", "I_RIGHT", *SENSED}
    assert len(pulses_of(capture, "left")) > 10 and (capture.start_ns, capture.end_ns) == (0, bench.now_ns)


def test_a_span_of_the_recorder_is_that_slice_of_the_whole(run):
    bench, capture = run
    start_ns, end_ns = 300 * MS, bench.now_ns - 50 * MS
    assert bench.trace.capture(start_ns, end_ns) == capture.between(start_ns, end_ns)
    assert len(capture.between(start_ns, end_ns).edges("stimulator.DAC_SCK"))


def assert_same_signals(back, capture):
    """In a file, what changes at the first instant is the initial level there; all else is equal."""
    assert set(back.digital) == set(capture.digital)
    assert (back.start_ns, back.end_ns) == (capture.start_ns, capture.end_ns)
    for name in capture.digital:
        assert back.edges(name) == capture.edges(name).between(capture.start_ns + 1, 1 << 62), name


def steps(waveform):
    """A waveform's changes; of several at one time the last."""
    values = [(0, 0.0), *dict(waveform.changes()).items()]
    return [change for before, change in pairwise(values) if change[1] != before[1]]


def test_vcd_and_back(run, tmp_path):
    _, capture = run
    write_vcd(capture, tmp_path / "run.vcd")
    back = read_vcd(tmp_path / "run.vcd")
    assert_same_signals(back, capture)
    for name in capture.analog:
        # A file holds 16 digits of a value.
        wanted, found = (np.array(steps(each.waveform(name))) for each in (capture, back))
        assert type(back.waveform(name)) is type(capture.waveform(name))
        assert len(wanted) > 50 and wanted.shape == found.shape
        assert np.array_equal(wanted[:, 0], found[:, 0])
        assert found[:, 1] == pytest.approx(wanted[:, 1], rel=1e-14)
    for lead in ("left", "right"):
        pulses = pulses_of(capture, lead)
        assert np.array_equal(pulses_of(back, lead), pulses)
        # Of the self-test's nanoamperes a difference of two sums does not leave so many digits.
        pulses = pulses[pulses["start_ns"] > capture.end_ns - THERAPY_NS]
        assert len(pulses) > 15
        for phase in ("cathodic_ua", "anodic_ua"):
            wanted, found = (getattr(current_of(each, lead), phase)(pulses) for each in (capture, back))
            assert found == pytest.approx(wanted, rel=1e-12)
    write_vcd(back, tmp_path / "again.vcd")
    assert read_vcd(tmp_path / "again.vcd") == back


def test_a_slice_goes_through_a_vcd_too(run, tmp_path):
    _, whole = run
    capture = whole.between(whole.end_ns - 100 * MS, whole.end_ns - 10 * MS)
    write_vcd(capture, tmp_path / "run.vcd")
    back = read_vcd(tmp_path / "run.vcd")
    assert_same_signals(back, capture)


def test_what_the_amplifiers_see_is_analog_and_not_a_wire(run):
    _, capture = run
    assert not [name for name in capture.digital if name.endswith(SENSED)]
    for index, lead in enumerate(("left", "right")):
        pulses, ua = pulses_of(capture, lead)[-10:], HOLD[f"{lead}__amplitude_ua"]
        starts, ends = pulses["start_ns"], pulses["start_ns"] + pulses["cathodic_ns"]
        voltage, shunt = capture.voltage(f"V_{lead.upper()}"), capture.current("I_SENSE")
        before, first, last = voltage.at(starts - 1), voltage.at(starts), voltage.at(ends - 1)
        # At the edge the series resistance; then each electrode's double layer charges.
        assert first - before == pytest.approx(-ua * 1e-6 * R_S_OHM, rel=PUMP_ERROR)
        slope = 2 * ua * 1e-6 * pulses["cathodic_ns"] * 1e-9 / C_DL_F
        assert first - last == pytest.approx(slope, rel=0.02)
        # The edge is exact: the voltage jumps with the switch and not a nanosecond before.
        assert np.isin(starts, voltage.t0_ns).all() and np.isin(ends, voltage.t1_ns).all()
        assert shunt.at(starts) == pytest.approx(-ua, rel=PUMP_ERROR)
        other = capture.voltage(f"V_{('right', 'left')[index].upper()}")
        assert np.abs(other.at(starts)).max() < 0.05


def test_a_voltage_is_followed_in_steps_that_an_oscilloscope_would_show(run):
    _, capture = run
    for name in ("V_LEFT", "V_RIGHT"):
        voltage = capture.voltage(name)
        assert np.abs(voltage.v1_v - voltage.v0_v).max() < 0.025
        # It is one line: where a piece follows another, it begins where that one ended, but for the edges.
        joined = voltage.t0_ns[1:] == voltage.t1_ns[:-1]
        jumps = np.abs(voltage.v0_v[1:] - voltage.v1_v[:-1])[joined]
        assert joined.sum() > 100 and np.median(jumps) == 0.0


def on_grid(edges, capture):
    """Edges as an analyser that samples from the capture's start on sees them."""
    count = (capture.end_ns - capture.start_ns) * RATE_HZ // 1_000_000_000
    levels = sample_signal(edges, capture.start_ns, count, RATE_HZ)
    changed = np.flatnonzero(np.diff(levels)) + 1
    return Edges(capture.start_ns + changed * 1_000_000_000 // RATE_HZ, bool(levels[0]))


def test_sigrok_session_and_back_to_the_sampling_grid(run, tmp_path):
    bench, whole = run
    slow = [name for name in whole.digital if name not in bench.trace.spi_channels]
    capture = whole.select(slow, whole.analog).between(START_NS, whole.end_ns)
    write_sr(capture, tmp_path / "run.sr", RATE_HZ)
    back = read_sr(tmp_path / "run.sr", START_NS)
    assert back.digital == capture.digital and back.analog == capture.analog
    for name in slow:
        assert back.edges(name) == on_grid(capture.edges(name), capture), name
    for name in capture.analog:
        sampled, wave = back.samples(name), capture.waveform(name)
        wanted = sample_waveform(wave, START_NS, len(sampled), RATE_HZ)
        assert np.array_equal(sampled.read(0, len(sampled)), wanted) and sampled.unit == wave.UNIT
    assert capture.end_ns - 1_000_000_000 // RATE_HZ < back.end_ns <= capture.end_ns
    wanted, found = pulses_of(capture, "left"), pulses_of(back, "left")
    for field in ("cathodic_ns", "anodic_ns", "period_ns"):
        assert np.abs(wanted[field] - found[field]).max() <= 1000


def test_a_capture_does_not_change_with_the_recording(make_bench):
    bench = make_bench(boards=("remote",))
    bench.run_for(400 * MS)
    capture, same = bench.trace.capture(), bench.trace.capture()
    assert len(same.edges("remote.RADIO_SCK")) and len(same.edges("remote.RADIO_CSN"))
    bench.trace.forget_before(bench.now_ns)
    bench.run_for(400 * MS)
    assert capture == same and bench.trace.capture().start_ns == capture.end_ns


OTHER = """$timescale 10 us $end
$scope module top $end $var wire 1 ! a $end $var reg 8 % bus $end $upscope $end
$scope module libsigrok $end $var wire 1 # D0 $end $upscope $end
$var real 64 r volts $end
$enddefinitions $end
#5 1! x# b101 %
#7 0! r2.5 r
#7 1# r1.5 r
#9 0! z#
#12 r0 r
#20
"""


def test_a_vcd_of_another_tool(tmp_path):
    (tmp_path / "other.vcd").write_text(OTHER)
    assert read_vcd(tmp_path / "other.vcd") == Capture(
        {"top.a": Edges.of([(70_000, False)], True), "D0": Edges.of([(70_000, True), (90_000, False)])},
        {"volts": Segments.of([(70_000, 120_000, 1.5, 1.5)])},
        start_ns=50_000, end_ns=200_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("no dump at all", "no Value Change Dump"),
        (OTHER.split("\n", 1)[1], "no time scale"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_vcd_is_refused_by_its_name(tmp_path, text, what):
    path = tmp_path / "odd.vcd"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=f"odd.vcd .*{what}"):
        read_vcd(path)


def test_a_file_that_is_no_session_is_refused_by_its_name(tmp_path):
    with pytest.raises(InputError, match=r"none.sr cannot be read"):
        read_sr(tmp_path / "none.sr")
    (tmp_path / "odd.sr").write_text("no archive")
    with pytest.raises(InputError, match=r"odd.sr is no sigrok session"):
        read_sr(tmp_path / "odd.sr")


def test_sampling_is_exact_far_from_the_start():
    edges = Edges(np.array([40 * 60 * 10**9 + 7, 40 * 60 * 10**9 + 21]))
    start_ns, rate_hz = 40 * 60 * 10**9, 2_000_000_000
    samples = sample_signal(edges, start_ns, 60, rate_hz)
    assert np.flatnonzero(samples).tolist() == list(range(14, 42))
    assert sample_signal(edges, 0, 40, 1).tolist() == [0] * 40
