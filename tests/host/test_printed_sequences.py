"""The sequences of commands that the pages print for a served bench work as printed, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stimbench.bench.pty_server import served
from stimbench.client import connect
from stimbench.devices.serial_device import SerialDevice
from support.bench_fixtures import make_bench  # noqa: F401

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

DOCS = Path(__file__).resolve().parents[2] / "docs"
PACE = 2.0
"""Emulated seconds a second at the most, so that the commands' time-outs mean something."""
PROGRAMS = ("stimbench", "mpremote")
ELSEWHERE = ("stimbench bench up", "mpremote connect $STIMBENCH_BOARD repl")
"""Run in the other terminal; for a person at a terminal (tests/bench/test_mpremote.py)."""


def printed(page: str, heading: str, end: str) -> list[str]:
    """The commands in the listings of a page between two pieces of its text, without prompts and comments."""
    text = (DOCS / page).read_text(encoding="utf-8")
    part = text[text.index(heading) : text.index(end, text.index(heading))]
    lines = [line[4:].removeprefix("$ ") for line in part.splitlines() if line.startswith("    ")]
    commands = [line.split("  #")[0].rstrip() for line in lines if line.startswith(PROGRAMS)]
    return [command for command in commands if command not in ELSEWHERE]


SEQUENCES = {
    "for-hardware.md": printed("for-hardware.md", "## 2. See it run", "## 3."),
    "commands.md, at the prompt": printed("commands.md", "**A board at the prompt.**", "## By radio"),
    "commands.md, bench up": printed("commands.md", "## Without a board", "## The demonstration"),
}


@pytest.mark.parametrize("name", list(SEQUENCES))
def test_a_printed_sequence_works(make_bench, images, tmp_path, name):  # noqa: F811
    commands = SEQUENCES[name]
    assert len(commands) >= 2
    (tmp_path / "hello.py").write_text("print('hello')\n")
    bench = make_bench()
    bench.run_for(1_500_000_000)
    with served(bench, PACE) as ports:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "STIMBENCH_BOARD": ports["stimulator"]}
        for command in commands:
            done = subprocess.run(
                command, shell=True, cwd=tmp_path, env=environment, timeout=300,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            assert done.returncode == 0, (command, done)
        with SerialDevice(ports["stimulator"]) as device:
            assert connect(device.console).identity.role == "stimulator", "it is not left at the prompt"
