"""The W25Q16JV flash, as slow as its datasheet says, and interruptible by a power cut.

Times are from the datasheet's AC characteristics (section 9.6); commands from sections 8.1 and 8.2. While an
operation runs the chip answers BUSY and the CPU, which executes from this very chip, runs nothing but its
boot ROM.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ("FlashChip", "FlashOperation", "FlashTiming", "FlashWear")

_BUSY, _WEL = 0x01, 0x02
_QUAD_ENABLED = 0x02
_JEDEC_ID = (0xEF, 0x40, 0x15)
_PAGE, _SECTOR, _HALF_BLOCK, _BLOCK = 256, 4096, 32768, 65536
_WRITE_ENABLE, _WRITE_DISABLE, _READ, _PROGRAM = 0x06, 0x04, 0x03, 0x02
_STATUS_1, _STATUS_2, _WRITE_STATUS, _READ_ID = 0x05, 0x35, 0x01, 0x9F
_READ_UNIQUE_ID, _UNIQUE_ID_AT = 0x4B, 5
"""Four dummy bytes follow the instruction, then 64 bits come (8.2, Read Unique ID Number)."""
_SECTOR_ERASE, _HALF_BLOCK_ERASE, _BLOCK_ERASE = 0x20, 0x52, 0xD8
_CHIP_ERASE = (0xC7, 0x60)


@dataclass(frozen=True)
class FlashTiming:
    """How long operations take, in ns; the defaults are the datasheet's typical values.

    Maxima: sector 400 ms, 32 KB block 1.6 s, 64 KB block 2 s, chip 25 s, page 3 ms.
    """

    sector_erase_ns: int = 45_000_000
    half_block_erase_ns: int = 120_000_000
    block_erase_ns: int = 150_000_000
    chip_erase_ns: int = 5_000_000_000
    page_program_ns: int = 400_000


@dataclass(frozen=True)
class FlashOperation:
    """One erase or program operation: what it did, and when, in bench time."""

    kind: str
    address: int
    size: int
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class FlashWear:
    """A part of the chip that is worn: what an operation there leaves undone, from the next one on.

    A cell that no longer loses its charge stays 0 after an erase; one that no longer takes any stays 1.
    """

    first: int
    """Its first address."""
    size: int
    erases: bool = True
    """False: an erase takes its time, and changes nothing there."""
    programs: bool = True
    """False: so does a program operation."""
    stay_low: int = 0
    """Bits of every byte that read as 0 whatever is done."""
    stay_high: int = 0
    """Bits of every byte that read as 1 whatever is done."""

    def after(self, kind: str, address: int, old: int, new: int) -> int:
        """What a byte is after an operation that would make `new` of `old`."""
        if not 0 <= address - self.first < self.size:
            return new
        if not (self.erases if kind == "erase" else self.programs):
            return old
        return new & ~self.stay_low | self.stay_high


class FlashChip:
    """The chip behind the SPI: commands in, bytes out, contents in a buffer that the CPU also reads."""

    def __init__(self, memory: memoryview, now_ns: Callable[[], int], timing: FlashTiming, seed: int) -> None:
        """Make a chip.

        Args:
            memory: its contents, shared with the CPU's window on them.
            now_ns: the board's clock.
            timing: how long operations take.
            seed: decides its unique ID, and which bits a power cut leaves half done.
        """
        self.memory = memory
        self.timing = timing
        self.operations: list[FlashOperation] = []
        """Every operation since the bench was made, in order."""
        self.erases: Counter[int] = Counter()
        """Erases of each 4 KB sector, by its address."""
        self.programs: Counter[int] = Counter()
        """Page programs, by the page's address."""
        self.unique_id = random.Random(f"flash id {seed}").randbytes(8)
        """Read-only, the chip's own: 64 bits, factory-set."""
        self.wear: list[FlashWear] = []
        """What is worn of it; none by default, and a test may change it at any time."""
        self._now_ns = now_ns
        self._seed = seed
        self._command = bytearray()
        self._write_enabled = False
        self._before = b""

    @property
    def busy_until_ns(self) -> int:
        """When the present operation ends; a time in the past if there is none."""
        return self.operations[-1].end_ns if self.operations else 0

    @property
    def busy(self) -> bool:
        """Whether an operation is under way."""
        return self._now_ns() < self.busy_until_ns

    def read(self, address: int, size: int) -> bytes:
        """Contents, from an offset into the chip; for tests and tools."""
        return bytes(self.memory[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        """Put contents there at once, as a programming adapter would; not counted."""
        self.memory[address : address + len(data)] = data

    def select(self) -> None:
        """Chip select falls: a command begins."""
        self._command = bytearray()

    def exchange(self, mosi: int) -> int:
        """One byte on the bus while selected; the byte that the chip answers meanwhile."""
        command = self._command
        command.append(mosi)
        position = len(command) - 1
        opcode = command[0]
        if position == 0:
            return 0xFF
        if opcode == _STATUS_1:
            return (_BUSY if self.busy else 0) | (_WEL if self._write_enabled else 0)
        if opcode == _STATUS_2:
            return _QUAD_ENABLED
        if opcode == _READ_ID and position <= len(_JEDEC_ID):
            return _JEDEC_ID[position - 1]
        if opcode == _READ_UNIQUE_ID and 0 <= position - _UNIQUE_ID_AT < len(self.unique_id):
            return 0xFF if self.busy else self.unique_id[position - _UNIQUE_ID_AT]
        if opcode == _READ and position >= 4 and not self.busy:
            return int(self.memory[(self._address() + position - 4) % len(self.memory)])
        return 0xFF

    def command(self, command: bytes) -> None:
        """A whole command whose answer nobody reads: chip select falls, the bytes come, and it rises."""
        self._command = bytearray(command)
        self.deselect()

    def deselect(self) -> None:
        """Chip select rises: the command takes effect. While BUSY none does (8.1.1)."""
        command, self._command = self._command, bytearray()
        if not command or self.busy:
            return
        opcode = command[0]
        if opcode == _WRITE_ENABLE:
            self._write_enabled = True
            return
        if opcode in (_WRITE_DISABLE, _WRITE_STATUS):
            self._write_enabled = False
            return
        if self._write_enabled:
            self._start(opcode, command)

    def _start(self, opcode: int, command: bytearray) -> None:
        erases = {
            _SECTOR_ERASE: (_SECTOR, self.timing.sector_erase_ns),
            _HALF_BLOCK_ERASE: (_HALF_BLOCK, self.timing.half_block_erase_ns),
            _BLOCK_ERASE: (_BLOCK, self.timing.block_erase_ns),
        }
        address = int.from_bytes(command[1:4], "big") % len(self.memory)
        if opcode in erases and len(command) >= 4:
            size, duration_ns = erases[opcode]
            self._erase(address & ~(size - 1), size, duration_ns)
        elif opcode in _CHIP_ERASE:
            self._erase(0, len(self.memory), self.timing.chip_erase_ns)
        elif opcode == _PROGRAM and len(command) > 4:
            self._program(address, bytes(command[4:]))

    def _address(self) -> int:
        return int.from_bytes(self._command[1:4], "big")

    def _erase(self, address: int, size: int, duration_ns: int) -> None:
        self._begin("erase", address, size, duration_ns)
        self.memory[address : address + size] = b"\xff" * size
        self._wear_off()
        for sector in range(address, address + size, _SECTOR):
            self.erases[sector] += 1

    def _program(self, address: int, data: bytes) -> None:
        """Clear bits of one page; the address wraps within it, and only the last 256 bytes count (8.2.13)."""
        page = address & ~(_PAGE - 1)
        self._begin("program", page, _PAGE, self.timing.page_program_ns)
        for offset, byte in enumerate(data):
            self.memory[page | (address + offset) % _PAGE] &= byte
        self._wear_off()
        self.programs[page] += 1

    def _begin(self, kind: str, address: int, size: int, duration_ns: int) -> None:
        start_ns = self._now_ns()
        self.operations.append(FlashOperation(kind, address, size, start_ns, start_ns + duration_ns))
        self._before = self.read(address, size)
        self._write_enabled = False

    def _wear_off(self) -> None:
        """What the operation that has just been done could not change."""
        operation = self.operations[-1]
        first = operation.address
        for worn in self.wear:
            for index, old in enumerate(self._before):
                new = self.memory[first + index]
                self.memory[first + index] = worn.after(operation.kind, first + index, old, new)

    def cut_power(self) -> None:
        """The supply fails now: an operation under way stays as far as it had got.

        Each bit that was to change has changed with the probability of the time that had passed.
        """
        self._write_enabled = False
        self._command = bytearray()
        if not self.busy:
            return
        operation = self.operations[-1]
        now_ns = self._now_ns()
        done = (now_ns - operation.start_ns) / (operation.end_ns - operation.start_ns)
        chance = random.Random(f"flash {self._seed} {len(self.operations)}")
        target = self.read(operation.address, operation.size)
        torn = bytes(_mix(old, new, done, chance) for old, new in zip(self._before, target, strict=True))
        self.memory[operation.address : operation.address + operation.size] = torn
        self.operations[-1] = FlashOperation(
            operation.kind, operation.address, operation.size, operation.start_ns, now_ns
        )


def _mix(old: int, new: int, share: float, chance: random.Random) -> int:
    for bit in range(8):
        mask = 1 << bit
        if (old ^ new) & mask and chance.random() < share:
            old ^= mask
    return old
