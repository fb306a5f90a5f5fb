"""What an implanted stimulator may do, said a second time: from docs/therapy.md, and not from the code.

Simple counters beside the device. The oracle's clock is never lost, and goes on through restarts: whatever a
device that has lost its own allows, this one must allow too. A clock that somebody sets moves it as well: a
clinician may set any time, and a remote is believed within limits.
"""

import math

from support.desk_limits import require, require_kept, require_pulse
from support.stimulator_harness import CLOCK

DAY_S = 86_400
MOST_DAY_S = 7200
BELIEVED_DAYS = 400
SLACK_S = 2
"""Clocks count whole seconds."""
HOST_GONE_MS = 500
LATE_S = 10
"""What a session may take beyond its last contraction: its checks, and the looks of one that waits."""

# States, as docs/therapy.md and docs/firmware.md name them.
READY, RAMP_UP, HOLD, RAMP_DOWN, REST, MEASURING, FAULT, UNCONFIGURED, HEALING, STOPPED, COMPLETE = range(11)
INTERFERENCE, MRI, STORAGE, TRAIN = range(11, 15)
SESSION = {RAMP_UP, HOLD, RAMP_DOWN, REST, INTERFERENCE}
PULSING = {RAMP_UP, HOLD, RAMP_DOWN, MEASURING, TRAIN}
ON = SESSION | PULSING
TEST_UA = 100
END_OF_SERVICE = 2
_CLOCK = ("_offset_s", "_jumped_s", "_day", "_began_day", "_mark_s", "count", "seconds")


