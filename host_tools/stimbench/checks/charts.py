"""The pictures of a run's report, drawn from what each result holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas
from stimfw.therapy.ranges import LEADS

from stimbench.checks.outcome import CaseResult
from stimbench.report.style import ACCENT, LEAD_COLORS, LEAD_STYLES, MUTED, Chart, Layout

__all__ = ("case_charts", "neighbourhood_charts")

_TIMES = ("width", "gap", "period")


def case_charts(result: CaseResult) -> list[Chart]:
    """Overlaid pulses, envelope, timing errors and charge balance of one case; what it has of these."""
    leads = result.picture.get("leads", {})
    if not leads:
        return []
    return [
        _overlay(result.name, leads),
        _envelope(result.name, leads),
        _histograms(result.name, leads),
        _charge(result.name, leads),
    ]


def neighbourhood_charts(result: CaseResult) -> list[Chart]:
    """What both leads did around the failing pulses of a case, one picture each."""
    return [_neighbourhood(result.name, each) for each in result.picture.get("neighbourhoods", [])]


def _numbers(values: list[float | None]) -> Any:
    return np.array([np.nan if each is None else each for each in values], dtype=np.float64)


def _overlay(name: str, leads: dict[str, Any]) -> Chart:
    def paint(drawn: Canvas, layout: Layout) -> None:
        shape = (len(leads), 1) if layout.is_narrow else (1, len(leads))
        panels = np.atleast_1d(drawn.subplots(*shape, sharey=True))
        for axes, (lead, data) in zip(panels, leads.items(), strict=True):
            color = LEAD_COLORS[LEADS.index(lead)]
            times_us = data["overlay"]["us"]
            for trace in data["overlay"]["ua"]:
                axes.plot(times_us, _numbers(trace) / 1000, color=color, linewidth=0.8, alpha=0.5)
            axes.axhline(0, color=MUTED, linewidth=0.8)
            axes.set_title(f"{lead} lead, mA", fontweight="normal")
            axes.set_xlabel("time since the cathodic edge, us")

    counts = ", ".join(f"{len(data['overlay']['ua'])} of the {lead} lead" for lead, data in leads.items())
    return Chart(
        "Pulses laid over each other",
        f"Current of some pulses of the hold, each drawn from its own cathodic edge on: {counts}.",
        f"{name}. Pulses of the hold, spread over the session: {counts}. Cathodic is negative.",
        (240, 420),
        paint,
    )


def _envelope(name: str, leads: dict[str, Any]) -> Chart:
    def paint(drawn: Canvas, layout: Layout) -> None:
        axes = drawn.add_subplot()
        for lead, data in leads.items():
            at = LEADS.index(lead)
            level_ma = _numbers(data["envelope_ua"]) / 1000
            axes.plot(data["envelope_s"], level_ma, color=LEAD_COLORS[at], linestyle="none",
                      marker=("o", "x")[at], markersize=3, label=f"{lead} lead")  # fmt: skip
        axes.set(xlabel="time, s")
        axes.set_ylim(bottom=0)
        axes.set_title("amplitude of the cathodic phase, mA", fontweight="normal")
        drawn.legend(loc="outside upper left", ncols=2)

    return Chart(
        "Contractions",
        "Amplitude of the pulses over time: ramps, holds and rests.",
        f"{name}. Each mark is a pulse.",
        (230, 240),
        paint,
    )


def _histograms(name: str, leads: dict[str, Any]) -> Chart:
    names = [each for each in _TIMES if any(each in data["histograms"] for data in leads.values())]

    def paint(drawn: Canvas, layout: Layout) -> None:
        shape = (len(names), 1) if layout.is_narrow else (1, len(names))
        panels = np.atleast_1d(drawn.subplots(*shape))
        for axes, kind in zip(panels, names, strict=True):
            for lead, data in leads.items():
                found, at = data["histograms"].get(kind), LEADS.index(lead)
                if found:
                    edges = np.linspace(found["low_ns"], found["high_ns"], len(found["counts"]) + 1)
                    axes.stairs(found["counts"], edges, color=LEAD_COLORS[at], linestyle=LEAD_STYLES[at])
            axes.set_title(f"{kind}, error in ns", fontweight="normal")

    return Chart(
        "Timing errors",
        "Histograms of the errors of widths, gaps and periods of both leads.",
        f"{name}. Every phase, gap and period against the programme; left drawn through, right dashed.",
        (190, 420),
        paint,
    )


def _charge(name: str, leads: dict[str, Any]) -> Chart:
    def paint(drawn: Canvas, layout: Layout) -> None:
        axes = drawn.add_subplot()
        for lead, data in leads.items():
            at = LEADS.index(lead)
            net, charge = _numbers(data["net_nc"]), _numbers(data["cathodic_nc"])
            with np.errstate(invalid="ignore", divide="ignore"):
                percent = np.where(charge > 0, net / charge * 100, np.nan)
            axes.plot(data["envelope_s"], percent, color=LEAD_COLORS[at], linestyle="none",
                      marker=("o", "x")[at], markersize=3, label=f"{lead} lead")  # fmt: skip
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set(xlabel="time, s")
        axes.set_title("net charge of a pulse, % of its cathodic phase", fontweight="normal")
        drawn.legend(loc="outside upper left", ncols=2)

    return Chart(
        "Charge balance",
        "Net charge of each pulse over time, as a share of its cathodic phase.",
        f"{name}. What passive recharge has to take back after each pulse.",
        (230, 240),
        paint,
    )


def _neighbourhood(name: str, data: dict[str, Any]) -> Chart:
    def paint(drawn: Canvas, layout: Layout) -> None:
        axes = drawn.add_subplot()
        for row, (lead, spans) in enumerate(data["leads"].items()):
            color = LEAD_COLORS[LEADS.index(lead)]
            for begin, end, cathodic in spans:
                # A pulse is far shorter than a period: drawn at least as wide as can be seen.
                width = max(end - begin, (data["to_ms"] - data["from_ms"]) / 200)
                low = -0.38 if cathodic else 0.02
                axes.broken_barh([(begin, width)], (-row + low, 0.36), color=color)
            axes.text(0.005, -row + 0.42, f"{lead} lead: anodic above, cathodic below",
                      transform=axes.get_yaxis_transform(), va="bottom")  # fmt: skip
        axes.axvline(0, color=ACCENT, linewidth=1.2)
        axes.set(xlim=(data["from_ms"], data["to_ms"]), ylim=(-len(data["leads"]) + 0.4, 0.75), yticks=[])
        axes.set_xlabel("time from the finding, ms")
        axes.grid(visible=False)

    where = f"{data['lead']} {data['kind']}".strip()
    return Chart(
        f"{where} at {data['time_s']:.6f} s",
        f"Phases of both leads around {data['time_s']:.6f} s, where this was found: {data['text']}.",
        f"{name}. {data['text'][:1].upper()}{data['text'][1:]}.",
        (170, 190),
        paint,
    )
