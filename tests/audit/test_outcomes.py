"""Scores and events: entered whole, corrected without loss, refused with one clear sentence."""

from datetime import date

import pytest
from stimbench.audit.fields import EVENTS, SCORES
from stimbench.audit.outcomes import (
    add_event,
    add_scores,
    correct_event,
    correct_score,
    device_id_of,
    events,
    outside_indication,
    parse_date,
    parse_scores,
    scores,
)
from stimbench.errors import InputError
from stimbench.project import find_project_root
from support.journals import DEVICE, EPOCH_S

ID, NOW_S = DEVICE.hex(), EPOCH_S
ON = date(2026, 5, 4)

NICE = {
    "successful implantation", "symptom relief", "back function or stability", "return to work",
    "explantation because of lack of efficacy", "explantation because of pain resolution",
    "activities of daily living", "quality of life", "reduced medication use", "satisfaction",
    "lead problems",
    "inadequate, intermittent, over- or loss of stimulation", "wound complications",
    "post-operative surgical site pain", "discomfort from lead anchors or pocket", "muscle fatigue",
    "undesired sensations", "nerve irritation", "nerve damage or degeneration", "revision surgery",
    "explantation because of adverse events", "procedure or device related event",
}  # fmt: skip
"""Every outcome of the scope's table."""


def current(store):
    return {each.name: each.value for each in scores(store, ID) if each.current}


def test_every_outcome_of_the_scope_has_a_field():
    assert {each.nice for each in [*SCORES.values(), *EVENTS.values()]} >= NICE
    words = "migration erosion fracture inadequate intermittent over- loss infection haemorrhage inflammation"
    for word in (*words.split(), "haematoma"):
        assert any(word in code for code in EVENTS), word


def test_scores_are_entered_and_listed(store):
    found = parse_scores(["nrs=7.5", "odi=42", "EQ5D=0.434", "satisfaction=very-satisfied", "opioids=0"])
    assert add_scores(store, ID, found, ON, False, NOW_S) == [1, 2, 3, 4, 5]
    assert current(store) == {"nrs": 7.5, "odi": 42, "eq5d": 0.434, "satisfaction": 5, "opioids": 0}
    assert [each.text for each in scores(store, ID)] == ["7.5", "42.0", "0.434", "very-satisfied", "0"]
    assert scores(store, "0" * 16) == []


@pytest.mark.parametrize("text", [
    "nrs=11", "nrs=-1", "nrs=7.55", "nrs=", "nrs", "nrs=nan", "nrs=inf", "nrs=John Smith", "name=John Smith",
    "odi=101", "eq5d=1.2", "satisfaction=6", "satisfaction=great", "work=5", "opioids=1e9", "=7", "",
])  # fmt: skip
def test_a_score_out_of_range_unknown_or_free_text_is_refused(text):
    with pytest.raises(InputError):
        parse_scores(["odi=40", text])


def test_a_refused_score_names_what_is_allowed():
    with pytest.raises(InputError, match="nrs = '12': allowed is 0 to 10 with up to 1 decimals"):
        parse_scores(["nrs=12"])
    with pytest.raises(InputError, match="one of very-dissatisfied"):
        parse_scores(["satisfaction=happy"])
    with pytest.raises(InputError, match="twice"):
        parse_scores(["nrs=7", "nrs=8"])


@pytest.mark.parametrize("text", ["", "John Smith", "943 476 5919", "a1b2c3d4e5f6071", ID + "0", "g" * 16])
def test_only_a_pseudonym_names_a_device(text):
    with pytest.raises(InputError, match="no device id"):
        device_id_of(text)
    assert device_id_of(f" {ID.upper()} ") == ID


def test_dates_have_a_form_and_an_end():
    assert parse_date("2027-01-14", NOW_S) == date(2027, 1, 14)
    assert parse_date("2027-01-15", NOW_S) == date(2027, 1, 15)
    with pytest.raises(InputError, match="future"):
        parse_date("2027-01-16", NOW_S)
    with pytest.raises(InputError, match="before"):
        parse_date("1926-05-04", NOW_S)
    for text in ("yesterday", "04/05/2026", "2026-02-30", ""):
        with pytest.raises(InputError, match="no date"):
            parse_date(text, NOW_S)


