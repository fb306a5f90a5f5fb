"""A part of the output, the supply or the temperature fails in a watched session: named rightly, and in time.

The row `watch` of the figures injects every failure at many moments. No other test injects these.
"""

import pytest
from stimbench.benchmarks.output.watched import Case, run_case

pytestmark = pytest.mark.emulated


def assert_right(failure):
    outcome = run_case(Case(failure, seed=7, tolerance=0, rate_hz=20))
    assert outcome.is_right, (outcome.told, outcome.pulses, outcome.first_ms)


@pytest.mark.control("C-49", "C-53")
@pytest.mark.parametrize(
    "case",
    [
        Case("electrode drifts", 12, -1, 100),  # was told with its 4th pulse: the looks went out of step
        Case("conductor broken", 28, 0, 100),  # was intermittent: 78 uA, and none, were one to the watch
        Case("conductor broken", 513, -1, 200),  # was told with its 4th pulse: a look every 11 ms
    ],
    ids=lambda case: f"{case.failure}, {case.rate_hz} Hz",
)
def test_what_was_late_or_misnamed_at_fast_rates(case):
    outcome = run_case(case)
    assert outcome.is_right, (outcome.told, outcome.pulses, outcome.first_ms)


@pytest.mark.control("C-70", "C-71")
@pytest.mark.parametrize("failure", ["DAC code stuck", "switch stuck open", "pump dead"])
def test_which_part_failed_is_found_out_after_the_stop(failure):
    assert_right(failure)


@pytest.mark.control("C-68")
@pytest.mark.parametrize("failure", ["supply low", "too warm"])
def test_supply_and_temperature_are_looked_at_in_a_rest(failure):
    assert_right(failure)


@pytest.mark.control("C-48")
@pytest.mark.parametrize("failure", ["converter stuck", "current amplifier's offset"])
def test_what_measures_is_watched_too(failure):
    assert_right(failure)
