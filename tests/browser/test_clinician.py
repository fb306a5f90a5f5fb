"""The clinician's view in Chromium: refusals at their fields, an implant's whole way, the record."""

import pytest
from playwright.sync_api import expect
from stimbench.analysis import pulses_of
from stimbench.web.run_file import from_link
from support.accessible import findings_in_both_themes
from support.pages import holds
from support.web import repeated

pytestmark = pytest.mark.emulated

WRONG = {
    "left-amplitude": ("10", "0 to 10000 µA in steps of 25"),
    "right-amplitude": ("10025", "0 to 10000 µA in steps of 25"),
    "left-cathode": ("4", "0 to 3"),
    "left-anode": ("-1", "0 to 3"),
    "right-cathode": ("4", "0 to 3"),
    "right-anode": ("1.5", "0 to 3, as a whole number"),
    "width": ("19", "20 to 1000 µs"),
    "gap": ("501", "0 to 500 µs"),
    "rate": ("0", "1 to 200 Hz"),
    "ramp-up": ("10001", "0 to 10000 ms"),
    "ramp-down": ("-1", "0 to 10000 ms"),
    "on": ("999", "1000 to 60000 ms"),
    "off": ("300001", "0 to 300000 ms"),
    "session": ("59", "60 to 3600 s"),
    "contact": ("19", "0 (off), or 20 to 3600 s"),
}


def test_every_refusal_is_at_its_field(opened):
    holds(opened)
    for name, (value, allowed) in WRONG.items():
        field = opened.locator(f"#clinician-{name}")
        before = field.input_value()
        field.fill(value)
        why = opened.locator(f"#clinician-{name}-why")
        expect(why).to_contain_text(f"Allowed is {allowed}")
        expect(field).to_have_attribute("aria-invalid", "true")
        opened.locator("#clinician-set").click()
        expect(field).to_be_focused()
        expect(opened.locator("#notice")).to_contain_text("nothing was sent")
        field.fill(before)
        expect(why).to_be_hidden()
    # What only the fields together do not allow, the host says.
    opened.locator("#clinician-width").fill("1000")
    opened.locator("#clinician-rate").fill("200")
    opened.locator("#clinician-left-amplitude").fill("10000")
    opened.locator("#clinician-set").click()
    expect(opened.locator("#clinician-left-amplitude-why")).to_contain_text("net direct current")
    expect(opened.locator("#clinician-left-amplitude")).to_be_focused()
    assert findings_in_both_themes(opened) == []
    assert opened.evaluate("stimbench.bench.state.views.clinician.program") is None


def test_the_programme_of_the_form_is_in_the_record_and_the_log_tells_it(opened):
    holds(opened)
    for name, value in {"width": 300, "rate": 50, "left-amplitude": 1500, "ramp-up": 0}.items():
        opened.locator(f"#clinician-{name}").fill(str(value))
    opened.get_by_role("button", name="Start a session").click()
    expect(opened.locator("#scope-left-width")).to_have_text("300.000 µs")
    opened.keyboard.press("Escape")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    opened.locator("#clinician-read-journal").click()
    expect(opened.locator("#clinician-log tbody tr").first).to_contain_text("output off")
    link = opened.evaluate("stimbench.bench.withRun('link')")["link"]
    recorded = pulses_of(repeated(from_link(link)).bench.trace.capture(), "left")
    session = recorded[recorded["cathodic_ns"] == 300_000]
    assert len(session) >= 2
    assert set(session["period_ns"][1:-1]) <= {20_000_000}


@pytest.mark.slow
def test_an_implant_heals_before_its_first_session(opened):
    holds(opened)
    expect(opened.locator("#clinician-not-implant")).to_contain_text("not an implant")
    opened.locator("#clinician-implant").click()
    expect(opened.locator("#clinician-dates")).to_contain_text("14 of 14 days are left")
    opened.locator("#clinician-prescribe").click()
    expect(opened.locator("#clinician-rx-left-cathode-why")).to_contain_text("was not measured")
    opened.locator("#clinician-impedance").click()
    expect(opened.locator("#notice")).to_contain_text("was measured")
    opened.locator("#clinician-rx-off").fill("1000")
    opened.locator("#clinician-prescribe").click()
    expect(opened.locator("#clinician-rx-off-why")).to_contain_text("at least")
    opened.locator("#clinician-rx-off").fill("20000")
    opened.locator("#clinician-prescribe").click()
    expect(opened.locator("#clinician-kept")).to_contain_text("Version 1 is in force")
    opened.locator("#clinician-start").click()
    expect(opened.locator("#notice")).to_contain_text("the healing time is not over")
    opened.locator("#clinician-healed").click()
    expect(opened.locator("#clinician-dates")).to_contain_text("The healing time is over")
    expect(opened.locator("#clinician-journal tbody tr").last).to_contain_text("implanted")
    opened.locator("#clinician-start").click()
    expect(opened.locator("#stimulator-state")).to_contain_text("ramp up")
    assert not opened.problems
    assert findings_in_both_themes(opened) == []


def test_the_form_follows_the_board_and_keeps_what_is_typed(opened):
    holds(opened)
    opened.locator("#clinician-rate").fill("30")
    # Another view changes the programme: the form shows it, beside what was typed here.
    opened.evaluate("stimbench.bench.do('clinician-program', {fields: {'left.cathode': 3, width_us: 250}})")
    expect(opened.locator("#clinician-left-cathode")).to_have_value("3")
    expect(opened.locator("#clinician-width")).to_have_value("250")
    expect(opened.locator("#clinician-rate")).to_have_value("30")
    expect(opened.locator("#clinician-left-amplitude")).to_have_value("2000")
    opened.locator("#clinician-read").click()
    expect(opened.locator("#clinician-rate")).to_have_value("20")
    expect(opened.locator("#clinician-left-amplitude")).to_have_value("0")
    opened.locator("#clinician-left-amplitude").fill("1000")
    opened.locator("#clinician-left-anode").fill("0")
    opened.locator("#clinician-start").click()
    expect(opened.locator("#notice")).to_contain_text("The electrodes have moved")
    expect(opened.locator("#clinician-left-amplitude")).to_have_value("0")
