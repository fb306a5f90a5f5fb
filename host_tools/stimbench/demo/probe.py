"""An oscilloscope on one lead's electrodes: samples at a fixed step, and both sides of every jump."""

from __future__ import annotations

from typing import Any

from stimbench.bench import Bench
from stimbench.demo.recording import Zoom

__all__ = ("VoltageProbe",)


class VoltageProbe:
    """Samples while `record` runs, and costs nothing else."""

    def __init__(self, bench: Bench, lead: Any) -> None:
        """Watch `lead`, one of `bench.board("stimulator").parts.leads.values()`."""
        self._bench = bench
        self._lead = lead
        self._samples: list[tuple[int, float]] = []
        self._recording = False
        lead.on_step(self._on_step)

    def record(self, lead_index: int, duration_ns: int, step_ns: int) -> Zoom:
        """Let `duration_ns` pass and return the volts meanwhile."""
        self._samples.clear()
        self._recording = True
        end_ns = self._bench.now_ns + duration_ns
        while self._bench.now_ns < end_ns:
            self._samples.append((self._bench.now_ns, self._lead.volts(self._bench.now_ns)))
            self._bench.run_for(step_ns)
        self._recording = False
        # A stable sort: the two sides of a jump have the same time and must stay in their order.
        self._samples.sort(key=lambda sample: sample[0])
        return Zoom(lead_index, [t for t, _ in self._samples], [volts for _, volts in self._samples])

    def _on_step(
        self, time_ns: int, before: float, _amps_before: float, after: float, _amps_after: float
    ) -> None:
        if self._recording:
            self._samples += [(time_ns, before), (time_ns, after)]
