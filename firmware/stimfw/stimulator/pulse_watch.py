"""Takes each pulse of a train out of the ring, has it judged and counted, and knows what was set for it.

Nothing here allocates while a train runs.
"""

from typing import TYPE_CHECKING

from stimfw.drivers import pulse_ring
from stimfw.drivers.sampler import RING_SAMPLES
from stimfw.pulses import pair_sampling, pulse_pair
from stimfw.therapy import watch_table
from stimfw.therapy.ranges import slot_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.stimulator.output import Output
    from stimfw.therapy.ledger import Ledger
    from stimfw.therapy.prescription import Prescription
    from stimfw.therapy.watch import Watch

_KEPT_PULSES = RING_SAMPLES // pulse_ring.COUNT - 4


def load(output: "Output", plan: "Prescription") -> bool:
    """Compose and load the train of a prescription; nothing runs.

    Returns:
        whether the CPU is told before the right lead's pulse is over: the period has few divisors.
    """
    pulse = pulse_pair.pulse_pair()
    slots = [slot_us(plan.width_us[k], plan.gap_us[k]) for k in (0, 1)]
    registers = [
        (pulse_pair.width_register(plan.width_us[k]), pulse_pair.gap_register(plan.gap_us[k])) for k in (0, 1)
    ]
    pacer = pulse_pair.PairPacer(len(pulse), plan.period_us, max(slots), tuple(registers))
    times = [pair_sampling.times_us(plan.width_us[k], plan.gap_us[k]) for k in (0, 1)]
    samples = pair_sampling.PairPlan(len(pulse) + len(pacer.words), times[0], times[1])
    output.pulser.load(pulse, pacer, samples.words)
    samples.period_us = plan.period_us
    output.plan = samples
    return pacer.told_us < max(slots)


class PulseWatch:
    """Looks at pulses; they count from 0 in each contraction.

    Attributes: lead, pulse: of the last one looked at; more: the last `look` has left some, to be quick.
    """

    def __init__(
        self, output: "Output", watch: "Watch", ledger: "Ledger", is_called: "Callable[[], bool]"
    ) -> None:
        """Args: is_called: whether the radio waits to be read; then `look` leaves the rest for later."""
        self._sampler = output.sampler
        self._watch = watch
        self._ledger = ledger
        self.is_called = is_called
        self.more = False
        self._next = 0
        self._from = [0, 0]  # the first pulse of the present amplitude
        self._now_ua = [0, 0]
        self._before_ua = [0, 0]
        self._unsure = [False, False]
        self.lead = 0
        self.pulse = 0

    def begin(self) -> None:
        """A contraction's train begins, counted afresh, with no amplitude."""
        self._next = 0
        for lead in range(2):
            self._from[lead] = self._now_ua[lead] = self._before_ua[lead] = 0

    def set(self, lead: int, pulse: int, ua: int) -> None:
        """From `pulse` on the amplitude of a lead is another one."""
        if ua != self._now_ua[lead]:
            self._before_ua[lead] = self._now_ua[lead]
            self._now_ua[lead] = ua
            self._from[lead] = pulse
            self._unsure[lead] = False

    def doubt(self, lead: int, begun: int) -> None:
        """So many pulses had begun once the amplitude was set: the first one may have had the old one."""
        if begun > self._from[lead]:
            self._unsure[lead] = True

    def look(self) -> int:
        """Judge the pulses that are complete, up to the first with a fault (of watch_table)."""
        done = self._sampler.taken() >> 3
        if done - self._next > _KEPT_PULSES:
            self._pass_over(done - _KEPT_PULSES)
        watch, ledger = self._watch, self._ledger
        # Once for the radio, and then all that is there: a flood shall not make the watch late.
        can_stop, self.more = not self.more, False
        begun = self._next
        while self._next < done:
            number = self._next
            if can_stop and number != begun and self.is_called():
                self.more = True
                return watch_table.NONE
            self._next = number + 1
            self.lead = lead = number & 1
            pulse_ring.read(number << 3, watch.samples[lead])
            self.pulse = pulse = number >> 1
            set_ua = least_ua = self._now_ua[lead]
            first = self._from[lead]
            if pulse < first:
                set_ua = least_ua = self._before_ua[lead]
            elif pulse == first and self._unsure[lead]:
                before = self._before_ua[lead]
                if before > set_ua:
                    set_ua = before
                else:
                    least_ua = before
            fault = watch.look(lead, set_ua, least_ua)
            counted_ua = self._now_ua[lead] if pulse >= first else least_ua
            ledger.count(lead, watch.cathodic, watch.anodic, counted_ua)
            if fault:
                return fault
        return watch_table.NONE

    def looked_at(self, lead: int) -> int:
        """Pulses of a lead that were judged or passed over, in this contraction."""
        return (self._next + 1 - lead) >> 1

    def halfway(self) -> bool:
        """Whether the left lead's pulse of a period was looked at, and the right one's was not over yet."""
        return self._next & 1 == 1

    def _pass_over(self, number: int) -> None:
        """The CPU was away for so long that the ring went round: these pulses are lost to the ledger."""
        for lead in range(2):
            self._ledger.missed[lead] += (number + 1 - lead >> 1) - self.looked_at(lead)
        self._next = number
