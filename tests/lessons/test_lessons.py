"""Each lesson runs whole on the emulated bench, and its text, numbers and pictures are true."""

import re
from pathlib import Path

import pytest
from stimbench.cli.main import app
from stimbench.lessons import eavesdropper
from stimbench.lessons.model import Drawing, Findings, Number, fingerprint_in
from stimbench.lessons.registry import LESSONS, find
from stimbench.lessons.run import Drawn, Found, Printed, run_lesson, run_listing
from stimbench.lessons.text import Command, Listing, marked, with_numbers
from stimbench.report.style import Chart
from typer.testing import CliRunner

pytestmark = pytest.mark.tools

# What the numbers must be, from the programme, Ohm's law, docs/hardware.md and docs/figures.md: (from, to).
BOUNDS = {
    1: {
        "cathodic_us": (214, 214),
        "gap_us": (50, 50),
        "anodic_us": (214, 214),
        "current_ua": (1980, 2020),  # 1 %
        "charge_nc": (423.7, 432.3),  # 2000 uA x 214 us, 1 %
        "net_nc": (-0.05, 0.05),
        "step_v": (1.018, 1.058),  # 2000 uA x (500 + 19) ohm, 2 %
        "slope_v": (0.169, 0.174),  # 2 x 428 nC / 5 uF
        "worst_us": (0, 0.008),  # one clock
        "charge0_nc": (396, 404),
        "charge1_nc": (792, 808),
        "charge2_nc": (792, 808),
    },
    2: {
        "balanced_na": (0, 25),
        "recharged_na": (0, 25),
        "no_way_na": (8474, 8646),  # 428 nC x 20 Hz, 1 %
        "balanced_v": (0, 0.005),
        "recharged_v": (0, 0.02),
        "no_way_v": (1.5, 1.72),  # at most 8.56 uA x 200 kohm, and nearly there after four time constants
        "times": (339, 346),
    },
    3: {
        "step500_v": (1.018, 1.058),
        "step1000_v": (2.0, 2.08),
        "step2000_v": (3.96, 4.12),
        "ohm500": (509, 529),
        "ohm1000": (999, 1039),
        "ohm2000": (1979, 2059),
        "uf500": (2.45, 2.55),
        "uf1000": (2.45, 2.55),
        "uf2000": (2.45, 2.55),
        "pairs": (12, 12),
        "healthy_ohm": (490, 510),  # 2 %
        "dry_ohm": (2205, 2295),
    },
    4: {
        "rate_hz": (19.99, 20.01),
        "pulses": (279, 281),  # 14 s at 20 Hz
        "step_ua": (45, 55),  # 2000 uA in 40 pulses
        "hold_ua": (1980, 2020),
        "hold_s": (9.9, 10.1),
        "rest_s": (20.0, 20.15),
        "lag_ms": (24.99, 25.01),
        "overlaps": (0, 0),
    },
    5: {
        "healthy_ua": (1940, 2060),
        "healthy_v": (1.02, 1.14),
        "open_ua": (-60, 60),
        "open_v": (14.8, 15.2),
        "short_ua": (1940, 2060),
        "short_v": (-0.05, 0.06),
        "lost": (4, 16),  # open for half of the time
        "loose_pulses": (19, 21),
        "holds": (4, 4),
        "open_pairs": (6, 6),
        "short_pairs": (2, 2),
    },
    6: {
        "frames": (6, 6),
        "start_bytes": (32, 32),
        "stop_bytes": (32, 32),
        "air_us": (320, 320),  # 40 bytes at 1 Mbit/s
        "copies": (3, 3),
        "open_bytes": (5, 5),
        "sealed_bytes": (27, 27),
        "same_bytes": (0, 2),
        "same_token": (0, 2),
        "sent_again": (3, 3),
        "executed": (0, 0),
        "refused": (1, 1),
    },
    7: {
        "gate_ms": (119.9, 120.1),
        "off_ms": (0.1, 150),
        "current_ms": (0.1, 150),
        "ghosts": (80, 100),  # 50 Hz, from 0.1 s to 2 s
        "reset_s": (1.9, 2.1),
        "magnet_ms": (0, 0.001),
        "magnet_ghosts": (24, 26),  # 50 Hz for half a second
    },
}
LONGEST_CODE = 79
"""Longer lines of a listing wrap in a terminal of 80 columns."""

