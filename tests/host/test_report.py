"""Figures and the files of a report, from fixed data."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from stimbench.report import Relation, all_passed, judge
from stimbench.report.metrics import YES_OR_NO, as_data, format_number
from stimbench.report.page import Report, write_html, write_json
from stimbench.report.style import COLORS, FILE, LEAD_COLORS, NARROW, WIDE, Chart, picture_of, render


def line(drawn, layout):
    axes = drawn.add_subplot()
    axes.plot([0, 1], [0, 1], color=LEAD_COLORS[0])
    axes.set_title("a title")


LINE = Chart("A line", "A rising <line>", "From 0 to 1.", (120, 100), line)


@pytest.fixture
def report():
    picture = picture_of(LINE)
    return Report(
        title="Fixed & finished",
        summary="A summary.",
        facts=[("Seed", "7")],
        figures=[
            judge("Delay", 3.25, Relation.AT_MOST, 5, "ms", "From <here> to there."),
            judge("Delivered", 1, Relation.EQUAL, 1, YES_OR_NO),
        ],
        pictures=[picture],
        files=[("data.vcd", "the edges")],
        caveats=["CPU times are optimistic."],
        extra={"seed": 7},
    )


@pytest.mark.parametrize(
    ("relation", "good", "bad"),
    [(Relation.AT_MOST, 5, 5.001), (Relation.AT_LEAST, 5, 4.999), (Relation.EQUAL, 5, 5.001)],
)
def test_a_limit_holds_up_to_itself(relation, good, bad):
    assert judge("x", good, relation, 5).passed
    assert not judge("x", bad, relation, 5).passed


@pytest.mark.parametrize("relation", Relation)
def test_what_was_not_measured_does_not_hold(relation):
    figure = judge("x", float("nan"), relation, 5)
    assert not figure.passed
    assert figure.value_text == "not measured"
    assert as_data(figure)["value"] is None
    assert not judge("x", float("inf"), Relation.AT_MOST, 5).passed


def test_no_figures_are_no_success():
    assert not all_passed([])


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (-0.0, "0"), (6e-15, "0"), (0.2042, "0.204"), (24, "24"), (1234.5, "1234")]
)
def test_numbers_are_short(value, text):
    assert format_number(value) == text


def test_yes_or_no_is_told_in_words(report):
    assert (report.figures[1].value_text, report.figures[1].limit_text) == ("yes", "yes")
    assert report.figures[0].limit_text == "at most 5 ms"


class Page(HTMLParser):
    """Tags, and what has a role or links somewhere, with its attributes."""

    void = frozenset({"meta", "img", "br", "link"})

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.links, self.tags, self.ids = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag not in self.void:
            self.open.append(tag)
        if attrs.get("role") == "img":
            self.images.append(attrs)
        if tag in ("a", "link", "script"):
            self.links.append(attrs.get("href", attrs.get("src")))
        if "id" in attrs:
            self.ids.append(attrs["id"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_accessible_and_needs_nothing_beside_it(report, tmp_path):
    write_html(report, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    page = Page(text)
    assert page.open == []
    assert [(image["class"], image["aria-label"]) for image in page.images] == [
        ("chart wide", "A rising <line>"), ("chart narrow", "A rising <line>"),
    ]  # fmt: skip
    assert page.tags.count("svg") == 2 and "img" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    assert page.links == ["data.vcd"]
    assert "http" not in text.replace("http-equiv", "") and "script" not in page.tags
    assert "url(" not in re.sub(r"url\(#\w+\)", "", text)
    assert '<html lang="en">' in text and page.tags.count("h1") == 1


def test_a_chart_of_a_page_has_text_and_the_page_s_colours(report):
    for svg in (report.pictures[0].wide, report.pictures[0].narrow):
        assert ">a title</text>" in svg and "var(--font)" in svg
        assert "var(--left)" in svg and not [color for color in COLORS if color in svg]
    assert report.pictures[0].wide != report.pictures[0].narrow


def test_a_chart_for_a_file_needs_no_page_and_no_font():
    svg = render(LINE, FILE)
    assert svg.startswith(b"<?xml") and b"var(" not in svg and b"<text" not in svg


def test_the_page_tells_verdict_values_limits_and_caveats(report, tmp_path):
    write_html(report, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    for part in (
        "Fixed &amp; finished",
        "All 2 figures hold",
        "3.25 ms",
        "at most 5 ms",
        "From &lt;here&gt;",
    ):
        assert part in text
    assert "CPU times are optimistic." in text


def test_a_failed_figure_stands_at_the_top(report, tmp_path):
    figures = [*report.figures, judge("Jitter", 9, Relation.AT_MOST, 8, "ns")]
    write_html(replace(report, figures=figures), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "1 of 3 figures do not hold" in text and "All" not in text
    assert text.index("Jitter: 9 ns, at most 8 ns is allowed") < text.index("<table")
    rows = [text.index(f'scope="row">{name}<') for name in ("Jitter", "Delay", "Delivered")]
    assert rows == sorted(rows)


def test_the_first_two_pictures_come_before_the_figures(report, tmp_path):
    pictures = [replace(report.pictures[0], title=title) for title in ("One", "Two", "Three")]
    write_html(replace(report, pictures=pictures), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    order = [text.index(part) for part in ("<h3>One", "<h3>Two", "<table", "<h3>Three")]
    assert order == sorted(order)


def test_json_is_data_and_the_same_every_time(report, tmp_path):
    write_json(report, tmp_path / "a.json")
    write_json(report, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["passed"] is True and data["seed"] == 7
    assert data["figures"][0] == {
        "name": "Delay", "value": 3.25, "unit": "ms", "limit": 5.0, "relation": "at most", "passed": True,
        "note": "From <here> to there.",
    }  # fmt: skip


@pytest.mark.parametrize("layout", [WIDE, NARROW, FILE])
def test_a_picture_is_the_same_every_time(layout):
    assert render(LINE, layout) == render(LINE, layout)
