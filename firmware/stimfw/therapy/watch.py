"""The watch on every pulse: from a pulse's eight samples to what is wrong, before the lead's next one.

Pure arithmetic on codes of the converter. A healthy pulse costs comparisons with limits that were worked out
when its amplitude was set, and no garbage. Where each limit comes from: docs/watch.md.
"""

import array
from typing import TYPE_CHECKING

from stimfw.therapy import watch_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Scales(Protocol):
        """What the watch needs of a lead's LeadScales."""

        ua_per_1024: int
        mv_per_1024: int

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


SAMPLES = const(8)
"""Of a pulse: V and I at rest; V, I, I, V in the cathodic phase; I, V in the anodic one."""

# Codes of the converter: 5.37 uA or 8.06 mV each.
REST_I = const(14)  # ten times the noise of 1.4
REST_V = const(24)  # noise as above, and 80 mV to spare; what double layers keep comes on top: `kept_mv`
_LOW_CODES = const(18)  # noise 8.4 (six times), integral error 4.5, DAC 1.3, rounding 0.5; 3 spare
_LOW_SHARE = const(25)  # 4 %: pump 1, DAC 0.1, amplifier 1, converter 0.1, its codes between wide ones 0.9
_HIGH_CODES = const(20)
_HIGH_SHARE = const(16)
_BALANCE_CODES = const(50)  # of early + late - 2 anodic: noise 21 (six times), wide codes 18 and 2; 9 spare
_BALANCE_SHARE = const(33)
_BALANCE_MEAN_CODES = const(24)
_BALANCE_MEAN_SHARE = const(66)
# 15 V less 3 %, 10 mA through 198 ohm and 2.1 V of the blocking capacitor are 10.4 V; then errors and codes.
_LIMIT_MV = const(10_200)
_DRIFT_PERCENT = const(15)
_DRIFT_CODES = const(13)  # noise of a difference 8 (four times, two pulses in a row), integral error 4.5
_SHORT_OHM = const(60)
_SHORT_CODES = const(9)
_REFERENCE_CODES = const(12)
_NONE_CODES = const(14)  # no current reads as less: noise 8.4 (six times), integral error 4.5, rounding 0.5
_LEAST_CODES = const(24)
"""Of a set current that lets a missing one be told from noise: 129 uA."""
_MEAN_OF = const(32)
_LEAST_NF = const(1000)  # of a pair whose capacitance is not known
FORGET_PULSES = const(512)
_WIDE = const(1 << 20)

# Counters of a lead, in `_counts`.
_GONE, _LIMITED, _LOW, _SHORTED, _DRIFTED, _STUCK = range(6)
_COUNTERS = const(6)
# Limits of a lead, in `_limits`.
_I_LOW, _I_HIGH, _BALANCE, _V_LOW, _V_HIGH, _I_GONE, _V_SHORT, _V_REST, _I_WHOLE, _TELLS = range(10)
_LIMITS = const(10)


def kept_mv(amplitude_ua: int, width_us: int, gap_us: int, period_us: int, capacitance_nf: int) -> int:
    """What double layers keep at rest from pulse to pulse, mV, at the most.

    The blocking capacitor lets no mean current pass, so the mean voltage on a double layer is 0. In a pulse
    it is Q / C at the most, of one sign, for width and gap: the rest of the period has the other sign, and
    the balance. Twice that, because the capacitance is known to some 20 % and falls while electrodes age.
    """
    if capacitance_nf <= 0:
        capacitance_nf = _LEAST_NF
    charge_mv = amplitude_ua * width_us // capacitance_nf  # pC / nF
    return 2 * charge_mv * (width_us + gap_us) // period_us


