"""Two CPU cores compared: rp2040py's as the reference, and this project's, each on its own chip."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from rp2040py.rp2040 import RP2040

from stimbench.emulator.native.cortex_m0 import NativeCore

RAM, FLASH = 0x20000000, 0x10000000
WINDOW = 0x800
"""Bytes of RAM, from `RAM`, that are set, reached by loads and stores, and compared."""
CODE = FLASH + 0x800
EXC_RETURNS = (0xFFFFFFF1, 0xFFFFFFF9, 0xFFFFFFFD)
EDGES = (
    *(0, 1, 2, 31, 32, 33, 255, 256, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF),
    *EXC_RETURNS,
    *(CODE + 2, CODE + 4),
)
SPECIAL = (0, 1, 2, 3, 5, 6, 7, 8, 9, 16, 20)
"""The numbers of the special registers (DDI 0419 B5.2)."""
FIELDS = (
    *("apsr", "cycles", "waiting", "event_registered", "pm", "n_priv", "sp_sel", "banked_sp", "ipsr"),
    *("current_mode", "pending_svcall", "pending_interrupts", "interrupts_updated"),
)
"""Fields of a core that are compared, besides registers and memory."""

RARE = frozenset((*range(0x4080, 0x4200), *range(0x4700, 0x4800), *range(0xF380, 0xF390), 0xF3EF))
"""Opcodes that are few and have many cases: shifts and carries, BX and BLX, MSR and MRS."""
RARE_TIMES = 8

_THREAD, _HANDLER = 0, 1
_POOL = 4093  # a prime, so that an opcode meets other states than its neighbours
_FLASH = bytes(range(256)) * 32
_BOOTROM = array("I", [RAM + 0x200 + i * 4 for i in range(0x1000)])
_fields = attrgetter(*FIELDS)


class _Silent:
    def debug(self, component: str, message: str) -> None:
        pass

    info = warning = error = debug


def bare_chip() -> RP2040:
    """A chip that has memories but no peripherals, and logs nothing."""
    chip = RP2040()
    chip.logger = _Silent()
    chip.peripherals = {}
    return chip


@dataclass(frozen=True)
class Start:
    """What a core holds before an instruction."""

    registers: bytes
    apsr: int
    mode: int
    sp_sel: int
    ipsr: int
    primask: bool
    n_priv: bool
    event: bool

    def register(self, number: int) -> int:
        """R0 to R15."""
        return int.from_bytes(self.registers[4 * number : 4 * number + 4], "little")


@dataclass(frozen=True)
class Difference:
    """A start from which the two cores came to different ends."""

    opcode: int
    opcode2: int
    start: Start
    reference: dict[str, object]
    ours: dict[str, object]

    @property
    def fields(self) -> set[str]:
        """The names of what differs."""
        return {name for name, value in self.reference.items() if value != self.ours[name]}


def random_starts(rng: random.Random, count: int = _POOL) -> list[Start]:
    """States with edge values, addresses in the window and in flash, and anything, in each mode."""
    starts = []
    for _ in range(count):
        registers = array("I", [_random_value(rng) for _ in range(16)])
        registers[13] = RAM + 0x200 + 4 * rng.randrange(16)
        registers[15] = CODE
        handler = rng.random() < 0.3
        starts.append(
            Start(
                registers=registers.tobytes(),
                apsr=rng.getrandbits(4) << 28,
                mode=_HANDLER if handler else _THREAD,
                sp_sel=0 if handler else rng.getrandbits(1),
                ipsr=rng.choice((3, 11, 14, 15, 16, 41)) if handler else 0,
                primask=rng.random() < 0.3,
                n_priv=rng.random() < 0.2,
                event=rng.random() < 0.5,
            )
        )
    return starts


def _random_value(rng: random.Random) -> int:
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(EDGES)
    if kind < 0.75:
        return RAM + (rng.randrange(0x100, 0x300) & ~3)
    if kind < 0.85:
        return FLASH + (rng.randrange(0x800) & ~3)
    return rng.getrandbits(32)


class CorePair:
    """One state in two cores; one instruction in each; what differs."""

    def __init__(self, follow_reference: bool) -> None:
        self.reference, self.ours = bare_chip(), bare_chip()
        self.core = NativeCore(self.ours)
        self.core.follow_reference = follow_reference
        self.ours.core = self.core
        self.chips = (self.reference, self.ours)
        self._cores: tuple[Any, ...] = tuple(chip.core for chip in self.chips)
        self._registers: list[memoryview] = [memoryview(core.registers).cast("B") for core in self._cores]
        self._ram = [memoryview(chip.sram)[:WINDOW] for chip in self.chips]
        self._code = [memoryview(chip.flash)[CODE - FLASH :][:4] for chip in self.chips]
        for chip in self.chips:
            chip.core.vtor = FLASH
        self.level_memory()

    def level_memory(self) -> None:
        """The same in all memories of both."""
        for chip in self.chips:
            chip.flash[: len(_FLASH)] = _FLASH
            chip.bootrom[:] = _BOOTROM
            chip.core.cycles = 0

    def code(self, opcode: int, opcode2: int) -> None:
        """The instruction at `CODE`."""
        code = (opcode | opcode2 << 16).to_bytes(4, "little")
        for view in self._code:
            view[:] = code

    def ram(self, content: bytes) -> None:
        """What the window holds."""
        for view in self._ram:
            view[:] = content

    def equal_after(self, start: Start) -> bool:
        """One instruction in each, from `start`; whether all that is compared each time is equal."""
        for core, registers in zip(self._cores, self._registers, strict=True):
            registers[:] = start.registers
            core.apsr = start.apsr
            core.current_mode, core.sp_sel, core.ipsr = start.mode, start.sp_sel, start.ipsr
            core.pm, core.n_priv, core.event_registered = start.primask, start.n_priv, start.event
            core.waiting = core.pending_svcall = core.interrupts_updated = False
            core.banked_sp = RAM + 0x300
            core.execute_instruction()
        reference, ours = self._cores
        return (
            self._registers[0].tobytes() == self._registers[1].tobytes()
            and _fields(reference) == _fields(ours)
            and self._ram[0].tobytes() == self._ram[1].tobytes()
        )

    def states(self) -> list[dict[str, object]]:
        """All that is compared each time, the reference's first."""
        return [
            {f"r{n}": value for n, value in enumerate(core.registers)}
            | dict(zip(FIELDS, _fields(core), strict=True))
            | {"ram": view.tobytes()}
            for core, view in zip(self._cores, self._ram, strict=True)
        ]

    def memories_equal(self) -> bool:
        """Whether flash, boot ROM and all RAM are equal: compared now and then."""
        one, other = self.chips
        return (
            one.sram == other.sram
            and one.flash[: len(_FLASH)] == other.flash[: len(_FLASH)]
            and bytes(one.bootrom) == bytes(other.bootrom)
        )


