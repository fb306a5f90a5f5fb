"""A service: shares, windows, who was not seen, intervals against published examples."""

import csv
import io
from datetime import date, timedelta
from itertools import pairwise

import pytest
from stimbench.audit.intervals import wilson
from stimbench.audit.outcomes import add_event, add_scores
from stimbench.audit.published import PUBLISHED, published_at
from stimbench.audit.service import review, stores_of, window_days
from stimbench.audit.service_page import newest_shares, write_service_csv, write_service_page
from stimbench.errors import InputError
from stimbench.journal.errors import StoreError
from stimbench.journal.pull import pull
from stimbench.journal.store import Store
from support.journals import DAY_S, JournalBoard, Year, kept, prescription

BEGAN = date(2027, 1, 29)
MONTH_DAYS = 30.4375


def device(folder, number, scores=(), events=(), day=1):
    """A store of one device: `scores` are (months, {name: value}), months None for the baseline."""
    year = Year(bytes([number] * 8))
    path = folder / f"{number}.sqlite"
    with Store(path, create=True) as store:
        store.rows("PRAGMA synchronous = OFF")
        now_s = year.activation_s + day * DAY_S
        pull(JournalBoard(year.journal, [kept(1, prescription())]), store, lambda: now_s)
        for months, values in scores:
            on = BEGAN + timedelta(days=round(-20 if months is None else months * MONTH_DAYS))
            add_scores(store, bytes([number] * 8).hex(), values, on, months is None, now_s)
        for code, on in events:
            add_event(store, bytes([number] * 8).hex(), code, on, "mild", "device", now_s)
    return path


def after(months):
    """Seconds since 1970 so many months after the beginning."""
    return Year().activation_s + round(months * MONTH_DAYS) * DAY_S


def row(found, measure, months):
    (each,) = [each for each in found.reached if (each.measure, each.months) == (measure, months)]
    return each.share.reached, each.share.seen, each.not_seen, each.explanted, each.not_yet


