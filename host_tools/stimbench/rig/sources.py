"""Instruments of a bench file, made ready to record."""

from __future__ import annotations

from stimbench.instruments.interfaces import CaptureSource
from stimbench.instruments.sigrok import SigrokSource
from stimbench.instruments.visa import ScopeSource
from stimbench.rig.entries import SigrokEntry
from stimbench.rig.file import WiredSource

__all__ = ("source_of",)


def source_of(wired: WiredSource) -> CaptureSource:
    """The instrument; nothing is asked of it yet.

    Raises:
        InputError: its settings make none; the text says why.
    """
    entry = wired.entry
    calibration = entry.calibration
    if entry.calibrated is not None:
        calibration = f"{calibration} of {entry.calibrated.isoformat()}".strip()
    if isinstance(entry, SigrokEntry):
        return SigrokSource(
            entry.driver, wired.channels, entry.rate_hz, entry.trigger, entry.settings, calibration,
            entry.clock_ppm, entry.gain_percent, entry.patience_s,
        )  # fmt: skip
    return ScopeSource(
        entry.resource, wired.channels, calibration, entry.clock_ppm, entry.gain_percent, entry.patience_s,
        entry.backend,
    )  # fmt: skip
