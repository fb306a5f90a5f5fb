"""What a bench is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stimbench.emulator.chip import Core, XipConfig, default_core
from stimbench.emulator.flash import FlashTiming
from stimbench.emulator.rosc import RandomBit
from stimbench.errors import BenchError
from stimbench.firmware_build import uf2
from stimbench.parts.tolerances import Tolerance
from stimbench.project import image_path

__all__ = ("BenchConfig",)


@dataclass
class BenchConfig:
    """A bench's parts, firmware and seed. Two runs with equal configs and inputs are equal, edge for edge."""

    seed: int = 1
    """Seeds every random choice: part tolerances, noise, half-done flash operations."""
    boards: tuple[str, ...] = ("stimulator", "remote")
    """Which boards stand on the bench: `stimulator`, `remote` or both."""
    paired: bool = False
    """Start with the remote paired to the stimulator (bench.provision.pair, with the bench's seed)."""
    firmware: Mapping[str, Path] = field(default_factory=dict)
    """UF2 file by board name; by default that of the checkout, or the installed package's."""
    wiring: Mapping[str, Any] = field(default_factory=dict)
    """By board name, the config object for the parts' wiring function; `None` for its defaults."""
    tolerance: Tolerance = "typical"
    """Where in its tolerance each part of the stimulator lies: `typical`, `worst`, or a seed
    (parts.tolerances)."""
    with_parts: bool = True
    """Solder the parts on; without them the boards' pins are bare."""
    core: Core = field(default_factory=default_core)
    """Which CPU core runs the firmware; the environment variable STIMBENCH_CORE sets the default."""
    xip: XipConfig = "cache"
    """What the flash costs the CPU.

    `cache` counts the misses of the RP2040's cache, with the time that the SSI takes as the firmware set it
    up; a number is that many CPU cycles a miss; `ideal` costs nothing. The reference core is always `ideal`.
    """
    trace: bool = True
    """Record every edge of every named signal (8 bytes each)."""
    flash_timing: FlashTiming = field(default_factory=FlashTiming)
    """How long the flash chips take."""
    flash_images: Mapping[str, bytes] = field(default_factory=dict)
    """By board name, contents of the whole chip that replace the firmware file (for a bench restored)."""
    random_bits: Mapping[str, RandomBit] = field(default_factory=dict)
    """By board name, a fault of its random bits: biased, stuck or slow."""
    usb_attached: bool = True
    """Whether a host has the consoles open (DTR) at power on."""
    lookahead_ns: int = 120_000
    """How far boards may run apart: less than the shortest time in which one can act on another.

    An nRF24L01+ settles for 130 us before its first bit is on the air (datasheet 6.1.7).
    """

    def firmware_path(self, board: str) -> Path:
        """The UF2 file for a board.

        Raises:
            BenchError: it does not exist.
        """
        path = self.firmware.get(board) or image_path(board)
        if not Path(path).is_file():
            raise BenchError(f"no firmware for the {board}: {path} does not exist; build it first")
        return Path(path)

    def firmware_image(self, board: str) -> uf2.Uf2Image:
        """What a board's UF2 file puts on its flash.

        Raises:
            BenchError: the file does not exist, is not whole, or is not that board's firmware.
        """
        try:
            return uf2.read_for(self.firmware_path(board), board)
        except uf2.Uf2Error as error:
            raise BenchError(f"no firmware for the {board}: {str(error).rstrip('.')}") from error
