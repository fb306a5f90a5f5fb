"""Test pulses: the output's self-test and the impedance of every pair of a lead.

Each procedure is a generator that yields how many milliseconds it can wait, so the main loop goes on serving
the radio, the console and KEEPALIVE between its steps, and can drop it at any moment.
"""

import array
import struct
from time import ticks_add, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import adg1414, heap
from stimfw.protocol import messages, requests
from stimfw.pulses import impedance
from stimfw.pulses.sampling import CHANNEL_I, CHANNEL_V
from stimfw.therapy import gate

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.drivers.sense import Sense
    from stimfw.stimulator.output import Output

_LATE_MS = 100  # pulses that have not come by then do not come
_TEST_UA = 2000  # 10 % of it are more than a sound DAC's offset (1 % of 4.096 V: 102 uA), gains and all
_TEST_PULSES = 8
_OPEN_MV = 10_000
_BASELINE_READINGS = 256
_PAIRS_A_COLLECTION = 4  # each leaves 15 KB of garbage; a collection by itself makes a STOP 12 ms late

_PAIR_BYTES = struct.calcsize(requests.PAIR_RECORD)


class Measurements:
    """Test pulses through an Output; results stay until the next measurement."""

    def __init__(self, output: "Output", sense: "Sense") -> None:
        self._output = output
        self._sense = sense
        self._times_ns: "list[int]" = []
        self._sums = array.array("i", [0] * len(impedance.KINDS))
        self.base16 = [0, 0, 0]
        """16 times the codes of V left, V right and I with nothing driven."""
        # Packed: as tuples they would hold 1.3 KB of heap.
        self._results = [bytearray(_PAIR_BYTES * len(impedance.PAIRS)) for _ in range(2)]
        self.forget()

    def forget(self) -> None:
        """No pair is measured any more."""
        for lead in range(2):
            for index in range(len(impedance.PAIRS)):
                self._keep(lead, index, messages.KIND_NOT_MEASURED, 0, 0, 0)

    def _keep(self, lead: int, index: int, kind: int, ohm: int, capacitance_nf: int, test_ua: int) -> None:
        cathode, anode = impedance.PAIRS[index]
        struct.pack_into(
            requests.PAIR_RECORD, self._results[lead], index * _PAIR_BYTES,
            cathode << 2 | anode, kind, ohm, capacitance_nf, test_ua,
        )  # fmt: skip

    def pair_records(self, lead: int) -> bytes:
        """The last results of all pairs of a lead, as requests.PAIR_RECORDs."""
        return bytes(self._results[lead])

    def take_baseline(self) -> None:
        """Read the converter with the output off: the amplifiers' and its own offset."""
        for channel in (CHANNEL_V[0], CHANNEL_V[1], CHANNEL_I):
            self.base16[channel] = self._sense.mean16(channel, _BASELINE_READINGS)

    def self_test(self) -> "Generator[int, None, int]":
        """Drive a small current with both rails on one electrode: it crosses the switches alone.

        Yields waits in ms; returns the parts (messages.PART_...) that failed, 0 if none, -1 if the output
        was tripped, so that nothing is known. No current and no voltage: the DAC is not there; no current at
        the compliance voltage: the matrix; no measurements: sense.
        """
        output = self._output
        yield from self._prepare()
        same = adg1414.select(0, 0)
        output.connect(same, same)
        failed = 0
        if (yield from self._burst(_TEST_UA, _TEST_UA, _TEST_PULSES)):
            for lead in range(2):
                failed |= self._judge((yield from self._reading(lead, 0, _TEST_PULSES, _TEST_UA)))
        else:
            failed = -1 if output.tripped else messages.PART_SENSE
        output.idle()
        return failed

    def pairs(self) -> "Generator[int, None, int]":
        """Measure all ordered pairs, both leads at a time; what was measured before is forgotten already.

        Yields waits in ms; returns the number of pairs measured.
        """
        output = self._output
        self.take_baseline()
        yield from self._prepare()
        done = 0
        for index, (cathode, anode) in enumerate(impedance.PAIRS):
            if index and index % _PAIRS_A_COLLECTION == 0:
                heap.settle()  # both bridges are off
            switches = adg1414.select(cathode, anode)
            output.connect(switches, switches)
            yield 0
            if not (yield from self._pair(index)):
                break
            done += 1
        output.idle()
        return done

    def _pair(self, index: int) -> "Generator[int, None, bool]":
        first = impedance.FIRST_UA
        if not (yield from self._burst(first, first, impedance.PROBE_PULSES)):
            return False
        currents = []
        for lead in range(2):
            probe = yield from self._reading(lead, 0, impedance.PROBE_PULSES, first)
            currents.append(impedance.next_current_ua(probe.last_mv, first))
        skipped, counted = impedance.SKIPPED_PULSES, impedance.COUNTED_PULSES
        if not (yield from self._burst(currents[0], currents[1], skipped + counted)):
            return False
        for lead in range(2):
            found = yield from self._reading(lead, skipped, counted, currents[lead])
            self._keep(lead, index, found.kind, found.ohm, found.capacitance_nf, currents[lead])
        return True

    def _prepare(self) -> "Generator[int, None, None]":
        output = self._output
        plan = output.load(impedance.WIDTH_US, 0, impedance.PERIOD_US, impedance.KINDS, impedance.TIMES_US)
        self._times_ns = plan.times_ns
        output.zero()
        output.keep_alive()
        yield gate.SETTLE_MS
        heap.settle()  # 10 ms that no STOP shall meet
        yield 0

    def _burst(self, left_ua: int, right_ua: int, pulses: int) -> "Generator[int, None, bool]":
        """Run `pulses` periods; returns whether all of them came."""
        output = self._output
        output.amplitude(left_ua, right_ua)
        output.prepare(True)
        yield 0  # a STOP that came meanwhile
        if not output.start():
            return False
        left_ms = pulses * impedance.PERIOD_US // 1000
        while left_ms > 0:
            yield min(left_ms, gate.PAUSE_MS)
            left_ms -= gate.PAUSE_MS
        late = ticks_add(ticks_ms(), _LATE_MS)
        while not output.tripped and output.periods() < pulses and ticks_diff(late, ticks_ms()) > 0:
            yield 2
        ended = yield from output.finish()
        return ended and output.periods() >= pulses and not output.tripped

    def _reading(
        self, lead: int, skipped: int, pulses: int, test_ua: int
    ) -> "Generator[int, None, impedance.Reading]":
        sums = self._sums
        for k in range(len(sums)):
            sums[k] = 0
        self._output.sampler.add_up((2 * skipped + lead) * len(sums), pulses, sums)
        yield 0
        base_i16, scales = self.base16[CHANNEL_I], self._output.scales[lead]
        return (yield from impedance.read(sums, pulses, self._times_ns, base_i16, test_ua, scales))

    def _judge(self, reading: impedance.Reading) -> int:
        if reading.kind != messages.KIND_OPEN:
            off = abs(reading.current_ua - _TEST_UA)
            return 0 if off * 10 < _TEST_UA else messages.PART_SENSE
        return messages.PART_MATRIX if reading.last_mv > _OPEN_MV else messages.PART_DAC

    def records(self, first: int, end: int, samples: int) -> bytes:
        """Pulses `first`..`end` of a train with samples I V I V, as messages.PULSE_RECORDs."""
        pulses = [self._pulse(n & 1, n * samples) for n in range(first, end)]
        return b"".join([struct.pack(requests.PULSE_RECORD, *pulse) for pulse in pulses])

    def _pulse(self, lead: int, sample: int) -> "tuple[int, int, int, int]":
        code, scales = self._output.sampler.code, self._output.scales[lead]
        base_v = self.base16[CHANNEL_V[lead]]
        current = self.base16[CHANNEL_I] - 8 * (code(sample) + code(sample + 2))
        early = base_v - 16 * code(sample + 1)
        late = base_v - 16 * code(sample + 3)
        early_mv, late_mv = scales.millivolts(early) // 16, scales.millivolts(late) // 16
        return lead, scales.microamps(current) // 16, early_mv, late_mv
