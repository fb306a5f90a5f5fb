"""A saved run: it is opened from a disk, without server and network, and shows what the record has."""

import re

import pytest
from playwright.sync_api import expect
from stimbench.analysis import current_of, pulses_of
from stimbench.web.repeat import repeated_run
from stimbench.web.run_file import Run, RunConfig, from_link
from stimbench.web.saved_page import saved_page
from support.pages import axe_source, findings, start, tab_to
from support.saved_runs import about_of, blocks_of
from support.web import repeated

pytestmark = pytest.mark.emulated

S = 1_000_000_000
HOSTILE = "</script><img src=x onerror=\"document.title='x'\"><b id=hostile>bold</b>"
FIELDS = {"left.amplitude_ua": 2000, "right.amplitude_ua": 1500}

SHOWN = """(({windows, t}) => windows.frame(0, {width: 99, ...stimbench.scope.shown}, t)
  .pulses.map((some) => some.at(-1).start_ns))(stimbench.bench)"""


@pytest.fixture
def open_saved(open_page, tmp_path, browser):
    """Opens a saved run from a disk, with the network off; `page.asked` has every request."""
    contexts = []

    def open_one(data):
        path = tmp_path / "run.html"
        path.write_bytes(data)
        context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
        contexts.append(context)
        context.set_offline(True)
        asked = []
        context.on("request", lambda request: asked.append(request.url))
        page = open_page(f"file://{path}", context)
        page.asked = asked
        expect(page.locator("#play-go")).to_be_visible()
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def session():
    """A run of 9 s: a session, a lead that breaks while it holds, a stop with a hostile reason."""
    actions = [
        (1 * S, "program", {"fields": FIELDS}),
        (2 * S, "start", {}),
        (6 * S, "faults-break", {"part": "left.1", "fault": "open"}),
        (8 * S, "stop", {"why": HOSTILE}),
    ]
    return saved_page(repeated_run(Run(config=RunConfig(seed=3), actions=actions, until_ns=9 * S)))


def test_a_run_saved_by_the_button_plays_when_the_server_has_gone(serve, open_page, browser, tmp_path):
    served = serve()
    opened = open_page(served.url)
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    start(opened)
    opened.evaluate("stimbench.bench.do('break', {part: 'left.0', fault: 'open'})")
    opened.get_by_role("tab", name="Run").click()
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name="Save this run as a page").click()
    expect(opened.locator("#notice")).to_contain_text("was saved")
    assert re.fullmatch(r"stimbench-run-1-\d+s\.html", waiting.value.suggested_filename)
    path = tmp_path / "run.html"
    waiting.value.save_as(path)
    served.end()
    data = path.read_bytes()
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_offline(True)
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = open_page(f"file://{path}", context)
    expect(page.locator("#saved-said")).to_contain_text("A saved run: nothing is connected.")
    expect(page.locator("#scope-mode")).to_have_value("all")
    page.locator("#scope-mode").select_option("pulse")
    run = from_link(about_of(data)["link"])
    assert [name for _, name, _ in run.actions][-2:] == ["start", "break"]
    assert_figures(page, repeated(run).bench.trace.capture())
    assert asked == [f"file://{path}"]
    assert not page.problems
    context.close()


def seek(page, seconds):
    page.get_by_label("Go to (s)").fill(str(seconds))
    page.get_by_label("Go to (s)").press("Enter")
    expect(page.locator("#time")).to_have_text(f"{seconds:.3f} s")


def test_it_plays_and_comes_to_its_end(open_saved, session):
    page = open_saved(session)
    expect(page.locator("#time")).to_have_text("9.000 s")
    seek(page, 3.5)
    page.get_by_label("Pace").select_option("4")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
    expect(page.locator("#time")).to_have_text("9.000 s")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").click()  # from the begin
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("stimbench.bench.t") < 9e9
    assert not page.problems


def test_a_step_goes_to_the_next_pulse_and_back(open_saved, session):
    page = open_saved(session)
    starts = blocks_of(session)["left.pulses.start_ns"]
    rights = blocks_of(session)["right.pulses.start_ns"]
    page.locator("#scope-mode").select_option("pulse")
    seek(page, 4.0)

    def shown():
        return page.evaluate(SHOWN)

    def last_before(t):
        return [int(some[some <= t][-1]) for some in (starts, rights)]

    for name, count in (("Next pulse", 6), ("Pulse before", 9)):
        for _ in range(count):
            before = shown()
            page.get_by_role("button", name=name).click()
            found = shown()
            assert found != before
            assert found == last_before(max(found))
    seek(page, 0)
    page.get_by_role("button", name="Pulse before").click()
    expect(page.locator("#notice")).to_have_text("There is no earlier pulse.")


def test_views_show_what_they_showed_then_and_nothing_can_be_done(open_saved, session):
    page = open_saved(session)
    seek(page, 5.5)
    expect(page.locator("#stimulator-state")).to_contain_text("hold")
    page.get_by_role("tab", name="Break it").click()
    view = page.locator("#view-faults")
    expect(view).not_to_contain_text("no answer before")
    expect(page.get_by_role("tabpanel", name="Break it")).not_to_contain_text("hold before")
    page.get_by_role("tab", name="Leads").click()
    expect(page.locator("#leads-left-1")).to_have_text("ok")
    force = float(page.locator("#leads-left-force").inner_text().removesuffix(" %"))
    series = blocks_of(session)["left.force"]
    assert force == pytest.approx(series[round(5.5 / 0.02)] / 10, abs=2)
    assert force > 5
    seek(page, 7.5)
    expect(page.locator("#leads-left-1")).to_have_text("open")
    page.get_by_role("tab", name="Break it").click()
    expect(view).to_contain_text("hold before")
    seek(page, 1.2)
    expect(view).not_to_contain_text("hold before")
    for tab in page.get_by_role("tab").all():
        tab.click()
        for hands in page.locator("fieldset.hands").all():
            expect(hands).to_have_attribute("disabled", "")
    assert page.get_by_role("button", name="STOP", exact=True).and_(page.locator(".stop")).count() == 0
    page.keyboard.press("Escape")
    refused = page.evaluate("stimbench.bench.do('start').catch((error) => error.message)")
    assert refused == "This is a saved run: nothing is connected."
    assert not page.problems


