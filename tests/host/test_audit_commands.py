"""outcome, event, audit, incident, as a user meets them."""

from __future__ import annotations

import json

import pytest
from fhir.resources.bundle import Bundle
from stimbench.journal.pull import pull
from stimbench.journal.store import Store
from support.journals import DAY_S, DEVICE, OTHER_DEVICE, JournalBoard, Year, kept, prescription

ID = DEVICE.hex()


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The store that the environment names."""
    path = tmp_path / "j.sqlite"
    monkeypatch.setenv("STIMBENCH_STORE", str(path))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def filled(path):
    """With three days of a device."""
    fill(path)
    return path


def fill(path, device=DEVICE, broken=False):
    year = Year(device)
    for day in range(3):
        year.both(day)
    if broken:
        del year.journal.slots[5]
    with Store(path, create=True) as store:
        board = JournalBoard(year.journal, [kept(1, prescription())])
        pull(board, store, lambda: year.activation_s + 3 * DAY_S + 60)


@pytest.fixture
def type_(run, services, monkeypatch):
    """Types a command half a year later than the scripted board's clock, at a wide terminal."""
    from dataclasses import replace

    from stimbench.cli import common

    monkeypatch.setattr(common.out, "width", 160)
    later = replace(services, now_s=lambda: 1_820_000_000)
    return lambda *words, code=0: run(*words, code=code, obj=later)


def test_outcomes(type_, path):
    two = ("--score", "nrs=5", "--score", "odi=42", "--date", "2027-01-10", "--baseline")
    done = type_("outcome", "add", ID, *two)
    assert "nrs 5.0, odi 42.0 (number 1, 2)" in done.stdout
    assert "nrs 5.0 is out of the indication" in done.stderr and "No journal of device" in done.stderr
    one = ("--score", "nrs=3", "--date", "2027-06-01", "--json")
    assert json.loads(type_("outcome", "add", ID, *one).stdout)["entered"] == {"nrs": 3}
    type_("outcome", "correct", "1", "--score", "nrs=7")
    type_("outcome", "correct", "2", "--withdraw")
    listed = json.loads(type_("outcome", "list", "--json").stdout)
    assert [(each["value"], each["supersedes"]) for each in listed] == [(3, None), (7, 1)]
    assert len(json.loads(type_("outcome", "list", ID, "--all", "--json").stdout)) == 5
    assert "withdrawn" in type_("outcome", "list", "--all").stdout


@pytest.mark.parametrize(("words", "says"), [
    (("outcome", "add", "John Smith", "--score", "nrs=7", "--date", "2027-01-10"), "no device id"),
    (("outcome", "add", ID, "--score", "nrs=70", "--date", "2027-01-10"), "allowed is 0 to 10"),
    (("outcome", "add", ID, "--score", "name=Smith", "--date", "2027-01-10"), "no score 'name'"),
    (("outcome", "add", ID, "--score", "nrs=7", "--date", "2031-01-10"), "in the future"),
    (("outcome", "add", ID, "--score", "nrs=7", "--date", "soon"), "no date"),
    (("event", "add", ID, "lead-lost", "--date", "2027-01-10"), "no event 'lead-lost'"),
    (("event", "add", ID, "lead-erosion", "--date", "2027-01-10"), "needs --severity"),
])  # fmt: skip
def test_bad_input_is_one_error_and_enters_nothing(type_, filled, words, says):
    before = filled.read_bytes()
    assert says in " ".join(type_(*words, code=2).stderr.split())
    assert filled.read_bytes() == before


def test_events(type_, path):
    add = ("event", "add", ID, "lead-erosion", "--date", "2027-02-01")
    assert "lead erosion (number 1)" in type_(*add, "--severity", "severe", "--cause", "device").stdout
    type_("event", "correct", "1", "--cause", "procedure")
    (event,) = json.loads(type_("event", "list", "--json").stdout)
    assert (event["code"], event["cause"], event["supersedes"]) == ("lead-erosion", "procedure", 1)
    assert "corrected" in type_("event", "list", ID, "--all").stdout
    assert "wound-infection" in type_("event", "codes").stdout
    assert json.loads(type_("event", "codes", "--json").stdout)["muscle-fatigue"]["safety"] is True


def test_a_device_s_audit(type_, filled, tmp_path):
    done = type_("audit", str(filled), "--fhir", "b.json")
    assert "complete       6" in done.stdout and "audit.html, audit.csv, b.json" in done.stdout
    Bundle.model_validate_json((tmp_path / "b.json").read_text())
    assert ID in (tmp_path / "audit.html").read_text()
    assert len((tmp_path / "audit.csv").read_text().splitlines()) == 4
    data = json.loads(type_("audit", str(filled), "--html", "x.html", "--csv", "x.csv", "--json").stdout)
    assert data["missed"] == 0 and data["files"] == ["x.html", "x.csv"] and data["whole"]


@pytest.mark.control("C-74")
def test_an_audit_of_a_broken_journal_exits_1_and_still_reports(type_, path, tmp_path):
    fill(path, broken=True)
    assert "Entry 5 is missing" in type_("audit", str(path), code=1).stderr
    assert "not whole" in (tmp_path / "audit.html").read_text()
    assert "NOT WHOLE" in type_("incident", str(path), code=1).stdout


def test_a_store_of_two_devices_asks_which_one(type_, filled):
    fill(filled, OTHER_DEVICE)
    assert "name one with --device" in " ".join(type_("audit", str(filled), code=2).stderr.split())
    assert OTHER_DEVICE.hex() in type_("incident", str(filled), "--device", OTHER_DEVICE.hex()).stdout
    assert "knows no device" in type_("audit", str(filled), "--device", "0" * 16, code=2).stderr
    data = json.loads(type_("audit", str(filled), "--service", "--json").stdout)
    assert data["devices"] == 2 and data["reached"][0]["measure"] == "nrs"


def test_a_service(type_, tmp_path, path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    fill(tmp_path / "one" / "a.sqlite")
    fill(tmp_path / "two" / "b.sqlite", OTHER_DEVICE)
    assert "devices        2" in type_("audit", "one", "two").stdout
    assert "Review of a service" in (tmp_path / "audit.html").read_text()
    assert "for one device" in type_("audit", "one", "--fhir", "b.json", code=2).stderr


@pytest.mark.parametrize("command", ["audit", "incident"])
def test_bad_stores_write_nothing(type_, tmp_path, path, command):
    assert "no such file" in type_(command, "none.sqlite", code=2).stderr
    path.write_text("no store")
    assert "no store of journals" in " ".join(type_(command, str(path), code=2).stderr.split())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["j.sqlite"]


def test_an_incident_report(type_, filled):
    report = json.loads(type_("incident", str(filled), "--last", "1", "--json").stdout)
    assert report["device"] == ID and report["journal"]["whole"] and len(report["journal"]["chain"]) == 16
    text = type_("incident", str(filled)).stdout
    assert report["journal"]["chain"] in text and "session ended" in text
