"""The radio view in Chromium: frames heard and opened, a replay, a filter, an attack."""

import pytest
from playwright.sync_api import expect
from stimbench.web.run_file import from_link
from support.accessible import findings_in_both_themes
from support.pages import holds, start
from support.web import repeated

pytestmark = pytest.mark.emulated


def test_a_stop_is_heard_opened_and_replayed(opened):
    start(opened)
    opened.get_by_role("tab", name="Radio").click()
    opened.evaluate("stimbench.bench.do('press', {button: 'STOP'})")
    frames = opened.locator("#radio-frames li")
    stop = frames.filter(has_text="REQUEST").filter(has_text="STOP")
    expect(stop).to_have_count(1)
    expect(frames.filter(has_text="REPLY").filter(has_text="STOP: ok")).not_to_have_count(0)
    expect(opened.locator("#stimulator-state")).to_contain_text("ready")
    opened.locator("#radio-filter").fill("hello")
    opened.locator("#radio-kind").select_option("REQUEST")
    expect(frames).to_have_count(0)
    opened.locator("#radio-filter").fill("")
    opened.locator("#radio-kind").select_option("")
    stop.get_by_role("button").click()
    opened.locator("#radio-payload").press("End")
    opened.locator("#radio-flip").click()
    opened.locator("#radio-send").click()
    expect(opened.locator("#radio-sent")).to_contain_text("The stimulator counted")
    expect(frames.first).to_contain_text("sent by this page")
    shown = opened.evaluate(
        "[...document.querySelectorAll('#radio-frames li')].map((one) => "
        "one.querySelector('code').textContent.replaceAll(' ', ''))"
    )
    link = opened.evaluate("stimbench.bench.withRun('link')")["link"]
    tap = repeated(from_link(link)).bench.air.tap
    assert list(dict.fromkeys(packet.payload.hex() for packet in tap)) == shown[::-1]
    assert not opened.problems
    assert findings_in_both_themes(opened) == []


def test_what_is_no_frame_is_refused_at_its_field_and_an_attack_is_told(opened):
    holds(opened)
    opened.get_by_role("tab", name="Radio").click()
    opened.locator("#radio-send").click()
    expect(opened.locator("#radio-why")).to_contain_text("3 to 5 bytes")
    expect(opened.locator("#radio-address")).to_be_focused()
    opened.locator("#radio-address").fill("aabbccddee")
    opened.locator("#radio-payload").fill("0g")
    opened.locator("#radio-send").click()
    expect(opened.locator("#radio-why")).to_contain_text("1 to 32 bytes")
    expect(opened.locator("#radio-payload")).to_be_focused()
    opened.locator("#radio-attack-name").select_option("replayed frames")
    expect(opened.locator("#radio-attack-what")).to_contain_text("with a recording and a transmitter")
    opened.locator("#radio-attack").click()
    row = opened.locator("#radio-attack-results tbody tr")
    expect(row).to_contain_text("replayed frames")
    expect(row.locator("td").nth(2)).to_have_text("0")
