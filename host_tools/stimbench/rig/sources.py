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
            entry.driver, wired.channels, entry.rate_hz, trigger=entry.trigger, settings=entry.settings,
            calibration=calibration, clock_ppm=entry.clock_ppm, gain_percent=entry.gain_percent,
            patience_s=entry.patience_s,
        )  # fmt: skip
    return ScopeSource(
        entry.resource, wired.channels, calibration=calibration, clock_ppm=entry.clock_ppm,
        gain_percent=entry.gain_percent, patience_s=entry.patience_s, backend=entry.backend,
    )  # fmt: skip
