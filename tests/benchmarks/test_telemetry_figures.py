"""The figures of telemetry: that they can be measured (a few tries on one bench), and their judgement."""

import random

import pytest
from stimbench.benchmarks import registry
from stimbench.benchmarks.harness.model import Options
from stimbench.benchmarks.harness.rig import MS
from stimbench.benchmarks.radio import heap, loss, modem, pairing, reply, stop
from stimbench.benchmarks.radio.rig import PairedRig

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
    trial = stop.stop(rig, rig.connect(), stop.OPEN, random.Random(1))
    first_bit, challenge, request, off = trial.marks
    assert (challenge, trial.packets) == (0, 3)
    assert 0 < first_bit < request < off < 20 * MS


def stops(kind, *off_ms):
    return [stop.Trial(kind, (1, 2, 3, ms * MS), 0, 1) for ms in off_ms]


def test_one_slow_stop_fails_its_line_alone():
    found = [
        stops(stop.OPEN, 12, 21),
        stops(stop.FIRST, 30),
        stops(stop.REMOTE, 149),
    ]
    fresh, opened = stop.judge(found, FULL)
    assert (fresh.passed, fresh.measured) == (True, "149 ms")
    assert (opened.passed, opened.measured) == (False, "21 ms")


def test_stops_are_enough():
    cases = stop.STOP_RADIO.cases(FULL)
    opened = sum(case.trials for case in cases if case.kind == stop.OPEN)
    assert opened >= 100
    assert sum(case.trials for case in cases) - opened >= 40


def test_a_command_is_timed_to_its_reply(rig):
    rig.run_ms(100)
    asked = reply.ask(rig)
    assert 0 < asked.packet_ns < asked.button_ns < asked.light_ns


def test_one_slow_reply_fails():
    replies = [
        reply.Reply(7 * MS, 15 * MS, 16 * MS),
        reply.Reply(51 * MS, 60 * MS, 61 * MS),
    ]
    found = [
        reply.Found(replies[:1], [1000, 1700], [1200]),
        reply.Found(replies, [999], [10_001]),
    ]
    assert [line.passed for line in reply.judge(found, FULL)] == [False, False, True, False]
    assert all(line.passed for line in reply.judge(found[:1], FULL))


def test_a_command_in_an_air_that_loses_packets(rig):
    rig.set_program(rig.connect(), loss._PROGRAM)
    rig.run_ms(100)
    rig.bench.air.loss = loss.LOSS_SHARE
    try:
        fates = [loss.command(rig, button) for button in ("START", "STOP")]
    finally:
        rig.bench.air.loss = 0.0
    assert [fate.outcome for fate in fates] == [loss.DELIVERED] * 2


def test_a_command_that_nobody_hears_is_said_to_be_lost(rig):
    rig.run_ms(100)
    rig.bench.air.loss = 1.0
    try:
        fate = loss.command(rig, "START")
    finally:
        rig.bench.air.loss = 0.0
    assert fate.outcome == loss.SAID_SO
    assert 1000 * MS <= fate.took_ns < 1100 * MS


def fates(**counts):
    return [
        loss.Fate(getattr(loss, outcome), 20 * MS, False, "STOP")
        for outcome, count in counts.items()
        for _ in range(count)
    ]


def test_the_share_of_kept_promises():
    assert all(line.passed for line in loss.judge([fates(DELIVERED=999, LATE=1)], FULL))
    assert all(line.passed for line in loss.judge([fates(DELIVERED=900), fates(SAID_SO=100)], FULL))
    assert not loss.judge([fates(DELIVERED=998, LATE=2)], FULL)[0].passed
    assert not loss.judge([fates(DELIVERED=999, WRONG=1)], FULL)[1].passed


def test_the_heap_of_an_open_channel():
    measured = heap.measure_heap((3, 5, 10))  # what is made once, by the third command at the latest, is made
    assert measured.warm == 5
    assert measured.channel_bytes > 0
    assert all(line.passed for line in heap.judge([measured], FULL))


def test_one_block_more_is_growth():
    measured = heap.Heap(1, 100, 1100, 190_000, 188_000, 188_000, 187_984)
    assert [line.passed for line in heap.judge([measured], FULL)] == [True, False]
    large = heap.Heap(1, 100, 1100, 190_000, 182_000, 181_984, 181_984)
    assert [line.passed for line in heap.judge([large], FULL)] == [False, True]


def test_a_pairing_is_as_slow_as_its_slowest_and_must_succeed():
    quick = pairing.PairingTimes(1, 1200.0, 4000.0, 1950.0, 250.0, True)
    slow = pairing.PairingTimes(2, 1200.0, 4000.0, 2551.0, 250.0, True)
    (line,) = pairing.judge([quick, quick], FULL)
    assert (line.passed, line.measured) == (True, "7.4 s")
    assert not pairing.judge([quick, slow], FULL)[0].passed
    failed = pairing.PairingTimes(3, 1200.0, 4000.0, 1950.0, 250.0, False)
    assert not pairing.judge([quick, failed], FULL)[0].passed


def test_a_clinicians_requests_have_no_limit():
    lines = modem.judge([modem.Modem(1, 60.0, [20.0, 30.0], 2500.0, 2000.0, 24)], FULL)
    assert [line.passed for line in lines] == [None, None]
    assert lines[0].measured == "median 25 ms, worst 30 ms"
