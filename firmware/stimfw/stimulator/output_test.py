"""The output's whole self-test, before each session: each part that can fail, and each that only waits to.

Test currents cross the switches alone (both rails on one electrode), never the tissue. What hides while all
works, because it is the second way to end a current, is asked for here: the monostable's time and its reset,
relays that are welded, switches that stay closed, an idle leg that stays open.

A generator like those of stimfw.stimulator.measure.
"""

import array
from time import sleep_us, ticks_diff, ticks_ms, ticks_us
from typing import TYPE_CHECKING

from stimfw.drivers import adg1414, heap
from stimfw.protocol import messages
from stimfw.pulses.sampling import CHANNEL_I, CHANNEL_V
from stimfw.pulses.waveform import ANODIC, CATHODIC, OFF, SHORT
from stimfw.stimulator.output import CALIBRATED
from stimfw.therapy import gate

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.drivers.gate_lines import GateLines
    from stimfw.drivers.sense import Sense
    from stimfw.pulses.lead_scales import LeadScales
    from stimfw.stimulator.output import Output

WIDTH_US = 200
PERIOD_US = 1500
KINDS = "VIIIIVIVIIIIVIVI"
TIMES_US = (-10, -6, 1, 4, 100, 103, 106, 190, 193, 201, 204, 300, 303, 306, 390, 393)
"""Rest; the cathodic phase's begin, its middle, its end; the same of the anodic one."""
_REST_V, _REST_I = 0, 1
_CATHODIC_I = (4, 6, 8)
_ANODIC_I = (11, 13, 15)
_START_I = (2, 3, 9, 10)
_V = (5, 7)
_PULSES = 4
_LAST_LOOKS, _LAST_LOOK_US = 20, 100
_LATE_MS = 100

LOW_UA, HIGH_UA = 1000, 2000
FINE_UA = 250
_NONE_UA = 300
START_UA = 1000
"""1 us after an edge at FINE_UA, the pin shows 5 mA if the idle leg stayed open, 0.25 mA if not: in ngspice,
with no more than the switches in the way."""
AT_ZERO_UA = 150
"""More than a DAC's largest offset makes of code 0: 1 % of 4.096 V are 102 uA."""
_STILL_UA = 300  # a current that moved by less than this did not follow its code
_SATURATED_UA = 10_700
_SUPPLY_LOW_MV = 3000  # as stimfw.stimulator.boot_test
_NO_RAILS16 = 1900 * 16
_OPEN_MV = 10_000
_SHIFT16, _ALIKE16 = 14 * 16, 10 * 16
"""75 uA or 113 mV; what a reference moves, it moves on all channels alike."""
REFERENCE_PERCENT = 4
PUMP_PERCENT = 5
CALIBRATED_UA = 45
"""How far a calibrated pump may be from LOW_UA: 10 uA, and 1 % of shunt and converter. An op-amp of it whose
loop is open takes 60 to 85 uA from any current, in ngspice. Without a calibration a sound DAC's offset may,
too."""
PHASES_PERCENT = 5

LONGEST_MS = 135
"""The monostable's pulse at the most, 133.2 ms, and what a clock of whole ms adds."""
_OPENED_MS = 5  # the relays have opened: 2.2 ms after Q
_LOOK_MS = 2
_HALF_US = PERIOD_US // 2
_LEAD_US = 60  # before the right lead's go: Q rises and is high when its pulse begins
_SOURCES, _SINKS = 0x0F, 0xF0