class Oracle:
    """Watches one desk. Every method raises Violation.

    Attributes:
        visits: how often each state came.
        sessions: that began.
        count, seconds: of the day: sessions that began, and their seconds.
        mode: 0 normal, 1 MRI, 2 storage.
        fault: a fault that the watch found, and nobody has cleared, stands.
        window: the pairing window is open.
        kept: the prescription in force by name of field; None: there is none.
        chosen_ua: the amplitudes of (left, right).
        known: somebody has told the device the time since its start.
    """

    def __init__(self, desk, healing_days):
        self._desk = desk
        self._offset_s = 0
        self._jumped_s = 0  # by how much the clock was set forward since the last session's end
        self._day = 0
        self._mark_s = 0  # the last time that the device knew when a session began or ended
        self._began_s = None
        self._began_day, self._began_kept = 0, None
        self._ended_s = None
        self._held_ms = 0
        self._battery, self._battery_s, self._good_s = 0, desk.true_s(), desk.true_s()
        self.earliest_s = desk.implanted_s + healing_days * DAY_S
        self.visits = [0] * 15
        self.sessions = self.count = self.seconds = 0
        self.mode = 0
        self.fault = self.window = self.known = False
        self.kept = None
        self.chosen_ua = [0, 0]
        self.most_ua = [0, 0]
        desk.on_state, desk.on_off, desk.sense.on_read = self.came, self.supply_failed, self.supply_read
        self.came(desk.control.state())

    def shown_s(self):
        """What a clock would show that was never lost."""
        return self._desk.true_s() + self._offset_s

    # At each step.

    def check(self):
        """The output is on exactly in the states that say so, and what flows is allowed."""
        desk = self._desk
        state = desk.control.state()
        output = desk.output
        require(output.on == (state in ON), "output on: %s, in state %d", output.on, state)
        if output.on:
            require(self.mode == 0, "output on in mode %d", self.mode)
        left, right = output.ua
        if left or right:
            self._check_current(state, output)

    def _check_current(self, state, output):
        require(state in PULSING, "current in state %d", state)
        if state == MEASURING:
            require(max(output.ua) <= TEST_UA, "%d uA in a measurement", max(output.ua))
        for lead in (0, 1):
            ua = output.ua[lead]
            if state == RAMP_UP and ua == TEST_UA:  # the self-test before the first pulse
                continue
            if ua and state in SESSION:
                require(ua <= self.chosen_ua[lead], "%d uA, %d were set", ua, self.chosen_ua[lead])
                require(ua <= self.most_ua[lead], "%d uA, %d are prescribed", ua, self.most_ua[lead])
            elif state == TRAIN:
                require_pulse(ua, output.width_us[lead])

    def came(self, state):
        """A state came."""
        self.visits[state] += 1
        if self._began_s is None:
            if state in SESSION:
                self._session_began()
        elif state not in SESSION:
            self._session_ended()
        if state not in ON:
            require(not self._desk.output.on, "output on in state %d", state)
        if state not in (TRAIN, STORAGE, MRI) and self._held_ms:
            late_ms = CLOCK.ms() - self._held_ms
            require(late_ms <= HOST_GONE_MS, "a train went on for %d ms after the last word", late_ms)
            self._held_ms = 0

    def off_at_once(self, why):
        """A STOP, a magnet or the watch: nothing ramps."""
        desk = self._desk
        require(not desk.output.on and desk.output.ua == (0, 0), "%s: the output is on", why)
        require(desk.control.state() not in ON, "%s: state %d", why, desk.control.state())

    # Sessions.

    def barriers(self, of_machine, of_schedule):
        """START is about to be asked for: the reasons of the machine and of the schedule, each by itself."""
        state = self._desk.control.state()
        if state in SESSION:
            return
        require(of_machine or state in (READY, STOPPED), "the machine lets START through in state %d", state)
        if not of_schedule:
            self._require_due()

    def _require_due(self):
        """By the clock that was never lost a session is due."""
        kept = self.kept
        require(kept is not None, "a session without a prescription")
        require(not self.fault, "a session with a fault that nobody has cleared")
        require(self._battery < END_OF_SERVICE, "a session at the end of the battery's service")
        is_healed = self.shown_s() >= max(kept["activation_s"], self.earliest_s) - SLACK_S
        require(is_healed, "a session while it heals")
        self._new_day()
        require(self.count < kept["sessions_a_day"], "session %d of the day", self.count + 1)
        total_s = self.seconds + kept["session_s"]
        rounding_s = self.count  # each session's seconds are whole
        require(total_s <= MOST_DAY_S + rounding_s, "%d s of stimulation in a day", total_s)
        if self._ended_s is not None:
            waited_s = self._desk.true_s() - self._ended_s + self._jumped_s + SLACK_S
            require(waited_s >= kept["between_s"], "a session %d s after the last one", waited_s)

    def _session_began(self):
        desk = self._desk
        self.sessions += 1
        require(self.mode == 0, "a session in mode %d", self.mode)
        require(not desk.control.failed_parts, "a session with failed parts %d", desk.control.failed_parts)
        require(not self.window, "a session in the pairing window")
        require(desk.magnet.level, "a session with a magnet near")
        self._require_due()
        self.count += 1
        self._began_s, self._began_day, self._began_kept = desk.true_s(), self._day, self.kept
        self._mark()

    def _session_ended(self):
        """It counts with what was planned of it; a contraction that has begun is completed."""
        elapsed_s, planned_s = self._desk.true_s() - self._began_s, self._began_kept["session_s"]
        work_ms = sum(self._began_kept[name] for name in ("ramp_up_ms", "on_ms", "ramp_down_ms"))
        longest_s = planned_s + work_ms / 1000 + LATE_S
        require(elapsed_s <= longest_s, "a session of %d s, planned were %d", elapsed_s, planned_s)
        if self._began_day == self._day:
            self.seconds += min(elapsed_s, planned_s)
        self._began_s = None
        self._ended_s, self._jumped_s = self._desk.true_s(), 0
        self._mark()

    def _mark(self):
        """The device has stored this time: no remote may tell an earlier one."""
        if self.known:
            self._mark_s = self.shown_s()

    def _new_day(self):
        today = self.shown_s() // DAY_S
        if today > self._day:
            self._day, self.count, self.seconds = today, 0, 0

    # The clock.

    def clock_set(self, time_s):
        """A clinician has set it, or a remote was believed. Setting it back begins no day anew."""
        self._new_day()
        moved_s = time_s - self.shown_s()
        self._offset_s += moved_s
        self._jumped_s += max(0, moved_s)
        if time_s // DAY_S < self._day:
            if self._began_day == self._day:
                self._began_day = time_s // DAY_S
            self._day = time_s // DAY_S
        self._mark_s = min(self._mark_s, time_s)
        self.known = True

    def time_kept(self, time_s):
        """A remote was believed: only if the time was lost, and if it can be true."""
        require(not self.known, "a remote's time taken though it was known")
        require(time_s >= self._mark_s - SLACK_S, "a remote's time of before the last session")
        require(time_s <= self.shown_s() + (BELIEVED_DAYS + 1) * DAY_S, "a remote's time far ahead")
        self.clock_set(time_s)

    def clock_now(self):
        """All that `clock_set` changes, for `clock_again`."""
        return [getattr(self, name) for name in _CLOCK]

    def clock_again(self, kept):
        """The supply failed before the new time was stored: it is as it was."""
        for name, value in zip(_CLOCK, kept, strict=True):
            setattr(self, name, value)

    # What is told of the rest.

    def supply_failed(self):
        """Whatever ran is over, and the time is lost."""
        if self._began_s is not None:
            self._session_ended()
        self.known = self.window = False
        self._held_ms = 0

    def prescribed(self, asked, kept, measured):
        """It took a prescription: fields by name, as asked for and as it keeps them; what was measured."""
        require_kept(asked, kept, self.earliest_s, measured)
        self.in_force(kept)

    def in_force(self, kept):
        """After a start, or a change: amplitudes are as they were prescribed."""
        self.kept = kept
        if kept:
            sides = ("left", "right")
            self.chosen_ua = [kept[side + ".amplitude_ua"] for side in sides]
            self.most_ua = [max(self.chosen_ua[k], kept[sides[k] + ".most_ua"]) for k in (0, 1)]

    def amplitude_chosen(self, left_ua, right_ua):
        """It took other amplitudes: the prescribed ones, or some of the patient's window."""
        require(self.kept is not None, "amplitudes without a prescription")
        for side, ua in (("left", left_ua), ("right", right_ua)):
            least, most = self.kept[side + ".least_ua"], self.kept[side + ".most_ua"]
            window = most and least <= ua <= most and ua % 25 == 0
            before = self.chosen_ua[side == "right"]
            require(window or ua == before, "%d uA, allowed are %d to %d", ua, least, most)
        self.chosen_ua = [left_ua, right_ua]

    def train_began(self, amplitude_ua, width_us):
        require(self.mode == 0 and not self.window, "a train in mode %d", self.mode)
        require_pulse(amplitude_ua, width_us)
        self._held_ms = CLOCK.ms()

    def train_held(self):
        if self._held_ms:
            self._held_ms = CLOCK.ms()

    def supply_read(self, supply_mv):
        """The device reads its supply; a step of before is seen first."""
        self.battery_is(self._desk.care.schedule.battery.state)
        if supply_mv >= 3600:
            self._good_s = self._desk.true_s()

    def battery_is(self, state):
        """What it says of its battery: no step is taken back, and each takes three readings a day apart."""
        require(state >= self._battery, "a battery that was %d is %d", self._battery, state)
        if state > self._battery and not self._offset_s:
            low_s = self._desk.true_s() - max(self._good_s, self._battery_s)
            require(low_s >= 2 * DAY_S - SLACK_S, "battery %d after %d s", state, low_s)
            require(state == self._battery + 1, "battery %d after %d", state, self._battery)
        if state > self._battery:
            self._battery, self._battery_s = state, self._desk.true_s()


    def battery_again(self, state):
        """After a start: a step that was seen just before may not have been stored yet."""
        if state < self._battery and self._desk.true_s() - self._battery_s <= LATE_S:
            self._battery = state


def is_near_midnight(time_s):
    """Clocks that count whole seconds may not agree which day it is."""
    return math.fabs((time_s + DAY_S // 2) % DAY_S - DAY_S // 2) <= 2 * SLACK_S