@pytest.mark.parametrize(("reached", "seen", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
])  # fmt: skip
def test_the_interval_is_that_of_newcombe_s_examples(reached, seen, low, high):
    assert wilson(reached, seen) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson(seen - reached, seen)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("reached", "seen"), [(1, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_has_no_interval(reached, seen):
    with pytest.raises(ValueError, match="no share"):
        wilson(reached, seen)


def test_no_two_windows_overlap():
    months = [3, 6, 12, 24, 36, 48]
    for one, other in pairwise(months):
        assert one * MONTH_DAYS + window_days(one) < other * MONTH_DAYS - window_days(other)


@pytest.mark.control("C-74")
def test_shares_of_those_that_were_seen_and_those_that_were_not(tmp_path):
    base = (None, {"nrs": 7, "odi": 40})
    device(tmp_path, 1, [base, (3, {"nrs": 5, "odi": 35}), (12, {"nrs": 3, "odi": 20})])
    device(tmp_path, 2, [base, (3.5, {"nrs": 6, "odi": 30})])
    device(tmp_path, 3, [base, (4.5, {"nrs": 2, "odi": 10})])
    device(tmp_path, 4, [(3, {"nrs": 2, "odi": 10})])
    device(tmp_path, 5, [base], [("explant-no-efficacy", BEGAN + timedelta(days=30))])
    found = review(stores_of([tmp_path]), after(12.5))
    assert row(found, "nrs", 3) == (1, 2, 3, 1, 0)
    assert row(found, "odi", 3) == (1, 2, 3, 1, 0)
    assert row(found, "both", 3) == (0, 2, 3, 1, 0)
    assert row(found, "nrs", 6) == (0, 0, 5, 1, 0)
    assert row(found, "nrs", 12) == (1, 1, 1, 1, 3), "three windows are not over"
    (least,) = [each.least for each in found.reached if (each.measure, each.months) == ("nrs", 3)]
    assert (least.reached, least.seen) == (1, 5)


@pytest.mark.parametrize(("months", "seen"), [(3, 1), (2.1, 1), (3.9, 1), (1.9, 0), (4.1, 0)])
def test_a_window_has_its_ends(tmp_path, months, seen):
    device(tmp_path, 1, [(None, {"nrs": 7}), (months, {"nrs": 5})])
    assert row(review(stores_of([tmp_path]), after(9)), "nrs", 3)[1] == seen


def test_the_nearest_score_counts(tmp_path):
    device(tmp_path, 1, [(None, {"nrs": 7}), (2.5, {"nrs": 7}), (3.1, {"nrs": 5}), (3.9, {"nrs": 7})])
    assert row(review(stores_of([tmp_path]), after(5)), "nrs", 3) == (1, 1, 0, 0, 0)


def test_years_are_reviewed_once_a_device_is_near_them(tmp_path):
    device(tmp_path, 1)
    assert {each.months for each in review(stores_of([tmp_path]), after(13)).reached} == {3, 6, 12}
    assert max(each.months for each in review(stores_of([tmp_path]), after(47)).reached) == 48


def test_a_device_in_two_stores_counts_once_and_is_told(tmp_path):
    first = device(tmp_path, 1, [(None, {"nrs": 7}), (3, {"nrs": 5})])
    (tmp_path / "copy.sqlite").write_bytes(first.read_bytes())
    found = review(stores_of([tmp_path]), after(5))
    assert len(found.devices) == 1 and row(found, "nrs", 3)[:2] == (1, 1)
    assert "more than one store" in found.notes[0]


def test_a_folder_named_twice_is_read_once(tmp_path):
    device(tmp_path, 1)
    assert len(stores_of([tmp_path, tmp_path, tmp_path / "1.sqlite"])) == 1


def test_bad_folders_and_stores_are_one_error(tmp_path):
    with pytest.raises(InputError, match="has no store"):
        stores_of([tmp_path])
    device(tmp_path, 1)
    (tmp_path / "2.sqlite").write_text("no store")
    with pytest.raises(StoreError, match=r"2\.sqlite"):
        review(stores_of([tmp_path]), after(5))


def test_sustained_relief_satisfaction_impression_and_opioids(tmp_path):
    on_opioids = (None, {"nrs": 7, "opioids": 20})
    good, better = {"opioids": 0, "satisfaction": 5, "cgi": 7}, {"opioids": 5, "satisfaction": 4, "cgi": 6}
    device(tmp_path, 1, [on_opioids, (3, {"nrs": 5}), (6, {"nrs": 4}), (12, good)])
    device(tmp_path, 2, [on_opioids, (3, {"nrs": 5}), (6, {"nrs": 6}), (12, better)])
    device(tmp_path, 3, [(None, {"opioids": 0}), (12, {"opioids": 0, "satisfaction": 1})])
    found = review(stores_of([tmp_path]), after(13))
    shares = {title: (share.reached, share.seen) for title, share in newest_shares(found.devices)}
    assert list(shares.values()) == [(1, 2), (2, 3), (1, 3), (1, 2), (1, 2)]


def test_page_and_table(tmp_path):
    device(tmp_path, 1, [(None, {"nrs": 7}), (12, {"nrs": 5})], [("lead-fracture", BEGAN)])
    device(tmp_path, 2)
    found = review(stores_of([tmp_path]), after(14.5))
    write_service_page(found, tmp_path / "s.html")
    text = (tmp_path / "s.html").read_text()
    for part in ("2 devices", "1 of 1", "21 to 100\u00a0%", "57 %", "10.1111/ner.12741", "1 of 2",
                 "lead fracture", "12 months +-60 days"):  # fmt: skip
        assert part in text, part
    file = io.StringIO()
    write_service_csv(found, file)
    rows = {(each["measure"], each["months"]): each for each in csv.DictReader(io.StringIO(file.getvalue()))}
    assert rows["nrs", "12"]["not_seen"] == "1" and rows["nrs", "12"]["published_percent"] == "57"
    assert rows["nrs", "6"]["share"] == "" and "Deckers" in rows["nrs", "6"]["published_source"]


def test_every_published_figure_has_a_source():
    assert all("doi 10." in each.source for each in PUBLISHED)
    assert published_at("both", 48).percent == 62.5 and published_at("both", 12) is None
