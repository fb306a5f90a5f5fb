"""A device's audit: figures against hand calculation, the page, the bundle, the incident report."""

import csv
import io
import json
from dataclasses import replace
from datetime import date

import pytest
from fhir.resources.bundle import Bundle
from stimbench.audit.device_page import warnings_of, write_device_csv, write_device_page
from stimbench.audit.fhir import bundle_of
from stimbench.audit.incident import as_text, incident_of
from stimbench.audit.outcomes import add_event, add_scores, correct_score
from stimbench.journal.entries import fault_name
from stimfw.protocol import journal_entries as kinds
from stimfw.protocol import messages
from support.journals import DAY_S, DEVICE, EPOCH_S, kept, prescription, sealed

ID = DEVICE.hex()


@pytest.fixture
def eventful(year, store, audited):
    """Ten days with a fault, a low battery, an open lead, scores and an event."""

    def done(day=10):
        for number in range(10):
            year.impedance(year.at(number, 8), 0, 800 + number)
            year.both(number)
        year.impedance(year.at(9, 20), 1, 0, kind=1)
        year.journal.add(kinds.WARNING, year.at(9, 20), 9, 0, 1200, 800)
        year.journal.add(kinds.FAULT, year.at(9, 21), 3, 1, 2, 77)
        year.journal.add(kinds.FAULT_FIGURES, year.at(9, 21), 1, 2000, 10, -10, 3, 4)
        year.journal.add(kinds.DAILY_CHECK, year.at(9, 22), 0, 2700, 250)
        year.journal.add(kinds.BATTERY, year.at(9, 23), 0, 1, 2700)
        add_scores(store, ID, {"nrs": 7, "odi": 20, "satisfaction": 1}, date(2027, 1, 14), True, EPOCH_S)
        add_scores(store, ID, {"nrs": 5, "odi": 11, "satisfaction": 4}, date(2027, 4, 29), False, EPOCH_S)
        add_event(store, ID, "lead-migration", date(2027, 2, 5), "moderate", "device", EPOCH_S)
        return audited(year, day)

    return done


@pytest.mark.control("C-72")
def test_what_was_delivered_stands_beside_what_was_prescribed(eventful):
    left, right = eventful().leads
    sessions, contractions = 20, 1800 // 34
    pulses = sessions * contractions * 280  # 2 s + 10 s + 2 s at 20 Hz
    assert (left.lead, left.sessions, left.contractions) == ("left", sessions, sessions * contractions)
    assert left.pulses == left.planned_pulses == pulses
    assert left.planned_charge_uc == pytest.approx(pulses * 2000 * 214e-6)
    assert left.charge_uc == pytest.approx(left.planned_charge_uc, rel=1e-3)
    assert (right.prescribed_ua, right.mean_ua, right.most_ua, right.missed) == (2000, 1991, 2050, 0)


def test_the_amplitude_that_was_set_is_what_is_compared(year, audited):
    year.session(year.at(0))
    whole = audited(year, 1).leads[0].planned_charge_uc
    year.journal.add(kinds.CURRENT, year.at(0, 9), 0, 1000, 1000, 1000, 0)
    lead = audited(year, 1).leads[0]
    assert lead.planned_charge_uc == pytest.approx(whole / 2) and lead.prescribed_ua == 1000


