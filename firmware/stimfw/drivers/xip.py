"""The counters of the RP2040's flash cache (datasheet 2.6.3.6): each stops at 2**32 - 1."""

import machine
from micropython import const

_CTR_HIT = const(0x1400000C)
_CTR_ACC = const(0x14000010)


def read(clear: bool) -> "tuple[int, int]":
    """Accesses that the cache served, and all accesses to flash, since both were cleared.

    Args:
        clear: set both to zero after this.
    """
    # Accesses first: hits in between can make the rate better by a few at the most.
    accesses, hits = machine.mem32[_CTR_ACC], machine.mem32[_CTR_HIT]
    if clear:
        machine.mem32[_CTR_ACC] = machine.mem32[_CTR_HIT] = 0
    return hits & 0xFFFFFFFF, accesses & 0xFFFFFFFF
