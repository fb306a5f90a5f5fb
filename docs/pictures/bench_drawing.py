"""The drawing of the bench: boxes, arrows and labels as plain SVG."""

from __future__ import annotations

from collections.abc import Iterator

from stimbench.report.style import ACCENT, INK, LEAD_COLORS, MUTED

_WIDTH, _HEIGHT = 1000, 540
_BOARD, _PART, _WATER = "#eef3f9", "#ffffff", "#dcebf5"
_GREEN, _AMBER, _RED = "#2e7d32", "#d98e04", "#c62828"


def draw_bench() -> str:
    """The host, the remote, the stimulator's signal chain and the two leads, as the text of an SVG file."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="DejaVu Sans, Verdana, Helvetica, sans-serif">',
        "<title>The bench</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>',
        # A background of its own: the drawing is read on white pages and on dark ones.
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="14" fill="#ffffff"/>',
        *_stimulator(),
        *_host(),
        *_remote(),
        *_leads(),
        *_magnet(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(x: int, y: int, width: int, height: int, fill: str = _PART) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" '
        f'stroke="{MUTED}" stroke-width="1.4"/>'
    )


def _text(
    x: int, y: int, text: str, size: int = 13, color: str = INK, bold: bool = False, anchor: str = "middle"
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{color}"{weight}>{text}</text>'


def _arrow(path: str, color: str = INK, dashed: bool = False, both: bool = False) -> str:
    dash = ' stroke-dasharray="7 5"' if dashed else ""
    start = ' marker-start="url(#tip)"' if both else ""
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.8"{dash}{start} '
        'marker-end="url(#tip)"/>'
    )


def _part(x: int, y: int, width: int, height: int, name: str, *lines: str) -> Iterator[str]:
    """A box with a bold name and smaller lines below it, centred."""
    yield _box(x, y, width, height)
    middle = x + width // 2
    top = y + height // 2 + 5 - 9 * len(lines)
    yield _text(middle, top, name, 14, bold=True)
    for index, line in enumerate(lines):
        yield _text(middle, top + 18 * (index + 1), line, 12, MUTED)


def _host() -> Iterator[str]:
    yield _box(30, 60, 200, 130, _BOARD)
    yield _text(130, 90, "Host", 16, bold=True)
    yield _text(130, 118, "stimbench, mpremote", 13)
    yield _text(130, 142, "a clinician's and a", 12, MUTED)
    yield _text(130, 160, "tester's commands", 12, MUTED)
    yield _arrow("M230 125H350", both=True)
    yield _text(288, 115, "USB", 12, MUTED)
    yield _arrow("M130 190V330", dashed=True, both=True)
    yield _text(140, 250, "USB: the remote", 12, MUTED, anchor="start")
    yield _text(140, 267, "as a radio modem", 12, MUTED, anchor="start")


def _remote() -> Iterator[str]:
    yield _box(30, 330, 200, 170, _BOARD)
    yield _text(130, 358, "Remote", 16, bold=True)
    for x, color in ((90, _GREEN), (130, _AMBER), (170, _RED)):
        yield f'<circle cx="{x}" cy="382" r="8" fill="{color}"/>'
    for x, name in ((70, "START"), (130, "STOP"), (190, "STATUS")):
        yield f'<circle cx="{x}" cy="425" r="18" fill="{_PART}" stroke="{INK}" stroke-width="1.6"/>'
        yield _text(x, 462, name, 11)
    yield _text(130, 486, "RP2040, buzzer", 12, MUTED)
    yield _arrow("M230 430H350", ACCENT, dashed=True, both=True)
    yield _text(290, 420, "2.4 GHz", 12, ACCENT)
    yield _text(290, 450, "AES-128", 12, ACCENT)


def _stimulator() -> Iterator[str]:
    yield _box(330, 40, 430, 460, _BOARD)
    yield _text(545, 68, "Stimulator", 16, bold=True)
    yield from _part(
        350, 90, 130, 240,
        "RP2040", "MicroPython", "", "PIO times", "every edge", "", "ADC measures", "every pulse",
    )
    yield from _part(350, 395, 130, 70, "Radio", "nRF24L01+")
    yield from _part(545, 90, 195, 48, "DAC", "amplitude")
    yield from _part(545, 154, 195, 48, "Current pumps", "up to 10 mA")
    yield from _part(545, 218, 195, 48, "H-bridges", "phases, recharge")
    yield from _part(545, 282, 195, 48, "Switch matrix", "which electrodes")
    yield from _part(545, 395, 195, 70, "Monostable", "no KEEPALIVE for 100 ms:", "no supply, no pulses")
    yield _arrow("M480 114H543")
    yield _arrow("M480 242H543")
    yield _arrow("M480 306H543")
    for y in (138, 202, 266):
        yield _arrow(f"M642 {y}V{y + 15}")
    yield _arrow("M415 395V332", both=True)
    yield _arrow("M462 330V372H513V420H543")
    yield _text(468, 364, "KEEPALIVE", 11, MUTED, anchor="start")
    yield _arrow("M740 418H752V242H742")
    yield _arrow("M752 242V178H742")


def _leads() -> Iterator[str]:
    yield _text(883, 84, "Two leads in saline", 14, bold=True)
    yield _text(883, 104, "(or resistors)", 12, MUTED)
    yield f'<path d="M810 175V370Q810 385 825 385H941Q956 385 956 370V175z" fill="{_WATER}"/>'
    glass = "M810 140V370Q810 385 825 385H941Q956 385 956 370V140"
    yield f'<path d="{glass}" fill="none" stroke="{MUTED}" stroke-width="2"/>'
    for x, name, color in ((850, "left", LEAD_COLORS[0]), (916, "right", LEAD_COLORS[1])):
        yield f'<path d="M{x} 128V350" stroke="{color}" stroke-width="4"/>'
        for y in (205, 245, 285, 325):
            yield f'<rect x="{x - 8}" y="{y}" width="16" height="24" rx="4" fill="{color}"/>'
        yield _text(x, 374, name, 12, color, bold=True)
    yield f'<path d="M740 306H785V128H916" fill="none" stroke="{INK}" stroke-width="1.8"/>'


def _magnet() -> Iterator[str]:
    yield (
        f'<path d="M860 420H900A22 22 0 0 1 900 464H860V452H900A10 10 0 0 0 900 432H860z" fill="{_RED}"/>'
        f'<path d="M860 420h14v12h-14zM860 452h14v12h-14z" fill="{MUTED}"/>'
    )
    yield _arrow("M852 442H742", _RED)
    yield _text(885, 488, "Magnet: off at once,", 12, _RED, bold=True)
    yield _text(885, 505, "without software", 12, _RED, bold=True)
