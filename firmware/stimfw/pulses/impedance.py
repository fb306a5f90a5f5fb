"""From the samples of test pulses to a pair's resistance, with no capacitance read as resistance.

A current step into an access resistance R in series with the double layers' capacitance C gives
V(t) = V(0-) + I (R + t / C): the line through the samples, extended to the cathodic edge, meets it I R away
from where the pair rested before it. That rest is sampled too: double layers keep some mV from pulse to
pulse.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import messages

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from stimfw.pulses.lead_scales import LeadScales

FIRST_UA = 250
MOST_UA = 2000
STEP_UA = 25
_TARGET_MV = 3800  # the converter's wide codes are 4.1 V away from its middle (RP2040-E11)

WIDTH_US = 200
PERIOD_US = 1500
KINDS = "BBBBVVVVVIIVVVVV"
# Before the edge, soon after it, and late: what tells a step from a slope best. Not within 12 us of the edge:
# 10 kohm and the 200 pF of switches and wires beside it (docs/circuit.md) are at 0.2 % only then.
TIMES_US = (-10, -7, -4, -1, 13, 16, 19, 22, 25, 60, 120, 181, 184, 187, 190, 193)
PROBE_PULSES = 4
SKIPPED_PULSES = 4
COUNTED_PULSES = 40

_OPEN_CURRENT_PERCENT = 50
_SHORT_OHM = 50
MAX_OHM = 65_535
_MAX_NF = 65_535

PAIRS = tuple((c, a) for c in range(4) for a in range(4) if c != a)


def next_current_ua(probe_mv: int, probe_ua: int) -> int:
    """The test current for a pair that showed `probe_mv` at `probe_ua`: at most MOST_UA, aimed at 3.8 V."""
    wanted = MOST_UA if probe_mv <= 0 else probe_ua * _TARGET_MV // probe_mv
    return max(FIRST_UA, min(MOST_UA, wanted) // STEP_UA * STEP_UA)


def line(times: "list[int]", values: "list[int]") -> "tuple[int, int]":
    """Least squares: 1024 times the value at time 0, and 1024 times the slope."""
    n = len(times)
    st = sum(times)
    stt = sum([t * t for t in times])
    sv = sum(values)
    stv = sum([t * v for t, v in zip(times, values)])
    span = n * stt - st * st
    return (sv * stt - st * stv) * 1024 // span, (n * stv - st * sv) * 1024 // span


class Reading:
    """What one pair's summed samples say.

    Attributes: ohm, capacitance_nf (of the pair in series, 0 if unknown), current_ua, last_mv, kind.
    """

    def __init__(
        self,
        fit: "tuple[int, int]",
        last: int,
        scale: int,
        current_na: int,
        test_ua: int,
        scales: "LeadScales",
    ) -> None:
        """From the line through the drops of the voltage, all `scale` times codes; last: the last drop."""
        start, slope = fit
        uv_per_code = scales.uv_per_code
        start_uv = start * uv_per_code // (1024 * scale)
        self.current_ua = current_na // 1000
        self.last_mv = last * uv_per_code // (1000 * scale)
        self.capacitance_nf = 0
        self.ohm = MAX_OHM
        if current_na * 100 < test_ua * 1000 * _OPEN_CURRENT_PERCENT:
            self.kind = messages.KIND_OPEN
            return
        self.ohm = min(MAX_OHM, max(0, start_uv * 1000 // current_na - scales.switches_ohm))
        self.kind = messages.KIND_SHORT if self.ohm < _SHORT_OHM else messages.KIND_OK
        slope_uv_s = slope * uv_per_code * 10_000 // (1024 * scale) * 1000  # slope is per 100 ns
        if slope_uv_s > 0:
            self.capacitance_nf = min(_MAX_NF, current_na * 1_000_000 // slope_uv_s)


def read(
    sums: "Sequence[int]",
    pulses: int,
    times_ns: "list[int]",
    base_i16: int,
    test_ua: int,
    scales: "LeadScales",
) -> "Generator[int, None, Reading]":
    """Read `sums`: codes by position in the pulse (KINDS), summed over `pulses` pulses of `test_ua`.

    `times_ns` are the sample plan's; `base_i16` is 16 times the code of no current; `scales` are the lead's.
    It takes 3 ms, in which a STOP would wait: so it yields 0 after each half of a millisecond, and returns
    the reading.
    """
    rests = [s for s, k in zip(sums, KINDS) if k == "B"]
    yield 0
    rest = sum(rests)
    drops = [rest - len(rests) * s for s, k in zip(sums, KINDS) if k == "V"]
    yield 0
    times = [t // 100 for t, k in zip(times_ns, KINDS) if k == "V"]
    yield 0
    currents = [base_i16 * pulses - 16 * s for s, k in zip(sums, KINDS) if k == "I"]
    current_na = sum(currents) * scales.na_per_code // (16 * pulses * len(currents))
    yield 0
    fit = line(times, drops)
    yield 0
    return Reading(fit, drops[-1], len(rests) * pulses, current_na, test_ua, scales)


def read_at_once(
    sums: "Sequence[int]",
    pulses: int,
    times_ns: "list[int]",
    base_i16: int,
    test_ua: int,
    scales: "LeadScales",
) -> Reading:
    """The same without a pause."""
    steps = read(sums, pulses, times_ns, base_i16, test_ua, scales)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        found: Reading = end.value
        return found
