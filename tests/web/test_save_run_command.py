"""`stimbench save-run`: what it writes, refuses and leaves behind, and its exit codes."""

import json

import pytest
from stimbench.cli.main import app
from stimbench.errors import EXIT_BAD_INPUT, EXIT_NO_BOARD, BenchError
from stimbench.web import kept, repeat
from stimbench.web.kept import Kept
from stimbench.web.run_file import Run, RunConfig, to_link
from support.saved_runs import about_of, noisy_record, saved_of
from typer.testing import CliRunner

INTERRUPTED = 130
RUN = Run(config=RunConfig(seed=7), until_ns=40_000_000_000)


@pytest.fixture
def repeating(monkeypatch):
    """Repeats no run, but says so; `begun` has those that were asked for, `brings` what comes of it."""
    begun, brings = [], []

    def repeated(run, on_progress):
        begun.append(run)
        on_progress(run.until_ns // 2)
        if brings:
            raise brings[0]
        return saved_of(noisy_record(1, points=500, pulses=20), run)

    monkeypatch.setattr(repeat, "repeated_run", repeated)
    return begun, brings


def save_run(*words):
    return CliRunner().invoke(app, ["save-run", *map(str, words)], env={"COLUMNS": "200"})


def test_the_run_of_a_link_becomes_a_file(repeating, tmp_path):
    path = tmp_path / "run.html"
    result = save_run(f"http://127.0.0.1:8137/#run={to_link(RUN)}", "--out", path)
    assert result.exit_code == 0, result.stderr
    assert repeating[0] == [RUN]
    assert about_of(path.read_bytes())["config"]["seed"] == 7
    assert result.stdout.startswith(f"{path}: 40.0 s, 40 pulses, ")
    assert "Repeating the run" in result.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["run.html"]


def test_one_json_document(repeating, tmp_path):
    path = tmp_path / "run.html"
    told = json.loads(save_run(to_link(RUN), "--out", path, "--json").stdout)
    assert told == {
        "file": str(path), "bytes": path.stat().st_size, "seconds": 40.0, "pulses": {"left": 20, "right": 20},
        "actions": 0,
    }  # fmt: skip


def test_a_file_that_is_there_is_replaced_only_if_it_is_said(repeating, tmp_path):
    path = tmp_path / "run.html"
    path.write_text("mine")
    result = save_run(to_link(RUN), "--out", path)
    assert result.exit_code == EXIT_BAD_INPUT
    assert "--force" in result.stderr
    assert (path.read_text(), repeating[0]) == ("mine", [])
    assert save_run(to_link(RUN), "--out", path, "--force").exit_code == 0
    assert about_of(path.read_bytes())


@pytest.mark.parametrize(
    ("raised", "code"), [(KeyboardInterrupt(), INTERRUPTED), (BenchError("no firmware"), EXIT_NO_BOARD)]
)
def test_what_is_cut_off_leaves_no_file(repeating, tmp_path, raised, code):
    repeating[1].append(raised)
    path = tmp_path / "run.html"
    path.write_text("mine")
    assert save_run(to_link(RUN), "--out", path, "--force").exit_code == code
    assert [one.name for one in tmp_path.iterdir()] == ["run.html"]
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_known_before_the_work(repeating, tmp_path):
    result = save_run(to_link(RUN), "--out", tmp_path / "none" / "run.html")
    assert result.exit_code == EXIT_BAD_INPUT
    assert "run.html cannot be written: No such file or directory." in result.stderr
    assert repeating[0] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Give a link to a run, or --again"),
        (["x", "--again"], "Give a link to a run, or --again"),
        (["no link"], "This is no link to a run"),
        ([to_link(Run())], "There is nothing in this run"),
    ],
)
def test_what_cannot_be_saved_is_refused(repeating, tmp_path, words, told):
    result = save_run(*words, "--out", tmp_path / "run.html")
    assert result.exit_code == EXIT_BAD_INPUT
    assert told in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_again_saves_the_run_of_the_last_server(repeating, tmp_path, monkeypatch):
    left = Kept(port=8137, cookie="c" * 40, run=RUN)
    monkeypatch.setattr(kept, "latest", lambda port: left)
    assert save_run("--again", "--out", tmp_path / "run.html").exit_code == 0
    assert repeating[0] == [RUN]
