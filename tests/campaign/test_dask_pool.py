"""Jobs on real worker processes of this machine: killed, added, interrupted, refused."""

import builtins
import os
import signal

import psutil
import pytest
from stimbench.campaign import dask_pool
from stimbench.campaign.dask_pool import DaskPool
from stimbench.campaign.errors import LibraryError, PoolError
from stimbench.campaign.firmware import Firmware, put_firmware
from stimbench.campaign.jobs import make_job
from stimbench.campaign.local_cluster import LocalWorkers
from stimbench.campaign.pool import SerialPool
from stimbench.campaign.pools import open_pool
from stimbench.campaign.run import Summary, run
from stimbench.campaign.store import Store
from stimbench.errors import InputError
from support.campaign_work import GONE, IMAGE, MODULE, begun_counts, image, jobs

pytestmark = pytest.mark.tools

LOOPBACK = "127.0.0.1"
AT_ONCE_S = 0.0


def workers():
    """Pids of the worker processes of this process. Python's own helper for shared memory is none."""
    found = psutil.Process().children(recursive=True)
    return {one.pid for one in found if "resource_tracker" not in " ".join(one.cmdline())}


@pytest.fixture
def no_worker_stays():
    """What a test starts has ended with it."""
    before = workers()
    yield
    assert workers() <= before


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    return image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def pool(firmware):
    with DaskPool(firmware, workers=2) as two:
        pids = two.pids
        yield two
    assert len(pids) == 2 and not workers() & set(pids)


@pytest.fixture
def begun(tmp_path):
    return tmp_path / "begun"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results", "a campaign")


def test_jobs_run_in_other_processes_two_at_a_time(pool, begun, store, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert run(jobs(2, begun, "meets", fifo=str(fifo)), store, pool) == Summary(done=2)
    pids = {record.result["pid"] for record in store.records().values()}
    assert len(pids) == 2 and os.getpid() not in pids and pids == set(pool.pids)


def test_everything_listens_on_this_machine_alone(pool):
    places = [
        place.laddr.ip
        for process in (psutil.Process(), *map(psutil.Process, workers()))
        for place in process.net_connections()
        if place.status == psutil.CONN_LISTEN
    ]
    assert len(places) >= 3 and set(places) == {LOOPBACK}


def test_workers_print_nothing_and_never_get_ctrl_c(pool, begun, store, capfd):
    for pid in pool.pids:
        os.kill(pid, signal.SIGINT)
    before = set(pool.pids)
    assert run(jobs(6, begun), store, pool) == Summary(done=6)
    assert set(pool.pids) == before
    assert capfd.readouterr() == ("", "")


def test_the_firmware_is_where_the_work_is(pool, firmware, store):
    job = make_job(f"{MODULE}:tells_firmware", {}, firmware.hashes)
    run([job], store, pool)
    assert store.records()[job.key].result == {"stimulator": [firmware.hashes["stimulator"], len(IMAGE)]}


def test_an_exception_comes_with_its_traceback(pool, begun, store):
    (job,) = jobs(1, begun, "fails")
    assert run([job], store, pool) == Summary(errors=1, left=1)
    record = store.records()[job.key]
    assert record.error == "ZeroDivisionError: no such number"
    assert "campaign_work.py" in record.traceback


def test_a_killed_worker_is_replaced_and_its_job_run_again(pool, begun, store, capfd):
    assert run(jobs(8, begun, "kills_once"), store, pool) == Summary(done=8)
    assert begun_counts(begun) == dict.fromkeys(range(8), 1) | {2: 2}
    assert capfd.readouterr() == ("", "")


def test_a_job_that_kills_every_worker_is_given_up_and_nothing_else_is_blamed(pool, begun, store):
    assert run(jobs(8, begun, "kills"), store, pool) == Summary(done=7, errors=1, left=1)
    assert begun_counts(begun)[2] == GONE
    errors = [record.error for record in store.records().values() if record.error]
    assert errors == ["the worker died 3 times"]
    assert {record.payload["n"] for record in store.records().values() if record.error} == {2}


def test_a_worker_can_be_added_while_jobs_run(firmware, begun, store, tmp_path, no_worker_stays):
    # One worker waits for another one to meet, so that the run ends only if a second one comes.
    os.mkfifo(tmp_path / "fifo")
    with DaskPool(firmware, workers=1) as pool:
        asked = []

        def add(progress):
            if not asked:
                asked.append(pool.add_worker())

        work = jobs(2, begun, "meets", fifo=str(tmp_path / "fifo"))
        assert run(work, store, pool, add) == Summary(done=2)
        assert pool.slots == 2
    assert len({record.result["pid"] for record in store.records().values()}) == 2


def test_ctrl_c_keeps_what_is_done_and_ends_what_would_last_for_ever(firmware, begun, store, no_worker_stays):
    def interrupt(progress):
        if progress.done == 3:
            raise KeyboardInterrupt

    with DaskPool(firmware, workers=2) as pool:
        work = jobs(8, begun, "lasts", after=3)
        summary = run(work, store, pool, interrupt, grace_s=AT_ONCE_S)
        assert summary == Summary(done=3, interrupted=True, left=5)
    assert not os.path.exists(pool.folder)
    assert {record.payload["n"] for record in store.records().values()} == {0, 1, 2}


def test_bytes_that_are_not_the_firmware_are_refused(tmp_path, firmware):
    (expected,) = firmware.files
    with pytest.raises(PoolError, match="came with other bytes"):
        put_firmware(tmp_path / "worker", {expected: b"other bytes"})
    assert not list((tmp_path / "worker").iterdir())


# A scheduler that somebody else runs.


@pytest.fixture(scope="module")
def elsewhere():
    """Its address. The workers are processes of this machine."""
    running = LocalWorkers(1)
    yield running
    running.close()


def test_the_workers_of_a_scheduler_do_the_jobs(elsewhere, firmware, begun, store):
    with DaskPool(firmware, scheduler=elsewhere.cluster.scheduler_address) as pool:
        assert pool.slots == 1 and pool.pids == []
        assert run(jobs(3, begun), store, pool) == Summary(done=3)
        with pytest.raises(InputError, match="start one more with `dask worker`"):
            pool.add_worker()
    assert elsewhere.pids  # they stay


def test_workers_with_wrong_bytes_do_no_job(elsewhere, firmware):
    (expected,) = firmware.files
    wrong = Firmware(firmware.hashes, {expected: b"other bytes"})
    with pytest.raises(PoolError, match="came with other bytes"):
        DaskPool(wrong, scheduler=elsewhere.cluster.scheduler_address)


def test_workers_with_another_stimbench_are_refused_by_name(elsewhere, firmware, monkeypatch):
    address = elsewhere.cluster.scheduler_address
    monkeypatch.setattr(dask_pool, "__version__", "99.0")
    with pytest.raises(
        PoolError, match=r"Worker tcp://127\.0\.0\.1:\d+ has stimbench .*, and this campaign 99\.0"
    ):
        DaskPool(firmware, scheduler=address)


def test_a_worker_with_another_stimbench_that_joins_later_is_refused(
    elsewhere, firmware, begun, store, monkeypatch
):
    with DaskPool(firmware, scheduler=elsewhere.cluster.scheduler_address) as pool:
        monkeypatch.setattr(dask_pool, "__version__", "99.0")
        with pytest.raises(PoolError, match=r"Worker \S+:\d+ has stimbench .*, and this campaign 99\.0"):
            run(jobs(1, begun), store, pool)
    assert not begun_counts(begun)


def test_workers_that_do_several_jobs_at_once_are_refused(firmware):
    import distributed

    quiet = {"dashboard": False, "dashboard_address": f"{LOOPBACK}:0"}
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", host=LOOPBACK,
            dashboard_address=None, scheduler_kwargs=quiet,
        ) as cluster,
        pytest.raises(PoolError, match=r"does 2 jobs at once.*--nthreads 1"),
    ):  # fmt: skip
        DaskPool(firmware, scheduler=cluster.scheduler_address)


