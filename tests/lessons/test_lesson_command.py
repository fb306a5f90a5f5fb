"""`stimbench lesson`: what it prints and writes, and what it does with bad input and Ctrl-C."""

import errno
import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from stimbench.cli.main import app
from stimbench.errors import EXIT_BAD_INPUT, EXIT_CHECK_FAILED
from stimbench.lessons.text import Command, Listing, Picture, Prose, blocks_of, text_folder
from stimbench.process import EXIT_INTERRUPTED
from typer.testing import CliRunner

OUT = Path("stimbench-lesson-1")
PATIENCE_S = 20


def lesson(*words):
    return CliRunner().invoke(app, ["lesson", *words])


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_without_a_number_it_lists_all_seven():
    result = lesson()
    assert result.exit_code == 0
    assert [line[:3] for line in result.stdout.splitlines()[:7]] == [f"{n}  " for n in range(1, 8)]
    assert "1  What a biphasic pulse is" in result.stdout
    listed = json.loads(lesson("--json").stdout)
    assert [each["lesson"] for each in listed] == [1, 2, 3, 4, 5, 6, 7]
    assert listed[6]["title"] == "Why a watchdog"


def test_a_lesson_shows_its_text_with_the_numbers_of_this_run(small_lesson):
    result = lesson("1")
    assert result.exit_code == 0
    parts = ("A small one", "volts = 2", "measured", "2 A x", "It was")
    places = [result.stdout.index(part) for part in parts]
    assert places == sorted(places)
    assert "It was 1.00 V." in result.stdout  # and not 9.99, as the text has it
    assert "It is 7.00 V." in result.stdout  # not measured yet
    assert "<!--" not in result.stdout
    assert "Enter" not in result.stdout  # nobody is at a terminal


def test_pictures_and_listings_are_written_and_the_place_is_named(small_lesson):
    result = lesson("1")
    assert f"Picture: {OUT / '1-line.svg'}" in result.stdout
    assert {path.name for path in OUT.iterdir()} == {"1-line.svg", "ohms_law.py"}
    assert (OUT / "1-line.svg").read_bytes().rstrip().endswith(b"</svg>")
    assert (OUT / "ohms_law.py").read_text().startswith("volts = 2")
    assert lesson("1", "--out", "there").exit_code == 0
    assert Path("there/1-line.svg").is_file()


def test_a_checkout_keeps_them_in_its_build_folder(small_lesson):
    Path("boards/STIMBENCH_STIMULATOR").mkdir(parents=True)
    lesson("1")
    assert Path("build/lessons/1/1-line.svg").is_file()


def test_a_listing_that_a_reader_has_changed_is_not_overwritten(small_lesson):
    OUT.mkdir()
    (OUT / "ohms_law.py").write_text("mine = 1\n")
    assert lesson("1").exit_code == 0
    assert (OUT / "ohms_law.py").read_text() == "mine = 1\n"


def test_json_is_one_document_with_every_number(small_lesson):
    result = lesson("1", "--json")
    document = json.loads(result.stdout)
    assert document == {
        "lesson": 1,
        "title": "A small one",
        "numbers": {
            "volts": {
                "label": "voltage", "value": 1.0, "unit": "V", "by_hand": 1.0, "within": 0.01, "holds": True
            }
        },
        "pictures": [str(OUT / "1-line.svg")],
        "holds": True,
    }  # fmt: skip


def test_a_number_that_is_not_as_by_hand_is_named_and_the_exit_code_is_1(small_lesson):
    change(small_lesson, "2 * 0.5", "2 * 0.6")
    result = lesson("1")
    assert result.exit_code == EXIT_CHECK_FAILED
    assert "Not as it should be: voltage." in result.stderr
    assert json.loads(lesson("1", "--json").stdout)["holds"] is False


