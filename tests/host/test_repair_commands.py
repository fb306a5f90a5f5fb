"""`stimbench records`, `stimbench repair` and a remote's status, as a user meets them."""

from __future__ import annotations

import itertools
import json

from stimbench.client.flash_records import FlashRecords
from stimfw.protocol import messages, requests
from stimfw.storage import areas
from stimfw.storage.areas import DAMAGED, EMPTY, LATER, ONE_BIT, SOUND, UNUSABLE, USED_UP


def test_sound_records(run, board):
    board.records = [SOUND, SOUND, EMPTY]
    shown = run("records", "--board", "/dev/s").stdout
    for text in ("stimulator", *areas.AREA_NAMES, "sound", "empty"):
        assert text in shown
    assert "stimbench repair" not in shown and board.named == "/dev/s"
    data = json.loads(run("records", "--json").stdout)
    assert data["board"] == "stimulator" and data["sound"] and data["repair"]["rewrites"] == []


def test_damaged_records_are_told_with_what_a_repair_would_do(run, board, remote_board):
    board.records = [DAMAGED, SOUND, SOUND]
    shown = run("records", code=1).stdout
    for text in ("damaged", "`stimbench repair` would", "loses     nothing", "keeps     all pairings"):
        assert text in shown
    remote_board.records = [SOUND, SOUND, ONE_BIT]
    shown = run("records", "--remote", "/dev/r", code=1).stdout
    assert "one bit is wrong" in shown and "`stimbench repair --remote /dev/r` would" in shown
    assert "loses     nothing" in shown and not board.repaired + remote_board.repaired


def test_a_repair_says_what_goes_and_what_stays_and_asks_first(run, board):
    board.records = [SOUND, SOUND, DAMAGED]
    for answer in ("n\n", ""):
        refused = run("repair", code=2, answer=answer)
        assert "Nothing was rewritten: it was not confirmed" in refused.stderr
        for text in ("pairings (damaged", "loses     all pairings", "keeps     the count of epochs"):
            assert text in refused.stderr
    assert board.repaired == []
    done = run("repair", answer="y\n")
    assert "Rewritten on the stimulator: pairings. It restarts now." in done.stdout
    assert board.repaired == [False]


def test_without_being_asked(run, remote_board):
    remote_board.records = [DAMAGED, DAMAGED, SOUND]
    data = json.loads(run("repair", "--remote", "/dev/r", "--yes", "--json").stdout)
    assert data["board"] == "remote" and data["repair"]["rewrites"] == ["epochs", "epoch limit"]
    assert any("all pairings" in text for text in data["repair"]["loses"]) and not data["still_damaged"]
    assert remote_board.repaired == [False] and remote_board.named == "/dev/r"


def test_nothing_to_repair(run, board):
    assert "are sound: nothing was rewritten" in run("repair", "--yes").stdout
    assert board.repaired == []


def test_what_a_later_firmware_wrote_needs_its_own_word(run, board):
    board.records = [SOUND, SOUND, LATER]
    assert "stimbench repair --overwrite-later" in run("records", code=1).stdout
    stays = run("repair", "--yes", code=1)
    assert "written by a later firmware" in stays.stdout and "--overwrite-later" in stays.stdout
    assert board.repaired == []
    assert "Rewritten on the stimulator: pairings" in run("repair", "--overwrite-later", "--yes").stdout
    assert board.repaired == [True]
    board.records = [DAMAGED, SOUND, LATER]
    data = json.loads(run("repair", "--yes", "--json", code=1).stdout)
    assert data["repair"]["rewrites"] == ["epochs"] and data["still_damaged"]


def test_what_the_flash_does_not_take_is_not_repaired(run, board):
    board.records = [UNUSABLE, SOUND, SOUND]
    assert "the flash does not take it" in run("repair", "--yes", code=1).stdout
    assert board.repaired == []


def test_refusals_of_the_board(run, board):
    board.records = [SOUND, SOUND, DAMAGED]
    board.refuse[requests.REPAIR] = (messages.WRONG_STATE, bytes((messages.FAULT, messages.REASON_STORAGE)))
    assert "the flash did not take it" in run("repair", "--yes", code=3).stderr
    board.refuse[requests.RECORDS] = (messages.WRONG_STATE, bytes((messages.HOLD, messages.REASON_LOCKED)))
    assert "locked while the output is on" in run("records", code=3).stderr
    board.refuse[requests.RECORDS] = (messages.OK, b"\0")
    assert "makes no sense" in run("records", code=4).stderr
    board.refuse[requests.RECORDS] = (messages.UNKNOWN_OPCODE, b"")
    assert "another version" in run("records", code=3).stderr


def test_an_emulated_bench_has_nothing_to_repair(run):
    assert "bench up" in run("repair", "--remote", "bench", code=2).stderr


def test_every_plan_in_words():
    every = (SOUND, EMPTY, ONE_BIT, DAMAGED, LATER, UNUSABLE, USED_UP)
    for states in itertools.product(every, repeat=3):
        for later in (False, True):
            found = FlashRecords(states)
            plan = found.plan(later)
            assert bool(plan.rewritten) == bool(areas.plan(states, later))
            assert not plan.rewritten or plan.kept
            both = [text for text in plan.lost if "all pairings" in text and "all pairings" in plan.kept]
            assert not both, states
            if areas.plan(states, later) & areas.KEYS_GO:
                assert any("all pairings" in text for text in plan.lost), states


def test_status_names_a_record_that_failed(run, board):
    board.state, board.failed_parts = messages.FAULT, messages.PART_PAIRINGS | messages.PART_EPOCHS
    shown = run("status", code=1).stdout
    assert "failed: epochs, pairings" in shown and "`stimbench records`" in shown
    told = json.loads(run("status", "--json", code=1).stdout)["status"]
    assert told["failed_parts"] == ["epochs", "pairings"]


def test_status_of_a_remote(run, remote_board):
    shown = run("status", "--remote", "/dev/r").stdout
    for text in ("remote, firmware", "ready", "passed", "4.99 V"):
        assert text in shown
    remote_board.failed_parts = messages.PART_EPOCHS
    shown = run("status", "--remote", "/dev/r", code=1).stdout
    assert "failed: epochs" in shown and "`stimbench records`" in shown and "fault" in shown
    told = json.loads(run("status", "--remote", "/dev/r", "--json", code=1).stdout)
    assert told["status"]["failed_parts"] == ["epochs"] and not told["status"]["works"]
    for more in (["--self-test"], ["--radio", "/dev/x"]):
        assert "without --self-test" in run("status", "--remote", "/dev/r", *more, code=2).stderr
