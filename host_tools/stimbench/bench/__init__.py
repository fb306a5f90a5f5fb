"""The bench that a user drives: boards in step, the air between them, buttons, a magnet, emulated time."""

from stimbench.bench.config import BenchConfig
from stimbench.bench.engine import Bench

__all__ = ("Bench", "BenchConfig")
