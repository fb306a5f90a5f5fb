"""The RP2040's timer, whose raw count the native core reads by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rp2040py.peripherals.timer import RPTimer

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

__all__ = ("BoardTimer",)


class BoardTimer(RPTimer):
    """Tells when its count restarts."""

    def __init__(self, rp2040: RP2040, on_epoch: Callable[[float], None]) -> None:
        """Make it, in place of the emulator's own.

        Args:
            rp2040: the microcontroller.
            on_epoch: told the time (ns) at which the count is 0, at every reset.
        """
        super().__init__(rp2040, "TIMER_BASE")
        self._on_epoch = on_epoch

    def reset(self) -> None:
        """Registers and alarms to their power-on values; the count begins at 0 (datasheet 4.6)."""
        super().reset()
        self._on_epoch(self._epoch_nanos)
