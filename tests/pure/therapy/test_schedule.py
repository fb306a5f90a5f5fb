"""When a session may begin. What is not known, counts against the user."""

from stimfw.protocol import messages
from stimfw.protocol import therapy_reasons as why
from stimfw.therapy import schedule
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.schedule import KEPT_DAYS, PACKED_BYTES, UNKNOWN_S, Schedule
from support.control import control
from support.prescriptions import values

DAY = 86_400
MIDNIGHT = 20_000 * DAY
NOON = MIDNIGHT + DAY // 2
HOURS = 3600
TWICE = Prescription(values(activation_s=MIDNIGHT - 90 * DAY))
BETWEEN = TWICE.between_s


def after(*ends):
    """A schedule with sessions of 1800 s that ended at these times, all in one start."""
    one = Schedule()
    for end_s in ends:
        one.began(end_s - 1800, end_s - 1800 - MIDNIGHT, TWICE, 7)
        one.ended(end_s, end_s - MIDNIGHT, 1800)
    return one


def reset(one):
    """The same after a reset: what is not kept is gone, and so is the clock."""
    return Schedule(one.pack())


def begin_refused(one, time_s, uptime_s, prescription=TWICE):
    try:
        one.began(time_s, uptime_s, prescription, 7)
    except ValueError:
        return True
    return False


def test_a_new_device_begins_at_once():
    one = Schedule()
    assert one.refusal(NOON, 5, TWICE) == messages.REASON_NONE
    assert one.next_s(NOON, 5, TWICE) == 0 and one.sessions_left(NOON, TWICE) == 2
    assert one.began(NOON, 5, TWICE, 7) == 1
    assert one.is_running() and one.sessions_left(NOON, TWICE) == 1 and one.version == 7
    assert begin_refused(one, NOON + BETWEEN * 2, 9 * HOURS), "one runs"


def test_without_a_prescription():
    one = Schedule()
    assert one.refusal(NOON, 5, None) == why.UNCONFIGURED
    assert one.next_s(NOON, 5, None) == UNKNOWN_S and one.sessions_left(NOON, None) == 0


@control("C-57")
def test_the_least_time_between_sessions():
    one = after(NOON)
    for passed, reason in ((0, why.TOO_SOON), (BETWEEN - 1, why.TOO_SOON), (BETWEEN, messages.REASON_NONE)):
        assert one.refusal(NOON + passed, NOON - MIDNIGHT + passed, TWICE) == reason
        assert one.next_s(NOON + passed, NOON - MIDNIGHT + passed, TWICE) == BETWEEN - passed


def test_the_least_time_goes_on_over_midnight():
    one = after(MIDNIGHT + DAY - 60)
    assert one.refusal(MIDNIGHT + DAY + 60, DAY + 60, TWICE) == why.TOO_SOON
    assert one.sessions_left(MIDNIGHT + DAY + 60, TWICE) == 2
    assert one.refusal(MIDNIGHT + DAY - 60 + BETWEEN, DAY - 60 + BETWEEN, TWICE) == 0


@control("C-57")
def test_the_days_sessions_and_midnight():
    one = after(NOON, NOON + 6 * HOURS)
    late = MIDNIGHT + DAY - 1
    assert one.next_s(NOON + 11 * HOURS, 23 * HOURS, TWICE) == HOURS
    assert one.refusal(late, DAY - 1, TWICE) == why.DAY_COMPLETE
    assert one.sessions_left(late, TWICE) == 0
    assert one.refusal(MIDNIGHT + DAY, DAY, TWICE) == messages.REASON_NONE
    assert one.sessions_left(MIDNIGHT + DAY, TWICE) == 2 and one.stim_s_today == 0


def test_next_is_the_later_of_midnight_and_the_least_time():
    one = after(NOON, MIDNIGHT + DAY - HOURS)
    assert one.next_s(MIDNIGHT + DAY - HOURS, DAY - HOURS, TWICE) == BETWEEN


