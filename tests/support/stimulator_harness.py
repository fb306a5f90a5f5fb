"""A stimulator's loop, control, sessions and measurements on a desk: all real but peripherals and clock.

The fake peripherals know what a train is (when its pulses come, which of them are measured) and what flows; a
minute of a session takes some milliseconds. What the chip itself does is asked of the emulated one.
"""

import struct
import sys
import time
import types

sys.modules.setdefault(
    "micropython", types.SimpleNamespace(const=lambda value: value, native=lambda function: function)
)


class Clock:
    """MicroPython's ticks."""

    now_us = 0

    def ms(self):
        return self.now_us // 1000


class Interrupts:
    """machine.disable_irq and enable_irq: what calls meanwhile waits."""

    def __init__(self):
        self.enabled = True
        self._waiting = []

    def call(self, handler):
        """An interrupt: its handler runs at once if it may."""
        if self.enabled:
            handler()
        else:
            self._waiting.append(handler)

    def disable(self):
        before, self.enabled = self.enabled, False
        return before

    def enable(self, state):
        self.enabled = state
        while self.enabled and self._waiting:
            self._waiting.pop(0)()


class Keyboard:
    """micropython.kbd_intr: whether a Ctrl-C interrupts."""

    character = 3

    def set(self, character):
        self.character = character


CLOCK, INTERRUPTS, KEYBOARD = Clock(), Interrupts(), Keyboard()
time.ticks_ms = CLOCK.ms  # type: ignore[attr-defined]
time.ticks_add = lambda ticks, delta: ticks + delta  # type: ignore[attr-defined]
time.ticks_diff = lambda end, start: end - start  # type: ignore[attr-defined]
sys.modules["micropython"].kbd_intr = KEYBOARD.set  # type: ignore[attr-defined]
sys.modules.setdefault(
    "machine", types.SimpleNamespace(disable_irq=INTERRUPTS.disable, enable_irq=INTERRUPTS.enable)
)

from stimfw.protocol import requests  # noqa: E402
from stimfw.stimulator.app import App  # noqa: E402
from stimfw.stimulator.control import Control  # noqa: E402
from stimfw.stimulator.measure import Measurements  # noqa: E402
from stimfw.stimulator.output import Output  # noqa: E402
from stimfw.therapy import program as programs  # noqa: E402
from stimfw.therapy.event_log import EventLog  # noqa: E402

TURN_US = 300  # what a turn of the loop costs
MIDDLE = 2048  # the converter's code of 1.65 V
UA_A_CODE = 2.5
COMPLIANCE_MV = 15_000
SWITCHES_OHM = 19
MEASURED_US = 400  # from a lead's go to the last sample of its pulse


class Pin:
    """machine.Pin; `rises` are the times at which it went high."""

    def __init__(self, level=0):
        self.level = level
        self.rises = []

    def __call__(self, level=None):
        if level is None:
            return self.level
        if level and not self.level:
            self.rises.append(CLOCK.now_us)
        self.level = level
        return None


