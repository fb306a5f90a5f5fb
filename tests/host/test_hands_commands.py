"""`stimbench bench press` and its like: what is asked of a bench, what a person and a program are told."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from stimbench.bench.actions import ACTIONS, ActionError
from stimbench.bench.hands import Hands
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client import connect, connect_remote
from stimbench.client.on_bench import build_bench
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.errors import PortError
from typer.testing import CliRunner

DOCS = Path(__file__).resolve().parents[2] / "docs"
STATUS = {
    "action": "status", "time_s": 2.5, "told": "", "bench": "bench", "ports": {"stimulator": "/dev/pts/1"},
    "links": {"stimulator": "/x/stimulator"}, "speed": 0.5, "measured_speed": 0.25, "buttons": ["STOP"],
    "boards": {"stimulator": {"power": True, "hung": True, "port_open": True, "lights": {"LED": True}}},
    "magnet": True, "leads": {"left": ["ok", "open", "ok", "ok"], "right": ["ok"] * 4},
    "broken": ["left.1 open"], "air": {"loss": 0, "jammed": []},
}  # fmt: skip


class FakeBench:
    def __init__(self):
        self.asked = []
        self.named = None

    def find(self, name):
        self.named = name
        return self

    def do(self, name, /, **arguments):
        self.asked.append((name, arguments))
        if name == "mend":
            raise ActionError("There is no part.")
        return STATUS if name == "status" else {"action": name, "time_s": 1.5, "told": "It is done."}


@pytest.fixture
def bench():
    return FakeBench()


@pytest.fixture
def run(bench):
    def invoke(*args, code=0):
        result = CliRunner().invoke(
            app,
            ["bench", *args],
            obj=Services(open_board=None, find_bench=bench.find),
            env={"COLUMNS": "120"},
        )
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("press START", ("press", {"button": "START", "hold_ms": 100.0})),
        ("press status --hold 3500", ("press", {"button": "STATUS", "hold_ms": 3500.0})),
        ("magnet on", ("magnet", {"state": "on"})),
        ("break left.2 open", ("break", {"part": "left.2", "fault": "open", "value": None})),
        ("break left.2 short left.3", ("break", {"part": "left.2", "fault": "short", "value": "left.3"})),
        ("jam", ("jam", {"channel": "all", "for_s": None})),
        ("jam 76 --for 2", ("jam", {"channel": 76, "for_s": 2.0})),
        ("jam off", ("jam", {"channel": "off", "for_s": None})),
        ("power off remote", ("power", {"state": "off", "board": "remote"})),
        ("speed 0.1x", ("speed", {"speed": "0.1x"})),
        ("wait 2.5", ("wait", {"seconds": 2.5})),
    ],
)
def test_what_is_typed_is_done_and_told(run, bench, typed, asked):
    assert run(*typed.split()).stdout == "It is done. (1.500 s)\n"
    assert bench.asked == [asked]
    told = json.loads(run(*typed.split(), "--json", "--bench", "two").stdout)
    assert told == {"action": asked[0], "time_s": 1.5, "told": "It is done."} and bench.named == "two"


@pytest.mark.parametrize(
    "typed", ["press GO", "magnet maybe", "power off toaster", "wait 0", "wait nan", "jam some"]
)
def test_what_is_typed_wrong_is_said_before_any_bench_is_looked_for(run, bench, typed):
    assert "allowed is" in run(*typed.split(), code=2).stderr
    assert bench.asked == [] and bench.named is None


def test_what_the_bench_refuses_is_bad_input(run):
    assert run("mend", "left.9", code=2).stderr.strip() == "Error: There is no part."


def test_no_bench_is_exit_4(run, bench):
    def none(_name):
        raise PortError("No bench runs.")

    bench.find = none
    result = CliRunner().invoke(app, ["bench", "status"], obj=Services(open_board=None, find_bench=none))
    assert result.exit_code == 4 and "No bench runs." in result.stderr


def test_status_for_a_person(run):
    shown = " ".join(run("status").stdout.split())
    for text in (
        "bench, at 2.500 s of its time", "0.5x, measured 0.25x",
        "hung, /dev/pts/1 (/x/stimulator), in use, lit: LED",
        "Magnet at the stimulator", "STOP is down", "Left lead 1 open", "Right lead all four electrodes ok",
        "Broken left.1 open",
    ):  # fmt: skip
        assert text in shown, shown


def test_help_comes_from_the_table(run):
    listed = " ".join(run("--help").stdout.replace("│", " ").split())
    for name, action in ACTIONS.items():
        assert action.summary.split(".")[0] in listed, name
        shown = " ".join(run(name, "--help").stdout.replace("│", " ").split())
        for argument in action.arguments.model_fields:
            assert action.text(argument) in shown, (name, argument)


def test_the_page_about_the_bench_has_a_row_for_every_action():
    rows = re.findall(r"^\| `bench (\w+)", (DOCS / "bench.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(set(rows)) == sorted(ACTIONS)


# As the pages say it.


class Bench:
    """A bench in this process. Time passes only while somebody waits, so what is typed takes none."""

    def __init__(self, bench):
        self.hands = Hands(bench, about={"bench": "bench", "ports": {}, "links": {}})
        self.stimulator = EmulatedLink(bench, "stimulator")
        self.remote = EmulatedLink(bench, "remote")

    def do(self, name, /, **arguments):
        return self.hands.do(name, arguments)

    def services(self):
        from contextlib import nullcontext

        return Services(
            open_board=lambda board, radio=None: nullcontext(connect(self.stimulator)),
            open_remote=lambda port: nullcontext(connect_remote(self.remote)),
            find_bench=lambda name: self,
        )


def typed_in(page, heading):
    """The commands of a section's listings, with what follows each."""
    section = (DOCS / page).read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    listing = re.findall(r"^    (.*)$", section, re.MULTILINE)
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in listing if line.startswith("$ ")]


