"""What tests of the page do again and again."""

from pathlib import Path

from playwright.sync_api import expect
from stimbench.project import find_project_root

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def start(page):
    """Begin a session with 2 mA, and wait for its pulses. The self-test's before it last 200 us."""
    page.get_by_role("tab", name="Clinician").click()
    page.get_by_role("button", name="Start a session").click()
    for lead in ("left", "right"):
        expect(page.locator(f"#scope-{lead}-width")).to_have_text("214.000 µs")


def holds(page):
    """Wait until the page holds the controls."""
    expect(page.locator("#who")).to_contain_text("You hold the controls")


def frames_of(page):
    """What the scope shows, without the points."""
    return page.evaluate("(({from, to, end, pulses}) => ({from, to, end, pulses}))(stimbench.scope.frame)")


def axe_source():
    path: Path = find_project_root() / "build/web/node_modules/axe-core/axe.min.js"
    return path.read_text(encoding="utf-8")


def findings(page):
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", RULES)
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]


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
