"""The figures of telemetry: that they can be measured (a few tries on one bench), and their judgement."""

import random

import pytest
from stimbench.figures import (
    registry,
    telemetry_heap,
    telemetry_loss,
    telemetry_modem,
    telemetry_pairing,
    telemetry_reply,
    telemetry_stop,
)
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
    named = {"reply", "stop-radio", "pairing", "loss", "heap-channel", "modem"}
    assert named <= {row.name for row in registry.ROWS}


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


def test_a_command_is_timed_to_its_reply(rig):
    rig.run_ms(100)
    reply = telemetry_reply.ask(rig)
    assert 0 < reply.packet_ns < reply.button_ns < reply.light_ns


def test_one_slow_reply_fails():
    replies = [
        telemetry_reply.Reply(7 * MS, 15 * MS, 16 * MS),
        telemetry_reply.Reply(51 * MS, 60 * MS, 61 * MS),
    ]
    found = [
        telemetry_reply.Found(replies[:1], [1000, 1700], [1200]),
        telemetry_reply.Found(replies, [999], [10_001]),
    ]
    assert [line.passed for line in telemetry_reply.judge(found, FULL)] == [False, False, True, False]
    assert all(line.passed for line in telemetry_reply.judge(found[:1], FULL))


def test_a_command_in_an_air_that_loses_packets(rig):
    rig.set_program(rig.connect(), telemetry_loss._PROGRAM)
    rig.run_ms(100)
    rig.bench.air.loss = telemetry_loss.LOSS_SHARE
    try:
        fates = [telemetry_loss.command(rig, button) for button in ("START", "STOP")]
    finally:
        rig.bench.air.loss = 0.0
    assert [fate.outcome for fate in fates] == [telemetry_loss.DELIVERED] * 2


def test_a_command_that_nobody_hears_is_said_to_be_lost(rig):
    rig.run_ms(100)
    rig.bench.air.loss = 1.0
    try:
        fate = telemetry_loss.command(rig, "START")
    finally:
        rig.bench.air.loss = 0.0
    assert fate.outcome == telemetry_loss.SAID_SO
    assert 1000 * MS <= fate.took_ns < 1100 * MS


def fates(**counts):
    return [
        telemetry_loss.Fate(getattr(telemetry_loss, outcome), 20 * MS, False, "STOP")
        for outcome, count in counts.items()
        for _ in range(count)
    ]


def test_the_share_of_kept_promises():
    assert all(line.passed for line in telemetry_loss.judge([fates(DELIVERED=999, LATE=1)], FULL))
    assert all(line.passed for line in telemetry_loss.judge([fates(DELIVERED=900), fates(SAID_SO=100)], FULL))
    assert not telemetry_loss.judge([fates(DELIVERED=998, LATE=2)], FULL)[0].passed
    assert not telemetry_loss.judge([fates(DELIVERED=999, WRONG=1)], FULL)[1].passed


def test_the_heap_of_an_open_channel():
    heap = telemetry_heap.measure_heap((3, 1, 3))
    assert heap.warm == 1
    assert heap.channel_bytes > 0
    assert all(line.passed for line in telemetry_heap.judge([heap], FULL))


def test_one_block_more_is_growth():
    heap = telemetry_heap.Heap(1, 100, 1100, 190_000, 188_000, 188_000, 187_984)
    assert [line.passed for line in telemetry_heap.judge([heap], FULL)] == [True, False]
    large = telemetry_heap.Heap(1, 100, 1100, 190_000, 182_000, 181_984, 181_984)
    assert [line.passed for line in telemetry_heap.judge([large], FULL)] == [False, True]


def test_a_pairing_is_as_slow_as_its_slowest_and_must_succeed():
    quick = telemetry_pairing.Pairing(1, 1200.0, 3000.0, 100.0, True)
    slow = telemetry_pairing.Pairing(2, 1900.0, 3000.0, 101.0, True)
    (line,) = telemetry_pairing.judge([quick, quick], FULL)
    assert (line.passed, line.measured) == (True, "4.3 s")
    assert not telemetry_pairing.judge([quick, slow], FULL)[0].passed
    failed = telemetry_pairing.Pairing(3, 1200.0, 3000.0, 100.0, False)
    assert not telemetry_pairing.judge([quick, failed], FULL)[0].passed


def test_a_clinicians_requests_have_no_limit():
    lines = telemetry_modem.judge([telemetry_modem.Modem(1, 60.0, [20.0, 30.0], 2500.0, 2000.0, 24)], FULL)
    assert [line.passed for line in lines] == [None, None]
    assert lines[0].measured == "median 25 ms, worst 30 ms"
