"""The output stage as one thing: bridges, amplitude, electrodes, measurements, and the gate behind KEEPALIVE.

Off is the state that everything falls back to: bridges off, no KEEPALIVE edges, amplitudes zero. `trip` is
the part of it that an interrupt handler may run: it needs no heap.
"""

from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from machine import disable_irq, enable_irq

from stimfw.drivers import adg1414
from stimfw.pulses import waveform
from stimfw.pulses.lead_scales import LeadScales, dac_code
from stimfw.pulses.sampling import SamplePlan
from stimfw.therapy.ranges import slot_us

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from machine import Pin

    from stimfw.drivers.adg1414 import Adg1414Pair
    from stimfw.drivers.mcp4922 import Mcp4922
    from stimfw.drivers.pulser import Pulser
    from stimfw.drivers.sampler import Sampler

_FINISH_MS = (2, 20)  # looks at a train that ends: 25 in its last period, but not farther apart than this
PAUSE_US = 24_000  # a collection of garbage has room between one lead's pulse and the other's: 20 Hz and less
FAST_US = 10_000  # half of it is too short for a step of a host's request and new amplitudes behind it
NOT_CALIBRATED, CALIBRATED, CALIBRATION_DAMAGED = 0, 1, 2
_LATE_MS = 60  # a last period that has not ended by then does not end


