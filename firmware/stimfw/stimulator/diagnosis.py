"""After a stop: which part was it. A broken lead looks like a broken switch; test pulses tell them apart.

Through the switches alone (both rails on one electrode) a test current never crosses the tissue. Only what is
left after that is tried through the lead itself, at 250 uA.
"""

from typing import TYPE_CHECKING

from stimfw.drivers import adg1414
from stimfw.pulses import impedance
from stimfw.stimulator.probe import SHIFT_CODES, UNSTEADY_CODES, conducts
from stimfw.therapy import watch_table
from stimfw.therapy.watch_table import BOTH

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.pulses.impedance import Reading
    from stimfw.stimulator.output import Output
    from stimfw.stimulator.probe import Probe, Rest

    Found = tuple[int, int]

_LIMIT_MV = 10_000
_LOW_UA, _HIGH_UA = 1000, 2000
_STILL_UA = 300  # a current that moved by less than this did not follow its code
_NONE_UA = 300
_SATURATED_UA = 10_700  # the DAC's full scale is 10 238 uA, the converter's 11 000
_OFF_PERCENT = 4  # of both leads alike
_LEAD_PERCENT = 5
_ALIKE_CODES = 10
_TRIES, _TRY_MS = 8, 90
_ONE = (adg1414.select(0, 0), adg1414.select(0, 0))
_SOURCES, _SINKS = 0x0F, 0xF0


