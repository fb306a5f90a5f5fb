"""Debouncing: a press at its first edge, a release only when the contact is quiet."""

from stimfw.ui.button import SETTLE_MS, Debouncer


def presses(button, samples):
    """How many of `samples` (time, down) are presses."""
    return sum([button.update(down, True, now_ms) for now_ms, down in samples])


def test_a_press_acts_at_its_first_edge():
    assert Debouncer(False).update(True, True, 0)


def test_bounces_of_press_and_release_are_one_press():
    button = Debouncer(False)
    closing = [(0, True), (1, False), (2, True), (3, False), (4, True)]
    opening = [(100, False), (101, True), (102, False), (103, True), (104, False)]
    assert presses(button, closing + opening) == 1
    assert button.wait_ms(104) == SETTLE_MS
    assert not button.update(False, False, 104 + SETTLE_MS)
    assert button.wait_ms(200) == -1
    assert button.update(True, True, 200)


def test_a_held_button_needs_no_attention():
    button = Debouncer(False)
    button.update(True, True, 0)
    assert button.wait_ms(0) == -1
    assert not button.update(True, False, 5000)


def test_a_button_held_at_power_on_is_no_press():
    button = Debouncer(True)
    assert not button.update(True, False, 0)
    assert not button.update(False, True, 10)
    assert not button.update(False, False, 10 + SETTLE_MS)
    assert button.update(True, True, 500)


def test_a_pulse_that_is_over_when_looked_at_presses_stop_only():
    assert not Debouncer(False).update(False, True, 0)
    stop = Debouncer(False, edge_is_enough=True)
    assert stop.update(False, True, 0)
    assert not stop.update(False, True, 1) and not stop.update(True, True, 2)
    assert not stop.update(False, True, 3)
    assert not stop.update(False, False, 3 + SETTLE_MS)
    assert stop.update(False, True, 100)


def test_the_clock_may_wrap():
    button = Debouncer(False)
    button.update(True, True, 0x3FFFFFFE)
    button.update(False, True, 0x3FFFFFFF)
    assert button.wait_ms(9) == SETTLE_MS - 10
    button.update(False, False, SETTLE_MS)
    assert button.update(True, True, SETTLE_MS + 1)
