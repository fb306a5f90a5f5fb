"""The style of all pictures: one palette, SVG, the same bytes for the same data.

A page is read on a telephone, on a wide screen and on paper, in daylight and at night. So a chart of a page
is drawn twice, for a narrow and for a wide page, at a size in which its text is readable, and its colours are
names that the page gives a value to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure as Canvas

__all__ = (
    "ACCENT",
    "COLORS",
    "FILE",
    "GOOD",
    "INK",
    "LEAD_COLORS",
    "LEAD_STYLES",
    "MUTED",
    "NARROW",
    "WIDE",
    "Chart",
    "Layout",
    "Picture",
    "canvas",
    "finish",
    "picture_of",
    "render",
)

# Told apart with every common kind of colour blindness; line styles differ too.
LEAD_COLORS = ("#1f5fa8", "#b8510a")
LEAD_STYLES = ("-", (0, (4, 1.5)))
ACCENT = "#a3123f"
GOOD = "#2e7d32"
INK = "#1d2733"
MUTED = "#5b6773"
GRID = "#dfe4ea"
RAMP, HOLD = "#e6eef7", "#d2e2f2"

COLORS = {
    INK: ("ink", "#e6edf3"),
    MUTED: ("muted", "#a3b0bd"),
    GRID: ("line", "#333d47"),
    LEAD_COLORS[0]: ("left", "#6cb0ff"),
    LEAD_COLORS[1]: ("right", "#f0995a"),
    ACCENT: ("accent", "#ff8aa6"),
    GOOD: ("good", "#74cf7a"),
    RAMP: ("ramp", "#1b2735"),
    HOLD: ("hold", "#24374b"),
}
"""By colour on a light page: its name, and the colour on a dark page. Others are the same on both."""

_PX_PER_INCH = 72  # of matplotlib's SVG files
_FONT_PX = 11.5
_ID = re.compile(r"(?:^|url\()#(\w+)")
_FAMILY = re.compile(r"font-family: [^;]*")
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
    "axes.titlesize": "medium",
    "axes.labelsize": "medium",
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "legend.fontsize": "medium",
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Layout:
    """What a chart is drawn for.

    Attributes:
        name: `wide`, `narrow` or `file`.
        width_px: of the chart. A page shows it at this size or larger, never smaller.
        text: whether text stays text, in the page's font; else it is drawn, the same everywhere.
    """

    name: str
    width_px: int
    text: bool = True

    @property
    def is_narrow(self) -> bool:
        """Whether panels stand one below the other."""
        return self.name == "narrow"


WIDE = Layout("wide", 620)
NARROW = Layout("narrow", 320)
FILE = Layout("file", 620, text=False)


@dataclass(frozen=True)
class Chart:
    """How a picture is made.

    Attributes:
        title, alt, caption: as of Picture.
        height_px: of the wide and of the narrow layout.
        paint: draws it on an empty canvas.
    """

    title: str
    alt: str
    caption: str
    height_px: tuple[int, int]
    paint: Callable[[Canvas, Layout], None]


@dataclass(frozen=True)
class Picture:
    """A finished picture. `alt` says in words what it shows, for whoever cannot see it.

    Attributes:
        wide, narrow: elements for an HTML page, whose colours are CSS variables named as in COLORS.
    """

    title: str
    alt: str
    caption: str
    wide: str
    narrow: str


@contextmanager
def canvas(width: float, height: float) -> Iterator[Canvas]:
    """An empty canvas of `width` by `height` inches; nothing global is touched after the context."""
    with matplotlib.rc_context(_STYLE):
        yield Canvas(figsize=(width, height))


def finish(drawn: Canvas, title: str) -> bytes:
    """The canvas as an SVG file, without a date, so that equal data make equal bytes."""
    # Ids inside an SVG are random without a salt. With one a picture they differ in one page.
    with matplotlib.rc_context({"svg.hashsalt": f"stimbench {title}"}):
        buffer = BytesIO()
        drawn.savefig(buffer, format="svg", metadata={"Date": None, "Title": title})
        return buffer.getvalue()


def render(chart: Chart, layout: Layout) -> bytes:
    """A chart as an SVG file."""
    style: Any = {"font.size": _FONT_PX}
    if layout.text:
        style |= {"svg.fonttype": "none", "figure.facecolor": "none", "axes.facecolor": "none"}
    with matplotlib.rc_context(_STYLE | style):
        height_px = chart.height_px[layout.is_narrow]
        drawn = Canvas(figsize=(layout.width_px / _PX_PER_INCH, height_px / _PX_PER_INCH))
        chart.paint(drawn, layout)
        return finish(drawn, f"{chart.title}, {layout.name}")


def picture_of(chart: Chart) -> Picture:
    """A chart for a page."""
    wide, narrow = (_element(render(chart, layout)) for layout in (WIDE, NARROW))
    return Picture(chart.title, chart.alt, chart.caption, wide, narrow)


def _element(svg: bytes) -> str:
    """The element of an SVG file for a page, with the page's names for colours and font."""
    root = ElementTree.fromstring(svg)
    values = [value for element in root.iter() for value in element.attrib.values()]
    referred = {name for value in values for name in _ID.findall(value)}
    for parent in list(root.iter()):
        parent.tag = _bare(parent.tag)
        parent.attrib = {_bare(name): _styled(value) for name, value in parent.attrib.items()}
        parent.text, parent.tail = (parent.text or "").strip(), None
        if parent.get("id") not in referred:
            # Groups have the same ids in each picture; a page must not.
            parent.attrib.pop("id", None)
        for child in list(parent):
            if _bare(child.tag) in ("metadata", "style", "title"):
                parent.remove(child)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    return ElementTree.tostring(root, encoding="unicode")


def _bare(name: str) -> str:
    return name.rpartition("}")[2]


def _styled(value: str) -> str:
    for color, (name, _) in COLORS.items():
        value = value.replace(color, f"var(--{name})")
    return _FAMILY.sub("font-family: var(--font)", value)
