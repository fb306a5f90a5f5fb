"""The texts of the lessons: Markdown that GitHub shows as it is, cut here for a terminal.

Two comments mean something; a reader on GitHub sees neither:

- `<!-- step: NAME -->` before a listing: the function NAME of the lesson's module takes what it left.
- `2004<!-- NAME --> uA`: this number is measured under that name.

A block of lines that are indented and begin with `stimbench` holds commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from stimbench.errors import InputError
from stimbench.project import find_project_root

if TYPE_CHECKING:
    from stimbench.lessons.model import Number  # loads what draws

__all__ = (
    "Block",
    "Command",
    "Listing",
    "Picture",
    "Prose",
    "blocks_of",
    "marked",
    "text_folder",
    "title_of",
)

_BLOCK = re.compile(
    r"(?:^<!-- step: (?P<step>\w+) -->\n)?^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<says>.*?)^```\n)?"
    r"|(?P<commands>(?:^    stimbench [^\n]*\n)+)"
    r"|^!\[(?P<alt>[^\]]*)\]\((?P<file>[^)]+)\)\n",
    re.MULTILINE | re.DOTALL,
)
_MARKED = re.compile(r"(-?\d+(?:\.\d+)?)<!-- (\w+) -->")


@dataclass(frozen=True)
class Prose:
    """Text between the rest, as Markdown with its marks."""

    text: str

    def shown(self, numbers: Mapping[str, Number]) -> str:
        """The text without marks, with the numbers of this run as far as they are measured."""
        return _MARKED.sub(lambda it: numbers[it[2]].text if it[2] in numbers else it[1], self.text)


@dataclass(frozen=True)
class Listing:
    """Python to type. `says` is what it prints; `step` names the function that takes what it leaves."""

    code: str
    says: str
    step: str


@dataclass(frozen=True)
class Command:
    """A command to type, as one line."""

    line: str


@dataclass(frozen=True)
class Picture:
    """Where the text shows a picture. `alt` says in words what is on it."""

    alt: str
    file: str


Block: TypeAlias = Prose | Listing | Command | Picture


def text_folder() -> Path:
    """Where the texts are: `texts` beside this file in an installed package, docs/tutorial in a checkout.

    Raises:
        BenchError: neither is there.
    """
    packaged = Path(__file__).parent / "texts"
    return packaged if packaged.is_dir() else find_project_root() / "docs" / "tutorial"


def title_of(text: str) -> str:
    """The lesson's title, without its number.

    Raises:
        InputError: the text does not begin with a title.
    """
    found = re.match(r"# (?:\d+\. )?(.+)\n", text)
    if found is None:
        raise InputError("A lesson's text begins with a title: `# 1. What it is about`.")
    return found[1]


def marked(text: str) -> list[tuple[str, str]]:
    """Every marked number of a text: its name, and the number as it is written."""
    return [(name, number) for number, name in _MARKED.findall(text)]


def with_numbers(text: str, numbers: Mapping[str, str]) -> str:
    """The text with the marked numbers of a run; one whose name `numbers` lacks stays as it is."""

    def renewed(found: re.Match[str]) -> str:
        written, name = found[1], found[2]
        return numbers.get(name, written) + found[0][len(written) :]

    return _MARKED.sub(renewed, text)


def blocks_of(text: str) -> list[Block]:
    """A lesson's text, cut where something is run or shown."""
    return list(_blocks(text))


def _blocks(text: str) -> Iterator[Block]:
    end = 0
    for found in _BLOCK.finditer(text):
        if text[end : found.start()].strip():
            yield Prose(text[end : found.start()].strip("\n"))
        end = found.end()
        if found["code"] is not None:
            yield Listing(found["code"], found["says"] or "", found["step"] or "")
        elif found["commands"] is not None:
            yield from (Command(line.strip()) for line in found["commands"].splitlines())
        else:
            yield Picture(found["alt"], found["file"])
    if text[end:].strip():
        yield Prose(text[end:].strip("\n"))