def test_without_the_prescription_it_is_not_known_what_was_prescribed(year, audited):
    year.session(year.at(0))
    (left, _) = audited(year, 1, prescriptions=[kept(7, prescription())]).leads
    assert (left.planned_pulses, left.planned_charge_uc, left.pulses) == (None, None, 1800 // 34 * 280)


def test_changes_against_the_meaningful_ones(eventful):
    changes = {change.score.name: change for change in eventful().changes}
    assert (changes["nrs"].change, changes["nrs"].meaningful) == (-2, True)
    assert (changes["odi"].change, changes["odi"].meaningful) == (-9, False)
    assert (changes["satisfaction"].change, changes["satisfaction"].meaningful) == (None, None)
    assert changes["nrs"].months == pytest.approx(90 / 30.4375, abs=0.05)


def test_a_change_without_a_baseline_is_no_change(store, year, audited):
    add_scores(store, ID, {"nrs": 5}, date(2027, 4, 29), False, EPOCH_S)
    (change,) = audited(year, 1).changes
    assert (change.change, change.meaningful) == (None, None)
    add_scores(store, ID, {"nrs": 6}, date(2027, 1, 1), True, EPOCH_S)
    correct_score(store, 2, None, None, True, EPOCH_S)
    assert audited(year, 1).changes[0].meaningful is None


def test_the_page_tells_all_of_it(eventful, tmp_path):
    audit = eventful()
    write_device_page(audit, tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    for part in (ID, "20 (100\u00a0%)", fault_name(3), "replace soon", "lead migration", "Sessions",
                 "Impedance of the leads", "Pain and disability", "2700 mV", audit.chain):  # fmt: skip
        assert part in text, part
    assert "http" not in text.replace("http-equiv", "") and "<script" not in text
    warnings = list(warnings_of(audit))
    assert any("odi 20.0 is out of the indication" in each for each in warnings)
    assert any("The watch found 1 fault." in each for each in warnings)
    assert "The watch warned 1 time: impedance drift." in warnings


def test_html_is_escaped(eventful, tmp_path, store):
    audit = replace(eventful(), firmware="<script>alert(1)</script>", impedances=[], changes=[], baselines=[])
    write_device_page(audit, tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    assert "<script>" not in text and "&lt;script&gt;" in text


@pytest.mark.control("C-74")
def test_a_broken_journal_stands_at_the_top(year, audited):
    year.both(0)
    slot = bytearray(year.journal.slots[4])
    slot[10] ^= 1
    year.journal.slots[4] = sealed(bytes(slot[:30]))
    first = next(warnings_of(audited(year, 1)))
    assert "not whole" in first and "Entry 4" in first


def test_a_device_of_which_nothing_is_known_has_a_page(store, audited, tmp_path):
    from stimbench.audit.device import audit_of

    add_scores(store, ID, {"nrs": 7}, date(2027, 1, 14), True, EPOCH_S)
    write_device_page(audit_of(store, ID, EPOCH_S), tmp_path / "a.html")
    assert "not known" in (tmp_path / "a.html").read_text()


def test_the_table_has_a_row_a_day(eventful):
    file = io.StringIO()
    write_device_csv(eventful(), file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert len(rows) == 10
    assert list(rows[0].values()) == [ID, "2027-01-29", "2", "2", "0", "3600", "3600", ""]


def test_the_bundle_is_valid_r5_and_tells_leads_impedances_and_scores(eventful):
    audit = eventful()
    data = json.loads(json.dumps(bundle_of(audit, EPOCH_S)))
    Bundle.model_validate(data)
    resources = [each["resource"] for each in data["entry"]]
    kinds_of = [each["resourceType"] for each in resources]
    assert kinds_of.count("Device") == 3 and kinds_of.count("DeviceMetric") == 2
    generator = resources[0]
    assert generator["identifier"][0]["value"] == ID
    parents = [each["parent"]["reference"] for each in resources if "parent" in each]
    assert parents == [f"urn:uuid:{generator['id']}"] * 2
    ids = {f"urn:uuid:{each['id']}" for each in resources}
    assert len(ids) == len(resources)
    for each in resources:
        for name in ("parent", "device"):
            assert name not in each or each[name]["reference"] in ids
    observed = [each["code"]["text"] for each in resources if each["resourceType"] == "Observation"]
    assert observed.count("impedance of an electrode pair") == 11
    assert observed.count("low back pain, numeric rating scale") == 2
    assert not any("subject" in each or "patient" in each for each in resources)


def test_a_bundle_that_is_not_valid_is_found(eventful):
    data = bundle_of(eventful(), EPOCH_S)
    del data["entry"][-1]["resource"]["status"]
    with pytest.raises(ValueError, match="status"):
        Bundle.model_validate(data)


def test_the_bundle_is_the_same_every_time(eventful):
    audit = eventful()
    assert bundle_of(audit, EPOCH_S) == bundle_of(audit, EPOCH_S)


def test_an_incident_report_has_the_chain_and_what_happened(eventful):
    audit = eventful()
    report = incident_of(audit, audit.pulled_s, 1)
    assert report["journal"] == {
        "whole": True, "chain": audit.chain, "first": 0, "last": len(audit.found) - 1,
        "dropped_by_the_board": 0, "findings": [],
    }  # fmt: skip
    told = [each["entry"] for each in report["entries"]]
    assert told == ["implanted", "prescribed", "session began", "session ended", "warning", "fault",
                    "fault figures", "battery"]  # fmt: skip
    assert report["faults"] == 1 and report["events"] == []
    text = as_text(report)
    assert audit.chain in text and fault_name(3) in text and "NOT WHOLE" not in text
    everything = incident_of(audit, audit.pulled_s, None)
    assert len(everything["events"]) == 1
    assert sum(each["entry"] == "session began" for each in everything["entries"]) == 20


def test_an_incident_report_of_a_broken_journal_says_so(year, audited):
    year.both(0)
    del year.journal.slots[4]
    audit = audited(year, 1)
    text = as_text(incident_of(audit, audit.pulled_s, None))
    assert "NOT WHOLE" in text and "Entry 4 is missing" in text


def test_an_incident_report_tells_undated_entries_always(year, audited):
    year.both(0)
    year.journal.add(kinds.BOOT, 5, 3, b"\1\2\3\4", 0)
    year.journal.add(kinds.MAGNET, 9, 1)
    audit = audited(year, 100)
    report = incident_of(audit, audit.pulled_s, 3)
    assert [each["time"] for each in report["entries"] if each["entry"] in ("boot", "magnet")] == [None, None]
    assert report["unknown_times"][0]["why"] == "clock unknown"
    assert audit.pulled_s == year.activation_s + 100 * DAY_S + DAY_S // 2


def test_causes_are_words(year, audited):
    year.session(year.at(0), messages.STOPPED_MAGNET, 300)
    audit = audited(year, 1)
    entries = incident_of(audit, audit.pulled_s, None)["entries"]
    assert [each["fields"]["cause"] for each in entries if each["entry"] == "session ended"] == ["magnet"]
