"""Errors of a part: random from part to part, the same every time for one bench seed."""

from __future__ import annotations

import random

__all__ = ("spread",)


def spread(seed: int, name: str) -> random.Random:
    """A random generator for each part, so that adding one part changes the errors of no other.

    Args:
        seed: the bench's seed.
        name: the part's name on the bench: `dac`, `left/sense` ...
    """
    return random.Random(f"stimbench/{seed}/{name}")
