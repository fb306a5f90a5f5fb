"""The RP2040's PWM, whose slices cost nothing while nobody sees them.

The emulator keeps three alarms a running slice. A slice that drives no pin, raises no interrupt and paces no
DMA channel is parked when it wraps: its counter follows from the clock, and its alarms are back before anyone
could tell. Only where two slices wrap at the very same time may their order be another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rp2040py.peripherals.dma import DREQChannel
from rp2040py.peripherals.pwm import RPPWM, PWMChannel
from rp2040py.utils.timer32 import Timer32PeriodicAlarm

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

__all__ = ("BoardPwm",)

_SLICE_BYTES, _SLICES = 0x14, 8
_EN, _INTR, _INTS = 0xA0, 0xA4, 0xB0
_CSR_EN, _CSR_PHASE_CORRECT, _CSR_DIVMODE = 0x01, 0x02, 0x30
_ROUNDING_NS = 1e-3


class _Slice(PWMChannel):
    """A slice that may be parked: a free-running counter whose two outputs stay as they are."""

    parked = False
    parked_ns = 0.0
    """When it wrapped last before it was parked."""
    unseen = False
    """Whether its first wrap since then has not been told of."""

    def _wrap(self) -> None:
        super()._wrap()
        if self._is_silent():
            self.parked = self.unseen = True
            self.parked_ns = self.clock.nanos
            self._set_alarms(False)

    def _is_silent(self) -> bool:
        return (
            self.timer.enable
            and self.csr & (_CSR_EN | _CSR_PHASE_CORRECT | _CSR_DIVMODE) == _CSR_EN
            and not self.cc
            and not self.alarm_a.target
            and not self.alarm_b.target
            and not self.timer.raw_counter
            and not self.pwm.listens(self.index)  # type: ignore[attr-defined]
        )

    @property
    def _period_ns(self) -> float:
        return self.timer.to_nanos(self.timer.top + 1)

    def settle(self) -> None:
        """Tell of the wraps that have passed unseen."""
        if self.unseen and self.clock.nanos - self.parked_ns >= self._period_ns:
            self.unseen = False
            self.pwm.channel_interrupt(self.index)

    def wake(self) -> None:
        """Run as any other, from the next wrap on."""
        if not self.parked:
            return
        self.settle()
        self.parked = self.unseen = False
        self._set_alarms(True)
        period_ns = self._period_ns
        left_ns = period_ns - (self.clock.nanos - self.parked_ns) % period_ns
        if left_ns < _ROUNDING_NS:
            left_ns += period_ns
        for alarm in self._alarms:  # where they would be: not at a counter rounded to whole ticks
            alarm._clock_alarm.schedule(left_ns)

    def release(self) -> None:
        """Forget that it was parked: it is being reset."""
        self.parked = self.unseen = False
        self._set_alarms(True)

    @property
    def _alarms(self) -> tuple[Timer32PeriodicAlarm, ...]:
        return self.alarm_a, self.alarm_b, self.alarm_bottom

    def _set_alarms(self, on: bool) -> None:
        for alarm in self._alarms:
            alarm.enable = on


class _Requests(dict[int, bool]):
    """The DMA's request lines; whoever asks for a slice's wakes it."""

    def __init__(self, lines: dict[int, bool], slices: list[_Slice]) -> None:
        super().__init__(lines)
        self._slices = slices

    def get(self, line: int, default: bool = False) -> bool:  # type: ignore[override]
        index = line - DREQChannel.DREQ_PWM_WRAP0
        if 0 <= index < _SLICES:
            self._slices[index].wake()
        return super().get(line, default)


class BoardPwm(RPPWM):
    """The eight slices."""

    channels: list[_Slice]  # type: ignore[assignment]

    def __init__(self, rp2040: RP2040) -> None:
        """Make it, in place of the emulator's own."""
        super().__init__(rp2040, "PWM_BASE")
        for channel in self.channels:
            channel.timer.enable = False
        self.channels = [_Slice(self, rp2040.clock, index) for index in range(_SLICES)]
        rp2040.dma.dreq = _Requests(rp2040.dma.dreq, self.channels)
        self.reset()

    def listens(self, index: int) -> bool:
        """Whether an interrupt or a DMA channel waits for a slice's wrap."""
        line = DREQChannel.DREQ_PWM_WRAP0 + index
        return bool(self._int_enable >> index & 1) or any(
            channel.active and channel.treq == line for channel in self.rp2040.dma.channels
        )

    def read_uint32(self, offset: int) -> int:
        """A register read."""
        if _INTR <= offset <= _INTS:
            for channel in self.channels:
                channel.settle()
        return int(super().read_uint32(offset))

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write; slices that it may touch run meanwhile."""
        touched = self.channels[offset // _SLICE_BYTES :][:1] if offset < _EN else self.channels
        for channel in touched:
            channel.wake()
        super().write_uint32(offset, value)

    def reset(self) -> None:
        """All registers to their power-on values."""
        for channel in self.channels:
            channel.release()
        super().reset()
        self._int_raw = self._int_enable = self._int_force = 0
        self.check_interrupts()
