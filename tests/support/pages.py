"""What tests of the page do again and again."""

from playwright.sync_api import expect


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
