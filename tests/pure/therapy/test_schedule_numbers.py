"""The schedule's record byte by byte, and its borders to the second."""

from stimfw.protocol import messages
from stimfw.protocol import therapy_reasons as why
from stimfw.therapy import schedule
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.schedule import Schedule
from support.prescriptions import values

DAY = 86_400
FIRST = 1_000_000_000
NOON = 20_000 * DAY + DAY // 2
ONE = Prescription(values(activation_s=FIRST))


def test_numbers():
    assert (schedule.FIRST_S, schedule.KEPT_DAYS, schedule.UNKNOWN_S) == (FIRST, 400, 0xFFFFFFFF)


def test_what_lies_on_flash():
    one = Schedule()
    assert one.pack() == b"\x01" + bytes(33)
    one.began(NOON, 100, ONE, 0x0203)
    running = b"\x01\x05" + NOON.to_bytes(4, "little") + b"\x20\x4e" + b"\x01" + bytes(8)
    assert one.pack() == running + bytes(5) + b"\x08\x07" + b"\x01\x00" + b"\x03\x02" + bytes(6)
    one.ended(NOON + 900, 1000, 900)
    over = b"\x01\x04" + (NOON + 900).to_bytes(4, "little") + b"\x20\x4e" + b"\x01" + b"\x84\x03\x00\x00"
    over += (NOON + 900).to_bytes(4, "little")
    assert one.pack() == over + bytes(7) + b"\x01\x00" + b"\x03\x02" + bytes(6)


def test_a_session_under_an_unknown_clock_on_flash():
    one = Schedule()
    one.seen(NOON)
    one = Schedule(one.pack())
    one.began(0, 100, ONE, 1)
    assert one.pack()[1] == 1 | 4 | 8
    one.ended(0, 1000, 900)
    assert one.pack()[1] == 4 and one.pack()[17:22] == b"\x01\x84\x03\x00\x00"
    assert one.last_end_s == 0


def test_a_lost_record_on_flash():
    one = schedule.lost(NOON)
    assert one.pack()[1] == 2 | 4 and one.sessions_today == 255
    assert schedule.lost().floor_s == 0


def test_an_older_format_is_none():
    whole = Schedule().pack()
    for version in (0, 2, 255):
        try:
            Schedule(bytes((version,)) + whole[1:])
        except ValueError as error:
            assert str(error) == "progress of %d bytes" % len(whole)
            continue
        raise AssertionError(version)


def test_the_first_time_that_is_one():
    one = Schedule()
    assert one.refusal(FIRST - 1, 5, ONE) == why.CLOCK_UNKNOWN
    assert one.refusal(FIRST, 5, ONE) == messages.REASON_NONE
    assert not Schedule().clock_refused(FIRST, True) and Schedule().clock_refused(FIRST - 1, True)
    assert not Schedule().clock_refused(0xFFFFFFFE, True)


def test_an_end_at_the_very_start_is_one_of_this_start():
    one = Schedule()
    one.began(NOON, 0, ONE, 1)
    one.ended(NOON, 0, 0)
    assert one.next_s(NOON + 9 * DAY, 1, ONE) == ONE.between_s, "the uptime alone counts"
    assert one.next_s(NOON + 9 * DAY, 2, ONE) == ONE.between_s - 1


def test_no_more_sessions_are_left_than_none():
    one = Schedule()
    for number in range(2):
        one.began(NOON + number * 20_000, 100 + number * 20_000, ONE, 1)
        one.ended(NOON + number * 20_000 + 1800, 1900 + number * 20_000, 1800)
    fewer = ONE.replaced({"sessions_a_day": 1})
    assert one.sessions_left(NOON + 30_000, fewer) == 0


def test_the_seconds_of_a_day_that_are_overdrawn_leave_nothing():
    one = Schedule()
    two = Prescription(values(activation_s=FIRST, session_s=3600))
    for number in range(2):
        one.began(NOON + number * 20_000, 100 + number * 20_000, two, 1)
        one.ended(NOON + number * 20_000 + 3600, 3700 + number * 20_000, 3600)
    short = Prescription(values(activation_s=FIRST, session_s=60, sessions_a_day=10))
    assert one.stim_s_today == 7200 and one.sessions_left(NOON + 30_000, short) == 0
    one.stim_s_today = 9000
    assert one.sessions_left(NOON + 30_000, short) == 0
    assert one.refusal(NOON + 30_000, 40_000, short) == why.DAY_LIMIT
