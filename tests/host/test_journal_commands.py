"""log pull, show, verify, export, as a user meets them."""

from __future__ import annotations

import csv
import io
import json
import struct

import pytest
from stimbench.journal.store import Store
from stimfw.protocol import journal_entries as kinds
from stimfw.protocol import messages, requests
from support.journals import DEVICE, EPOCH_S, JournalBoard, implanted, sealed

REFUSED = (messages.WRONG_STATE, bytes((0, 14)))


@pytest.fixture
def journal(board):
    """The journal of the scripted stimulator, which answers JOURNAL with it."""
    journal = implanted(30)
    journal.add(kinds.FAULT, EPOCH_S + 86_400, 3, 1, 2, 77)

    def do_38(body, _now_s):
        page = JournalBoard(journal).journal(*struct.unpack("<I", body))
        return messages.OK, struct.pack("<III", page.first, page.oldest, page.next) + b"".join(page.slots)

    board.do_38 = do_38
    board.refuse[requests.HISTORY] = REFUSED
    return journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "j.sqlite"


@pytest.fixture
def pulled(run, journal, path):
    run("log", "pull", "--store", str(path))
    return str(path)


def test_pull_then_pull_again(run, journal, path):
    done = run("log", "pull", "--store", str(path))
    assert f"Device {DEVICE.hex()}: 33 new entries, 33 in" in done.stdout and "33 of 33" in done.stderr
    journal.add(kinds.MAGNET, EPOCH_S, 1)
    data = json.loads(run("log", "pull", "--store", str(path), "--json").stdout)
    assert (data["new"], data["total"], data["sound"], data["findings"]) == (1, 34, True, [])


def test_pull_by_radio(run, journal, path, board):
    run("log", "pull", "--store", str(path), "--radio", "auto")
    assert board.radio == "auto"


def test_ctrl_c_leaves_what_came_and_the_next_pull_goes_on(run, journal, path, board):
    usual = board.do_38

    def interrupted(body, now_s):
        if struct.unpack("<I", body)[0] > 10:
            raise KeyboardInterrupt
        return usual(body, now_s)

    board.do_38 = interrupted
    run("log", "pull", "--store", str(path), code=130)
    with Store(path) as store:
        assert list(store.slots(1)) == journal.slots[:14]
    board.do_38 = usual
    assert json.loads(run("log", "pull", "--store", str(path), "--json").stdout)["new"] == 19


def test_a_journal_that_does_not_verify_is_stored_shown_and_exits_1(run, journal, path):
    slot = bytearray(journal.slots[9])
    slot[10] ^= 1
    journal.slots[9] = sealed(bytes(slot[:30]))
    assert "Entry 9 does not follow" in run("log", "pull", "--store", str(path), code=1).stdout
    assert "Entry 9 does not follow" in run("log", "verify", str(path), code=1).stdout
    data = json.loads(run("log", "verify", str(path), "--json", code=1).stdout)
    assert data["journals"][0]["findings"][0]["number"] == 9 and not data["sound"]


def test_a_bad_store_is_told_before_the_board_is_asked(run, board, path):
    path.write_text("no store")
    assert "no store of journals" in " ".join(run("log", "pull", "--store", str(path), code=2).stderr.split())
    assert board.calls == [] and path.read_text() == "no store"


def test_a_board_that_was_never_implanted_makes_no_store(run, journal, path):
    journal.slots, journal.number = [], 0
    assert "never implanted" in run("log", "pull", "--store", str(path), code=2).stderr
    assert not path.exists()


def test_verify(run, pulled, journal):
    assert "All is whole." in run("log", "verify", pulled).stdout
    data = json.loads(run("log", "verify", pulled, "--json").stdout)
    assert data["journals"][0]["chain"] == journal.chain.hex()


def test_a_rolled_back_board_shows_in_verify_too(run, pulled, journal):
    journal.slots, journal.number = journal.slots[:20], 20
    assert "rolled back" in run("log", "pull", "--store", pulled, code=1).stdout
    assert "rolled back" in run("log", "verify", pulled, code=1).stdout


def test_show(run, pulled):
    faults = json.loads(run("log", "show", pulled, "--kind", "fault", "--json").stdout)
    assert [entry["number"] for entry in faults] == [32]
    assert faults[0]["fields"]["lead"] == "right" and faults[0]["group"] == "safety"
    safety = json.loads(run("log", "show", pulled, "--kind", "safety", "--json").stdout)
    assert [entry["kind"] for entry in safety] == ["implanted", "fault"]
    newest = json.loads(run("log", "show", pulled, "--last", "2", "--json").stdout)
    assert [entry["number"] for entry in newest] == [31, 32]
    since = json.loads(run("log", "show", pulled, "--since", "2027-01-16", "--json").stdout)
    assert [entry["number"] for entry in since] == [32]
    assert "implanted" in run("log", "show", pulled).stdout
    assert "There is no kind 'nonsense'" in run("log", "show", pulled, "--kind", "nonsense", code=2).stderr
    assert "knows no device" in run("log", "show", pulled, "--device", "00", code=2).stderr
    run("log", "show", pulled, "--since", "yesterday", code=2)


def test_export(run, pulled):
    rows = list(csv.DictReader(io.StringIO(run("log", "export", pulled, "--csv").stdout)))
    assert len(rows) == 33 and rows[1]["fields"] == f"device_id {DEVICE.hex()}, healing_days 14"
    assert len(json.loads(run("log", "export", pulled, "--json").stdout)) == 33
    assert "--csv or --json" in run("log", "export", pulled, code=2).stderr


@pytest.mark.parametrize("command", ["verify", "show", "export"])
def test_a_file_that_is_not_there_is_one_error(run, path, command):
    more = ["--csv"] if command == "export" else []
    assert "no such file" in run("log", command, str(path), *more, code=2).stderr
    assert not path.exists()


def test_log_itself_is_as_it_was(run, board):
    board.log.add(messages.EVENT_MAGNET, messages.FROM_NOBODY, 0)
    assert len(json.loads(run("log", "--json").stdout)) == 2
    assert len(json.loads(run("log", "--from", "1", "--json").stdout)) == 1
