"""The ring of events, and the clock that dates them."""

import struct

from stimfw.clock.wall_clock import WallClock
from stimfw.protocol import messages, requests
from stimfw.therapy import event_log
from stimfw.therapy.event_log import KEPT, SHARE, EventLog

WRAP_MS = 1 << 30
USB = messages.FROM_USB


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
    assert records(log) == (0, [(n, messages.EVENT_FORBIDDEN, n, 100 + n, 0) for n in range(5)])
    assert records(log, 3) == (3, [(3, 1, 3, 103, 0), (4, 1, 4, 104, 0)])
    assert records(log, 1, 2) == (1, [(1, 1, 1, 101, 0), (2, 1, 2, 102, 0)])
    assert records(log, 99) == (5, [])


def test_the_newest_are_kept():
    log = EventLog(lambda: 7)
    for n in range(KEPT + 10):
        log.add(messages.EVENT_MAGNET, 0, n)
    start, found = records(log)
    assert start == 10
    assert [detail for _, _, _, detail, _ in found] == list(range(10, KEPT + 10))


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


ACCESS = (
    messages.EVENT_STARTED, messages.EVENT_FORBIDDEN, messages.EVENT_FLOOD, messages.EVENT_CONNECTED,
    messages.EVENT_WINDOW_OPENED, messages.EVENT_WINDOW_CLOSED, messages.EVENT_PAIRED,
    messages.EVENT_FORGOTTEN, messages.EVENT_PROGRAM_SET, messages.EVENT_TIME_SET, messages.EVENT_WINDOW_SET,
    messages.EVENT_FACTORY_RESET, messages.EVENT_PAIRING_EXPIRED, messages.EVENT_KEY_RETIRED,
)  # fmt: skip
OUTPUT = (
    messages.EVENT_MAGNET, messages.EVENT_SESSION, messages.EVENT_MEASURING, messages.EVENT_SELF_TEST,
    messages.EVENT_MEASURED, messages.EVENT_STOPPED, messages.EVENT_PART_FAILED, messages.EVENT_PART_MENDED,
    messages.EVENT_LATER_PART_FAILED, messages.EVENT_LATER_PART_MENDED,
    messages.EVENT_LINK_LOST, messages.EVENT_LINK_BACK, messages.EVENT_CONTACT_LOST,
)  # fmt: skip
SELDOM = (messages.EVENT_FORGED, messages.EVENT_REPLAYED)
AMPLITUDES = (messages.EVENT_LEFT_AMPLITUDE, messages.EVENT_RIGHT_AMPLITUDE)


def read_all(log, first=0):
    """Every event kept, as a host reads them: page after page, (number, kind)."""
    found = []
    while True:
        start, page = records(log, first, 16)
        if not page:
            return found
        found += [(start + index, kind) for index, (_, kind, *_) in enumerate(page)]
        first = start + len(page)


def test_a_flood_of_one_group_leaves_the_share_of_the_others():
    groups = (ACCESS, OUTPUT, AMPLITUDES)
    for flooding in groups:
        log = EventLog(lambda: 7)
        others = [group for group in groups if group != flooding]
        early = [group[n % len(group)] for n in range(KEPT) for group in others]
        for kind in early:
            log.add(kind, USB, 0)
        for n in range(3 * KEPT):
            log.add(flooding[n % len(flooding)], USB, 0)
        found = read_all(log)
        assert len(found) == KEPT
        assert found[: 2 * SHARE] == list(enumerate(early))[-2 * SHARE :], "the newest of both"
        flood = [flooding[n % len(flooding)] for n in range(3 * KEPT)]
        assert [kind for _, kind in found[2 * SHARE :]] == flood[2 * SHARE - KEPT :], "the newest"


def test_what_has_not_its_share_never_gives_way():
    log = EventLog(lambda: 7)
    few = [ACCESS[n % len(ACCESS)] for n in range(SHARE)] + [messages.EVENT_STOPPED] * 3
    for kind in few:
        log.add(kind, USB, 0)
    for n in range(3 * KEPT):
        log.add(messages.EVENT_LEFT_AMPLITUDE, USB, n)
    assert read_all(log)[: len(few)] == list(enumerate(few))
    newest = list(range(24 + 3 * KEPT - 40, 24 + 3 * KEPT))
    assert [number for number, _ in read_all(log)[len(few) :]] == newest


def test_every_kind_belongs_to_a_group():
    assert len(event_log._GROUPS) == len(messages.EVENT_NAMES)
    for kind, group in enumerate(event_log._GROUPS):
        assert kind in (ACCESS + SELDOM, OUTPUT, AMPLITUDES)[group], kind


