"""The figures of telemetry: that they can be measured (a few tries on one bench), and their judgement."""

import random

import pytest
from stimbench.figures import registry, telemetry_stop
from stimbench.figures.model import Options
from stimbench.figures.rig import MS
from stimbench.figures.telemetry_rig import PairedRig

FULL = Options()


@pytest.fixture(scope="module")
def rig():
    with PairedRig(3) as paired:
        paired.connected()
        yield paired


def test_the_rows_are_in_the_table():
    assert "stop-radio" in [row.name for row in registry.ROWS]


def test_a_stop_is_timed_from_the_button_to_the_output(rig):
    trial = telemetry_stop.stop(rig, rig.connect(), telemetry_stop.OPEN, random.Random(1))
    first_bit, challenge, request, off = trial.marks
    assert (challenge, trial.packets) == (0, 1)
    assert 0 < first_bit < request < off < 20 * MS


def stops(kind, *off_ms):
    return [telemetry_stop.Trial(kind, (1, 2, 3, ms * MS), 0, 1) for ms in off_ms]


def test_one_slow_stop_fails_its_line_alone():
    found = [
        stops(telemetry_stop.OPEN, 12, 21),
        stops(telemetry_stop.FIRST, 30),
        stops(telemetry_stop.REMOTE, 149),
    ]
    fresh, opened = telemetry_stop.judge(found, FULL)
    assert (fresh.passed, fresh.measured) == (True, "149 ms")
    assert (opened.passed, opened.measured) == (False, "21 ms")


def test_stops_are_enough():
    pieces = telemetry_stop.STOP_RADIO.pieces(FULL)
    opened = sum(piece.trials for piece in pieces if piece.kind == telemetry_stop.OPEN)
    assert opened >= 100
    assert sum(piece.trials for piece in pieces) - opened >= 40
