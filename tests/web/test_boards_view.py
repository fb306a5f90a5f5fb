"""The view "boards": lights and sounds beside the parts, and buttons that are held."""

import pytest
from stimbench.bench import wiring
from stimbench.web.views import boards
from stimbench.web.views.boards import LEAST_HOLD_NS, LONGEST_HOLD_NS
from support.web_views import Desk, Refused

pytestmark = pytest.mark.emulated


@pytest.fixture
def ready():
    desk = Desk()
    desk.until(Desk.READY_NS)
    return desk


def closed(desk, name="STATUS"):
    return wiring.buttons(desk.bench.board("remote"))[name].closed


def test_a_button_is_pressed_while_it_is_held(ready):
    ready.do("boards-hold", button="STATUS")
    ready.wait(0.5)
    assert closed(ready) and ready.shown("boards")["buttons"] == ["STATUS"]
    ready.do("boards-release", button="STATUS")
    assert not closed(ready) and ready.shown("boards")["buttons"] == []


def test_a_touch_is_as_long_as_a_finger_is(ready):
    ready.do("boards-hold", button="STATUS")
    begun_ns = ready.bench.now_ns
    ready.do("boards-release", button="STATUS")
    ready.until(begun_ns + LEAST_HOLD_NS - 5_000_000)
    assert closed(ready)
    ready.until(begun_ns + LEAST_HOLD_NS + 5_000_000)
    assert not closed(ready)


def test_a_pairing_can_be_begun_by_hand():
    assert LONGEST_HOLD_NS > 3_500_000_000  # STATUS for 3 s


def test_a_button_whose_page_has_gone_is_let_go(ready, monkeypatch):
    monkeypatch.setattr(boards, "LONGEST_HOLD_NS", 1_000_000_000)
    ready.do("boards-hold", button="STOP")
    ready.wait(0.9)
    assert closed(ready, "STOP")
    ready.wait(0.2)
    assert not closed(ready, "STOP")
    assert ready.do("boards-release", button="STOP")["told"] == "STOP was let go already."


def test_an_old_hold_does_not_end_a_new_one(ready, monkeypatch):
    monkeypatch.setattr(boards, "LONGEST_HOLD_NS", 1_000_000_000)
    ready.do("boards-hold", button="STATUS")
    ready.do("boards-release", button="STATUS")
    ready.wait(0.2)
    ready.do("boards-hold", button="STATUS")
    ready.wait(0.9)  # beyond the end of the first one
    assert closed(ready)


def test_a_button_that_is_down_cannot_be_pressed(ready):
    ready.do("boards-hold", button="START")
    with pytest.raises(Refused, match="held down already"):
        ready.do("boards-hold", button="START")


def test_lights_and_sounds_are_those_of_the_parts(ready):
    ready.do("amplitude", left_ua=1000, right_ua=1000)
    ready.do("press", button="START")
    ready.wait(1.5)
    shown = ready.shown("boards")
    remote = ready.bench.board("remote")
    since_ns = ready.bench.now_ns - 2_000_000_000
    for name, led in wiring.lamps(remote).items():
        assert shown["changes"][f"remote {name}"] == [one for one in led.log if one[0] >= since_ns]
    assert shown["changes"]["remote green"]
    tones = wiring.tones(remote)
    assert tones
    assert shown["tones"] == [(one.start_ns, one.end_ns, round(one.frequency_hz)) for one in tones]
    assert shown["supply_v"] == {"stimulator": 5.0, "remote": 5.0}


def test_a_board_without_power_has_no_supply(ready):
    ready.do("power", state="off", board="remote")
    shown = ready.shown("boards")
    assert "remote" not in shown["supply_v"] and not shown["boards"]["remote"]["power"]
    assert "no power" in ready.do("boards-hold", button="START")["told"]
