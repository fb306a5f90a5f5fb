"""The view "Break it": refusals at their field, and what is said of a fault, beside the record."""

import pytest
from playwright.sync_api import expect
from stimbench.analysis import current_of, pulses_of
from stimbench.hazards.register import HAZARDS_FILE, load
from stimbench.project import find_project_root
from stimbench.web.run_file import from_link
from support.accessible import findings_in_both_themes
from support.web import repeated

pytestmark = pytest.mark.emulated


@pytest.fixture
def faults(opened):
    opened.get_by_role("tab", name="Break it").click()
    return opened


def choose(page, part, fault):
    page.locator("#faults-part").select_option(part)
    page.locator("#faults-fault").select_option(fault)


def test_a_value_is_refused_at_its_field_and_a_fault_shows_its_hazard(faults):
    choose(faults, "supply", "low")
    register = load(find_project_root() / HAZARDS_FILE)
    hazard = next(one for one in register.hazards if one.id == "H-33")
    expect(faults.locator("#faults-hazards")).to_contain_text(f"H-33 {hazard.title}")
    faults.get_by_label("Supply, 1.8 to 5.5 V").fill("9")
    faults.keyboard.press("Enter")
    expect(faults.locator("#faults-value-refused")).to_have_text("low = 9: allowed is 1.8 to 5.5.")
    expect(faults.locator("#faults-value")).to_be_focused()
    expect(faults.locator("#faults-broken")).to_have_text("Nothing is broken.")
    faults.locator("#faults-value").fill("3.5")
    faults.keyboard.press("Enter")
    expect(faults.locator("#faults-broken")).to_contain_text("supply at 3.5 V")
    expect(faults.locator("#faults-value-refused")).to_be_empty()
    faults.get_by_role("button", name="Mend all").click()
    expect(faults.locator("#faults-broken")).to_have_text("Nothing is broken.")
    assert not faults.problems


def test_a_hung_processor_is_seen_from_the_fault_to_the_journal_line(faults):
    faults.evaluate("stimbench.bench.do('program', {fields: {ramp_up_ms: 0}})")
    faults.evaluate("stimbench.bench.do('amplitude', {left_ua: 2000, right_ua: 2000})")
    faults.evaluate("stimbench.bench.do('start')")
    expect(faults.locator("#scope-left-width")).to_have_text("214.000 µs")
    choose(faults, "stimulator", "hung")
    faults.get_by_role("button", name="Break it", exact=True).click()
    expect(faults.locator("#faults-1-log")).to_contain_text("started, watchdog")
    expect(faults.locator("#faults-1-resets")).to_contain_text("watchdog")
    shown = faults.locator("#faults-1-output").inner_text()
    again = repeated(from_link(faults.evaluate("stimbench.bench.withRun('link')")["link"]))
    fault_ns = again.memory["faults"][0]["t_ns"]
    capture = again.bench.trace.capture()
    ends_ms = [last_end_ms(capture, lead, fault_ns) for lead in ("left", "right")]
    assert shown == f"off {max(ends_ms):.3f} ms after the fault; the board has restarted since"
    assert 0 < max(ends_ms) < 133
    assert not faults.problems
    assert findings_in_both_themes(faults) == []


def last_end_ms(capture, lead, fault_ns):
    """From a fault to the end of the last pulse that had current, by the capture's own analysis."""
    pulses = pulses_of(capture, lead)
    pulses = pulses[pulses["start_ns"] > fault_ns - 5_000_000]
    flowed = abs(current_of(capture, lead).cathodic_ua(pulses)) > 25
    last = pulses[flowed][-1]
    end_ns = last["start_ns"] + last["cathodic_ns"] + max(last["gap_ns"], 0) + last["anodic_ns"]
    return (end_ns - fault_ns) / 1e6
