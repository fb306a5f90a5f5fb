"""Garbage of requests is collected between two pulses, both bridges off, where no STOP is later for it."""

import pytest
from stimfw.drivers import heap
from stimfw.protocol import messages
from support.stimulator_harness import CLOCK, StimulatorHarness

from stimfw.stimulator.app import _REQUESTS  # isort: skip

MS = 1000
COLLECT_MS, STOP_MS = 10, 7
"""What heap.collect takes on an implant, and a STOP that finds the heap full of holes behind it."""
TARGET = 0x2000_0000


class Bench:
    """A session in its hold.

    Attributes: asked: requests so far; collected: when, in us since the period began; filled: how often;
    parts: of which filling takes so many; calls_in: the radio calls in this part.
    """

    def __init__(self, monkeypatch, rate_hz=20):
        self.asked, self.collected, self.opened = 0, [], []
        self.filled, self.parts, self.calls_in = 0, 6, -1
        harness = self.harness = StimulatorHarness(
            left__amplitude_ua=2000, right__amplitude_ua=3000, rate_hz=rate_hz, ramp_up_ms=0, ramp_down_ms=0,
            on_ms=60_000, session_s=600,
        )  # fmt: skip
        harness.app.asked = lambda: self.asked
        monkeypatch.setattr(heap, "settle", lambda: None)
        monkeypatch.setattr(heap, "collect", self._collect)
        monkeypatch.setattr(heap, "fill", self._fill)
        assert harness.control.start() == messages.REASON_NONE
        harness.run_to(messages.HOLD)
        harness.run_ms(200)
        harness.pulser.on_open = lambda: self.opened.append(CLOCK.now_us)

    def _collect(self):
        pulser = self.harness.pulser
        self.collected.append(pulser.elapsed_us() % pulser._period_us)
        assert self.opened and self.opened[-1] == CLOCK.now_us, "the bridges are off before it begins"
        CLOCK.now_us += COLLECT_MS * MS
        return TARGET

    def _fill(self, target):
        assert target == TARGET
        CLOCK.now_us += MS // 2
        self.filled += 1
        if self.filled == self.calls_in:
            self.harness.app.on_radio(None)
        return self.filled % self.parts == 0

    def ask(self, count):
        self.asked += count

    def run_to_call(self, since_ms):
        """Until so long after a period's call."""
        while CLOCK.now_us // MS - self.harness.app._period_ms != since_ms:
            self.harness.run_ms(0.5)


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def test_a_train_that_nobody_asks_in_collects_nothing(bench):
    bench.harness.run_ms(2000)
    assert bench.collected == bench.opened == []


def test_enough_requests_are_followed_by_one_collection(bench):
    for _ in range(5):
        bench.ask(_REQUESTS - 1)
        bench.harness.run_ms(200)
        before = len(bench.collected)
        bench.ask(1)
        bench.harness.run_ms(200)
        assert len(bench.collected) == before + 1
    assert bench.harness.control.state() == messages.HOLD


@pytest.mark.control("C-01")
def test_it_begins_behind_both_pulses_and_ends_a_stop_before_the_next(bench):
    for late_ms in range(60):
        bench.harness.run_ms(late_ms)
        bench.ask(_REQUESTS)
        bench.harness.run_ms(100)
    assert len(bench.collected) == 60
    half_us = bench.harness.pulser._period_us // 2
    for begun_us in bench.collected:
        assert 3 * MS <= begun_us <= half_us - (COLLECT_MS + STOP_MS) * MS


@pytest.mark.control("C-01")
@pytest.mark.parametrize("rate_hz", [21, 22, 23, 25, 50, 100, 200])
def test_a_train_without_room_is_not_held_up(monkeypatch, rate_hz):
    bench = Bench(monkeypatch, rate_hz)
    bench.ask(50)
    bench.harness.run_ms(1000)
    assert bench.collected == []


@pytest.mark.control("C-01")
def test_a_radio_that_calls_is_read_first(bench):
    app = bench.harness.app
    bench.run_to_call(2)
    bench.ask(_REQUESTS)
    app._radio_called = True
    assert app._collect() == -1
    CLOCK.now_us += 3 * MS
    assert app._collect() == -1 and bench.collected == []
    app._radio_called = False
    assert app._collect() == 0 and len(bench.collected) == 1


@pytest.mark.control("C-01")
@pytest.mark.parametrize("calls_in", range(1, 6))
def test_a_radio_that_calls_while_holes_are_filled_is_read_at_once(bench, calls_in):
    app, read = bench.harness.app, []
    app._radio.poll = lambda _now_ms: read.append(bench.filled) and False
    bench.run_to_call(4)
    bench.ask(_REQUESTS)
    read.clear()
    bench.calls_in = calls_in
    assert app.poll(False) == 0 and bench.filled == calls_in and read == []
    app.poll(False)
    assert read == [calls_in] and bench.filled == bench.parts, "and the rest is done behind it"
    assert len(bench.collected) == 1


def test_the_loop_sleeps_no_longer_than_until_the_pulses_are_over(bench):
    app = bench.harness.app
    bench.run_to_call(1)
    bench.ask(_REQUESTS)
    for left_ms in (3, 2, 1):
        assert app._collect() == left_ms and bench.collected == []
        assert app.poll(False) <= left_ms
        CLOCK.now_us = 1000 * (app._period_ms + 5 - left_ms)
    assert app._collect() == 0 and len(bench.collected) == 1


@pytest.mark.control("C-01")
def test_the_radio_is_read_before_anything_else_behind_a_collection(bench):
    app, later = bench.harness.app, []
    app._pairing.poll = lambda _now_ms: later.append(1) or -1
    bench.run_to_call(4)
    later.clear()
    bench.ask(_REQUESTS)
    assert app.poll(False) == 0 and len(bench.collected) == 1 and not later
    app.poll(False)
    assert later


def test_nothing_is_opened_while_no_train_runs(bench):
    bench.harness.control.stop(messages.STOPPED_HOST)
    bench.ask(_REQUESTS)
    bench.harness.run_ms(2000)
    assert bench.collected == bench.opened == []
