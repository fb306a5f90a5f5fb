"""Which pulse of its contraction a pulse is, where its number alone does not say it.

A contraction that the begin of the capture cut, or that lacks its first pulses, is told by its ramps: pulse
`k` of a ramp up of `n` has `(k + 1) / (n + 1)` of the amplitude.
"""

from __future__ import annotations

import numpy as np

from stimbench.capture.channels import Floats

__all__ = ("cut_shift", "late_shift")

_HELD = 0.97
"""Of the amplitude: what has less is in a ramp."""
_SOME = 20


def late_shift(shares: Floats, index: Floats, up: int) -> int:
    """How many pulses lack before the first one of a contraction, as its ramp up tells.

    Args:
        shares: of the full amplitude, of the contraction's pulses, shape (n,); NaN where it is not known.
        index: of these pulses in their contraction, if none lacked, shape (n,).
        up: pulses of the ramp up.
    """
    if not up:
        return 0
    first, at = shares[: min(up, _SOME)], index[: min(up, _SOME)]
    ramp = first < _HELD
    if not ramp.any():
        return 0
    behind = np.rint(first[ramp] * (up + 1)) - 1 - at[ramp]
    return max(int(np.median(behind)), 0)


def cut_shift(shares: Floats | None, last: int, up: int, down: int, pulses: int, ends: bool) -> int:
    """The index of the first pulse of a contraction whose begin the capture does not have.

    Args:
        shares: of the full amplitude, of its pulses, shape (n,); None if no current was recorded.
        last: index of its last pulse, from the first one on.
        up: pulses of the ramp up.
        down: pulses of the ramp down.
        pulses: of a whole contraction.
        ends: the contraction ends within the capture, and was not stopped as far as one knows.
    """
    room = max(pulses - 1 - last, 0)
    known = None if shares is None else shares[np.isfinite(shares)]
    if known is None or not len(known):
        return room if ends else 0
    begin, end = float(known[0]), float(known[-1])
    if min(begin, end) >= _HELD:
        # All of it lies in the hold: up to its end if there is no ramp down.
        shift = room if ends and not down else up
    elif end < begin:
        shift = pulses - round(end * (down + 1)) - last
    else:
        shift = round(begin * (up + 1)) - 1
    return min(max(shift, 0), room)
