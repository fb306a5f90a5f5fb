"""Self-test and impedance on a harness: what is found, and what a refusal or a stop leaves behind."""

import struct

import pytest
from stimfw.drivers import heap
from stimfw.protocol import messages, requests
from support.stimulator_harness import StimulatorHarness

# docs/firmware.md, "Self-test": current within 10 % of 2 mA.
TEST_UA = 1000
WITHIN = (0.92, 1.0, 1.08)
BEYOND = (0.55, 0.7, 0.88, 1.12, 1.3, 2.0)
OHM_PERCENT = 2
LONGEST_MS = 3000


def measured(harness, ask):
    """Ask for a measurement and let it end."""
    assert ask() == messages.REASON_NONE and harness.control.state() == messages.MEASURING
    harness.run_ms(LONGEST_MS)
    assert not harness.control.busy() and not harness.pulser.running()
    return harness.control.failed_parts


@pytest.mark.parametrize("lead", [0, 1])
def test_a_current_within_10_percent_passes(lead):
    for gain in WITHIN:
        harness = StimulatorHarness()
        harness.gain[lead] = gain
        assert measured(harness, harness.control.test_output) == 0, gain
        assert harness.pulser.trains == 1 and harness.control.state() == messages.READY


@pytest.mark.control("C-15")
@pytest.mark.parametrize("lead", [0, 1])
def test_a_current_beyond_10_percent_is_the_sense_amplifiers_or_the_references_fault(lead):
    for gain in BEYOND:
        harness = StimulatorHarness(left__amplitude_ua=TEST_UA)
        harness.gain[lead] = gain
        assert measured(harness, harness.control.test_output) == messages.PART_SENSE, gain
        assert harness.control.state() == messages.FAULT
        assert harness.control.start() == messages.REASON_SELF_TEST


@pytest.mark.control("C-15")
def test_a_session_does_not_begin_with_a_current_that_is_beyond():
    harness = StimulatorHarness(left__amplitude_ua=TEST_UA)
    harness.gain[1] = 1.3
    assert harness.control.start() == messages.REASON_NONE
    harness.run_ms(500)
    assert (harness.control.state(), harness.control.failed_parts) == (messages.FAULT, messages.PART_SENSE)
    assert harness.control.stop_cause == messages.STOPPED_FAULT and harness.pulser.trains == 1


@pytest.mark.control("C-36")
def test_without_dac_or_matrix_each_is_named():
    harness = StimulatorHarness()
    harness.dac.write = lambda channel, code: None
    assert measured(harness, harness.control.test_output) == messages.PART_DAC
    harness = StimulatorHarness()
    harness.matrix.write = lambda left, right: None
    assert measured(harness, harness.control.test_output) == messages.PART_MATRIX


def test_a_self_test_whose_pulses_do_not_come_is_not_passed():
    harness = StimulatorHarness(left__amplitude_ua=TEST_UA)
    harness.pulser.on_start = harness.pulser.stall
    assert measured(harness, harness.control.test_output) == messages.PART_SENSE
    harness = StimulatorHarness(left__amplitude_ua=TEST_UA)
    harness.pulser.on_start = harness.pulser.stall
    assert harness.control.start() == messages.REASON_NONE
    harness.run_ms(500)
    assert (harness.control.state(), harness.control.stop_cause) == (messages.FAULT, messages.STOPPED_FAULT)
    assert harness.pulser.trains == 1, "no therapy pulses after it"


def test_a_self_test_that_passes_clears_the_fault():
    harness = StimulatorHarness()
    harness.gain = [1.3, 1.3]
    assert measured(harness, harness.control.test_output) == messages.PART_SENSE
    harness.gain = [1.0, 1.0]
    assert measured(harness, harness.control.test_output) == 0
    assert harness.control.state() == messages.READY


