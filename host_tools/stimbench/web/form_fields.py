"""The fields of a programme and of a prescription as a form shows them: label, unit, limits in words.

Ranges are the board's own (stimfw.therapy.program and prescription); there is no second copy of them here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stimfw.therapy import prescription, program
from stimfw.therapy.ranges import Range

__all__ = ("SUGGESTED_UA", "described", "prescription_fields", "program_fields")

SUGGESTED_UA = 2000
"""What a form begins with; a board's own amplitudes are zero until somebody sets them."""
_LABELS = {
    "width_us": "Phase width",
    "gap_us": "Phase gap",
    "rate_hz": "Rate",
    "ramp_up_ms": "Ramp up",
    "ramp_down_ms": "Ramp down",
    "on_ms": "Hold",
    "off_ms": "Rest",
    "session_s": "Session",
    "contact_s": "Remote away",
    "amplitude_ua": "Amplitude",
    "cathode": "Cathode",
    "anode": "Anode",
    "sessions_a_day": "Sessions a day",
    "between_s": "Sessions apart",
    "activation_s": "Therapy from",
    "least_ua": "Patient's least",
    "most_ua": "Patient's most",
}


def described(name: str, known: Range, default: int) -> dict[str, Any]:
    """One field.

    Returns:
        `name`; `label`, `unit`; `low`, `high`, `step` (integers), `or_off` (0 is allowed as well); `limits`,
        the range in words; `default`.
    """
    return {
        "name": name,
        "label": _LABELS[known.name],
        "unit": known.unit.replace("uA", "µA").replace("us", "µs"),
        "low": known.low,
        "high": known.high,
        "step": known.step,
        "or_off": known.or_off,
        "limits": known.text().replace("uA", "µA").replace(" us", " µs"),
        "default": default,
    }


def program_fields() -> list[dict[str, Any]]:
    """Those of a programme, in the order of program.FIELD_NAMES."""
    return _fields(program.FIELD_NAMES, program.range_of, program.default().values)


def prescription_fields() -> list[dict[str, Any]]:
    """Those of a prescription, in the order of prescription.FIELD_NAMES."""
    return _fields(prescription.FIELD_NAMES, prescription.range_of, prescription.default().values)


def _fields(
    names: Iterable[str], range_of: Callable[[str], Range], defaults: Sequence[int]
) -> list[dict[str, Any]]:
    return [
        described(name, range_of(name), SUGGESTED_UA if name.endswith("amplitude_ua") else default)
        for name, default in zip(names, defaults, strict=True)
    ]
