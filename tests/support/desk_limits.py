"""Limits that nothing may pass, said a second time: in floating point, from docs/prescription.md's words."""

import math

AMPLITUDE_UA = 10_000
AREA_MM2 = 12
SHANNON_K = 1.5
CHARGE_UC_CM2 = 30
COMPLIANCE_V = 12.0
SWITCHES_OHM = 19
BLOCKING_UF = 4.7
RECHARGE_OHM = 1045
NET_DC_NA = 25
MISMATCH = 0.002
AROUND_PULSE_US = 22
DAY_TOTAL_S = 7200
LEAST_BETWEEN_S = 1800
PULSES_SHARE = 0.1
STEP = 1.001
"""Integers are rounded to the safe side; this is for floating point alone."""
SIDES = ("left", "right")


class Violation(AssertionError):
    """Something happened that must not."""


def require(holds, text, *values):
    """Raises Violation with a text if it does not hold."""
    if not holds:
        raise Violation(text % values if values else text)


def require_pulse(ua, width_us):
    """Amplitude, charge of a phase, and Shannon's k of the electrode: Q x D = 10^k, in uC and uC/cm2."""
    charge_uc = ua * width_us / 1e6
    density = charge_uc / (AREA_MM2 / 100)
    require(ua <= AMPLITUDE_UA, "%d uA", ua)
    require(density <= CHARGE_UC_CM2 * STEP, "%.1f uC/cm2", density)
    if charge_uc:
        k = math.log10(charge_uc) + math.log10(density)
        require(k <= SHANNON_K + 0.002, "Shannon k %.3f at %d uA and %d us", k, ua, width_us)


def require_kept(asked, kept, earliest_s, measured):
    """A prescription that a device keeps, beside what was asked for.

    Args:
        asked, kept: values by name of field.
        earliest_s: when the healing time is over.
        measured: (kind, ohm, nF) of each lead; None: its impedance was not measured.
    """
    for name, value in asked.items():
        if name.endswith(("amplitude_ua", "most_ua", "least_ua")):
            require(kept[name] <= value, "%s %d, asked was %d", name, kept[name], value)
        elif name == "activation_s" and value == 0:
            require(kept[name] >= earliest_s, "activation before the healing time is over")
        else:
            require(kept[name] == value, "%s %d, asked was %d", name, kept[name], value)
    require(kept["activation_s"] >= earliest_s, "activation before the healing time is over")
    _require_times(kept)
    require(kept["left.amplitude_ua"] or kept["right.amplitude_ua"], "no lead stimulates")
    for lead in (0, 1):
        _require_lead(kept, SIDES[lead], measured[lead])


def _require_times(kept):
    work_ms = kept["ramp_up_ms"] + kept["on_ms"] + kept["ramp_down_ms"]
    require(work_ms <= kept["off_ms"], "%d ms of work, %d of rest", work_ms, kept["off_ms"])
    total_s = kept["session_s"] * kept["sessions_a_day"]
    require(total_s <= DAY_TOTAL_S, "%d s a day", total_s)
    between_s = kept["between_s"]
    require(between_s >= LEAST_BETWEEN_S, "%d s between sessions", between_s)
    require(total_s + between_s * (kept["sessions_a_day"] - 1) <= 86_400, "no day is so long")
    require(60 <= kept["session_s"] <= 3600 and 1 <= kept["sessions_a_day"] <= 10, "sessions")
    require(1 <= kept["rate_hz"] <= 200, "%d Hz", kept["rate_hz"])


def _require_lead(kept, side, found):
    ua = max(kept[side + ".amplitude_ua"], kept[side + ".most_ua"])
    width_us, gap_us = kept[side + ".width_us"], kept[side + ".gap_us"]
    period_us = 1e6 / kept["rate_hz"]
    require(20 <= width_us <= 1000 and gap_us <= 500, "pulses of %d us", width_us)
    require(2 * width_us <= PULSES_SHARE * period_us * STEP, "pulses of %d us at this rate", width_us)
    require(kept[side + ".cathode"] != kept[side + ".anode"], "one electrode")
    if not ua:
        return
    require_pulse(ua, width_us)
    require(found is not None, "its impedance was not measured")
    kind, ohm, nf = found
    require(kind == 0, "a pair that is open or shorted")
    series_uf = BLOCKING_UF * nf / 1000 / (BLOCKING_UF + nf / 1000) if nf else BLOCKING_UF
    volts = ua * 1e-6 * (ohm + SWITCHES_OHM) + ua * width_us * 1e-6 / series_uf * 1e-6
    require(volts <= COMPLIANCE_V * STEP, "%.2f V", volts)
    direct_na = _net_dc_na(ua, width_us, gap_us, period_us, kept["on_ms"], ohm, nf, series_uf)
    require(direct_na <= NET_DC_NA * STEP, "%.2f nA of direct current", direct_na)


def _net_dc_na(ua, width_us, gap_us, period_us, on_ms, ohm, nf, series_uf):
    """The charge that stays on the blocking capacitor after a contraction, over its time.

    Each pulse's phases differ by MISMATCH; recharge takes a share of what is there before the next pulse. And
    double layers leak in the same direction while they hold a phase's charge.
    """
    rest_us = max(0, period_us - 2 * width_us - gap_us - AROUND_PULSE_US)
    taken = 1 - math.exp(-rest_us / ((RECHARGE_OHM + ohm + SWITCHES_OHM) * series_uf))
    differs_pc = ua * width_us * MISMATCH
    all_na = differs_pc / period_us * 1e6 / 1e3
    unbalanced_na = min(all_na, differs_pc / (taken * on_ms)) if taken else all_na  # pC / ms is nA
    if not nf:
        return unbalanced_na
    mean_mv = ua * width_us / nf * (width_us + gap_us) / period_us  # pC / nF is mV
    return unbalanced_na + mean_mv * BLOCKING_UF * 1000 / on_ms