def test_a_session_that_ends_after_midnight_counts_for_the_day_on_which_it_began():
    one = Schedule()
    one.began(MIDNIGHT - 600, 100, TWICE, 7)
    one.seen(MIDNIGHT + 5)
    assert one.day == 19_999, "no day begins while a session runs"
    one.ended(MIDNIGHT + 1200, 1900, 1800)
    assert one.sessions_left(MIDNIGHT + 1200, TWICE) == 2 and one.day == 20_000
    assert one.stim_s_today == 0


def test_the_days_seconds():
    one = after(NOON)
    longer = Prescription(values(activation_s=MIDNIGHT - 90 * DAY, session_s=3600, sessions_a_day=2))
    assert one.sessions_left(NOON, longer) == 1
    one.began(NOON + 5 * HOURS, 17 * HOURS, longer, 8)
    one.ended(NOON + 6 * HOURS, 18 * HOURS, 3600)
    assert one.stim_s_today == 5400
    more = Prescription(values(activation_s=MIDNIGHT - 90 * DAY, session_s=1801, sessions_a_day=3))
    most = Prescription(values(activation_s=MIDNIGHT - 90 * DAY, session_s=1800, sessions_a_day=3))
    assert one.refusal(NOON + 11 * HOURS, 23 * HOURS, more) == why.DAY_LIMIT
    assert one.sessions_left(NOON + 11 * HOURS, more) == 0
    assert one.next_s(NOON + 11 * HOURS, 23 * HOURS, more) == HOURS
    assert one.refusal(NOON + 11 * HOURS, 23 * HOURS, most) == messages.REASON_NONE


def test_a_session_that_was_stopped_is_used_up_but_only_its_seconds_count():
    one = Schedule()
    one.began(NOON, 100, TWICE, 7)
    one.ended(NOON + 60, 160, 60)
    assert one.sessions_left(NOON + 60, TWICE) == 1 and one.stim_s_today == 60


def test_a_last_contraction_that_goes_on_takes_no_more_than_was_planned():
    one = Schedule()
    one.began(NOON, 100, TWICE, 7)
    one.ended(NOON + 1834, 1934, 1834)
    assert one.stim_s_today == 1800


def test_an_end_without_a_session_is_nothing():
    one = after(NOON)
    before = one.pack()
    one.ended(NOON + 60, 100, 60)
    assert one.pack() == before


@control("C-59")
def test_healing():
    later = Prescription(values(activation_s=NOON))
    one = Schedule()
    assert one.next_s(NOON - 10, 5, later) == 10 and one.refusal(NOON - 1, 5, later) == why.HEALING
    assert one.refusal(NOON, 5, later) == messages.REASON_NONE
    never = Prescription(values(activation_s=0))
    assert one.refusal(NOON, 5, never) == why.HEALING and one.next_s(NOON, 5, never) == UNKNOWN_S


def test_a_lost_clock_does_not_end_the_healing():
    later = Prescription(values(activation_s=NOON))
    one = Schedule()
    one.seen(NOON - 1)
    one = reset(one)
    assert one.refusal(0, 99 * DAY, later) == why.CLOCK_UNKNOWN and one.next_s(0, 5, later) == UNKNOWN_S
    one.seen(NOON)
    assert reset(one).refusal(0, 5, later) == messages.REASON_NONE


@control("C-57")
def test_a_reset_changes_nothing():
    one = after(NOON, NOON + 6 * HOURS)
    again = reset(one)
    assert again.pack() == one.pack() and len(one.pack()) == PACKED_BYTES <= 100
    assert again.refusal(NOON + 7 * HOURS, 5, TWICE) == why.DAY_COMPLETE
    assert again.number == 2 and not again.was_interrupted
    assert again.refusal(MIDNIGHT + DAY, 5, TWICE) == messages.REASON_NONE, "the clock was set again"


def test_the_least_time_after_a_reset_is_that_of_the_clock_or_of_the_uptime():
    one = reset(after(NOON))
    assert one.next_s(NOON + 100, 5, TWICE) == BETWEEN - 100
    assert one.next_s(0, 5, TWICE) == BETWEEN - 5
    assert one.refusal(0, BETWEEN - 1, TWICE) == why.TOO_SOON
    assert one.refusal(0, BETWEEN, TWICE) == messages.REASON_NONE


