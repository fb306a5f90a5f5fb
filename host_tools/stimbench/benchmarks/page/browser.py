"""A server of its own, and a browser on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from stimbench.errors import InputError

__all__ = ("Opened", "chromium", "cpu_s", "machine", "memory_mb", "opened")

_PROGRAM = "chromium-headless-shell"
_WAIT_MS = 60_000
_END_S = 20
_SIZE: Any = {"width": 1280, "height": 900}
_HERTZ = os.sysconf("SC_CLK_TCK")
_PULSE = "214.000 µs"
"""Width of the default programme's cathodic phase, as the page writes it."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser.

    Raises:
        InputError: it is not installed.
    """
    path = shutil.which(_PROGRAM)
    if path is None:
        raise InputError(f"{_PROGRAM} is not installed: run 'make setup'.")
    expect.set_options(timeout=_WAIT_MS)
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to run as root. Its collector can be asked to run.
        arguments = ["--no-sandbox", "--js-flags=--expose-gc"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page on a server. Times of the wall's clock count from before the server was started.

    Attributes:
        page: the page, gone to the server's link.
        server, bench: ids of their processes.
        begun_s: time.perf_counter() before the server was started.
        asked: each address that the page asked for.
    """

    page: Page
    server: int
    bench: int
    begun_s: float
    asked: list[str]

    @property
    def t_ns(self) -> int:
        """The bench's time, as the page was told last."""
        found: int = self.page.evaluate("stimbench.bench.state.t_ns")
        return found

    def start(self) -> None:
        """Begin a session of the form's programme, 2 mA on both leads, and wait for its pulses."""
        expect(self.page.locator("#stimulator-state")).to_contain_text("ready")
        self.page.get_by_role("tab", name="Clinician").click()
        self.page.get_by_role("button", name="Start a session").click()
        for lead in ("left", "right"):
            expect(self.page.locator(f"#scope-{lead}-width")).to_have_text(_PULSE)

    def show(self, mode: str) -> None:
        """Let the scope show `pulse`, `roll` or `all`."""
        self.page.locator("#scope-mode").select_option(mode)

    @cached_property
    def _devtools(self) -> CDPSession:
        session = self.page.context.new_cdp_session(self.page)
        session.send("Performance.enable")  # durations count from here
        return session

    def metrics(self) -> dict[str, float]:
        """Chromium's own account of the page; heap after a collection of garbage."""
        self._devtools.send("HeapProfiler.collectGarbage")
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in found}


@contextmanager
def opened(browser: Browser, seed: int) -> Iterator[Opened]:
    """A page on a server of its own, whose run is kept nowhere else."""
    with tempfile.TemporaryDirectory() as runtime:
        page = browser.new_page(viewport=_SIZE)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        begun_s = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "stimbench", "serve", "--json", "--seed", str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"XDG_RUNTIME_DIR": runtime},
        )
        try:
            assert server.stdout is not None
            page.goto(json.loads(server.stdout.readline())["url"])
            (bench,) = _children(server.pid)
            yield Opened(page, server.pid, bench, begun_s, asked)
            page.close()
        finally:
            server.terminate()
            server.wait(_END_S)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_s(pid: int) -> float:
    """Processor time of a process until now (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def memory_mb(pid: int) -> float:
    """Memory of a process that is its own (proc(5): RssAnon), MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1000
    raise InputError(f"There is no process {pid} any more.")


def machine() -> str:
    """What a figure that depends on the machine says of it."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, the browser on them too"
