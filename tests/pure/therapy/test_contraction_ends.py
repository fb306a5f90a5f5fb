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
