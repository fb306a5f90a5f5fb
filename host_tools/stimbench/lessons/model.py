"""What a step of a lesson finds: numbers, each beside the same number worked out by hand, and a picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from stimbench.report.style import FILE, Chart, render

__all__ = ("Drawing", "Findings", "Number", "Step", "fingerprint_in")

_DIGITS = 4
"""Significant digits of a picture's data that make its fingerprint: another machine rounds its last ones."""
_MARK = "data of this picture: "


@dataclass(frozen=True)
class Number:
    """One measured number.

    Attributes:
        label: what it is, in words.
        value: measured, in `unit`.
        unit: such as `uA`; empty for a count.
        decimals: how many are shown.
        by_hand: what the programme, Ohm's law or a limit says, in `unit`; None if nothing does.
        within: how far `value` may be from `by_hand`, in `unit`.
        how: where `by_hand` comes from, in a few words.
    """

    label: str
    value: float
    unit: str = ""
    decimals: int = 0
    by_hand: float | None = None
    within: float = 0.0
    how: str = ""

    @property
    def text(self) -> str:
        """The value as a lesson's text has it, without the unit."""
        return self._shown(self.value)

    @property
    def by_hand_text(self) -> str:
        """The value by hand, in the same form; empty if there is none. A limit is `up to` it."""
        if self.by_hand is None:
            return ""
        return (
            f"up to {self._shown(self.within)}"
            if self.by_hand == 0 < self.within
            else self._shown(self.by_hand)
        )

    @property
    def holds(self) -> bool:
        """Whether it is what it should be; what is not a number never is."""
        return self.by_hand is None or abs(self.value - self.by_hand) <= self.within

    def _shown(self, value: float) -> str:
        text = f"{value:.{self.decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text


@dataclass(frozen=True)
class Drawing:
    """A picture of a lesson, and the data that went into it.

    Attributes:
        file: its name, as in the lesson's text.
        chart: how it is drawn.
        data: the measured series that it shows, by name.
    """

    file: str
    chart: Chart
    data: Mapping[str, Iterable[float]]

    @property
    def fingerprint(self) -> str:
        """Of the data: equal measurements have equal ones, however the picture is drawn."""
        rounded = {name: [_rounded(value) for value in series] for name, series in self.data.items()}
        return hashlib.sha256(json.dumps(rounded, sort_keys=True).encode()).hexdigest()[:16]

    def svg(self) -> bytes:
        """The picture as a file, with the fingerprint in a comment."""
        head, tag, rest = render(self.chart, FILE).partition(b"<svg")
        return head + f"<!-- {_MARK}{self.fingerprint} -->\n".encode() + tag + rest


@dataclass(frozen=True)
class Findings:
    """What came of a step: numbers by the names that the lesson's text uses, and a picture."""

    numbers: Mapping[str, Number] = field(default_factory=dict)
    drawing: Drawing | None = None


Step: TypeAlias = Callable[..., Findings]
"""Takes what its listing has left, by the names of its parameters."""


def fingerprint_in(svg: str) -> str:
    """The fingerprint in the text of a picture's file; empty if it has none."""
    return svg.partition(_MARK)[2].partition(" ")[0]


def _rounded(value: Any) -> float:
    number = float(f"{float(value):.{_DIGITS}g}")
    return 0.0 if abs(number) < 1e-9 else number
