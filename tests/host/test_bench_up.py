"""`stimbench bench up` as a process: its socket, its links, and what is left of it when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from stimbench.bench import running
from stimbench.bench.control_client import RunningBench
from stimbench.cli.boards import open_board
from stimbench.errors import PortError

pytestmark = [pytest.mark.emulated, pytest.mark.slow, pytest.mark.usefixtures("images")]

PROGRAM = "from stimbench.cli.main import main; main()"


@pytest.fixture
def runtime(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def up(runtime, tmp_path):
    """Starts benches that run as fast as they can; whatever still runs at the end is killed."""
    made = []

    def start(*options):
        words = [sys.executable, "-c", PROGRAM, "bench", "up", "--pace", "0", "--json", *options]
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        made.append(process)
        told = ""
        while not told.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, process.communicate()
            told += line
        return process, json.loads(told)

    yield start
    for process in made:
        if process.poll() is None:
            process.kill()
            process.communicate()


def stopped(process, number=signal.SIGINT):
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told
    return process.returncode, told


def test_a_bench_is_found_obeys_and_leaves_nothing_behind(up, tmp_path, runtime):
    process, told = up("--link", "boards", "--name", "mine")
    links = {board: str(tmp_path / "boards" / board) for board in ("stimulator", "remote")}
    assert told == {"bench": "mine", "ports": told["ports"], "links": links}
    assert all(os.readlink(link) == told["ports"][board] for board, link in links.items())
    bench = RunningBench(running.find(None))
    assert bench.do("magnet", state="on")["magnet"] is True
    begun_s = bench.do("break", part="left.2", fault="open")["time_s"]
    assert bench.do("wait", seconds=1)["time_s"] >= begun_s + 1
    seen = bench.do("status")
    assert (seen["bench"], seen["broken"], seen["links"]) == ("mine", ["left.2 open"], links)
    with open_board(links["stimulator"]) as stimulator:
        assert stimulator.status().magnet
    code, said = stopped(process)
    assert code == 130 and "The bench is down." in said
    assert not (tmp_path / "boards").exists()
    assert {path.name for path in (runtime / "stimbench").iterdir()} == {"lock"}
    with pytest.raises(PortError, match="went away"):
        bench.do("status")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_to_end_it_clean_up_too(up, tmp_path, runtime, number):
    process, _ = up("--link", "boards")
    assert stopped(process, number)[0] == 128 + number
    assert not (tmp_path / "boards").exists() and not list((runtime / "stimbench").glob("bench*"))


def test_a_killed_bench_is_noticed_and_the_next_one_takes_its_name_and_links(up, tmp_path):
    process, first = up("--link", "boards")
    process.kill()
    process.communicate()
    assert (tmp_path / "boards" / "remote").is_symlink()
    with pytest.raises(PortError, match="No bench runs"):
        running.find(None)
    process, second = up("--link", "boards")
    assert second["bench"] == first["bench"] == "bench"
    assert os.readlink(tmp_path / "boards" / "remote") == second["ports"]["remote"]
    words = [sys.executable, "-c", PROGRAM, "bench", "up", "--link", "boards"]
    refused = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert refused.returncode == 2 and "is in use by the bench 'bench'" in refused.stderr
    assert stopped(process)[0] == 130
