"""`stimbench pair` as a user meets it, and what an interruption at any step leaves behind."""

from __future__ import annotations

import functools
import json

import pytest
import typer
from stimbench.client import connect, connect_remote
from stimbench.client.pairing import pair_clinician, pair_remote
from stimbench.errors import NoAnswerError
from stimfw.protocol import messages, requests, roles
from stimfw.storage.pairings import ACTIVE, PENDING
from support.scripted_remote import REMOTE_ID
from support.scripted_stimulator import BASE, NEW_BASE


@pytest.fixture
def run(run):
    return functools.partial(run, "pair")


def slot_of(board, peer_id, state):
    (slot,) = [
        slot
        for slot in board.table.slots()
        if (board.table.get(slot).peer_id, board.table.get(slot).state) == (peer_id, state)
    ]
    return slot


def test_a_remote_is_paired_as_a_patients(run, board, remote_board):
    result = run("--board", "/dev/s", "--remote", "/dev/r")
    assert (board.named, remote_board.named) == ("/dev/s", "/dev/r")
    assert f"Remote {REMOTE_ID.hex()} is paired as a patient's: slot 0 of the stimulator" in result.stdout
    held = board.table.get(0)
    assert (held.role, held.peer_id, held.key) == (roles.PATIENT, REMOTE_ID, remote_board.key)
    assert len(remote_board.key) == 32 and remote_board.key.hex() not in result.output


def test_one_port_for_both_boards_is_refused_before_it_is_opened(run, board, tmp_path):
    link = tmp_path / "by-id"
    link.symlink_to("/dev/s")
    for other in ("/dev/s", str(link)):
        result = run("--board", "/dev/s", "--remote", other, code=2)
        assert f"--board and --remote name the same port, {other}" in result.stderr.replace("\n", " ")
    assert board.calls == []


def test_a_pending_key_is_explained(run, board):
    sentence = "A new key is pending until it is first used by radio"
    assert sentence in run("--board", "/dev/s", "--remote", "/dev/r").stdout
    shown = run("--list").stdout
    assert "pending" in shown and sentence in shown
    board.table.promote(0)
    assert sentence not in run("--list").stdout


def test_ctrl_c_at_the_question_is_an_interruption(run, monkeypatch):
    run("--clinician")

    def interrupted(*_args, **_kwargs):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise typer.Abort from None  # as Click does

    monkeypatch.setattr("typer.confirm", interrupted)
    assert "Interrupted" in run("--forget", "--slot", "0", code=130).stderr


def test_this_host_is_paired_as_a_clinician(run, board, keyring):
    data = json.loads(run("--clinician", "--json").stdout)
    assert data == {
        "base": BASE.hex(), "slot": 0, "role": "clinician", "peer_id": keyring.own_id().hex()
    }  # fmt: skip
    (mine,) = keyring.pairings()
    assert (mine.base, mine.slot, mine.key) == (BASE, 0, board.table.get(0).key)
    assert board.table.get(0).role == roles.CLINICIAN
    assert mine.key.hex() not in run("--clinician").output


def test_two_pairings_have_two_keys(run, board):
    run("--clinician")
    first = board.table.get(0).key
    run("--clinician")
    assert board.table.get(slot_of(board, board.table.get(0).peer_id, PENDING)).key != first


def test_a_key_file_that_cannot_be_used_is_told_before_anything_is_sent(run, board, keyring):
    run("--clinician")
    keyring.path.chmod(0o644)
    board.calls.clear()
    assert "chmod 600" in run("--clinician", code=2).stderr
    assert requests.PAIR not in board.calls


def test_list(run, board, remote_board):
    assert "has no pairings" in run("--list").stdout
    run("--clinician")
    run()
    shown = run("--list").stdout
    for text in (BASE.hex(), REMOTE_ID.hex(), "patient", "clinician", "pending", "this host"):
        assert text in shown
    data = json.loads(run("--list", "--json").stdout)
    assert [(one["slot"], one["role"], one["this_host"]) for one in data["pairings"]] == [
        (0, "clinician", True),
        (1, "patient", False),
    ]
    assert remote_board.key.hex() not in shown


def test_list_of_a_remote(run):
    assert "has no pairing" in run("--list", "--remote", "/dev/r").stdout
    run()
    assert f"stimulator {BASE.hex()}: slot 0, patient" in run("--list", "--remote", "/dev/r").stdout
    data = json.loads(run("--list", "--remote", "/dev/r", "--json").stdout)
    assert data == {"remote": REMOTE_ID.hex(), "base": BASE.hex(), "slot": 0, "role": "patient"}


def test_forgetting_asks_first(run, board):
    run()
    assert "not confirmed" in run("--forget", "--slot", "0", code=2, answer="n\n").stderr
    assert "not confirmed" in run("--forget", "--slot", "0", code=2, answer="").stderr
    assert board.table.slots() == [0]
    assert "has forgotten 0" in run("--forget", "--slot", "0", answer="y\n").stdout
    assert board.table.slots() == []


