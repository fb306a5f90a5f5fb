"""The net direct current of a contraction of a bench's programme, through electrodes as a bench has them.

A board on the bench does not know what it drives, so this takes the bench's own electrodes: 500 ohm a pair,
5 uF and 100 kohm each (docs/hardware.md). An implant's prescription is judged by what was measured of its
leads (stimfw.therapy.limits). Why there is such a current: docs/decisions/0059-net-current-at-the-corner.md.

Imported when a programme differs from the default one in its pulses or its contraction, and given back then:
a board's heap has no room to keep it (stimfw.therapy.program).
"""

from stimfw.therapy import limits

PAIR_OHM = 500
PAIR_NF = 2500
DECAY_MS = 1440
"""2 x 100 kohm x (2.5 uF of the pair + 4.7 uF): with this the blocking capacitor nears its last voltage."""
_MISMATCH_PPM = 250
"""How much the charges of a pulse's phases differ: 0.023 % in SPICE (docs/circuit/figures.md)."""
_MARGIN_PERCENT = 2
"""Recharge takes a few pulses, which lets ramps down leave up to 1 % more."""

_LEFT_PPM = (
    999_306, 998_612, 997_226, 994_460, 988_950, 978_023, 956_529, 914_947, 837_128, 700_784, 491_098,
    241_177, 58_167, 3383, 11,
)  # fmt: skip
"""e^(-2^k / DECAY_MS) in millionths, by k."""


def left_ppm(span_ms: int) -> int:
    """What is left of a difference after a time, e^(-span_ms / DECAY_MS), in millionths, to some 15."""
    if span_ms >> len(_LEFT_PPM):
        return 0
    left = 1_000_000
    for bit, ppm in enumerate(_LEFT_PPM):
        if span_ms >> bit & 1:
            left = left * ppm // 1_000_000
    return left


def ramped_ppm(ramp_ms: int) -> int:
    """The mean of `left_ppm` from 0 to `ramp_ms`, in millionths: how far a ramp's end is behind."""
    if ramp_ms == 0:
        return 1_000_000
    return (1_000_000 - left_ppm(ramp_ms)) * DECAY_MS // ramp_ms


def reached_ppm(ramp_up_ms: int, on_ms: int, ramp_down_ms: int) -> int:
    """How much of its last charge the blocking capacitor holds when a contraction ends, in millionths.

    Never negative: the mean over a ramp is above what is left at its end.
    """
    begun = left_ppm(on_ms + ramp_down_ms) * ramped_ppm(ramp_up_ms) // 1_000_000
    return ramped_ppm(ramp_down_ms) - begun


def net_pa(
    amplitude_ua: int,
    width_us: int,
    gap_us: int,
    period_us: int,
    ramp_up_ms: int,
    on_ms: int,
    ramp_down_ms: int,
) -> int:
    """The net direct current over a contraction, in pA: the charge that has stayed, over the whole time.

    The double layers leak while they hold a phase's charge, always in the same direction. Recharge takes it
    from the blocking capacitor, which so nears Q / C_pair x (width + gap) / period: then as much leaks back
    in the rest of the period. And the phases may differ a little.
    """
    last_pc = amplitude_ua * width_us * (width_us + gap_us) * limits.BLOCKING_NF // (PAIR_NF * period_us)
    length_ms = ramp_up_ms + on_ms + ramp_down_ms
    # pC / ms = 1000 pA.
    reached = reached_ppm(ramp_up_ms, on_ms, ramp_down_ms) * (100 + _MARGIN_PERCENT)
    leaked: int = last_pc * reached // (100_000 * length_ms) + 1
    return leaked + limits.unbalanced_pa(
        amplitude_ua, width_us, gap_us, period_us, length_ms, PAIR_OHM, PAIR_NF, _MISMATCH_PPM
    )


def most_ua(
    width_us: int, gap_us: int, period_us: int, ramp_up_ms: int, on_ms: int, ramp_down_ms: int
) -> int:
    """The highest amplitude with at most limits.NET_DC_NA of net direct current; arguments as of `net_pa`."""
    most_pa = net_pa(limits.AMPLITUDE_UA, width_us, gap_us, period_us, ramp_up_ms, on_ms, ramp_down_ms)
    return limits.stepped_ua(limits.NET_DC_NA * 1000 * limits.AMPLITUDE_UA // most_pa)
