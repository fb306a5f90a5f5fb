"""One life of an implanted stimulator on the desk: random steps, an oracle beside it. See docs/desk.md."""

import contextlib
import random
from collections import Counter

from support.desk_device import CLINICIAN, PATIENT, SERVICE, Desk, Refused
from support.desk_oracle import SESSION, TRAIN, Oracle, is_near_midnight
from support.desk_plans import as_dict, plan, train
from support.flash_fake import PowerCut

# isort: split
from stimfw.protocol import messages
from stimfw.storage import journal_format
from stimfw.therapy import machine

_FIRST_S = 1_700_000_000
_FAULTS = range(1, 20)
_LATCHED = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 18, 19}
"""docs/watch.md: what outlives a session."""
_PARTS = (1, 2, 4, 8, 16, 256)
_CUT_SHARES = (0, 8, 128, 248, 256)


class Life:
    """One device, from its implantation on; the seed says all that happens.

    Attributes:
        seen: what happened how often, by name.
        visits: of each state, by number.
    """

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.seen = Counter()
        healing_days = self.dice.choice((0, 0, 0, 0, 1, 1, 14))
        self.is_weak = self.dice.random() < 0.3
        self.desk = Desk(_FIRST_S + self.dice.randrange(86_400), healing_days)
        self.oracle = Oracle(self.desk, healing_days)
        self._found = False  # a fault in a session that runs
        self._clock_doubt = None
        self._asked_clock = None, []  # the oracle before the first one that is not stored, and all told since
        self._clock_waits = None, []
        self._doubt = None  # what a cut may have left done, or not: called after the start
        self._steps = list(STEPS)
        self._weights = list(STEPS.values())

    def run(self, steps):
        """Take so many steps, then pull the journal."""
        dice, oracle, desk = self.dice, self.oracle, self.desk
        if dice.random() < 0.8:
            self._begin_well()
        for step in dice.choices(self._steps, self._weights, k=steps):
            if dice.random() < 0.004:
                desk.flash.cut(*self._any_cut())
            try:
                if not step(self):
                    desk.turn()
                self._doubt = None
                if not desk.control.busy():
                    self._clock_doubt, self._clock_waits = None, (None, [])
            except Refused as refused:
                self.seen["refused", refused.code, refused.reason] += 1
                self._doubt = None
            except PowerCut:
                self._cut()
            oracle.check()
        self._pull()

    def _begin_well(self):
        """As a clinic would: the clock, the impedances, a prescription."""
        for step in (self.set_time, *[self.prescribe] * 8):
            self.desk.pass_ms(10_000)
            with contextlib.suppress(Refused):
                step()

    def _any_cut(self):
        """Within the next flash operations, in any of their bits."""
        return self.dice.randrange(8), self.dice.choice(_CUT_SHARES), self.dice.randrange(1 << 30)

    def _cut(self):
        """The supply failed inside a flash operation: each record is the old or the new one."""
        doubts, self._doubt = [self._doubt, self._clock_doubt], None
        self.desk.cuts += 1
        self.desk.restart(self._any_cut() if self.dice.random() < 0.3 else None)
        for doubt in doubts:
            if doubt:
                doubt()
        self._begin_again()

    def _begin_again(self):
        """After a start: what was prescribed and found is still there."""
        self._found, self._clock_doubt, self._clock_waits = False, None, (None, [])
        desk, oracle = self.desk, self.oracle
        care = desk.care
        if care.unsound:
            raise AssertionError("a record was lost")
        assert care.mode == oracle.mode, f"mode {care.mode}, {oracle.mode} was set"
        assert bool(care.fault) >= oracle.fault, "a fault was forgotten"
        kept = as_dict(care.prescription.values) if care.prescription else None
        assert kept == oracle.kept, "another prescription after a start"
        oracle.fault = bool(care.fault)
        oracle.battery_again(care.schedule.battery.state)
        oracle.in_force(kept)

    def _pull(self):
        """The journal, verified, has every session; those that were thinned away are counted."""
        desk = self.desk
        desk.flash.power()
        desk.pass_ms(10_000)
        walk = journal_format.verify(desk.journal())
        assert not walk.faults, walk.faults[:3]
        self.seen["entries"] += walk.entries
        self.seen["thinned"] += walk.thinned
        self.seen["starts"] += desk.starts
        self.seen["cuts"] += desk.cuts
        self.seen["sessions"] += self.oracle.sessions
        self.seen["days"] += int(desk.true_s() - _FIRST_S) // 86_400

    # Steps: time.

    def wait(self, low_ms, high_ms):
        self.desk.pass_ms(self.dice.randrange(low_ms, high_ms))
        self._fault_is_kept()
        return True  # the loop has come round

    def _fault_is_kept(self, is_found=False):
        """A fault that latches stands at once; a cut may forget it until it is on flash, in the next pass."""
        self._found = self._found or is_found
        if self._found and not self.desk.control.busy():
            self.oracle.fault, self._found = True, False

    def restart(self):
        self.desk.restart()
        if self._clock_doubt:
            self._clock_doubt()
        self._begin_again()

    # Steps: requests.

    def start(self):
        desk = self.desk
        if is_near_midnight(self.oracle.shown_s()) or self.dice.random() < 0.5:
            self.desk.pass_ms(5000)
        if is_near_midnight(self.oracle.shown_s()):
            return
        self.oracle.barriers(desk.control.refusal(machine.START), desk.care.refusal())
        desk.ask(self.dice.choice((PATIENT, PATIENT, CLINICIAN, SERVICE)), "start")

    def stop(self):
        self.desk.ask(self.dice.choice((PATIENT, CLINICIAN, SERVICE)), "stop")
        self.oracle.off_at_once("STOP")

    def train(self):
        asked = train(self.dice)
        self.desk.ask(CLINICIAN, "train", *asked)
        self.oracle.train_began(asked[3], asked[4])

    def train_on(self):
        for _ in range(self.dice.randrange(1, 4)):
            if self.desk.control.state() == TRAIN:
                self.desk.ask(CLINICIAN, "train_on")
                self.oracle.train_held()
            self.desk.pass_ms(self.dice.choice((100, 300, 390, 450)))

    def amplitude(self):
        kept = self.oracle.kept
        left, right = [self.dice.randrange(0, 10_025, 25) for _ in (0, 1)]
        if kept and self.dice.random() < 0.8:
            window = [kept[side + end] for side in ("left", "right") for end in (".least_ua", ".most_ua")]
            left = self.dice.randrange(window[0], window[1] + 50, 25)
            right = self.dice.randrange(window[2], window[3] + 50, 25)
        self.desk.ask(self.dice.choice((PATIENT, CLINICIAN)), "amplitude", left, right)
        self.oracle.amplitude_chosen(left, right)

    def prescribe(self):
        desk, oracle = self.desk, self.oracle
        if None in desk.measured and self.dice.random() < 0.7:
            desk.ask(CLINICIAN, "impedance")
            desk.pass_ms(3000)
        values, measured = plan(self.dice, oracle.shown_s()), desk.measured

        def is_either():
            held = desk.care.prescription
            if held and as_dict(held.values) != oracle.kept:
                oracle.prescribed(as_dict(values), as_dict(held.values), measured)

        self._doubt = is_either
        failed = desk.ask(CLINICIAN, "set_prescription", *values)[5]
        if failed:
            self.seen["prescriptions refused"] += 1
            return
        self.seen["prescriptions"] += 1
        oracle.prescribed(as_dict(values), as_dict(desk.care.prescription.values), measured)

    def mode(self):
        desk, oracle = self.desk, self.oracle
        mode = self.dice.choice((0,) * 7 + (1, 2, 3))

        def is_either():
            oracle.mode = desk.care.mode if desk.care.mode == mode else oracle.mode

        self._doubt = is_either
        desk.ask(CLINICIAN, "mode", mode)
        oracle.mode = mode

    def clear_fault(self):
        def is_either():
            self.oracle.fault = bool(self.desk.care.fault)

        self._doubt = is_either
        self.desk.ask(CLINICIAN, "clear_fault")
        self.oracle.fault = self._found = False

    def set_time(self):
        shown_s = self.oracle.shown_s()
        told_s = shown_s
        if self.dice.random() < 0.3:
            told_s += self.dice.choice((-86_400, -20_000, 3600, 50_000, 86_400 * 3, -shown_s, -86_400 * 40))
        self._doubt = self._either_clock(told_s)
        self.desk.ask(CLINICIAN, "set_time", told_s)
        self.oracle.clock_set(told_s)
        self._clock_taken()

    def _either_clock(self, told_s):
        """After a cut: the time before, or one that was told; the clock itself is lost.

        While the output is on nothing is stored, so this is in doubt until it is off: then the last one that
        was believed is stored, and the time before all of them may come back.
        """
        before, told = self._clock_waits
        if not told:
            before = self.oracle.clock_now()
        told = [*told, (told_s, self.desk.true_s())]
        self._asked_clock = before, told

        def is_either():
            floor_s, now_s = self.desk.care.schedule.floor_s, self.desk.true_s()
            self.oracle.clock_again(before)
            for each_s, at_s in reversed(told):
                if 0 <= floor_s - each_s <= now_s - at_s:
                    self.oracle.clock_set(each_s + now_s - at_s)
                    break
            self.oracle.known = False

        return is_either

    def _clock_taken(self):
        """It was; until the output is off it is not stored."""
        if self.desk.control.busy():
            self._clock_doubt, self._clock_waits = self._doubt, self._asked_clock

    def kept_time(self):
        shown_s = self.oracle.shown_s()
        told_s = shown_s
        if self.dice.random() < 0.1:
            told_s += self.dice.choice((-86_400 * 2, -3600, 30_000, 86_400 * 90, 86_400 * 500, -shown_s))
        self._doubt = self._either_clock(told_s)
        self.desk.ask(PATIENT, "kept_time", told_s)
        self.oracle.time_kept(told_s)
        self._clock_taken()

    def look(self):
        shown = self.desk.ask(PATIENT, "therapy")
        self.oracle.battery_is(shown[11])

    # Steps: what happens.

    def fault(self):
        desk = self.desk
        if desk.control.state() not in SESSION:
            return
        number, at_once = self.dice.choice(_FAULTS), self.dice.random() < 0.5
        desk.fault(number, self.dice.randrange(2), at_once)
        if at_once:
            self.oracle.off_at_once("watch")
        desk.turn()
        self._fault_is_kept(number in _LATCHED)

    def disturb(self):
        if self.desk.control.session:
            self.desk.disturb()

    def calm(self):
        if self.desk.control.session:
            self.desk.calm()

    def silence(self):
        self.desk.silent = self.dice.random() < 0.4

    def magnet_comes(self):
        self.desk.magnet_comes()
        self.oracle.off_at_once("magnet")

    def magnet_goes(self):
        self.desk.magnet_goes()

    def fail(self):
        part = self.dice.choice(_PARTS)
        is_new = not self.desk.control.failed_parts & part
        self.desk.control.fail(part)
        if is_new and part != messages.PART_RANDOM:
            self.oracle.off_at_once("part failed")

    def mend(self):
        for part in _PARTS:
            self.desk.control.mended(part)

    def find_parts(self):
        self.desk.leads.failing = self.dice.choice((0,) * 9 + (1, 2, 8))

    def window_opens(self):
        if not self.desk.control.busy():
            self.desk.control.window_opened()
            self.oracle.window = True

    def window_closes(self):
        if not self.desk.control.busy():
            self.desk.control.window_closed(0)
            self.oracle.window = False

    def supply(self):
        low = self.is_weak or self.dice.random() < 0.2
        self.desk.sense.mv = self.dice.choice((3500, 3250, 3250)) if low else 4500

    def electrodes(self):
        leads, lead = self.desk.leads, self.dice.randrange(2)
        leads.ohm[lead] = self.dice.choice((300, 500, 900, 2000, 5000, 9000))
        leads.capacitance_nf[lead] = self.dice.choice((0, 500, 1000, 2500))
        leads.kind[lead] = self.dice.choice((0,) * 12 + (1, 2))

    def lose_clock(self):
        self.desk.lose_clock()
        self.oracle.known = False


STEPS = {
    lambda life: life.wait(1, 300): 14,
    lambda life: life.wait(1000, 30_000): 14,
    lambda life: life.wait(60_000, 2_400_000): 9,
    lambda life: life.wait(3_600_000, 30_000_000): 2.5,
    Life.start: 12,
    Life.stop: 3,
    lambda life: life.desk.ask(CLINICIAN, "impedance"): 3,
    lambda life: life.desk.ask(SERVICE, "self_test"): 2,
    Life.train: 3,
    Life.train_on: 3,
    Life.amplitude: 4,
    Life.prescribe: 2,
    Life.mode: 1.5,
    Life.clear_fault: 3,
    Life.set_time: 1,
    Life.kept_time: 4,
    Life.look: 4,
    Life.fault: 1.5,
    Life.disturb: 3,
    Life.calm: 2,
    Life.silence: 1,
    Life.magnet_comes: 1,
    Life.magnet_goes: 4,
    Life.fail: 0.4,
    Life.mend: 3,
    Life.find_parts: 0.5,
    Life.window_opens: 0.3,
    Life.window_closes: 2,
    Life.supply: 0.5,
    Life.electrodes: 0.7,
    Life.restart: 0.2,
    Life.lose_clock: 0.2,
}
