"""The log's size, and what it keeps."""

from stimfw.protocol import messages
from stimfw.therapy import event_log
from stimfw.therapy.event_log import EventLog


def test_the_log_keeps_64_events():
    assert event_log.KEPT == 64 and event_log.SHARE == 21
    log = EventLog(lambda: 9)
    for n in range(65):
        log.add(messages.EVENT_MAGNET, 0, n)
    first, records = log.read(0, 100)
    assert first == 1 and len(records) == 64 * 8 and log.count == 65


def test_events_of_the_same_second_are_all_kept():
    log = EventLog(lambda: 0)
    for kind in (messages.EVENT_FORGED, messages.EVENT_FORGED, messages.EVENT_REPLAYED):
        log.add(kind, 0, 1)
    assert log.count == 3


def test_senders_and_details_are_bytes():
    log = EventLog(lambda: 0x01020304)
    log.add(7, 0x1FE, 0x1FF)
    assert log.read(0, 1) == (0, b"\x04\x03\x02\x01\x07\xfe\xff\0")