def test_reading_goes_on_after_a_number_that_is_missing():
    log = EventLog(lambda: 7)
    for n in range(KEPT):
        log.add(messages.EVENT_LEFT_AMPLITUDE if n & 1 else messages.EVENT_STOPPED, USB, n)
    for n in range(4):
        log.add(messages.EVENT_LEFT_AMPLITUDE, USB, n)
    # Both groups have more than their share: the oldest of all gave way.
    assert records(log)[0] == 4 and len(records(log)[1]) == KEPT
    for n in range(20):
        log.add(messages.EVENT_LEFT_AMPLITUDE, USB, n)
    numbers = [number for number, _ in read_all(log)]
    assert len(numbers) == KEPT and numbers != list(range(numbers[0], numbers[0] + KEPT))
    assert records(log, numbers[0])[0] == numbers[0] and numbers[-1] == KEPT + 23


def test_events_of_all_groups_come_back_in_the_order_in_which_they_came():
    log = EventLog(lambda: 7)
    kinds = [kind for group in (AMPLITUDES, OUTPUT, ACCESS) for kind in group] * 2
    for kind in kinds:
        log.add(kind, USB, 2)
    assert [kind for _, kind in read_all(log)] == kinds
    assert records(log, 5, 3) == (5, [(7, kind, USB, 2, 0) for kind in kinds[5:8]])


# What a peer can cause at will: not in the table under test.
BY_A_PEER = (
    messages.EVENT_FORBIDDEN, messages.EVENT_CONNECTED, messages.EVENT_PROGRAM_SET, messages.EVENT_TIME_SET,
    messages.EVENT_WINDOW_SET, messages.EVENT_SESSION, messages.EVENT_MEASURING, messages.EVENT_SELF_TEST,
    messages.EVENT_STOPPED, messages.EVENT_LEFT_AMPLITUDE, messages.EVENT_RIGHT_AMPLITUDE,
    messages.EVENT_LINK_LOST, messages.EVENT_LINK_BACK,
)  # fmt: skip


def at_time():
    """A log, and the list of one element that is its time in s."""
    now = [100]
    return EventLog(lambda: now[0]), now


def test_what_a_peer_does_again_within_a_minute_is_counted_into_the_first():
    for kind in BY_A_PEER:
        log, now = at_time()
        for n in range(10):
            now[0] = 100 + 6 * n
            log.add(kind, 3, n)
        assert records(log) == (0, [(100, kind, 3, 9, 9)]), "the newest detail, how often again"
        now[0] = 159
        log.add(kind, 3, 77)
        now[0] = 160
        log.add(kind, 3, 78)
        log.add(kind, 3, 79)
        assert records(log) == (0, [(100, kind, 3, 77, 10), (160, kind, 3, 79, 1)])


def test_another_peer_another_kind_and_whoever_is_no_peer_is_another_event():
    log, _ = at_time()
    events = [(kind, slot) for kind in BY_A_PEER for slot in range(4)]
    for kind, slot in events:
        log.add(kind, slot, 0)
    assert log.count == len(events)
    for sender in (messages.FROM_USB, messages.FROM_NOBODY, messages.SLOTS):
        log, _ = at_time()
        for kind in BY_A_PEER:
            log.add(kind, sender, 0)
            log.add(kind, sender, 0)
        assert log.count == 2 * len(BY_A_PEER), sender


def test_what_needs_the_magnet_or_happens_by_itself_is_never_counted_together():
    for kind in range(len(messages.EVENT_NAMES)):
        if kind not in BY_A_PEER:
            log, _ = at_time()
            log.add(kind, 2, 1)
            log.add(kind, 2, 1)
            assert log.count == 2, kind


def test_a_count_of_repeats_stays_at_its_end():
    log, _ = at_time()
    for _ in range(400):
        log.add(messages.EVENT_CONNECTED, 0, 1)
    assert records(log) == (0, [(100, messages.EVENT_CONNECTED, 0, 1, 255)])


def test_an_event_that_gave_way_takes_no_repeats():
    log, _ = at_time()
    log.add(messages.EVENT_CONNECTED, 0, 1)
    for n in range(KEPT):
        log.add(messages.EVENT_FORGOTTEN, USB, n)
    log.add(messages.EVENT_CONNECTED, 0, 1)
    start, found = records(log)
    assert start == 2 and found[-1] == (100, messages.EVENT_CONNECTED, 0, 1, 0)
    assert all([event[4] == 0 for event in found])


