"""The magnet's gestures: a touch at each approach, HELD once after three seconds."""

from stimfw.ui.magnet import HELD, HOLD_MS, NOTHING, SETTLE_MS, TOUCH, MagnetHold


def told(magnet, samples):
    """What it tells at each of `samples` (time, present), without NOTHING."""
    out = [(now_ms, magnet.update(present, now_ms)) for now_ms, present in samples]
    return [one for one in out if one[1] != NOTHING]


def test_a_touch_is_told_at_once():
    assert MagnetHold().update(True, 5) == TOUCH


def test_held_for_three_seconds_is_told_once():
    samples = [(now_ms, True) for now_ms in range(0, 10_000, 10)]
    assert told(MagnetHold(), samples) == [(0, TOUCH), (HOLD_MS, HELD)]


def test_a_pause_begins_the_three_seconds_again():
    samples = [(0, True), (2900, False), (2900 + SETTLE_MS, False), (2950, True), (5949, True), (5950, True)]
    assert told(MagnetHold(), samples) == [(0, TOUCH), (2950, TOUCH), (5950, HELD)]


def test_a_pause_is_seen_though_nobody_looked_at_its_end():
    samples = [(0, True), (2000, False), (2500, True), (3100, True), (5500, True)]
    assert told(MagnetHold(), samples) == [(0, TOUCH), (2500, TOUCH), (5500, HELD)]


def test_bounces_of_both_edges_are_one_touch():
    closing = [(0, True), (1, False), (2, True), (3, False), (5, True)]
    opening = [(500, False), (502, True), (504, False), (510, True), (511, False), (540, False)]
    assert told(MagnetHold(), closing + opening) == [(0, TOUCH)]


def test_each_new_approach_is_a_touch():
    magnet = MagnetHold()
    for begin_ms in (0, 200, 400):
        assert magnet.update(True, begin_ms) == TOUCH
        assert magnet.update(False, begin_ms + 50) == NOTHING
        assert magnet.update(False, begin_ms + 50 + SETTLE_MS) == NOTHING


def test_a_second_hold_is_told_again():
    magnet = MagnetHold()
    samples = [(0, True), (3000, True), (4000, False), (4020, False), (5000, True), (8000, True)]
    assert told(magnet, samples) == [(0, TOUCH), (3000, HELD), (5000, TOUCH), (8000, HELD)]


def test_a_magnet_that_was_there_first_is_no_gesture():
    magnet = MagnetHold(present=True)
    assert told(magnet, [(now_ms, True) for now_ms in range(0, 8000, 100)]) == []
    assert magnet.wait_ms(8000) == -1
    assert told(magnet, [(8000, False), (8020, False), (9000, True)]) == [(9000, TOUCH)]


def test_it_tells_when_to_look_again():
    magnet = MagnetHold()
    assert magnet.wait_ms(0) == -1
    magnet.update(True, 100)
    assert magnet.wait_ms(100) == HOLD_MS and magnet.wait_ms(3000) == 100 and magnet.wait_ms(9000) == 0
    magnet.update(True, 3100)
    assert magnet.wait_ms(3100) == -1
    magnet.update(False, 3200)
    assert magnet.wait_ms(3205) == SETTLE_MS - 5
    magnet.update(False, 3200 + SETTLE_MS)
    assert magnet.wait_ms(3300) == -1


def test_the_clock_may_wrap():
    magnet = MagnetHold()
    assert magnet.update(True, 0x3FFFFFFF) == TOUCH
    assert magnet.wait_ms(998) == HOLD_MS - 999
    assert magnet.update(True, HOLD_MS - 2) == NOTHING and magnet.update(True, HOLD_MS - 1) == HELD
