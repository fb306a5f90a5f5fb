"""A session in the browser, and what the screen says of it, beside the bench's own record."""

import pytest
from playwright.sync_api import expect
from stimbench.analysis import current_of, pulses_of
from stimbench.web.run_file import from_link
from support.pages import start
from support.web import repeated

pytestmark = pytest.mark.emulated


def test_what_the_screen_says_is_what_the_bench_recorded(opened):
    start(opened)
    opened.get_by_role("button", name="Freeze").click()
    link = opened.evaluate("stimbench.bench.withRun('link')")["link"]
    shown = opened.evaluate("stimbench.scope.frame.pulses.map((found) => found.at(-1))")
    capture = repeated(from_link(link)).bench.trace.capture()
    for lead, pulse in zip(("left", "right"), shown, strict=True):
        recorded = pulses_of(capture, lead)
        found = recorded[recorded["start_ns"] == pulse["start_ns"]]
        assert len(found) == 1
        current = current_of(capture, lead)
        amplitude_ua = current.cathodic_ua(found)[0]
        start_ns, width_ns = found["start_ns"][0], found["cathodic_ns"][0]
        charge_nc = -current.charge_nc(start_ns, start_ns + width_ns)
        names = ("width", "gap", "amplitude", "charge")
        said = {name: opened.locator(f"#scope-{lead}-{name}").inner_text() for name in names}
        assert said == {
            "width": f"{width_ns / 1e3:.3f} µs",
            "gap": f"{found['gap_ns'][0] / 1e3:.3f} µs",
            "amplitude": f"{amplitude_ua:.1f} µA",
            "charge": f"{charge_nc:.2f} nC",
        }
        assert width_ns == 214_000
    assert not opened.problems


def test_escape_stops_from_any_view(opened):
    start(opened)
    opened.get_by_role("tab", name="Radio").click()
    opened.keyboard.press("Escape")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
