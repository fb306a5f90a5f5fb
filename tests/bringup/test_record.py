"""The record: whole after each step, refused for another board, and never overwritten."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from stimbench.bringup import record as records
from stimbench.bringup.board_hands import BoardIdentity
from stimbench.bringup.judge import judge
from stimbench.bringup.record import FILE, Record, procedure_id
from stimbench.bringup.steps import BLOCKS
from stimbench.bringup.workplace import Facts
from stimbench.errors import InputError
from support.bringup import STEPS, clock, right_values

FACTS = Facts(BoardIdentity("e660583883724a2c", "0.1.0", "94d90fb37d19"), "wired", "C-2026-17, 2026-11-01",
              {"meter": "Made-up 1000, 42"})  # fmt: skip
PROCEDURE = procedure_id(BLOCKS)


@pytest.fixture
def begun(tmp_path):
    return Record.begin(tmp_path / "r", FACTS, PROCEDURE, clock())


def add(record, index, **values):
    block, step = STEPS[index]
    found = right_values(step) | values
    return record.add(block, step, found, judge(step, found))


def test_it_names_board_firmware_calibration_and_instrument(begun):
    kept = json.loads((begun.folder / FILE).read_text(encoding="utf-8"))
    assert kept["format"] == 1
    assert (kept["board"], kept["firmware"]) == ("e660583883724a2c", "94d90fb37d19")
    assert kept["calibration"] == "C-2026-17, 2026-11-01"
    assert kept["instruments"] == {"meter": "Made-up 1000, 42"}
    assert kept["begun"] == "2026-11-30T09:00:00+00:00"


def test_every_step_is_on_disk_at_once_and_reads_back(begun):
    add(begun, 1, **{"+15v": math.inf})
    add(begun, 2, **{"5v": 0.0})
    add(begun, 3, **{"mid": None})
    kept = Record.load(begun.folder)
    assert kept.document == begun.document
    shorts, rails, levels = kept.document.attempts
    assert (shorts.outcome, rails.outcome, levels.outcome) == ("passed", "failed", "skipped")
    assert shorts.values[1].value == math.inf, "OL survives JSON"
    assert (rails.cause, rails.values[0].right) == ("no-5v", False)
    assert levels.values[2].value is None
    assert kept.has_passed("supply.shorts") and not kept.has_passed("references.levels")


def test_a_failure_stays_when_the_step_passes_later(begun):
    add(begun, 2, **{"5v": 0.0})
    add(begun, 2)
    assert [attempt.outcome for attempt in begun.document.attempts] == ["failed", "passed"]
    assert begun.has_passed("supply.rails")


def test_a_step_that_passed_and_fails_later_has_not_passed(begun):
    add(begun, 2)
    add(begun, 2, **{"5v": 0.0})
    assert not begun.has_passed("supply.rails")


@pytest.mark.parametrize(
    ("facts", "procedure", "what"),
    [
        (replace(FACTS, board=replace(FACTS.board, unique_id="00")), PROCEDURE, "board e660583883724a2c"),
        (replace(FACTS, board=replace(FACTS.board, firmware="00")), PROCEDURE, "firmware 94d90fb37d19"),
        (replace(FACTS, bench="emulated, seed 1"), PROCEDURE, "bench wired"),
        (FACTS, "000000000000", "procedure"),
    ],
)
def test_another_board_firmware_bench_or_procedure_cannot_go_on(begun, facts, procedure, what):
    begun.require_same(FACTS, PROCEDURE)
    with pytest.raises(InputError, match=rf"is of {what}.*and this is .*Begin again in another folder"):
        begun.require_same(facts, procedure)


def test_a_signed_record_is_never_touched_again(begun):
    begun.sign("A. Person")
    kept = Record.load(begun.folder)
    assert kept.document.signed.name == "A. Person"
    with pytest.raises(InputError, match=r"signed off by A\. Person"):
        kept.require_same(FACTS, PROCEDURE)


def test_a_folder_with_a_record_is_not_begun_again(begun):
    with pytest.raises(InputError, match="is there already"):
        Record.begin(begun.folder, FACTS, PROCEDURE, clock())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": "one"}'])
def test_what_is_no_record_is_told_and_left_alone(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is no record of a bring-up"):
        Record.load(tmp_path)
    assert (tmp_path / FILE).read_text(encoding="utf-8") == text


def test_a_newer_format_is_refused(begun):
    path = begun.folder / FILE
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 2'), encoding="utf-8")
    with pytest.raises(InputError, match="has format 2; this stimbench reads format 1"):
        Record.load(begun.folder)


def test_a_folder_without_a_record_has_none(tmp_path):
    assert Record.load(tmp_path / "nothing") is None


def test_a_full_disk_loses_nothing(begun, monkeypatch):
    add(begun, 1)
    before = (begun.folder / FILE).read_bytes()

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records, "replace_file", full)
    with pytest.raises(OSError, match="No space"):
        add(begun, 2)
    assert (begun.folder / FILE).read_bytes() == before


def test_what_a_cut_left_behind_is_removed(begun):
    cut = begun.folder / ".unfinished-abc"
    cut.write_text("{", encoding="utf-8")
    Record.load(begun.folder)
    assert not cut.exists()


def test_a_new_calibration_and_another_meter_are_noted(begun):
    begun.note(replace(FACTS, calibration="C-2", instruments={"meter": "Another"}))
    kept = Record.load(begun.folder).document
    assert (kept.calibration, kept.instruments) == ("C-2", {"meter": "Another"})


def test_other_steps_are_another_procedure():
    assert procedure_id(BLOCKS) == procedure_id(BLOCKS) != procedure_id(BLOCKS[:-1])
