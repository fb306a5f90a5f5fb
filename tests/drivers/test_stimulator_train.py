"""A test train: exactly the pulses that were asked for, and none when the host stops asking."""

import pytest
from stimfw.drivers import heap
from stimfw.protocol import messages
from stimfw.therapy import machine
from stimfw.therapy.ranges import ParameterError
from support.stimulator_harness import StimulatorHarness

from stimfw.stimulator.train import HELD_MS, HOST_GONE, Train, TrainPlan  # isort: skip

STOPPED_WITHIN_MS = 500
LEFT, RIGHT = 0, 1
PULSE = (1, 2, 2000, 214, 0)
TRAIN_STATE = messages.STATE_NAMES.index("test train")


class Bench:
    """A stimulator that makes one train."""

    def __init__(self, lead=LEFT, rate_hz=20, pulses=10):
        self.harness = StimulatorHarness()
        self.control = self.harness.control
        self.train = Train(self.harness.output, TrainPlan(lead, *PULSE, rate_hz, pulses))
        self.control.make_train = self.train.run

    def begin(self):
        self.train.hold()
        return self.control.ask(machine.TRAIN, messages.FROM_USB)

    def held_for_ms(self, span_ms, every_ms=200):
        for _ in range(span_ms // every_ms):
            self.train.hold()
            self.harness.run_ms(every_ms)

    def is_off(self):
        harness = self.harness
        return not harness.pulser.running() and harness.matrix.closed == (0, 0) and harness.dac.ua == [0, 0]


@pytest.mark.control("C-63")
@pytest.mark.parametrize("lead", [LEFT, RIGHT])
@pytest.mark.parametrize(("rate_hz", "pulses"), [(1, 1), (20, 1), (20, 2), (20, 30), (50, 50)])
def test_it_delivers_exactly_its_pulses_and_is_off(lead, rate_hz, pulses):
    bench = Bench(lead, rate_hz, pulses)
    assert bench.begin() == messages.REASON_NONE
    assert bench.control.state() == TRAIN_STATE
    bench.held_for_ms(1000 * pulses // rate_hz + 1400)
    assert bench.is_off() and bench.control.state() == messages.READY
    assert bench.train.delivered == pulses
    assert bench.harness.output.begun(lead) == pulses
    assert bench.control.stop_cause == messages.STOPPED_SESSION_OVER


@pytest.mark.parametrize("lead", [LEFT, RIGHT])
def test_only_its_lead_has_a_current_and_closed_switches(lead):
    bench = Bench(lead)
    bench.begin()
    bench.held_for_ms(200)
    assert bench.harness.dac.ua[lead] == pytest.approx(2000, abs=3) and bench.harness.dac.ua[1 - lead] == 0
    assert bench.harness.matrix.closed[lead] and not bench.harness.matrix.closed[1 - lead]


@pytest.mark.control("C-01")
def test_garbage_is_collected_before_its_first_pulse_and_never_behind_it(monkeypatch):
    bench, trains = Bench(), []
    monkeypatch.setattr(heap, "settle", lambda: trains.append(bench.harness.pulser.trains))
    bench.begin()
    bench.held_for_ms(2000)
    assert trains == [0] and bench.train.delivered == 10


@pytest.mark.control("C-63")
def test_it_stops_when_the_host_stops_asking():
    bench = Bench(rate_hz=50, pulses=200)
    bench.begin()
    bench.held_for_ms(1000)
    last_us = bench.harness.now_us
    bench.train.hold()
    while not bench.is_off():
        bench.harness.run_ms(1)
    assert HELD_MS * 1000 <= bench.harness.now_us - last_us <= STOPPED_WITHIN_MS * 1000
    assert bench.control.stop_cause == HOST_GONE


def test_holding_a_train_that_is_over_starts_nothing():
    bench = Bench(pulses=2)
    bench.begin()
    bench.held_for_ms(1000)
    trains = bench.harness.pulser.trains
    bench.held_for_ms(2000)
    assert bench.is_off() and bench.harness.pulser.trains == trains


@pytest.mark.control("C-63", "C-01")
@pytest.mark.parametrize("how", ["stop", "magnet"])
def test_stop_and_magnet_end_it_at_once(how):
    bench = Bench(pulses=100)
    bench.begin()
    bench.held_for_ms(400)
    if how == "stop":
        bench.control.stop(messages.STOPPED_REMOTE, 2)
    else:
        bench.harness.magnet(True)
        bench.harness.run_ms(1)
    assert bench.is_off()
    assert bench.control.stop_cause == (messages.STOPPED_REMOTE if how == "stop" else messages.STOPPED_MAGNET)


def test_a_pacer_that_stands_still_is_a_fault():
    bench = Bench(pulses=100)
    bench.begin()
    bench.held_for_ms(400)
    bench.harness.pulser.stall()
    bench.held_for_ms(6000)
    assert bench.is_off() and bench.control.stop_cause == messages.STOPPED_FAULT


@pytest.mark.control("C-61")
@pytest.mark.parametrize("mode", [machine.CONDITION_MRI, machine.CONDITION_STORAGE])
def test_not_with_the_electrodes_shut(mode):
    bench = Bench()
    bench.control.tell(machine.SETTLED, mode)
    assert bench.begin() != messages.REASON_NONE and bench.is_off()


def test_while_it_runs_nothing_else_begins():
    bench = Bench(pulses=100)
    bench.begin()
    bench.held_for_ms(200)
    assert bench.control.start() == messages.REASON_BUSY
    assert bench.control.measure() == messages.REASON_BUSY
    assert bench.begin() == messages.REASON_BUSY


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, 2),
        (1, 4),
        (2, 4),
        (2, 1),
        (3, 10_025),
        (3, 30),
        (4, 19),
        (4, 1001),
        (5, 501),
        (6, 0),
        (6, 51),
        (7, 0),
        (7, 201),
    ],
)
def test_values_out_of_their_ranges_are_refused(index, value):
    values = [LEFT, *PULSE, 20, 10]
    TrainPlan(*values)
    values[index] = value
    with pytest.raises(ParameterError):
        TrainPlan(*values)