class Look:
    """What a few test pulses showed of one lead.

    Attributes: cathodic_ua, anodic_ua: each phase's current, its own direction positive; start_ua: the
    highest at a phase's begin; mv: the highest voltage; rest_i16, rest_v16: 16 times the codes that current
    and voltage at rest are away from where they were at the board's start.
    """

    def __init__(self, means16: "list[int]", base_i16: int, base_v16: int, scales: "LeadScales") -> None:
        """From 16 times the mean code of each of KINDS; `scales` of the lead."""
        microamps = scales.microamps
        drops = [base_i16 - each for each in means16]
        self.rest_i16 = drops[_REST_I]
        self.rest_v16 = base_v16 - means16[_REST_V]
        self.cathodic_ua = microamps(sum([drops[k] for k in _CATHODIC_I]) // len(_CATHODIC_I)) // 16
        self.anodic_ua = -microamps(sum([drops[k] for k in _ANODIC_I]) // len(_ANODIC_I)) // 16
        self.start_ua = microamps(max([abs(drops[k]) for k in _START_I])) // 16
        self.mv = scales.millivolts(max([abs(base_v16 - means16[k]) for k in _V])) // 16

    def most_ua(self) -> int:
        """Of both phases."""
        return max(self.cathodic_ua, self.anodic_ua)

    def least_ua(self) -> int:
        """Of both phases."""
        return min(self.cathodic_ua, self.anodic_ua)


class OutputTest:
    """One run of it."""

    def __init__(self, output: "Output", sense: "Sense", lines: "GateLines", base16: "list[int]") -> None:
        """base16: 16 times the codes of V left, V right and I with nothing driven."""
        self._output = output
        self._sense = sense
        self._lines = lines
        self._base16 = base16
        self._sums = array.array("i", [0] * len(KINDS))

    def run(self) -> "Generator[int, None, int]":
        """Yields waits in ms; the failed messages.PART_..., 0 if none, -1 if the output was tripped.

        The first part that fails ends it: what comes after it would be a guess.
        """
        output = self._output
        if not self._is_supplied():
            return messages.PART_SUPPLY
        output.load(WIDTH_US, 0, PERIOD_US, KINDS, TIMES_US)
        output.zero()
        heap.settle()  # 10 ms that no STOP shall meet
        yield 0
        failed = yield from self._gate()
        if failed == 0:
            failed = yield from self._currents()
        output.silent = False
        output.idle()
        return -1 if output.tripped else failed

    def _is_supplied(self) -> bool:
        """VSYS and the +-15 V: without them the current amplifiers lie at 0 V. No current does that."""
        rest16 = self._base16[CHANNEL_I] - self._sense.mean16(CHANNEL_I, 16)
        return self._sense.supply_mv() >= _SUPPLY_LOW_MV and rest16 < _NO_RAILS16

    # The gate and the relays.

    def _gate(self) -> "Generator[int, None, int]":
        """Q follows KEEPALIVE, ends in time and at once with its reset; the relays open."""
        output = self._output
        output.silent = True
        if not (yield from self._closes()):
            return messages.PART_GATE
        yield _OPENED_MS
        for lead in (0, 1):
            welded = yield from self._conducts_at_once(lead)
            if output.tripped:
                return 0
            if welded:
                return messages.PART_RELAY
            if not self._resets():
                return messages.PART_GATE
            yield _OPENED_MS
        return (yield from self._lasts())

    def _closes(self) -> "Generator[int, None, bool]":
        """Whether Q is low, LONGEST_MS after the last edge of KEEPALIVE at the latest."""
        began = ticks_ms()
        while self._lines.is_open():
            if ticks_diff(ticks_ms(), began) > LONGEST_MS:
                return False
            yield _LOOK_MS
        return True

    def _resets(self) -> bool:
        """Whether the reset closes an open gate, and its end opens nothing; a magnet trips the output."""
        was_open = self._lines.is_open()
        fell, stays, rose = self._lines.reset()
        if not rose:
            self._output.trip()
        return was_open and fell and stays

    def _conducts_at_once(self, lead: int) -> "Generator[int, None, bool]":
        """Whether a pulse flows before the relay can have closed: then it never opened.

        The train starts with the gate closed, and the gate opens as this lead's pulse begins: a reed needs
        0.3 ms or more, the pulse is over after 0.2 ms of its first phase.
        """
        output = self._output
        same = adg1414.select(0, 0)
        output.connect(same, same)
        output.amplitude(LOW_UA, LOW_UA)
        output.prepare(True)
        yield 0
        output.silent = False
        if not output.start():
            return False
        if lead:
            sleep_us(_HALF_US - _LEAD_US)
        output.keep_alive()
        output.silent = True
        yield 2 * PERIOD_US // 1000
        if not (yield from output.finish()):
            return False
        return self._look(lead, 1).cathodic_ua > LOW_UA // 2

    def _lasts(self) -> "Generator[int, None, int]":
        """One edge of KEEPALIVE: Q is high at once, for the monostable's time and no longer."""
        output, lines = self._output, self._lines
        output.silent = False
        began = ticks_us()
        output.keep_alive()
        output.silent = True
        if not lines.is_open():
            return messages.PART_GATE
        while True:
            yield _LOOK_MS
            is_open = lines.is_open()
            lasted_us = ticks_diff(ticks_us(), began)
            if not is_open:
                # It fell since the last look. Then it was open until this one, give or take the loop's pause.
                return messages.PART_GATE if lasted_us < gate.SHORTEST_MS * 1000 else 0
            if lasted_us > LONGEST_MS * 1000:
                return messages.PART_GATE

    # What needs a current.

    def _currents(self) -> "Generator[int, None, int]":
        """Pumps, DAC, bridges, idle legs, references; then each switch, closed and open."""
        output = self._output
        output.silent = False
        output.keep_alive()
        yield gate.SETTLE_MS
        same = adg1414.select(0, 0)
        zero = yield from self._burst(same, 0)
        fine = yield from self._burst(same, FINE_UA)
        low = yield from self._burst(same, LOW_UA)
        high = yield from self._burst(same, HIGH_UA)
        if not (zero and fine and low and high):
            return 0 if output.tripped else messages.PART_SENSE
        failed = self._of_source(zero, fine, low, high)
        if failed == messages.PART_DAC:
            failed = yield from self._of_silence(high)
        if failed:
            return failed
        return (yield from self._switches())

    def _of_source(
        self, zero: "list[Look]", fine: "list[Look]", low: "list[Look]", high: "list[Look]"
    ) -> int:
        """What code 0 and three currents through a lead's switches say; PART_DAC also if nothing flows."""
        shifts = (zero[0].rest_i16, zero[0].rest_v16, zero[1].rest_v16)
        if max([abs(each) for each in shifts]) >= _SHIFT16:
            alike = max(shifts) - min(shifts) <= _ALIKE16
            return messages.PART_REFERENCE if alike else messages.PART_SENSE
        for k in (0, 1):
            found = _of_lead(zero[k], fine[k], low[k], high[k])
            if found:
                return found
        if self._output.calibration == CALIBRATED:
            for k in (0, 1):
                if abs(low[k].cathodic_ua - LOW_UA) > CALIBRATED_UA:
                    return messages.PART_PUMP
        wanted = HIGH_UA - LOW_UA
        off = [(high[k].cathodic_ua - low[k].cathodic_ua - wanted) * 100 // wanted for k in (0, 1)]
        if min(abs(off[0]), abs(off[1])) >= REFERENCE_PERCENT and (off[0] < 0) == (off[1] < 0):
            return messages.PART_REFERENCE
        if max(abs(off[0]), abs(off[1])) >= PUMP_PERCENT:
            return messages.PART_PUMP
        return 0

    def _of_silence(self, high: "list[Look]") -> "Generator[int, None, int]":
        """No current and no voltage: the same through the recharge resistor, which needs no relay."""
        output = self._output
        output.connect(adg1414.ALL_OPEN, adg1414.ALL_OPEN)
        output.amplitude(LOW_UA, LOW_UA)
        output.pulser.latch()
        dead = [False, False]
        for lead in (0, 1):
            output.keep_alive()
            yield 0
            flows = self._through_recharge(lead, CATHODIC), self._through_recharge(lead, ANODIC)
            if output.tripped:
                return 0
            if high[lead].most_ua() < _NONE_UA and max(flows) > LOW_UA // 2:
                return messages.PART_RELAY if min(flows) > LOW_UA // 2 else messages.PART_BRIDGE
            dead[lead] = max(flows) < LOW_UA // 2
        return messages.PART_PUMP if dead[0] != dead[1] else messages.PART_DAC

    def _through_recharge(self, lead: int, phase: int) -> int:
        """The size of the current, uA, of a phase into the recharge resistor, all electrodes open."""
        output = self._output
        if output.tripped:
            return 0
        output.pulser.hold(lead, phase | SHORT)
        mean16 = self._sense.mean16(CHANNEL_I, 16)
        output.pulser.hold(lead, OFF)
        return abs(output.scales[lead].microamps(self._base16[CHANNEL_I] - mean16)) // 16

    def _switches(self) -> "Generator[int, None, int]":
        """Each electrode's two switches close, and no switch stays closed."""
        for electrode in range(1, 4):
            found = yield from self._burst(adg1414.select(electrode, electrode), LOW_UA)
            if not found:
                return 0 if self._output.tripped else messages.PART_SENSE
            if min(found[0].least_ua(), found[1].least_ua()) < LOW_UA // 2:
                return messages.PART_MATRIX
        for mask in (_SOURCES, _SINKS):
            found = yield from self._burst(mask, FINE_UA)
            if not found:
                return 0 if self._output.tripped else messages.PART_SENSE
            if max(found[0].most_ua(), found[1].most_ua()) > FINE_UA // 2:
                return messages.PART_MATRIX
        return 0

    def _burst(self, mask: int, test_ua: int) -> "Generator[int, None, list[Look]]":
        """A few pulses through the same switches of both leads; a Look a lead, or none: they did not come."""
        output = self._output
        output.keep_alive()
        output.connect(mask, mask)
        output.amplitude(test_ua, test_ua)
        output.prepare(True)
        yield 0  # a STOP that came meanwhile
        if not output.start():
            return []
        yield _PULSES * PERIOD_US // 1000 - 1
        for _ in range(_LAST_LOOKS):  # a pass of the loop would be a pulse more
            if output.periods() >= _PULSES:
                break
            sleep_us(_LAST_LOOK_US)
        began = ticks_ms()
        while output.periods() < _PULSES and not output.tripped and ticks_diff(ticks_ms(), began) < _LATE_MS:
            yield _LOOK_MS
        ended = yield from output.finish()
        if not ended or output.tripped or output.periods() < _PULSES:
            return []
        left = self._look(0, _PULSES)
        yield 0
        return [left, self._look(1, _PULSES)]

    def _look(self, lead: int, pulses: int) -> Look:
        sums = self._sums
        for k in range(len(sums)):
            sums[k] = 0
        self._output.sampler.add_up(lead * len(sums), pulses, sums)
        base = self._base16
        means16 = [each * 16 // pulses for each in sums]
        return Look(means16, base[CHANNEL_I], base[CHANNEL_V[lead]], self._output.scales[lead])


def _of_lead(zero: Look, fine: Look, low: Look, high: Look) -> int:
    """What code 0 and three currents through a lead's switches say of it: PART_..., or 0."""
    if low.most_ua() > _SATURATED_UA:
        return messages.PART_PUMP
    if high.most_ua() < _NONE_UA:
        return messages.PART_MATRIX if high.mv > _OPEN_MV else messages.PART_DAC
    if abs(high.most_ua() - low.most_ua()) < _STILL_UA:
        return messages.PART_DAC
    if zero.most_ua() > AT_ZERO_UA:
        return messages.PART_PUMP
    if abs(high.cathodic_ua - high.anodic_ua) * 100 > HIGH_UA * PHASES_PERCENT:
        return messages.PART_BRIDGE
    return messages.PART_IDLE if fine.start_ua > START_UA else 0
