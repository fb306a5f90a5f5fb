"""The energy of a pulse in the load: what IEC 60601-2-10 limits into 500 ohm."""

from __future__ import annotations

import numpy as np

from stimbench.capture.channels import Floats
from stimbench.checks.judge import LeadChecked, Verdict
from stimbench.checks.limits import CASE_TEXTS, Limits
from stimbench.checks.outcome import Finding, Measurement, Outcome, judged

__all__ = ("add_energy", "energies_mj")

_MJ_PER_UA2_OHM_NS = 1e-18


def energies_mj(checked: LeadChecked, resistance_ohm: float) -> Floats:
    """What both phases of each pulse leave in a resistance, by the measured current: shape (n,), mJ."""
    pulses, shapes = checked.train.pulses, checked.train.shapes
    if shapes is None:
        return np.empty(0)
    found = shapes.pulses
    squares = found["cathodic_ua"] ** 2 * pulses["cathodic_ns"]
    squares += np.where(pulses["complete"], found["anodic_ua"] ** 2 * pulses["anodic_ns"], 0.0)
    energies: Floats = squares * resistance_ohm * _MJ_PER_UA2_OHM_NS
    return energies


def add_energy(verdict: Verdict, resistance_ohm: float, limits: Limits) -> None:
    """Add the largest energy of a pulse to the verdict, of each lead whose current was recorded.

    Args:
        verdict: with its leads.
        resistance_ohm: of an electrode pair.
        limits: has the largest energy that is allowed.
    """
    limit, text = limits.of("energy_mj"), CASE_TEXTS["energy_mj"]
    for lead, checked in verdict.leads.items():
        energies = energies_mj(checked, resistance_ohm)
        if not len(energies):
            continue
        at = int(np.argmax(np.where(np.isnan(energies), np.inf, energies)))
        value, at_ns = float(energies[at]), int(checked.train.pulses["start_ns"][at])
        outcome = judged(value, None, limit, 0.0)
        verdict.measurements.append(
            Measurement("energy_mj", lead, value, text.unit, None, limit, 0.0, outcome, len(energies), at_ns,
                        text.what)
        )  # fmt: skip
        if outcome is Outcome.FAIL:
            label = f"{lead} energy"
            verdict.counts[label] = int(np.sum(~(energies <= limit))) if limit is not None else 0
            verdict.findings.append(
                Finding("energy", lead, at_ns, f"a pulse has {value:.3g} mJ, {limit:g} mJ allowed")
            )
