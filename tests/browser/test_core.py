"""The scope, the run and the controls, as a person uses them."""

import csv
import io
import json

import pytest
from playwright.sync_api import expect
from stimbench.analysis import current_of, pulses_of
from stimbench.capture.vcd import read_vcd
from stimbench.web.run_file import from_link
from support.pages import frames_of, holds, start
from support.web import repeated

pytestmark = pytest.mark.emulated


def link_of(page):
    return from_link(page.evaluate("stimbench.bench.withRun('link')")["link"])


def shown(page):
    return page.evaluate("({x: stimbench.scope.x, ...stimbench.scope.shown})")


def test_zoom_has_no_seam_from_one_pulse_to_the_whole_session(opened):
    start(opened)
    plot = opened.get_by_role("img", name="Left lead")
    opened.get_by_label("Show", exact=True).select_option("span")
    plot.focus()
    spans = []
    for _ in range(60):
        opened.keyboard.press("-")
        spans.append(shown(opened)["to_ns"] - shown(opened)["from_ns"])
        if spans[-1] > 1800e9:
            break
    assert spans[-1] > 1800e9
    for _ in range(60):
        opened.keyboard.press("+")
        if shown(opened)["to_ns"] - shown(opened)["from_ns"] <= 20_000:
            break
    assert shown(opened)["to_ns"] - shown(opened)["from_ns"] == pytest.approx(20_000)
    opened.keyboard.press("Home")
    assert shown(opened)["mode"] == "all"
    opened.keyboard.press("End")
    assert shown(opened)["mode"] == "pulse"
    assert not opened.problems


def test_cursors_read_what_the_record_has(opened):
    start(opened)
    opened.get_by_role("button", name="Freeze").click()
    expect(opened.get_by_role("button", name="Freeze")).to_have_attribute("aria-pressed", "true")
    opened.get_by_label("Cursor A").fill("100")
    opened.get_by_label("Cursor B").fill("314")
    said = opened.locator("#scope-cursors")
    expect(said).to_contain_text("B - A: 214.000 µs")
    pulse = frames_of(opened)["pulses"][0][-1]
    row = opened.locator("#scope-at-cursors tbody tr").nth(0)
    a, b = -pulse["cathodic_ua"], pulse["anodic_ua"]
    expect(row).to_have_text(f"Left current{a:.1f} µA{b:.1f} µA{b - a:.1f} µA")


def test_an_overlay_has_the_last_pulses_at_their_edges(opened):
    start(opened)
    opened.get_by_label("Overlay").select_option("8")
    expect(opened.locator("#scope-left-period")).to_have_text("50.000 ms")

    def ages():
        return opened.evaluate(
            "stimbench.scope.frame.traces.filter((t) => !t.lead && !t.quantity).map((t) => t.origin)"
        )

    for _ in range(100):
        origins = ages()
        if len(origins) == 8:
            break
        opened.locator("#scope-left-amplitude").inner_text()
    assert len(origins) == 8
    assert origins == sorted(origins, reverse=True)


@pytest.mark.parametrize("kind", ["csv", "vcd"])
def test_a_saved_span_is_the_record(opened, kind, tmp_path):
    start(opened)
    opened.get_by_role("button", name="Freeze").click()
    pulse = frames_of(opened)["pulses"][0][-1]
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name=f"Save as {kind.upper()}").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    if kind == "vcd":
        capture = read_vcd(path)
        (found,) = pulses_of(capture, "left")
        assert (found["start_ns"], found["cathodic_ns"]) == (pulse["start_ns"], pulse["cathodic_ns"])
        assert current_of(capture, "left").at(pulse["start_ns"] + 1000) == pytest.approx(
            -pulse["cathodic_ua"]
        )
    else:
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        low = min(float(row["I_LEFT (uA)"]) for row in rows)
        assert low == pytest.approx(-pulse["cathodic_ua"], abs=0.01)


