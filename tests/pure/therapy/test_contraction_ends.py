"""The first and the last pulse of each part of a contraction, counted one by one."""

from stimfw.protocol import messages
from stimfw.therapy import program
from stimfw.therapy.contraction import Contraction


def contraction(**changes):
    values = {"left.amplitude_ua": 2000, "right.amplitude_ua": 10_000}
    values.update(changes)
    return Contraction(program.default().replaced(values))


def test_every_part_has_its_own_pulses():
    one = contraction(rate_hz=10, ramp_up_ms=1000, on_ms=2000, ramp_down_ms=500)
    up, hold, down, rest = messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST
    assert [one.state(n) for n in range(36)] == [up] * 10 + [hold] * 20 + [down] * 5 + [rest]
    assert one.periods == 35


def test_ramps_are_shares_of_the_target():
    one = contraction(rate_hz=10, ramp_up_ms=1000, on_ms=1000, ramp_down_ms=400)
    left = [one.amplitude_ua(0, n) for n in range(26)]
    assert left[:10] == [2000 * n // 11 for n in range(1, 11)]
    assert left[10:20] == [2000] * 10
    assert left[20:] == [1600, 1200, 800, 400, 0, 0]


def test_without_ramps_the_first_and_the_last_pulse_are_whole():
    one = contraction(rate_hz=10, ramp_up_ms=0, on_ms=1000, ramp_down_ms=0)
    assert [one.amplitude_ua(1, n) for n in range(11)] == [10_000] * 10 + [0]


def test_the_longest_hold_is_not_a_pulse_longer():
    """60 s at 200 Hz: 12 000 pulses."""
    one = contraction(rate_hz=200, ramp_up_ms=0, on_ms=60_000, ramp_down_ms=0)
    assert one.periods == 12_000
    one = contraction(rate_hz=200, ramp_up_ms=10_000, on_ms=60_000, ramp_down_ms=10_000)
    assert one.periods == 16_000 and one.held_after(2000) == 11_999


def test_a_hold_that_is_cut_short_is_followed_by_the_whole_ramp():
    one = contraction(rate_hz=10, ramp_up_ms=1000, on_ms=2000, ramp_down_ms=500)
    one.end_from(17)
    up, hold, down, rest = messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST
    assert [one.state(n) for n in range(23)] == [up] * 10 + [hold] * 7 + [down] * 5 + [rest]
    falling = [2000 * n // 6 for n in (5, 4, 3, 2, 1, 0)]
    assert [one.amplitude_ua(0, n) for n in range(16, 23)] == [2000] + falling
    assert one.periods == 22 and one.held_after(16) == 0


def test_a_ramp_up_that_is_cut_short_turns_into_the_ramp_down_at_its_height():
    """5 of 11 shares of the target were reached; the next below that in the ramp down are 2 of 6."""
    one = contraction(rate_hz=10, ramp_up_ms=1000, on_ms=2000, ramp_down_ms=500)
    one.end_from(5)
    assert [one.amplitude_ua(1, n) for n in range(8)] == (
        [10_000 * n // 11 for n in range(1, 6)] + [10_000 * 2 // 6, 10_000 // 6, 0]
    )
    down = messages.RAMP_DOWN
    assert [one.state(n) for n in (4, 5, 6, 7)] == [messages.RAMP_UP, down, down, messages.REST]


def test_wherever_it_is_cut_the_amplitude_falls_from_there_and_never_faster_than_the_ramp():
    for changes in (
        {"rate_hz": 10, "ramp_up_ms": 1000, "ramp_down_ms": 500},
        {"rate_hz": 10, "ramp_up_ms": 300, "ramp_down_ms": 2000},
        {"rate_hz": 10, "ramp_up_ms": 0, "ramp_down_ms": 1000},
        {"rate_hz": 10, "ramp_up_ms": 700, "ramp_down_ms": 700},
    ):
        whole = contraction(on_ms=1000, **changes)
        step = 10_000 // (changes["ramp_down_ms"] // 100 + 1) + 1
        up_step = 10_000 // (changes["ramp_up_ms"] // 100 + 1) + 1
        for cut in range(1, whole.periods):
            one = contraction(on_ms=1000, **changes)
            one.end_from(cut)
            assert one.periods <= whole.periods
            curve = [one.amplitude_ua(1, n) for n in range(whole.periods + 1)]
            assert curve[:cut] == [whole.amplitude_ua(1, n) for n in range(cut)]
            falls = [before - after for before, after in zip(curve[cut - 1 :], curve[cut:])]
            assert all(0 <= fall <= max(step, min(step, up_step) + step) for fall in falls), (changes, cut)
            assert curve[cut] < curve[cut - 1] and curve[-1] == 0, (changes, cut)


def test_without_a_ramp_it_ends_at_once_and_a_ramp_that_has_begun_goes_on():
    one = contraction(rate_hz=10, ramp_up_ms=0, on_ms=1000, ramp_down_ms=0)
    one.end_from(4)
    assert one.periods == 4 and one.state(3) == messages.HOLD and one.state(4) == messages.REST
    assert one.amplitude_ua(0, 4) == 0
    one = contraction(rate_hz=10, ramp_up_ms=0, on_ms=1000, ramp_down_ms=500)
    before = [(one.state(n), one.amplitude_ua(0, n)) for n in range(20)]
    for cut in (10, 11, 14, 15, 30):
        one.end_from(cut)
    assert [(one.state(n), one.amplitude_ua(0, n)) for n in range(20)] == before
    one.end_from(0)
    assert one.periods == 0 and one.amplitude_ua(0, 0) == 0 and one.state(0) == messages.REST


def test_other_amplitudes_leave_a_cut_where_it_is():
    one = contraction(rate_hz=10, ramp_up_ms=0, on_ms=1000, ramp_down_ms=400)
    one.end_from(5)
    one.retarget((1000, 500))
    assert [one.amplitude_ua(0, n) for n in range(4, 10)] == [1000, 800, 600, 400, 200, 0]
    assert one.amplitude_ua(1, 5) == 400 and one.periods == 9