def alike(drawn, other):
    """Whether each light begins where one of the other does, give or take a column."""
    here, there = ([found.start() for found in re.finditer("#+", one)] for one in (drawn, other))
    inside = [at for at in here if 2 < at < len(drawn) - 2]
    return len(inside) > 3 and all(any(abs(at - its) <= 1 for its in there) for at in inside)


@pytest.mark.emulated
@pytest.mark.slow
@pytest.mark.usefixtures("images")
def test_pairing_by_radio_as_the_page_types_it(tmp_path, monkeypatch):
    monkeypatch.setenv("STIMBENCH_KEYS", str(tmp_path / "keys.json"))
    commands = typed_in("remote.md", "Pairing by radio on an emulated bench")
    assert commands[0][:3] == ["stimbench", "bench", "up"]
    with build_bench(seed=1) as built:
        bench = Bench(built)
        built.run_for(1_500_000_000)
        shown = []
        for words in commands[1:]:
            result = CliRunner().invoke(app, words[1:], obj=bench.services(), env={"COLUMNS": "120"})
            assert result.exit_code == 0, (words, result.output)
            shown.append((" ".join(words[1:3]), result.stdout))
        codes, paired = [text for words, text in shown if words == "bench lights"]
        drawn = dict(line.rsplit(maxsplit=1) for line in codes.splitlines() if re.search(r"  [#.]+$", line))
        here, there = drawn["stimulator LED"], drawn["remote amber"]
        assert alike(here, there) and alike(there, here)
        lights = dict(line.rsplit(maxsplit=1) for line in paired.splitlines() if re.search(r"  [#.]+$", line))
        assert lights["remote green"].count("#") >= 16, "paired: green for about a second"
        assert len(re.findall("a tone of", paired)) == 3, "and three rising beeps"
        assert "patient" in dict(shown)["pair --list"] and "active" in dict(shown)["pair --list"]
        assert "ramp up" in dict(shown)["status --board"], "START on the remote began a session"
