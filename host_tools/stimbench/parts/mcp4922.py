"""MCP4922: two 12-bit DACs behind one SPI write-only port (Microchip DS22250A).

Modelled: the 16-bit write command (section 5.2, register 5-1), its clock of 20 MHz at most (table of AC
characteristics) in mode 0,0 or 1,1 (5.1), the double buffer and LDAC (4.1.2 and figure 1-1), GA and SHDN,
the state after power-on (4.2.5), slew rate and settling, and offset, gain and integral errors of the size
in the table of electrical characteristics.
Left out: set-up and hold times of CS and LDAC (15-100 ns, less than two writes of a pin take), crosstalk,
glitches, noise, the BUF bit's effect on the reference's load, temperature.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from .interfaces import PinPort, Scheduler, SpiBusPort, SpiClock
from .seeds import spread
from .spi_limits import SpiLimits

__all__ = ("Mcp4922",)

SLEW_V_PER_NS = 0.55e-3
"""Electrical characteristics, output amplifier: slew rate 0.55 V/us typical."""

SETTLE_TAU_NS = 180.0
"""Chosen so that 1/4 to 3/4 of 4.096 V is within 1/2 LSB after the 4.5 us of the datasheet."""

MAX_HZ = 20e6
"""AC characteristics (SPI timing), F_CLK, at 2.7-5.5 V."""

MODES = (0, 3)
"""5.1: it takes data on the rising edge."""

_COMMAND_BITS = 16
_CHANNEL_B, _NOT_GA, _NOT_SHDN = 0x8000, 0x2000, 0x1000
_STEPS = 4096
_HALF_LSB_SHARE = 0.5 / _STEPS
_MOST_SHARE = 0.01
_MOST_INL_LSB = 12.0
_MOST_FLOOR_V = 0.010


@dataclass(slots=True)
class _Output:
    """One output amplifier on its way from `start_v` (at `since_ns`) to `target_v`."""

    start_v: float = 0.0
    target_v: float = 0.0
    since_ns: int = 0
    settled_ns: int = 0


@dataclass(slots=True)
class _Errors:
    """The errors of one channel of one chip."""

    offset_v: float
    gain: float
    bow_lsb: float
    wave_lsb: float
    phase: float
    floor_v: float = 0.0

    def volts(self, code: int, full_scale_v: float) -> float:
        """The output in V for a code, after settling."""
        share = code / _STEPS
        bow = self.bow_lsb * 4.0 * share * (1.0 - share)
        wave = self.wave_lsb * (math.sin(8.0 * math.pi * share + self.phase) - math.sin(self.phase))
        ideal = full_scale_v * (share + (bow + wave) / _STEPS)
        return max(self.floor_v, ideal * (1.0 + self.gain) + self.offset_v)


def _errors(seed: int, name: str) -> _Errors:
    """Typical sizes: offset 0.02 % of full scale, gain 0.1 %, INL 2 LSB (electrical characteristics)."""
    rng = spread(seed, name)
    return _Errors(
        offset_v=rng.uniform(-1.0, 1.0) * 0.0002 * 4.096,
        gain=rng.uniform(-0.001, 0.001),
        bow_lsb=rng.uniform(-1.5, 1.5),
        wave_lsb=rng.uniform(0.1, 0.4),
        phase=rng.uniform(0.0, 2.0 * math.pi),
    )


class Mcp4922:
    """The chip on its bus: channel 0 is A, channel 1 is B.

    `absent=True` leaves the socket empty: nothing answers and both outputs stay at 0 V, because the
    current pump's input has a resistor to ground.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        bus: SpiBusPort,
        cs: PinPort,
        ldac: PinPort,
        *,
        vref_v: float = 4.096,
        seed: int = 0,
        ideal: bool = False,
        absent: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._bus, self._cs, self._ldac = bus, cs, ldac
        self._limits = SpiLimits(bus, self.name, max_hz=MAX_HZ, modes=MODES, rng=spread(seed, "dac/spi"))
        self._vref_v = self.nominal_vref_v = vref_v
        self._clocks = 0
        self._shift = 0
        flat = _Errors(0.0, 0.0, 0.0, 0.0, 0.0)
        self._errors = [flat if ideal else _errors(seed, f"dac/{c}") for c in "ab"]
        # Power-on reset (4.2.5): shut down, outputs at high impedance, until a write and an LDAC.
        self._input_words = [0, 0]
        self._dac_words = [0, 0]
        self._outputs = [_Output(), _Output()]
        self._stuck: list[int | None] = [None, None]
        self._listeners: list[Callable[[int, int], None]] = []
        self.absent = absent
        self.ignored_frames = 0
        """Frames that ended before 16 clocks: the chip drops them without a word."""
        if not absent:
            bus.attach(self)
            cs.on_edge(self._on_cs)
            ldac.on_edge(self._on_ldac)

    @property
    def name(self) -> str:
        """What it is called in the board's log."""
        return "MCP4922"

    def on_change(self, listener: Callable[[int, int], None]) -> None:
        """Call `listener(channel, time_ns)` when an output starts to move."""
        self._listeners.append(listener)

    def code(self, channel: int) -> int:
        """The 12 bits that channel 0 (A) or 1 (B) holds in its output register."""
        return self._dac_words[channel] & 0xFFF

    def is_on(self, channel: int) -> bool:
        """False while shut down: then 500 kohm to ground, which reads as 0 V here."""
        return bool(self._dac_words[channel] & _NOT_SHDN)

    def settled_ns(self, channel: int) -> int:
        """When the output is within half a step of its target, in ns of bench time."""
        return self._outputs[channel].settled_ns

    def volts(self, channel: int, time_ns: int) -> float:
        """The output in V at a time not before its last change."""
        out = self._outputs[channel]
        if time_ns >= out.settled_ns:
            return out.target_v
        gap = out.target_v - out.start_v
        elapsed = max(0, time_ns - out.since_ns)
        linear = SLEW_V_PER_NS * SETTLE_TAU_NS
        slewing_ns = max(0.0, (abs(gap) - linear) / SLEW_V_PER_NS)
        if elapsed < slewing_ns:
            return out.start_v + math.copysign(SLEW_V_PER_NS * elapsed, gap)
        left = min(abs(gap), linear) * math.exp(-(elapsed - slewing_ns) / SETTLE_TAU_NS)
        return out.target_v - math.copysign(left, gap)

    def stick(self, channel: int, code: int | None) -> None:
        """Let a channel convert this code, whatever was written; None: it works again."""
        self._stuck[channel] = code
        self._move(channel, self._scheduler.now_ns)

    def stuck(self, channel: int) -> int | None:
        """The code that a channel is stuck at; None: at none."""
        return self._stuck[channel]

    @property
    def vref_v(self) -> float:
        """The voltage at both references."""
        return self._vref_v

    def scale(self, channel: int, share: float) -> None:
        """A gain error of a channel in place of its own: 0.1 gives 110 % of what is right."""
        self._errors[channel] = replace(self._errors[channel], gain=share)
        self._move(channel, self._scheduler.now_ns)

    def tolerance(self, draw: Callable[[], float]) -> None:
        """Errors of both channels within the most that the data sheet allows (electrical characteristics).

        Offset and gain 1 % of full scale, INL 12 steps, as a bow and a wave. The output amplifier is held to
        its accuracy from 10 mV on only (output swing): below, it stays at a floor of up to that.

        Args:
            draw: gives a place within a limit, -1 to 1.
        """
        for channel in (0, 1):
            bow = 9.0 * draw()
            self._errors[channel] = replace(
                self._errors[channel],
                offset_v=_MOST_SHARE * self.nominal_vref_v * draw(),
                gain=_MOST_SHARE * draw(),
                bow_lsb=bow,
                wave_lsb=(_MOST_INL_LSB - abs(bow)) / 2.0,
                floor_v=_MOST_FLOOR_V * (draw() + 1.0) / 2.0,
            )
            self._move(channel, self._scheduler.now_ns)

    def reference(self, volts: float) -> None:
        """Another voltage at both references."""
        self._vref_v = volts
        for channel in (0, 1):
            self._move(channel, self._scheduler.now_ns)

    def power_on_reset(self) -> None:
        """Back to the state after power-on: registers cleared, both outputs off."""
        now = self._scheduler.now_ns
        self._clocks = self._shift = 0
        self._input_words = [0, 0]
        self._transfer(now)

    def exchange(self, mosi: int, bits: int, clock: SpiClock) -> int | None:
        """Shift bits in. There is no data output: MISO is never driven."""
        if not self._cs.level:
            seen = self._limits.transfer(mosi, bits, clock)
            # Clocks past 16 are ignored (5.2).
            kept = min(bits, max(0, _COMMAND_BITS - self._clocks))
            self._shift = self._shift << kept | seen >> bits - kept
            self._clocks += bits
        return None

    def _on_cs(self, level: bool, time_ns: int) -> None:
        if not level:
            self._clocks = self._shift = 0
            return
        if self._clocks < _COMMAND_BITS:  # 5.2: a rising CS before 16 clocks aborts the write
            if self._clocks:
                self.ignored_frames += 1
                text = f"a frame of {self._clocks} clocks is ignored, it takes {_COMMAND_BITS}"
                self._bus.report(self.name, text)
            return
        channel = 1 if self._shift & _CHANNEL_B else 0
        self._input_words[channel] = self._shift
        self._clocks = 0
        if not self._ldac.level:  # LDAC tied low: transparent at the rising edge of CS
            self._transfer(time_ns)

    def _on_ldac(self, level: bool, time_ns: int) -> None:
        if not level:
            self._transfer(time_ns)

    def _transfer(self, time_ns: int) -> None:
        for channel in (0, 1):
            if self._dac_words[channel] != self._input_words[channel]:
                self._dac_words[channel] = self._input_words[channel]
                self._move(channel, time_ns)

    def _move(self, channel: int, time_ns: int) -> None:
        word = self._dac_words[channel]
        full_scale_v = self._vref_v * (1.0 if word & _NOT_GA else 2.0)
        stuck = self._stuck[channel]
        code = word & 0xFFF if stuck is None else stuck
        on = word & _NOT_SHDN or stuck is not None
        target = self._errors[channel].volts(code, full_scale_v) if on else 0.0
        target = min(target, 4.96)  # the amplifier reaches VDD (5 V) less 40 mV
        start = self.volts(channel, time_ns)
        gap, linear = abs(target - start), SLEW_V_PER_NS * SETTLE_TAU_NS
        half_lsb = full_scale_v * _HALF_LSB_SHARE
        settle = max(0.0, (gap - linear) / SLEW_V_PER_NS)
        if gap > half_lsb:
            settle += SETTLE_TAU_NS * math.log(min(gap, linear) / half_lsb)
        self._outputs[channel] = _Output(start, target, time_ns, time_ns + round(settle))
        for listener in self._listeners:
            listener(channel, time_ns)
