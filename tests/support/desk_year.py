"""A year of an implanted stimulator on the desk: `make year`. See docs/desk.md.

    python -m support.desk_year [--days N] [--seed N] [--sessions N]

Two sessions are due each day, some are missed, some end early. The supply fails at random, also inside flash
operations; the clock is lost then, until the remote gives it back. A clinic pulls the journal every month,
and changes the prescription now and then. What the journal tells in the end is compared with what was done.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from stimbench.client.journal_requests import JournalPage
from stimbench.client.records import Identity
from stimbench.client.therapy_records import KeptPrescription
from stimbench.journal.pull import pull
from stimbench.journal.store import Store

from support.desk_compare import RATED_ERASES, compared, wear
from support.desk_device import CLINICIAN, PATIENT, SERVICE, Desk, Refused
from support.desk_oracle import SESSION, Oracle
from support.desk_plans import FIELDS, as_dict
from support.flash_fake import PowerCut
from support.stimulator_harness import CLOCK

# isort: split
from stimfw.storage import journal_format
from stimfw.therapy import prescription

DAY_S = 86_400
_FIRST_S = 1_699_920_000  # a midnight
_VISIT_DAYS = 30
_CUT_SHARES = (0, 8, 128, 248, 256)


@dataclass
class Held:
    """A session as it was: seconds since 1970, messages.STOPPED_...; None: the supply failed.

    `doubtful`: the supply failed in the pass in which it ended: its end may not be told.
    `unheard`: the supply failed before START was answered: it may be told, and there was no output.
    """

    number: int
    began_s: int
    began_ms: int
    version: int
    elapsed_s: int = 0
    cause: int | None = None
    doubtful: bool = False
    unheard: bool = False


class DeskBoard:
    """A desk as stimbench.journal.pull asks it."""

    identity = Identity("stimulator", "0.4.0", "0123abcd01234567")

    def __init__(self, desk):
        self._desk = desk

    def journal(self, first):
        return JournalPage.unpack(self._desk.raw(SERVICE, "journal", first)[2:])

    def prescription_history(self, back):
        return KeptPrescription.unpack(self._desk.raw(SERVICE, "history", back)[2:])


class Year:
    """The device, those around it, and what was done.

    Attributes:
        held: sessions, in order.
        due: of each day since 1970, how many were prescribed for all of it.
        versions: of the prescriptions that were acknowledged.
        unknown_days: on which the device did not know the time for a while.
        seen: what happened how often.
    """

    def __init__(self, seed, store, sessions_a_day=2, healing_days=14):
        self.dice = random.Random(seed)
        self._store = store
        self._sessions_a_day = sessions_a_day
        self.desk = Desk(_FIRST_S + 9 * 3600, healing_days, with_log=True)
        self.oracle = Oracle(self.desk, healing_days)
        self.desk.on_state, self.desk.on_off = self._came, self._off
        self.held, self.due, self.versions = [], {}, []
        self.unknown_days, self.seen = set(), Counter()
        self._running = self._ended = None
        self._has_fault = False

    def run(self, days):
        """So many days, then a last visit."""
        first = _FIRST_S // DAY_S
        self._until(_FIRST_S + 10 * 3600)
        while not self.oracle.kept:
            self._do(self._visit, True)
        for day in range(first + 1, first + days + 1):
            self._until(day * DAY_S)
            self._note_due(day)
            self._day(day - first)
        self._until((first + days + 1) * DAY_S + 3600)
        while not self._do(self._last_visit):
            pass

    def _note_due(self, day):
        kept = self.oracle.kept
        active = kept["activation_s"] <= day * DAY_S
        self.due[day] = kept["sessions_a_day"] if active else 0

    # Time.

    def _until(self, time_s):
        """Nothing is asked of the device meanwhile."""
        while self.desk.true_s() < time_s:
            self._do(lambda: self.desk.pass_ms((time_s - self.desk.true_s()) * 1000))

    def _do(self, action, *values):
        """Whether it was done to its end: it was not refused, and the supply has not failed in it."""
        try:
            action(*values)
            self.desk.turn()
            self._ended = None
            return True
        except Refused as refused:
            self.seen["refused", refused.code, refused.reason] += 1
            return False
        except PowerCut:
            self.seen["cuts inside flash"] += 1
            if self._ended:
                self._ended.doubtful = True
            self._restart()
            return False
        finally:
            self.oracle.check()
            self._note_clock()

    def _note_clock(self):
        if not self.desk.clock.time_s():
            self.unknown_days.add(self.desk.true_s() // DAY_S)

    def _restart(self):
        self._ended = None
        self._note_clock()
        self.desk.restart()
        care, oracle = self.desk.care, self.oracle
        assert not care.unsound, "a record was lost"
        kept = as_dict(care.prescription.values) if care.prescription else None
        if kept != oracle.kept:  # the supply failed in the change: it is the new one
            self.versions.append(care.version)
            oracle.in_force(kept)
        self._has_fault = bool(care.fault)
        oracle.mode = care.mode
        self._note_clock()

    # What the device does.

    def _came(self, state):
        self.oracle.came(state)
        if self._running is None and state in SESSION:
            self._running = self._held()
            self.held.append(self._running)
        elif self._running is not None and state not in SESSION:
            self._end(self.desk.control.stop_cause)

    def _held(self, number=0, unheard=False):
        care = self.desk.care
        return Held(
            number or care.schedule.number, self.desk.true_s(), CLOCK.ms(), care.version, unheard=unheard
        )

    def _off(self):
        self.oracle.supply_failed()
        if self._running is not None:
            self._end(None)

    def _end(self, cause):
        self._running.cause = cause
        self._running.elapsed_s = (CLOCK.ms() - self._running.began_ms) // 1000
        self._ended, self._running = self._running, None

    # Those around it.

    def _day(self, number):
        dice, begin_s = self.dice, self.desk.true_s()
        kept = self.oracle.kept
        if dice.random() < 0.15:
            self.desk.flash.cut(dice.randrange(40), dice.choice(_CUT_SHARES), dice.randrange(1 << 30))
        due = max(self._sessions_a_day, kept["sessions_a_day"])
        for turn in range(due):
            hour = 7 + turn * max(kept["between_s"] / 3600 + 1, 12 / due)
            self._until(begin_s + int(hour * 3600) + dice.randrange(1800))
            if turn == 1 and number % _VISIT_DAYS == 0:
                self._do(self._visit, dice.random() < 0.4)
            if dice.random() < 0.04:
                self.seen["missed"] += 1
            else:
                self._session()
        if self._has_fault:
            self._do(self._clear_fault)
        if dice.random() < 0.04:
            self._until(self.desk.true_s() + dice.randrange(7200))
            self._restart()
            self.seen["restarts"] += 1

    def _session(self):
        self._do(self._tell_time)
        before = len(self.held)
        starts, number = self.desk.starts, self.desk.care.schedule.number + 1
        self._do(self.desk.ask, PATIENT, "start")
        if len(self.held) == before:
            if self.desk.starts > starts:
                self.held.append(self._held(number, unheard=True))
            return
        self.seen["sessions"] += 1
        event = self.dice.random()
        if event < 0.12:
            length_ms = self.dice.randrange(self.oracle.kept["session_s"]) * 1000
            self._do(self.desk.pass_ms, length_ms)
            if self._running is not None:
                self._disturb(event / 0.12)
        while self._running is not None:
            self._do(self.desk.pass_ms, 20_000)
        self.desk.silent = False
        self.desk.magnet_goes()

    def _disturb(self, event):
        """Something happens in a session."""
        desk = self.desk
        if event < 0.4:
            self._do(desk.ask, PATIENT, "stop")
        elif event < 0.5:
            self._do(desk.magnet_comes)
        elif event < 0.7:
            self._restart()
            self.seen["restarts"] += 1
        elif event < 0.85:
            desk.disturb()
            self._do(desk.pass_ms, self.dice.choice((5000, 60_000, 300_000)))
            if self._running is not None:
                desk.calm()
        elif event < 0.92:
            desk.silent = True
        else:
            self._has_fault = True
            self._do(desk.fault, self.dice.choice((1, 5, 6, 7)), 0, self.dice.random() < 0.5)

    def _tell_time(self):
        """The remote gives the time back if it was lost; one day in ten it is not at hand."""
        known = self.desk.ask(PATIENT, "therapy")[12]
        if not known and self.dice.random() < 0.9:
            self.desk.ask(PATIENT, "kept_time", self.desk.true_s())
            self.oracle.time_kept(self.desk.true_s())

    def _set_time(self):
        self.desk.ask(CLINICIAN, "set_time", self.desk.true_s())
        self.oracle.clock_set(self.desk.true_s())

    def _clear_fault(self):
        self.desk.ask(CLINICIAN, "clear_fault")
        self._has_fault = self.oracle.fault = False

    def _visit(self, changes):
        """The clinic: time, journal, and now and then another prescription."""
        self._set_time()
        self._pull()
        if changes:
            self.desk.ask(CLINICIAN, "impedance")
            self.desk.pass_ms(5000)
            self._prescribe()

    def _prescribe(self):
        desk, dice = self.desk, self.dice
        wanted = dict(zip(FIELDS, prescription.default().values, strict=True))
        ua = dice.randrange(1000, 3000, 25)
        wanted["sessions_a_day"] = self._sessions_a_day
        wanted["session_s"] = dice.choice((1200, 1800, 1800, 1800)) * 2 // self._sessions_a_day
        wanted["between_s"] = dice.choice((3600, 7200))
        for side in ("left", "right"):
            wanted[side + ".amplitude_ua"] = ua
            wanted[side + ".least_ua"], wanted[side + ".most_ua"] = ua - 500, ua + 500
        measured = desk.measured
        version, *_, failed = desk.ask(CLINICIAN, "set_prescription", *wanted.values())
        assert not failed, failed
        self.versions.append(version)
        self.oracle.prescribed(wanted, as_dict(desk.care.prescription.values), measured)

    def _pull(self):
        pulled = pull(DeskBoard(self.desk), self._store, self.desk.true_s)
        assert pulled.is_sound, pulled.findings
        self.seen["pulls"] += 1

    def _last_visit(self):
        self.desk.flash.power()
        self._set_time()
        self.desk.pass_ms(10_000)
        self._pull()


def simulate(days, seed, sessions_a_day=2, healing_days=14):
    """A Year of so many days, its audit, and its wear."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "year.db", create=True) as store:
        year = Year(seed, store, sessions_a_day, healing_days)
        year.run(days)
        return year, compared(year, store), wear(year.desk.flash)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=2)
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    year, audit, worn = simulate(asked.days, asked.seed, asked.sessions)
    result, seen = audit.adherence, year.seen
    thinned = journal_format.verify(year.desk.journal()).thinned
    print(
        f"year       {asked.days} days: {len(year.held)} sessions, {result.complete} complete and "
        f"{result.cut_short} cut short of {result.prescribed} prescribed on {len(result.known)} known days, "
        f"as they were; {len(result.days) - len(result.known)} days unknown; {year.desk.starts} starts, "
        f"{seen['cuts inside flash'] + year.desk.cuts} after a cut inside flash; "
        f"{audit.numbers[1] + 1} entries, {thinned} of them thinned on the board; no finding"
    )
    for name, (fewest, most) in worn.items():
        print(f"year       {name:14} erases of a block: {fewest} to {most} of {RATED_ERASES}")
    print(f"year       no limit passed [{time.monotonic() - began:.0f} s]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
