"""The program sigrok-cli: started with a list of arguments, watched through what it says, ended when it must.

At log level 3 it says when the instrument has been armed, when the trigger came, and how long a sample is.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from stimbench.errors import RigError

__all__ = ("Analyser", "SigrokRun", "scan", "show")

_LISTED = re.compile(r"(\S+) - (.+) with \d+ channels?: (.*)")
_UNIT = re.compile(r"SR_DF_LOGIC \(\d+ bytes, unitsize = (\d+)\)")
_ARMED, _TRIGGERED = "SR_DF_HEADER", "SR_DF_TRIGGER"
_LOG = re.compile(r"(sr|srd|cli): ")
_LAST_LINES = 3
_SCAN_S = 30.0
_END_S = 2.0


@dataclass(frozen=True)
class Analyser:
    """An instrument that sigrok knows how to use and that is connected.

    Attributes:
        driver: how sigrok-cli is told to use it, `fx2lafw:conn=1.23`.
        description: what it calls itself.
        channels: in the order of their bits.
    """

    driver: str
    description: str
    channels: tuple[str, ...]


def scan(program: Sequence[str] = ("sigrok-cli",)) -> list[Analyser]:
    """The instruments that are connected; the demo driver is one of them.

    Raises:
        RigError: sigrok-cli is not installed or fails.
    """
    done = _asked(program, ["--scan"])
    if done.returncode:
        raise RigError(f"sigrok-cli cannot look for instruments: {_said(done.stderr.splitlines())}")
    return [Analyser(driver, text, tuple(names)) for driver, text, names in _parsed(done.stdout)]


def show(driver: str, program: Sequence[str] = ("sigrok-cli",)) -> Analyser:
    """The instrument of one driver.

    Raises:
        RigError: sigrok-cli is not installed, knows no such driver, or finds no such instrument.
    """
    done = _asked(program, ["-d", driver, "--show"])
    found = _parsed(done.stdout)
    if done.returncode or not found:
        raise RigError(
            f"sigrok finds no instrument {driver!r}: {_said(done.stderr.splitlines())} "
            f"sigrok-cli --scan lists what is connected, sigrok-cli -L all drivers."
        )
    _, text, names = found[0]
    return Analyser(driver, text, tuple(names))


def _asked(program: Sequence[str], arguments: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [*program, *arguments], capture_output=True, text=True, check=False, timeout=_SCAN_S,
            stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise _not_installed(program) from error
    except OSError as error:
        raise RigError(f"{program[0]} cannot be started: {error.strerror}.") from error
    except subprocess.TimeoutExpired as error:
        raise RigError(f"sigrok-cli did not answer within {_SCAN_S:g} s.") from error


def _not_installed(program: Sequence[str]) -> RigError:
    return RigError(f"A logic analyser is read with {program[0]}, which is not installed: run 'make setup'.")


def _parsed(listing: str) -> list[tuple[str, str, list[str]]]:
    found = (_LISTED.fullmatch(line.strip()) for line in listing.splitlines())
    return [(each[1], each[2], each[3].split()) for each in found if each]


def _said(lines: Sequence[str]) -> str:
    """The last words of the program that are no log."""
    words = [line.strip().rstrip(".") for line in lines if line.strip() and not _LOG.match(line)]
    return "; ".join(words[-_LAST_LINES:]) + "." if words else "it does not say why."


class SigrokRun:
    """One capture under way. Use it as a context manager: leaving the block ends the program."""

    def __init__(self, program: Sequence[str], arguments: Sequence[str]) -> None:
        """Start.

        Raises:
            RigError: sigrok-cli is not installed.
        """
        self.unit = 1
        self.triggered = False
        self._said: deque[str] = deque(maxlen=50)
        self._told = threading.Event()
        self._armed = False
        try:
            # Its own process group: Ctrl-C at the terminal reaches this process, which then ends that one.
            self._process = subprocess.Popen(
                [*program, "-l", "3", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, errors="replace", process_group=0,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise _not_installed(program) from error
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> SigrokRun:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._listener.join(_END_S)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                if _ARMED in line:
                    self._armed = True
                    self._told.set()
                elif _TRIGGERED in line:
                    self.triggered = True
                elif (found := _UNIT.search(line)) is not None:
                    self.unit = int(found[1])
                elif not _LOG.match(line):
                    self._said.append(line)
        self._told.set()

    def wait_armed(self, timeout_s: float) -> None:
        """Wait until the instrument records.

        Raises:
            RigError: it does not within the time, or the program has ended.
        """
        if not self._told.wait(timeout_s):
            raise RigError(f"The logic analyser did not begin within {timeout_s:g} s.")
        if not self._armed:
            # It has closed its output: it ends, or has ended.
            raise RigError(f"The logic analyser cannot record: {_said(self._said)}")

    def wait_done(self, timeout_s: float, waits_for: str = "") -> None:
        """Wait until it has recorded.

        Args:
            timeout_s: how long.
            waits_for: the trigger that it waits for; empty if there is none.

        Raises:
            RigError: it does not end within the time, never triggered, or failed.
        """
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            if waits_for and not self.triggered:
                raise RigError(
                    f"The logic analyser never triggered: {waits_for} did not come within {timeout_s:g} s."
                ) from error
            raise RigError(f"The logic analyser was not done after {timeout_s:g} s.") from error
        self._listener.join(_END_S)
        if code:
            raise RigError(f"The logic analyser failed: {_said(self._said)}")