def test_an_action_is_gone_to_and_a_hostile_text_stays_a_text(open_saved, session):
    page = open_saved(session)
    page.get_by_role("tab", name="Run").click()
    actions = page.locator("#run-actions li")
    expect(actions).to_have_count(4)
    expect(actions.nth(3)).to_contain_text(HOSTILE)
    assert page.locator("#hostile").count() == 0
    assert page.title() == "stimbench, a saved run"
    page.get_by_role("button", name="Go there: faults-break at 6.000 s").click()
    expect(page.locator("#time")).to_have_text("6.000 s")
    expect(actions.nth(2)).to_have_attribute("aria-current", "step")
    expect(page.get_by_label("stimbench serve --run")).to_have_value(about_of(session)["link"])
    assert page.asked == [page.url]
    assert not page.problems


def test_the_policy_keeps_other_scripts_and_requests_away(open_saved, session):
    page = open_saved(session)
    said = page.evaluate("""async () => {
      const blocked = [];
      document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "window.hostile = true";
      document.body.append(script);
      const asked = await fetch("https://example.org/").then(() => "came", () => "blocked");
      const image = document.createElement("img");
      image.src = "https://example.org/x.png";
      await new Promise((resolve) => { image.onerror = image.onload = resolve; });
      return [asked, window.hostile ?? null, blocked.sort()];
    }""")
    assert said == ["blocked", None, ["connect-src", "img-src", "script-src-elem"]]


def test_axe_finds_nothing_on_a_saved_run_in_both_themes(open_saved, session):
    page = open_saved(session)
    seek(page, 4.5)
    page.evaluate(axe_source())
    for theme in ("light", "dark"):
        if page.evaluate("document.documentElement.dataset.theme") != theme:
            page.get_by_role("button", name="Dark").click()
        for tab in page.get_by_role("tab").all():
            tab.click()
            expect(page.get_by_role("tabpanel", name=tab.inner_text())).to_be_visible()
            assert findings(page) == [], (theme, tab.inner_text())
    for width in (768, 1400):
        page.set_viewport_size({"width": width, "height": 1024})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_alone_plays(open_saved, session):
    page = open_saved(session)
    tab_to(page, "Play")
    page.keyboard.press("Enter")  # at the end: from the begin
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    tab_to(page, "Time of the run")
    page.keyboard.press("Home")
    expect(page.locator("#time")).to_have_text("0.000 s")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#time")).to_have_text("5.000 s")
    page.keyboard.press("End")
    expect(page.locator("#time")).to_have_text("9.000 s")
    tab_to(page, "Clinician")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Run")).to_be_focused()
    tab_to(page, "Go there: start at 2.")
    page.keyboard.press("Enter")
    expect(page.locator("#time")).to_contain_text(re.compile(r"^2\.\d{3} s$"))


def test_the_scope_s_picture_zoom_and_cursors_work_without_a_server(open_saved, session, tmp_path):
    page = open_saved(session)
    seek(page, 4.5)
    plot = page.get_by_role("img", name="Left lead")
    plot.focus()
    for _ in range(60):
        page.keyboard.press("+")
    assert page.evaluate("stimbench.scope.shown.to_ns - stimbench.scope.shown.from_ns") == pytest.approx(
        20_000
    )
    page.keyboard.press("End")
    page.get_by_label("Cursor A").fill("100")
    page.get_by_label("Cursor B").fill("314")
    expect(page.locator("#scope-cursors")).to_contain_text("B - A: 214.000 µs")
    page.get_by_label("Overlay").select_option("8")
    expect(page.locator("#scope-left-period")).to_have_text("50.000 ms")
    assert page.evaluate("stimbench.scope.frame.traces.length") in (4, 32)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as PNG").click()
    path = tmp_path / "scope.png"
    waiting.value.save_as(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert not page.problems


def assert_figures(page, capture):
    """What the screen says of its last pulses is what the bench recorded."""
    for lead in ("left", "right"):
        start_ns = page.evaluate(f"stimbench.scope.frame.pulses[{int(lead == 'right')}].at(-1).start_ns")
        recorded = pulses_of(capture, lead)
        found = recorded[recorded["start_ns"] == start_ns]
        assert len(found) == 1
        current = current_of(capture, lead)
        width_ns = found["cathodic_ns"][0]
        charge_nc = -current.charge_nc(found["start_ns"][0], found["start_ns"][0] + width_ns)
        expect(page.locator(f"#scope-{lead}-width")).to_have_text(f"{width_ns / 1e3:.3f} µs")
        expect(page.locator(f"#scope-{lead}-amplitude")).to_have_text(
            f"{current.cathodic_ua(found)[0]:.1f} µA"
        )
        expect(page.locator(f"#scope-{lead}-charge")).to_have_text(f"{charge_nc:.2f} nC")
