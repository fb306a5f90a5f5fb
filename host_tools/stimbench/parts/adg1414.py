"""Two ADG1414 octal switches in a daisy chain (Analog Devices ADG1414, rev. B).

Modelled: the 8-bit shift register that keeps the last bits clocked in, SDO feeding the next DIN, all
switches following their registers at the rising edge of SYNC, everything open after power-on ("Theory of
operation": serial interface, power-on reset, daisy chaining), the clock's limits for one chip and for the
chain, and an on-resistance of 9.5 ohm typical, 11.5 ohm at the most (table 1).
Left out: charge injection (10 pC), leakage (0.15 nA), the switching time (145 ns at most), SYNC's set-up and
hold times, and the change of the on-resistance with voltage (1.6 ohm over +-10 V).

The order of bytes. The chip next to the controller switches the LEFT lead, the second one the RIGHT lead.
The first byte sent is pushed on by the next, so **send the right lead's byte first, then the left's**.

The chain's clock. Data are taken on the falling edge of SCLK and SDO changes after the rising edge
(table 6). The next chip's data must have settled by the falling edge, so half a clock must hold SDO's delay
and DIN's set-up time. Faster, but within one chip's limit, the first chip is right and the second is not.
SDO needs 40 ns with 20 pF; `sdo_ns` says what a board has.
"""

from __future__ import annotations

from collections.abc import Callable

from .interfaces import PinPort, SpiBusPort, SpiClock
from .seeds import spread
from .spi_limits import SpiLimits

__all__ = ("BREADBOARD_SDO_NS", "R_ON_MOST_OHM", "R_ON_OHM", "SDO_NS", "MatrixChain")

R_ON_OHM, R_ON_MOST_OHM = 9.5, 11.5
"""On-resistance at 25 C and +-15 V: typical and most, from table 1."""
MAX_HZ = 50e6
"""One over the SCLK cycle time t1, 20 ns (table 6)."""
SETUP_NS = 5.0
"""DIN's set-up time t5 (table 6)."""
SDO_NS = 40.0
"""SCLK rising edge to SDO valid, t11, with 1 kohm to the supply and 20 pF (table 6)."""
BREADBOARD_SDO_NS = 200.0
"""The same with 100 pF of breadboard and wire on the 1 kohm: 40 ns, and 80 pF x 1 kohm x ln(1 / 0.2) more,
rounded."""

MODES = (1, 2)
"""Data are taken on the falling edge of SCLK."""

_CHAIN_BITS = 16


class MatrixChain:
    """Both chips on one SYNC. `absent=True`: the sockets are empty, every path is open."""

    def __init__(
        self,
        bus: SpiBusPort,
        sync: PinPort,
        *,
        sdo_ns: float = BREADBOARD_SDO_NS,
        seed: int = 0,
        ideal: bool = False,
        absent: bool = False,
    ) -> None:
        self._bus, self._sync = bus, sync
        rng = spread(seed, "matrix")
        self.r_on_ohm = [R_ON_OHM if ideal else R_ON_OHM * rng.uniform(0.95, 1.05) for _ in (0, 1)]
        """On-resistance of each of a chip's switches, ohm: left, right."""
        self._first = SpiLimits(
            bus, self.name, max_hz=MAX_HZ, modes=MODES, rng=spread(seed, "matrix/spi/first")
        )
        # A wrong mode spoils what the first chip takes; our choice is that it passes that on unharmed.
        self._second = SpiLimits(
            bus,
            f"{self.name}, second in the chain",
            max_hz=0.5e9 / (sdo_ns + SETUP_NS),
            modes=range(4),
            rng=spread(seed, "matrix/spi/second"),
        )
        self._registers = [0, 0]
        self._clocks = 0
        self._latched = [0, 0]
        self._masks = [0, 0]
        self._stuck_closed = [0, 0]
        self._stuck_open = [0, 0]
        self._listeners: list[Callable[[int, int], None]] = []
        self.absent = absent
        if not absent:
            bus.attach(self)
            sync.on_edge(self._on_sync)

    @property
    def name(self) -> str:
        """What it is called in the board's log."""
        return "ADG1414"

    def on_change(self, listener: Callable[[int, int], None]) -> None:
        """Call `listener(chip, time_ns)` when switches of chip 0 (left) or 1 (right) change."""
        self._listeners.append(listener)

    def mask(self, chip: int) -> int:
        """8 bits, 1 = closed: bits 0-3 electrodes 0-3 to the source rail, 4-7 to the sink rail."""
        return self._masks[chip]

    def exchange(self, mosi: int, bits: int, clock: SpiClock) -> int | None:
        """Shift bits through the chain; the second chip's SDO goes nowhere on this bench."""
        if not self._sync.level:
            first, second = self._registers
            passed = self._second.transfer(first >> 8 - bits, bits, clock)
            seen = self._first.transfer(mosi, bits, clock)
            self._registers = [(first << bits | seen) & 0xFF, (second << bits | passed) & 0xFF]
            self._clocks += bits
        return None

    def stick(self, chip: int, bit: int, closed: bool, time_ns: int) -> None:
        """Let a switch of chip 0 (left) or 1 (right) stay so, whatever its register says; `mend` ends it."""
        for masks, wanted in ((self._stuck_closed, closed), (self._stuck_open, not closed)):
            masks[chip] = masks[chip] & ~(1 << bit) | (wanted << bit)
        self._tell(chip, time_ns)

    def stuck(self, chip: int, bit: int) -> bool | None:
        """Whether a switch is stuck closed (True) or open (False); None: it is not stuck."""
        if self._stuck_closed[chip] >> bit & 1:
            return True
        return False if self._stuck_open[chip] >> bit & 1 else None

    def mend(self, time_ns: int, chip: int | None = None, bit: int | None = None) -> None:
        """This switch is not stuck any more; without one, none is."""
        kept = 0 if bit is None else ~(1 << bit)
        for each in (0, 1) if chip is None else (chip,):
            self._stuck_closed[each] &= kept
            self._stuck_open[each] &= kept
            self._tell(each, time_ns)

    def power_on_reset(self, time_ns: int) -> None:
        """Back to the state after power-on: zeros in the registers, everything open."""
        self._registers = [0, 0]
        self._clocks = 0
        self._apply(time_ns)

    def _on_sync(self, level: bool, time_ns: int) -> None:
        clocks, self._clocks = self._clocks, 0
        if level:
            if clocks % _CHAIN_BITS:
                self._bus.report(self.name, f"a frame of {clocks} clocks, the chain holds {_CHAIN_BITS} bits")
            self._apply(time_ns)

    def _apply(self, time_ns: int) -> None:
        self._latched = list(self._registers)
        for chip in range(len(self._latched)):
            self._tell(chip, time_ns)

    def _tell(self, chip: int, time_ns: int) -> None:
        mask = (self._latched[chip] | self._stuck_closed[chip]) & ~self._stuck_open[chip]
        if mask != self._masks[chip]:
            self._masks[chip] = mask
            for listener in self._listeners:
                listener(chip, time_ns)
