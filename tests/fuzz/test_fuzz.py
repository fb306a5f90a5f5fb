"""Every target on inputs of a few seeds, on CPython and on MicroPython; and a fault is found and told."""

import json
import struct

import pytest
from stimbench.cli.main import app
from stimbench.errors import InputError
from stimbench.fuzz import runs
from stimbench.fuzz.guided import Watched, place, shortened
from stimbench.fuzz.mutation import MOST_BYTES, mutated
from stimbench.fuzz.registry import TARGETS, Target, find
from stimbench.fuzz.rounds import rounds
from stimbench.fuzz.script import Dice, Script
from stimfw.protocol import asking, requests
from typer.testing import CliRunner

ROUNDS = 60
SEEDS = (1, 2)
PORTABLE = [target for target in TARGETS if target.portable]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_target_on_random_inputs(target):
    for seed in SEEDS:
        told = rounds(target.run, seed, 0, ROUNDS)
        assert (told["error"], told["executions"]) == ("", ROUNDS), told


@pytest.mark.parametrize("target", PORTABLE, ids=lambda target: target.name)
def test_a_target_on_micropython(target):
    outcome = runs.run(target, runs.MICROPYTHON, seed=1, executions=ROUNDS)
    assert outcome.findings == () and outcome.executions == ROUNDS
    assert 0 < outcome.memory_kb < runs.HEAP_KB


@pytest.mark.parametrize("name", ["link", "port"])
def test_a_target_guided_by_coverage(name):
    outcome = runs.run(find(name), runs.GUIDED, seed=1, executions=200)
    assert outcome.findings == () and outcome.executions == 200
    assert outcome.ways > 50 and outcome.memory_kb > 10_000


def test_what_is_in_the_corpus_comes_from_coverage():
    """Two hundred inputs see more than ten: something new is kept and changed again."""
    few, many = (runs.run(find("pieces"), runs.GUIDED, seed=1, executions=count).ways for count in (10, 1000))
    assert many > few


def test_the_same_seed_gives_the_same_inputs():
    seen = []
    for seed in (1, 1, 2):
        inputs = []
        rounds(inputs.append, seed, 0, 20)
        seen.append(inputs)
    assert seen[0] == seen[1] != seen[2]
    assert all(0 <= len(data) <= MOST_BYTES for data in seen[0])


def test_mutations_stay_in_bounds_and_change_something():
    dice = Dice(7)
    data, changed = dice.take(40), 0
    for _ in range(2000):
        new = mutated(dice, data, b"other")
        assert len(new) <= MOST_BYTES
        changed += new != data
    assert changed > 1900
    assert mutated(dice, b"", b"") is not None


def test_a_script_is_zeros_behind_its_end():
    script = Script(b"\x05\x01\x02")
    assert script.chunk(10) == b"\1\2\0\0\0" and not script.left()
    assert (script.byte(), script.number(4), script.take(2)) == (0, 0, b"\0\0")


# Faults that are planted.


class Planted(Exception):
    pass


def fragile(data):
    script = Script(data)
    while script.left():
        if script.byte() == 0x51:
            raise Planted("0x51")


def test_rounds_tell_the_error_and_the_input():
    told = rounds(fragile, 1, 0, 10_000)
    assert told["error"] == "Planted: 0x51" and told["executions"] < 10_000
    with pytest.raises(Planted):
        fragile(bytes.fromhex(told["data"]))


def test_a_finding_is_shortened_and_each_place_told_once(capsys):
    watched = Watched(fragile)
    for _ in range(3):
        watched(b"abcdefgh" * 20 + b"\x51" + b"rest" * 20)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["error"], one["data"]) for one in told] == [("Planted: 0x51", "51")]
    assert "test_fuzz.py" in told[0]["where"]


def test_shortening_keeps_the_place():
    def two(data):
        if b"a" in data:
            raise Planted("first")
        if b"b" in data:
            raise Planted("second")

    def where(data):
        try:
            two(data)
        except Planted as error:
            return place(error)

    assert shortened(two, b"xxbxx", where(b"b")) == b"b"
    assert shortened(two, b"xxbxaxx", where(b"a")) == b"a"


def test_a_parser_that_forgets_a_check_is_found(monkeypatch):
    """The bug of a tired colleague: the length of a reply's body is believed."""
    monkeypatch.setattr(asking, "unpack_reply", lambda row, body: struct.unpack(row[requests.REPLY], body))
    assert rounds(find("replies").run, 1, 0, ROUNDS)["error"].startswith("error: unpack requires")


# The command.


def run(*words):
    result = CliRunner().invoke(app, ["fuzz", *words])
    return result.exit_code, result.output


def test_the_list_names_every_target():
    code, text = run("--list", "--json")
    assert code == 0 and [one["name"] for one in json.loads(text)["targets"]] == [one.name for one in TARGETS]
    assert all("eclared" in one["about"] or one["name"] for one in json.loads(text)["targets"])


def test_a_run_tells_what_it_did_and_a_finding_ends_it_with_1(monkeypatch):
    code, text = run("--only", "pieces", "--runs", "50", "--micropython", "--json")
    told = json.loads(text)
    assert code == 0 and told["targets"][0]["executions"] == 50 and told["targets"][0]["findings"] == []
    bad = runs.Outcome("pieces", runs.GUIDED, 9, 1, 1, (runs.Finding("E: x", "a.py:1", "51"),))
    monkeypatch.setattr(runs, "run", lambda *_: bad)
    code, text = run("--only", "pieces", "--runs", "9")
    assert code == 1 and "E: x" in text and "--input 51" in text.replace("\n", " ")


def test_one_input_runs_here():
    code, text = run("--only", "pieces", "--input", "0102")
    assert code == 0 and "raised nothing" in text
    for words in (("--input", "01"), ("--only", "pieces", "--input", "0g")):
        result = CliRunner().invoke(app, ["fuzz", *words])
        assert isinstance(result.exception, InputError) or result.exit_code == 2
    result = CliRunner().invoke(app, ["fuzz", "--only", "none"])
    assert isinstance(result.exception, InputError) or result.exit_code == 2


def test_without_atheris_a_sentence_says_so(monkeypatch):
    monkeypatch.setattr(runs, "find_spec", lambda name: None)
    with pytest.raises(runs.StimbenchError, match="Atheris is not installed"):
        runs.run(find("pieces"), runs.GUIDED, 1, executions=1)


def test_a_process_that_ends_is_a_finding():
    """MicroPython ends at an unknown target before it prints JSON."""
    outcome = runs.run(Target("unknown", fragile, True), runs.MICROPYTHON, 1, executions=1)
    assert outcome.executions == 0 and "KeyError" in outcome.findings[0].error
