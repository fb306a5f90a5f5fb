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


_GAP_BYTES = const(2048)
_MOST_HOLES = const(4000)


def settle() -> None:
    """Collect garbage, then fill the small holes, so that what follows finds its memory at once.

    Takes about 10 ms. The fillers are garbage: the next collection frees them.
    """
    gc.collect()
    target = addressof(bytearray(_GAP_BYTES))
    for _ in range(_MOST_HOLES):
        if id(object()) > target:  # an object is one block
            return
