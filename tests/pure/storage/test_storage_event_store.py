"""The log's ring on flash: what was written stays whatever a power cut or a damaged block does."""

import random
import struct
from binascii import crc32

from stimfw.protocol import requests
from stimfw.storage import event_store
from stimfw.storage.blocks import StorageError
from stimfw.storage.event_store import PLACES, EventStore
from support.flash_fake import NO_CUT, FlashFake, each_cut

FIRST = 1
BLOCK, PAGE, PLACE = 4096, 256, 16
EVENT = struct.calcsize(requests.LOG_RECORD)


def event(number):
    return struct.pack(requests.LOG_RECORD, number, number % 29, 0xFE, number % 251, 0)


def events(first, count):
    return b"".join([event(number) for number in range(first, first + count)])


def opened(flash):
    return EventStore(flash, FIRST)


def filled(count, step=5):
    """A flash with so many events, a few at a time, each time after another start."""
    flash = FlashFake()
    for first in range(0, count, step):
        opened(flash).append(first, events(first, min(step, count - first)))
    flash.operations.clear()
    return flash


def read_all(store, most=16):
    """Each number to its event, as a host reads them: reply after reply."""
    found = {}
    first = 0
    while True:
        number, raw = store.read(first, most)
        assert number >= first and len(raw) <= most * EVENT
        if not raw:
            assert number == store.next_number
            return found
        for at in range(0, len(raw), EVENT):
            found[number] = raw[at : at + EVENT]
            number += 1
        first = number


def assert_true(found):
    for number, raw in found.items():
        assert raw == event(number), number


def test_reading_a_page_takes_steps_between_which_a_stop_is_heard():
    """All 16 places at once took a board 3 ms."""
    work, steps = opened(filled(40)).reading(0, 16), 0
    try:
        while True:
            next(work)
            steps += 1
    except StopIteration as over:
        assert over.value == (0, events(0, 16))
    assert steps == 1 + 4 + 1  # of the first page, and into the next one


def test_events_come_back_with_their_numbers_over_starts():
    for count in (0, 1, 15, 16, 17, 40, PLACES - 1, PLACES, PLACES + 1, 2 * PLACES, 2 * PLACES + 1, 1500):
        store = opened(filled(count))
        assert store.next_number == count
        found = read_all(store)
        assert_true(found)
        newest = min(count, PLACES)
        assert sorted(found)[-newest:] == list(range(count - newest, count))[-len(found) or 1 :] or not count
        assert len(found) == count if count <= 2 * PLACES else PLACES <= len(found) <= 2 * PLACES


def test_a_place_is_what_its_description_says():
    flash = FlashFake()
    opened(flash).append(7, events(7, 2))
    body = struct.pack("<I", 8) + event(8)
    place = body + struct.pack("<I", crc32(b"SBl1" + body))
    assert bytes(flash.memory[FIRST * BLOCK + PLACE : FIRST * BLOCK + 2 * PLACE]) == place
    assert EVENT == 8 and len(place) == PLACE


def test_what_writing_costs():
    """A page program for up to 16 events, and an erase when the other block's turn comes: 1 in 256 events."""
    flash = FlashFake()
    store = opened(flash)
    for first in range(0, 3 * PLACES, 16):
        flash.operations.clear()
        store.append(first, events(first, 16))
        kinds = [kind for kind, _, _ in flash.operations]
        erases = 1 if first and first % PLACES == 0 and first >= 2 * PLACES else 0
        assert kinds == ["erase"] * erases + ["program"], first
    flash.operations.clear()
    store.append(3 * PLACES - 8, b"")
    store.read(0, 16)
    opened(flash)
    assert flash.operations == []


def test_reading_begins_and_ends_where_it_is_asked_to():
    store = opened(filled(100))
    assert store.read(40, 3) == (40, events(40, 3))
    assert store.read(0, 100) == (0, events(0, 100))
    assert store.read(99, 5) == (99, event(99))
    assert store.read(100, 5) == (100, b"") == store.read(0xFFFFFFFF, 5)


