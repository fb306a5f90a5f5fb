"""What an implanted stimulator on the desk has in the place of its chip: flash, output, leads, converter.

None of these knows what is allowed. They do what they are told, and say what flows.
"""

import random
import struct
import types

from support.flash_fake import PAGE, FlashFake
from support.stimulator_harness import CLOCK

# isort: split
from stimfw.protocol import journal_entries, messages, requests
from stimfw.storage import layout
from stimfw.therapy import watch_table

TEST_UA = 100
"""What measurements and the self-test drive."""
PAIRS = tuple(cathode << 2 | anode for cathode in range(4) for anode in range(4) if cathode != anode)
GIVEN_UP_S = 120
"""An interference that lasts so long ends the session."""
STOPPED_WATCH, STOPPED_INTERFERENCE = 8, 10


class DeskFlash(FlashFake):
    """All of a board's blocks. `erases`: of each block, since it was new; `programs`: pages, in all."""

    def __init__(self):
        super().__init__(layout.BLOCKS)
        self.erases = [0] * layout.BLOCKS
        self.programs = 0

    def cut(self, after, share_256, seed):
        """As FlashFake.cut, without a word to the dice of others."""
        self._cut_in, self._share = after, share_256
        self._dice = random.Random(seed).getrandbits

    def writeblocks(self, block, data, offset=None):
        assert offset is not None and offset % PAGE == 0 and len(data) == PAGE
        start = block * 4096 + offset
        old = self.memory[start : start + PAGE]
        new = (int.from_bytes(old, "little") & int.from_bytes(data, "little")).to_bytes(PAGE, "little")
        self.programs += 1
        self._change("program", start, old, new)

    def _change(self, kind, start, old, new):
        if kind == "erase":
            self.erases[start // 4096] += 1
        super()._change(kind, start, old, new)


class DeskOutput:
    """stimfw.stimulator.output.Output.

    Attributes:
        on: the electrodes are connected.
        ua: what flows in the pulses of (left, right).
        width_us: of these pulses.
    """

    def __init__(self):
        self.tripped = False
        self.on = False
        self.ua = (0, 0)
        self.width_us = (0, 0)
        self._period_us = 1
        self._began_us = 0

    def load(self, width_us, _gap_us, period_us, _kinds, _times_us):
        self.width_us, self._period_us = (width_us, width_us), period_us

    def connect(self, left, right):
        if not self.tripped:
            self.on = bool(left or right)

    def amplitude(self, left_ua, right_ua):
        if not self.tripped:
            self.ua = (left_ua, right_ua)

    def zero(self):
        self.ua = (0, 0)

    def prepare(self, _fresh):
        """Nothing is to be done."""

    def start(self):
        self._began_us = CLOCK.now_us
        return not self.tripped

    def begun(self, _lead):
        return (CLOCK.now_us - self._began_us) // self._period_us + 1

    def finish(self):
        self.ua = (0, 0)
        yield 1
        return True

    def arm_trip(self):
        self.tripped = False

    def trip(self):
        self.tripped, self.on, self.ua = True, False, (0, 0)

    off = trip

    def keep_alive(self):
        pass


class Leads:
    """Behind the output: ohm, nF and kind by lead; `failing`: parts that the next self-test finds."""

    def __init__(self):
        self.ohm = [500, 500]
        self.capacitance_nf = [2500, 2500]
        self.kind = [messages.KIND_OK, messages.KIND_OK]
        self.failing = 0


class DeskMeasurements:
    """stimfw.stimulator.measure.Measurements: all pairs of a lead are alike.

    Attributes:
        known: (kind, ohm, nF) of each lead as they were measured last; None: not since the start.
    """

    def __init__(self, output, leads):
        self._output = output
        self.leads = leads
        self.forget()

    def forget(self):
        self._records = [b"", b""]
        self.known = [None, None]

    def self_test(self):
        output = self._output
        output.connect(1, 1)
        output.amplitude(TEST_UA, TEST_UA)
        yield 30
        output.zero()
        return -1 if output.tripped else self.leads.failing

    def pairs(self):
        output, leads = self._output, self.leads
        output.connect(1, 1)
        output.amplitude(TEST_UA, TEST_UA)
        yield 1500
        for lead in (0, 1):
            figures = (leads.kind[lead], leads.ohm[lead], leads.capacitance_nf[lead], TEST_UA)
            records = [struct.pack(requests.PAIR_RECORD, pair, *figures) for pair in PAIRS]
            self._records[lead] = b"".join(records)
            self.known[lead] = figures[:3]
        return len(PAIRS)

    def pair_records(self, lead):
        return self._records[lead]


class Sense:
    """stimfw.drivers.sense.Sense; `on_read` is told what the device read of its supply."""

    def __init__(self):
        self.mv = 4500
        self.on_read = lambda _supply_mv: None

    def supply_mv(self):
        self.on_read(self.mv)
        return self.mv

    def temperature_dc(self):
        return 310


class Ledger:
    """What a session delivered; stimfw.stimulator.watched_session's."""

    def __init__(self, session):
        self._session = session

    def entries(self):
        session = self._session
        for lead in (0, 1):
            most = session.most_ua[lead]
            yield (journal_entries.DELIVERED, lead, session.cycles * 100, session.cycles, session.cycles)
            yield (journal_entries.CURRENT, lead, session.program.amplitude_ua[lead], most, most, 0)

    def close_contraction(self):
        """Its contractions are not counted one by one."""


class DeskSession:
    """stimfw.stimulator.watched_session.WatchedSession, without pulses: what flows, part by part.

    Attributes:
        program: the prescription that it follows.
        disturbed: something disturbs the measurements.
        impedance: of each lead, as it was measured at the start.
    """

    is_test = False

    def __init__(self, output, program, enter, silent_ms, lose_contact, on_fault, on_pause, leads):
        self._output = output
        self.program = program
        self._enter = enter
        self._silent_ms = silent_ms
        self._lose_contact = lose_contact
        self._on_fault = on_fault
        self._on_pause = on_pause
        self._began_ms = CLOCK.ms()
        self._share = 0
        self._is_lost = self._is_found = False
        self._down = [False, False]
        self.disturbed = False
        self.amplitude_ua = [0, 0]
        self.most_ua = [0, 0]
        self.cycles = self.missed = self.ended_s = self.fault = self.fault_lead = 0
        self.ledger = Ledger(self)
        self.impedance = [
            types.SimpleNamespace(kind=kind, ohm=ohm, capacitance_nf=nf)
            for kind, ohm, nf in zip(leads.kind, leads.ohm, leads.capacitance_nf, strict=True)
        ]

    def elapsed_s(self):
        return (CLOCK.ms() - self._began_ms) // 1000

    def watch_figures(self, _lead):
        return (0,) * 9

    def retarget(self, program):
        self.program = program
        self._flow(self._share)

    def find(self, fault, lead):
        """The watch finds a fault, of a lead or of the device, and acts in the same look."""
        if watch_table.row_of(fault)[watch_table.SIDE] == watch_table.DEVICE:
            lead = watch_table.BOTH
        action = watch_table.action_of(fault)
        if action == watch_table.RAMP_DOWN_LEAD:
            self._down[lead] = True
        if action == watch_table.STOP_ALL or (action == watch_table.RAMP_DOWN_LEAD and all(self._down)):
            self._is_found = True
        if action != watch_table.WARN:
            self.fault, self.fault_lead = fault, lead
        self._flow(0 if self._is_found else self._share)
        self._on_fault(fault, lead, action, (1, 2, 3, 4, 5, 6))

    def run(self):
        """As WatchedSession.run."""
        output = self._output
        output.width_us = self.program.width_us
        output.connect(1, 1)
        while self._left_ms() > 0 and not self._out_of_contact():
            cause = yield from self._contract()
            self._enter(messages.REST)
            if cause or (self.disturbed and not (yield from self._calm())):
                return cause or STOPPED_INTERFERENCE
            yield from self._rest()
        return messages.STOPPED_CONTACT if self._is_lost else messages.STOPPED_SESSION_OVER

    def _contract(self):
        yield 10
        program = self.program
        for part, ms, share in (
            (messages.RAMP_UP, program.ramp_up_ms, 50),
            (messages.HOLD, program.on_ms, 100),
            (messages.RAMP_DOWN, program.ramp_down_ms, 50),
        ):
            if self.disturbed or (self._is_lost and part == messages.HOLD):
                continue
            self._enter(part)
            self._flow(share)
            yield max(1, ms)
            if self._is_found:
                break
            self._out_of_contact()
        self._flow(0)
        if self._is_found:
            return STOPPED_WATCH
        self.cycles += 1
        return 0

    def _rest(self):
        left_ms = min(self.program.off_ms, self._left_ms())
        while left_ms > 0 and not self._out_of_contact():
            wait_ms = min(left_ms, 20_000)
            left_ms -= wait_ms
            yield wait_ms

    def _calm(self):
        """The session waits until the interference is over; whether it is."""
        self._on_pause(0, 5, 300)
        for _ in range(GIVEN_UP_S // 5):
            if not self.disturbed:
                self._on_pause(1, 0, 0)
                self._enter(messages.REST)
                return True
            if self._left_ms() <= 0:
                break
            yield 5000
        self._on_pause(2, 5, 300)
        return False

    def _flow(self, share):
        self._share = share
        ua = [0 if self._down[k] else self.program.amplitude_ua[k] * share // 100 for k in (0, 1)]
        self._output.amplitude(*ua)
        self.amplitude_ua[:] = ua
        self.most_ua[:] = [max(ua[k], self.most_ua[k]) for k in (0, 1)]

    def _left_ms(self):
        return self.program.session_s * 1000 - (CLOCK.ms() - self._began_ms)

    def _out_of_contact(self):
        limit_ms = self.program.contact_s * 1000
        if limit_ms and not self._is_lost and self._silent_ms(CLOCK.ms()) >= limit_ms:
            self._is_lost = True
            self._lose_contact()
        return self._is_lost