def test_forgetting_without_being_asked(run, board):
    run()
    data = json.loads(run("--forget", "--slot", "0", "--yes", "--json").stdout)
    assert data == {"base": BASE.hex(), "forgotten": [0]}
    assert board.table.slots() == []


def test_forgetting_all_takes_this_hosts_key_too(run, board, keyring):
    run("--clinician")
    run()
    run("--forget", "--slot", "1", "--yes")
    assert len(keyring.pairings()) == 1, "another's pairing is not this host's"
    run()
    assert "0, 1" in run("--forget", "--slot", "all", "--yes").stdout
    assert board.table.slots() == [] and keyring.pairings() == []
    assert "nothing" in run("--forget", "--slot", "all", "--yes").stdout


def test_a_slot_that_is_free_is_told(run):
    assert "no pairing in slot 4" in run("--forget", "--slot", "4", "--yes", code=2).stderr


def test_a_remote_forgets(run, board, remote_board):
    run()
    run("--forget", "--remote", "/dev/r", code=2, answer="n\n")
    assert remote_board.key
    assert "has no pairing" in run("--forget", "--remote", "/dev/r", "--yes").stdout
    assert remote_board.key == b"" and board.table.slots() == [0], "the stimulator's side is its own"


def test_a_factory_reset_needs_the_magnet(run, board, keyring):
    run("--clinician")
    result = run("--factory-reset", "--yes", code=3)
    assert "hold it at the stimulator" in result.stderr and "Nothing was erased" in result.stderr
    assert len(keyring.pairings()) == 1
    board.magnet = 1
    assert NEW_BASE.hex() in run("--factory-reset", "--yes").stdout
    assert keyring.pairings() == [] and board.table.slots() == []


def test_a_full_stimulator_says_what_to_do(run, board):
    for number in range(messages.SLOTS):
        slot = board.table.add(bytes((number, 1, 2, 3)), roles.PATIENT, bytes(32))
        board.table.promote(slot)
    assert "all slots are taken: forget a pairing first" in run(code=3).stderr


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--clinician", "--list"), "One at a time"),
        (("--clinician", "--remote", "/dev/r"), "--remote belongs to"),
        (("--slot", "1"), "--slot belongs to --forget"),
        (("--forget",), "Which pairing?"),
        (("--forget", "--slot", "6"), "allowed is 0 to 5, or all"),
        (("--forget", "--slot", "-1"), "allowed is 0 to 5, or all"),
        (("--board", "bench"), "stimbench bench up"),
    ],
)
def test_bad_input_sends_nothing(run, board, args, sentence):
    assert sentence in run(*args, code=2).stderr
    assert board.calls == []


def keys_of(board, peer_id):
    return [
        board.table.get(slot).key for slot in board.table.slots() if board.table.get(slot).peer_id == peer_id
    ]


def silent(link, lost_call, executed):
    """From the `lost_call`th line on nothing answers; `executed`: that one still arrives."""
    usual, count = link.respond, [0]

    def respond(line, now_s):
        count[0] += 1
        if count[0] < lost_call:
            return usual(line, now_s)
        if executed and count[0] == lost_call:
            usual(line, now_s)
        return []

    link.respond = respond


@pytest.mark.parametrize("executed", [False, True])
@pytest.mark.parametrize(("whose", "lost_call"), [("stimulator", 1), ("remote", 1), ("remote", 2)])
def test_a_remote_whose_pairing_was_interrupted_has_a_key_that_the_stimulator_has(
    board, remote_board, whose, lost_call, executed
):
    pair_remote(connect(board.link), connect_remote(remote_board.link))
    board.table.promote(0)
    old = remote_board.key
    stimulator, remote = connect(board.link), connect_remote(remote_board.link)
    link = board.link if whose == "stimulator" else remote_board.link
    # Each link's next lines: the stimulator's PAIR; the remote's PAIRINGS, PAIR.
    silent(link, lost_call, executed)
    with pytest.raises(NoAnswerError):
        pair_remote(stimulator, remote)
    assert remote_board.key in keys_of(board, REMOTE_ID)
    assert old in keys_of(board, REMOTE_ID)
    assert board.table.get(0).state == ACTIVE


@pytest.mark.parametrize("executed", [False, True])
def test_a_host_whose_pairing_was_interrupted_keeps_a_key_that_the_stimulator_has(board, keyring, executed):
    pair_clinician(connect(board.link), keyring)
    board.table.promote(0)
    stimulator = connect(board.link)
    silent(board.link, 1, executed)
    with pytest.raises(NoAnswerError):
        pair_clinician(stimulator, keyring)
    (mine,) = keyring.pairings()
    assert mine.key in keys_of(board, keyring.own_id())
