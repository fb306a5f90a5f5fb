"""A run as one file: its parts, its content security policy, hostile texts, and the record whole."""

import base64
import re
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from stimbench import __version__
from stimbench.errors import BenchError
from stimbench.web import saved_page as module
from stimbench.web.muscles import Muscles
from stimbench.web.record import MEASURED, QUANTITIES, Record
from stimbench.web.run_file import Run, RunConfig, from_link
from stimbench.web.saved_page import STATIC, saved_page
from stimbench.web.saved_run import firmware_images, packed, unpacked
from stimbench.web.views import VIEWS
from support.saved_runs import about_of, blocks_of, noisy_record, saved_of

HOSTILE = "</script><script>alert(1)</script><!--{{script}}-->\u2028&amp;\"'"


class Read(HTMLParser):
    """What a browser makes of a file: elements with their attributes and texts."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])

    def handle_data(self, data):
        if self.elements:
            self.elements[-1][2] += data

    def handle_endtag(self, tag):
        self.elements.append(["", {}, ""])  # what follows is not the element's own

    def all(self, tag):
        return [(attributes, text) for name, attributes, text in self.elements if name == tag]


@pytest.fixture(scope="module")
def record():
    return noisy_record(1, points=2000, pulses=50)


@pytest.fixture(scope="module")
def page(record):
    run = Run(config=RunConfig(seed=7), actions=[(5, "stop", {"why": HOSTILE})], until_ns=record.end_ns)
    return saved_page(saved_of(record, run, firmware={"stimulator": {"build": HOSTILE}}))


def test_the_policy_lets_the_file_s_own_script_and_style_run_and_nothing_else(page):
    read = Read(page)
    (policy,) = [
        a["content"] for a, _ in read.all("meta") if a.get("http-equiv") == "Content-Security-Policy"
    ]
    said = dict(part.split(" ", 1) for part in policy.split("; "))

    def hash_of(text):
        return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"

    scripts = [text for attributes, text in read.all("script") if attributes["type"] == "module"]
    (style,) = [text for _, text in read.all("style")]
    assert said == {
        "default-src": "'none'", "script-src": hash_of(scripts[0]), "style-src": hash_of(style),
        "img-src": "data: blob:", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    assert len(scripts) == 1
    # The policy comes before what it is about.
    assert page.index(b"Content-Security-Policy") < page.index(b"<style>")


def test_nothing_in_the_file_is_fetched_from_elsewhere(page):
    for tag, attributes, _ in Read(page).elements:
        for name in ("src", "href", "srcset", "action", "data", "style"):
            value = attributes.get(name, "")
            assert not value or value.startswith("#") or value == "data:,", (tag, name, value)
        assert not [name for name in attributes if name.startswith("on")]
    assert b"@import" not in page
    assert b"url(" not in page


def test_hostile_texts_stay_texts(page):
    read = Read(page)
    kinds = [attributes["type"] for attributes, _ in read.all("script")]
    assert kinds.count("application/json") == 1
    assert kinds.count("module") == 1
    assert set(kinds) == {"application/json", "application/octet-stream", "module"}
    about = about_of(page)
    assert about["actions"] == [[5, "stop", {"why": HOSTILE}]]
    assert about["firmware"] == {"stimulator": {"build": HOSTILE}}
    (text,) = [text for attributes, text in read.all("script") if attributes.get("id") == "saved-about"]
    assert not re.search("[<>&\u2028\u2029]", text)


def test_the_file_says_what_the_run_is_and_repeats_it(page, record):
    about = about_of(page)
    assert about["stimbench"] == __version__
    assert about["config"]["seed"] == 7
    assert about["end_ns"] == record.end_ns
    run = from_link(about["link"])
    assert run.config.seed == 7
    assert run.actions == [(5, "stop", {"why": HOSTILE})]
    assert run.until_ns == record.end_ns


def test_the_record_is_whole(page, record):
    blocks = blocks_of(page)
    for name, lead in record.leads.items():
        for quantity in QUANTITIES:
            line = lead.lines[quantity]
            assert np.array_equal(blocks[f"{name}.{quantity}.times"], line.times_ns)
            assert np.array_equal(blocks[f"{name}.{quantity}.values"], line.values)
            assert blocks[f"{name}.{quantity}.values"].dtype == np.float32
        for field in MEASURED.names:
            assert np.array_equal(blocks[f"{name}.pulses.{field}"], lead.pulses[field])
    assert blocks["told"]["states"] == []


@given(
    st.sampled_from(["<i8+", "<i8", "<i4", "<f4", "<u2"]).flatmap(
        lambda form: arrays.arrays(form.removesuffix("+"), st.integers(0, 40)).map(lambda some: (form, some))
    )
)
def test_packing_loses_nothing(given_array):
    form, values = given_array
    if form == "<i8+":
        values = np.sort(np.abs(values >> 8))
    found = unpacked(form, len(values), packed(form, values))
    assert found.tobytes() == values.tobytes()


def test_the_muscles_forces_are_the_series_that_the_page_was_told(record):
    muscles = record.memory["leads"] = Muscles()
    told = muscles.follow(record)
    blocks = blocks_of(saved_page(saved_of(record)))
    for name, side in told["sides"].items():
        series = blocks[f"{name}.force"].tolist()
        assert series[-400:] == side["force"]
        assert len(series) == told["to_ns"] // told["step_ns"] + 1
        assert max(series) > 0


def test_a_run_that_has_just_begun_can_be_saved():
    blocks = blocks_of(saved_page(saved_of(Record())))
    assert len(blocks["left.current.times"]) == 0
    assert blocks["right.force"].tolist() == [0]


def test_uplot_s_licence_stands_in_the_file(page):
    assert "Permission is hereby granted, free of charge" in page.decode()
    assert "Leon Sorokin" in page.decode()


def test_the_views_of_the_file_are_those_of_the_bench():
    names = re.findall(r"import \* as (\w+)", (STATIC / "saved/views.js").read_text())
    assert sorted(names) == sorted(view.name for view in VIEWS)


def test_a_script_that_would_end_the_element_is_refused(monkeypatch, record):
    read = module._read
    monkeypatch.setattr(
        module, "_read", lambda path: read(path) + ("\n// </SCRIPT>" if path == "dom.js" else "")
    )
    with pytest.raises(BenchError, match="stands in its script"):
        saved_page(saved_of(record))


def test_without_the_page_s_parts_of_others_there_is_an_error(monkeypatch, record, tmp_path):
    monkeypatch.setattr(module, "web_vendor_path", lambda: tmp_path)
    with pytest.raises(BenchError, match="cannot be read"):
        saved_page(saved_of(record))


def test_images_are_known_by_their_hashes():
    found = firmware_images()
    assert set(found) == {"stimulator", "remote"}
    for image in found.values():
        assert image is None or re.fullmatch("[0-9a-f]{64}", image["sha256"])