def test_numbers_that_are_missing_end_a_reply():
    flash = FlashFake()
    for first in (0, 10, 500):
        opened(flash).append(first, events(first, 4))
    store = opened(flash)
    assert store.next_number == 504
    for first, run in ((0, 0), (3, 3), (4, 10), (14, 500)):
        number, raw = store.read(first, 16)
        assert number == run and raw == events(run, len(raw) // EVENT)
    assert sorted(read_all(store)) == [0, 1, 2, 3, 10, 11, 12, 13, 500, 501, 502, 503]


def test_a_cut_at_any_operation_loses_only_what_it_was_to_write():
    stages = ((0, 3), (5, 3), (14, 5), (PLACES - 2, 5), (PLACES, 2), (2 * PLACES, 20), (2 * PLACES - 1, 3))
    for count, more in stages:
        start = filled(count)
        before = read_all(opened(start))
        for flash, cut in each_cut(start, lambda flash: opened(flash).append(count, events(count, more))):  # noqa: B023
            store = opened(flash)
            found = read_all(store)
            assert_true(found)
            kept = [n for n in before if n in found]
            if len(kept) < len(before):
                # The older block was erased for the new events, if only in part: its turn had come.
                assert count + more > 2 * PLACES and set(range(PLACES, count)) <= set(kept), cut
            assert count <= store.next_number <= count + more
            if cut == NO_CUT:
                assert store.next_number == count + more
            # And it goes on from there, over whatever the cut has left.
            due = store.next_number
            store.append(due, events(due, 40))
            found = read_all(opened(flash))
            assert_true(found)
            assert [n for n in range(due, due + 40) if n not in found] == [], cut


def test_starts_that_are_cut_again_and_again_lose_nothing_that_was_told_to_be_there():
    for seed in range(2):
        flash, told = FlashFake(), set()
        for turn in range(120):
            store = opened(flash)
            first = store.next_number
            flash.cut(turn % 3, (turn * 37 + seed * 50) % 257, turn)
            try:
                store.append(first, events(first, 1 + turn % 20))
                told.update(range(first, first + 1 + turn % 20))
            except BaseException as cut:
                assert type(cut).__name__ == "PowerCut"
            flash.power()
            found = read_all(opened(flash))
            assert_true(found)
            newest = sorted(told)[-50:]  # what cuts have spoilt takes places, too
            assert [n for n in newest if n not in found] == []


def test_garbage_is_passed_over_and_in_its_turn_erased():
    random.seed(3)
    noise = bytes([random.getrandbits(8) for _ in range(2 * BLOCK)])
    files = b"".join([b"import machine\n" * 17 + b"\n" for _ in range(2 * BLOCK // PAGE)])
    for garbage in (noise, files[: 2 * BLOCK], bytes(2 * BLOCK), noise[:PAGE] + b"\xff" * (2 * BLOCK - PAGE)):
        flash = FlashFake()
        flash.memory[FIRST * BLOCK : (FIRST + 2) * BLOCK] = garbage
        store = opened(flash)
        assert store.next_number == 0 and store.read(0, 16) == (0, b"")
        for first in range(0, 2 * PLACES, 10):
            store.append(first, events(first, 10))
            assert_true(read_all(opened(flash)))
        assert len(read_all(opened(flash))) >= PLACES


def test_a_damaged_block_costs_its_own_events_only():
    count = PLACES + 100
    for block in (0, 1):
        for fill in (0x00, 0xFF, 0xA5):
            flash = filled(count)
            flash.memory[(FIRST + block) * BLOCK : (FIRST + block + 1) * BLOCK] = bytes([fill]) * BLOCK
            store = opened(flash)
            found = read_all(store)
            assert sorted(found) == (list(range(PLACES, count)) if block == 0 else list(range(PLACES)))
            assert_true(found)
            due = store.next_number
            store.append(due, events(due, 30))
            assert_true(read_all(opened(flash)))
            assert due + 29 in read_all(opened(flash))


def test_a_wrong_bit_costs_one_event():
    start = filled(40)
    for byte in range(40 * PLACE):
        flash = start.copy()
        flash.memory[FIRST * BLOCK + byte] ^= 1 << byte % 8
        store = opened(flash)
        found = read_all(store)
        assert_true(found)
        assert sorted(found) == [n for n in range(40) if n != byte // PLACE], byte
        assert store.next_number == (39 if byte // PLACE == 39 else 40)


def test_a_place_that_does_not_take_an_event_is_passed_over():
    flash = filled(6)
    flash.memory[FIRST * BLOCK + 8 * PLACE] = 0x7F  # a worn bit: it is not blank
    store = opened(flash)
    store.append(6, events(6, 10))
    assert_true(read_all(opened(flash)))
    assert sorted(read_all(opened(flash))) == list(range(16))


def test_a_flash_that_takes_nothing_is_told_and_what_is_there_stays():
    for dead in ({FIRST}, {FIRST, FIRST + 1}):
        flash = filled(20)
        flash.dead |= dead
        try:
            opened(flash).append(20, events(20, 3))
        except StorageError as error:
            assert str(error) == "block 1: not programmed"
        else:
            assert False, "nothing was raised"  # noqa: B011
        assert len(flash.operations) == 4 and sorted(read_all(opened(flash))) == list(range(20))
    flash = filled(2 * PLACES)
    flash.dead.add(FIRST)
    try:
        opened(flash).append(2 * PLACES, event(2 * PLACES))
    except StorageError as error:
        assert str(error) == "block 1: not erased"
    else:
        assert False, "nothing was raised"  # noqa: B011
    assert PLACES in read_all(opened(flash))


def test_the_numbers_are_those_of_other_versions():
    from stimfw.storage import layout

    assert event_store.PLACES == 256 and (layout.EVENTS, layout.FILESYSTEM_BLOCKS) == (334, 286)
