"""The seven lessons, in their order."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stimbench.errors import InputError, StimbenchError
from stimbench.lessons.text import Block, blocks_of, text_folder, title_of

if TYPE_CHECKING:
    from stimbench.lessons.model import Step  # loads what draws

__all__ = ("LESSONS", "Lesson", "find")


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        number: 1 to 7.
        name: of its text's file after the number, and of its module with `_` for `-`.
    """

    number: int
    name: str

    @property
    def file(self) -> str:
        """The file of its text."""
        return f"{self.number}-{self.name}.md"

    @property
    def text(self) -> str:
        """Its text.

        Raises:
            StimbenchError: it cannot be read.
        """
        path = text_folder() / self.file
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise StimbenchError(f"The lesson's text cannot be read: {path}: {error.strerror}.") from error

    @property
    def title(self) -> str:
        """Its title."""
        return title_of(self.text)

    @property
    def blocks(self) -> list[Block]:
        """Its text, cut where something is run or shown."""
        return blocks_of(self.text)

    @property
    def steps(self) -> Mapping[str, Step]:
        """What looks at the results of its listings, by name. Loads what measures and draws."""
        module = importlib.import_module(f"stimbench.lessons.{self.name.replace('-', '_')}")
        steps: Mapping[str, Step] = module.STEPS
        return steps


LESSONS = tuple(
    Lesson(number, name)
    for number, name in enumerate(
        ("pulse", "balance", "impedance", "contraction", "broken-lead", "eavesdropper", "watchdog"), 1
    )
)


def find(number: int) -> Lesson:
    """The lesson of that number.

    Raises:
        InputError: there is none.
    """
    for lesson in LESSONS:
        if lesson.number == number:
            return lesson
    raise InputError(f"There is no lesson {number}. There are lessons 1 to {len(LESSONS)}.")
