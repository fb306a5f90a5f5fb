"""Every row of the benchmark, in the order of the table."""

from __future__ import annotations

from stimbench.benchmarks.campaign import resuming
from stimbench.benchmarks.captures import accuracy, analysis, planted
from stimbench.benchmarks.emulator import cores, speed
from stimbench.benchmarks.harness.model import Row
from stimbench.benchmarks.output import (
    calibrated,
    current,
    hanging,
    impedance,
    magnet,
    naive,
    quiet,
    resources,
    stopping,
    timing,
    watched,
    watching,
)
from stimbench.benchmarks.page.first import PAGE_FIRST
from stimbench.benchmarks.page.frames import PAGE_FRAMES
from stimbench.benchmarks.page.memory import PAGE_MEMORY
from stimbench.benchmarks.page.speed import PAGE_SPEED
from stimbench.benchmarks.radio import (
    attacked,
    attacks,
    flood,
    forgery,
    heap,
    loss,
    modem,
    pairing,
    reply,
    stop,
)
from stimbench.benchmarks.therapy import cuts, journal, sessions
from stimbench.benchmarks.therapy.stopping import STOP_OF_IMPLANT
from stimbench.benchmarks.tools import bringup, fuzz, plan, start

__all__ = ("ROWS", "chosen")

ROWS: tuple[Row, ...] = (
    timing.TIMING,
    current.AMPLITUDE,
    calibrated.AMPLITUDE_CALIBRATED,
    current.NET_DC,
    current.REFUSED,
    impedance.IMPEDANCE,
    calibrated.IMPEDANCE_CALIBRATED,
    stopping.STOP,
    magnet.MAGNET,
    hanging.HANG,
    quiet.QUIET,
    resources.READY,
    resources.HEAP,
    resources.CPU,
    watched.WATCH,
    watching.WATCHING,
    sessions.SESSION,
    sessions.QUIET_SESSIONS,
    STOP_OF_IMPLANT,
    cuts.CUTS,
    journal.JOURNAL,
    reply.REPLY,
    stop.STOP_RADIO,
    pairing.PAIRING,
    loss.LOSS,
    forgery.FORGERY,
    flood.FLOOD,
    attacked.ATTACKED,
    attacks.ATTACK_SUITE,
    fuzz.FUZZ,
    heap.HEAP_CHANNEL,
    modem.MODEM,
    PAGE_FRAMES,
    PAGE_FIRST,
    PAGE_SPEED,
    PAGE_MEMORY,
    cores.COMPARISONS,
    speed.SPEED,
    cores.RATIOS,
    naive.NAIVE,
    resuming.CAMPAIGN,
    analysis.ANALYSIS,
    accuracy.ACCURACY,
    planted.PLANTED,
    bringup.BRINGUP,
    plan.PLAN,
    start.START,
)


def chosen(names: list[str]) -> list[Row]:
    """The rows of these names, or all.

    Raises:
        ValueError: there is no such row.
    """
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            raise ValueError(f"There is no figure '{name}'; there are: {', '.join(known)}.")
    return [row for row in ROWS if not names or row.name in names]
