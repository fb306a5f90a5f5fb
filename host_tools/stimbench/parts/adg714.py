"""Two ADG714 octal switches in a daisy chain (Analog Devices ADG714/ADG715, rev. E).

Modelled: the 8-bit shift register that keeps the last bits clocked in, DOUT feeding the next DIN, all
switches following their registers at the rising edge of SYNC, everything open after power-on ("Theory of
operation": serial interface, power-on reset, daisy chaining), and an on-resistance of 2.5 ohm typical.
Left out: charge injection (3 pC), leakage (0.1 nA), the 20 ns switching time, and the limits of the
analog range: a real ADG714 passes only signals within its own supplies (see docs/hardware.md).

The order of bytes. The chip next to the controller switches the LEFT lead, the second one the RIGHT lead.
The first byte sent is pushed on by the next, so **send the right lead's byte first, then the left's**.
"""

from __future__ import annotations

from collections.abc import Callable

from .ports import PinPort, SpiBusPort

__all__ = ("R_ON_OHM", "MatrixChain")

R_ON_OHM = 2.5
"""On-resistance, typical, from the table of specifications."""


class MatrixChain:
    """Both chips on one SYNC. `absent=True`: the sockets are empty, every path is open."""

    def __init__(self, bus: SpiBusPort, sync: PinPort, *, absent: bool = False) -> None:
        self._sync = sync
        self._shift = 0
        self._masks = [0, 0]
        self._listeners: list[Callable[[int, int], None]] = []
        self.absent = absent
        if not absent:
            bus.attach(self)
            sync.on_edge(self._on_sync)

    def on_change(self, listener: Callable[[int, int], None]) -> None:
        """Call `listener(chip, time_ns)` when switches of chip 0 (left) or 1 (right) change."""
        self._listeners.append(listener)

    def mask(self, chip: int) -> int:
        """8 bits, 1 = closed: bits 0-3 electrodes 0-3 to the source rail, 4-7 to the sink rail."""
        return self._masks[chip]

    def exchange(self, mosi: int) -> int | None:
        """Shift a byte through the chain; the second chip's DOUT goes nowhere on this bench."""
        if not self._sync.level:
            self._shift = ((self._shift << 8) | (mosi & 0xFF)) & 0xFFFF
        return None

    def power_on_reset(self, time_ns: int) -> None:
        """Back to the state after power-on: zeros in the registers, everything open."""
        self._shift = 0
        self._apply(time_ns)

    def _on_sync(self, level: bool, time_ns: int) -> None:
        if level:
            self._apply(time_ns)

    def _apply(self, time_ns: int) -> None:
        for chip, mask in enumerate((self._shift & 0xFF, self._shift >> 8)):
            if mask != self._masks[chip]:
                self._masks[chip] = mask
                for listener in self._listeners:
                    listener(chip, time_ns)
