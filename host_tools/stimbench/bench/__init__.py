"""The emulated bench: real firmware on emulated boards, with parts at pin level, in emulated time."""

from stimbench.bench.board import EmulatedBoard, ResetCause
from stimbench.bench.config import BenchConfig, BenchError, find_project_root
from stimbench.bench.engine import Bench
from stimbench.bench.flash import FlashChip, FlashOperation, FlashTiming
from stimbench.bench.trace import Recorder
from stimbench.bench.usb import ConsolePort

__all__ = (
    "Bench",
    "BenchConfig",
    "BenchError",
    "ConsolePort",
    "EmulatedBoard",
    "FlashChip",
    "FlashOperation",
    "FlashTiming",
    "Recorder",
    "ResetCause",
    "find_project_root",
)
