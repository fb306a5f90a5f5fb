"""Adherence is exact, and what is not known is never missed."""

import random

import pytest
from stimbench.journal.entries import UNKNOWN_ELAPSED_S
from stimfw.protocol import journal_entries as kinds
from stimfw.protocol import messages
from support.journals import DAY_S, EPOCH_S, IMPLANTED_S, kept, prescription


def sums(audit):
    kept_ = audit.adherence
    return (len(kept_.known), kept_.prescribed, kept_.complete, kept_.cut_short, kept_.missed, kept_.unknown)


def test_a_year_as_it_should_be(year, audited):
    for day in range(365):
        year.both(day)
    audit = audited(year, 365)
    assert sums(audit) == (365, 730, 730, 0, 0, {})
    assert audit.adherence.share == audit.adherence.time_share == 1.0


@pytest.mark.control("C-74")
@pytest.mark.parametrize("seed", range(3))
def test_a_year_with_sessions_that_were_left_out_and_cut_short_is_counted_exactly(year, audited, seed):
    rng, complete, cut = random.Random(seed), 0, 0
    for day in range(365):
        for hour in (8, 18):
            lot = rng.random()
            if lot < 0.7:
                year.session(year.at(day, hour))
                complete += 1
            elif lot < 0.8:
                year.session(year.at(day, hour), messages.STOPPED_REMOTE, 600)
                cut += 1
    audit = audited(year, 365)
    assert sums(audit) == (365, 730, complete, cut, 730 - complete - cut, {})
    assert audit.adherence.time_share == (complete * 1800 + cut * 600) / (730 * 1800)


def test_the_day_of_the_pull_and_healing_days_do_not_count(year, audited):
    year.both(0)
    year.session(year.at(1, 8))
    audit = audited(year, 1)
    assert sums(audit) == (1, 2, 2, 0, 0, {}) and audit.adherence.other_sessions == 1


def test_a_day_on_which_activation_falls_in_the_middle_does_not_count(year, audited):
    year.prescribe(EPOCH_S + 7200, 1, year.activation_s + 9 * 3600)
    year.journal.slots.pop(2)  # the prescription before it was never there
    year.session(year.at(0, 18))
    year.both(1)
    audit = audited(year, 2)
    assert [str(day.on) for day in audit.adherence.days] == ["2027-01-30"]
    assert str(audit.began) == "2027-01-29" and audit.adherence.other_sessions == 1


@pytest.mark.parametrize("told", [False, True])
def test_a_session_that_a_restart_ended_is_cut_short_and_nobody_knows_when(year, audited, told):
    year.session(year.at(0, 8), ends=False)
    year.journal.add(kinds.BOOT, year.at(0, 9), 3, b"\1\2\3\4", 0)
    if told:
        ended = (1, messages.STOPPED_FAULT, UNKNOWN_ELAPSED_S, 0, 0)
        year.journal.add(kinds.SESSION_ENDED, year.at(0, 9), *ended)
    year.session(year.at(0, 18))
    audit = audited(year, 1)
    assert sums(audit) == (1, 2, 1, 1, 0, {}) and audit.adherence.time_share == 0.5


@pytest.mark.control("C-74")
def test_days_of_a_lost_clock_are_unknown_and_not_missed(year, audited):
    year.both(0)
    year.journal.add(kinds.BOOT, 5, 3, b"\1\2\3\4", 0)
    year.session(600)
    year.journal.add(kinds.BOOT, 5, 3, b"\1\2\3\4", 0)
    year.journal.add(kinds.CLOCK_SET, year.at(4, 12), year.at(4, 12) - 1, year.at(4, 12))
    year.both(5)
    audit = audited(year, 6)
    assert sums(audit) == (1, 2, 2, 0, 0, {"clock unknown": 5})
    assert audit.adherence.other_sessions == 1


def test_a_clock_that_was_set_later_in_the_same_run_dates_what_came_before(year, audited):
    year.both(0)
    year.journal.add(kinds.BOOT, 5, 3, b"\1\2\3\4", 0)
    year.session(600)
    base_s = year.at(1, 8) - 600
    year.journal.add(kinds.CLOCK_SET, base_s + 30_000, 30_000, base_s + 30_000)
    year.session(year.at(1, 18))
    assert sums(audited(year, 2)) == (2, 4, 4, 0, 0, {})


def test_a_lost_clock_within_one_day_loses_no_day(year, audited):
    year.session(year.at(0, 8))
    year.journal.add(kinds.BOOT, 5, 3, b"\1\2\3\4", 0)
    year.session(600)
    year.journal.add(kinds.BOOT, year.at(0, 22), 3, b"\1\2\3\4", 0)
    assert sums(audited(year, 1)) == (1, 2, 2, 0, 0, {})


