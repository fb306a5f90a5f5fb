"""The CPU core in C, and what joins it to rp2040py. Compiled for one Python: nothing takes its place."""

from __future__ import annotations

import importlib.util
import sys

from stimbench.errors import CoreMissingError

__all__ = ()

if importlib.util.find_spec(f"{__name__}.cortex_m0") is None:
    raise CoreMissingError(
        f"The emulator's CPU core is not compiled for this Python ({sys.implementation.cache_tag}): "
        "run `make setup` in a checkout, or install the wheel that was built for this Python."
    )
