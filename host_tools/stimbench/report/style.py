"""The style of all pictures: one palette, SVG, the same bytes for the same data."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure as Canvas

__all__ = ("ACCENT", "INK", "LEAD_COLORS", "MUTED", "Picture", "canvas", "finish")

# Told apart with every common kind of colour blindness; line styles differ too.
LEAD_COLORS = ("#1f5fa8", "#c2570c")
LEAD_STYLES = ("-", (0, (4, 1.5)))
ACCENT = "#a3123f"
INK = "#1d2733"
MUTED = "#66727f"
GRID = "#dfe4ea"

# Any: matplotlib types the keys as a closed set of literals.
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 10,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    # Ids inside an SVG are random otherwise.
    "svg.hashsalt": "stimbench",
}


@dataclass(frozen=True)
class Picture:
    """A finished picture. `alt` says in words what it shows, for whoever cannot see it."""

    title: str
    alt: str
    caption: str
    svg: bytes

    @property
    def data_uri(self) -> str:
        """The picture as the `src` of an image."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode("ascii")


@contextmanager
def canvas(width: float, height: float) -> Iterator[Canvas]:
    """An empty canvas of `width` by `height` inches; nothing global is touched after the context."""
    with matplotlib.rc_context(_STYLE):
        yield Canvas(figsize=(width, height))


def finish(drawn: Canvas, title: str, alt: str, caption: str) -> Picture:
    """The canvas as a picture, without a date, so that equal data make equal bytes."""
    buffer = BytesIO()
    drawn.savefig(buffer, format="svg", metadata={"Date": None, "Title": title})
    return Picture(title, alt, caption, buffer.getvalue())