def test_a_clock_that_was_set_wrong_makes_the_time_until_it_was_set_right_unknown(year, audited):
    year.both(0)
    year.journal.add(kinds.CLOCK_SET, year.at(1, 1), year.at(1, 1), year.at(1, 2))  # an hour: let pass
    year.both(1)
    far_s = year.at(3000, 0)
    year.journal.add(kinds.CLOCK_SET, far_s, year.at(2, 1), far_s)
    year.session(far_s + 600)
    year.journal.add(kinds.CLOCK_SET, year.at(5, 3), far_s + 3 * DAY_S, year.at(5, 3))
    year.both(6)
    known, prescribed, complete, _, missed, unknown = sums(audited(year, 7))
    assert unknown == {"clock was wrong": 5} and (known, prescribed, complete, missed) == (2, 4, 4, 0)


def test_a_clock_that_is_set_a_little_loses_no_day(year, audited):
    for day in range(10):
        year.both(day)
        year.journal.add(kinds.CLOCK_SET, year.at(day, 20), year.at(day, 20) - 30, year.at(day, 20))
    assert sums(audited(year, 10)) == (10, 20, 20, 0, 0, {})


def test_a_clock_that_is_still_lost_at_the_pull(year, audited):
    year.both(0)
    year.journal.add(kinds.BOOT, 5, 3, b"\1\2\3\4", 0)
    audit = audited(year, 10)
    assert sums(audit) == (0, 0, 0, 0, 0, {"clock unknown": 10})
    assert audit.adherence.share is None


def thinned(year, clinical):
    for day in range(6):
        year.both(day)
        for _ in range(3):
            year.journal.add(kinds.DAILY_CHECK, year.at(day, 20), 0, 3000, 250)
    return year


def test_routine_entries_that_were_thinned_hide_no_session(year, audited):
    year = thinned(year, 0)
    first = next(at for at, slot in enumerate(year.journal.slots) if slot[8] == kinds.DAILY_CHECK)
    year.journal.thin(first, first + 2)
    assert sums(audited(year, 6)) == (6, 12, 12, 0, 0, {})


@pytest.mark.control("C-74")
def test_sessions_that_were_thinned_make_their_days_unknown(year, audited):
    year = thinned(year, 0)
    begins = [at for at, slot in enumerate(year.journal.slots) if slot[8] == kinds.SESSION_BEGAN]
    year.journal.thin(begins[4], begins[7] + 3, clinical=20)  # of days 2 and 3
    known, prescribed, complete, _, missed, unknown = sums(audited(year, 6))
    assert unknown == {"journal thinned": 2 + (unknown["journal thinned"] == 3)}
    assert complete == prescribed == 2 * known and missed == 0


def test_entries_that_are_missing_make_their_days_unknown(year, audited):
    year = thinned(year, 0)
    begins = [at for at, slot in enumerate(year.journal.slots) if slot[8] == kinds.SESSION_BEGAN]
    del year.journal.slots[begins[4] : begins[6]]
    audit = audited(year, 6)
    assert audit.findings and sums(audit)[4] == 0 and "journal broken" in audit.adherence.unknown


def test_entries_that_came_too_fast_for_the_flash_are_unknown(year, audited):
    year.both(0)
    year.journal.add(kinds.LOST, year.at(1, 8), kinds.LOST_QUEUE, 3)
    year.both(2)
    assert sums(audited(year, 3))[5] == {"entries lost": 2}


def test_a_prescription_that_was_never_pulled_makes_its_days_unknown(year, audited):
    year.both(0)
    year.prescribe(year.at(0, 20), 2, 0)
    year.both(1)
    audit = audited(year, 2)
    assert sums(audit) == (1, 2, 2, 0, 0, {"prescription never pulled": 1})


def test_another_prescription_counts_from_its_day_on(year, audited):
    year.both(0)
    year.prescribe(year.at(0, 20), 2, 0)
    year.both(1)
    year.session(year.at(1, 22))
    audit = audited(year, 2, prescriptions=[kept(2, prescription(sessions_a_day=3)), kept(1, prescription())])
    assert sums(audit) == (2, 5, 5, 0, 0, {})


def test_nothing_counts_after_the_explantation(year, audited):
    year.both(0)
    year.journal.add(kinds.EXPLANTED, year.at(1, 10))
    assert sums(audited(year, 30)) == (1, 2, 2, 0, 0, {})


def test_a_device_without_a_prescription_has_no_days(store, audited, year):
    year.journal.slots = year.journal.slots[:2]
    year.journal.number = 2
    audit = audited(year, 30)
    assert sums(audit) == (0, 0, 0, 0, 0, {}) and audit.activated_s is None
    assert audit.implanted_s == IMPLANTED_S


def test_without_an_activation_date_the_healing_time_decides(audited):
    from support.journals import Year

    year = Year()
    year.journal = type(year.journal)()
    year.journal.add(kinds.IMPLANTED, EPOCH_S, bytes.fromhex("a1b2c3d4e5f60718"), 14)
    year.journal.add(kinds.PRESCRIBED, EPOCH_S + 60, 1, b"\1\2\3\4", 0)
    year.both(0)
    audit = audited(year, 1)
    assert audit.activated_s == EPOCH_S + 14 * DAY_S
    assert sums(audit) == (1, 2, 2, 0, 0, {})
