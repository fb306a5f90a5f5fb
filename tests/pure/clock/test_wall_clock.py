"""Uptime and the time of day, to the millisecond at which a second is full."""

from stimfw.clock.wall_clock import WallClock
from support.control import control


class Ticks:
    now_ms = 0

    def __call__(self):
        return self.now_ms & 0x3FFFFFFF


def clock_at(start_ms=0):
    ticks = Ticks()
    ticks.now_ms = start_ms
    return ticks, WallClock(ticks)


def test_a_second_is_1000_ms_and_none_is_lost():
    for start_ms in (0, 1, 999, 123_456):
        ticks, clock = clock_at(start_ms)
        for past_ms, seconds in ((0, 0), (999, 0), (1000, 1), (1001, 1), (1999, 1), (2000, 2), (5999, 5)):
            ticks.now_ms = start_ms + past_ms
            assert clock.uptime_s() == seconds, (start_ms, past_ms)
            assert clock.uptime_s() == seconds


def test_every_look_keeps_what_is_left_of_a_second():
    ticks, clock = clock_at()
    for turn in range(1, 3000):
        ticks.now_ms += 333
        assert clock.uptime_s() == 333 * turn // 1000


@control("C-45")
def test_the_ticks_may_wrap():
    ticks, clock = clock_at(0x3FFFFFFF - 499)
    ticks.now_ms += 999
    assert clock.uptime_s() == 0
    ticks.now_ms += 1
    assert clock.uptime_s() == 1


def test_the_time_of_day_goes_on_from_what_was_set():
    ticks, clock = clock_at()
    assert clock.time_s() == 0
    ticks.now_ms = 7000
    assert clock.time_s() == 0
    clock.set(1_800_000_000)
    assert clock.time_s() == 1_800_000_000
    ticks.now_ms = 9000
    assert clock.time_s() == 1_800_000_002 and clock.uptime_s() == 9
    clock.set(1_000_000_000)
    assert clock.time_s() == 1_000_000_000


def test_a_time_within_the_uptime_is_none():
    ticks, clock = clock_at()
    ticks.now_ms = 7000
    for time_s, told in ((7, 0), (6, 0), (0, 0), (8, 8), (9, 9)):
        clock.set(time_s)
        assert clock.time_s() == told, time_s


def test_a_time_that_no_u32_holds_is_never_told():
    ticks, clock = clock_at()
    clock.set(0xFFFFFFFE)
    for after_ms, told in ((0, 0xFFFFFFFE), (1000, 0xFFFFFFFF), (2000, 0xFFFFFFFF), (90_000_000, 0xFFFFFFFF)):
        ticks.now_ms = after_ms
        assert clock.time_s() == told
