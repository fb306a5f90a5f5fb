"""The page on a wired bench: `stimbench serve --bench`, a board behind a pty, a simulated analyser."""

import os
import re
import signal

import pytest
from playwright.sync_api import expect
from support.accessible import findings_in_both_themes
from support.wired_served import RATE_HZ, ServedWired

pytestmark = [pytest.mark.emulated, pytest.mark.tools]

SAMPLE_NS = 1_000_000_000 // RATE_HZ


@pytest.fixture
def wired(tmp_path, monkeypatch):
    """Before `serve`, which takes the environment as it is."""
    made = ServedWired(tmp_path)
    monkeypatch.setenv("PATH", made.environment["PATH"])
    yield made
    made.close()


@pytest.fixture
def opened(wired, serve, open_page):
    served = serve("--bench", str(wired.file))
    page = open_page(served.url)
    page.served = served
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
    return page


def start(page):
    page.get_by_role("tab", name="Clinician").click()
    page.get_by_role("button", name="Start a session").click()
    for lead in ("left", "right"):
        expect(page.locator(f"#scope-{lead}-width")).to_have_text("214.000 µs")


def is_on(wired, after_ns=5_000_000):
    """Whether a switch moves from so long after now on, within 200 ms of the bench's time: four periods."""
    from_ns = wired.do(lambda: wired.bench.now_ns) + after_ns
    to_ns = from_ns + 200_000_000
    return wired.do(lambda: bool(wired.bench.trace.edges("stimulator", "L_CATH", from_ns, to_ns)), to_ns)


def test_a_session_from_the_form_is_on_the_scope_as_it_was_recorded(wired, opened):
    start(opened)
    expect(opened.locator("#scope-left-amplitude")).to_have_text(re.compile(r"^\d{3,}\.\d µA$"))
    # Figures and state of one and the same capture.
    seen = opened.wait_for_function(
        """() => {
          const [{ frame }, [newest]] = [stimbench.scope, stimbench.bench.state.wired.captures];
          if (!frame.pulses[0].length || frame.end !== newest.end_ns) return null;
          const pulses = frame.pulses.map((one) => one.at(-1));
          return { count: newest.count, begin: newest.begin_ns, pulses };
        }"""
    ).json_value()
    begin_ns, raw = wired.captures[seen["count"] - 1]
    for lead, pulse in zip(("left", "right"), seen["pulses"], strict=True):
        rises = raw.edges(f"stimulator.{lead[0].upper()}_CATH").rises_ns
        at_ns = pulse["start_ns"] - seen["begin"] + begin_ns
        nearest = min(rises.tolist(), key=lambda one: abs(at_ns - one))
        assert abs(at_ns - nearest) <= SAMPLE_NS and pulse["cathodic_ns"] == 214_000
        current_ua = float(-raw.current(f"I_{lead.upper()}").at([nearest + 150_000])[0])
        assert pulse["cathodic_ua"] == pytest.approx(current_ua, rel=0.03)
    said = opened.locator("#scope-recorded").inner_text()
    assert "captures of 1 s, one after another, of stimulator.L_CATH" in said
    assert "Between two captures nothing is known" in said
    assert re.search(r"may lie [\d.]+ m?s off", said)
    # Esc stops, whatever the analyser does.
    opened.keyboard.press("Escape")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    assert not is_on(wired)
    assert not opened.problems


def test_what_cannot_be_done_is_disabled_and_says_why(wired, opened):
    for name in ("#pause", "#step", "#pace"):
        expect(opened.locator(name)).to_be_disabled()
    expect(opened.locator("#transport-lacks")).to_contain_text("by the wall's clock")
    opened.get_by_role("tab", name="Boards").click()
    expect(opened.locator("#boards-START")).to_be_disabled()
    expect(opened.locator("#boards-magnet")).to_be_disabled()
    expect(opened.locator("#lacks-hands")).to_contain_text("in your own hands")
    expect(opened.locator("#boards-state")).to_have_text("ready")
    expect(opened.locator("#boards-led")).to_have_text("not known to the page")
    opened.get_by_role("tab", name="Leads").click()
    expect(opened.locator("#leads-left-0")).to_have_text("not known")
    expect(opened.locator("#lacks-muscles")).to_be_visible()
    opened.get_by_role("button", name="Measure all 24 pairs").click()
    expect(opened.locator("#leads-left-pair-1-2")).to_have_text(re.compile("^[0-9]+$"))
    measured = opened.evaluate("stimbench.bench.state.views.leads.impedance.pairs.left")
    ohm = next(row[3] for row in measured if row[:2] == [1, 2])
    assert ohm == pytest.approx(500, rel=0.05)
    expect(opened.locator("#leads-left-pair-1-2")).to_have_text(str(ohm))
    for tab, at, name in (
        ("Break it", "#faults-break", "#lacks-faults"),
        ("Radio", "#radio-send", "#lacks-air"),
        ("Lessons", "#lessons-open-1", "#lacks-lessons"),
    ):
        opened.get_by_role("tab", name=tab).click()
        expect(opened.locator(at)).to_be_disabled()
        expect(opened.locator(name)).to_be_visible()
    expect(opened.get_by_role("tab", name="Radio")).to_be_visible()
    opened.get_by_role("tab", name="Run").click()
    expect(opened.locator("#lacks-run")).to_contain_text("cannot be repeated")
    expect(opened.locator("#run-mark")).to_have_count(0)
    expect(opened.locator("#run-actions")).to_contain_text("leads-impedance")
    assert not opened.problems


def test_every_view_is_accessible(opened):
    for tab in ("Clinician", "Boards", "Leads", "Break it", "Radio", "Lessons", "Run"):
        opened.get_by_role("tab", name=tab).click()
        assert findings_in_both_themes(opened) == []


def test_an_analyser_that_is_gone_is_told_and_found_again(wired, opened):
    expect(opened.locator("#scope-recorded")).to_contain_text("The newest of")
    wired.missing = True
    expect(opened.locator("#notice")).to_contain_text("No capture of fx2lafw")
    expect(opened.locator("#scope-recorded")).to_contain_text("sigrok finds no instrument")
    wired.missing = False
    expect(opened.locator("#notice")).to_have_text("fx2lafw records again.")


def test_a_second_page_looks_on_and_may_stop(wired, opened, open_page):
    start(opened)
    opened.locator("#invite").click()
    expect(opened.locator("#invite-link")).to_be_visible()
    other = open_page(opened.locator("#invite-link").input_value())
    expect(other.locator("#who")).to_contain_text("holds the controls")
    expect(other.locator("#scope-left-width")).to_have_text("214.000 µs")
    other.keyboard.press("Escape")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")


def test_a_page_that_is_closed_lets_the_bench_stop(wired, opened, open_page):
    start(opened)
    cookies = opened.context
    opened.close()
    again = open_page(opened.served.url.partition("/enter")[0] + "/", cookies)
    expect(again.locator("#stimulator-state")).to_contain_text("ready")
    expect(again.locator("#run-count")).to_have_count(0)


def test_ctrl_c_stops_the_output_and_gives_the_port_back(wired, opened, serve, open_page):
    start(opened)
    os.kill(opened.served.process.pid, signal.SIGINT)
    assert opened.served.process.wait(30) == 130
    assert not is_on(wired, after_ns=300_000_000)
    page = open_page(serve("--bench", str(wired.file)).url)
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
