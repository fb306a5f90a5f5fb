"""Stock mpremote on the ptys of a served bench."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from stimbench.bench import Bench
from stimbench.bench.pty_server import ConsolePty, serve, served
from stimbench.errors import BenchError

pytestmark = pytest.mark.emulated

SCRIPT = """
import subprocess, sys
port, folder = sys.argv[1:]
def mpremote(*words):
    command = [sys.executable, "-m", "mpremote", "connect", port, "resume", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    print(repr((done.returncode, done.stdout.replace("\\r", "").strip(), done.stderr[-300:])), flush=True)
mpremote("exec", "print(6 * 7)")
mpremote("eval", "2 + 3")
mpremote("fs", "cp", folder + "/there.txt", ":here.txt")
mpremote("fs", "ls")
mpremote("fs", "cp", ":here.txt", folder + "/back.txt")
from stimbench.devices.serial_device import SerialDevice
with SerialDevice(port) as device:
    print(repr((0, device.enter_repl().eval("3 * 3"), "")), flush=True)
"""


def test_mpremote_execs_evals_lists_and_copies(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    bench = make_bench(boards=("remote",))
    bench.run_for(1_500_000_000)
    (tmp_path / "there.txt").write_text("carried over" * 100)
    client: list[subprocess.Popen[str]] = []

    def on_ready(ports: dict[str, str]) -> None:
        command = [sys.executable, "-c", SCRIPT, ports["remote"], str(tmp_path)]
        client.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

    serve(bench, on_ready, pace=None, stop=lambda: client[0].poll() is not None)
    output = client[0].communicate()[0].splitlines()
    results = [eval(line) for line in output]
    assert [code for code, _, _ in results] == [0] * 6, results
    assert results[0][1] == "42"
    assert results[1][1] == "5"
    assert results[5][1] == 9
    assert "1200 here.txt" in results[3][1]
    assert (tmp_path / "back.txt").read_text() == "carried over" * 100


def test_pty_without_a_reader_blocks_nobody_and_leaves_nothing_behind(
    make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = make_bench(boards=("remote",))
    link = tmp_path / "remote"
    stop = threading.Event()
    seen: list[str] = []

    def on_ready(ports: dict[str, str]) -> None:
        seen.append(ports["remote"])
        assert os.readlink(link) == ports["remote"]
        bench.at(700_000_000, stop.set)

    serve(bench, on_ready, pace=None, stop=stop, links={"remote": link})
    assert bench.now_ns >= 700_000_000
    assert not link.is_symlink()
    assert not bench.board("remote").console.dtr


def test_client_that_opens_but_does_not_read_stops_the_host_reading(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(boards=("remote",))
    bench.run_for(1_500_000_000)
    board = bench.board("remote")
    with ConsolePty("remote", board.console) as pty:
        client = os.open(pty.path, os.O_RDWR | os.O_NOCTTY)
        try:
            pty.exchange()
            assert board.console.dtr
            os.write(client, b"\x03\x03\r\nwhile True: print('z' * 200)\r\n\r\n")
            for _ in range(400):
                pty.exchange()
                bench.run_for(2_000_000)
            assert not board.console.host_reads
        finally:
            os.close(client)
        pty.exchange()
        assert not board.console.dtr


def test_what_ends_the_thread_of_a_served_bench_is_raised(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(boards=("remote",))
    bench.close()
    with pytest.raises(BenchError, match="the bench is closed"), served(bench):
        pass
    threads = [thread.name for thread in threading.enumerate()]
    assert not any("ThreadPoolExecutor" in name for name in threads)
