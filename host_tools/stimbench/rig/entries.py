"""What a bench file may say, table by table: the shape of each, with units and ranges."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ("HAS", "BoardEntry", "LoadEntry", "PowerEntry", "SigrokEntry", "SourceEntry", "VisaEntry")

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)
_MOST_HZ = 8_000_000_000
HAS = ("magnet", "hang", "jammer")
"""What a person at the bench may be able to do when a check asks for it."""


class BoardEntry(BaseModel):
    """A board, by its serial number or by its port."""

    model_config = _STRICT

    serial: str = Field(
        "", pattern=r"^[0-9A-Za-z]*$", description="letters and digits, as the board calls itself"
    )
    port: str = Field("", description="a port that stays the same, or a pty of `stimbench bench up`")
    firmware: str = Field(
        "", pattern=r"^[0-9a-f]*$", description="the content hash that it must have, in hex"
    )

    @property
    def where(self) -> str:
        """Its serial number or its port."""
        return self.serial or self.port


class _Instrument(BaseModel):
    """What all instruments have."""

    model_config = _STRICT

    channels: dict[str, str | dict[str, Any]] = Field(min_length=1, description="which is which signal")
    calibration: str = Field("", description="the number of its certificate")
    calibrated: datetime.date | None = Field(None, description="when that was")
    clock_ppm: float = Field(100.0, ge=0, le=1e5, description="how far its clock may be off")
    gain_percent: float = Field(0.0, ge=0, le=100, description="how far its analog values may be off")
    patience_s: float = Field(20.0, gt=0, le=3600, description="to begin, to trigger, and to hand over")


class SigrokEntry(_Instrument):
    """A logic analyser, or whatever else sigrok-cli reads."""

    kind: Literal["sigrok"]
    driver: str = Field(min_length=1, description="as `sigrok-cli --scan` prints it")
    rate_hz: int = Field(gt=0, le=_MOST_HZ, description="samples a second")
    trigger: str = Field("", description="in sigrok's words: D0=r")
    settings: dict[str, str] = Field(default_factory=dict, description="other settings of the driver")

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.driver


class VisaEntry(_Instrument):
    """An oscilloscope, which a person has set up."""

    kind: Literal["visa"]
    resource: str = Field(
        pattern=r"(?i)::INSTR$", description="VISA's name of an instrument: USB0::...::INSTR"
    )
    backend: str = Field("@py", description="PyVISA's; empty for the machine's own library")

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.resource


SourceEntry = SigrokEntry | VisaEntry


class LoadEntry(BaseModel):
    """What can stand for the tissue on this bench; a plan calls it by its name."""

    model_config = _STRICT

    resistance_ohm: float = Field(gt=0, le=1e6, description="of a pair of electrodes")
    electrodes: list[int] = Field(default=[0, 1, 2, 3], description="of each lead that it is wired to")
    by_hand: bool = Field(False, description="a person wires it, and breaks its wires, when asked")


class PowerEntry(BaseModel):
    """What can switch the stimulator's supply."""

    model_config = _STRICT

    uhubctl: str = Field(
        "", pattern=r"^(\d+-\d+(\.\d+)*:\d+)?$", description="a hub and a port: 1-1:2; empty for none"
    )
