"""The ring of events, and the clock that dates them."""

import struct

from stimfw.clock.wall_clock import WallClock
from stimfw.protocol import messages, requests
from stimfw.therapy.event_log import KEPT, EventLog

WRAP_MS = 1 << 30


class Ticks:
    def __init__(self, now_ms=0):
        self.now_ms = now_ms

    def __call__(self):
        return self.now_ms % WRAP_MS


def records(log, first=0, most=KEPT):
    start, raw = log.read(first, most)
    size = struct.calcsize(requests.LOG_RECORD)
    found = [struct.unpack_from(requests.LOG_RECORD, raw, at) for at in range(0, len(raw), size)]
    return start, found


def test_events_come_back_in_order():
    ticks = Ticks()
    log = EventLog(WallClock(ticks).uptime_s)
    for n in range(5):
        ticks.now_ms = 1000 * n
        log.add(messages.EVENT_FORBIDDEN, n, 100 + n)
    assert records(log) == (0, [(n, messages.EVENT_FORBIDDEN, n, 100 + n) for n in range(5)])
    assert records(log, 3) == (3, [(3, 1, 3, 103), (4, 1, 4, 104)])
    assert records(log, 1, 2) == (1, [(1, 1, 1, 101), (2, 1, 2, 102)])
    assert records(log, 99) == (5, [])


def test_the_newest_are_kept():
    log = EventLog(lambda: 7)
    for n in range(KEPT + 10):
        log.add(messages.EVENT_MAGNET, 0, n)
    start, found = records(log)
    assert start == 10
    assert [detail for _, _, _, detail in found] == list(range(10, KEPT + 10))


def test_what_an_attacker_can_repeat_is_kept_once_a_second():
    ticks = Ticks()
    log = EventLog(WallClock(ticks).uptime_s)
    for n in range(3000):
        ticks.now_ms = n
        log.add(messages.EVENT_FORGED, 0, 1)
        log.add(messages.EVENT_REPLAYED, 0, 1)
    log.add(messages.EVENT_FORBIDDEN, 0, 1)
    assert log.count == 7


def test_uptime_goes_on_when_the_ticks_wrap():
    ticks = Ticks(WRAP_MS - 1500)
    clock = WallClock(ticks)
    for step in (700, 700, 700, 400):
        ticks.now_ms += step
        clock.uptime_s()
    assert clock.uptime_s() == 2
    for _ in range(400):  # 400 days
        ticks.now_ms += 86_400_000
        clock.uptime_s()
    assert clock.uptime_s() == 2 + 400 * 86_400


def test_the_time_of_day_is_unknown_until_it_is_set():
    ticks = Ticks()
    clock = WallClock(ticks)
    ticks.now_ms = 5000
    assert clock.time_s() == 0
    clock.set(1_800_000_000)
    ticks.now_ms = 65_000
    assert clock.time_s() == 1_800_000_060
