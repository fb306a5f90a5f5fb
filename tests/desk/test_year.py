"""A month of an implanted stimulator on the desk: its journal tells what was done, through every cut."""

import pytest
from stimbench.audit.timeline import dated
from stimbench.journal.entries import Entry
from support import desk_year
from support.desk_device import CLINICIAN, PATIENT, Desk
from support.desk_plans import FIELDS
from support.flash_fake import PowerCut

# isort: split
from stimfw.protocol import journal_entries, messages
from stimfw.stimulator.journal_keeper import JournalKeeper
from stimfw.therapy import prescription
from stimfw.therapy.care import Care

NOW_S = 1_700_000_000


def entries(desk, kind):
    """The fields of a device's entries of a kind."""
    found = [Entry.of(slot) for slot in desk.journal()]
    return [entry.fields for entry in found if entry.kind == kind]


def plan(**changes):
    wanted = dict(zip(FIELDS, prescription.default().values, strict=True))
    wanted.update({"left.amplitude_ua": 1000, "right.amplitude_ua": 1000}, **changes)
    return list(wanted.values())


@pytest.fixture
def desk():
    """A device that knows the time, has a prescription, and may begin."""
    one = Desk(NOW_S, healing_days=0)
    one.pass_ms(5000)
    one.ask(CLINICIAN, "set_time", one.true_s())
    one.ask(CLINICIAN, "impedance")
    one.pass_ms(5000)
    one.ask(CLINICIAN, "set_prescription", *plan())
    one.pass_ms(5000)
    return one


@pytest.mark.control("C-64")
@pytest.mark.control("C-74")
def test_a_months_audit_is_what_was_done():
    year, audit, worn = desk_year.simulate(30, seed=4, healing_days=1)
    assert audit.adherence.complete > 40 and audit.adherence.cut_short > 2
    assert len(audit.adherence.known) >= 25
    assert year.seen["cuts inside flash"] >= 2 and year.seen["restarts"] >= 1
    fewest, most = worn["progress"]
    assert 0 < fewest <= most < 200


def test_a_session_of_before_the_clock_was_told_is_dated_rightly(desk):
    desk.restart()
    desk.pass_ms(4 * 3600 * 1000)
    began_s = desk.true_s()
    desk.ask(PATIENT, "start")
    desk.pass_ms(100_000)
    desk.ask(PATIENT, "stop")
    desk.pass_ms(5000)
    desk.ask(PATIENT, "kept_time", desk.true_s())
    desk.pass_ms(5000)
    found = dated([Entry.of(slot) for slot in desk.journal()])
    told = [each.at_s for each in found if each.entry.kind == journal_entries.SESSION_BEGAN]
    assert len(told) == 1 and abs(told[0] - began_s) <= 1


@pytest.mark.control("C-64")
def test_a_session_that_was_answered_is_on_flash(desk):
    desk.ask(PATIENT, "start")
    desk.restart()
    began = entries(desk, journal_entries.SESSION_BEGAN)
    assert [fields["number_today"] for fields in began] == [1]
    assert [fields["session"] for fields in entries(desk, journal_entries.SESSION_ENDED)] == [1]


def test_a_train_is_noted_once(desk):
    desk.ask(CLINICIAN, "train", 0, 0, 1, 500, 60, 0, 20, 5)
    desk.pass_ms(3000)
    desk.ask(PATIENT, "start")
    desk.pass_ms(10_000)
    desk.ask(PATIENT, "stop")
    desk.pass_ms(3000)
    assert len(entries(desk, journal_entries.TEST_TRAIN)) == 1


def test_a_prescription_that_a_cut_leaves_in_force_is_in_the_journal(desk):
    for after in range(40):
        desk.flash.cut(after, 256, 1)
        try:
            desk.ask(CLINICIAN, "impedance")
            desk.pass_ms(5000)
            desk.ask(CLINICIAN, "set_prescription", *plan(session_s=600 + after))
            desk.pass_ms(5000)
        except PowerCut:
            pass
        desk.restart()
        desk.pass_ms(5000)
        told = [fields["version"] for fields in entries(desk, journal_entries.PRESCRIBED)]
        assert told == sorted(told) and told[-1] == desk.care.version, after


def test_a_session_whose_end_a_cut_met_is_told_with_an_end(desk):
    ended = 0
    for after in range(12):
        desk.pass_ms(86_400_000)
        desk.ask(PATIENT, "start")
        desk.pass_ms(60_000)
        desk.flash.cut(after, 128, after)
        try:
            desk.ask(PATIENT, "stop")
            desk.turn()
        except PowerCut:
            ended += 1
        desk.restart()
        desk.pass_ms(5000)
        desk.ask(PATIENT, "kept_time", desk.true_s())
        desk.pass_ms(5000)
    began = [fields["session"] for fields in entries(desk, journal_entries.SESSION_BEGAN)]
    ends = [fields["session"] for fields in entries(desk, journal_entries.SESSION_ENDED)]
    assert ended >= 4
    assert len(set(began)) == len(began) == 12 and set(began) == set(ends)


# Planted bugs. Each takes monkeypatch's setattr.


def every_end_is_complete(put):
    end = Care.end
    put(Care, "end", lambda self, cause, *rest: end(self, messages.STOPPED_SESSION_OVER, *rest))


def changes_are_forgotten(put):
    add = JournalKeeper.add

    def wrong(self, kind, sender, *values):
        if kind == journal_entries.PRESCRIBED:
            return
        add(self, kind, sender, *values)

    put(JournalKeeper, "add", wrong)


def counted_twice(put):
    begin = Care.begin

    def wrong(self, sender):
        number = begin(self, sender)
        self.schedule.sessions_today += 1
        self._note(journal_entries.SESSION_BEGAN, sender, self.version, 60, number, 1)
        return number

    put(Care, "begin", wrong)


PLANTED = (every_end_is_complete, changes_are_forgotten, counted_twice)


@pytest.mark.parametrize("bug", PLANTED, ids=[bug.__name__ for bug in PLANTED])
def test_the_comparison_finds_a_planted_bug(bug, monkeypatch):
    bug(monkeypatch.setattr)
    with pytest.raises(AssertionError):
        desk_year.simulate(40, seed=4, healing_days=1)
