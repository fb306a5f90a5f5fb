"""The heap before something that must not wait for it.

MicroPython's allocator finds free blocks from the lowest one on. An object of one block moves that place
forward, a larger one does not: after a collection, each larger object passes all the small holes again
(py/gc.c, gc_alloc). On a board that cost a STOP 2.4 ms.
"""

import gc

from micropython import const

try:
    from uctypes import addressof
except ImportError:  # CPython, which has another heap: nothing to fill

    def addressof(__buffer: object) -> int:  # type: ignore[misc,unused-ignore]
        """Lower than any object."""
        return 0


_GAP_BYTES = const(4096)
_AT_ONCE = const(25)
_MOST_TURNS = const(160)


def settle() -> None:
    """Collect garbage, then fill the small holes, so that what follows finds its memory at once.

    Takes 8 to 17 ms. The fillers are garbage: the next collection frees them.
    """
    target = collect()
    for _ in range(_MOST_TURNS):
        if fill(target):
            return


def collect() -> int:
    """The first half, 6 to 10 ms: collect garbage. Returns what `fill` needs."""
    gc.collect()
    return addressof(bytearray(_GAP_BYTES))


def fill(target: int) -> bool:
    """A part of the second half, 0.4 ms: whether the holes are full."""
    sum(map(float, range(_AT_ONCE)))  # objects of one block, as fast as C makes them
    return id(object()) > target
