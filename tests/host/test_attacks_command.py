"""`stimbench attacks`: what it lists, carries out and prints, and its exit codes."""

import json

import pytest
import stimbench.attacks
import stimbench.project
from stimbench.attacks import ATTACKS, Attack, Result
from stimbench.cli.main import app
from stimbench.errors import EXIT_BAD_INPUT, EXIT_CHECK_FAILED
from typer.testing import CliRunner

INTERRUPTED = 130


@pytest.fixture
def registry(monkeypatch):
    """Three attacks of our own; what the next run of each brings can be changed."""
    brings, ran = {"open door": 0, "open window": 0, "cellar": 0}, []

    def made(name, on_bench=False):
        def run(tries, seed):
            """Go in.

            By a burglar. Each try is a house. Success: he is inside.
            """
            ran.append((name, tries, seed))
            if isinstance(brings[name], BaseException):
                raise brings[name]
            return Result(name, tries, brings[name], f"{name} [tried]")

        return Attack(name, run, 1000, 5, on_bench)

    made_up = (made("open door"), made("open window"), made("cellar", on_bench=True))
    monkeypatch.setattr(stimbench.attacks, "ATTACKS", made_up)
    return brings, ran


def attacks(*words):
    return CliRunner().invoke(app, ["attacks", *words])


def test_each_is_carried_out_with_its_share_and_told(registry):
    _, ran = registry
    result = attacks("--share", "0.1", "--seed", "7")
    assert result.exit_code == 0
    assert ran == [(name, 100, 7) for name in ("open door", "open window", "cellar")]
    assert "open door: 100 tries, 0 succeeded" in result.stdout and "open window [tried]" in result.stdout
    assert "3 of 3 attacks carried out, 0 succeeded." in result.stdout


def test_a_small_share_is_no_less_than_makes_sense(registry):
    _, ran = registry
    attacks("--share", "0.0001", "--only", "door")
    assert ran == [("open door", 5, 1)]


def test_one_that_succeeds_is_named_and_exits_1(registry):
    registry[0]["open window"] = 3
    result = attacks()
    assert result.exit_code == EXIT_CHECK_FAILED
    assert "open window: 10 tries, 3 SUCCEEDED" in result.stdout
    assert "3 of 3 attacks carried out, 1 succeeded." in result.stdout


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--only", "cellar"], ["cellar"]),
        (["--only", "OPEN-window", "--only", "cell"], ["open window", "cellar"]),
        (["--only", "cellar", "--only", "open_door"], ["open door", "cellar"]),
    ],
)
def test_some_of_them_in_the_lists_order(registry, words, names):
    assert attacks(*words).exit_code == 0
    assert [name for name, _, _ in registry[1]] == names


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("open", "'open' is part of the names of several attacks: open door, open window."),
        ("seller", "There is no attack 'seller'. Did you mean cellar?"),
        ("", "stimbench attacks --list names them."),
    ],
)
def test_a_name_that_is_no_attacks(registry, name, says):
    result = attacks("--only", name)
    assert result.exit_code == EXIT_BAD_INPUT and registry[1] == []
    assert says in " ".join(result.stderr.split())


def test_the_list_carries_nothing_out(registry):
    result = attacks("--list")
    assert result.exit_code == 0 and registry[1] == []
    assert "who: a burglar" in result.stdout and "success: he is inside" in result.stdout
    listed = json.loads(attacks("--list", "--json", "--only", "cellar").stdout)
    assert listed == [
        {
            "name": "cellar", "what": "Go in.", "who": "a burglar", "success": "he is inside",
            "full_tries": 1000, "on_bench": True,
        }
    ]  # fmt: skip


def test_json(registry):
    registry[0]["cellar"] = 1
    result = attacks("--json")
    document = json.loads(result.stdout)
    assert result.exit_code == EXIT_CHECK_FAILED and document["holds"] is False
    assert [(one["name"], one["tries"], one["successes"]) for one in document["attacks"]] == [
        ("open door", 10, 0), ("open window", 10, 0), ("cellar", 10, 1),
    ]  # fmt: skip
    assert (document["seed"], document["not_carried_out"], document["left_out"]) == (1, 0, [])


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_shows_what_was_done(registry, as_json):
    registry[0]["open window"] = KeyboardInterrupt()
    result = attacks(*["--json"] * as_json)
    assert result.exit_code == INTERRUPTED
    if as_json:
        document = json.loads(result.stdout)
        assert len(document["attacks"]) == 1 and document["not_carried_out"] == 2
    else:
        assert "1 of 3 attacks carried out, 0 succeeded." in result.stdout
    assert "Interrupted." in result.stderr


def test_without_images_those_of_the_bench_are_left_out_or_refused(registry, monkeypatch, tmp_path):
    monkeypatch.setattr(stimbench.project, "image_path", lambda board: tmp_path / board)
    result = attacks()
    assert result.exit_code == 0 and [name for name, _, _ in registry[1]] == ["open door", "open window"]
    assert "Left out, because the firmware is not built: cellar." in result.stdout
    result = attacks("--only", "cellar")
    assert result.exit_code == EXIT_BAD_INPUT
    assert "python -m stimbench.firmware_build builds it" in " ".join(result.stderr.split())


@pytest.mark.parametrize("words", [["--share", "0"], ["--share", "2"], ["--seed", "-1"]])
def test_impossible_options(registry, words):
    assert attacks(*words).exit_code == EXIT_BAD_INPUT


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_every_attack_says_what_who_and_what_success_is(attack):
    assert attack.what and attack.who and attack.success
    assert "Each try" in attack.goal or "each try" in attack.goal or "tries" in attack.goal


def test_a_real_one():
    result = attacks("--only", "public keys", "--share", "0.01")
    assert result.exit_code == 0 and "0 succeeded" in result.stdout


def test_what_is_known_to_succeed_is_carried_out_only_when_it_is_named(registry, monkeypatch):
    known = Attack("crowbar", lambda tries, seed: Result("crowbar", tries, 1, "in"), 10)
    monkeypatch.setattr(stimbench.attacks, "SUCCEEDING", (known,))
    assert attacks().exit_code == 0
    assert "crowbar - known to succeed" in attacks("--list").stdout
    assert attacks("--only", "crowbar").exit_code == EXIT_CHECK_FAILED