class Watch:
    """Both leads' watch.

    Attributes:
        samples: by lead, SAMPLES codes of the pulse to look at next, to be filled by who calls `look`.
        cathodic, anodic: of the last pulse looked at: the sum of both cathodic samples of current and twice
            the anodic one, in codes, positive as they should be.
        muted: by lead; then only what is current out of control is found: the lead is being ramped down.
        closed_again: by lead; whether current flowed again after a break: no broken lead, a loose contact.
    """

    def __init__(self, scales: "Sequence[Scales]") -> None:
        """Args: scales: by lead, what codes stand for (stimfw.pulses.lead_scales.LeadScales)."""
        self._ua_per_1024 = (scales[0].ua_per_1024, scales[1].ua_per_1024)
        self._mv_per_1024 = (scales[0].mv_per_1024, scales[1].mv_per_1024)
        self.samples = (array.array("i", [2048] * SAMPLES), array.array("i", [2048] * SAMPLES))
        self._base = array.array("i", (2048, 2048, 2048))
        self._limits = (array.array("i", [0] * _LIMITS), array.array("i", [0] * _LIMITS))
        self._counts = (array.array("i", [0] * _COUNTERS), array.array("i", [0] * _COUNTERS))
        self._dirty = [False, False]
        self._breaks = [0, 0]
        self._whole = [0, 0]  # pulses since the last break whose current was surely there
        self._ohm = [0, 0]
        self._set_ua = [-1, -1]
        self._least_ua = [-1, -1]
        self._drift_told = [False, False]
        self._differences = [0, 0]  # of the phases, summed over _mean pulses
        self._sums = [0, 0]
        self._summed = [0, 0]
        self.muted = [False, False]
        self.closed_again = [False, False]
        self.cathodic = 0
        self.anodic = 0
        self._v_limit = _LIMIT_MV * 1024 // max(self._mv_per_1024)  # of both leads: a look has no time

    def begin(self, base16: "Sequence[int]", ohm: "Sequence[int]", kept_mv: "Sequence[int]") -> None:
        """A session begins.

        Args:
            base16: 16 times the codes of V left, V right and I with the output off.
            ohm: each lead's access resistance, switches included; 0: not known.
            kept_mv: what each lead's double layers may keep from pulse to pulse (`kept_mv`).
        """
        for k in range(3):
            self._base[k] = (base16[k] + 8) // 16
        for lead in range(2):
            self._ohm[lead] = ohm[lead]
            self._limits[lead][_V_REST] = REST_V + kept_mv[lead] * 1024 // self._mv_per_1024[lead]
            self._set_ua[lead] = -1
            self._breaks[lead] = self._whole[lead] = 0
            self._drift_told[lead] = self.muted[lead] = self.closed_again[lead] = False
            self._differences[lead] = self._sums[lead] = self._summed[lead] = 0
            self._clear(lead)

    def look(self, lead: int, set_ua: int, least_ua: int) -> int:
        """Judge `samples`, a pulse of `lead`: a fault of watch_table, NONE if there is none.

        Args:
            lead: 0 left, 1 right.
            set_ua: the highest amplitude that may have been in force.
            least_ua: the lowest one; another one only at a pulse at which it changed.
        """
        if set_ua != self._set_ua[lead] or least_ua != self._least_ua[lead]:
            self._aim(lead, set_ua, least_ua)
        s = self.samples[lead]
        limits = self._limits[lead]
        base = self._base[2]
        early = base - s[3]
        late = base - s[4]
        anodic = s[6] - base
        rest_i = base - s[1]
        base = self._base[lead]
        rest_v = base - s[0]
        late_v = base - s[5]
        self.cathodic = both = early + late
        self.anodic = twice = anodic + anodic
        low = limits[0]
        high = limits[1]
        if (
            low <= early <= high
            and low <= late <= high
            and low <= anodic <= high
            and -REST_I <= rest_i <= REST_I
            and -limits[7] <= rest_v <= limits[7]
            and -limits[2] <= both - twice <= limits[2]
            and limits[3] <= s[0] - s[2] <= limits[4]
            and late_v < self._v_limit
            and s[7] - base < self._v_limit
        ):
            self._whole[lead] += limits[9]
            if self._dirty[lead]:
                self._clear(lead)
            return self._mean(lead, both, twice)
        return self._judge(lead)

    def figures(self, lead: int) -> "tuple[int, int, int, int]":
        """Of a lead's last pulse: cathodic and anodic current, uA, early and late voltage, mV."""
        s, base, base_i = self.samples[lead], self._base[lead], self._base[2]
        return (
            (2 * base_i - s[3] - s[4]) * self._ua_per_1024[lead] // 2048,
            (s[6] - base_i) * self._ua_per_1024[lead] // 1024,
            (base - s[2]) * self._mv_per_1024[lead] // 1024,
            (base - s[5]) * self._mv_per_1024[lead] // 1024,
        )

    def rest_figures(self, lead: int) -> "tuple[int, int]":
        """Before a lead's last pulse: current, uA, and voltage, mV, with the bridge off."""
        s = self.samples[lead]
        return (
            (self._base[2] - s[1]) * self._ua_per_1024[lead] // 1024,
            (self._base[lead] - s[0]) * self._mv_per_1024[lead] // 1024,
        )

    # What a pulse should look like.

    def _aim(self, lead: int, set_ua: int, least_ua: int) -> None:
        """The limits of pulses between `least_ua` and `set_ua`."""
        self._set_ua[lead] = set_ua
        self._least_ua[lead] = least_ua
        limits = self._limits[lead]
        most = set_ua * 1024 // self._ua_per_1024[lead]
        least = least_ua * 1024 // self._ua_per_1024[lead]
        limits[_I_HIGH] = most + most // _HIGH_SHARE + _HIGH_CODES
        limits[_I_LOW] = least - least // _LOW_SHARE - _LOW_CODES
        limits[_BALANCE] = _BALANCE_CODES + 2 * most // _BALANCE_SHARE
        limits[_I_GONE] = gone = max(_NONE_CODES, least * 3 // 10)
        # What is set may be so little that no current and all of it read alike: then nothing is surely whole.
        limits[_TELLS] = int(limits[_I_LOW] >= gone)
        limits[_I_WHOLE] = limits[_I_LOW] if limits[_TELLS] else _WIDE
        if least < _LEAST_CODES:
            limits[_V_LOW], limits[_V_HIGH] = -_WIDE, _WIDE
            limits[_V_SHORT] = -_WIDE
            return
        short = self._codes_of(lead, set_ua, _SHORT_OHM) + _SHORT_CODES
        lowest = self._codes_of(lead, least_ua, self._ohm[lead])
        highest = self._codes_of(lead, set_ua, self._ohm[lead])
        limits[_V_SHORT] = short if lowest > 2 * short else -_WIDE
        if self._ohm[lead] == 0 or self._drift_told[lead]:
            limits[_V_LOW] = limits[_V_SHORT]
            limits[_V_HIGH] = _WIDE
            return
        limits[_V_LOW] = lowest - lowest * _DRIFT_PERCENT // 100 - _DRIFT_CODES
        limits[_V_HIGH] = highest + highest * _DRIFT_PERCENT // 100 + _DRIFT_CODES

    def _codes_of(self, lead: int, ua: int, ohm: int) -> int:
        """Codes of voltage of a current through a resistance."""
        return ua * ohm // 1000 * 1024 // self._mv_per_1024[lead]

    def _clear(self, lead: int) -> None:
        counts = self._counts[lead]
        for k in range(_COUNTERS):
            counts[k] = 0
        self._dirty[lead] = False

    def _mean(self, lead: int, both: int, twice: int) -> int:
        """A healthy pulse: what only many of them show."""
        self._differences[lead] += both - twice
        self._sums[lead] += both
        self._summed[lead] += 1
        if self._summed[lead] < _MEAN_OF:
            return watch_table.NONE
        off = abs(self._differences[lead])
        limit = _MEAN_OF * _BALANCE_MEAN_CODES + self._sums[lead] // _BALANCE_MEAN_SHARE
        self._differences[lead] = self._sums[lead] = self._summed[lead] = 0
        return watch_table.IMBALANCE if off > limit else watch_table.NONE

    # A pulse that does not look so.

    def _judge(self, lead: int) -> int:
        """Name what is wrong; NONE if it has not lasted for long enough."""
        limits, s = self._limits[lead], self.samples[lead]
        self._dirty[lead] = True
        if s[0] == s[1] == s[2] == s[3] == s[4] == s[5] == s[6] == s[7]:
            return self._counted(lead, _STUCK, 2, watch_table.ADC)
        fault = self._at_rest(lead)
        if fault:
            return fault
        base = self._base[2]
        early, late, anodic = base - s[3], base - s[4], s[6] - base
        base = self._base[lead]
        first, second = min(base - s[2], base - s[5]) >= self._v_limit, s[7] - base >= self._v_limit
        if first and second:
            # Above 13 V the current amplifier shows nothing of an anodic phase (docs/circuit.md, "Sense").
            anodic = max(anodic, late)
        apart = abs(early + late - 2 * anodic) > limits[_BALANCE]
        if max(early, late, anodic) > limits[_I_HIGH]:
            return _too_much(early, late, anodic, limits[_I_HIGH], apart)
        at_limit = second or max(base - s[2], base - s[5]) >= self._v_limit
        if at_limit and min(early, late, anodic) < max(limits[_I_LOW], limits[_I_GONE]):
            return self._at_limit(lead, early, late, anodic)
        if apart:
            return watch_table.IMBALANCE
        if self.muted[lead]:
            return watch_table.NONE
        low = limits[_I_LOW]
        if min(early, late, anodic) < low:
            one_phase = min(early, late) >= low or anodic >= low > max(early, late)
            return self._counted(lead, _LOW, 2, watch_table.IMBALANCE if one_phase else watch_table.LOSS)
        fault = self._of_voltage(lead, s[0] - s[2])
        # So much voltage with the current right is a lead that needs it: allowed up to limits.COMPLIANCE_MV.
        return self._mean(lead, early + late, 2 * anodic) if at_limit and not fault else fault

    def _of_voltage(self, lead: int, access: int) -> int:
        """The current is right: what the voltage says of the lead. access: codes of the current's step."""
        counts, limits = self._counts[lead], self._limits[lead]
        counts[_LOW] = counts[_LIMITED] = counts[_GONE] = counts[_STUCK] = 0
        self._whole[lead] += limits[_TELLS]
        if access <= limits[_V_SHORT]:
            return self._counted(lead, _SHORTED, 2, watch_table.SHORT)
        counts[_SHORTED] = 0
        if self._drift_told[lead] or limits[_V_LOW] <= access <= limits[_V_HIGH]:
            return watch_table.NONE  # what is left: a negative current of a lead with no amplitude
        fault = self._counted(lead, _DRIFTED, 2, watch_table.DRIFT)
        if fault:
            self._drift_told[lead] = True
            self._set_ua[lead] = -1
        return fault

    def _at_rest(self, lead: int) -> int:
        """Current or voltage while the bridge is off."""
        rest_v, rest_i = self._base[lead] - self.samples[lead][0], self._base[2] - self.samples[lead][1]
        most_v = self._limits[lead][_V_REST]
        if abs(rest_i) > REST_I:
            if abs(rest_v - rest_i) <= _REFERENCE_CODES:
                return watch_table.REFERENCE
            return watch_table.DIRECT if abs(rest_v) <= most_v else watch_table.INTERFERENCE
        if abs(rest_v) <= most_v:
            return watch_table.NONE
        # A contact that opened between the phases leaves the charge of one of them on the double layers.
        if self._breaks[lead] and self._whole[lead] < 2:
            return watch_table.INTERMITTENT
        return watch_table.INTERFERENCE

    def _at_limit(self, lead: int, early: int, late: int, anodic: int) -> int:
        """The pump is at its compliance limit: a lead that is broken, loose or too resistive."""
        if self.muted[lead]:
            return watch_table.NONE
        least, whole = self._limits[lead][_I_GONE], self._limits[lead][_I_WHOLE]
        if min(early, late, anodic) >= least:
            return self._counted(lead, _LIMITED, 2, watch_table.COMPLIANCE)
        if self._counts[lead][_GONE] == 0:
            self._broke(lead)
        if (early < least and max(late, anodic) >= whole) or (late < least and anodic >= whole):
            self.closed_again[lead] = True
        if self._breaks[lead] > 1 or max(early, late, anodic) >= whole:
            return watch_table.INTERMITTENT
        return self._counted(lead, _GONE, 2, watch_table.OPEN)

    def _broke(self, lead: int) -> None:
        """The first pulse with no current in it: were there others before those that were whole?"""
        if self._whole[lead] > FORGET_PULSES:
            self._breaks[lead] = 0
        self._breaks[lead] += 1
        if self._breaks[lead] > 1 and self._whole[lead]:
            self.closed_again[lead] = True
        self._whole[lead] = 0

    def _counted(self, lead: int, counter: int, pulses: int, fault: int) -> int:
        """The fault, once it was seen in so many pulses in a row."""
        counts = self._counts[lead]
        counts[counter] += 1
        for k in range(_COUNTERS):
            if k != counter:
                counts[k] = 0
        return fault if counts[counter] >= pulses else watch_table.NONE


def _too_much(early: int, late: int, anodic: int, high: int, apart: bool) -> int:
    """One whole phase too strong and the other right: its switch leaks. The pump's fault is in both."""
    one_phase = anodic > high >= max(early, late) or min(early, late) > high >= anodic
    return watch_table.IMBALANCE if one_phase and apart else watch_table.OVER