class Comparison:
    """A run of opcodes in random states on both cores; `count` says how many comparisons it made."""

    def __init__(self, seed: int, follow_reference: bool) -> None:
        self._rng = random.Random(seed)
        self._pair = CorePair(follow_reference)
        self._starts = random_starts(self._rng)
        self._contents = [self._rng.randbytes(WINDOW) for _ in range(64)]
        self.count = 0

    def run(self, opcodes: Iterable[int], tries: int) -> Iterator[Difference]:
        """Each opcode `tries` times; what differs."""
        pair, at = self._pair, self._rng.randrange(_POOL)
        for opcode in opcodes:
            wide, opcode2 = opcode >> 11 == 0b11110, opcode & 0xFF00 | 0xBF
            pair.ram(self._contents[at & 63])
            for _ in range(tries * (RARE_TIMES if opcode in RARE else 1)):
                at = (at + 1) % _POOL
                start = self._starts[at]
                if wide:
                    opcode2 = wide_half(self._rng, opcode)
                pair.code(opcode, opcode2)  # each time: a store may have reached it
                if not pair.equal_after(start):
                    yield Difference(opcode, opcode2, start, *pair.states())
                    pair.level_memory()
                    pair.ram(self._contents[at & 63])
                self.count += 1
        if not pair.memories_equal():
            raise AssertionError("what only the end looks at differs: flash, boot ROM or far RAM")


def wide_half(rng: random.Random, opcode: int) -> int:
    """The second half of a wide instruction, most often of one that exists."""
    kind = rng.random()
    if opcode >> 4 == 0xF38 and kind < 0.9:
        return 0x8800 | rng.choice(SPECIAL)
    if opcode == 0xF3EF and kind < 0.9:
        return 0x8000 | rng.randrange(13) << 8 | rng.choice(SPECIAL)
    if opcode == 0xF3BF and kind < 0.9:
        return rng.choice((0x8F4F, 0x8F5F, 0x8F6F))
    if opcode >> 4 == 0xF7F and kind < 0.5:
        return 0xA000 | rng.getrandbits(12)
    if kind < 0.9:
        return 0xD000 | rng.getrandbits(14) & 0x2FFF | 0x1000
    return rng.getrandbits(16)