def test_a_readers_own_listing_is_measured_and_drawn_and_not_judged(small_lesson):
    Path("ohms_law.py").write_text("volts = 3.0\nprint('mine')\n")
    result = lesson("1", "--try", "ohms_law.py")
    assert result.exit_code == 0
    assert "mine" in result.stdout and "3.00 V" in result.stdout
    assert (OUT / "1-line.svg").is_file()
    assert "A small one" not in result.stdout


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("other.py", "volts = 1.0", "other.py is named after no step of lesson 1: call it ohms_law.py."),
        ("ohms_law.py", "x = 1\nvolts = y", "ohms_law.py fails in line 2: NameError: name 'y'"),
        ("ohms_law.py", "x = 1\nvolts = (", "ohms_law.py fails in line 2: SyntaxError"),
        ("ohms_law.py", "amps = 1", "ohms_law.py leaves no 'volts': nothing can be measured"),
    ],
)
def test_a_readers_listing_that_fails_is_one_sentence(small_lesson, name, code, says):
    Path(name).write_text(code)
    result = lesson("1", "--try", name)
    assert result.exit_code == EXIT_BAD_INPUT
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert not OUT.exists()


def test_bad_input_is_one_sentence_and_nothing_is_written(small_lesson):
    for words, says in (
        (("8",), "There is no lesson 8. There are lessons 1 to 7."),
        (("0",), "There is no lesson 0."),
        (("1", "--try", "missing.py"), "missing.py is named after no step"),
        (("1", "--try", "no/ohms_law.py"), "no/ohms_law.py cannot be read: No such file or directory."),
        (("--try", "ohms_law.py"), "needs the lesson's number"),
    ):
        result = lesson(*words)
        assert result.exit_code == EXIT_BAD_INPUT, words
        assert says in " ".join(result.stderr.replace("│", " ").split())
    assert not list(Path().iterdir())


def test_a_folder_that_cannot_be_written_is_named(small_lesson):
    Path("file").write_text("")
    result = lesson("1", "--out", "file/below")
    assert result.exit_code == EXIT_BAD_INPUT
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("1-line.svg", "2-line.svg", "1-pulse.md shows 2-line.svg, and no step before it draws that."),
        ("step: ohms_law", "step: other", "is of a step 'other', which the lesson does not have."),
        ("volts = 2 * 0.5", "volts = 1 / 0", "a listing of 1-pulse.md fails in line 1: ZeroDivisionError"),
        ("# 1. A small one", "A small one", "begins with a title"),
    ],
)
def test_a_text_that_is_wrong_says_how(small_lesson, old, new, says):
    change(small_lesson, old, new)
    result = lesson("1", "--json")
    assert result.exit_code in (EXIT_CHECK_FAILED, EXIT_BAD_INPUT)
    assert says in result.stderr


def test_a_missing_text_or_image_is_one_sentence(small_lesson):
    fails = "from stimbench.errors import BenchError\nraise BenchError('no image')"
    change(small_lesson, "volts = 2 * 0.5", fails)
    result = lesson("1")
    assert result.exit_code == 4
    assert "The emulated bench cannot do this: no image." in result.stderr
    small_lesson.unlink()
    assert "The lesson's text cannot be read" in lesson("1").stderr


def test_ctrl_c_in_a_listing_ends_it_with_130_and_leaves_no_half_file(small_lesson):
    change(small_lesson, "volts = 2 * 0.5", "raise KeyboardInterrupt")
    result = lesson("1")
    assert result.exit_code == EXIT_INTERRUPTED
    assert "Interrupted." in result.stderr
    assert [path.name for path in OUT.iterdir()] == ["ohms_law.py"]


def test_a_command_of_the_text_is_run_and_its_failure_ends_the_lesson(small_lesson):
    change(small_lesson, "Before it.", "Before it.\n\n    stimbench program check missing.toml\n\nAfter.")
    result = lesson("1")
    assert "$ stimbench program check missing.toml" in result.stdout
    assert result.exit_code == EXIT_CHECK_FAILED
    assert "`stimbench program check missing.toml` ended with 2." in result.stderr