def test_a_picture_is_saved(opened, tmp_path):
    start(opened)
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name="Save as PNG").click()
    path = tmp_path / "scope.png"
    waiting.value.save_as(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_rewind_and_what_if_i_had_not(opened):
    start(opened)
    opened.get_by_role("tab", name="Run").click()
    opened.get_by_role("button", name="Mark this instant").click()
    expect(opened.get_by_role("button", name="Rewind to mark 1")).to_be_visible()
    opened.evaluate("stimbench.bench.do('break', {part: 'left.0', fault: 'open'})")
    before = link_of(opened)
    opened.keyboard.press("Escape")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    opened.get_by_role("button", name="What if I had not: break").click()
    expect(opened.locator("#stimulator-state")).to_contain_text("ramp up")
    after = link_of(opened)
    names = [name for _, name, _ in before.actions]
    assert names[-2:] == ["start", "break"]
    assert after.actions == before.actions[:-1]
    assert opened.evaluate("stimbench.bench.state.views.faults.broken") == []
    opened.get_by_role("button", name="Rewind to mark 1").click()
    expect(opened.locator("#stimulator-state")).to_contain_text("ramp up")
    assert link_of(opened).actions == before.actions[:-1]


def test_what_if_i_had_not_and_the_later_actions_again(opened):
    start(opened)
    opened.evaluate("stimbench.bench.do('break', {part: 'left.0', fault: 'open'})")
    opened.keyboard.press("Escape")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    before = link_of(opened)
    opened.get_by_role("tab", name="Run").click()
    opened.get_by_label("What came later is done again").check()
    opened.get_by_role("button", name="What if I had not: break").click()
    expect(opened.locator("#run-actions li")).to_have_count(len(before.actions) - 1)
    expect(opened.locator("#run-actions li").last).to_contain_text("stop")
    assert link_of(opened).actions == [one for one in before.actions if one[1] != "break"]


def test_a_link_repeats_the_run_on_another_server_to_the_edge(opened, serve, open_page):
    start(opened)
    opened.evaluate("stimbench.bench.do('magnet', {state: 'on'})")
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    opened.get_by_role("tab", name="Run").click()
    opened.get_by_role("button", name="Link to this run").click()
    expect(opened.get_by_label("Link to a run")).not_to_have_value("")
    link = opened.get_by_label("Link to a run").input_value()
    run = from_link(link.rpartition("#run=")[2])
    starts = opened.evaluate("stimbench.bench.record?.starts ?? null")
    assert starts is None  # the page has no record of its own: the server does
    other = open_page(serve("--run", link).url)
    expect(other.locator("#stimulator-state")).to_contain_text("ready")
    other.get_by_label("Show", exact=True).select_option("all")
    expect(other.locator("#scope-left-width")).to_have_text("214.000 µs")
    capture = repeated(run).bench.trace.capture()
    for lead, pulses in zip(("left", "right"), frames_of(other)["pulses"], strict=True):
        expected = pulses_of(capture, lead)["start_ns"].tolist()
        assert [one["start_ns"] for one in pulses] == expected[-len(pulses) :]


def test_two_viewers_and_a_hand_over(opened, serve, open_page):
    url = opened.evaluate("stimbench.bench.withRun('invite')")["url"]
    other = open_page(url)
    expect(other.locator("#who")).to_have_text("Viewer 1 holds the controls")
    start(opened)
    refused = other.evaluate("stimbench.bench.do('start').catch((error) => error.message)")
    assert refused == "You look on: viewer 1 holds the controls. Ask for them."
    expect(other.get_by_role("button", name="Start a session")).to_be_disabled()
    expect(other.locator("#scope-left-width")).to_have_text("214.000 µs")
    other.get_by_role("button", name="Ask for the controls").click()
    opened.get_by_role("button", name="Give to viewer 2", exact=True).click()
    holds(other)
    expect(opened.locator("#who")).to_have_text("Viewer 2 holds the controls")
    expect(opened.get_by_role("button", name="Start a session")).to_be_disabled()
    opened.keyboard.press("Escape")  # anybody may stop
    expect(other.locator("#stimulator-state")).to_contain_text("ready")
    run = link_of(other)
    assert [name for _, name, _ in run.actions][-2:] == ["start", "stop"]
    assert run.actions[-1][2] == {"why": "viewer 1"}


def test_a_page_that_is_loaded_anew_goes_on(opened):
    start(opened)
    opened.reload()
    holds(opened)
    expect(opened.locator("#stimulator-state")).to_contain_text("hold")
    expect(opened.locator("#scope-left-width")).to_have_text("214.000 µs")


def test_the_bench_stops_by_itself_when_the_page_has_gone(serve, open_page):
    served = serve()
    page = open_page(served.url)
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
    start(page)
    url = page.evaluate("stimbench.bench.withRun('invite')")["url"]
    page.close()
    other = open_page(url)
    expect(other.locator("#stimulator-state")).to_contain_text("ready")
    run = link_of(other)
    assert run.actions[-1][1:] == ("stop", {"why": "the page that held the controls has gone"})
    other.get_by_role("button", name="Take the controls").click()
    holds(other)


def test_a_server_that_was_killed_goes_on_with_the_run(serve, open_page):
    served = serve()
    page = open_page(served.url)
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
    start(page)
    expect(page.locator("#stimulator-state")).to_contain_text("hold")
    before = link_of(page)
    served.process.kill()
    served.process.wait()
    expect(page.locator("#notice")).to_contain_text("The connection to the bench is lost")
    serve("--again", "--port", page.url.rpartition(":")[2].strip("/"))
    expect(page.locator("#stimulator-state")).to_contain_text("hold")
    holds(page)
    after = link_of(page)
    assert after.actions == before.actions
    assert json.loads(json.dumps(after.model_dump()))["config"] == before.config.model_dump()


def test_no_request_leaves_this_machine(serve, open_page):
    served = serve()
    page = open_page("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url)
    expect(page.locator("#stimulator-state")).to_contain_text("ready")
    for tab in page.get_by_role("tab").all():
        tab.click()
    origin = served.url.partition("/enter")[0]
    assert len(asked) > 10
    assert all(url.startswith(f"{origin}/") for url in asked)
    assert page.url == f"{origin}/"
    assert not page.problems
