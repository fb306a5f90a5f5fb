"""Which functions the flash cache's misses belong to, by the symbols of the linked firmware."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol as ElfSymbol
from elftools.elf.sections import SymbolTableSection

__all__ = ("FLASH_START", "Image", "ImageError", "Share", "Symbol", "attributed", "python_names")

FLASH_START = 0x10000000
_FLASH_END = 0x11000000
_LINE_BYTES = 8
_OUTSIDE = "(outside the image)"
_MODULE = "__lt_module_gt_"
_FROZEN = ("fun_data_", "proto_fun_")


class ImageError(Exception):
    """The linked firmware cannot be read."""


@dataclass(frozen=True)
class Symbol:
    """Something with a name in flash."""

    address: int
    size: int
    name: str
    kind: str
    """`C` (compiled code), `Python` (bytecode), `data`, or `other`."""


@dataclass(frozen=True)
class Share:
    """What one function costs."""

    name: str
    kind: str
    misses: int
    part: float
    """Of all misses, 0 to 1."""


def attributed(
    misses: Mapping[int, int], symbols: Iterable[Symbol], regions: Sequence[Symbol] = ()
) -> list[Share]:
    """Misses by function, the most first.

    Args:
        misses: by the flash offset of their line.
        symbols: in flash, none inside another.
        regions: what to call a line that no symbol reaches.

    A line of two functions counts for the one that has more of it.
    """
    ordered = sorted(symbols, key=lambda symbol: symbol.address)
    starts = [symbol.address for symbol in ordered]
    counted: Counter[tuple[str, str]] = Counter()
    for offset, count in misses.items():
        line = FLASH_START + offset
        first = max(bisect_left(starts, line) - 1, 0)
        near = ordered[first : bisect_left(starts, line + _LINE_BYTES)]
        found = _holder(line, near) or _holder(line, regions)
        counted[(found.name, found.kind) if found else (_OUTSIDE, "other")] += count
    total = counted.total()
    shares = [Share(name, kind, count, count / total) for (name, kind), count in counted.items() if count]
    return sorted(shares, key=lambda share: (-share.misses, share.name))


def _holder(line: int, symbols: Iterable[Symbol]) -> Symbol | None:
    """The symbol that has most of a line."""
    best, most = None, 0
    for symbol in symbols:
        end = min(symbol.address + symbol.size, line + _LINE_BYTES)
        overlap = end - max(symbol.address, line)
        if overlap > most:
            best, most = symbol, overlap
    return best


def python_names(files: Iterable[str], children: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Readable names of frozen functions, by the names that mpy-tool gave them in C.

    Args:
        files: frozen, such as `stimfw/pulses/waveform.py`.
        children: of each scope that has some. Only these tell `a.b_c` from `a_b.c`.
    """
    names = {}
    for file in files:
        module = file.removesuffix(".py")
        dotted = module.replace("/", ".").removesuffix(".__init__")
        names[module.replace("/", "_") + _MODULE] = f"{dotted}.<module>"
    waiting = list(names)
    while waiting:
        scope = waiting.pop()
        prefix, parent = scope.removesuffix(_MODULE) + "_", names[scope].removesuffix(".<module>")
        for child in children.get(scope, ()):
            if child not in names and child.startswith(prefix):
                own = child.removeprefix(prefix).replace("_lt_", "<").replace("_gt_", ">")
                names[child] = f"{parent}.{own}"
                waiting.append(child)
    return names


