"""What no prescription can pass, each number with its source; and the arithmetic that compares with them.

A prescription is checked against these when it comes (stimfw.therapy.rules), and the pulses against the same
numbers while they flow (stimfw.therapy.watch). Integers throughout: currents in uA, times in us, charges in
nC (uA x us = pC). docs/prescription.md shows the arithmetic with examples.
"""

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


AMPLITUDE_UA = const(10_000)
"""The pump gives 10.2375 mA at the DAC's last code (docs/hardware.md); the range ends below that."""
AMPLITUDE_STEP_UA = const(25)

ELECTRODE_MM2 = const(12)
"""Geometric area of an electrode: this project's choice, a ring of 1.27 mm x 3 mm, as on percutaneous leads.

Another lead needs another number here, and nothing else.
"""

CHARGE_NC = const(3600)
"""Charge of a phase: 30 uC/cm2, the limit that deep brain stimulators recommend, times ELECTRODE_MM2.

Kuncel and Grill, Clin. Neurophysiol. 115 (2004) 2431, call it a liberal estimate. With 12 mm2 Shannon's limit
is lower; with a larger area this one is.
"""

# Shannon, IEEE Trans. Biomed. Eng. 39 (1992) 424: log10 D = k - log10 Q, with Q in uC and D in uC/cm2, both a
# phase. With D = Q / A that is Q^2 = A 10^k: no logarithm is needed. Damage was seen from k = 1.85 on.
SHANNON_K_MILLI = const(1500)
"""k, in thousandths, that a prescription is checked against."""
SHANNON_MOST_K_MILLI = const(1750)
"""k, in thousandths, that nothing may pass, whatever was measured."""
_TEN_TO_K = const(316_227)  # 10 000 x 10^1.5, rounded down
_TEN_TO_MOST_K = const(562_341)  # 10 000 x 10^1.75

COMPLIANCE_MV = const(12_000)
"""What a pulse may need of the pump. At 10 mA it has 12.3 V with all parts at their worst (docs/circuit.md).

The rest is this project's margin: 2 % of error of the measured impedance, and its growth until the next one.
"""
SWITCHES_OHM = const(19)
"""Two closed switches (ADG1414, table 1: 9.5 ohm each), as stimfw.pulses.impedance subtracts them."""
BLOCKING_NF = const(4700)
"""The capacitor in each lead's path."""
RECHARGE_OHM = const(1045)
"""What passive recharge flows through, beside lead and switches: 1 kohm of 1 %, a DG412 of 35 ohm."""
AROUND_PULSE_US = const(22)
"""Of each pulse's period there is no recharge while it leads in and breaks (stimfw.pulses.waveform)."""

DUTY_PERMIL = const(500)
"""Contraction (with its ramps) of a cycle: this project's choice. A muscle rests as long as it works."""
PULSE_DUTY_PERMIL = const(100)
"""Both phases of a lead's pulses, of the time: this project's choice; 20 Hz and 214 us take 9."""

DAY_S = const(7200)
"""Sessions of a day together: this project's choice, twice the usual two half hours."""
LEAST_BETWEEN_S = const(1800)
"""From one session's end to the next one: this project's choice, as long as the usual session."""

NET_DC_NA = const(25)
"""The cochlear industry's limit of net direct current."""
MISMATCH_PPM = const(2000)
"""How much the charges of a pulse's phases may differ: this project's choice.

Both come from one pump and last the same number of clock cycles; the bridge and the pump's output resistance
remain.
"""

MOST_PULSE_NC = const(10_000)
"""10 mA for 1000 us: no phase that the ranges allow carries more."""


def charge_nc(amplitude_ua: int, width_us: int) -> int:
    """The charge of one phase, in nC, rounded up."""
    return (amplitude_ua * width_us + 999) // 1000


def shannon_holds(phase_nc: int, k_milli: int = SHANNON_K_MILLI) -> bool:
    """Whether a phase of so much charge stays within Shannon's limit.

    k_milli: SHANNON_K_MILLI or SHANNON_MOST_K_MILLI.

    Q^2 / A <= 10^k in uC and cm2 is nC^2 <= mm2 x 10^k x 10 000.
    """
    ten_to_k = _TEN_TO_K if k_milli == SHANNON_K_MILLI else _TEN_TO_MOST_K
    return bool(phase_nc <= MOST_PULSE_NC and phase_nc * phase_nc <= ELECTRODE_MM2 * ten_to_k)


def shannon_nc(k_milli: int = SHANNON_K_MILLI) -> int:
    """The highest charge of a phase that Shannon's limit allows, in nC."""
    low: int = 0
    high: int = MOST_PULSE_NC
    while low < high:
        middle = (low + high + 1) // 2
        if shannon_holds(middle, k_milli):
            low = middle
        else:
            high = middle - 1
    return low


def stepped_ua(amplitude_ua: int) -> int:
    """The highest amplitude of the range's steps that is not above `amplitude_ua`; 0 if that is negative."""
    stepped: int = max(0, min(amplitude_ua, AMPLITUDE_UA)) // AMPLITUDE_STEP_UA * AMPLITUDE_STEP_UA
    return stepped


