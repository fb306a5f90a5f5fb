"""Flash and RAM that an image takes, from its symbols."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stimbench.firmware_build.errors import BuildError
from stimbench.firmware_build.steps import capture

FLASH_BYTES = 2 * 1024 * 1024  # W25Q16JV
RAM_BYTES = 264 * 1024  # RP2040
_KIB = 1024


@dataclass(frozen=True)
class Sizes:
    """What one image takes, in bytes.

    Attributes:
        flash: the image itself.
        flash_limit: what the filesystem leaves for it.
        ram: static data, the stack and everything else that is not MicroPython's heap.
        heap: MicroPython's heap.
        sections: text, data and bss as the size program counts them (it counts .data, which holds code that
            runs from RAM, as text).
    """

    flash: int
    flash_limit: int
    ram: int
    heap: int
    sections: tuple[int, int, int]

    def __str__(self) -> str:
        text, data, bss = self.sections
        share = self.flash / self.flash_limit
        return (
            f"flash {self.flash / _KIB:.1f} of {self.flash_limit / _KIB:.0f} KB ({share:.0%}), "
            f"RAM {self.ram / _KIB:.1f} of {RAM_BYTES / _KIB:.0f} KB, the other {self.heap / _KIB:.1f} KB "
            f"are heap (text {text}, data {data}, bss {bss})"
        )


def filesystem_bytes(header: str) -> int:
    """Reads the filesystem's size from a board's C header.

    Args:
        header: the text of the header, with a line
            `#define MICROPY_HW_FLASH_STORAGE_BYTES (1408 * 1024)`.

    Raises:
        BuildError: there is no such line.
    """
    match = re.search(r"^#define MICROPY_HW_FLASH_STORAGE_BYTES\s+\((\d+) \* (\d+)\)$", header, re.MULTILINE)
    if match is None:
        raise BuildError("boards/stimbench_common.h has no MICROPY_HW_FLASH_STORAGE_BYTES (N * 1024)")
    return int(match.group(1)) * int(match.group(2))


def measure(elf: Path, storage: int) -> Sizes:
    """Measures an image.

    Args:
        elf: the linked firmware.
        storage: bytes of flash that the filesystem takes.

    Raises:
        BuildError: the image would overlap the filesystem, which the linker does not notice.
    """
    symbols = {
        row[2]: int(row[0], 16)
        for line in capture(["arm-none-eabi-nm", elf]).splitlines()
        if len(row := line.split()) == 3
    }
    flash = symbols["__flash_binary_end"] - symbols["__flash_binary_start"]
    heap = symbols["__GcHeapEnd"] - symbols["__GcHeapStart"]
    text, data, bss = (int(word) for word in capture(["arm-none-eabi-size", elf]).splitlines()[1].split()[:3])
    sizes = Sizes(flash, FLASH_BYTES - storage, RAM_BYTES - heap, heap, (text, data, bss))
    require_fit(sizes, elf)
    return sizes


def require_fit(sizes: Sizes, elf: Path) -> None:
    """Checks that an image stays clear of the filesystem.

    Raises:
        BuildError: it does not.
    """
    if sizes.flash > sizes.flash_limit:
        raise BuildError(f"{elf} takes {sizes.flash} bytes; the filesystem leaves {sizes.flash_limit}")
