"""The RP2040's boot ROM while it waits for an image: a disk on USB that takes UF2 blocks.

After the RP2040 datasheet, 2.8.4 and 2.8.4.2, and the published source of the boot ROM. What matters here:

- Only sectors that look like a UF2 block of the RP2040's family count; all else that a host writes, such as
  the file system's own tables, is ignored.
- The blocks' numbers count, not their order or their place on the disk. The first block of a 4 KB sector
  erases it. A block that was taken before is ignored.
- A block that makes no sense, or one with another count, begins a new transfer.
- When as many blocks are there as the count says, the chip starts again half a second later.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from stimbench.emulator.flash import FlashChip
from stimbench.parts.interfaces import Scheduler

__all__ = ("INDEX_HTM", "INFO_UF2", "SECTOR_BYTES", "BootselDisk")

SECTOR_BYTES = 512
INFO_UF2 = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
INDEX_HTM = "<html><body>An emulated RP2040 in its boot ROM. It takes a UF2 file.</body></html>\r\n"
_HEADER = struct.Struct("<8I")
_MAGIC_START = (0x0A324655, 0x9E5D5157)
_MAGIC_END = struct.pack("<I", 0x0AB16F30)
_NOT_MAIN_FLASH, _FAMILY_PRESENT = 0x1, 0x2000
_FAMILY = 0xE48BFF56
_PAGE, _FLASH_SECTOR = 256, 4096
_FLASH_START, _FLASH_WINDOW_END = 0x10000000, 0x11000000
_WRITE_ENABLE, _PROGRAM, _SECTOR_ERASE = b"\x06", b"\x02", b"\x20"
# Registers, for the restart at the end. The boot ROM asks for 1 s, and the watchdog counts two a microsecond.
_WATCHDOG_CTRL, _WATCHDOG_LOAD, _SCRATCH4, _WATCHDOG_TICK = 0x40058000, 0x40058004, 0x4005801C, 0x4005802C
_PSM_WDSEL = 0x40010008
_WDSEL_ALL_BUT_OSCILLATORS = 0x0001FFFC
_ENABLE = 1 << 30
_TICK_ENABLE, _TICK_CYCLES = 1 << 9, 12
_MOST_WAITING = 8
"""Sectors of one USB transfer that are on their way."""
_RESTART_COUNT = 1000 * 1000


@dataclass
class _Transfer:
    """The blocks of one image."""

    count: int
    taken: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)


class Chip(Protocol):
    """The board that is in its boot ROM."""

    flash: FlashChip
    bootsel: BootselDisk | None

    @property
    def scheduler(self) -> Scheduler:
        """Its clock."""

    def write_word(self, address: int, value: int) -> None:
        """Write a 32-bit word on its bus."""


class BootselDisk:
    """One stay in the boot ROM. It ends with a reset, and another one is another object."""

    def __init__(self, board: Chip) -> None:
        """Show the disk of `board`."""
        self._board = board
        self._transfer: _Transfer | None = None
        self._waiting: deque[bytes] = deque()
        self._busy = False
        self.restarts = False
        """Whether all blocks are there, and the chip is about to start again."""
        self.ignored = 0
        """Sectors that were no block for this chip, or a block that was there already."""

    @property
    def idle(self) -> bool:
        """Whether every sector that came is worked on."""
        return not (self._busy or self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether it takes a sector now; otherwise the host has to wait."""
        return len(self._waiting) < _MOST_WAITING

    @property
    def is_current(self) -> bool:
        """Whether the board is still in this stay."""
        return self._board.bootsel is self

    def write(self, sector: bytes) -> None:
        """Take one sector of the disk from the host. It is worked on in the board's time.

        Args:
            sector: 512 bytes.
        """
        self._waiting.append(sector)
        self._poll()

    def _poll(self) -> None:
        while self._waiting and not self._busy:
            self._take(self._waiting.popleft())

    def _take(self, sector: bytes) -> None:
        start0, start1, flags, address, size, number, count, family = _HEADER.unpack_from(sector)
        is_block = (start0, start1) == _MAGIC_START and sector[-4:] == _MAGIC_END
        known = flags & _FAMILY_PRESENT and family == _FAMILY and not flags & _NOT_MAIN_FLASH
        if self.restarts or not is_block or not known or size != _PAGE:
            self.ignored += 1
            return
        in_flash = _FLASH_START <= address < _FLASH_WINDOW_END and address % _PAGE == 0
        if not (count and in_flash):
            self._transfer = None
            return
        if self._transfer is None or self._transfer.count != count:
            self._transfer = _Transfer(count)
        if number >= count:
            self._transfer = None
        elif number in self._transfer.taken:
            self.ignored += 1
        else:
            self._write(self._transfer, number, address - _FLASH_START, sector[32 : 32 + _PAGE])

    def _write(self, transfer: _Transfer, number: int, offset: int, data: bytes) -> None:
        transfer.taken.add(number)
        # As in the boot ROM, the blocks' numbers say which sectors were erased, and not their addresses.
        group = number * _PAGE // _FLASH_SECTOR
        self._busy = True
        if group in transfer.erased:
            self._program(transfer, offset, data)
        else:
            transfer.erased.add(group)
            self._board.flash.command(_WRITE_ENABLE)
            self._board.flash.command(_SECTOR_ERASE + _address(offset & ~(_FLASH_SECTOR - 1)))
            self._when_done(lambda: self._program(transfer, offset, data))

    def _program(self, transfer: _Transfer, offset: int, data: bytes) -> None:
        self._board.flash.command(_WRITE_ENABLE)
        self._board.flash.command(_PROGRAM + _address(offset) + data)
        self._when_done(lambda: self._written(transfer))

    def _written(self, transfer: _Transfer) -> None:
        self._busy = False
        if transfer is self._transfer and len(transfer.taken) == transfer.count:
            self._restart()
        self._poll()

    def _when_done(self, action: Callable[[], None]) -> None:
        def due() -> None:
            if self.is_current:
                action()

        self._board.scheduler.call_at(self._board.flash.busy_until_ns, due)

    def _restart(self) -> None:
        """What the boot ROM writes for it: to the firmware it is a restart that was asked for."""
        self.restarts = True
        write = self._board.write_word
        write(_PSM_WDSEL, _WDSEL_ALL_BUT_OSCILLATORS)
        write(_SCRATCH4, 0)
        write(_WATCHDOG_TICK, _TICK_ENABLE | _TICK_CYCLES)
        write(_WATCHDOG_LOAD, _RESTART_COUNT)
        write(_WATCHDOG_CTRL, _ENABLE)


def _address(offset: int) -> bytes:
    return (offset % (1 << 24)).to_bytes(3, "big")
