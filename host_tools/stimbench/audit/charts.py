"""The pictures of a device's audit: impedances with faults, sessions a day, scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure as Canvas
from stimfw.therapy.ranges import LEADS

from stimbench.audit.adherence import Adherence
from stimbench.audit.leads import Fault, Impedance
from stimbench.audit.outcomes import Score
from stimbench.audit.timeline import DAY_S
from stimbench.report.style import ACCENT, GOOD, LEAD_COLORS, MUTED, Chart, Layout

__all__ = ("adherence_chart", "impedance_chart", "score_chart")

_EPOCH = date(1970, 1, 1)
_MARKERS = ("o", "x")
_SCALES = {"nrs": "NRS, 0-10", "odi": "ODI, %"}


def _days(at_s: int | None) -> float:
    """Matplotlib counts days since 1970."""
    return (at_s or 0) / DAY_S


def _day(on: date) -> float:
    return (on - _EPOCH).days


def _dates(axes: Any, layout: Layout) -> None:
    locator: Any = AutoDateLocator(minticks=3, maxticks=5 if layout.is_narrow else 8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def impedance_chart(measured: Sequence[Impedance], found: Sequence[Fault]) -> Chart | None:
    """Impedances of both leads over time, with faults as lines; None if nothing is dated."""
    known = [each for each in measured if each.at_s is not None and each.kind == "ok"]
    bad = [each for each in measured if each.at_s is not None and each.kind in ("open", "short")]
    times = [each.at_s for each in found if each.at_s is not None]
    if not known and not bad:
        return None

    def paint(drawn: Canvas, layout: Layout) -> None:
        axes = drawn.add_subplot()
        for lead, name in enumerate(LEADS):
            of_lead = [each for each in known if each.lead == lead]
            axes.plot([_days(each.at_s) for each in of_lead], [each.ohm for each in of_lead],
                      color=LEAD_COLORS[lead], linestyle="none", marker=_MARKERS[lead], markersize=4,
                      label=f"{name} lead")  # fmt: skip
        axes.set_ylim(bottom=0)
        if bad:
            # Above the frame: an open pair has no value.
            axes.plot([_days(each.at_s) for each in bad], [0.97] * len(bad), color=ACCENT, marker="v",
                      linestyle="none", markersize=6, transform=axes.get_xaxis_transform(),
                      label="open or short")  # fmt: skip
        for index, at_s in enumerate(times):
            axes.axvline(_days(at_s), color=ACCENT, linewidth=1, linestyle="--",
                         label="" if index else "fault")  # fmt: skip
        axes.set_title("ohm", fontweight="normal")
        _dates(axes, layout)
        drawn.legend(loc="outside upper left", ncols=2)

    return Chart(
        "Impedance of the leads",
        f"{len(known)} impedances of pairs over time, {len(bad)} open or short, {len(times)} faults.",
        "All pairs that were measured. Dashed lines: the watch found a fault. Triangles: open or short.",
        (250, 280),
        paint,
    )


def adherence_chart(kept: Adherence) -> Chart | None:
    """Complete sessions of each week beside the prescribed ones; None without days."""
    if not kept.days:
        return None
    weeks: dict[date, list[int]] = {}
    for day in kept.days:
        week = weeks.setdefault(day.on - timedelta(days=day.on.weekday()), [0, 0, 0])
        week[0] += 0 if day.unknown else day.prescribed or 0
        week[1] += 0 if day.unknown else day.complete
        week[2] += bool(day.unknown)

    def paint(drawn: Canvas, layout: Layout) -> None:
        axes = drawn.add_subplot()
        begin, rows = [_day(monday) for monday in weeks], list(weeks.values())
        axes.bar(begin, [row[1] for row in rows], width=6, align="edge", color=GOOD, label="complete")
        axes.step(begin, [row[0] for row in rows], where="post", color=MUTED, label="prescribed")
        unknown = [at for at, row in zip(begin, rows, strict=True) if row[2]]
        if unknown:
            axes.plot(unknown, [0.03] * len(unknown), color=ACCENT, marker="^", linestyle="none",
                      transform=axes.get_xaxis_transform(), label="has unknown days")  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_title("sessions a week", fontweight="normal")
        _dates(axes, layout)
        drawn.legend(loc="outside upper left", ncols=2 if layout.is_narrow else 3)

    return Chart(
        "Sessions",
        f"Complete sessions in {len(weeks)} weeks beside the prescribed ones.",
        "Known days only, weeks from Monday. A triangle: the week has days that nothing is known of.",
        (220, 250),
        paint,
    )


def score_chart(found: Sequence[Score]) -> Chart | None:
    """NRS and ODI over time; None without any."""
    known = [name for name in _SCALES if any(score.name == name for score in found)]
    if not known:
        return None

    def paint(drawn: Canvas, layout: Layout) -> None:
        shape = (len(known), 1) if layout.is_narrow else (1, len(known))
        panels = drawn.subplots(*shape, squeeze=False).flat
        for axes, name in zip(panels, known, strict=True):
            values = sorted((score.on, score.value) for score in found if score.name == name)
            days = [_day(on) for on, _ in values]
            axes.plot(days, [value for _, value in values], color=LEAD_COLORS[0], marker="o")
            axes.set_ylim(0, 10.5 if name == "nrs" else 105)
            axes.set_title(_SCALES[name], fontweight="normal")
            _dates(axes, layout)

    return Chart(
        "Pain and disability", f"{' and '.join(known)} over time.", "Less is better.", (210, 400), paint
    )
