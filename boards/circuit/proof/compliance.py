"""The voltage that the pump can put on the electrodes at 10 mA, and how long a pulse fits."""

from __future__ import annotations

import numpy as np

from circuit.proof import measures, pulse
from circuit.proof.pulse import Case, Waves
from circuit.sim.deck import Changes
from circuit.snapshot import Snapshot

FULL_UA = 10_000.0
LARGE_UF = 1e4
"""So large that the load is a resistor."""
WORST = Changes(
    params={
        "U_DCDC_0": {"volt": 15.0 * 0.97},
        "U_DCDC_1": {"volt": 15.0 * 0.97},
        "Q_L_OUT": {"kp": 0.08, "vto": -3.5, "rs": 8.0},
        **{f"U_L_BRIDGE_{k}": {"ron": 35.0} for k in range(4)},
    }
)
"""The converter 3 % low, the output transistor weak, the switches at their maximum."""


def volts_at_full_current(board: Snapshot, changes: Changes | None = None) -> float:
    """The largest voltage between the two electrodes at which 10 mA are still within 1 %, in V.

    The phase lasts 50 us, so 0.1 V of the blocking capacitor's are in it.
    """
    low, high = 900.0, 1500.0
    best = 0.0
    for _ in range(8):
        ohm = 0.5 * (low + high)
        case = Case(FULL_UA, ohm, LARGE_UF, width_us=50.0, gap_us=10.0, after_us=10.0)
        waves = pulse.run(board, case, changes)
        amps = measures.phase(waves, "CATH").settled_ua
        if amps >= FULL_UA * (1.0 - measures.SETTLED_SHARE):
            low, best = ohm, amps * 1e-6 * ohm
        else:
            high = ohm
    return best


def holds_for_us(waves: Waves) -> float:
    """From the cathodic edge until the current is 1 % short of what was asked; the width if never."""
    rise, fall = waves.case.edges_us()["CATH"]
    times, amps = waves.between(rise + 20.0, fall)
    short = times[-amps < waves.case.amplitude_ua * 1e-6 * (1.0 - measures.SETTLED_SHARE)]
    return float(short[0]) * 1e6 - rise if len(short) else fall - rise


def longest(
    board: Snapshot, amplitude_ua: float, r_ohm: float, c_uf: float, changes: Changes | None = None
) -> float:
    """How much of a 1000 us phase that amplitude holds for, in us."""
    case = Case(amplitude_ua, r_ohm, c_uf, width_us=1000.0, gap_us=10.0, after_us=20.0)
    return holds_for_us(pulse.run(board, case, changes))


def first_sample_v(waves: Waves, net: str, after_us: float) -> float:
    """A sense net's voltage that long after the cathodic edge."""
    rise, _ = waves.case.edges_us()["CATH"]
    return float(np.interp((rise + after_us) * 1e-6, waves.time_s, waves.volts[net]))