def test_a_self_test_that_is_refused_leaves_the_fault():
    harness = StimulatorHarness()
    harness.gain[0] = 1.3
    fault = measured(harness, harness.control.test_output)
    assert fault == messages.PART_SENSE
    harness.gain[0] = 1.0
    harness.magnet(True)
    harness.run_ms(50)
    assert harness.control.test_output() == messages.REASON_MAGNET
    assert (harness.control.state(), harness.control.failed_parts) == (messages.FAULT, fault)
    harness.magnet(False)
    harness.control.window_opened()
    assert harness.control.test_output() == messages.REASON_PAIRING
    harness.control.window_closed(0)
    harness.control.fail(messages.PART_RADIO)
    assert harness.control.test_output() == messages.REASON_SELF_TEST
    assert harness.control.failed_parts == fault | messages.PART_RADIO
    assert harness.control.measure() == messages.REASON_SELF_TEST and harness.pulser.trains == 1


@pytest.mark.parametrize("ended_by", ["stop", "magnet"])
def test_a_self_test_that_is_cut_short_leaves_the_fault(ended_by):
    harness = StimulatorHarness()
    harness.gain[0] = 1.3
    fault = measured(harness, harness.control.test_output)
    assert harness.control.test_output() == messages.REASON_NONE
    harness.run_ms(5)
    if ended_by == "stop":
        harness.control.stop(messages.STOPPED_HOST)
    else:
        harness.magnet(True)
    harness.run_ms(50)
    assert not harness.control.busy() and fault == messages.PART_SENSE
    assert (harness.control.state(), harness.control.failed_parts) == (messages.FAULT, fault)


def results(harness):
    """(kind, ohm, nF, test current in uA) of each pair of each lead."""
    packed = [harness.measurements.pair_records(lead) for lead in range(2)]
    return [[record[1:] for record in struct.iter_unpack(requests.PAIR_RECORD, lead)] for lead in packed]


def kinds(harness):
    return [[kind for kind, *_ in lead] for lead in results(harness)]


def test_all_pairs_of_both_leads_are_measured():
    harness = StimulatorHarness()
    assert kinds(harness) == [[messages.KIND_NOT_MEASURED] * 12] * 2
    measured(harness, harness.control.measure)
    assert kinds(harness) == [[messages.KIND_OK] * 12] * 2
    for lead in results(harness):
        assert all(abs(ohm - 1000) * 100 <= 1000 * OHM_PERCENT for _, ohm, *_ in lead)


@pytest.mark.control("C-39")
@pytest.mark.parametrize("after_ms", [1, 30, 200, 500])
def test_a_measurement_that_is_stopped_leaves_no_older_results(after_ms):
    harness = StimulatorHarness()
    measured(harness, harness.control.measure)
    harness.ohm = 3000
    assert harness.control.measure() == messages.REASON_NONE
    harness.run_ms(after_ms)
    harness.control.stop(messages.STOPPED_HOST)
    harness.run_ms(LONGEST_MS)
    for lead in results(harness):
        done = [ohm for kind, ohm, *_ in lead if kind == messages.KIND_OK]
        assert len(done) < 12 and all(abs(ohm - 3000) * 100 <= 3000 * OHM_PERCENT for ohm in done)
        assert {record for record in lead if record[0] != messages.KIND_OK} == {
            (messages.KIND_NOT_MEASURED, 0, 0, 0)
        }


@pytest.mark.control("C-01")
@pytest.mark.parametrize("what", ["test_output", "measure"])
def test_garbage_is_collected_between_trains_and_never_in_one(monkeypatch, what):
    """A collection takes 10 ms, in which no STOP is heard."""
    harness, trains = StimulatorHarness(), []

    def settle():
        assert not harness.pulser.running()
        trains.append(harness.pulser.trains)

    monkeypatch.setattr(heap, "settle", settle)
    measured(harness, getattr(harness.control, what))
    # The self-test is one train, and each procedure begins with it; a pair takes two.
    assert trains == {"test_output": [0], "measure": [0, 1, 9, 17]}[what]


@pytest.mark.control("C-01")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_stop_that_came_in_a_collection_is_heard_before_the_next_train(monkeypatch, number):
    harness, trains = StimulatorHarness(), []

    def settle():
        trains.append(harness.pulser.trains)
        if len(trains) == number + 1:
            harness.control.stop(messages.STOPPED_HOST)

    monkeypatch.setattr(heap, "settle", settle)
    measured(harness, harness.control.measure)
    assert len(trains) == number + 1
    assert harness.pulser.trains == trains[-1]
