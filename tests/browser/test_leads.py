"""The view "Leads": what the screen says beside what the bench has, and what is refused, at its place."""

import pytest
from playwright.sync_api import expect
from support.accessible import findings_in_both_themes

pytestmark = pytest.mark.emulated

MEASURED_MS = 90_000
"""The board works for 1.9 s of its time, which takes a busy machine long."""


@pytest.fixture
def leads(opened):
    opened.get_by_role("tab", name="Leads").click()
    expect(opened.locator("#leads-left-cathode-1")).to_have_attribute("aria-pressed", "true")
    return opened


def test_pairs_on_screen_are_what_the_board_measured(leads):
    leads.evaluate("stimbench.bench.do('break', {part: 'left.0', fault: 'open'})")
    leads.get_by_role("button", name="Freeze").click()  # 1000 pulses a second need not be drawn meanwhile
    leads.get_by_role("button", name="Measure all 24 pairs").click()
    expect(leads.locator("#leads-left-pair-0-1")).to_have_text("open", timeout=MEASURED_MS)
    expect(leads.locator("#leads-measured")).to_contain_text("Measured by the board")
    impedance = leads.evaluate("stimbench.bench.state.views.leads.impedance.pairs")
    for side in ("left", "right"):
        assert len(impedance[side]) == 12
        cells = leads.locator(f"[id^=leads-{side}-pair-]").all_inner_texts()
        diagonal = {5 * k: "" for k in range(4)}
        measured = {
            4 * cathode + anode: str(ohm) if kind == "ok" else kind
            for cathode, anode, kind, ohm, _ in impedance[side]
        }
        assert dict(enumerate(cells)) == diagonal | measured
        assert ("open" in measured.values()) == (side == "left")
    expect(leads.locator("#leads-left-0")).to_have_text("open")
    assert not leads.problems
    assert findings_in_both_themes(leads) == []


def test_electrodes_are_chosen_by_keyboard_and_a_refusal_is_at_its_lead(leads):
    leads.locator("#leads-left-cathode-3").focus()
    leads.keyboard.press("Enter")
    expect(leads.locator("#leads-left-cathode-3")).to_have_attribute("aria-pressed", "true")
    leads.locator("#leads-left-anode-3").press("Space")
    expect(leads.locator("#leads-left-refused")).to_have_text(
        "left.anode = 3: allowed is another electrode than the cathode."
    )
    expect(leads.locator("#leads-right-refused")).to_be_empty()
    program = leads.evaluate("stimbench.bench.do('get-program')")["program"]
    assert (program["left.cathode"], program["left.anode"]) == (3, 2)
    assert not leads.problems


def test_the_muscle_is_as_strong_as_the_record_makes_it(leads):
    leads.evaluate("stimbench.bench.do('program', {fields: {ramp_up_ms: 0}})")
    leads.evaluate("stimbench.bench.do('amplitude', {left_ua: 3000, right_ua: 0})")
    leads.evaluate("stimbench.bench.do('start')")
    expect(leads.locator("#scope-left-width")).to_have_text("214.000 µs")
    expect(leads.locator("#leads-left-units")).to_have_text("95 %")
    charge_nc = float(leads.locator("#scope-left-charge").inner_text().split()[0])
    shown_nc = float(leads.locator("#leads-left-charge").inner_text().split()[0])
    assert shown_nc == pytest.approx(charge_nc, rel=0.005)
    leads.get_by_role("button", name="Pause").click()
    expect(leads.locator("#measured")).to_have_text("stands still")
    force = leads.evaluate("stimbench.bench.state.views.leads.muscles.sides.left.force.at(-1)")
    expect(leads.locator("#leads-left-force")).to_have_text(f"{force / 10:.1f} %")
    assert not leads.problems