class Pulser:
    """stimfw.drivers.pulser.Pulser, for its pacer: when which pulse begins.

    Attributes:
        tells: whether periods interrupt.
        on_prepare: called when a train is made ready.
        on_start: called when the train is about to start.
        on_open: called when the bridges are opened between two pulses.
        trains: how many were started.
    """

    def __init__(self):
        self.tells = False
        self.trains = 0
        self.on_prepare = self.on_start = self.on_open = lambda: None
        self._running = False
        self._began_us = self._period_us = self._right_us = 0
        self._stalled_us = self._end_us = None

    def load(self, _pulse, pacer, _sampler_words):
        self.off()
        second = (pacer.osr + 1) * 32 + (pacer.words[4] >> 8 & 31) + 2
        self._right_us = pacer.right_us
        self._period_us = pacer.right_us + second * pacer.cycle_us

    def prepare(self):
        self._stalled_us = self._end_us = None
        self.on_prepare()

    def start(self):
        self.on_start()
        self._began_us = CLOCK.now_us + 20
        self._running = True
        self.trains += 1

    def off(self):
        if self._running:
            self.stall()
        self._running = False

    def running(self):
        return self._running

    def open(self):
        self.on_open()

    def finish(self):
        self._end_us = max(1, self.elapsed_us() // self._period_us + 1) * self._period_us

    def finished(self):
        return self._end_us is not None and self.elapsed_us() >= self._end_us

    def stall(self):
        """The pacer stands still from now on, whatever for."""
        if self._stalled_us is None:
            self._stalled_us = CLOCK.now_us

    def left_has_gone(self):
        return 0 <= self.elapsed_us() % self._period_us < self._right_us and self._running

    def latch(self):
        pass

    def tell_periods(self, wanted):
        self.tells = wanted

    def elapsed_us(self):
        """Time that the train ran; negative before its first go."""
        now_us = CLOCK.now_us if self._stalled_us is None else min(CLOCK.now_us, self._stalled_us)
        elapsed_us = now_us - self._began_us
        return elapsed_us if self._end_us is None else min(elapsed_us, self._end_us)

    def measured(self):
        """Pulses of both leads whose samples are all stored."""
        elapsed_us = self.elapsed_us() - MEASURED_US
        left = elapsed_us // self._period_us + 1
        right = (elapsed_us - self._right_us) // self._period_us + 1
        return max(0, left) + max(0, right) if self._period_us else 0

    def next_period_us(self):
        """When the next period begins, if it interrupts; else a time that never comes."""
        running = self._running and self.tells and self._stalled_us is None and self._end_us is None
        if not running:
            return 1 << 60
        periods = max(0, self.elapsed_us() // self._period_us + 1)
        return self._began_us + periods * self._period_us


class Sampler:
    """stimfw.drivers.sampler.Sampler: counts the train's pulses, reads what flows in the leads."""

    KEPT = 2016

    def __init__(self, desk):
        self._desk = desk
        self._armed = False
        self._base = self._samples = 0

    def arm(self, table, fresh):
        self._base = 0 if fresh else self.taken()
        self._samples = len(table) // 2
        self._armed = True

    def disarm(self):
        self._base, self._armed = self.taken(), False

    def taken(self):
        return self._base + (self._desk.pulser.measured() * self._samples if self._armed else 0)

    def code(self, _number):
        return MIDDLE

    def add_up(self, first, pulses, sums):
        lead = first // len(sums) % 2
        plan = self._desk.output.plan
        for k, (kind, at_ns) in enumerate(zip(plan.kinds, plan.times_ns, strict=True)):
            sums[k] += round(self._desk.code(lead, kind, at_ns) * pulses)


class Dac:
    """stimfw.drivers.mcp4922.Mcp4922; `ua`: what was asked of it."""

    def __init__(self):
        self.ua = [0.0, 0.0]

    def write(self, channel, code):
        self.ua[channel] = code * UA_A_CODE


class Matrix:
    """stimfw.drivers.adg1414.Adg1414Pair; `closed`: each lead's switches."""

    def __init__(self):
        self.closed = (0, 0)

    def write(self, left, right):
        self.closed = (left, right)


class Sense:
    """stimfw.drivers.sense.Sense, of amplifiers without an offset."""

    def mean16(self, _channel, _readings):
        return 16 * MIDDLE


class Waiting:
    """Console and pairing of a loop that has nothing to do there: poll() says so."""

    def poll(self, _now_ms=0):
        return -1


class Wake:
    """stimfw.drivers.wake.Wake, without what waits for it."""

    pending = False

    def set(self):
        self.pending = True


class Quiet:
    """Radio and responder of a loop that has nothing to do there. `works`: whether the radio does."""

    paused = False
    works = True
    answering = False

    def revive(self):
        return self.works

    def poll(self, _now_ms):
        return False

    def wait_ms(self, _now_ms):
        return -1

    def check_channel(self, _now_ms, _lost):
        pass

    def expire(self, _now_ms):
        pass

    def make_candidates(self):
        pass


class StimulatorHarness:
    """A stimulator that is ready.

    Attributes:
        gain: what flows of what the DAC asks for, by lead.
        ohm: of every pair.
        heard_us: when the radio last heard the peer of each slot; of others no link is ever lost.
        stops: what was told of stops: (time in us, sender), the output off each time.
    """

    def __init__(self, **changes):
        CLOCK.now_us = 1_000_000
        INTERRUPTS.__init__()
        KEYBOARD.set(3)
        self.gain = [1.0, 1.0]
        self.ohm = 1000
        self.pulser, self.dac, self.matrix = Pulser(), Dac(), Matrix()
        self.keepalive, self.reed, self.led = Pin(), Pin(1), Pin()
        self.output = Output(self.pulser, Sampler(self), self.dac, self.matrix, self.keepalive)
        self.output.off()
        self.measurements = Measurements(self.output, Sense())
        self.measurements.take_baseline()
        program = programs.default().replaced({k.replace("__", "."): v for k, v in changes.items()})
        self.log = EventLog(lambda: CLOCK.now_us // 1_000_000)
        self.control = Control(self.output, self.measurements, self.reed, self.led, program, 0, self.log.add)
        self.heard_us: dict[int, int] = {}
        self.stops: list[tuple[int, int]] = []
        self.control.silent_ms = lambda now_ms: min([*map(self._silent_ms, self.heard_us), 1 << 29])
        self.control.link.silent_ms = lambda slot, _: self._silent_ms(slot) if slot in self.heard_us else 0
        self.control.on_stop = self._stopped
        self.radio, self.wake = Quiet(), Wake()
        self.app = App(self.control, self.output, self.wake, self.radio, Waiting(), Quiet(), Waiting())

    @property
    def now_us(self):
        return CLOCK.now_us

    def hear(self, slot):
        """An authentic frame of a peer has come."""
        self.heard_us[slot] = CLOCK.now_us

    def _silent_ms(self, slot):
        return (CLOCK.now_us - self.heard_us.get(slot, -(1 << 40))) // 1000

    def _stopped(self, sender, now_ms):
        assert now_ms == CLOCK.now_us // 1000
        assert not self.pulser.running() and self.matrix.closed == (0, 0) and self.dac.ua == [0, 0]
        self.stops.append((CLOCK.now_us, sender))

    def events(self, *kinds):
        """Kind and sender of events of these kinds in the log."""
        _, records = self.log.read(0, 64)
        found = [event[1:3] for event in struct.iter_unpack(requests.LOG_RECORD, records)]
        return [event for event in found if event[0] in kinds]

    def magnet(self, near):
        """It comes or goes."""
        self.reed.level = 0 if near else 1
        if near:
            INTERRUPTS.call(lambda: self.app.on_magnet(None))

    def hold_up_ms(self, span_ms):
        """The loop does not come round for so long: flash is written. Interrupts are served."""
        CLOCK.now_us += round(span_ms * 1000)

    def run_ms(self, span_ms):
        """Let the loop run for so long."""
        end_us = CLOCK.now_us + round(span_ms * 1000)
        while CLOCK.now_us < end_us:
            wait_ms = self.app.poll(False)
            CLOCK.now_us += TURN_US
            until_us = min(end_us, CLOCK.now_us + wait_ms * 1000)
            period_us = self.pulser.next_period_us()
            if period_us <= until_us:
                until_us = period_us
            if self.wake.pending:
                until_us = CLOCK.now_us
                self.wake.pending = False
            CLOCK.now_us = max(CLOCK.now_us, until_us)
            if CLOCK.now_us == period_us:
                INTERRUPTS.call(lambda: self.app.on_period(None))
                self.wake.pending = False

    def run_to(self, state, limit_ms=5000):
        """Until control says so."""
        end_us = CLOCK.now_us + limit_ms * 1000
        while self.control.state() != state:
            assert CLOCK.now_us < end_us, f"state {self.control.state()}, {state} wanted"
            self.run_ms(1)

    def edges(self, since_us=0):
        """Rising edges of KEEPALIVE from then on."""
        return [at_us for at_us in self.keepalive.rises if at_us >= since_us]

    def code(self, lead, kind, at_ns):
        """What the converter reads at a time of a cathodic phase: of the current, or of a pair's voltage."""
        sources, sinks = self.matrix.closed[lead] & 15, self.matrix.closed[lead] >> 4
        flows_ua = self.dac.ua[lead] * self.gain[lead] if sources and sinks else 0.0
        if kind == "I":
            return MIDDLE - flows_ua * 0.15 * 4096 / 3300
        if at_ns < 0 or kind == "B":
            return MIDDLE
        ohm = SWITCHES_OHM + (0 if sources == sinks else self.ohm)
        drop_mv = flows_ua * ohm / 1000 if flows_ua else COMPLIANCE_MV * (self.dac.ua[lead] > 0)
        return MIDDLE - min(drop_mv, COMPLIANCE_MV) / 10 * 4096 / 3300