def test_a_scheduler_that_goes_away_is_told(firmware, begun, store):
    gone = LocalWorkers(1)

    def go(progress):
        if progress.done == 1:
            gone.close()

    with (
        DaskPool(firmware, scheduler=gone.cluster.scheduler_address) as pool,
        pytest.raises(PoolError, match="The Dask scheduler has gone"),
    ):
        run(jobs(4, begun), store, pool, go)
    assert store.count >= 1


def test_nobody_at_the_address_is_told(firmware, monkeypatch):
    monkeypatch.setattr(dask_pool, "_CONNECT_S", 0.2)
    with pytest.raises(PoolError, match=f"No Dask scheduler answers at tcp://{LOOPBACK}:9"):
        DaskPool(firmware, scheduler=f"tcp://{LOOPBACK}:9")


@pytest.mark.parametrize(
    "address", ["udp://nowhere:1", "nowhere", "tcp://", "tcp://nowhere", "tcp://a b:1", ""]
)
def test_what_is_no_address_is_told(firmware, address):
    with pytest.raises(InputError, match=f"--scheduler {address}: an address is like tcp://"):
        DaskPool(firmware, scheduler=address)


def test_tls_without_certificates_is_told(firmware):
    with pytest.raises(InputError, match="Dask's configuration names no certificates for TLS"):
        DaskPool(firmware, scheduler=f"tls://{LOOPBACK}:9")


def test_plain_tcp_is_refused_where_dask_is_told_to_encrypt(firmware):
    import dask

    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(InputError, match="Dask's configuration allows tls:// addresses only"),
    ):
        DaskPool(firmware, scheduler=f"tcp://{LOOPBACK}:9")


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def no_distributed(name, *args, **kwargs):
        if name.partition(".")[0] == "distributed":
            raise ModuleNotFoundError("No module named 'distributed'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_distributed)
    with pytest.raises(LibraryError, match=r'pip install "stimbench\[campaign\]"'):
        open_pool(Firmware(), workers=2)


def test_one_worker_is_this_process(begun, store):
    with open_pool(Firmware()) as pool:
        assert isinstance(pool, SerialPool)
    with pytest.raises(InputError, match="--workers 0: at least 1"):
        open_pool(Firmware(), workers=0)
