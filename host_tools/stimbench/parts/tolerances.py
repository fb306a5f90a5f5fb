"""Where in its tolerance each part of a stimulator lies.

`typical`: what the bench's seed draws for each part, of the size that data sheets call typical. `worst`: each
part at one end of its limits, which end drawn from the seed. A number: each part anywhere within its limits,
drawn from that number. The limits are those of docs/circuit.md's bill of materials and the data sheets that
it names.
"""

from __future__ import annotations

from collections.abc import Callable

from . import assembly
from .adg1414 import R_ON_MOST_OHM, R_ON_OHM
from .monostable import PULSE_MS
from .pump import LIMIT_MOST_OHM, LIMIT_OHM, SUPPLY_V
from .relay import CLOSES_MS, OPENS_MS
from .seeds import spread
from .wiring import StimulatorParts

__all__ = ("Tolerance", "apply", "worst_case")

Tolerance = str | int
"""`typical`, `worst`, or a seed."""

PUMP_SHARE = 0.003
"""R2 / (R1 R3): three resistors of 0.1 %."""
PUMP_OFFSET_A = 1.25e-6
"""An OPA2197's 0.1 mV through 2.5 mA/V and 10 mA/V (SBOS737, 6.6)."""
SUPPLY_SHARE = 0.03
"""The converter: 2 % of its setting and 1 % over the load."""
V_SHARE, I_SHARE = 0.004, 0.003
"""Four resistors of 0.1 % around a gain of 0.1; shunt, gain resistor and chip of 0.1 % each."""
SENSE_OFFSET_V = 0.003
MONOSTABLE_SHARE = 0.11
"""R of 1 %, C of 5 %, the chip's own factor of 5 %: 107 to 133 ms."""
ADC_SHARE, ADC_OFFSET_STEPS = 0.001, 4.0


def apply(parts: StimulatorParts, choice: Tolerance, seed: int) -> None:
    """Move every part to its place.

    Args:
        parts: a board's, as wired.
        choice: `typical`, `worst`, or a seed.
        seed: the bench's, for which end is the worst one.

    Raises:
        ValueError: another word.
    """
    if choice == "typical":
        return
    if choice == "worst":
        rng = spread(seed, "tolerance/worst")

        def draw() -> float:
            return rng.choice((-1.0, 1.0))
    elif isinstance(choice, int) and not isinstance(choice, bool):
        rng = spread(choice, "tolerance/anywhere")

        def draw() -> float:
            return rng.uniform(-1.0, 1.0)
    else:
        raise ValueError(f"a tolerance is typical, worst or a seed, not {choice!r}")
    _move(parts, draw)
    assembly.plant(parts, parts.assembly)  # what was wired wrongly is off by more than any tolerance


def _move(parts: StimulatorParts, draw: Callable[[], float]) -> None:
    """Each of `draw`'s numbers, -1 to 1, is a place within one limit."""
    supply_v = SUPPLY_V * (1.0 + SUPPLY_SHARE * draw())
    for pump in parts.pumps.values():
        pump.tolerance(
            1.0 + PUMP_SHARE * draw(),
            supply_v=supply_v,
            limit_ohm=LIMIT_OHM + (LIMIT_MOST_OHM - LIMIT_OHM) * draw(),
            offset_a=PUMP_OFFSET_A * draw(),
        )
    for voltage in parts.voltage_senses.values():
        voltage.tolerance(1.0 + V_SHARE * draw(), SENSE_OFFSET_V * draw())
    parts.current_sense.tolerance(1.0, SENSE_OFFSET_V * draw())
    parts.current_sense.shares = [1.0 + I_SHARE * draw() for _ in parts.leads]
    for relay in parts.relays.values():
        relay.tolerance(
            _between(CLOSES_MS["typical"], CLOSES_MS["worst"], draw()),
            _between(OPENS_MS["typical"], OPENS_MS["worst"], draw()),
        )
    parts.matrix.r_on_ohm = [R_ON_OHM + (R_ON_MOST_OHM - R_ON_OHM) * draw() for _ in parts.leads]
    parts.gate.tolerance(PULSE_MS, MONOSTABLE_SHARE * draw())
    parts.adc.tolerance(1.0 + ADC_SHARE * draw(), ADC_OFFSET_STEPS * draw())
    parts.dac.tolerance(draw)


def _between(low: float, high: float, place: float) -> float:
    return low + (high - low) * (place + 1.0) / 2.0


def worst_case(parts: StimulatorParts, sign: int) -> None:
    """Give each part the end of its tolerance, all gains off the same way: `sign` 1 or -1.

    Parts of 1 %: pump 1 % (its 0.1 % resistors, drifted), amplifiers 0.5 % against it, converter 0.1 %. With
    sign 1 the pump has the least voltage, the relays are the slowest, the monostable's pulse is the shortest.
    """
    for side, pump in parts.pumps.items():
        pump.tolerance(
            1.0 + 0.01 * sign * (1 if side == "left" else -1),
            supply_v=SUPPLY_V * (1.0 - SUPPLY_SHARE * sign),
            limit_ohm=LIMIT_OHM + (LIMIT_MOST_OHM - LIMIT_OHM) * sign,
        )
    for relay in parts.relays.values():
        relay.tolerance(
            _between(CLOSES_MS["typical"], CLOSES_MS["worst"], sign),
            _between(OPENS_MS["typical"], OPENS_MS["worst"], sign),
        )
    parts.matrix.r_on_ohm = [R_ON_OHM + (R_ON_MOST_OHM - R_ON_OHM) * sign for _ in parts.leads]
    parts.gate.tolerance(PULSE_MS, -MONOSTABLE_SHARE * sign)
    for voltage in parts.voltage_senses.values():
        voltage.tolerance(1.0 + 0.005 * sign, 0.003 * sign)
    parts.current_sense.tolerance(1.0 + 0.005 * sign, 0.003 * sign)
    parts.adc.tolerance(1.0 + 0.001 * sign, 4.0 * sign)
