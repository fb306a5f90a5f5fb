"""The recorder of an emulated bench of this process as an instrument: exact, and never at fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stimbench.bench import Bench
from stimbench.capture.capture import Capture, Origin

__all__ = ("BenchRecording", "BenchSource")

_MS = 1_000_000
_BUSES = ("SCK", "MOSI", "MISO")


class BenchSource:
    """See stimbench.instruments.interfaces.CaptureSource. Waiting for it lets the bench's time pass."""

    def __init__(self, bench: Bench) -> None:
        """Args: bench: stays its owner's."""
        self._bench = bench
        board = bench.board("stimulator")
        names = [name for owner, name in bench.trace.signals if owner == board.name]
        self.digital = tuple(
            f"stimulator.{name}" for name in names if not name.startswith("GP") and not _is_bus(name)
        )
        self.analog = ("I_LEFT", "I_RIGHT")

    def identify(self) -> Origin:
        """See CaptureSource.identify."""
        return Origin()

    @contextmanager
    def recording(self, duration_ms: int) -> Iterator[BenchRecording]:
        """See CaptureSource.recording."""
        yield BenchRecording(self._bench, duration_ms, self.digital, self.analog)


class BenchRecording:
    """See stimbench.instruments.interfaces.Recording."""

    def __init__(
        self, bench: Bench, duration_ms: int, digital: tuple[str, ...], analog: tuple[str, ...]
    ) -> None:
        """Begin now."""
        self._bench, self._digital, self._analog = bench, digital, analog
        self._begin_ns = bench.now_ns
        self._end_ns = self._begin_ns + duration_ms * _MS

    def result(self) -> Capture:
        """See Recording.result. Time 0 is where the recording began."""
        if self._bench.now_ns < self._end_ns:
            self._bench.run_to(self._end_ns)
        capture = self._bench.trace.capture(self._begin_ns, self._end_ns)
        return capture.select(self._digital, self._analog).shifted(-self._begin_ns, "the emulated bench")


def _is_bus(name: str) -> bool:
    return any(word in name for word in _BUSES)
