"""A command of stimbench in a process of its own: what takes long and is no part of the run."""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

__all__ = ("Job",)

_NICE = ("nice", "-n", "10")
"""The bench goes first."""
_END_S = 1.0
_MOST_ERROR = 300


class Job:
    """A command that runs; nothing here waits for it. It ends with this process at the latest."""

    def __init__(self, words: Sequence[str]) -> None:
        """Begin `stimbench WORDS`."""
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the job
        self._err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        command = [*_NICE, sys.executable, "-m", "stimbench", *words]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err
        )
        atexit.register(self.end)

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    @property
    def output(self) -> bytes:
        """What it has printed so far."""
        return _all_of(self._out)

    @property
    def error(self) -> str:
        """The last line that it wrote to its standard error."""
        lines = _all_of(self._err).decode(errors="replace").strip().splitlines()
        return lines[-1][:_MOST_ERROR] if lines else ""

    def wait(self, timeout_s: float = 60.0) -> None:
        """Wait for its end: not for the bench's process, where nothing waits.

        Raises:
            subprocess.TimeoutExpired: it takes longer.
        """
        self._process.wait(timeout_s)

    def end(self) -> None:
        """End it, if it runs."""
        atexit.unregister(self.end)
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
            self._process.kill()
            self._process.wait()


def temporary_folder() -> Path:
    """A folder that ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="stimbench-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _all_of(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
