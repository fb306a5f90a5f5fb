"""What can fail on a stimulator, a row a failure: each part's own ways, as data sheets and physics give them.

The models know nothing of any firmware, nor of what it looks for. Each takes effect at once.

- Lead: a conductor broken, touching or loose, an electrode that drifts (fracture, worn insulation, a loose
  set screw, encapsulation).
- DAC: a code stuck (a latch that no LDAC reaches); the reference (its tolerance, its load).
- Matrix: a switch stuck open or closed (a channel after an overvoltage).
- Pump: dead, saturated (open feedback), or another gain (one of its three resistors that changed).
- Bridge: the anodic switch open or shunted, a leak from +-15 V that the anodic phase feels.
- Converter: stuck, or its 3.3 V reference loaded. Amplifier: an input resistor that opened.
- Supply low, a board too warm.
- A field from outside: mains, or the envelope of a stronger one, between the electrodes and in the amplifier.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .electrodes import Electrode
from .interfaces import Scheduler
from .wiring import StimulatorParts

__all__ = ("FAILURES", "Failure", "Place", "failure", "field")

_SIDES = ("left", "right")
_MS = 1_000_000


@dataclass(frozen=True)
class Place:
    """Where a failure is put.

    Attributes:
        parts: the board's.
        clock: the bench's.
        side: `left` or `right`.
        cathode, anode: the electrodes in use there.
        rng: for what a failure has of chance.
        code: the DAC code that is set on that side, so that a stuck one can be another.
    """

    parts: StimulatorParts
    clock: Scheduler
    side: str
    cathode: int
    anode: int
    rng: random.Random
    code: int = 800

    @property
    def channel(self) -> int:
        """0 left, 1 right: of DAC, matrix and voltage."""
        return _SIDES.index(self.side)


@dataclass(frozen=True)
class Failure:
    """One way to fail.

    Attributes:
        name: of the failure.
        part: that fails.
        one_side: it is on one lead; else the whole device's.
        inject: makes it.
    """

    name: str
    part: str
    one_side: bool
    inject: Callable[[Place], None]


def _electrode(at: Place, index: int) -> Electrode:
    return at.parts.leads[at.side].electrodes[index]


def _broken(at: Place) -> None:
    _electrode(at, at.rng.choice((at.cathode, at.anode))).open()


def _touching(at: Place) -> None:
    _electrode(at, at.cathode).short_to(_electrode(at, at.anode))


def _loose(at: Place) -> None:
    _electrode(at, at.rng.choice((at.cathode, at.anode))).intermittent(at.rng.uniform(150.0, 400.0), 0.5)


def _dry(at: Place) -> None:
    """So much that the pump reaches its compliance limit, and still pushes most of the current."""
    _electrode(at, at.cathode).set(r_s_ohm=15.0 / (at.code * 2.5e-6) * at.rng.uniform(1.15, 1.9))


def _drifting(at: Place) -> None:
    """The access resistance of an electrode more than doubles within 0.3 s."""
    electrode = _electrode(at, at.cathode)
    begin, steps = electrode.values.r_s_ohm, 6
    for step in range(1, steps + 1):
        ohm = begin * (1.0 + 1.2 * step / steps)
        at.clock.call_at(at.clock.now_ns + step * 50 * _MS, partial(electrode.set, r_s_ohm=ohm))


def _stuck_code(at: Place) -> None:
    """A latch holds a code that is at least a third away from what is set."""
    low, high = max(250, at.code // 2), min(4095, at.code * 3 // 2)
    at.parts.dac.stick(at.channel, at.rng.choice((low, high)) if low < at.code * 2 // 3 else high)


def _dac_reference(at: Place) -> None:
    at.parts.dac.reference(4.096 * at.rng.choice((0.8, 1.25)))


def _stuck_open(at: Place) -> None:
    bit = at.rng.choice((at.cathode, at.anode + 4))
    at.parts.matrix.stick(at.channel, bit, False, at.clock.now_ns)


def _stuck_closed(at: Place) -> None:
    """The anode's electrode on the source rail as well: a path past the tissue."""
    at.parts.matrix.stick(at.channel, at.anode, True, at.clock.now_ns)


