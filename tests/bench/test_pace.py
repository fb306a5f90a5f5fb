"""How a served bench is held back to the wall's clock: all on a clock of the test's own."""

from stimbench.bench.pace import Pace

S = 1_000_000_000


class Clock:
    def __init__(self):
        self.wall_s, self.bench_ns, self.slept = 100.0, 0, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.wall_s += seconds

    def pace(self, factor):
        return Pace(lambda: self.bench_ns, factor, lambda: self.wall_s, self.sleep)

    def run(self, pace, seconds):
        """Emulated seconds that cost no time of the wall's."""
        for _ in range(round(seconds * 500)):
            while pace.holds():
                pass
            self.bench_ns += S // 500


def test_a_bench_is_held_back_to_its_factor():
    clock = Clock()
    pace = clock.pace(0.5)
    clock.run(pace, 1)
    assert abs(clock.wall_s - 102) < 0.01
    assert abs(pace.measured - 0.5) < 0.01
    pace.set(2)
    clock.run(pace, 2)
    assert abs(clock.wall_s - 103) < 0.01


def test_no_nap_is_long_however_slow_the_bench_is():
    clock = Clock()
    clock.run(clock.pace(0.001), 0.01)
    assert max(clock.slept) <= 0.02


def test_as_fast_as_it_goes_never_sleeps():
    clock = Clock()
    for factor in (None, 0):
        clock.run(clock.pace(factor), 1)
    assert clock.slept == []


def test_a_bench_that_fell_behind_does_not_hurry_to_catch_up():
    clock = Clock()
    pace = clock.pace(1)
    clock.wall_s += 10
    assert not pace.holds()
    clock.bench_ns += S
    assert pace.holds(), "it is ahead of where it was, and not nine seconds behind"


def test_nothing_is_measured_before_it_began():
    clock = Clock()
    assert clock.pace(1).measured is None
