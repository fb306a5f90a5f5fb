"""Keeps a stimulator's CPU busy: garbage, flash pages, USB and radio frames, at the worst moments."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import count

from stimfw.protocol import console_frame, messages, requests

from stimbench.benchmarks.harness.rig import MS, SIDES, Rig

__all__ = (
    "ALWAYS_COLLECTING",
    "ALWAYS_PROGRAMMING",
    "COLLECTING_IN_PERIODS",
    "LOADED_APPLICATION",
    "WORK",
    "HostLoad",
    "Seen",
    "Watcher",
)

# One call does one thing that keeps the CPU from the application: a page program (0.4 ms without a CPU),
# objects that become garbage, or a collection. The blocks were erased before anything pulses: nothing is
# erased while output is on. The last four blocks of the flash are the journal's, which is not used yet.
WORK = """
import gc, rp2
flash = rp2.Flash()
last = flash.ioctl(4, 0) - 1
for k in range(4):
    flash.ioctl(6, last - k)
page = bytearray(256)
keep = [None] * 16
n = 0
def work():
    global n
    n += 1
    if n % 4 < 2:
        flash.writeblocks(last - (n >> 4) % 4, page, 256 * (n & 15))
    elif n % 4 == 2:
        for k in range(16):
            keep[k] = bytes(40 + k)
    else:
        gc.collect()
"""

# The application's own loop with that work in each turn but those that only a time-out began.
LOADED_APPLICATION = (
    WORK
    + """
import main
from time import ticks_ms, ticks_diff
app, waiter, watchdog = main.build()
print("loaded")
readable = True
while True:
    wait = app.poll(readable)
    began = ticks_ms()
    readable = waiter.wait(wait)
    watchdog.feed()
    if ticks_diff(ticks_ms(), began) < wait:
        work()
"""
)

# The application's own loop that never sleeps while it pulses: until woken it collects or programs pages.
_RESTLESS = (
    WORK
    + """
import main
from time import ticks_ms, ticks_diff
app, waiter, watchdog = main.build()
app_wake = app._wake
def collect():
    gc.collect()
def program():
    global n
    n += 1
    flash.writeblocks(last - (n >> 4) % 4, page, 256 * (n & 15))
print("loaded")
readable = True
while True:
    wait = app.poll(readable)
    if app.control.session:
        began = ticks_ms()
        while not app_wake.pending and ticks_diff(ticks_ms(), began) < wait:
            {restless}()
        wait = 0
    readable = waiter.wait(wait)
    watchdog.feed()
"""
)
ALWAYS_COLLECTING = _RESTLESS.format(restless="collect")
ALWAYS_PROGRAMMING = _RESTLESS.format(restless="program")

# The application, which believes that enough was asked for in each period to collect garbage.
COLLECTING_IN_PERIODS = """
import gc, main
app, waiter, watchdog = main.build()
asked = 0
def more():
    global asked
    asked += 1000
    return asked
app.asked = more
gc.threshold(-1)
print("loaded")
app.run(waiter, watchdog)
"""

_REQUESTS = (
    messages.request(requests.STATUS),
    messages.request(requests.STATUS),
    messages.request(requests.STATUS),
    messages.request(requests.STATUS),
    messages.request(requests.DETAILS),
    messages.request(requests.COUNTERS),
    messages.request(requests.GET_PROGRAM),
    messages.request(requests.PULSES, b"\0\0\0\0"),
)
_LATE_NS, _EARLIEST_NS = -300_000, 6 * MS
_LAST_REPLY_MS = 100


class HostLoad:
    """Sends console frames that arrive shortly before or in pulses of either lead, and presses STATUS."""

    def __init__(self, rig: Rig, period_ns: int, frames_a_second: float, seed: int) -> None:
        """Begin. Args: frames_a_second: on average; the pulses that one precedes are chosen at random."""
        self._rig = rig
        self._half_ns = period_ns // 2
        self._share = min(1.0, frames_a_second * self._half_ns / 1e9)
        self._rng = random.Random(f"load {seed} {period_ns}")
        self._numbers = count()
        self._receiver = console_frame.Receiver()
        self.sent = 0
        self.presses = 0
        for side in SIDES:
            rig.board.pin(SIDES[side][0]).on_edge(self._on_cathodic)

    def _on_cathodic(self, level: bool, time_ns: int) -> None:
        if level and self._rng.random() < self._share:
            early_ns = self._rng.randrange(_LATE_NS, min(_EARLIEST_NS, self._half_ns))
            self._rig.board.scheduler.call_at(time_ns + max(1, self._half_ns - early_ns), self._send)

    def _send(self) -> None:
        request = self._rng.choice(_REQUESTS)
        self._rig.board.console.write(console_frame.encode(next(self._numbers) & 0xFF, request))
        self.sent += 1

    def run_ms(self, duration_ms: float, press_every_ms: int = 900) -> None:
        """Let time pass, pressing the remote's STATUS again and again."""
        end_ns = self._rig.now_ns + round(duration_ms * MS)
        while self._rig.now_ns < end_ns:
            if "remote" in self._rig.bench.boards:
                self._rig.bench.press("STATUS", 60)
                self.presses += 1
            step_ms = press_every_ms + self._rng.randrange(-100, 100)
            self._rig.bench.run_to(min(end_ns, self._rig.now_ns + step_ms * MS))
            self._read()

    def finish(self) -> int:
        """Send no more, and read what is still to come. Returns the number of all replies."""
        self._share = 0.0
        self._rig.run_ms(_LAST_REPLY_MS)
        self._read()
        return self._receiver.frames

    def _read(self) -> None:
        for byte in self._rig.board.console.read():
            self._receiver.feed(byte)


@dataclass
class Seen:
    """What the CPU was doing at the cathodic edges of both leads."""

    edges: int = 0
    awake: int = 0
    programming: int = 0
    """Among them in the middle of a page program, when the CPU runs nothing at all."""


class Watcher:
    """Counts edges of the cathodic phases by what the CPU does at that instant."""

    def __init__(self, rig: Rig) -> None:
        """Watch both leads from now on, while their pulses cross electrodes."""
        self._rig = rig
        self.seen = Seen()
        for side in SIDES:
            rig.board.pin(SIDES[side][0]).on_edge(self._on_edge)

    def _on_edge(self, _level: bool, _time_ns: int) -> None:
        if self._rig.joined:
            self.seen.edges += 1
            busy = self._rig.board.flash.busy
            self.seen.programming += busy
            self.seen.awake += busy or not self._rig.board.mcu.core.waiting
