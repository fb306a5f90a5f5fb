"""The demonstration's report in Chromium: readable on a telephone, on wide and dark screens, and on paper."""

from __future__ import annotations

from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from stimbench.demo.run import make_report
from stimbench.report.page import write_html
from support.demo_run import made_up_recording

WIDTHS_PX = (360, 420, 768, 1600)
SCHEMES = ("light", "dark")
PAPER_PX = 718
"""A4 within margins of 1 cm."""
LEAST_TEXT_PX = 11.0
LEAST_CONTRAST = 4.5
"""WCAG 2.1, 1.4.3, level AA."""
OVERLAP_PX = 2.0
"""Boxes of two texts may touch: a box has room above its letters."""

TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement, text = node.textContent.trim();
    const head = element.closest("thead");
    // On a narrow page the table's head is for screen readers only.
    const unseen = head && getComputedStyle(head).position == "absolute";
    if (!text || unseen || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), svg = element.closest("svg");
    const matrix = svg && element.getScreenCTM();
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = svg ? [element.getBoundingClientRect()] : [...range.getClientRects()];
    const edges = box => [box.left, box.top + scrollY, box.right, box.bottom + scrollY];
    found.push({
      text, chart: svg ? [...document.querySelectorAll("svg")].indexOf(svg) : -1,
      px: parseFloat(style.fontSize) * (matrix ? Math.hypot(matrix.a, matrix.b) : 1),
      color: svg ? style.fill : style.color,
      boxes: boxes.map(edges), frame: svg && edges(svg.getBoundingClientRect()),
    });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Pages of a run that holds, and of one that does not."""
    folder = tmp_path_factory.mktemp("reports")
    for name in ("good", "bad"):
        recording = made_up_recording()
        if name == "bad":
            recording.moved_ua = 25
            recording.pairs[0] = recording.pairs[0].__class__(0, 0, 1, 1, 0, 0, 0)
        write_html(make_report(recording, recording.measured()), folder / f"{name}.html")
    return folder


@pytest.fixture
def show(browser, reports):
    """Opens a report: `show("good", 420, "dark")`."""
    pages = []

    def opened(name, width_px, scheme="light", media="screen"):
        page = browser.new_page(viewport={"width": width_px, "height": 900})
        page.emulate_media(media=media, color_scheme=scheme)
        page.goto((reports / f"{name}.html").as_uri())
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()


def luminance(rgb):
    parts = [part / 255 for part in rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def rgb_of(color):
    return tuple(int(float(part)) for part in color[color.index("(") + 1 : -1].split(",")[:3])


def behind(image, box):
    """The colour that most pixels behind a text have."""
    left, top, right, bottom = (int(edge) for edge in box)
    pixels = image[top : max(bottom, top + 1), left : max(right, left + 1)].reshape(-1, 3)
    colors, counts = np.unique(pixels @ np.array([65536, 256, 1]), return_counts=True)
    return tuple(int(colors[counts.argmax()]).to_bytes(3, "big"))


def overlap(one, other):
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return min(across, down)


def assert_readable(page, width_px):
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    texts = page.evaluate(TEXTS)
    in_charts = [text for text in texts if text["chart"] >= 0]
    assert len(in_charts) > 60 and len(texts) > len(in_charts) + 100
    image = np.asarray(Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB"))
    for text in texts:
        said = text["text"]
        assert text["px"] >= LEAST_TEXT_PX, said
        for box in text["boxes"]:
            assert box[0] >= 0 and box[2] <= width_px + 0.5, f"{said} is outside of the page"
            assert contrast(rgb_of(text["color"]), behind(image, box)) >= LEAST_CONTRAST, said
    for text in in_charts:
        (box,), frame = text["boxes"], text["frame"]
        assert all(box[k] >= frame[k] - 1 and box[k + 2] <= frame[k + 2] + 1 for k in (0, 1)), text["text"]
    for one, other in combinations(in_charts, 2):
        if one["chart"] == other["chart"]:
            together = overlap(one["boxes"][0], other["boxes"][0])
            assert together <= OVERLAP_PX, f"{one['text']} lies over {other['text']}"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_it_is_readable(show, width_px, scheme):
    page = show("good", width_px, scheme)
    background = rgb_of(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (luminance(background) > 0.5) == (scheme == "light")
    assert_readable(page, width_px)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_run_that_failed_is_readable(show, scheme):
    assert_readable(show("bad", 420, scheme), 420)


@pytest.mark.parametrize("width_px", [669, 670])
def test_it_is_readable_on_both_sides_of_the_change_of_layout(show, width_px):
    assert_readable(show("good", width_px), width_px)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_is_readable_on_paper_and_paper_is_white(show, scheme):
    page = show("bad", PAPER_PX, scheme, media="print")
    assert rgb_of(page.evaluate("getComputedStyle(document.body).backgroundColor")) == (255, 255, 255)
    assert_readable(page, PAPER_PX)
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize(("width_px", "media"), [(360, "screen"), (1600, "screen"), (PAPER_PX, "print")])
def test_pulse_and_contraction_come_first_and_what_failed_before_what_held(show, width_px, media):
    page = show("bad", width_px, media=media)
    tops = [
        page.locator(selector).first.bounding_box()["y"]
        for selector in (
            ".verdict.fail", "text=Amplitude after the electrodes were moved: 25 uA",
            "h3:has-text('One pulse')", "h3:has-text('Contraction')", "table", "h3:has-text('STOP by radio')",
        )
    ]  # fmt: skip
    assert tops == sorted(tops)
    results = [result.strip() for result in page.locator("td.result").all_text_contents()]
    failed = results.index("✓ holds")
    assert failed == 2 and set(results[:failed]) == {"✗ fails"} and set(results[failed:]) == {"✓ holds"}


@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_one_of_the_two_drawings_of_each_chart_is_shown(show, width_px):
    page = show("good", width_px)
    shown = page.evaluate(
        "[...document.querySelectorAll('.chart')].filter(e => e.checkVisibility()).map(e => e.className)"
    )
    assert shown == ["chart narrow" if width_px < 670 else "chart wide"] * 5