def of_charge_ua(phase_nc: int, width_us: int) -> int:
    """The highest amplitude whose phases of `width_us` carry at most `phase_nc`."""
    return stepped_ua(phase_nc * 1000 // width_us)


def series_nf(capacitance_nf: int) -> int:
    """The blocking capacitor in series with a pair's double layers (0: none), in nF, rounded down."""
    blocking: int = BLOCKING_NF
    if capacitance_nf == 0:
        return blocking
    return max(1, blocking * capacitance_nf // (blocking + capacitance_nf))


def needed_mv(amplitude_ua: int, width_us: int, ohm: int, capacitance_nf: int) -> int:
    """What the pump needs at the end of a phase, in mV, rounded up: I (R + switches) + I w / C.

    It bounds both phases. The cathodic one begins with empty capacitors. The anodic one begins with what the
    cathodic one left, which helps it; if all of that had leaked away, it would need the same.

    Args:
        amplitude_ua: of both phases.
        width_us: of each phase.
        ohm: access resistance of the pair, without switches.
        capacitance_nf: of the pair's double layers in series; 0: none was found.
    """
    series = series_nf(capacitance_nf)
    needed: int = amplitude_ua * ((ohm + SWITCHES_OHM) * series + 1000 * width_us)
    return (needed + 1000 * series - 1) // (1000 * series)


def compliance_ua(width_us: int, ohm: int, capacitance_nf: int) -> int:
    """The highest amplitude that needs at most COMPLIANCE_MV; arguments as of `needed_mv`."""
    series = series_nf(capacitance_nf)
    return stepped_ua(COMPLIANCE_MV * 1000 * series // ((ohm + SWITCHES_OHM) * series + 1000 * width_us))


def left_ppm(rest_us: int, ohm: int, capacitance_nf: int) -> int:
    """What passive recharge leaves of a charge after `rest_us`, in millionths, rounded up.

    It falls with (1 kohm + R + switches) times the capacitors in series. In each half-life of 0.6931 of that
    time constant it halves; within one, the chord lies above the curve.
    """
    tau_us: int = (RECHARGE_OHM + ohm + SWITCHES_OHM) * series_nf(capacitance_nf) // 1000 + 1
    half_us = tau_us * 694 // 1000 + 1
    halves, rest = rest_us // half_us, rest_us % half_us
    left = 1_000_000 * (2 * half_us - rest) // (2 * half_us) + 1
    return (left >> halves) + 1


def net_dc_pa(
    amplitude_ua: int, width_us: int, gap_us: int, period_us: int, on_ms: int, ohm: int, capacitance_nf: int
) -> int:
    """The most net direct current that a contraction can leave, in pA: the sum of two bounds.

    Net is what stays on the blocking capacitor: all charge that flowed one way more than the other.

    - Phases differ by up to MISMATCH_PPM of their charge. Recharge takes some of that back before the next
      pulse, so it adds up to the difference over (1 - what recharge leaves), and never to more than all
      differences together.
    - Double layers leak while they hold a phase's charge, always in the same direction: for width + gap in
      each pulse. That charges the blocking capacitor up to the mean of their voltage, whatever their
      resistance is.

    Over the time of the hold, `on_ms`, these charges are currents. The firmware cannot measure them: 25 nA is
    far below a step of its converter. So they are bounded at entry, and the watch compares the phases.
    """
    unbalanced = unbalanced_pa(amplitude_ua, width_us, gap_us, period_us, on_ms, ohm, capacitance_nf)
    if capacitance_nf == 0:
        return unbalanced
    # V = Q / C x (w + gap) / T, on the blocking capacitor.
    held = amplitude_ua * width_us * (width_us + gap_us) * BLOCKING_NF * 1000
    leaked: int = held // (capacitance_nf * period_us * on_ms) + 1
    return unbalanced + leaked


def unbalanced_pa(
    amplitude_ua: int,
    width_us: int,
    gap_us: int,
    period_us: int,
    on_ms: int,
    ohm: int,
    capacitance_nf: int,
    mismatch_ppm: int = MISMATCH_PPM,
) -> int:
    """The first sum of `net_dc_pa`, in pA, with the same arguments: phases that differ by `mismatch_ppm`."""
    phase_pc = amplitude_ua * width_us
    rest_us = max(0, period_us - 2 * width_us - gap_us - AROUND_PULSE_US)
    taken_ppm = 1_000_000 - left_ppm(rest_us, ohm, capacitance_nf)
    # pC / us = 10^6 pA, and pC / ms = 1000 pA.
    unbalanced: int = phase_pc * mismatch_ppm // period_us + 1
    if taken_ppm > 0:
        unbalanced = min(unbalanced, phase_pc * mismatch_ppm * 1000 // (taken_ppm * on_ms) + 1)
    return unbalanced


def net_dc_ua(
    width_us: int, gap_us: int, period_us: int, on_ms: int, ohm: int, capacitance_nf: int
) -> int:
    """The highest amplitude whose net direct current is at most NET_DC_NA; arguments as of `net_dc_pa`."""
    most = net_dc_pa(AMPLITUDE_UA, width_us, gap_us, period_us, on_ms, ohm, capacitance_nf)
    return stepped_ua(NET_DC_NA * 1000 * AMPLITUDE_UA // most)
