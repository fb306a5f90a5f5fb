"""A share of a few with its confidence interval."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

__all__ = ("wilson",)

_Z = NormalDist().inv_cdf(0.975)


def wilson(reached: int, seen: int) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 %, as two shares.

    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212, without a correction for continuity; method 3 of
    R. G. Newcombe, Stat. Med. 17 (1998) 857-872, whose example 81 of 263 gives 0.2553 to 0.3662.

    Args:
        reached: 0 to `seen`.
        seen: 1 or more.

    Raises:
        ValueError: out of these ranges.
    """
    if not 0 <= reached <= seen or seen < 1:
        raise ValueError(f"{reached} of {seen} is no share")
    share, square = reached / seen, _Z * _Z
    middle = share + square / (2 * seen)
    half = _Z * sqrt(share * (1 - share) / seen + square / (4 * seen * seen))
    low, high = (middle - half) / (1 + square / seen), (middle + half) / (1 + square / seen)
    return (0.0 if reached == 0 else low), (1.0 if reached == seen else high)
