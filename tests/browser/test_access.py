"""The page for everybody: axe-core's rules on every view in both themes, and the keyboard alone."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from stimbench.project import find_project_root
from support.pages import holds

pytestmark = pytest.mark.emulated

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_source():
    path: Path = find_project_root() / "build/web/node_modules/axe-core/axe.min.js"
    return path.read_text(encoding="utf-8")


def findings(page):
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", RULES)
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]


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


def tab_to(page, name, most=60):
    """Press Tab until the focus is on the control of that name."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(({ariaLabel, textContent}) => (ariaLabel || textContent || '').trim())(document.activeElement)"
        )
        if focused.startswith(name):
            return
    raise AssertionError(f"Tab does not come to {name!r}")


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