class Output:
    """Both leads' output. At most one train runs at a time."""

    def __init__(
        self, pulser: "Pulser", sampler: "Sampler", dac: "Mcp4922", matrix: "Adg1414Pair", keepalive: "Pin"
    ) -> None:
        """`keepalive`: output pin, low."""
        self.pulser = pulser
        self.sampler = sampler
        self._dac = dac
        self._matrix = matrix
        self._keepalive = keepalive
        self.scales = (LeadScales(), LeadScales())
        """What codes stand for, by lead."""
        self.codes16: "list[Sequence[int] | None]" = [None, None]
        """Those of `scales`, at hand for each pulse of a ramp."""
        self.calibration = NOT_CALIBRATED
        """Or CALIBRATED, or CALIBRATION_DAMAGED. Times FLAG_CALIBRATED it is a flag of STATUS."""
        self._codes = [0, 0]
        self._switches = (adg1414.ALL_OPEN, adg1414.ALL_OPEN)
        self.plan: "SamplePlan | None" = None
        """Of the train that is loaded: who composes his own puts it here, with its period."""
        self.tripped = False
        """Set by `trip`; no train starts until `arm_trip` clears it."""
        self.silent = False
        """No edges of KEEPALIVE, while the self-test waits for the gate to close. `arm_trip` ends it too."""
        self.has_pauses = False
        """Whether a train runs whose leads' pulses are PAUSE_US apart."""
        self.steers_fast = False
        """Whether each period calls the CPU, for another amplitude, and lasts less than FAST_US."""

    def load(
        self, width_us: int, gap_us: int, period_us: int, kinds: str, times_us: "Sequence[int]"
    ) -> SamplePlan:
        """Compose and load a train; nothing runs. Returns where its samples are."""
        pulse = waveform.pulse_program(width_us, gap_us)
        pacer = waveform.Pacer(len(pulse), period_us, slot_us(width_us, gap_us))
        plan = SamplePlan(len(pulse) + len(pacer.words), kinds, times_us)
        self.pulser.load(pulse, pacer, plan.words)
        plan.period_us = period_us
        self.plan = plan
        return plan

    def connect(self, left: int, right: int) -> None:
        """Set the electrode switches (adg1414.select); only while no train runs."""
        if self.pulser.running():
            raise RuntimeError("electrodes are locked while pulsing")
        self._switches = (left, right)
        self._matrix.write(left, right)

    def amplitude(self, left_ua: int, right_ua: int) -> None:
        """Amplitudes from the next pulse of each lead on; writes only what changes."""
        codes = self._codes
        tables = self.codes16
        left = dac_code(tables[0], left_ua)
        if left != codes[0]:
            codes[0] = left
            self._dac.write(0, left)
        right = dac_code(tables[1], right_ua)
        if right != codes[1]:
            codes[1] = right
            self._dac.write(1, right)

    def prepare(self, fresh: bool) -> None:
        """Get the loaded train ready, pulses measured from the first one; 3 ms, then `start`.

        Between the two the loop may read the radio: what a STOP finds then has not begun.
        """
        if self.plan is None:
            raise RuntimeError("no train is loaded")
        self.pulser.prepare()
        self.sampler.arm(self.plan.table, fresh)

    def start(self) -> bool:
        """Start the train that was prepared.

        Returns:
            False if the output was tripped meanwhile: then nothing runs.
        """
        state = disable_irq()  # a magnet must not fall between the question and the start
        if not self.tripped:
            self.pulser.start()
        enable_irq(state)
        self.has_pauses = not self.tripped and self.plan is not None and self.plan.period_us >= 2 * PAUSE_US
        return not self.tripped

    def finish(self) -> "Generator[int, None, bool]":
        """Let the present period's pulses end, then `pause`. Yields waits in ms; whether they ended."""
        self.pulser.finish()
        self.tell_periods(False)
        period_us = self.plan.period_us if self.plan else 0
        finish_ms = min(_FINISH_MS[1], max(_FINISH_MS[0], period_us // 25_000))
        late = ticks_add(ticks_ms(), (period_us + 999) // 1000 + _LATE_MS)
        while self.pulser.running() and not self.pulser.finished():
            if ticks_diff(late, ticks_ms()) < 0:
                self.pause()
                return False
            yield finish_ms
        self.pause()
        return True

    def tell_periods(self, wanted: bool) -> None:
        """Wake the CPU at the start of each period, or not."""
        self.pulser.tell_periods(wanted)
        self.steers_fast = wanted and self.plan is not None and self.plan.period_us < FAST_US

    def pause(self) -> None:
        """End the train: bridges off; electrodes, gate and the count of samples stay."""
        self.pulser.off()
        self.has_pauses = self.steers_fast = False
        self.pulser.tell_periods(False)
        self.sampler.disarm()

    def trip(self) -> None:
        """Bridges off and KEEPALIVE quiet, from any context; nothing starts before `arm_trip`."""
        self.tripped = True
        self.pulser.off()
        self._keepalive(0)

    def arm_trip(self) -> None:
        """Allow trains again: somebody asked for the output."""
        self.tripped = self.silent = False

    def off(self) -> None:
        """Everything off; without KEEPALIVE the gate closes as well."""
        self.trip()
        self.idle()

    def idle(self) -> None:
        """Train ended, amplitudes zero, electrodes open; another train may start."""
        self.pause()
        self.zero()
        self.connect(adg1414.ALL_OPEN, adg1414.ALL_OPEN)

    def zero(self) -> None:
        """Both DAC outputs at 0, at once; only while no train runs."""
        self._codes[0] = self._codes[1] = 0
        self._dac.write(0, 0)
        self._dac.write(1, 0)
        self.pulser.latch()

    def keep_alive(self) -> None:
        """One KEEPALIVE edge: the gate stays open for stimfw.therapy.gate's time more."""
        if not self.tripped and not self.silent:
            self._keepalive(1)
            self._keepalive(0)

    def periods(self) -> int:
        """Periods whose every sample is stored, since the last fresh start."""
        return self.sampler.taken() // (2 * self.plan.count) if self.plan else 0

    def begun(self, lead: int) -> int:
        """Pulses of a lead (0 left, 1 right) that have begun, since the last fresh start.

        A pulse that was measured has begun; one whose go was given begins within microseconds, its amplitude
        latched. Amplitudes set now are those of the pulses after these.
        """
        measured = self.sampler.taken() // self.plan.count if self.plan else 0
        # Looked at after the count: if the pacer went on in between, that only makes the answer newer.
        left_has_gone = self.pulser.left_has_gone()
        if measured & 1:
            return measured // 2 + (1 if lead == 0 or not left_has_gone else 0)
        return measured // 2 + (1 if lead == 0 and left_has_gone else 0)
