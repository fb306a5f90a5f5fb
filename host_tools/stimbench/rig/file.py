"""bench.toml: a wired bench in one file, checked whole before anything is touched."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from stimbench.capture.channel_map import ChannelMap, Use
from stimbench.capture.nearest import nearest
from stimbench.errors import InputError
from stimbench.rig.entries import (
    HAS,
    BoardEntry,
    LoadEntry,
    PowerEntry,
    SigrokEntry,
    SourceEntry,
    VisaEntry,
)
from stimbench.rig.signals import known_signals, use_of
from stimbench.rig.toml_lines import Lines, sentence_of
from stimbench.toml_text import read_text

__all__ = ("BenchFile", "BenchFileError", "WiredSource", "load_bench_file", "parse_bench_file")

_MOST_BYTES = 200_000
_KINDS = ("emulated", "wired")
_BOARDS = ("stimulator", "remote")
_TABLES = ("kind", "boards", "source", "loads", "power", "has")
_EXAMPLE = "stimulator.L_CATH, a current I_LEFT"
_SOURCES: dict[str, type[SigrokEntry] | type[VisaEntry]] = {"sigrok": SigrokEntry, "visa": VisaEntry}
_Model = TypeVar("_Model", bound=BaseModel)
_Path = tuple[str | int, ...]


class BenchFileError(InputError):
    """A bench file cannot be used; the text has every reason with its line.

    Attributes:
        problems: line number and reason, in order of lines.
    """

    def __init__(self, source: str, problems: list[tuple[int, str]]) -> None:
        self.problems = sorted(problems)
        lines = "\n".join(f"  line {line}: {text}" for line, text in self.problems)
        super().__init__(f"{source} is not a valid bench file, nothing was touched:\n{lines}")


@dataclass(frozen=True)
class WiredSource:
    """An instrument, and which of its channels is which signal."""

    entry: SourceEntry
    channels: ChannelMap

    @property
    def signals(self) -> tuple[str, ...]:
        """The bench's names of what it records."""
        return tuple(use.signal for use in self.channels.uses)

    @property
    def digital(self) -> tuple[str, ...]:
        """Of these the digital ones."""
        return tuple(use.signal for use in self.channels.uses if not use.analog)

    @property
    def analog(self) -> tuple[str, ...]:
        """Of these the currents and voltages."""
        return tuple(use.signal for use in self.channels.uses if use.analog)


@dataclass(frozen=True)
class BenchFile:
    """A bench, as its file has it. Without arguments it is the emulated one.

    Attributes:
        kind: `emulated` or `wired`.
        path: of the file, absolute; empty without one.
        sha256: of its text, in hex.
        boards: by `stimulator` and `remote`.
        sources: its instruments.
        loads: what can be on its leads, by name.
        power: hub and port of uhubctl, `1-1:2`; empty if the supply cannot be switched.
        has: which of HAS a person can do.
    """

    kind: str = "emulated"
    path: str = ""
    sha256: str = ""
    boards: Mapping[str, BoardEntry] = field(default_factory=dict)
    sources: tuple[WiredSource, ...] = ()
    loads: Mapping[str, LoadEntry] = field(default_factory=dict)
    power: str = ""
    has: frozenset[str] = frozenset()

    @property
    def is_emulated(self) -> bool:
        """Whether it is an emulated bench, which has all there is."""
        return self.kind == "emulated"

    @property
    def signals(self) -> frozenset[str]:
        """Every signal that an instrument records."""
        return frozenset(name for source in self.sources for name in source.signals)

    @property
    def triggered(self) -> frozenset[str]:
        """The names of the instruments that record only after something has happened."""
        return frozenset(
            each.entry.name
            for each in self.sources
            if not isinstance(each.entry, SigrokEntry) or each.entry.trigger
        )


def load_bench_file(path: Path | str | None) -> BenchFile:
    """The bench that a file describes; without one, the emulated bench.

    Raises:
        InputError: it cannot be read, or is not TOML.
        BenchFileError: it is not valid; has every problem with its line.
    """
    if path is None:
        return BenchFile()
    path = Path(path).resolve()
    text = read_text(path, "a bench file", _MOST_BYTES, "`stimbench bench init` writes one.")
    return parse_bench_file(text, str(path))


