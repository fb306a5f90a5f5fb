"""The bench that a user drives: boards in step, the air between them, buttons, a magnet, emulated time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stimbench.bench.config import BenchConfig
    from stimbench.bench.engine import Bench

__all__ = ("Bench", "BenchConfig")


def __getattr__(name: str) -> Any:
    """Load the emulator when it is asked for: whoever speaks to a running bench does without."""
    if name == "Bench":
        from stimbench.bench.engine import Bench

        return Bench
    if name == "BenchConfig":
        from stimbench.bench.config import BenchConfig

        return BenchConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
