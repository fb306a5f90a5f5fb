"""A test train: single pulses or a short train on one lead, under the clinician's hand.

It ends after its pulses, and at once when the host stops asking: TRAIN_ON has to come every HELD_MS.
"""

from time import ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import adg1414, heap
from stimfw.protocol import messages
from stimfw.pulses.sampling import evenly
from stimfw.therapy import gate, program, ranges
from stimfw.therapy.ranges import ParameterError, Range

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.stimulator.output import Output

HELD_MS = 400
"""Without TRAIN_ON for so long the output goes off. A pass takes 60 ms at most: that is below 500 ms."""
HOST_GONE = 9
"""messages.STOP_NAMES: the host stopped asking."""
PULSES = Range("pulses", 1, 200)
RATE_HZ = Range("rate_hz", 1, 50, "Hz")
KINDS = "IVIV"
_LOOK_MS = 40


class TrainPlan:
    """One lead's pulses, checked; it cannot be made otherwise."""

    def __init__(
        self,
        lead: int,
        cathode: int,
        anode: int,
        amplitude_ua: int,
        width_us: int,
        gap_us: int,
        rate_hz: int,
        pulses: int,
    ) -> None:
        """Check the values.

        Raises:
            ParameterError: the first one that is out of its range, or does not fit the others.
        """
        Range("lead", 0, 1).check(lead)
        ranges.CATHODE.check(cathode)
        ranges.ANODE.check(anode)
        ranges.AMPLITUDE_UA.check(amplitude_ua)
        ranges.WIDTH_US.check(width_us)
        ranges.GAP_US.check(gap_us)
        RATE_HZ.check(rate_hz)
        PULSES.check(pulses)
        if cathode == anode:
            raise ParameterError("anode", anode, "another electrode than the cathode")
        self.lead = lead
        self.switches = adg1414.select(cathode, anode)
        self.pair = cathode << 2 | anode
        self.amplitude_ua = amplitude_ua
        self.width_us = width_us
        self.gap_us = gap_us
        self.period_us = program.period_us(rate_hz)
        self.pulses = pulses


class Train:
    """A generator's state: see stimfw.stimulator.measure for what it yields.

    Attributes:
        delivered: pulses that have begun.
    """

    def __init__(self, output: "Output", plan: TrainPlan) -> None:
        self._output = output
        self.plan = plan
        self.delivered = 0
        self._asked_ms = ticks_ms()

    def hold(self) -> None:
        """The host still wants it."""
        self._asked_ms = ticks_ms()

    def run(self) -> "Generator[int, None, int]":
        """Yields waits in ms; returns messages.STOPPED_SESSION_OVER, STOPPED_FAULT or HOST_GONE."""
        output, plan = self._output, self.plan
        output.load(plan.width_us, plan.gap_us, plan.period_us, KINDS, evenly(plan.width_us, len(KINDS)))
        output.zero()
        output.keep_alive()
        other = adg1414.ALL_OPEN
        output.connect(*((plan.switches, other) if plan.lead == 0 else (other, plan.switches)))
        yield gate.SETTLE_MS
        heap.settle()  # 10 ms that no STOP shall meet
        wanted_ua = (plan.amplitude_ua, 0) if plan.lead == 0 else (0, plan.amplitude_ua)
        output.amplitude(*wanted_ua)
        output.prepare(True)
        yield 0  # a STOP that came meanwhile
        began_ms = ticks_ms()
        if not output.start():
            return messages.STOPPED_FAULT
        while True:
            yield min(_LOOK_MS, max(1, plan.period_us // 4000))
            self.delivered = output.begun(plan.lead)
            if self.delivered >= plan.pulses:
                break
            if ticks_diff(ticks_ms(), self._asked_ms) > HELD_MS:
                return HOST_GONE  # and the output goes off, in the middle of a pulse if there is one
            if ticks_diff(ticks_ms(), began_ms) * 1000 > (plan.pulses + 2) * plan.period_us + 100_000:
                return messages.STOPPED_FAULT
        # The other lead's go of this period has no amplitude: the train may end behind this pulse.
        ended = yield from output.finish()
        return messages.STOPPED_SESSION_OVER if ended and not output.tripped else messages.STOPPED_FAULT
