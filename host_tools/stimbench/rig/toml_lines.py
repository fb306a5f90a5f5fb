"""On which line of a TOML text a value stands: Python's own reader does not say."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

__all__ = ("Lines", "sentence_of")

_BASIC, _LITERAL = r'"(?:\\.|[^"\\])*"', r"'[^']*'"
_LONG = r'"""(?:"{0,2}(?:\\.|[^"\\]))*"{3,5}', r"'''(?:'{0,2}[^'])*'{3,5}"
_PART = rf"(?:{_BASIC}|{_LITERAL}|[A-Za-z0-9_-]+)"
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_PARTS = re.compile(_PART)
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_TOKEN = re.compile(
    rf"(?P<text>{'|'.join(_LONG)}|{_BASIC}|{_LITERAL}|#[^\n]*|[^\"'#\[\]{{}}\n]+)"
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>\n)",
    re.DOTALL,
)
"""What a value is made of."""
Path = tuple[str | int, ...]


class Lines:
    """The lines of every table and key of a TOML text that was read before: it is known to be valid."""

    def __init__(self, text: str) -> None:
        """Look through the text."""
        self._text = text
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        self._table: Path = ()
        at = self._blank(0)
        while at < len(text):
            at = self._blank(self._header(at) if text[at] == "[" else self._value(at))

    def of(self, path: Sequence[str | int]) -> int:
        """The line of a key, or of the nearest table around it; a list's items stand where it begins."""
        known = tuple(path)
        while known not in self._lines:
            known = known[:-1]
        return self._lines[known]

    def _blank(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at

    def _header(self, at: int) -> int:
        """Read `[table]` or `[[array]]`; where it ends."""
        is_array = self._text.startswith("[[", at)
        key = self._key(self._blank(at + 1 + is_array))
        table: Path = ()
        for part in key[0][:-1]:
            table = self._latest((*table, part))
        table = (*table, key[0][-1])
        if is_array:
            self._counts[table] = self._counts.get(table, -1) + 1
            table = (*table, self._counts[table])
        self._table = table
        self._note(table, at)
        return self._text.index("]", key[1]) + 1 + is_array

    def _value(self, at: int) -> int:
        """Read `key = value`; where it ends."""
        parts, end = self._key(at)
        self._note((*self._table, *parts), at)
        end, depth = self._text.index("=", end) + 1, 0
        while (token := _TOKEN.match(self._text, end)) is not None:
            end = token.end()
            depth += (token["open"] is not None) - (token["close"] is not None)
            if token["end"] is not None and not depth:
                break
        return end if token is not None else len(self._text)

    def _key(self, at: int) -> tuple[list[str], int]:
        """The parts of a dotted key, and where it ends."""
        found = _KEY.match(self._text, at)
        if found is None:
            raise ValueError(f"no key at {at}: the text is no TOML")
        return [_plain(part) for part in _PARTS.findall(found[0])], found.end()

    def _latest(self, table: Path) -> Path:
        return (*table, self._counts[table]) if table in self._counts else table

    def _note(self, path: Path, at: int) -> None:
        number = bisect_right(self._breaks, at) + 1
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], number)
        self._lines[path] = number


def _plain(part: str) -> str:
    """A part of a key without its quotes."""
    return str(tomllib.loads(f"key = {part}")["key"]) if part[0] in "\"'" else part


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
