"""What a campaign's folder says in numbers, and the line that tells how far it is."""

import io
import json

import pytest
from rich.console import Console
from stimbench.campaign.errors import StoreError
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.jobs import make_job
from stimbench.campaign.pool import SerialPool
from stimbench.campaign.run import Progress, run
from stimbench.campaign.store import Store
from stimbench.campaign.tally import tally, write_results
from stimbench.cli.campaign_progress import CampaignProgress, in_words
from support.campaign_work import MODULE, jobs


@pytest.fixture
def mixed(tmp_path):
    """A campaign with two passes, two failures, an error and a case that is left, in two groups."""
    work = jobs(4, tmp_path / "begun", "odd_ones_fail", group="numbers")
    work.append(make_job(f"{MODULE}:nothing", {"name": "nothing", "group": "others"}, {}))
    left = make_job(f"{MODULE}:double", {"name": "left", "group": "others"}, {})
    store = Store(tmp_path / "results", "a campaign")

    def interrupt(progress):
        if progress.done + progress.errors == len(work):
            raise KeyboardInterrupt

    with SerialPool(Firmware()) as pool:
        run([*work, left], store, pool, interrupt)
    return store


def test_each_case_is_counted_as_what_it_is(mixed):
    found = tally(mixed)
    assert [(case.name, case.verdict) for case in found.cases] == [
        ("job 0", "PASS"), ("job 1", "FAIL"), ("job 2", "PASS"), ("job 3", "FAIL"),
        ("nothing", "ERROR"), ("left", "LEFT"),
    ]  # fmt: skip
    numbers, others = found.groups
    assert (numbers.name, numbers.cases, numbers.passed, numbers.failed, numbers.errors, numbers.left) == (
        "numbers", 4, 2, 2, 0, 0
    )  # fmt: skip
    assert (others.cases, others.passed, others.failed, others.errors, others.left) == (2, 0, 0, 1, 1)
    assert (found.whole.cases, found.whole.passed) == (6, 2) and not found.passed
    assert found.cases[1].told == "n is 1" and "and not a dict" in found.cases[4].told


def test_an_error_of_the_rig_is_no_failure_but_no_pass_either(tmp_path):
    store = Store(tmp_path / "results", "a campaign")
    with SerialPool(Firmware()) as pool:
        run([make_job(f"{MODULE}:nothing", {}, {})], store, pool)
    found = tally(store)
    assert found.whole.failed == 0 and found.whole.errors == 1 and not found.passed


def test_the_results_are_one_file(mixed):
    document = write_results(mixed, tally(mixed))
    kept = json.loads((mixed.folder / "results.json").read_text())
    assert kept == document
    assert kept["campaign"] == "a campaign" and kept["passed"] is False
    assert kept["all"]["cases"] == 6 and len(kept["cases"]) == 6
    write_results(mixed, tally(mixed))  # again, in its place
    assert json.loads((mixed.folder / "results.json").read_text()) == document


def test_a_folder_without_a_campaign_has_no_tally(tmp_path):
    with pytest.raises(StoreError, match=r"run\.json"):
        tally(Store(tmp_path, "a campaign"))


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(500, 120, 0, 2, 3.2, 118.7), "120/500 done, 3.2/s, 1 min 59 s left, 2 workers"),
        (Progress(500, 0, 0, 1, None, None), "0/500 done, 1 worker"),
        (Progress(9, 3, 1, 0, 0.25, 20.0), "3/9 done, 1 errors, 0.25/s, 20 s left, waiting for a worker"),
        (Progress(90_000, 1, 0, 9, 1.0, 89_999.0), "1/90000 done, 1/s, 24 h 59 min left, 9 workers"),
    ],
)
def test_progress_in_words(progress, words):
    assert in_words(progress) == words


def test_without_a_terminal_a_line_comes_every_half_minute():
    times = iter([0.0, 29.9, 30.0, 30.0, 59.0, 61.0, 61.0])
    told = io.StringIO()
    with CampaignProgress(Console(file=told, width=100), lambda: next(times)) as progress:
        for done in range(1, 5):
            progress(Progress(10, done, 0, 1, 1.0, 10.0 - done))
    assert [line.split()[0] for line in told.getvalue().splitlines()] == ["2/10", "4/10"]


def test_on_a_terminal_there_is_a_bar_with_the_words():
    told = io.StringIO()
    console = Console(file=told, force_terminal=True, width=100)
    with CampaignProgress(console) as progress:
        progress(Progress(10, 4, 0, 2, 1.0, 6.0))
    assert "4/10 done, 1/s, 6 s left, 2 workers" in told.getvalue()
