"""A run in this process: everything once, resumed after whatever ended it, and counted."""

import errno
import os

import pytest
from stimbench.campaign import files
from stimbench.campaign.errors import PoolError, StoreError
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.jobs import make_job
from stimbench.campaign.pool import Finished, SerialPool
from stimbench.campaign.run import Summary, run
from stimbench.campaign.store import Store
from stimbench.errors import InputError
from support.campaign_work import MODULE, ScriptedPool, begun_counts, image, jobs


@pytest.fixture
def begun(tmp_path):
    return tmp_path / "begun"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results", "a campaign")


@pytest.fixture
def pool():
    with SerialPool(Firmware()) as serial:
        yield serial


def stop_at(done):
    """Ctrl-C when so many are done."""

    def told(progress):
        if progress.done == done:
            raise KeyboardInterrupt

    return told


def test_every_job_is_done_once(begun, store, pool, capsys):
    assert run(jobs(5, begun), store, pool) == Summary(done=5)
    assert begun_counts(begun) == dict.fromkeys(range(5), 1)
    assert [record.result["twice"] for record in store.records().values()] == [0, 2, 4, 6, 8]
    assert capsys.readouterr().out == ""


def test_the_longest_are_begun_first_and_results_keep_their_order(begun, store):
    pool, work = ScriptedPool(slots=1), jobs(4, begun)
    order = []
    submit = pool.submit
    pool.submit = lambda job: (order.append(job.key), submit(job))
    weights = dict(zip((job.key for job in work), (1.0, 3.0, 1.0, 2.0), strict=True))
    run(work, store, pool, weight=lambda job: weights[job.key])
    assert order == [work[index].key for index in (1, 3, 0, 2)]
    assert list(store.records()) == [job.key for job in work]


def test_a_second_run_does_nothing(begun, store, pool):
    run(jobs(5, begun), store, pool)
    assert run(jobs(5, begun), store, pool) == Summary(skipped=5)
    assert begun_counts(begun) == dict.fromkeys(range(5), 1)


def test_after_ctrl_c_no_job_with_a_result_is_repeated(begun, store, pool):
    first = run(jobs(6, begun), store, pool, stop_at(2))
    assert first == Summary(done=2, interrupted=True, left=4)
    assert run(jobs(6, begun), store, pool) == Summary(done=4, skipped=2)
    assert begun_counts(begun) == dict.fromkeys(range(6), 1)


def test_ctrl_c_gives_what_runs_a_last_chance(begun, store):
    pool = ScriptedPool(slots=2)
    summary = run(jobs(6, begun), store, pool, stop_at(2))
    assert pool.drained and summary == Summary(done=4, interrupted=True, left=2)


def test_an_exception_is_an_error_of_that_job_alone(begun, store, pool):
    bad = jobs(1, begun, "fails")
    summary = run(jobs(2, begun) + bad, store, pool)
    assert summary == Summary(done=2, errors=1, left=1)
    record = store.records()[bad[0].key]
    assert record.error == "ZeroDivisionError: no such number" and record.result is None
    assert 'raise ZeroDivisionError("no such number")' in record.traceback
    assert run(jobs(2, begun) + bad, store, pool) == Summary(skipped=2, errors=1, left=1)
    assert begun_counts(begun) == {0: 3, 1: 1}  # job 0 of both kinds: only the one that failed ran again


@pytest.mark.parametrize(
    ("work", "error"), [("no_json", "Out of range float"), ("nothing", "and not a dict")]
)
def test_a_result_that_cannot_be_kept_is_an_error(begun, store, pool, work, error):
    (job,) = jobs(1, begun, work)
    assert run([job], store, pool).errors == 1
    assert error in store.records()[job.key].error


def test_a_result_that_comes_twice_is_dropped_and_counted(begun, store):
    def twice(job):
        return [Finished(job, {"n": "first"}), Finished(job, {"n": "second"})]

    assert run(jobs(3, begun), store, ScriptedPool(twice)) == Summary(done=3, duplicates=3)
    assert {record.result["n"] for record in store.records().values()} == {"first"}