def test_six_peers_who_do_all_they_may_wash_nothing_of_the_hour_out():
    """Each kind of each peer once a minute at most: the start and a stop by magnet stay for minutes."""
    log, now = at_time()
    log.add(messages.EVENT_STARTED, messages.FROM_NOBODY, 1)
    for _ in range(1000):
        for kind in (messages.EVENT_CONNECTED, messages.EVENT_FORBIDDEN, messages.EVENT_LEFT_AMPLITUDE):
            for slot in range(messages.SLOTS):
                log.add(kind, slot, 0)
    assert log.count == 1 + 3 * messages.SLOTS and read_all(log)[0] == (0, messages.EVENT_STARTED)


def test_numbers_go_on_where_an_earlier_start_ended():
    log = EventLog(lambda: 7, 1000)
    assert log.first == log.count == 1000 and records(log) == (1000, [])
    for n in range(KEPT + 3):
        log.add(messages.EVENT_MAGNET, USB, n)
    start, found = records(log)
    assert start == 1003 and len(found) == KEPT and log.count == 1000 + KEPT + 3


def test_what_is_read_in_steps_is_what_is_there_at_its_end():
    """An event that comes between two steps may take the place of one that was found already."""
    for at in range(12):
        log = EventLog(lambda: 7)
        for n in range(KEPT + 3):
            log.add(messages.EVENT_LEFT_AMPLITUDE, USB, n)
        work, steps = log.reading(0, 16), 0
        while True:
            try:
                next(work)
            except StopIteration as over:
                start, found = over.value
                break
            steps += 1
            if steps == at:
                for n in range(5):
                    log.add(messages.EVENT_LEFT_AMPLITUDE, USB, 100 + n)
        assert (start, found) == log.read(0, 16) and start == (8 if 0 < at <= steps else 3)
        assert steps == (16 if 0 < at <= steps else 8), steps


def test_each_step_of_reading_looks_at_few_places():
    log = EventLog(lambda: 7)
    for kept, steps in ((0, 0), (1, 2), (16, 2), (17, 4), (KEPT, 8)):
        while log.count < kept:
            log.add(messages.EVENT_LEFT_AMPLITUDE, USB, 0)
        work, count = log.reading(0, 16), 0
        try:
            while True:
                next(work)
                count += 1
        except StopIteration:
            assert count == steps, kept


def test_a_log_that_goes_on_from_flash_has_nothing_in_its_empty_places():
    log = EventLog(lambda: 7, 100)
    assert log.read(0, 16) == (100, b"")
    for n in range(3):
        log.add(messages.EVENT_STOPPED, USB, n)
    assert records(log) == (100, [(7, messages.EVENT_STOPPED, USB, n, 0) for n in range(3)])


def test_what_is_read_ends_before_the_event_in_front_of_it():
    """Number 63 lies behind 64 to 79: the places go round."""
    log = EventLog(lambda: 7)
    for n in range(KEPT + 20):
        log.add(messages.EVENT_STOPPED, USB, n)
    start, found = records(log, KEPT, 16)
    assert start == KEPT and [detail for _, _, _, detail, _ in found] == list(range(KEPT, KEPT + 16))


def test_of_two_groups_with_more_than_their_share_the_older_event_gives_way():
    for older, newer in ((messages.EVENT_PAIRED, messages.EVENT_STOPPED),
                         (messages.EVENT_STOPPED, messages.EVENT_PAIRED),
                         (messages.EVENT_STOPPED, messages.EVENT_LEFT_AMPLITUDE)):  # fmt: skip
        log = EventLog(lambda: 7)
        for n in range(KEPT):
            log.add(older if n < KEPT // 2 else newer, USB, n)
        log.add(newer, USB, KEPT)
        assert log.read(0, 1)[0] == 1


def test_a_peers_event_is_not_counted_into_another_one_in_its_place():
    left, right = messages.EVENT_LEFT_AMPLITUDE, messages.EVENT_RIGHT_AMPLITUDE
    for kind, sender in ((left, USB), (left, 0), (left, 2), (right, 1), (messages.EVENT_STOPPED, 1)):
        log = EventLog(lambda: 7)
        log.add(left, 1, 5)
        for n in range(KEPT - 1):
            log.add(left, USB, n)
        log.add(kind, sender, 9)  # where the peer's was
        log.add(left, 1, 6)
        assert records(log, KEPT + 1) == (KEPT + 1, [(7, left, 1, 6, 0)]), (kind, sender)


def test_a_minute_later_a_peers_event_is_a_new_one():
    for began_s in (7, 1000, 0x123456, 0x12345678, (1 << 31) + 5):
        for later_s, count in ((59, 1), (60, 2), (61, 2), (200, 2)):
            now = [began_s]
            log = EventLog(lambda now=now: now[0])
            log.add(messages.EVENT_LEFT_AMPLITUDE, 1, 5)
            now[0] += later_s
            log.add(messages.EVENT_LEFT_AMPLITUDE, 1, 6)
            assert log.count == count, (began_s, later_s)