def parse_bench_file(text: str, source: str) -> BenchFile:
    """The bench of TOML text; errors as of `load_bench_file`."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not TOML: {error}.") from error
    reading = _Reading(tree, Lines(text))
    found = reading.bench(source, hashlib.sha256(text.encode()).hexdigest())
    if reading.problems:
        raise BenchFileError(source, reading.problems)
    return found


class _Reading:
    """A file on its way. What is wrong is noted, and the rest is read all the same."""

    def __init__(self, tree: Mapping[str, Any], lines: Lines) -> None:
        self._tree, self._lines = tree, lines
        self.problems: list[tuple[int, str]] = []

    def bench(self, path: str, digest: str) -> BenchFile:
        """The bench; it means nothing if there are problems."""
        for name in self._tree:
            if name not in _TABLES:
                self._wrong((name,), f"unknown key {name!r}; there are {', '.join(_TABLES)}")
        kind = self._tree.get("kind", "emulated")
        if kind not in _KINDS:
            self._wrong(("kind",), f"kind = {kind!r}: allowed is {' or '.join(_KINDS)}")
        boards = self._boards()
        sources, loads = self._sources(), self._loads()
        power = self._validated(PowerEntry, self._tree.get("power", {}), ("power",))
        has = self._has()
        if kind == "emulated":
            for name in (each for each in self._tree if each in _TABLES[1:]):
                self._wrong((name,), f"an emulated bench has no {name}: write kind = 'wired'")
        elif "stimulator" not in boards and "stimulator" not in self._table("boards"):
            self._wrong(("boards",), "a wired bench needs [boards.stimulator] with its serial")
        uhubctl = power.uhubctl if power else ""
        return BenchFile(str(kind), path, digest, boards, sources, loads, uhubctl, has)

    def _boards(self) -> dict[str, BoardEntry]:
        found: dict[str, BoardEntry] = {}
        for name, value in self._table("boards").items():
            if name not in _BOARDS:
                self._wrong(("boards", name), f"there is no board {name!r}; there are {', '.join(_BOARDS)}")
                continue
            board = self._validated(BoardEntry, value, ("boards", name))
            if board is None:
                continue
            if bool(board.serial) == bool(board.port):
                self._wrong(("boards", name), f"the {name} has a serial or a port, one of the two")
            elif any(board.where == other.where for other in found.values()):
                self._wrong(("boards", name), f"{board.where} is there twice")
            found[name] = board
        return found

    def _sources(self) -> tuple[WiredSource, ...]:
        given = self._tree.get("source", [])
        if not isinstance(given, list):
            self._wrong(("source",), "source is written [[source]]")
            return ()
        found: list[WiredSource] = []
        known, taken = known_signals(), set[str]()
        for index, value in enumerate(given):
            path: _Path = ("source", index)
            kind = value.get("kind") if isinstance(value, dict) else None
            if kind == "none":
                for name in (each for each in value if each != "kind"):
                    self._wrong((*path, name), f"a source of kind none has no {name}")
                continue
            if not isinstance(kind, str) or kind not in _SOURCES:
                self._wrong((*path, "kind"), f"kind = {kind!r}: allowed is {', '.join(_SOURCES)} or none")
                continue
            entry = self._validated(_SOURCES[kind], value, path)
            channels = self._channels(value.get("channels"), path, known, taken)
            if entry is not None:
                found.append(WiredSource(entry, channels))
        return tuple(found)

    def _channels(self, given: Any, path: _Path, known: Sequence[str], taken: set[str]) -> ChannelMap:
        """The channel map of one source; what it records is added to `taken`."""
        uses: list[Use] = []
        for channel, value in given.items() if isinstance(given, dict) else ():
            where = (*path, "channels", channel)
            if not isinstance(value, str | dict):
                continue  # the entry's own check says so
            try:
                use = use_of(channel, value)
            except ValueError as error:
                self._wrong(where, str(error))
                continue
            except InputError as error:
                self._wrong(where, str(error).rstrip("."))
                continue
            if use.signal not in known:
                near = nearest(use.signal, known)
                hint = f"is {near} meant?" if near else f"a digital one is called {_EXAMPLE}"
                self._wrong(where, f"{channel}: there is no signal {use.signal!r}; {hint}")
            elif use.signal in taken:
                self._wrong(where, f"{channel}: {use.signal} is recorded twice")
            else:
                taken.add(use.signal)
                uses.append(use)
        return ChannelMap(uses)

    def _loads(self) -> dict[str, LoadEntry]:
        found: dict[str, LoadEntry] = {}
        for name, value in self._table("loads").items():
            load = self._validated(LoadEntry, value, ("loads", name))
            if load is None:
                continue
            if sorted(set(load.electrodes)) != load.electrodes or not set(load.electrodes) <= {0, 1, 2, 3}:
                told = f"electrodes = {load.electrodes}: allowed are some of 0, 1, 2, 3, in order"
                self._wrong(("loads", name, "electrodes"), told)
            fixed = [known for known, other in found.items() if not other.by_hand]
            if fixed and not load.by_hand:
                told = f"{name} and {fixed[0]} cannot both be wired: by_hand = true for what a person wires"
                self._wrong(("loads", name), told)
            found[name] = load
        return found

    def _has(self) -> frozenset[str]:
        given = self._table("has")
        for name, value in given.items():
            if name not in HAS:
                self._wrong(("has", name), f"unknown key {name!r}; there are {', '.join(HAS)}")
            elif not isinstance(value, bool):
                self._wrong(("has", name), f"{name} = {value!r}: allowed is true or false")
        return frozenset(name for name, value in given.items() if value is True)

    def _table(self, name: str) -> dict[str, Any]:
        value = self._tree.get(name, {})
        if isinstance(value, dict):
            return value
        self._wrong((name,), f"{name} is a table")
        return {}

    def _validated(self, model: type[_Model], value: Any, path: _Path) -> _Model | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                told = _sentence(model, detail) if detail["loc"] else f"{path[-1]} = {value!r}: it is a table"
                self._wrong((*path, *detail["loc"]), told)
            return None

    def _wrong(self, path: _Path, text: str) -> None:
        problem = (self._lines.of(path), text)
        if problem not in self.problems:
            self.problems.append(problem)


def _sentence(model: type[BaseModel], detail: Any) -> str:
    """What is wrong with a key; of a text that has not the form of its field, what it is."""
    name = str(detail["loc"][0])
    if detail["type"] == "too_short":
        return f"{name} is empty"
    if detail["type"] != "string_pattern_mismatch":
        return sentence_of(detail)
    return f"{name} = {detail['input']!r}: it is {model.model_fields[name].description}"
