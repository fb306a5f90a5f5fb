"""Runs the build's external programs: one line on the terminal, everything else in a log file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stimbench.firmware_build.errors import BuildError

_TAIL_LINES = 15


def say(message: str) -> None:
    """Prints one line of progress at once, even into a pipe."""
    print(message, flush=True)


def run_logged(
    argv: Sequence[object], log: Path, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Runs a program, adding its output to a log file.

    Args:
        argv: the program and its arguments; each is passed on as its str().
        log: the file that gets the command line and both output streams.
        cwd: the folder to run in.
        env: variables added to the environment.

    Raises:
        BuildError: the program failed; the message ends with the log's last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in argv]
    with log.open("a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(words)}\n")
        out.flush()
        result = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            check=False,
        )
    if result.returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        raise BuildError("\n".join([f"{words[0]} failed ({result.returncode}); see {log}:", *tail]))


def capture(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> str:
    """Runs a program and returns its standard output.

    Raises:
        BuildError: the program is missing or failed; the message holds its standard error.
    """
    words = [str(word) for word in argv]
    try:
        result = subprocess.run(
            words, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
        )
    except FileNotFoundError as error:
        raise BuildError(f"{words[0]} is not installed", exit_code=2) from error
    if result.returncode != 0:
        raise BuildError(f"{words[0]} failed ({result.returncode}): {result.stderr.strip()}")
    return result.stdout


def fingerprint(files: Iterable[Path], *words: str) -> str:
    """Digests words and files' paths and contents, to tell whether a step is up to date."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for path in sorted(files):
        digest.update(str(path).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_fresh(stamp: Path, value: str) -> bool:
    """Says whether a stamp file holds a value."""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == value


def write_if_changed(path: Path, text: str) -> None:
    """Writes a file unless it already holds the text, so that its time stays as it was."""
    if not is_fresh(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class Timer:
    """Seconds since it was made, for the progress lines."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __str__(self) -> str:
        return f"{time.monotonic() - self._start:.1f} s"
