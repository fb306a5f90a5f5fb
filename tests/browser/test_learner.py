"""A learner's whole path on one page: from two boards that are strangers to the journal of a broken lead."""

import pytest
from playwright.sync_api import expect
from stimbench.analysis import current_of, pulses_of
from stimbench.web.run_file import from_link
from support.pages import holds
from support.web import repeated

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

AFTER = """(s) => new Promise((over) => {
  const from = stimbench.bench.state.t_ns;
  stimbench.bench.addEventListener("state", function look() {
    if (stimbench.bench.state.t_ns - from < s * 1e9) return;
    stimbench.bench.removeEventListener("state", look);
    over();
  });
})"""


def wait(page, seconds):
    """Of the bench's time."""
    page.evaluate(AFTER, seconds)


def pace(page, name):
    page.get_by_label("Pace").select_option(label=name)


def view(page, name):
    page.get_by_role("tab", name=name).click()


def pair(page):
    """As docs/remote.md says: magnet, STATUS, the code on both lights, START, magnet."""
    view(page, "Boards")
    pace(page, "1x, real time")  # the window is open for 30 s of the bench, which full speed has in two
    page.get_by_role("button", name="Hold the magnet to it").click()
    wait(page, 3.2)
    page.get_by_role("button", name="Take the magnet away").click()
    page.locator("#boards-STATUS").focus()
    page.keyboard.down("Space")
    wait(page, 3.2)
    page.keyboard.up("Space")
    wait(page, 9)  # the code was shown as a whole
    page.locator("#boards-START").click()
    wait(page, 0.5)
    page.get_by_role("button", name="Hold the magnet to it").click()
    wait(page, 1.5)
    page.get_by_role("button", name="Take the magnet away").click()
    pace(page, "as fast as it can")
    wait(page, 4)


def prescribe(page):
    """The board becomes an implant, heals, and gets a prescription of its own."""
    view(page, "Clinician")
    page.locator("#clinician-implant").click()
    expect(page.locator("#clinician-dates")).to_contain_text("14 of 14 days are left")
    page.locator("#clinician-impedance").click()
    expect(page.locator("#notice")).to_contain_text("was measured")
    page.locator("#clinician-prescribe").click()
    expect(page.locator("#clinician-kept")).to_contain_text("Version 1 is in force")
    page.locator("#clinician-healed").click()
    expect(page.locator("#clinician-dates")).to_contain_text("The healing time is over")


def test_from_a_pairing_to_the_journal_of_a_broken_lead(serve, open_page):
    page = open_page(serve("--unpaired").url)
    holds(page)
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
    view(page, "Boards")
    page.locator("#boards-START").click()  # nobody is paired: nothing comes of it
    wait(page, 1.5)
    expect(page.locator("#boards-state")).to_have_text("ready")
    pair(page)
    prescribe(page)

    view(page, "Boards")
    pace(page, "1x, real time")
    page.locator("#boards-START").click()
    for lead in ("left", "right"):
        expect(page.locator(f"#scope-{lead}-width")).to_have_text("214.000 µs")
    expect(page.locator("#boards-state")).to_have_text("hold")

    view(page, "Break it")
    page.locator("#faults-part").select_option("left.1")
    page.locator("#faults-fault").select_option("open")
    page.get_by_role("button", name="Break it", exact=True).click()
    expect(page.locator("#faults-broken")).to_contain_text("left.1 open")
    wait(page, 4)
    told = page.locator("#faults-happened")
    expect(told).to_contain_text("before the fault: none flowed since")  # on the left
    expect(told).to_contain_text("it flows still")  # on the right

    view(page, "Boards")
    page.locator("#boards-STOP").click()
    expect(page.locator("#boards-state")).to_have_text("fault")
    expect(page.locator("#boards-stop")).to_have_text("remote")
    view(page, "Clinician")
    page.locator("#clinician-read-journal").click()
    rows = page.locator("#clinician-journal tbody tr")
    expect(rows.first).to_contain_text("fault open lead")
    expect(rows.filter(has_text="fault open lead, lead left, action ramp down this lead")).to_have_count(1)
    assert not page.problems

    link = page.evaluate("stimbench.bench.withRun('link')")["link"]
    again = repeated(from_link(link))
    broken_ns = again.memory["faults"][0]["t_ns"]
    capture = again.bench.trace.capture()
    flowed = {}
    for lead in ("left", "right"):
        pulses = pulses_of(capture, lead)
        pulses = pulses[pulses["start_ns"] > broken_ns]
        flowed[lead] = (abs(current_of(capture, lead).cathodic_ua(pulses)) > 25).sum()
    assert flowed["left"] == 0
    assert flowed["right"] > 60  # some 4 s at 20 Hz
