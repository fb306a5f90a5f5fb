"""Three low readings, a day apart each, make a step; nothing takes one back."""

from stimfw.therapy import battery
from stimfw.therapy.battery import END_MV, END_OF_SERVICE, GOOD, REPLACE_MV, REPLACE_SOON, Battery
from support.control import control

DAY = 86_400
NOW = 1_800_000_000


def days(one, supply_mv, count, first=0):
    """Readings once a day; the states after each."""
    told = []
    for day in range(first, first + count):
        one.read(supply_mv, NOW + day * DAY, 1000 + day * DAY)
        told.append(one.state)
    return told


@control("C-62")
def test_three_low_readings_make_each_step():
    one = Battery()
    expected = [GOOD] * 2 + [REPLACE_SOON] * 3 + [END_OF_SERVICE] * 2
    assert days(one, END_MV - 1, 7) == expected


def test_the_thresholds():
    assert (REPLACE_MV, END_MV, battery.LOW_READINGS, battery.APART_S) == (3600, 3300, 3, DAY)
    assert days(Battery(), REPLACE_MV, 9)[-1] == GOOD
    assert days(Battery(), REPLACE_MV - 1, 9)[-1] == REPLACE_SOON
    one = Battery()
    days(one, REPLACE_MV - 1, 3)
    assert days(one, END_MV, 9, 3)[-1] == REPLACE_SOON


def test_readings_within_a_day_count_once():
    one = Battery()
    for second in range(0, DAY, 600):
        assert one.read(3000, NOW + second, second) == (second == 0)
    assert (one.state, one.lows) == (GOOD, 1)
    assert one.read(3000, NOW + DAY, DAY) and one.lows == 2


def test_a_day_apart_also_after_a_step():
    one = Battery()
    days(one, 3000, 3)
    assert not one.read(3000, NOW + 2 * DAY + 60, 1060 + 2 * DAY) and one.lows == 0
    assert one.read(3000, NOW + 3 * DAY, 1000 + 3 * DAY) and one.lows == 1


@control("C-62")
def test_a_reading_that_is_not_low_begins_the_count_anew():
    one = Battery()
    days(one, 3000, 2)
    assert one.read(5000, NOW + 2 * DAY, 2 * DAY) and one.lows == 0
    assert not one.read(5000, NOW + 2 * DAY, 2 * DAY)
    assert days(one, 3000, 3, 3) == [GOOD, GOOD, REPLACE_SOON]


def test_no_step_is_taken_back():
    one = Battery()
    days(one, 3000, 3)
    assert days(one, 5000, 30, 3)[-1] == REPLACE_SOON
    days(one, 3000, 3, 40)
    assert one.state == END_OF_SERVICE and days(one, 5000, 30, 50)[-1] == END_OF_SERVICE


def test_with_an_unknown_clock_a_day_counts_from_this_start():
    one = Battery()
    one.read(3000, NOW, 50)
    again = Battery(one.pack())
    assert not again.read(3000, 0, DAY - 1)
    assert again.read(3000, 0, DAY)
    assert not again.read(3000, 0, 2 * DAY - 1)
    assert not again.read(3000, NOW + 90 * DAY, 2 * DAY - 1), "the one before had no time"
    assert again.read(3000, 0, 2 * DAY) and again.state == REPLACE_SOON


def test_it_is_kept():
    one = Battery()
    days(one, 3000, 4)
    again = Battery(one.pack())
    assert (again.state, again.lows) == (one.state, one.lows) == (REPLACE_SOON, 1)
    assert len(one.pack()) == battery.PACKED_BYTES
    assert not again.read(3000, NOW + 3 * DAY + 60, 10)
    assert again.read(3000, NOW + 4 * DAY, 10)


def test_longer_than_a_day_apart_is_a_day_apart():
    one = Battery()
    for reading in ((NOW, 10), (NOW + 5 * DAY, 5 * DAY + 10), (0, 9 * DAY)):
        assert one.read(3000, *reading)
    assert one.state == REPLACE_SOON
    again = Battery(one.pack())
    assert not again.read(3000, NOW + 9 * DAY, 100), "the last one had no time"
    assert again.read(3000, NOW + 20 * DAY, DAY)
    last = Battery(again.pack())
    assert last.read(3000, NOW + 23 * DAY, 5), "three days by the clock"


def test_what_lies_on_flash():
    one = Battery()
    assert one.pack() == bytes(6)
    one.read(3000, NOW, 10)
    assert one.pack() == b"\x00\x01\x00\xd2\x49\x6b"
    days(one, 3000, 6)
    assert one.state == END_OF_SERVICE and Battery(one.pack()).state == END_OF_SERVICE
    assert not one.read(3000, NOW + 90 * DAY, 90 * DAY) and not one.read(5000, NOW + 91 * DAY, 91 * DAY)


def test_one_low_reading_that_is_taken_back_is_to_be_kept():
    one = Battery()
    one.read(3000, NOW, 10)
    assert one.read(5000, NOW + 5, 15) and not one.read(5000, NOW + 6, 16)


def test_what_is_no_battery():
    for payload in (bytes((3, 0, 0, 0, 0, 0)), bytes((0, 3, 0, 0, 0, 0)), bytes((0, 4, 0, 0, 0, 0))):
        try:
            Battery(payload)
        except ValueError:
            continue
        raise AssertionError(payload)
