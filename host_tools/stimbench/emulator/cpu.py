"""Runs one emulated microcontroller up to a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from rp2040py.clock.simulation_clock import SimulationClock
from rp2040py.execute_batch import execute_batch

from stimbench.emulator.native.cortex_m0 import NativeCore

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

    from stimbench.parts.interfaces import Handle

__all__ = ("AlarmHandle", "BoardScheduler", "CpuRunner")


class AlarmHandle:
    """A scheduled call on a board's clock."""

    __slots__ = ("_action", "_alarm", "_done")

    def __init__(self, clock: object, delay_ns: float, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action
        self._alarm = clock.create_alarm(self._run)  # type: ignore[attr-defined]
        self._alarm.schedule(delay_ns)

    def _run(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()

    def cancel(self) -> None:
        """Call it off; a second time, or after it ran, does nothing."""
        if self._action is not None:
            self._action = None
            self._alarm.cancel()


class CpuRunner:
    """Runs a board's CPU and clock.

    The reference core's loop reads three public attributes of this object: `rp2040`, `clock` and `stopped`.
    """

    def __init__(self, rp2040: RP2040) -> None:
        self.rp2040 = rp2040
        self.clock = cast(SimulationClock, rp2040.clock)
        self.stopped = True
        self.halted = True
        """The CPU executes nothing: no power, or hung. Clocks, PIO and DMA go on."""
        self.running = False
        self.horizon_ns = 0.0
        self._stalled_ns = 0.0
        self._stall_left_ns = 0.0
        self._past_cycles = 0
        self._stop = self.clock.create_alarm(self._reached)
        self._enter = self.clock.create_alarm(self._entered)
        self._asleep = False
        self._entering = False
        self._pio = rp2040.pio
        self._native = rp2040.core if isinstance(rp2040.core, NativeCore) else None

    @property
    def now_ns(self) -> int:
        """The board's time."""
        return round(self.clock.nanos)

    @property
    def awake_ns(self) -> int:
        """Time that the CPU has spent executing, or held up by its flash."""
        return round((self._past_cycles + self.rp2040.core.cycles) * 8 + self._stalled_ns)

    @property
    def next_event_ns(self) -> float:
        """Before this time the board does nothing unless something from outside arrives."""
        clock = self.clock
        if not (self.halted or self.rp2040.core.waiting):
            return clock.nanos
        if not clock.has_scheduled_alarm:
            return float("inf")
        return clock.nanos + clock.nanos_to_next_alarm

    def note_reset(self) -> None:
        """Call it just before the chip is reset, which clears the CPU's cycle counter."""
        self._past_cycles += self.rp2040.core.cycles
        self._stall_left_ns = 0.0

    def run_to(self, horizon_ns: float) -> None:
        """Run until the board's clock is at `horizon_ns` or one instruction beyond."""
        clock = self.clock
        self.horizon_ns = horizon_ns
        if clock.nanos >= horizon_ns:
            return
        self.running = True
        self._stop.schedule(horizon_ns - clock.nanos)
        try:
            while clock.nanos < self.horizon_ns:
                if self.halted:
                    self.clock.tick(clock.nanos_to_next_alarm)
                else:
                    self._execute()
        finally:
            if self._entering:  # interrupted before the first instruction
                self._enter.cancel()
                self._entered()
            self._stop.cancel()
            self.running = False

    def shorten(self, horizon_ns: float) -> None:
        """End the present run earlier."""
        if self.running and horizon_ns < self.horizon_ns:
            self.horizon_ns = max(horizon_ns, self.clock.nanos)
            self._stop.schedule(self.horizon_ns - self.clock.nanos)

    def interrupt(self) -> None:
        """Let the present run notice that `halted` changed."""
        self._reached()

    def stall_until(self, time_ns: int) -> None:
        """The CPU waits for its flash; all else goes on. The next run goes on with what is left of it."""
        self._stall_left_ns = max(0.0, time_ns - self.clock.nanos)
        self._stall()

    def _stall(self) -> None:
        start_ns = self.clock.nanos
        length_ns = min(self._stall_left_ns, max(0.0, self.horizon_ns - start_ns))
        if length_ns:
            self._stall_left_ns -= length_ns
            self._stalled_ns += length_ns
            self.clock.tick(length_ns)

    def _execute(self) -> None:
        self.clock.tick(0)  # what is due now comes before the first instruction, and may halt the CPU
        if self.halted:
            return
        self._stall()  # what comes due meanwhile may halt it too, or the stall fills the rest of the run
        if self.halted or self.clock.nanos >= self.horizon_ns:
            return
        if self._native is None:
            self._execute_reference()
        else:
            self._native.stop = False
            self._native.run()

    def _execute_reference(self) -> None:
        """One batch of the emulator's own loop.

        The loop asks each PIO block for work after every instruction, a third of its time, although alarms do
        that work here. It reads the list of blocks once, at its start: so it is shown an empty one, and the
        true list is put back by an alarm before the first instruction runs. To that end the loop must begin
        with a sleep of no length.
        """
        mcu = self.rp2040
        self.stopped = False
        self._asleep = mcu.core.waiting
        self._entering = True
        mcu.core.waiting = True
        mcu.pio = ()  # type: ignore[assignment]
        self._enter.schedule(0)
        execute_batch(self, 1)  # type: ignore[arg-type]

    def _entered(self) -> None:
        self._entering = False
        self.rp2040.pio = self._pio
        self.rp2040.core.waiting = self._asleep

    def _reached(self) -> None:
        self.stopped = True
        if self._native is not None:
            self._native.stop = True


class BoardScheduler:
    """The Scheduler that parts use: a board's clock."""

    def __init__(self, runner: CpuRunner) -> None:
        self._runner = runner
        self._clock = runner.clock
        self.on_outside_call: Callable[[int], None] | None = None
        """Told the time of a call that was scheduled while this board was not the one running."""

    @property
    def now_ns(self) -> int:
        """The board's time in ns, exact inside a callback."""
        return self._runner.now_ns

    def call_at(self, time_ns: int, action: Callable[[], None]) -> Handle:
        """Run `action` at `time_ns`, or at once if that has passed."""
        if not self._runner.running and self.on_outside_call:
            self.on_outside_call(time_ns)
        return AlarmHandle(self._clock, max(0.0, time_ns - self._clock.nanos), action)
