"""Any course of sessions, resets, lost and set clocks: no true day has more than is prescribed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimfw.therapy.prescription import Prescription
from stimfw.therapy.schedule import DAY_SECONDS, Schedule
from support.prescriptions import values

START_S = 20_000 * DAY_SECONDS
ONE = Prescription(values(session_s=1800, sessions_a_day=2, between_s=7200, activation_s=START_S))

steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([1, 600, 5400, 7199, 7200, 20_000, DAY_SECONDS])),
        st.tuples(st.just("wait"), st.integers(1, 40_000)),
        st.tuples(st.just("session"), st.sampled_from([0, 1, 900, 1800])),
        st.tuples(st.just("session"), st.just(1800)),
        st.tuples(st.just("reset"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 1800)),
        st.tuples(st.just("clock"), st.just(0)),
        st.tuples(st.just("clock"), st.integers(-200_000, 200_000)),
    ),
    max_size=60,
)


class World:
    """True time, and a device whose clock is right, or unknown: a remote tells nothing else."""

    def __init__(self):
        self.now_s, self.boot_s = START_S, START_S
        self.is_set = True
        self.schedule = Schedule()
        self.schedule.clock_set(START_S, True)
        self.began, self.ended = [], []

    def times(self):
        return self.now_s if self.is_set else 0, self.now_s - self.boot_s

    def session(self, elapsed_s):
        if self.schedule.refusal(*self.times(), ONE):
            return False
        self.schedule.began(*self.times(), ONE, 1)
        self.began.append(self.now_s)
        self.now_s += elapsed_s
        self.ended.append(self.now_s)
        return True

    def step(self, what, amount):
        if what == "wait":
            self.now_s += amount
        elif what == "session":
            if self.session(amount):
                self.schedule.ended(*self.times(), amount)
        elif what == "cut":
            self.session(amount)
            self.reset()
        elif what == "reset":
            self.reset()
        else:  # a remote tells the true time; one that tells another is believed only within its bounds
            if amount == 0 and not self.is_set:
                self.schedule.clock_set(self.now_s, False)
                self.is_set = True
            elif amount:
                assert self.schedule.clock_refused(self.schedule.floor_s - abs(amount), False)

    def reset(self):
        self.schedule = Schedule(self.schedule.pack())
        self.boot_s, self.is_set = self.now_s, False
        self.now_s += 1


@pytest.mark.control("C-57")
@settings(max_examples=150)
@given(steps)
def test_no_day_has_more_than_is_prescribed_and_no_session_comes_too_soon(course):
    world = World()
    for what, amount in course:
        world.step(what, amount)
    days = [began // DAY_SECONDS for began in world.began]
    assert all(days.count(day) <= ONE.sessions_a_day for day in days)
    pairs = zip(world.ended, world.began[1:], strict=False)
    assert all(began - ended >= ONE.between_s for ended, began in pairs)


@settings(max_examples=100)
@given(steps)
def test_what_is_told_of_the_next_session_is_true(course):
    world = World()
    for what, amount in course:
        world.step(what, amount)
    if not world.is_set:
        world.schedule.clock_set(world.now_s, False)
        world.is_set = True
    wait_s = world.schedule.next_s(*world.times(), ONE)
    left = world.schedule.sessions_left(world.now_s, ONE)
    assert 0 <= wait_s <= DAY_SECONDS + ONE.between_s and 0 <= left <= ONE.sessions_a_day
    if wait_s:
        world.now_s += wait_s - 1
        assert world.schedule.refusal(*world.times(), ONE)
        world.now_s += 1
    assert world.schedule.refusal(*world.times(), ONE) == 0


@given(st.binary(max_size=60))
def test_any_bytes_are_a_schedule_or_a_value_error(payload):
    try:
        one = Schedule(payload)
    except ValueError:
        return
    assert Schedule(one.pack()).pack() == one.pack()
