"""The pump that this circuit does not have: an improved Howland, for the decision record.

R1 = R3 = 40 k, R4 = 10 k, R2 = 9.9 k, Rs = 100 ohm: 2.5 mA/V. Each draw has five resistors of 0.1 %.
"""

from __future__ import annotations

import random

from circuit.sim import ngspice
from circuit.sim.deck import deck

_VALUES = {"R1": 40e3, "R2": 9.9e3, "R3": 40e3, "R4": 10e3, "RS": 100.0}
SHARE = 0.001


def current_ma(values: dict[str, float], load_ohm: float) -> float:
    """The current at 4 mA asked, into a resistor."""
    lines = [
        "Vp vcc 0 15",
        "Vn vee 0 -15",
        "Vin in 0 1.6",
        f"R1 in plus {values['R1']:.9g}",
        f"R2 plus out {values['R2']:.9g}",
        f"R3 0 minus {values['R3']:.9g}",
        f"R4 minus drive {values['R4']:.9g}",
        f"RS drive out {values['RS']:.9g}",
        "X1 plus minus vcc vee drive opamp",
        f"RL out 0 {load_ohm:g}",
    ]
    found = ngspice.run(
        deck("Howland", lines, ["op", "set filetype=binary", "write out.raw v(out) v(in)", "quit"])
    )
    return float(found["v(out)"][0]) / load_ohm * 1e3


def spreads(runs: int) -> list[float]:
    """Of each draw: how far apart the currents into 200 ohm and into 2 kohm are, as a share."""
    found = []
    for seed in range(runs):
        rng = random.Random(seed)
        values = {name: ohm * (1.0 + rng.uniform(-SHARE, SHARE)) for name, ohm in _VALUES.items()}
        low, high = current_ma(values, 200.0), current_ma(values, 2000.0)
        found.append(abs(high / low - 1.0))
    return found
