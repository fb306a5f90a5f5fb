"""The view "Boards": buttons, magnet, lights and sounds, beside the bench's own state."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.emulated


@pytest.fixture
def boards(opened):
    opened.get_by_role("tab", name="Boards").click()
    expect(opened.locator("#boards-state")).to_have_text("ready")
    return opened


TONE_OVER = """new Promise((over) => stimbench.bench.addEventListener("state", function look() {
  const { t_ns, views } = stimbench.bench.state;
  if (t_ns - views.boards.tones[0][1] < 50e6) return;
  stimbench.bench.removeEventListener("state", look);
  over();
}))"""


def held(page):
    return page.evaluate("stimbench.bench.state.views.boards.buttons")


def test_a_start_by_the_remote_is_seen_and_heard_and_the_magnet_ends_it(boards):
    boards.evaluate("stimbench.bench.do('amplitude', {left_ua: 1000, right_ua: 1000})")
    boards.locator("#boards-START").click()
    expect(boards.locator("#boards-sounds")).to_contain_text("Hz for")
    expect(boards.locator("#boards-state")).to_have_text("ramp up")
    boards.evaluate(TONE_OVER)  # while it sounds, it ends now
    start, end, hz = boards.evaluate("stimbench.bench.state.views.boards.tones")[0]
    first = boards.locator("#boards-sounds li").last
    text = f"({start} / 1e9).toFixed(3) + ' s: {hz} Hz for ' + (({end} - {start}) / 1e6).toFixed(0) + ' ms'"
    expect(first).to_have_text(boards.evaluate(text))  # rounded as JavaScript does
    boards.get_by_role("button", name="Hold the magnet to it").click()
    expect(boards.locator("#boards-stop")).to_have_text("magnet")
    expect(boards.locator("#boards-magnet-seen")).to_have_text("at the board; the board sees it")
    boards.get_by_role("button", name="Take the magnet away").click()
    expect(boards.locator("#boards-magnet-seen")).to_have_text("away; the board sees none")
    assert not boards.problems


def test_a_button_is_down_while_a_key_or_the_pointer_holds_it(boards):
    status = boards.locator("#boards-STATUS")
    status.focus()
    boards.keyboard.down("Space")
    expect(status).to_have_attribute("aria-pressed", "true")
    assert held(boards) == ["STATUS"]
    boards.keyboard.up("Space")
    expect(status).to_have_attribute("aria-pressed", "false")
    box = status.bounding_box()
    boards.mouse.move(box["x"] + 5, box["y"] + 5)
    boards.mouse.down()
    expect(status).to_have_attribute("aria-pressed", "true")
    boards.mouse.move(0, 0)  # the pointer is captured: it may leave
    assert held(boards) == ["STATUS"]
    boards.mouse.up()
    expect(status).to_have_attribute("aria-pressed", "false")
    assert not boards.problems


def test_mute_is_remembered(boards):
    boards.get_by_role("button", name="Sound is on").click()
    boards.reload()
    boards.get_by_role("tab", name="Boards").click()
    expect(boards.locator("#boards-mute")).to_have_text("Sound is off")
    assert not boards.problems


LISTEN = """(() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
      window.ear = this.context.createAnalyser();
      window.ear.fftSize = 2048;
      connect.call(this, window.ear);
    }
    return connect.call(this, to, ...more);
  };
})()"""
HEAR = """(seconds) => new Promise((heard) => {
  const bins = new Float32Array(window.ear.frequencyBinCount), wave = new Float32Array(window.ear.fftSize);
  const until = performance.now() + seconds * 1000, found = [];
  (function look() {
    window.ear.getFloatTimeDomainData(wave);
    window.ear.getFloatFrequencyData(bins);
    const hz = (bins.indexOf(Math.max(...bins)) * window.ear.context.sampleRate) / window.ear.fftSize;
    found.push([Math.max(...wave.map(Math.abs)), hz]);
    if (performance.now() < until) setTimeout(look, 10);
    else heard(found);
  })();
})"""


def test_the_buzzer_is_heard_at_its_frequency_and_not_when_it_is_muted(serve, open_page):
    page = open_page("about:blank")
    page.add_init_script(LISTEN)
    page.goto(serve().url)
    page.get_by_role("tab", name="Boards").click()
    expect(page.locator("#boards-state")).to_have_text("ready")
    page.locator("#boards-STATUS").click()
    heard = page.evaluate(HEAR, 4)
    ((_, _, hz),) = page.evaluate("stimbench.bench.state.views.boards.tones")
    loud = [found_hz for level, found_hz in heard if level > 0.05]
    assert loud
    assert all(abs(found_hz - hz) < 25 for found_hz in loud)  # a bin of the analyser is 23 Hz wide
    page.get_by_role("button", name="Sound is on").click()
    page.locator("#boards-STATUS").click()
    expect(page.locator("#boards-sounds li")).to_have_count(2)
    assert max(level for level, _ in page.evaluate(HEAR, 1)) < 0.001
    assert not page.problems
