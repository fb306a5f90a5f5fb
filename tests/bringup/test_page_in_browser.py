"""The page of a record in Chromium: readable on a telephone and on a wide dark screen, with its drawings."""

from __future__ import annotations

import pytest
from stimbench.bringup.board_hands import BoardIdentity
from stimbench.bringup.judge import judge
from stimbench.bringup.page import write_record_page
from stimbench.bringup.record import Record, procedure_id
from stimbench.bringup.steps import BLOCKS
from stimbench.bringup.workplace import Facts
from support.bringup import STEPS, clock, right_values

FACTS = Facts(BoardIdentity("e660583883724a2c", "0.1.0", "94d90fb37d19"), "wired", "not calibrated",
              {"meter": "Made-up <1000> & Co, 42"})  # fmt: skip


@pytest.fixture
def record(tmp_path):
    return Record.begin(tmp_path, FACTS, procedure_id(BLOCKS), clock())


def do(record, upto, **last):
    for block, step in STEPS[:upto]:
        values = right_values(step) | (last if step is STEPS[upto - 1][1] else {})
        record.add(block, step, values, judge(step, values))


def text_of(page):
    return " ".join(page.inner_text("main").split())


def test_it_is_readable_everywhere_and_shows_the_drawings(browser, record):
    do(record, 7, **{"with": 5.0})
    path = write_record_page(record, BLOCKS)
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for width_px in (360, 768, 1400):
        page.set_viewport_size({"width": width_px, "height": 900})
        page.emulate_media(color_scheme="dark" if width_px > 768 else "light")
        page.goto(path.as_uri())
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    page.evaluate("document.querySelectorAll('img').forEach(each => each.loading = 'eager')")
    page.evaluate("Promise.all([...document.images].map(each => each.decode()))")
    widths = page.evaluate("[...document.images].map(each => each.naturalWidth)")
    assert len(widths) == sum(len(block.pictures) for block in BLOCKS) and min(widths) > 100
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}, "it needs no other file"
    told = text_of(page)
    assert "Not signed off: 6 of 46 steps passed" in told
    assert "clr-not-joined: The monostable's reset is not joined to the magnet's switch." in told
    assert "Join U_MONO 3 (1R) to the net MAGNET" in told
    assert "Made-up <1000> & Co, 42" in told, "typed text is text"
    assert page.eval_on_selector_all(".outcome.failed", "all => all.length") == 2, "the step, and its block"
    page.close()


def test_a_signed_record_says_who_and_when(browser, record):
    do(record, len(STEPS))
    record.sign("A. Person")
    page = browser.new_page()
    page.goto(write_record_page(record, BLOCKS).as_uri())
    told = text_of(page)
    assert "Signed off by A. Person, 2026-11-30T09:00:47+00:00" in told
    for fact in ("e660583883724a2c", "0.1.0, 94d90fb37d19", "not calibrated", "wired"):
        assert fact in told
    assert page.eval_on_selector_all(".outcome.failed, .outcome.open", "all => all.length") == 0
    page.close()


def test_what_the_readings_do_not_tell_is_a_list_to_look_at(browser, record):
    do(record, 4, **{"4v096": 3.0})
    page = browser.new_page()
    page.goto(write_record_page(record, BLOCKS).as_uri())
    assert page.eval_on_selector_all(".finding li", "all => all.map(each => each.textContent)") == list(
        STEPS[3][1].check
    )
    page.close()
