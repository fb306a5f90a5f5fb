"""Stock mpremote, as it comes, on the ptys of a served bench: both boards, straight from their applications.

Each call but `resume` begins with a soft reset into the raw REPL, after which main does not run.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from stimbench.bench import Bench
from stimbench.bench.pty_server import served
from stimbench.client import connect, connect_remote
from stimbench.devices.serial_device import SerialDevice

pytestmark = pytest.mark.emulated

PACE = 2.0
"""Emulated seconds a second at the most, so that the time-outs of mpremote mean something."""
TIMEOUT_S = 120  # wall time, for a busy machine; nothing is measured by it
DEFAULT_PATH = "['', '.frozen', '/lib']"
CTRL_C, CTRL_D, CTRL_RIGHT_BRACKET = "\x03", "\x04", "\x1d"


class Mpremote:
    """The program `mpremote` on one board's port."""

    def __init__(self, board: str, port: str, folder: Path) -> None:
        self.board, self.port, self.folder = board, port, folder
        self.command = [sys.executable, "-m", "mpremote", "connect", port]
        (folder / "hello.py").write_text("print('hello from', __name__, 6 * 7)\n")

    def _run(self, words: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self.command, *words], cwd=self.folder, capture_output=True, text=True, timeout=TIMEOUT_S
        )

    def fails(self, *words: str) -> bool:
        return self._run(words).returncode != 0

    def __call__(self, *words: str) -> str:
        done = self._run(words)
        assert done.returncode == 0, done
        return done.stdout.replace("\r", "")

    def application_after_a_restart(self) -> str:
        """What the board is, once it was restarted."""
        with SerialDevice(self.port) as device:
            device.reset()
            return self.application_of(device)

    def application_of(self, device: SerialDevice) -> str:
        return (connect if self.board == "stimulator" else connect_remote)(device.console).identity.role


@pytest.fixture(params=["stimulator", "remote"])
def mpremote(
    request: pytest.FixtureRequest, make_bench: Callable[..., Bench], tmp_path: Path
) -> Iterator[Mpremote]:
    bench = make_bench(boards=(request.param,))
    bench.run_for(1_500_000_000)
    with served(bench, PACE) as ports:
        yield Mpremote(request.param, ports[request.param], tmp_path)


def test_a_mounted_folder_is_imported_from(mpremote: Mpremote) -> None:
    assert "hello from hello 42" in mpremote("mount", ".", "exec", "import hello")


def test_a_copied_file_is_imported_and_listed_and_removed(mpremote: Mpremote) -> None:
    mpremote("fs", "cp", "hello.py", ":")
    assert mpremote("exec", "import hello") == "hello from hello 42\n"
    assert " hello.py" in mpremote("fs", "ls")
    mpremote("fs", "rm", ":hello.py")
    assert "hello.py" not in mpremote("fs", "ls")


def test_a_module_in_lib_is_imported(mpremote: Mpremote) -> None:
    mpremote("fs", "mkdir", ":lib", "+", "fs", "cp", "hello.py", ":lib/greeting.py")
    assert mpremote("exec", "import greeting") == "hello from greeting 42\n"


def test_a_script_is_run(mpremote: Mpremote) -> None:
    assert mpremote("run", "hello.py") == "hello from __main__ 42\n"


def test_eval_and_several_commands_in_one_line(mpremote: Mpremote) -> None:
    assert mpremote("exec", "kept = 4", "+", "eval", "kept * 10 + 2") == "42\n"


def test_a_soft_reset_forgets_and_has_micropythons_path(mpremote: Mpremote) -> None:
    mpremote("exec", "kept = 1")
    show = "import sys; print('kept' in globals(), sys.path)"
    assert mpremote("resume", "exec", show) == f"True {DEFAULT_PATH}\n"
    assert mpremote("soft-reset", "exec", show) == f"False {DEFAULT_PATH}\n"


def test_the_path_is_the_same_when_the_application_was_interrupted(mpremote: Mpremote) -> None:
    assert mpremote("resume", "exec", "import sys; print(sys.path)") == f"{DEFAULT_PATH}\n"


def test_reset_starts_the_application(mpremote: Mpremote) -> None:
    mpremote("exec", "pass")
    mpremote("reset")
    with SerialDevice(mpremote.port) as device:
        assert mpremote.application_of(device) == mpremote.board


def test_the_application_starts_again_whatever_lies_on_flash(mpremote: Mpremote) -> None:
    """No file stands in for what is frozen: main, and all that it imports, MicroPython's own too."""
    (mpremote.folder / "bad.py").write_text("raise ValueError('a file started in place of the firmware')\n")
    files = ("main.py", "_boot.py", "time.py", "struct.py", "array.py", "select.py", "binascii.py")
    for name in files:
        mpremote("resume", "fs", "cp", "bad.py", f":{name}")
    mpremote("resume", "fs", "mkdir", ":stimfw", "+", "fs", "cp", "bad.py", ":stimfw/__init__.py")
    assert mpremote.fails("exec", "import select"), "at the REPL a file does stand in"
    assert mpremote.application_after_a_restart() == mpremote.board


def test_repl_on_a_terminal(mpremote: Mpremote) -> None:
    terminal = pexpect.spawn(
        mpremote.command[0], [*mpremote.command[1:], "repl"], timeout=TIMEOUT_S, encoding="utf-8"
    )
    try:
        terminal.expect_exact("Use Ctrl-] or Ctrl-x to exit this shell")
        terminal.send(CTRL_C)
        terminal.expect_exact(">>> ")
        terminal.send("40 + 2\r")
        terminal.expect_exact("\n42\r\n>>> ")
        terminal.send(CTRL_D)
        terminal.expect_exact("MPY: soft reboot")
        terminal.send(CTRL_RIGHT_BRACKET)
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close()
    with SerialDevice(mpremote.port) as device:
        assert mpremote.application_of(device) == mpremote.board, "Ctrl-D starts it again"
