"""The times of the buttons and the magnet, to the millisecond, written out a second time."""

from stimfw.ui import button, magnet
from stimfw.ui.button import Debouncer
from stimfw.ui.magnet import MagnetHold

QUIET_MS = 20
HOLD_MS = 3000


def test_a_touch_and_a_hold_are_two_things():
    assert magnet.NOTHING == 0 and (magnet.TOUCH, magnet.HELD, magnet.LEFT) == (1, 2, 4)
    assert magnet.AWAY_MS == magnet.CONSENT_MS == 1000
    assert magnet.HOLD_MS == HOLD_MS and magnet.SETTLE_MS == QUIET_MS and button.SETTLE_MS == QUIET_MS


def test_a_magnet_is_gone_after_twenty_quiet_milliseconds():
    for away_ms, outcome in ((QUIET_MS - 1, magnet.NOTHING), (QUIET_MS, magnet.LEFT | magnet.TOUCH)):
        one = MagnetHold()
        one.update(True, 100)
        one.update(False, 200)
        assert one.update(True, 200 + away_ms) == outcome


def test_a_hold_that_nobody_looked_at_in_time_is_still_told_once():
    one = MagnetHold()
    one.update(True, 0)
    assert one.update(True, HOLD_MS - 1) == magnet.NOTHING
    assert one.update(True, HOLD_MS + 500) == magnet.HELD
    assert one.update(True, 2 * HOLD_MS + 500) == magnet.NOTHING


def test_the_magnet_never_asks_to_wait_for_the_past():
    one = MagnetHold()
    one.update(True, 0)
    one.update(False, 100)
    waits = [one.wait_ms(100 + late_ms) for late_ms in (0, 5, QUIET_MS, 5000)]
    assert waits == [QUIET_MS, QUIET_MS - 5, 0, 0]
    one.update(True, 110)
    assert [one.wait_ms(now_ms) for now_ms in (HOLD_MS - 1, HOLD_MS, HOLD_MS + 1)] == [1, 0, 0]


def test_a_button_is_released_after_twenty_quiet_milliseconds():
    for open_ms, again in ((QUIET_MS - 1, False), (QUIET_MS, True)):
        one = Debouncer(False)
        assert one.update(True, True, 1000)
        one.update(False, True, 1100)
        one.update(False, False, 1100 + open_ms)
        assert one.update(True, False, 1100 + open_ms) is again, open_ms


def test_the_button_never_asks_to_wait_for_the_past():
    one = Debouncer(False)
    assert one.wait_ms(0) == -1
    one.update(True, True, 1000)
    assert one.wait_ms(1000) == -1
    one.update(False, True, 1100)
    waits = [one.wait_ms(1100 + late_ms) for late_ms in (0, 7, QUIET_MS, 900)]
    assert waits == [QUIET_MS, QUIET_MS - 7, 0, 0]


def test_a_bounce_begins_the_quiet_time_again():
    one = Debouncer(False)
    one.update(True, True, 1000)
    one.update(False, True, 1100)
    one.update(False, True, 1115)
    assert one.wait_ms(1115) == QUIET_MS
    one.update(False, False, 1100 + QUIET_MS)
    assert one.down
    one.update(False, False, 1115 + QUIET_MS)
    assert not one.down and one.wait_ms(2000) == -1


def test_a_button_tells_whether_it_is_down():
    one = Debouncer(True)
    assert one.down is True and one.wait_ms(5) == -1
    assert Debouncer(False).down is False


def test_a_button_held_from_the_start_is_released_like_any_other():
    one = Debouncer(True)
    one.update(False, False, 5)
    assert one.down and one.wait_ms(5) == QUIET_MS
    one.update(False, False, 5 + QUIET_MS)
    assert not one.down