class Diagnosis:
    """Finds out about one fault, the train over."""

    def __init__(self, output: "Output", probe: "Probe", switches: "tuple[int, int]") -> None:
        """switches: each lead's, as prescribed."""
        self._output = output
        self._probe = probe
        self._switches = switches

    def find(self, fault: int, lead: int) -> "Generator[int, None, Found]":
        """What it was: fault and lead (watch_table.BOTH: the device); what the watch said, if nothing shows.

        Yields waits in ms. If the output is tripped meanwhile, the answer is the watch's.
        """
        probe = self._probe
        yield from probe.ready()
        rest = yield from probe.rest(self._switches)
        found = yield from self._of_rest(rest, fault, lead)
        if found is None and not self._output.tripped:
            found = yield from self._of_source()
        if found is None and not self._output.tripped:
            found = yield from self._of_switches(lead)
        if found is None and not self._output.tripped:
            found = yield from self._of_contact(fault, lead)
        self._output.idle()
        return found or (fault, lead)

    def _of_rest(self, rest: "Rest", fault: int, lead: int) -> "Generator[int, None, Found | None]":
        """With the bridges off: converter, reference, amplifiers, a leak or a field."""
        if rest.stuck:
            return watch_table.ADC, BOTH
        by_rest = fault in (watch_table.INTERFERENCE, watch_table.DIRECT, watch_table.REFERENCE)
        # A leak's own current moves by less than twice its mean: a field's does not.
        is_direct = abs(rest.shift[2]) >= SHIFT_CODES - 2 and rest.unsteady[2] <= 2 * abs(rest.shift[2])
        if rest.unsteady[2] >= UNSTEADY_CODES and not is_direct:
            return watch_table.INTERFERENCE, BOTH
        shift = yield from self._probe.open_shift()
        least = min([abs(each) for each in shift])
        if least >= SHIFT_CODES - 2 and max(shift) - min(shift) <= _ALIKE_CODES:
            return watch_table.REFERENCE, BOTH
        if is_direct:
            if abs(shift[2]) >= SHIFT_CODES - 2:  # no current has a way: an offset
                return watch_table.AMPLIFIER, BOTH
            alone = yield from self._probe.alone_shifts(self._switches)
            return watch_table.DIRECT, 0 if abs(alone[0]) >= abs(alone[1]) else 1
        if max(abs(shift[0]), abs(shift[1])) >= SHIFT_CODES:
            return watch_table.AMPLIFIER, BOTH
        # A field, there or gone: nothing of the device's own goes. What another fault's charge has left on
        # the double layers is a voltage too, so after another fault a voltage says nothing.
        return (watch_table.INTERFERENCE, BOTH) if by_rest else None

    def _of_source(self) -> "Generator[int, None, Found | None]":
        """Two currents through the switches of electrode 0, on both leads at once."""
        low = yield from self._probe.burst(_ONE, (_LOW_UA, _LOW_UA))
        if low is None:
            return None
        high = yield from self._probe.burst(_ONE, (_HIGH_UA, _HIGH_UA))
        if high is None:
            return None
        for k in (0, 1):
            found = _of_two(low[k], high[k])
            if found:
                return found, k
        dead = [high[k].current_ua < _NONE_UA for k in (0, 1)]
        if dead[0] and dead[1]:
            return watch_table.DAC, BOTH
        if dead[0] or dead[1]:
            return watch_table.PUMP, 0 if dead[0] else 1
        off = [(high[k].current_ua - _HIGH_UA) * 100 // _HIGH_UA for k in (0, 1)]
        if min(abs(off[0]), abs(off[1])) >= _OFF_PERCENT and (off[0] < 0) == (off[1] < 0):
            return watch_table.REFERENCE, BOTH
        for k in (0, 1):
            if abs(off[k]) >= _LEAD_PERCENT:
                return watch_table.PUMP, k
        return None

    def _of_switches(self, lead: int) -> "Generator[int, None, Found | None]":
        """Through the switches of each electrode in use, then through switches that are open."""
        for of_rail in (0, 4):
            switches = [self._electrode_of(self._switches[k], of_rail) for k in (0, 1)]
            found = yield from self._probe.burst((switches[0], switches[1]), (_LOW_UA, _LOW_UA))
            if found is None:
                return None
            for k in (lead, 1 - lead):
                if switches[k] and not conducts(found[k]):
                    return watch_table.SWITCH, k
        return (yield from self.closed_switches())

    def closed_switches(self) -> "Generator[int, None, Found | None]":
        """One rail's switches closed, the other's open: current passes only through one that is stuck."""
        first = impedance.FIRST_UA
        for mask in (_SOURCES, _SINKS):
            found = yield from self._probe.burst((mask, mask), (first, first))
            if found is None:
                return None
            for k in (0, 1):
                if conducts(found[k]):
                    return watch_table.SWITCH, k
        return None

    def _electrode_of(self, switches: int, of_rail: int) -> int:
        """Both rails on the electrode that this rail (0 source, 4 sink) is on."""
        for electrode in range(4):
            if switches >> (of_rail + electrode) & 1:
                return adg1414.select(electrode, electrode)
        return adg1414.ALL_OPEN

    def _of_contact(self, fault: int, lead: int) -> "Generator[int, None, Found | None]":
        """Whether a lead that was open still is: a loose contact closes again."""
        if fault not in (watch_table.OPEN, watch_table.INTERMITTENT):
            return None
        first = impedance.FIRST_UA
        both = [_ONE[0], _ONE[1]]
        both[lead] = self._switches[lead]
        for _ in range(_TRIES):
            found = yield from self._probe.burst((both[0], both[1]), (first, first))
            if found is None:
                return None
            if conducts(found[lead]):
                return watch_table.INTERMITTENT, lead
            yield _TRY_MS // 2
            self._output.keep_alive()
            yield _TRY_MS // 2
        return None if fault == watch_table.INTERMITTENT else (watch_table.OPEN, lead)


def _of_two(low: "Reading", high: "Reading") -> int:
    """What two test currents through a lead's switches say of it: a fault, or NONE."""
    if low.current_ua > _SATURATED_UA:
        return watch_table.PUMP
    if high.last_mv > _LIMIT_MV:
        return watch_table.SWITCH
    if high.current_ua >= _NONE_UA and abs(high.current_ua - low.current_ua) < _STILL_UA:
        return watch_table.DAC
    return watch_table.NONE