def test_a_baseline_outside_the_indication_is_said():
    assert outside_indication({"nrs": 6, "odi": 21}) == []
    assert len(outside_indication({"nrs": 5.9, "odi": 20.9, "eq5d": 0.1})) == 2


def test_the_same_score_is_not_entered_twice(store):
    add_scores(store, ID, {"nrs": 7}, ON, True, NOW_S)
    add_scores(store, ID, {"nrs": 5}, ON, False, NOW_S)
    with pytest.raises(InputError, match=r"has a baseline already \(number 1\)"):
        add_scores(store, ID, {"odi": 40, "nrs": 8}, date(2026, 6, 1), True, NOW_S)
    with pytest.raises(InputError, match=r"is there already \(number 2\)"):
        add_scores(store, ID, {"odi": 40, "nrs": 8}, ON, False, NOW_S)
    assert len(scores(store)) == 2, "all or nothing"


def test_a_correction_takes_the_place_and_keeps_the_old_one(store):
    add_scores(store, ID, {"nrs": 7, "odi": 40}, ON, True, NOW_S)
    assert correct_score(store, 1, {"nrs": 8}, None, False, NOW_S) == 3
    assert current(store) == {"nrs": 8, "odi": 40}
    old, _, new = scores(store, ID)
    assert not old.current and old.value == 7 and (new.supersedes, new.baseline, new.on) == (1, True, ON)
    correct_score(store, 3, None, date(2026, 5, 5), False, NOW_S)
    assert correct_score(store, 4, None, None, True, NOW_S) == 5
    assert current(store) == {"odi": 40} and len(scores(store)) == 5


def test_what_cannot_be_corrected_is_told_and_changes_nothing(store):
    add_scores(store, ID, {"nrs": 7}, ON, True, NOW_S)
    correct_score(store, 1, {"nrs": 8}, None, False, NOW_S)
    for number, found, words in (
        (1, {"nrs": 9}, "already"), (9, {"nrs": 9}, "no score"), (2, {"odi": 9}, "is nrs"),
        (2, None, "Nothing to correct"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            correct_score(store, number, found, None, False, NOW_S)
    assert len(scores(store)) == 2


def test_events(store):
    assert add_event(store, ID, "lead-migration", ON, "moderate", "device", NOW_S) == 1
    assert add_event(store, ID, "explant-pain-resolved", ON, None, None, NOW_S) == 2
    assert [(each.code, each.severity, each.cause) for each in events(store, ID)] == [
        ("lead-migration", "moderate", "device"), ("explant-pain-resolved", "none", "unknown"),
    ]  # fmt: skip
    correct_event(store, 1, None, None, "procedure", False, NOW_S)
    correct_event(store, 2, None, None, None, True, NOW_S)
    assert [(each.code, each.cause) for each in events(store, ID) if each.current] == [
        ("lead-migration", "procedure")
    ]


@pytest.mark.parametrize(("code", "severity", "cause", "words"), [
    ("lead-lost", "mild", "device", "no event"),
    ("lead-migration", None, "device", "needs --severity"),
    ("lead-migration", "none", "device", "needs --severity"),
    ("lead-migration", "mild", None, "needs --severity"),
    ("lead-migration", "awful", "device", "no severity"),
    ("lead-migration", "mild", "the surgeon", "no cause"),
])  # fmt: skip
def test_a_bad_event_is_refused(store, code, severity, cause, words):
    with pytest.raises(InputError, match=words):
        add_event(store, ID, code, ON, severity, cause, NOW_S)
    assert events(store) == []


def test_the_same_event_is_not_entered_twice(store):
    add_event(store, ID, "lead-migration", ON, "mild", "device", NOW_S)
    with pytest.raises(InputError, match="already"):
        add_event(store, ID, "lead-migration", ON, "severe", "device", NOW_S)


def test_the_page_of_outcomes_names_every_field_and_code():
    text = (find_project_root() / "docs" / "outcomes.md").read_text(encoding="utf-8")
    assert [name for name in (*SCORES, *EVENTS) if f"`{name}`" not in text] == []
