"""sigrok's own decoders agree with this project's figures: timing, pwm and spi on a session of pulses."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise

import numpy as np
import pytest
from stimbench.analysis import pulses_of
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.capture.sigrok import read_sr, write_sr
from support.board import emulated_board
from support.scene import HOLD, MS

RATE_HZ = 4_000_000
SPI_RATE_HZ = 50_000_000
SPAN_NS = 400 * MS
SHOWN = 0.0005
"""Both decoders print three digits after the point: half of the last one, of the unit that is shown."""
DUTY_SHOWN = 0.5e-6
"""Percent."""
UNITS_NS = {"s": 1e9, "ms": 1e6, "μs": 1e3, "ns": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Pulses on both leads: the bench, its capture, and the last part of that as a session."""
    path = tmp_path_factory.mktemp("decoders") / "pulses.sr"
    with Bench(BenchConfig(seed=11)) as bench:
        provision.pair(bench, 11)
        board = emulated_board(bench)
        board.wait_ready()
        board.set(**HOLD)
        board.client.start()
        bench.run_for(900 * MS)
    capture = bench.trace.capture()
    names = [f"stimulator.{lead}_{phase}" for lead in "LR" for phase in ("CATH", "ANOD", "SHORT")]
    hold = capture.between(bench.now_ns - SPAN_NS, bench.now_ns)
    write_sr(hold.select(names), path, RATE_HZ)
    return bench, capture, path


def decoded(path, stack, annotations):
    command = ["sigrok-cli", "-i", str(path), "-P", stack, "-A", annotations]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split(": ", 1)[1] for line in done.stdout.splitlines()]


def in_ns(text):
    """A time as a decoder prints it, and how far it may be off: half of its last digit."""
    number, unit = re.match(r"([\d.]+) (\S+)", text).groups()
    return float(number) * UNITS_NS[unit], SHOWN * UNITS_NS[unit]


@pytest.mark.parametrize("lead", ["left", "right"])
def test_timing_sees_each_width_and_each_distance_between_pulses(run, lead):
    _, _, path = run
    signal = f"stimulator.{lead[0].upper()}_CATH"
    capture = read_sr(path)
    edges, pulses = capture.edges(signal), pulses_of(capture, lead)
    told = [in_ns(line) for line in decoded(path, f"timing:data={signal}", "timing=time")]
    assert len(told) == len(edges) - 1 > 10
    for (found_ns, shown_ns), wanted_ns in zip(told, np.diff(edges.times_ns), strict=True):
        assert found_ns == pytest.approx(wanted_ns, abs=shown_ns)
    # The pulses that the analysis finds have these widths, and begin where a rise is.
    widths = [each for each, level in zip(told, [level for _, level in edges][:-1], strict=True) if level]
    assert len(widths) >= len(pulses) > 5
    for pulse in pulses:
        index = np.flatnonzero(edges.rises_ns == pulse["start_ns"])[0]
        assert pulse["cathodic_ns"] == pytest.approx(widths[index][0], abs=widths[index][1])


@pytest.mark.parametrize("lead", ["left", "right"])
def test_pwm_sees_the_same_period_and_the_same_share_of_it(run, lead):
    _, _, path = run
    signal = f"stimulator.{lead[0].upper()}_CATH"
    pulses = pulses_of(read_sr(path), lead)
    periods_ns = np.diff(pulses["start_ns"])
    stack = f"pwm:data={signal}"
    periods = [in_ns(line)[0] for line in decoded(path, stack, "pwm=period")]
    duties = [float(line.removesuffix("%")) for line in decoded(path, stack, "pwm=duty-cycle")]
    assert len(periods) >= len(periods_ns) > 5
    # It prints a period with four digits.
    assert periods[: len(periods_ns)] == pytest.approx(periods_ns, rel=5e-4)
    wanted = 100 * pulses["cathodic_ns"][:-1] / periods_ns
    assert duties[: len(wanted)] == pytest.approx(wanted, abs=DUTY_SHOWN)


def test_spi_sees_the_bytes_to_the_converter_that_the_recorder_has(run):
    bench, capture, path = run
    begin_ns = int(capture.edges("stimulator.DAC_CS").falls_ns[-1])
    part = capture.between(begin_ns - 2 * MS, begin_ns + MS)
    lines = ["DAC_SCK", "DAC_MOSI", "DAC_CS"]
    session = path.with_name("spi.sr")
    write_sr(part.select([f"stimulator.{line}" for line in lines]), session, SPI_RATE_HZ)
    stack = "spi:clk=stimulator.DAC_SCK:mosi=stimulator.DAC_MOSI:cs=stimulator.DAC_CS"
    told = decoded(session, stack, "spi=mosi-transfer")
    inside = part.edges("stimulator.DAC_CS")
    recorded = bench.trace.spi_bytes("stimulator", 0, part.start_ns, part.end_ns)
    frames = [
        [byte.mosi for byte in recorded if fall <= byte.start_ns and byte.end_ns <= rise]
        for (fall, level), (rise, _) in pairwise(inside)
        if not level
    ]
    assert len(frames) >= 1 and all(len(frame) == 2 for frame in frames)
    assert told == [" ".join(f"{value:02X}" for value in frame) for frame in frames]
