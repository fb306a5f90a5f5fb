"""On which line of a TOML text a value stands: Python's own reader does not say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ("Lines", "sentence_of")

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*""")
_STRINGS = re.compile(r"""\"(?:\\.|[^"\\])*\"|'[^']*'""")
Path = tuple[str | int, ...]


class Lines:
    """The lines of every table and key of a TOML text that was read before: it is known to be valid."""

    def __init__(self, text: str) -> None:
        """Look through the text."""
        self._lines: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        self._table: Path = ()
        depth, quoted = 0, ""
        for number, line in enumerate(text.splitlines(), 1):
            if quoted or depth:
                depth, quoted = _after(line, depth, quoted)
                continue
            header = _HEADER.match(line)
            if header:
                self._enter(_parts(header[2]), header[1] == "[[", number)
                continue
            key = _KEY.match(line)
            if key:
                self._note((*self._table, *_parts(key[1])), number)
                depth, quoted = _after(line[key.end() :], 0, "")

    def of(self, path: Sequence[str | int]) -> int:
        """The line of a key, or of the nearest table around it; a list's items stand where it begins."""
        known = tuple(path)
        while known not in self._lines:
            known = known[:-1]
        return self._lines[known]

    def _enter(self, parts: list[str], is_array: bool, number: int) -> None:
        table: Path = ()
        for part in parts[:-1]:
            table = self._latest((*table, part))
        table = (*table, parts[-1])
        if is_array:
            self._counts[table] = self._counts.get(table, -1) + 1
            table = (*table, self._counts[table])
        self._table = table
        self._note(table, number)

    def _latest(self, table: Path) -> Path:
        return (*table, self._counts[table]) if table in self._counts else table

    def _note(self, path: Path, number: int) -> None:
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], number)
        self._lines[path] = number


def _parts(dotted: str) -> list[str]:
    return [a or b or c for a, b, c in _PART.findall(dotted)]


def _after(line: str, depth: int, quoted: str) -> tuple[int, str]:
    """How many brackets are open behind a line, and which long string."""
    if quoted:
        _, ended, line = line.partition(quoted)
        if not ended:
            return depth, quoted
    for mark in ('"""', "'''"):
        begun, found, rest = line.partition(mark)
        if found and "#" not in _STRINGS.sub("", begun):
            return _after(rest, depth + _open(begun), mark)
    return depth + _open(line), ""


def _open(line: str) -> int:
    plain = _STRINGS.sub("", line).partition("#")[0]
    return sum(plain.count(mark) for mark in "[{") - sum(plain.count(mark) for mark in "]}")


def sentence_of(detail: Any) -> str:
    """What is wrong with one key, from a detail of pydantic's ValidationError, in our words."""
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{name} is missing"
    if detail["type"] == "extra_forbidden":
        return f"unknown key {name!r}"
    if detail["type"] == "string_pattern_mismatch":
        return f"{name} = {detail['input']!r}: allowed are lower-case letters, digits and hyphens"
    told = detail["msg"].removeprefix("Input should be ")
    return f"{name} = {detail['input']!r}: allowed is {told}" if name else told