@control("C-58")
def test_no_day_begins_while_the_clock_is_lost():
    one = reset(after(NOON, NOON + 6 * HOURS))
    assert one.refusal(0, 99 * DAY, TWICE) == why.CLOCK_UNKNOWN
    assert one.sessions_left(0, TWICE) == 0 and one.next_s(0, 99 * DAY, TWICE) == UNKNOWN_S
    one.clock_set(NOON + 40 * DAY, False)
    assert one.refusal(NOON + 40 * DAY, 99 * DAY, TWICE) == messages.REASON_NONE


def test_what_is_left_of_the_day_may_be_used_without_a_clock_and_no_more():
    one = reset(after(NOON))
    one.began(0, BETWEEN, TWICE, 7)
    one.ended(0, BETWEEN + 1800, 1800)
    assert one.sessions_left(0, TWICE) == 0
    assert one.refusal(0, 99 * DAY, TWICE) == why.CLOCK_UNKNOWN


def test_sessions_without_a_clock_count_for_the_day_at_which_it_comes_back():
    one = reset(after(NOON))
    one.began(0, BETWEEN, TWICE, 7)
    one.ended(0, BETWEEN + 1800, 1800)
    one = reset(one)
    one.clock_set(NOON + 3 * DAY, False)
    assert one.sessions_left(NOON + 3 * DAY, TWICE) == 1 and one.stim_s_today == 1800
    assert one.next_s(NOON + 3 * DAY, 60, TWICE) == BETWEEN - 60, "from this start on"
    assert one.sessions_left(NOON + 4 * DAY, TWICE) == 2 and one.stim_s_today == 0


def test_the_clock_that_comes_back_on_the_same_day_counts_nothing_twice():
    one = reset(after(NOON))
    one.began(0, BETWEEN, TWICE, 7)
    one.ended(0, BETWEEN + 60, 60)
    one.clock_set(NOON + 6 * HOURS, False)
    assert one.sessions_today == 2 and one.stim_s_today == 1860
    assert one.sessions_left(NOON + DAY, TWICE) == 2


def test_a_clock_that_comes_back_during_a_session():
    one = reset(after(NOON))
    one.began(0, BETWEEN, TWICE, 7)
    one.clock_set(NOON + 2 * DAY, False)
    one.ended(NOON + 2 * DAY + 900, BETWEEN + 1800, 1800)
    assert one.sessions_today == 1 and one.stim_s_today == 1800 and one.day == 20_002


def test_a_reset_in_a_session_counts_it_whole():
    one = Schedule()
    one.began(NOON, 100, TWICE, 7)
    one = reset(one)
    assert one.was_interrupted and not one.is_running()
    assert one.stim_s_today == 1800 and one.sessions_left(NOON + 600, TWICE) == 1
    assert one.last_end_s == 0 and one.next_s(NOON + 5 * HOURS, 60, TWICE) == BETWEEN - 60
    assert not reset(one).was_interrupted


def test_in_one_start_the_least_time_cannot_be_shortened_by_setting_the_clock():
    one = after(NOON)
    one.clock_set(NOON + DAY, True)
    assert one.refusal(NOON + DAY, NOON - MIDNIGHT + 10, TWICE) == why.TOO_SOON
    assert one.next_s(NOON + DAY, NOON - MIDNIGHT + 10, TWICE) == BETWEEN - 10


def raises(one, time_s, by_clinician):
    before = one.pack()
    try:
        one.clock_set(time_s, by_clinician)
    except ValueError:
        return one.pack() == before
    return False


@control("C-58")
def test_what_a_remote_may_tell():
    one = after(NOON)
    assert raises(one, NOON - 1, False)
    assert raises(one, NOON + KEPT_DAYS * DAY + 1, False)
    assert not one.clock_refused(NOON, False)
    assert not one.clock_refused(NOON + KEPT_DAYS * DAY, False)
    assert raises(Schedule(), NOON, False), "no time was ever known"


