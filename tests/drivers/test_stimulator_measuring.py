"""Self-test and impedance on a desk: what is found, and what a refusal or a stop leaves behind."""

import pytest
from stimfw.logic import messages
from support.stimulator_desk import StimulatorDesk

# docs/firmware.md, "Self-test": current within 10 % of 1 mA.
TEST_UA = 1000
WITHIN = (0.92, 1.0, 1.08)
BEYOND = (0.55, 0.7, 0.88, 1.12, 1.3, 2.0)
OHM_PERCENT = 2
LONGEST_MS = 3000


def measured(desk, ask):
    """Ask for a measurement and let it end."""
    assert ask() == messages.REASON_NONE and desk.control.state() == messages.MEASURING
    desk.run_ms(LONGEST_MS)
    assert not desk.control.busy() and not desk.pulser.running()
    return desk.control.failed_parts


@pytest.mark.parametrize("lead", [0, 1])
def test_a_current_within_10_percent_passes(lead):
    for gain in WITHIN:
        desk = StimulatorDesk()
        desk.gain[lead] = gain
        assert measured(desk, desk.control.test_output) == 0, gain
        assert desk.pulser.trains == 1 and desk.control.state() == messages.READY


@pytest.mark.parametrize("lead", [0, 1])
def test_a_current_beyond_10_percent_is_the_sense_amplifiers_or_the_references_fault(lead):
    for gain in BEYOND:
        desk = StimulatorDesk(left__amplitude_ua=TEST_UA)
        desk.gain[lead] = gain
        assert measured(desk, desk.control.test_output) == messages.PART_SENSE, gain
        assert desk.control.state() == messages.FAULT
        assert desk.control.start() == messages.REASON_SELF_TEST


def test_a_session_does_not_begin_with_a_current_that_is_beyond():
    desk = StimulatorDesk(left__amplitude_ua=TEST_UA)
    desk.gain[1] = 1.3
    assert desk.control.start() == messages.REASON_NONE
    desk.run_ms(500)
    assert (desk.control.state(), desk.control.failed_parts) == (messages.FAULT, messages.PART_SENSE)
    assert desk.control.stop_cause == messages.STOPPED_FAULT and desk.pulser.trains == 1


def test_without_dac_or_matrix_each_is_named():
    desk = StimulatorDesk()
    desk.dac.write = lambda channel, code: None
    assert measured(desk, desk.control.test_output) == messages.PART_DAC
    desk = StimulatorDesk()
    desk.matrix.write = lambda left, right: None
    assert measured(desk, desk.control.test_output) == messages.PART_MATRIX


def test_a_self_test_whose_pulses_do_not_come_is_not_passed():
    desk = StimulatorDesk(left__amplitude_ua=TEST_UA)
    desk.pulser.on_start = desk.pulser.stall
    assert measured(desk, desk.control.test_output) == messages.PART_SENSE
    desk = StimulatorDesk(left__amplitude_ua=TEST_UA)
    desk.pulser.on_start = desk.pulser.stall
    assert desk.control.start() == messages.REASON_NONE
    desk.run_ms(500)
    assert (desk.control.state(), desk.control.stop_cause) == (messages.FAULT, messages.STOPPED_FAULT)
    assert desk.pulser.trains == 1, "no therapy pulses after it"


def test_a_self_test_that_passes_clears_the_fault():
    desk = StimulatorDesk()
    desk.gain = [1.3, 1.3]
    assert measured(desk, desk.control.test_output) == messages.PART_SENSE
    desk.gain = [1.0, 1.0]
    assert measured(desk, desk.control.test_output) == 0
    assert desk.control.state() == messages.READY


def test_a_self_test_that_is_refused_leaves_the_fault():
    desk = StimulatorDesk()
    desk.gain[0] = 1.3
    fault = measured(desk, desk.control.test_output)
    assert fault == messages.PART_SENSE
    desk.gain[0] = 1.0
    desk.magnet(True)
    desk.run_ms(50)
    assert desk.control.test_output() == messages.REASON_MAGNET
    assert (desk.control.state(), desk.control.failed_parts) == (messages.FAULT, fault)
    desk.magnet(False)
    desk.control.pairing = True
    assert desk.control.test_output() == messages.REASON_PAIRING
    desk.control.pairing = False
    desk.control.fail(messages.PART_RADIO)
    assert desk.control.test_output() == messages.REASON_SELF_TEST
    assert desk.control.failed_parts == fault | messages.PART_RADIO
    assert desk.control.measure() == messages.REASON_SELF_TEST and desk.pulser.trains == 1


@pytest.mark.parametrize("ended_by", ["stop", "magnet"])
def test_a_self_test_that_is_cut_short_leaves_the_fault(ended_by):
    desk = StimulatorDesk()
    desk.gain[0] = 1.3
    fault = measured(desk, desk.control.test_output)
    assert desk.control.test_output() == messages.REASON_NONE
    desk.run_ms(5)
    if ended_by == "stop":
        desk.control.stop(messages.STOPPED_HOST)
    else:
        desk.magnet(True)
    desk.run_ms(50)
    assert not desk.control.busy() and fault == messages.PART_SENSE
    assert (desk.control.state(), desk.control.failed_parts) == (messages.FAULT, fault)


def kinds(desk):
    return [[kind for kind, *_ in lead] for lead in desk.measurements.results]


def test_all_pairs_of_both_leads_are_measured():
    desk = StimulatorDesk()
    assert kinds(desk) == [[messages.KIND_NOT_MEASURED] * 12] * 2
    measured(desk, desk.control.measure)
    assert kinds(desk) == [[messages.KIND_OK] * 12] * 2
    for lead in desk.measurements.results:
        assert all(abs(ohm - 1000) * 100 <= 1000 * OHM_PERCENT for _, ohm, *_ in lead)


@pytest.mark.parametrize("after_ms", [1, 30, 200, 500])
def test_a_measurement_that_is_stopped_leaves_no_older_results(after_ms):
    desk = StimulatorDesk()
    measured(desk, desk.control.measure)
    desk.ohm = 3000
    assert desk.control.measure() == messages.REASON_NONE
    desk.run_ms(after_ms)
    desk.control.stop(messages.STOPPED_HOST)
    desk.run_ms(LONGEST_MS)
    for lead in desk.measurements.results:
        done = [ohm for kind, ohm, *_ in lead if kind == messages.KIND_OK]
        assert len(done) < 12 and all(abs(ohm - 3000) * 100 <= 3000 * OHM_PERCENT for ohm in done)
        assert {record for record in lead if record[0] != messages.KIND_OK} == {
            (messages.KIND_NOT_MEASURED, 0, 0, 0)
        }
