"""Commands as Unix expects them: Ctrl-C at any time, a reader that has gone, a disk that is full."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest
from stimbench.client.program_file import to_toml
from stimfw.therapy import program

CANNOT_WRITE, INTERRUPTED, READER_GONE = 2, 130, 141
LIMIT_S = 120
MAIN = "from stimbench.__main__ import main; main()"
MODULES = ("stimbench.cli.main", "typer", "rich.console")
KEYRING = "stimbench.client.keyring"
OF_A_COMMAND = ("stimbench.cli.program", "stimbench.cli.common", "serial", "pydantic", KEYRING)
# Ctrl-C comes when the module is looked for, whatever the machine's speed.
WHILE_LOADING = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""
IN_THE_COMMAND = """
import os, signal
from stimbench.process import run
def command():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        print("cleaned up")
run(lambda: command)
"""
AT_THE_END = """
import atexit, os, signal
from stimbench.process import run
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
run(lambda: lambda: print("done"))
"""
IGNORED = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from stimbench.process import run
run(lambda: lambda: os.kill(os.getpid(), signal.SIGINT))
"""


def python(code, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **environment):
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def gone():
    """The writing end of a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture
def programme(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(program.default()))
    return str(path)


@pytest.mark.parametrize("module", MODULES)
def test_ctrl_c_while_modules_are_loaded(module):
    result = python(WHILE_LOADING.format(module=module) + MAIN, "--version")
    assert (result.returncode, result.stdout, result.stderr) == (INTERRUPTED, "", "")


@pytest.mark.parametrize("module", OF_A_COMMAND)
def test_ctrl_c_while_a_commands_modules_are_loaded(module):
    result = python(WHILE_LOADING.format(module=module) + MAIN, "program", "--help")
    assert (result.returncode, result.stdout, result.stderr) == (INTERRUPTED, "", "")


def test_ctrl_c_in_a_command_lets_it_clean_up():
    result = python(IN_THE_COMMAND)
    assert (result.returncode, result.stdout) == (INTERRUPTED, "cleaned up\n")
    assert result.stderr == "Interrupted.\n"


def test_ctrl_c_while_the_process_ends():
    result = python(AT_THE_END)
    assert (result.returncode, result.stdout, result.stderr) == (INTERRUPTED, "done\n", "")


def test_a_shell_that_ignores_ctrl_c_for_the_process_is_obeyed():
    assert python(IGNORED).returncode == 0


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["program", "--help"], ["program", "check"]])
def test_a_reader_that_has_gone_ends_the_command_in_silence(words, gone, programme):
    files = [programme, "--json"] if words[-1] == "check" else []
    result = python(MAIN, *words, *files, stdout=gone)
    assert (result.returncode, result.stderr) == (READER_GONE, "")


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["program", "--help"], ["program", "check"]])
def test_a_full_disk_is_one_sentence(words, programme):
    files = [programme] if words[-1] == "check" else []
    with open("/dev/full", "w") as full:
        result = python(MAIN, *words, *files, stdout=full)
    assert result.returncode == CANNOT_WRITE
    assert result.stderr == f"Error: cannot write: {os.strerror(errno.ENOSPC)}.\n"


@pytest.mark.parametrize("words", [["program", "check", "no-such.toml"], ["no-such-command"]])
def test_a_full_stderr_hides_the_sentence_and_not_the_code(words):
    with open("/dev/full", "w") as full:
        result = python(MAIN, *words, stderr=full)
    assert (result.returncode, result.stdout) == (2, "")


def test_a_name_that_the_terminal_cannot_show(programme, tmp_path):
    other = tmp_path / "spätprogramm.toml"
    os.rename(programme, other)
    result = python(MAIN, "program", "check", str(other), PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "") and "sp?tprogramm.toml is a valid" in result.stdout


@pytest.mark.parametrize("module", ["stimbench.firmware_build", "stimbench.docs_tables"])
def test_other_commands_do_the_same(module, gone):
    program = f"import runpy; runpy.run_module({module!r}, run_name='__main__')"
    result = python(program, "--help", stdout=gone)
    assert (result.returncode, result.stderr) == (READER_GONE, "")
    with open("/dev/full", "w") as full:
        result = python(program, "--help", stdout=full)
    assert result.returncode == CANNOT_WRITE and result.stderr.startswith("Error: cannot write")


def test_signals_have_the_numbers_of_the_exit_codes():
    assert (128 + signal.SIGINT, 128 + signal.SIGPIPE) == (INTERRUPTED, READER_GONE)
