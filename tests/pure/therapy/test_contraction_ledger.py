"""What each contraction has delivered: the records add up to the session's sums, and the newest are kept."""

import struct

from stimfw.protocol import requests
from stimfw.pulses.lead_scales import LeadScales
from stimfw.therapy.contraction_ledger import PLACES
from stimfw.therapy.ledger import Ledger
from support.control import control

SCALES = (LeadScales(), LeadScales())
WIDTH_US = (214, 400)
BYTES = struct.calcsize(requests.CONTRACTION_RECORD)
PULSES, PRESCRIBED, MEAN, MOST, CATHODIC, ANODIC = range(6)


def made():
    return Ledger(WIDTH_US, 50_000, SCALES)


def records(ledger, lead, first=0):
    _, _, data = ledger.each.read(lead, first, PLACES)
    return [
        struct.unpack_from(requests.CONTRACTION_RECORD, data, at) for at in range(0, len(data), BYTES)
    ]


def contract(ledger, pulses, codes=744, set_ua=2000):
    for lead in range(2):
        for _ in range(pulses):
            ledger.count(lead, codes, codes - 2, set_ua)


@control("C-72")
def test_the_records_add_up_to_the_session_to_the_nanocoulomb():
    ledger = made()
    for number in range(9):
        contract(ledger, 37 + number, 700 + number)
        ledger.close_contraction()
    for lead in range(2):
        each = records(ledger, lead)
        assert sum(one[PULSES] for one in each) == ledger.pulses[lead]
        cathodic_uc, anodic_uc, _ = ledger.charge_uc(lead)
        assert sum(one[CATHODIC] for one in each) // 1000 == cathodic_uc
        assert sum(one[ANODIC] for one in each) // 1000 == anodic_uc
        assert [one[PULSES] for one in each] == [37 + number for number in range(9)]


@control("C-72")
def test_a_contraction_has_its_own_mean_and_its_own_highest_current():
    ledger = made()
    contract(ledger, 50, 800, 2150)
    ledger.close_contraction()
    contract(ledger, 50, 400, 1075)
    ledger.close_contraction()
    first, second = records(ledger, 0)
    assert first[PRESCRIBED] == 2150 and second[PRESCRIBED] == 1075
    assert abs(first[MEAN] - 800 * 5500 // 2048) <= 1 and abs(second[MEAN] - 400 * 5500 // 2048) <= 1
    assert first[MOST] == 800 * 5500 // 2048 and second[MOST] == 400 * 5500 // 2048
    assert ledger.most_ua(0) == first[MOST]  # of the session


def test_a_lead_without_an_amplitude_has_an_empty_record():
    ledger = made()
    for _ in range(20):
        ledger.count(0, 744, 744, 2000)
        ledger.count(1, 3, -2, 0)
    ledger.close_contraction()
    assert records(ledger, 1) == [(0, 0, 0, 0, 0, 0)] and records(ledger, 0)[0][PULSES] == 20


def test_closing_twice_makes_one_record_and_nothing_makes_none():
    ledger = made()
    ledger.close_contraction()
    assert ledger.each.ended == 0 and records(ledger, 0) == []
    contract(ledger, 3)
    ledger.close_contraction()
    ledger.close_contraction()
    assert ledger.each.ended == 1 and len(records(ledger, 0)) == 1


def test_the_newest_are_kept_under_their_own_numbers():
    ledger = made()
    for number in range(PLACES + 3):
        contract(ledger, 1 + number)
        ledger.close_contraction()
    first, ended, data = ledger.each.read(1, 0, 4)
    assert (first, ended) == (3, PLACES + 3)
    assert struct.unpack_from(requests.CONTRACTION_RECORD, data)[PULSES] == 1 + 3
    first, _, data = ledger.each.read(1, PLACES + 2, 14)
    assert first == PLACES + 2
    assert struct.unpack(requests.CONTRACTION_RECORD, data)[PULSES] == PLACES + 3
    assert ledger.each.read(0, PLACES + 3, 14) == (PLACES + 3, PLACES + 3, b"")
    assert ledger.each.read(0, 0xFFFF, 14) == (PLACES + 3, PLACES + 3, b"")


def test_noise_below_zero_is_no_charge():
    ledger = made()
    for _ in range(40):
        ledger.count(0, -9, -9, 25)
    ledger.close_contraction()
    assert records(ledger, 0)[0][MEAN:] == (0, 0, 0, 0)
