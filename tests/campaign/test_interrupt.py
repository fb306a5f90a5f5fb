"""Ctrl-C in a terminal goes to the whole group of processes: the workers leave it to the one that asked."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from stimbench.campaign.dask_pool import DaskPool
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.local_cluster import interrupts_wait
from stimbench.campaign.store import Store

pytestmark = pytest.mark.tools

TESTS = Path(__file__).parents[1]
INTERRUPTED = 130
SCRIPT = """
import logging
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from stimbench.campaign.dask_pool import DaskPool
from stimbench.campaign.firmware import Firmware
from stimbench.campaign.run import run
from stimbench.campaign.store import Store
from support.campaign_work import jobs


def main():
    folder = Path(sys.argv[2])
    with DaskPool(Firmware(), workers=2) as pool:
        told = lambda progress: print(progress.done, flush=True)
        work = jobs(6, folder / "begun", "lasts", after=int(sys.argv[3]))
        summary = run(work, Store(folder / "results", "a campaign"), pool, told, grace_s=0.0)
    print(summary, flush=True)
    logging.getLogger("distributed.core").error("a connection has closed late")
    return 130 if summary.interrupted else 0

if __name__ == "__main__":
    sys.exit(main())
"""


def started(tmp_path, after):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(TESTS), str(tmp_path), str(after)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def of_session(session):
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.Error):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def test_ctrl_c_leaves_what_was_done_and_no_process(tmp_path):
    process = started(tmp_path, after=3)
    while process.stdout.readline().strip() != "3":
        assert process.poll() is None, process.stderr.read()
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate()
    assert process.returncode == INTERRUPTED
    assert "Summary(done=3, skipped=0, errors=0, interrupted=True, duplicates=0, left=3)" in out
    assert errors == ""
    psutil.wait_procs(of_session(process.pid), timeout=5)
    assert not of_session(process.pid)
    records = Store(tmp_path / "results", "a campaign").records()
    assert {one.payload["n"] for one in records.values()} == {0, 1, 2}


def test_ctrl_c_while_workers_start_waits_until_they_run():
    seen = []
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        seen.append("the block went on")
    assert seen == ["the block went on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_ctrl_c_while_workers_start_leaves_no_process(monkeypatch):
    import distributed

    pids = []

    class Interrupted(distributed.LocalCluster):
        def __init__(self, **options):
            super().__init__(**options)
            pids.extend(nanny.pid for nanny in self.workers.values())
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(distributed, "LocalCluster", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        DaskPool(Firmware(), workers=1)
    assert len(pids) == 1 and not psutil.pid_exists(pids[0])


def test_without_ctrl_c_nothing_is_raised():
    with interrupts_wait():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
