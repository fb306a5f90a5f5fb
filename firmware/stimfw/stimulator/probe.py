"""Looks at the output between trains: test pulses through chosen switches, and what is there without any.

Each procedure is a generator as in stimfw.stimulator.measure. They keep KEEPALIVE going themselves: in a rest
nobody else does.
"""

from typing import TYPE_CHECKING

from stimfw.drivers import adg1414
from stimfw.protocol import messages
from stimfw.pulses import impedance
from stimfw.pulses.sampling import CHANNEL_I, CHANNEL_V
from stimfw.stimulator.measure import Measurements

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.drivers.sense import Sense
    from stimfw.pulses.impedance import Reading
    from stimfw.stimulator.output import Output

_SKIPPED = 2
_COUNTED = 6
_FINE = 20
_LOOKS = 24  # 1 ms apart: more than a period of the mains
_LOOK_READINGS = 4
SHIFT_CODES = 14
"""Of a channel at rest from its baseline: 75 uA, or 113 mV. Its mean is known to a third of a code."""
UNSTEADY_CODES = 12
"""Between the highest and the lowest look; noise spreads 24 means of 4 readings over 3 codes."""


class Rest:
    """What 24 looks at the three inputs found, the bridges off.

    Attributes: shift: by channel, codes from the baseline; unsteady: by channel, highest less lowest look;
    stuck: every reading of every channel was one code.
    """

    def __init__(self, kept_codes: "tuple[int, int]") -> None:
        self._kept = kept_codes
        self.shift = [0, 0, 0]
        self.unsteady = [0, 0, 0]
        self.stuck = True

    def is_quiet(self) -> bool:
        """Whether nothing is there."""
        return not self.stuck and not self.is_unsteady() and not self.is_shifted()

    def is_shifted(self) -> bool:
        """Whether something is there beyond what double layers keep."""
        kept, shift = self._kept, self.shift
        return (
            abs(shift[0]) >= SHIFT_CODES + kept[0]
            or abs(shift[1]) >= SHIFT_CODES + kept[1]
            or abs(shift[2]) >= SHIFT_CODES
        )

    def is_unsteady(self) -> bool:
        """Whether something moves: a field from outside."""
        return max(self.unsteady) >= UNSTEADY_CODES


class Probe(Measurements):
    """Measurements on paths of one's own choice."""

    def __init__(self, output: "Output", sense: "Sense", base16: "list[int]") -> None:
        """base16: of the board's start, when nothing was driven; they stay what shifts are counted from."""
        super().__init__(output, sense)
        self.base16 = base16
        self.sense = sense
        self.kept_codes = (0, 0)
        """By lead: what double layers may keep of a pulse, in codes of voltage (watch.kept_mv)."""

    def ready(self) -> "Generator[int, None, None]":
        """Load the test train, and open the gate."""
        yield from self._prepare()

    def burst(
        self, switches: "tuple[int, int]", current_ua: "tuple[int, int]", counted: int = _COUNTED
    ) -> "Generator[int, None, tuple[Reading, Reading] | None]":
        """Drive a few test pulses (not 0 uA) through each lead's switches; None if the output was tripped."""
        output = self._output
        output.keep_alive()
        output.connect(switches[0], switches[1])
        yield 0
        if not (yield from self._burst(current_ua[0], current_ua[1], _SKIPPED + counted)):
            return None
        output.keep_alive()
        left = yield from self._reading(0, _SKIPPED, counted, current_ua[0])
        right = yield from self._reading(1, _SKIPPED, counted, current_ua[1])
        return left, right

    def pair(
        self, switches: "tuple[int, int]"
    ) -> "Generator[int, None, tuple[tuple[Reading, Reading], tuple[int, int]] | None]":
        """The impedance behind each lead's switches, at a current that suits it; and these currents."""
        first = impedance.FIRST_UA
        probes = yield from self.burst(switches, (first, first), impedance.PROBE_PULSES)
        if probes is None:
            return None
        currents = (
            impedance.next_current_ua(probes[0].last_mv, first),
            impedance.next_current_ua(probes[1].last_mv, first),
        )
        found = yield from self.burst(switches, currents, _FINE)
        return None if found is None else (found, currents)

    def rest(self, switches: "tuple[int, int]") -> "Generator[int, None, Rest]":
        """What is there without a pulse, through these switches. No train may run."""
        output = self._output
        found = Rest(self.kept_codes)
        output.connect(switches[0], switches[1])
        yield 2
        channels = (CHANNEL_V[0], CHANNEL_V[1], CHANNEL_I)
        lowest, highest, sums = [1 << 20] * 3, [0] * 3, [0] * 3
        first16 = self.sense.mean16(channels[0], 1)
        for look in range(_LOOKS):
            if look % 8 == 0:
                output.keep_alive()
            for k, channel in enumerate(channels):
                if found.stuck and self.sense.mean16(channel, 1) != first16:
                    found.stuck = False
                mean16 = self.sense.mean16(channel, _LOOK_READINGS)
                lowest[k], highest[k] = min(lowest[k], mean16), max(highest[k], mean16)
                sums[k] += mean16
            yield 1
        for k, channel in enumerate(channels):
            found.shift[k] = (sums[k] // _LOOKS - self.base16[channel]) // 16
            found.unsteady[k] = (highest[k] - lowest[k]) // 16
        output.connect(adg1414.ALL_OPEN, adg1414.ALL_OPEN)
        return found

    def alone_shifts(self, switches: "tuple[int, int]") -> "Generator[int, None, list[int]]":
        """The current's shift, codes, with only the left, then only the right lead joined: one shunt."""
        found = []
        for pair in ((switches[0], adg1414.ALL_OPEN), (adg1414.ALL_OPEN, switches[1])):
            self._output.connect(pair[0], pair[1])
            yield 1
            found.append((self.sense.mean16(CHANNEL_I, 64) - self.base16[CHANNEL_I]) // 16)
        return found

    def open_shift(self) -> "Generator[int, None, list[int]]":
        """The shift of each channel, codes, with all electrodes open: neither current nor field has a way."""
        self._output.connect(adg1414.ALL_OPEN, adg1414.ALL_OPEN)
        yield 2
        return [
            (self.sense.mean16(channel, 64) - self.base16[channel]) // 16
            for channel in (CHANNEL_V[0], CHANNEL_V[1], CHANNEL_I)
        ]


def conducts(reading: "Reading") -> bool:
    """Whether test current flowed."""
    return reading.kind != messages.KIND_OPEN