def test_a_picture_that_cannot_be_finished_leaves_the_one_before(small_lesson, monkeypatch):
    OUT.mkdir()
    (OUT / "1-line.svg").write_text("before")
    (OUT / "ohms_law.py").write_text("")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    result = lesson("1")
    assert result.exit_code == EXIT_BAD_INPUT
    assert f"{OUT / '1-line.svg'} cannot be written: No space left on device." in result.stderr
    assert (OUT / "1-line.svg").read_text() == "before"
    assert {path.name for path in OUT.iterdir()} == {"1-line.svg", "ohms_law.py"}


class Keyboard:
    """A terminal at which somebody gives these answers, one each time that he is asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def isatty(self):
        return True

    def flush(self):
        pass

    def readline(self):
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def at_keyboard(monkeypatch, small_lesson):
    def sit(*answers):
        keyboard = Keyboard(*answers)
        monkeypatch.setattr("stimbench.cli.lesson.sys", SimpleNamespace(stdin=keyboard, stdout=keyboard))
        return keyboard

    return sit


def test_at_a_terminal_nothing_runs_before_enter(at_keyboard):
    at_keyboard(KeyboardInterrupt())
    result = lesson("1")
    assert result.exit_code == EXIT_INTERRUPTED
    assert "Enter runs it." in result.stdout and "volts = 2" in result.stdout
    assert "measured" not in [line.strip() for line in result.stdout.splitlines()]
    assert [path.name for path in OUT.iterdir()] == ["ohms_law.py"]


def test_at_a_terminal_each_listing_waits_until_the_input_ends(at_keyboard, small_lesson):
    step = small_lesson.read_text("utf-8").split("```text")[0].partition("<!-- step")
    again = "".join(step[1:])
    small_lesson.write_text(step[0] + again + again + again, "utf-8")
    keyboard = at_keyboard("\n", "")
    assert lesson("1").exit_code == 0
    assert keyboard.asked == 2  # the end of the input answers the third listing, too
    keyboard = at_keyboard()
    assert lesson("1", "--no-wait").exit_code == 0
    assert keyboard.asked == 0


def read_until(handle, word):
    heard = b""
    while word not in heard:
        ready, _, _ = select.select([handle], [], [], PATIENCE_S)
        assert ready, heard
        heard += os.read(handle, 65_536)
    return heard


def test_at_a_terminal_it_waits_for_enter_and_ctrl_c_ends_it(tmp_path):
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "stimbench", "lesson", "1", "--out", str(tmp_path)]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        read_until(ours, b"Enter runs it.")
        os.write(ours, b"\n")
        assert b"428.9 nC" in read_until(ours, b"Enter runs it.")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == EXIT_INTERRUPTED
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert {path.name for path in tmp_path.iterdir()} == {"one_pulse.py", "1-pulse.svg", "three_charges.py"}


def test_a_text_is_cut_where_something_runs_or_is_shown():
    commands, code = "    stimbench a\n    stimbench b\n", "```python\nx\n```\n"
    text = f"# 1. T\n\nA\n\n{commands}\nB\n\n{code}\n![alt](p.svg)\n\n    other\n"
    kinds = [type(block) for block in blocks_of(text)]
    assert kinds == [Prose, Command, Command, Prose, Listing, Picture, Prose]
    assert blocks_of(text)[4] == Listing("x\n", "", "")


def test_an_installed_package_has_the_texts_beside_the_code(monkeypatch, tmp_path):
    (tmp_path / "texts").mkdir()
    monkeypatch.setattr("stimbench.lessons.text.__file__", str(tmp_path / "text.py"))
    assert text_folder() == tmp_path / "texts"


def test_the_texts_are_those_of_the_documentation():
    assert text_folder() == Path(__file__).resolve().parents[2] / "docs" / "tutorial"