def test_what_nobody_may_tell():
    for time_s in (0, -1, 999_999_999, 0xFFFFFFFF, 1 << 40):
        assert raises(after(NOON), time_s, True) and raises(after(NOON), time_s, False)


def test_a_clinician_who_sets_the_clock_back_starts_no_day_anew():
    one = after(NOON, NOON + 6 * HOURS)
    one.clock_set(NOON - 3 * DAY, True)
    assert one.sessions_left(NOON - 3 * DAY, TWICE) == 0
    assert one.refusal(NOON - 3 * DAY + 60, 19 * HOURS, TWICE) == why.DAY_COMPLETE
    assert reset(one).refusal(NOON - 3 * DAY + 60, 60, TWICE) == why.DAY_COMPLETE
    assert one.sessions_left(MIDNIGHT - 2 * DAY, TWICE) == 2, "the next day, and not only three days later"


def test_a_clock_set_back_makes_nobody_wait_for_longer_than_the_least_time():
    one = reset(after(NOON))
    one.clock_set(NOON - 30 * DAY, True)
    assert one.next_s(NOON - 30 * DAY, 5, TWICE) == BETWEEN - 5


def test_a_clock_set_back_by_a_year_holds_up_the_next_session_once():
    one = reset(after(NOON))
    one.clock_set(NOON - 365 * DAY, True)
    later = Prescription(values(activation_s=MIDNIGHT - 500 * DAY))
    assert reset(one).refusal(NOON - 365 * DAY + BETWEEN - 1, 5, later) == why.TOO_SOON
    assert reset(one).refusal(NOON - 365 * DAY + BETWEEN, 5, later) == messages.REASON_NONE


def test_a_clock_that_runs_backwards_is_none():
    one = after(NOON, NOON + 6 * HOURS)
    assert one.refusal(NOON - DAY, 40 * HOURS, TWICE) == why.CLOCK_UNKNOWN
    assert one.floor_s == NOON + 6 * HOURS


def test_a_clinician_may_set_it_forward():
    one = after(NOON, NOON + 6 * HOURS)
    one.clock_set(NOON + 500 * DAY, True)
    assert one.sessions_left(NOON + 500 * DAY, TWICE) == 2


def test_the_end_of_service_starts_nothing():
    one = after(NOON)
    for day in range(6):
        one.battery.read(3000, NOON + day * DAY, day * DAY)
    assert one.refusal(NOON + 9 * DAY, 9 * DAY, TWICE) == why.END_OF_SERVICE
    assert one.next_s(NOON + 9 * DAY, 9 * DAY, TWICE) == UNKNOWN_S
    assert reset(one).refusal(NOON + 9 * DAY, 9 * DAY, TWICE) == why.END_OF_SERVICE


def test_numbers_go_round_past_0():
    one = Schedule()
    one.number = 0xFFFF
    assert one.began(NOON, 5, TWICE, 7) == 1


def test_a_lost_record_has_used_up_the_day():
    one = schedule.lost(NOON)
    assert one.refusal(0, 99 * DAY, TWICE) == why.CLOCK_UNKNOWN and one.sessions_left(0, TWICE) == 0
    one = reset(one)
    assert raises(one, NOON - 1, False)
    one.clock_set(NOON + HOURS, False)
    assert one.refusal(NOON + HOURS, HOURS, TWICE) == why.DAY_COMPLETE
    assert one.sessions_left(MIDNIGHT + DAY, TWICE) == 2
    assert one.refusal(MIDNIGHT + DAY, BETWEEN - 1, TWICE) == why.TOO_SOON, "one may have ended just now"
    assert one.refusal(MIDNIGHT + DAY, BETWEEN, TWICE) == messages.REASON_NONE
    assert raises(schedule.lost(), NOON, False) and not schedule.lost().clock_refused(NOON, True)


def test_what_is_no_progress():
    whole = after(NOON).pack()
    for payload in (b"", whole[:-1], whole + b"x", b"\x02" + whole[1:], whole[:-6] + b"\x09" + whole[-5:]):
        try:
            Schedule(payload)
        except ValueError:
            continue
        raise AssertionError(payload)
