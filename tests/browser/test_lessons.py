"""A learner takes a lesson on the page: each step is done on the bench, and seen to be."""

import pytest
from playwright.sync_api import expect
from support.accessible import findings_in_both_themes
from support.pages import holds

pytestmark = pytest.mark.emulated


def test_a_learner_takes_the_first_lesson(opened):
    holds(opened)
    opened.get_by_role("tab", name="Lessons").click()
    opened.get_by_role("button", name="1. What a biphasic pulse is").click()
    progress = opened.locator("#lessons-progress")
    expect(progress).to_have_text("Step 1 of 6.")
    opened.get_by_role("button", name="Go to Clinician").click()
    expect(opened.get_by_role("tab", name="Clinician")).to_be_focused()
    opened.get_by_role("button", name="Start a session").click()
    expect(opened.locator("#scope-left-width")).to_have_text("214.000 µs")
    opened.get_by_role("tab", name="Lessons").click()
    expect(progress).to_have_text("Step 2 of 6.")
    opened.locator("#lessons-answer").fill("200")
    opened.locator("#lessons-answer").press("Enter")
    expect(opened.locator("#lessons-wrong")).to_contain_text("1 try")
    width = opened.locator("#scope-left-width").inner_text()
    opened.locator("#lessons-answer").fill(width.removesuffix(" µs"))
    opened.locator("#lessons-answer").press("Enter")
    expect(progress).to_have_text("Step 3 of 6.")
    expect(opened.locator("#lessons-answer")).to_be_focused()
    opened.locator("#lessons-answer").fill("428")
    opened.get_by_role("button", name="Answer").click()
    expect(progress).to_have_text("Step 4 of 6.")
    assert not opened.problems
    assert findings_in_both_themes(opened) == []
    opened.reload()
    opened.get_by_role("tab", name="Lessons").click()
    expect(progress).to_have_text("Step 4 of 6.")
    expect(opened.locator("#lessons-done-1")).to_have_text("3 of 6")