SETTINGS = {
    1: {"2000 uA", "214 us", "50 us"},
    2: {"20 times", "40 pulses", "4.7 uF", "5 uF", "25 nA", "100 kohm"},
    3: {"2000 ohm", "250 ohm", "50 ohm", "19 ohm", "5 uF", "100 kohm", "214 us"},
    4: {"2 s", "10 s", "20 s", "35 s", "2000 uA", "20 Hz"},
    5: {"10 uA", "80 pulses"},
    6: set(),
    7: {"120 ms"},
}
"""Numbers of a text that nobody measures: settings, parts, limits and what others have written."""

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "tutorial"
UNITS = "nC|uC|uA|mA|nA|uV|mV|V|ns|us|ms|s|Hz|kohm|ohm|uF|%|pulses|times|bytes|frames"
NUMBER = re.compile(rf"(?<![\w.])\d+(?:\.\d+)? (?:{UNITS})(?!\w)")
NOT_PROSE = re.compile(r"^```.*?^```|`[^`\n]*`|\]\([^)]*\)|-?\d[\d.]*<!-- \w+ -->", re.MULTILINE | re.DOTALL)
"""Listings, code, where links lead to, and marked numbers."""


def unmarked(text: str) -> set[str]:
    """Numbers with a unit that no run measures."""
    return set(NUMBER.findall(" ".join(NOT_PROSE.sub(" ", text).split())))


def listing(number: int, step: str) -> Listing:
    blocks = find(number).blocks
    return next(each for each in blocks if isinstance(each, Listing) and each.step == step)


def run_changed(number: int, step: str, **changes: str) -> Findings:
    """The step of a listing in which `old` is `new`: what a board that does otherwise would give."""
    code = listing(number, step).code
    assert changes["old"] in code
    _, findings = run_listing(find(number), Listing(code.replace(changes["old"], changes["new"]), "", step))
    return findings


def failed(findings: Findings) -> set[str]:
    return {name for name, number in findings.numbers.items() if not number.holds}


def wrong_numbers(number: int, numbers: dict[str, Number]) -> dict[str, float]:
    """Those that are out of their bounds, or do not hold by their own judgement."""
    bounds = BOUNDS[number]
    assert set(numbers) == set(bounds)
    wrong = {name: each.value for name, each in numbers.items() if not each.holds}
    return wrong | {
        name: each.value
        for name, each in numbers.items()
        if not bounds[name][0] <= each.value <= bounds[name][1]
    }


def stale_numbers(text: str, numbers: dict[str, Number]) -> list[str]:
    """Marked numbers of a text that are not what a run gives."""
    return [
        f"{name}: the text has {written}, the run {numbers[name].text if name in numbers else 'nothing'}"
        for name, written in marked(text)
        if name not in numbers or numbers[name].text != written
    ]


@pytest.mark.emulated
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: f"lesson {lesson.number}")
def test_a_lesson_runs_and_all_that_its_text_says_is_so(lesson):
    numbers, pictures = {}, set()
    for event in run_lesson(lesson):
        if isinstance(event, Printed):
            assert event.text == event.says
        elif isinstance(event, Found):
            numbers |= event.numbers
        elif isinstance(event, Command):
            assert CliRunner().invoke(app, event.line.split()[1:]).exit_code == 0
        elif isinstance(event, Drawn):
            assert event.alt
            in_docs = fingerprint_in((FOLDER / event.drawing.file).read_text(encoding="utf-8"))
            assert in_docs == event.drawing.fingerprint, "docs/pictures/tutorial.py draws it again"
            assert event.drawing.svg().startswith(b"<?xml")
            pictures.add(event.drawing.file)
    assert not wrong_numbers(lesson.number, numbers)
    assert marked(lesson.text)
    assert not stale_numbers(lesson.text, numbers)
    assert pictures == {path.name for path in FOLDER.glob(f"{lesson.number}-*.svg")} != set()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: f"lesson {lesson.number}")
def test_a_text_has_no_number_that_a_run_could_contradict_unseen(lesson):
    assert unmarked(lesson.text) == SETTINGS[lesson.number]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: f"lesson {lesson.number}")
def test_a_lesson_has_its_parts_and_listings_fit_a_terminal(lesson):
    text = lesson.text
    assert text.startswith(f"# {lesson.number}. ")
    for part in ("## In the field", "## Think about it", "## Change it"):
        assert text.count(part) == 1
    listings = [block for block in lesson.blocks if isinstance(block, Listing)]
    assert {each.step for each in listings} == set(lesson.steps)
    assert all(each.says for each in listings)
    lines = [line for each in listings for line in (each.code + each.says).splitlines()]
    assert max(map(len, lines)) <= LONGEST_CODE


