"""The folder of results: nothing is counted twice, nothing is lost, and what is wrong with it is named."""

import errno
import json
import os
import subprocess
import sys

import pytest
from stimbench.campaign import files, store
from stimbench.campaign.errors import StoreError
from stimbench.campaign.pool import Finished
from stimbench.campaign.store import Store
from support.campaign_work import jobs

HASHES = {"stimulator": "12" * 32}


@pytest.fixture
def three(tmp_path):
    return jobs(3, tmp_path / "begun")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results"


def filled(folder, three, count=2):
    """A folder with the results of the first jobs."""
    kept = Store(folder, "a campaign")
    with kept.opened(three, HASHES):
        for job in three[:count]:
            assert kept.put(Finished(job, {"n": job.payload["n"]}, seconds=1.5, worker="host:1"))
    return kept


def test_what_was_put_is_there_afterwards(folder, three):
    filled(folder, three)
    again = Store(folder, "a campaign")
    with again.opened(three, HASHES):
        assert [again.has(job.key) for job in three] == [True, True, False]
    records = again.records()
    assert [record.result for record in records.values()] == [{"n": 0}, {"n": 1}]
    assert records[three[0].key].seconds == 1.5 and records[three[0].key].worker == "host:1"
    plan = json.loads((folder / "run.json").read_text())
    assert [job["key"] for job in plan["jobs"]] == [job.key for job in three]
    assert plan["firmware"] == HASHES


def test_the_first_result_stays(folder, three):
    kept = filled(folder, three, 1)
    with kept.opened(three, HASHES):
        assert kept.put(Finished(three[0], {"n": "another"})) is False
        assert kept.count == 1
    assert kept.records()[three[0].key].result == {"n": 0}


def test_an_error_stands_until_there_is_a_result(folder, three):
    kept = Store(folder, "a campaign")
    with kept.opened(three, HASHES):
        for text in ("first", "second"):
            kept.put(Finished(three[0], None, text, "Traceback ..."))
            assert kept.records()[three[0].key].error == text
        assert not kept.has(three[0].key)
        kept.put(Finished(three[0], {"n": 0}))
    assert kept.records()[three[0].key].error == ""
    assert not list((folder / "errors").iterdir())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1, "key": "another", "result": {}}', '{"format": 2}', "\xff\xfe"]
)
def test_a_broken_file_is_named_and_its_job_done_again(folder, three, text):
    filled(folder, three)
    broken = folder / "cases" / f"{three[0].key}.json"
    broken.write_bytes(text.encode("latin-1"))
    again = Store(folder, "a campaign")
    with again.opened(three, HASHES):
        assert again.aside == (f"cases/{three[0].key}.json",)
        assert not again.has(three[0].key) and again.has(three[1].key)
        assert again.put(Finished(three[0], {"n": 0})) is True
    assert again.records()[three[0].key].result == {"n": 0}


def test_a_foreign_file_is_named_and_left(folder, three):
    filled(folder, three)
    foreign = folder / "cases" / f"{'ab' * 16}.json"
    foreign.write_text("{}")
    again = Store(folder, "a campaign")
    with again.opened(three, HASHES):
        assert again.aside == (f"cases/{foreign.name}",) and again.count == 2
    assert foreign.read_text() == "{}"


def test_what_a_killed_process_left_unfinished_is_removed(folder, three):
    filled(folder, three)
    (folder / "cases" / ".unfinished-abc").write_text("{")
    again = Store(folder, "a campaign")
    with again.opened(three, HASHES):
        assert not again.aside
    assert not list((folder / "cases").glob(".*"))


def other(folder, three, campaign="a campaign", hashes=HASHES):
    with Store(folder, campaign).opened(three, hashes):
        pass