class Image:
    """A linked firmware: its symbols in flash, and the bytes that belong there."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            ImageError: it does not exist, or is no ELF file with symbols.
        """
        self.addresses: dict[str, int] = {}
        """Of all functions and data, in RAM too; of a name that is there twice, one of them."""
        self.symbols: list[Symbol] = []
        self.regions: list[Symbol] = []
        self._loads: list[tuple[int, bytes]] = []
        try:
            with path.open("rb") as file:
                self._read(ELFFile(file))
        except (OSError, ELFError) as error:
            raise ImageError(f"{path}: {error}") from error
        if not self.symbols:
            raise ImageError(f"{path} has no symbols")

    def is_in(self, flash: bytes | bytearray) -> bool:
        """Whether a flash chip holds this image."""
        return all(flash[offset : offset + len(data)] == data for offset, data in self._loads)

    def attributed(self, misses: Mapping[int, int]) -> list[Share]:
        """Misses by function; see there."""
        return attributed(misses, self.symbols, self.regions)

    def _read(self, elf: ELFFile) -> None:
        memory: list[tuple[int, bytes]] = []
        for segment in elf.iter_segments("PT_LOAD"):
            start, at, data = segment["p_vaddr"], segment["p_paddr"], bytes(segment.data())
            memory.append((start, data))
            if data and FLASH_START <= at < _FLASH_END:
                self._loads.append((at - FLASH_START, data))
                if start != at:
                    self.regions.append(Symbol(at, len(data), "(first contents of RAM)", "data"))
        for section in elf.iter_sections("SHT_PROGBITS"):
            if FLASH_START <= section["sh_addr"] < _FLASH_END:
                name = f"({section.name}, no symbol)"
                self.regions.append(Symbol(section["sh_addr"], section["sh_size"], name, "other"))
        self._read_symbols(elf, memory)

    def _read_symbols(self, elf: ELFFile, memory: list[tuple[int, bytes]]) -> None:
        named: dict[int, tuple[ElfSymbol, str]] = {}
        file = ""
        table = elf.get_section_by_name(".symtab")
        if isinstance(table, SymbolTableSection):
            for symbol in table.iter_symbols():
                kind = symbol["st_info"]["type"]
                if kind == "STT_FILE":
                    file = symbol.name
                elif kind in ("STT_FUNC", "STT_OBJECT"):
                    local = symbol["st_info"]["bind"] == "STB_LOCAL"
                    address = symbol["st_value"] & (~1 if kind == "STT_FUNC" else ~0)
                    self.addresses[symbol.name] = address
                    other = named.get(address)
                    if not other or symbol["st_size"] > other[0]["st_size"]:  # else an alias
                        named[address] = symbol, file if local else ""
        names = Counter(symbol.name for symbol, _ in named.values())
        readable = self._python_names(named, memory)
        ends = [*sorted(named), _FLASH_END]
        for address, (symbol, source) in named.items():
            if not FLASH_START <= address < _FLASH_END:
                continue
            # What assembly files leave without a size reaches to the next symbol.
            size = symbol["st_size"] or ends[bisect_left(ends, address) + 1] - address
            kind = "C" if symbol["st_info"]["type"] == "STT_FUNC" else "data"
            name = f"{symbol.name} ({source})" if source and names[symbol.name] > 1 else symbol.name
            scope = _scope(symbol.name)
            if scope:
                kind, name = "Python", readable.get(scope, scope)
            self.symbols.append(Symbol(address, size, name, kind))

    def _python_names(
        self, named: Mapping[int, tuple[ElfSymbol, str]], memory: list[tuple[int, bytes]]
    ) -> dict[str, str]:
        scopes = {address: _scope(symbol.name) for address, (symbol, _) in named.items()}
        files: list[str] = []
        children: dict[str, list[str]] = {}
        for address, (symbol, _) in named.items():
            if symbol.name == "mp_frozen_names":
                held = _bytes_at(memory, address, symbol["st_size"])
                files = [name.decode() for name in held.split(b"\0") if name]
            elif symbol.name.startswith("children_"):
                held = _bytes_at(memory, address, symbol["st_size"])
                pointers = [int.from_bytes(held[at : at + 4], "little") for at in range(0, len(held), 4)]
                children[symbol.name.removeprefix("children_")] = [
                    scope for pointer in pointers if (scope := scopes.get(pointer))
                ]
        return python_names(files, children)


def _scope(symbol: str) -> str:
    """mpy-tool's name of a frozen function, if the symbol is of one."""
    for prefix in _FROZEN:
        if symbol.startswith(prefix):
            return symbol.removeprefix(prefix)
    return ""


def _bytes_at(memory: list[tuple[int, bytes]], address: int, size: int) -> bytes:
    for start, data in memory:
        if start <= address < start + len(data):
            return data[address - start : address - start + size]
    return b""