def test_no_more_jobs_are_at_hand_than_there_are_places(begun, store):
    pool = ScriptedPool(slots=2)
    run(jobs(9, begun), store, pool)
    assert pool.most_at_hand == 2 and len(pool.submitted) == 9


def test_progress_has_rate_and_time_left(begun, store):
    times = iter([100.0, 100.0, 102.0, 104.0, 106.0, 108.0])  # begin, nothing done yet, then a job each 2 s
    told = []
    summary = run(jobs(4, begun), store, ScriptedPool(slots=1), told.append, lambda: next(times))
    assert summary.done == 4
    assert [(each.done, each.rate_per_s, each.left_s) for each in told] == [
        (0, None, None), (1, 0.5, 6.0), (2, 0.5, 4.0), (3, 0.5, 2.0), (4, 0.5, 0.0)
    ]  # fmt: skip
    assert {(each.total, each.workers, each.errors) for each in told} == {(4, 1, 0)}


def test_what_an_earlier_run_did_does_not_make_this_one_faster(begun, store):
    run(jobs(4, begun), store, ScriptedPool(slots=1), stop_at(1))
    left = sum(not store.has(job.key) for job in jobs(4, begun))
    times = iter([0.0, 0.0, *(10.0 * n for n in range(1, left + 1))])
    told = []
    run(jobs(4, begun), store, ScriptedPool(slots=1), told.append, lambda: next(times))
    assert told[1].rate_per_s == pytest.approx(0.1) and told[1].left_s == pytest.approx(10.0 * (left - 1))


def test_a_full_disk_ends_the_run_and_the_same_command_goes_on(begun, store, pool, monkeypatch):
    real, calls = os.fsync, []

    def full_after_some(handle):
        calls.append(handle)
        if len(calls) > 7:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results")
        return real(handle)

    monkeypatch.setattr(files.os, "fsync", full_after_some)
    with pytest.raises(StoreError, match="No space left on device"):
        run(jobs(6, begun), store, pool)
    monkeypatch.setattr(files.os, "fsync", real)
    had = len(list((store.folder / "cases").iterdir()))
    assert 0 < had < 6
    assert run(jobs(6, begun), store, pool) == Summary(done=6 - had, skipped=had)
    repeated = [n for n, count in begun_counts(begun).items() if count > 1]
    assert len(repeated) <= 1  # the one whose result found no room


def test_a_pool_that_has_gone_is_told_and_what_was_done_stays(begun, store):
    class Going(ScriptedPool):
        def next(self, timeout_s):
            if len(self.submitted) > 3:
                raise PoolError("The Dask scheduler has gone.")
            return super().next(timeout_s)

    with pytest.raises(PoolError, match="has gone"):
        run(jobs(6, begun), store, Going(slots=1))
    assert store.count == 3 and len(store.records()) == 3


def test_what_cannot_be_done_at_all_is_refused_before_anything_is_written(begun, store, pool):
    with pytest.raises(InputError, match="There is no module"):
        run([make_job("no_such_package:work", {}, {})], store, pool)
    with pytest.raises(InputError, match="are the same"):
        run(jobs(1, begun) * 2, store, pool)
    assert not store.folder.exists()


def test_the_work_gets_the_firmware_by_its_hash(tmp_path, store):
    firmware = image(tmp_path)
    (tmp_path / "image.uf2").write_bytes(b"built anew meanwhile")
    with SerialPool(firmware) as pool:
        job = make_job(f"{MODULE}:tells_firmware", {}, firmware.hashes)
        run([job], store, pool)
    assert store.records()[job.key].result == {"stimulator": [firmware.hashes["stimulator"], 9000]}


def test_a_firmware_file_that_was_changed_is_refused(tmp_path, store):
    firmware = image(tmp_path)
    spoils = make_job(f"{MODULE}:spoils_firmware", {}, firmware.hashes)
    tells = make_job(f"{MODULE}:tells_firmware", {}, firmware.hashes)
    with SerialPool(firmware) as pool:
        run([spoils, tells], store, pool)
    assert "has other bytes here" in store.records()[tells.key].error