def test_there_are_seven_lessons_and_the_index_has_them_all():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d)\. (.+?)\]\((.+?)\)", index, re.MULTILINE)
    assert rows == [(str(each.number), each.title, each.file) for each in LESSONS]
    assert len(rows) == 7


# Faults of the board that a lesson must notice.


@pytest.mark.emulated
def test_a_width_that_is_1_us_off_fails_lesson_1():
    # The board is given another width after the lesson has read the programme.
    findings = run_changed(
        1,
        "one_pulse",
        old="stimulator.start()",
        new='stimulator.set_program(program.replaced({"width_us": 215})); stimulator.start()',
    )
    assert {"cathodic_us", "anodic_us", "worst_us"} <= failed(findings)


@pytest.mark.emulated
def test_an_amplitude_that_is_2_percent_off_fails_lesson_1():
    findings = run_changed(
        1, "one_pulse", old="stimulator.start()", new="stimulator.amplitude(2050, 2000); stimulator.start()"
    )
    assert {"current_ua", "charge_nc"} <= failed(findings)
    assert "cathodic_us" not in failed(findings)


@pytest.mark.emulated
def test_a_gate_that_stays_open_twice_as_long_fails_lesson_7():
    findings = run_changed(
        7,
        "hung",
        old="    hung_ns = bench.now_ns",
        new="    board.parts.gate.tolerance(120.0, 1.0)  # behind the self-test, which would find it\n"
        "    bench.run_for(100_000_000)\n    hung_ns = bench.now_ns",
    )
    assert {"gate_ms", "off_ms"} <= failed(findings)


@pytest.mark.emulated
def test_a_magnet_that_needs_software_fails_lesson_7():
    findings = run_changed(
        7,
        "magnet",
        old="bench.magnet(True)",
        new='bench.board("stimulator").parts.gate.cut_clr(); bench.magnet(True)',
    )
    assert failed(findings) == {"magnet_ms"}


@pytest.mark.emulated
def test_a_lead_that_leaks_its_charge_fails_lesson_2():
    findings = run_changed(
        2, "three_ways", old='"both phases": run(())', new='"both phases": run((239, 49_994))'
    )
    assert {"balanced_na", "balanced_v"} <= failed(findings)


def test_a_replay_that_is_executed_fails_lesson_6():
    before, after = {"radio_replayed": 0}, {"radio_replayed": 1}
    assert not failed(eavesdropper.replayed(before, after, ["ready", "ready", "ready"], 3))
    assert failed(eavesdropper.replayed(before, after, ["ready", "hold", "ready"], 3)) == {"executed"}
    assert failed(eavesdropper.replayed(before, before, ["ready"] * 3, 3)) == {"refused"}


def test_numbers_of_a_run_are_written_into_a_text_where_they_are_marked():
    text = "12<!-- lost --> of 20<!-- all --> at -1.5<!-- v --> V, not 12"
    renewed = "13<!-- lost --> of 20<!-- all --> at 0.2<!-- v --> V, not 12"
    assert with_numbers(text, {"lost": "13", "v": "0.2", "other": "7"}) == renewed


def test_a_text_that_differs_from_the_run_is_noticed():
    numbers = {"step_v": Number("step", 1.213, "V", 2)}
    assert stale_numbers("It is 1.21<!-- step_v --> V.", numbers) == []
    assert stale_numbers("It is 0.9<!-- step_v --> V.", numbers) == ["step_v: the text has 0.9, the run 1.21"]
    assert stale_numbers("0.9<!-- other --> V", numbers) == ["other: the text has 0.9, the run nothing"]
    assert unmarked("It is 1.21<!-- step_v --> V, not 0.9 V, in `7 V`\n```text\n8 V\n```\n") == {"0.9 V"}


def test_a_fingerprint_is_of_the_data_and_not_of_the_last_digits():
    chart = Chart("", "", "", (100, 100), lambda drawn, layout: None)
    of = [Drawing("a.svg", chart, {"volts": values}).fingerprint for values in ([1.0], [1.0 + 1e-9], [1.01])]
    assert of[0] == of[1] != of[2]
    assert fingerprint_in(Drawing("a.svg", chart, {"volts": [1.0]}).svg().decode()) == of[0]
    assert fingerprint_in("<svg/>") == ""