def _pump(gain: tuple[float, ...]) -> Callable[[Place], None]:
    def inject(at: Place) -> None:
        at.parts.pumps[at.side].gain_fault = at.rng.choice(gain)
        at.parts.leads[at.side].part_changed()

    return inject


def _saturated(at: Place) -> None:
    at.parts.pumps[at.side].saturated = True
    at.parts.leads[at.side].part_changed()


def _anodic(share: float) -> Callable[[Place], None]:
    def inject(at: Place) -> None:
        at.parts.bridges[at.side].anodic_share = share
        at.parts.leads[at.side].part_changed()

    return inject


def _leaking(at: Place) -> None:
    """0.2 to 1.1 mA more or less in the anodic phase of 4 mA."""
    at.parts.leads[at.side].leak(at.rng.uniform(15e3, 90e3), at.rng.random() < 0.5)


def _adc_stuck(at: Place) -> None:
    at.parts.adc.stuck_code = at.rng.choice((0, 4095, 2048, at.rng.randrange(4096)))


def _adc_reference(at: Place) -> None:
    at.parts.adc.vref_v = 3.3 * at.rng.choice((0.95, 1.05))


def _offset(at: Place) -> None:
    at.parts.current_sense.shift(at.rng.choice((-1.0, 1.0)) * at.rng.uniform(0.03, 0.15))


def _supply(at: Place) -> None:
    at.parts.supply.vsys_v = at.rng.uniform(2.6, 3.2)


def _hot(at: Place) -> None:
    at.parts.supply.celsius = at.rng.uniform(58.0, 75.0)


def field(parts: StimulatorParts, volts: float, amps: float, hz: float, phase: float = 0.0) -> None:
    """A field: peak voltage between joined electrodes, peak current in the amplifier; 0 and 0 end it."""
    turn = 2.0 * math.pi * hz * 1e-9

    def wave(peak: float) -> Callable[[int], float] | None:
        return (lambda t: peak * math.sin(turn * t + phase)) if peak else None

    for sense in parts.voltage_senses.values():
        sense.pickup = wave(volts)
    parts.current_sense.pickup = wave(amps)


def _field(at: Place) -> None:
    hz = at.rng.choice((50.0, 60.0, 217.0)) + at.rng.uniform(-0.7, 0.7)
    field(at.parts, at.rng.uniform(1.0, 4.0), at.rng.uniform(0.4e-3, 2e-3), hz, at.rng.uniform(0.0, 6.28))


FAILURES: tuple[Failure, ...] = (
    Failure("conductor broken", "lead", True, _broken),
    Failure("conductors touch", "lead", True, _touching),
    Failure("loose contact", "lead", True, _loose),
    Failure("electrode too resistive", "lead", True, _dry),
    Failure("electrode drifts", "lead", True, _drifting),
    Failure("DAC code stuck", "DAC", True, _stuck_code),
    Failure("DAC reference off", "DAC", False, _dac_reference),
    Failure("switch stuck open", "matrix", True, _stuck_open),
    Failure("switch stuck closed", "matrix", True, _stuck_closed),
    Failure("pump dead", "pump", True, _pump((0.0,))),
    Failure("pump saturated", "pump", True, _saturated),
    Failure("pump gain too high", "pump", True, _pump((1.25, 1.5, 2.0))),
    Failure("anodic switch dead", "bridge", True, _anodic(0.0)),
    Failure("anodic switch shunted", "bridge", True, _anodic(0.75)),
    Failure("bridge leaks", "bridge", True, _leaking),
    Failure("converter stuck", "converter", False, _adc_stuck),
    Failure("converter reference off", "converter", False, _adc_reference),
    Failure("current amplifier's offset", "amplifier", False, _offset),
    Failure("supply low", "supply", False, _supply),
    Failure("too warm", "board", False, _hot),
    Failure("field from outside", "surroundings", False, _field),
)


def failure(name: str) -> Failure:
    """The row of a failure.

    Raises:
        KeyError: there is none of this name.
    """
    for row in FAILURES:
        if row.name == name:
            return row
    raise KeyError(name)