def test_a_folder_of_another_campaign_is_refused_with_the_reason(folder, three, tmp_path, monkeypatch):
    filled(folder, three)
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(StoreError, match=r"it is of the campaign 'a campaign', and not of 'b'. Name another"):
        other(folder, three, campaign="b")
    with pytest.raises(
        StoreError, match=r"another firmware of the stimulator .121212121212, and now 343434343434."
    ):
        other(folder, three, hashes={"stimulator": "34" * 32})
    with pytest.raises(StoreError, match=r"another firmware of the remote .none, and now "):
        other(folder, three, hashes=HASHES | {"remote": "34" * 32})
    with pytest.raises(StoreError, match="of other cases: 1 of its 3 are not among these 2"):
        other(folder, three[:2])
    (folder / "run.json").write_text(
        (folder / "run.json").read_text().replace('"stimbench": "', '"stimbench": "x')
    )
    with pytest.raises(StoreError, match="it is of stimbench x"):
        other(folder, three)
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_a_folder_with_other_things_is_refused(folder, three):
    folder.mkdir()
    (folder / "thesis.txt").touch()
    with pytest.raises(StoreError, match=r"holds other files, thesis\.txt say"):
        other(folder, three)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_list_of_jobs_that_cannot_be_read_is_refused_and_its_results_count_without_it(folder, three):
    filled(folder, three)
    for text in ("{", '{"format": 7}', '{"format": 1, "jobs": [{}]}'):
        (folder / "run.json").write_text(text)
        with pytest.raises(StoreError, match=r"run\.json cannot be read: .* Remove it"):
            other(folder, three)
    (folder / "run.json").unlink()
    again = Store(folder, "a campaign")
    with again.opened(three, HASHES):
        assert again.count == 2


def test_a_file_in_place_of_the_folder_is_one_clear_error(folder, three):
    folder.write_text("")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        other(folder, three)


HOLDER = """
import sys
from pathlib import Path
from stimbench.campaign.store import Store
with Store(Path(sys.argv[1]), "a campaign").opened([], {}):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_two_processes_never_have_one_folder(folder, three):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match=f"is in use by process {holder.pid}"):
            other(folder, [], hashes={})
        holder.kill()
    other(folder, [], hashes={})  # a killed one holds nothing


@pytest.mark.parametrize("where", ["fsync", "link"])
def test_a_full_disk_is_one_clear_error_and_what_was_done_stays(folder, three, monkeypatch, where):
    kept = filled(folder, three)
    real = getattr(os, where)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results")

    with kept.opened(three, HASHES):
        monkeypatch.setattr(files.os, where, full)
        with pytest.raises(
            StoreError, match=r"No space left on device\. What was done stays \(2 of 3 results\)"
        ):
            kept.put(Finished(three[2], {"n": 2}))
        monkeypatch.setattr(files.os, where, real)
        assert not kept.has(three[2].key)
        assert sorted(path.stem for path in (folder / "cases").iterdir()) == sorted(
            job.key for job in three[:2]
        )
        assert kept.put(Finished(three[2], {"n": 2})) is True


def test_a_disk_without_links_keeps_the_first_result_too(folder, three, monkeypatch):
    def no_links(*args, **kwargs):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", no_links)
    kept = filled(folder, three, 1)
    with kept.opened(three, HASHES):
        assert kept.put(Finished(three[0], {"n": "another"})) is False
    assert kept.records()[three[0].key].result == {"n": 0}
    assert len(list((folder / "cases").iterdir())) == 1


def test_a_result_is_on_the_disk_before_it_has_its_name(folder, three, monkeypatch):
    done = []
    for name in ("fsync", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(
            files.os, name, lambda *args, name=name, real=real, **kw: done.append(name) or real(*args, **kw)
        )
    files.create_file(folder.parent / "one.json", "{}")
    assert done == ["fsync", "link", "fsync"]


def test_reading_a_folder_without_a_campaign_says_so(folder):
    with pytest.raises(StoreError, match=r"run\.json: No such file or directory"):
        store.Store(folder, "a campaign").records()
