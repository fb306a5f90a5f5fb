"""What strangers sent: counted, the newest kept, and never in the way of anything else."""

import struct

from stimfw.protocol import messages, requests
from stimfw.therapy import stranger_log
from stimfw.therapy.stranger_log import StrangerLog

FORGED, REPLAYED, FLOOD = messages.EVENT_FORGED, messages.EVENT_REPLAYED, messages.EVENT_FLOOD
NOBODY = messages.FROM_NOBODY


def log_at(now_s=0):
    now = [now_s]
    return StrangerLog(lambda: now[0]), now


def read(log, first=0):
    number, raw = log.read(first)
    size = struct.calcsize(requests.STRANGER_RECORD)
    return number, [struct.unpack_from(requests.STRANGER_RECORD, raw, at) for at in range(0, len(raw), size)]


def test_each_kind_is_counted():
    log, _ = log_at()
    assert log.counts() == (0, 0, 0) and read(log) == (0, [])
    for kind, times in ((FORGED, 5), (REPLAYED, 3), (FLOOD, 2), (messages.EVENT_CONNECTED, 7)):
        for _ in range(times):
            log.add(kind, 1, 2)
    assert log.counts() == (5, 3, 2), "forged, replayed, flood: the order of the reply"


def test_one_a_second_is_kept_with_its_time():
    log, now = log_at()
    for now[0] in (0, 0, 1, 1, 1, 5):
        log.add(FORGED, now[0], 10 + now[0])
        log.add(FLOOD, NOBODY, 3)
    assert read(log) == (0, [(0, FORGED, 0, 10), (1, FORGED, 1, 11), (5, FORGED, 5, 15)])
    assert log.counts() == (6, 0, 6)


def test_the_newest_sixteen_are_kept():
    log, now = log_at()
    for now[0] in range(100):
        log.add(REPLAYED, 0x1FE, 0x100 + now[0])
    number, found = read(log)
    assert number == 84 and found == [(n, REPLAYED, 0xFE, n) for n in range(84, 100)]
    assert read(log, 98) == (98, [(98, REPLAYED, 0xFE, 98), (99, REPLAYED, 0xFE, 99)])
    for beyond in (100, 0xFFFFFFFF):
        assert read(log, beyond) == (100, [])
    assert log.kept == 100


def test_a_day_of_floods_costs_no_more_than_it_has():
    """And all of it fits into one reply."""
    log, now = log_at()
    for now[0] in range(0, 86_400, 7):
        log.add(FORGED, 1, 1)
    number, raw = log.read(0)
    reply = requests.pack_reply(requests.row_of(requests.STRANGERS), (number,) + log.counts() + (raw,))
    assert len(raw) == 16 * 7 and len(reply) <= messages.MAX_BODY


def test_a_count_ends_at_a_u32():
    log, _ = log_at()
    log._counts[0] = 0xFFFFFFFE
    for _ in range(3):
        log.add(FORGED, 1, 1)
    assert log.counts() == (0xFFFFFFFF, 0, 0)


def test_kinds_are_those_that_need_no_key():
    assert stranger_log.KINDS == (2, 3, 4) and stranger_log.KEPT == 16
