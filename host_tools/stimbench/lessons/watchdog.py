"""Lesson 7, why a watchdog: what turns the output off when the processor does nothing any more."""

from __future__ import annotations

from typing import Any

import numpy as np

from stimbench.capture.capture import Capture
from stimbench.lessons.drawing import LEFT, draw_bars, points_of
from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.report.style import ACCENT, INK, MUTED, Chart

__all__ = ("STEPS",)

_GATE_MS = 120.0  # of the monostable, docs/hardware.md
_GATE_OFF_MS = 0.1
_OFF_LIMIT_MS = 150.0  # docs/figures.md: CPU hung until the output is off
_WATCHDOG_S = 2.0  # docs/firmware.md
_WATCHDOG_OFF_S = 0.1
_BEFORE_NS, _AFTER_NS = 120_000_000, 330_000_000
_FLOWS_UA = 1.0


def hung(capture: Capture, hung_ns: int, closed_ns: int, reset_ns: int) -> Findings:
    """After a hang: when the gate closed and the current ended, what the pins did then, and the reset."""
    keepalive = capture.edges("stimulator.KEEPALIVE").rises_ns
    pulses = capture.edges("stimulator.L_CATH").rises_ns
    gate_ms = (closed_ns - int(keepalive[keepalive < hung_ns][-1])) / 1e6
    off_ms, reset_s = (closed_ns - hung_ns) / 1e6, (reset_ns - hung_ns) / 1e9
    current_ms = (_last_current_ns(capture) - hung_ns) / 1e6
    ghosts = int(np.sum((pulses > closed_ns) & (pulses < reset_ns)))
    limit = 0, _OFF_LIMIT_MS, "limit"
    numbers = {
        "gate_ms": Number(
            "last KEEPALIVE until the gate closed", gate_ms, "ms", 1, _GATE_MS, _GATE_OFF_MS, "the monostable"
        ),
        "off_ms": Number("hang until the gate closed", off_ms, "ms", 1, *limit),
        "current_ms": Number("hang until the last current", current_ms, "ms", 1, *limit),
        "ghosts": Number("pulses at the pins after that", ghosts, "", 0),
        "reset_s": Number(
            "hang until the reset", reset_s, "s", 2, _WATCHDOG_S, _WATCHDOG_OFF_S, "the watchdog"
        ),
    }
    return Findings(numbers, _picture(capture, hung_ns, closed_ns))


def magnet(capture: Capture, magnet_ns: int) -> Findings:
    """A magnet comes while the processor hangs: how long current flowed then, and what the pins still did."""
    pulses = capture.edges("stimulator.L_CATH").rises_ns
    after_ms = max(0, _last_current_ns(capture) - magnet_ns) / 1e6
    return Findings(
        {
            "magnet_ms": Number(
                "magnet until the last current", after_ms, "ms", 3, 0, 0.001, "at once, in hardware"
            ),
            "magnet_ghosts": Number("pulses at the pins after that", int(np.sum(pulses > magnet_ns)), "", 0),
        }
    )


def _last_current_ns(capture: Capture) -> int:
    """When the left lead's current last flowed."""
    current = capture.current("I_LEFT")
    flows = np.maximum(np.abs(current.i0_ua), np.abs(current.i1_ua)) > _FLOWS_UA
    return int(current.t1_ns[flows].max())


def _picture(capture: Capture, hung_ns: int, closed_ns: int) -> Drawing:
    span = capture.between(hung_ns - _BEFORE_NS, hung_ns + _AFTER_NS)
    times_us, current_ua = points_of(span.current("I_LEFT"), span.start_ns, span.end_ns, hung_ns)
    lanes = {"KEEPALIVE": "stimulator.KEEPALIVE", "cathodic pin": "stimulator.L_CATH"}

    def paint(drawn: Any, _: Any) -> None:
        pins, current = drawn.subplots(2, 1, sharex=True, height_ratios=(1, 1.2))
        draw_bars(pins, span, lanes, hung_ns, 1e6)
        for row, signal in enumerate(
            reversed(lanes.values())
        ):  # pulses of microseconds would be too thin to see
            rises = (span.edges(signal).rises_ns - hung_ns) / 1e6
            pins.vlines(rises, row - 0.35, row + 0.35, color=LEFT, linewidth=1.4)
        current.plot(times_us / 1000, current_ua / 1000, color=LEFT, linewidth=1.2)
        current.set(ylabel="current, mA", xlabel="time since the processor hung, ms", ylim=(-2.5, 3.6))
        for axes in (pins, current):
            axes.axvline(0, color=MUTED, linewidth=1.2)
            axes.axvline((closed_ns - hung_ns) / 1e6, color=ACCENT, linewidth=1.2)
        current.text(-3, 3.0, "processor hangs", ha="right", va="center", color=INK)
        current.text((closed_ns - hung_ns) / 1e6 + 3, 3.0, "gate closes", va="center", color=ACCENT)

    data = {"at": list(times_us), "current": list(current_ua), "gate": [(closed_ns - hung_ns) / 1000]}
    return Drawing("7-hung.svg", Chart("The processor hangs", "", "", (290, 290), paint), data)


STEPS: dict[str, Step] = {"hung": hung, "magnet": magnet}
