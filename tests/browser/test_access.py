"""The page for everybody: axe-core's rules on every view in both themes, and the keyboard alone."""

import pytest
from playwright.sync_api import expect
from support.pages import axe_source, findings, holds, tab_to

pytestmark = pytest.mark.emulated


def test_axe_finds_nothing_on_any_view_in_both_themes(opened):
    opened.evaluate(axe_source())
    for theme in ("light", "dark"):
        if opened.evaluate("document.documentElement.dataset.theme") != theme:
            opened.get_by_role("button", name="Dark").click()
        for tab in opened.get_by_role("tab").all():
            tab.click()
            name = tab.inner_text()
            expect(opened.get_by_role("tabpanel", name=name)).to_be_visible()
            assert findings(opened) == [], (theme, name)


@pytest.mark.parametrize("width", [768, 1400])
def test_nothing_is_cut_off(opened, width):
    opened.set_viewport_size({"width": width, "height": 1024})
    for tab in opened.get_by_role("tab").all():
        tab.click()
        assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_alone_runs_a_session(opened):
    holds(opened)
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to the views"
    opened.keyboard.press("Enter")
    tab_to(opened, "Clinician")
    tab_to(opened, "Start a session")
    opened.keyboard.press("Enter")
    expect(opened.locator("#scope-left-width")).to_have_text("214.000 µs")
    opened.keyboard.press("Shift+Tab")
    opened.keyboard.press("Escape")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    # From the tabs to another view, and its button.
    opened.get_by_role("tab", name="Clinician").focus()
    opened.keyboard.press("ArrowRight")
    expect(opened.get_by_role("tab", name="Boards")).to_be_focused()
    tab_to(opened, "Hold the magnet")
    opened.keyboard.press("Space")
    expect(opened.get_by_role("button", name="Take the magnet away")).to_be_visible()
