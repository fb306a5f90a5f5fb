"""An attack and its result."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ("Attack", "Result")

_WHO = re.compile(r"(?<=\. )By (.*?)\.(?= |$)")
_SUCCESS = re.compile(r"Success: (.*?)\.(?= |$)")


@dataclass(frozen=True)
class Result:
    """The result of an attack.

    Attributes:
        name: of the attack.
        tries: frames, pairings or whole runs, as the attack counts.
        successes: tries that reached what the attack is after; 0 is what must hold.
        detail: what else was counted.
    """

    name: str
    tries: int
    successes: int
    detail: str


@dataclass(frozen=True)
class Attack:
    """An attack by name. `run(tries, seed)` carries it out; the docstring of `run` says what it is after.

    Attributes:
        tries: of the full run.
        least: fewer make no sense.
        on_bench: it needs the firmware's images: it is carried out on the emulated bench.
    """

    name: str
    run: Callable[[int, int], Result]
    tries: int
    least: int = 1
    on_bench: bool = False

    def share(self, share: float) -> int:
        """How many tries a share of the full run has: never fewer than `least`."""
        return max(self.least, round(self.tries * share))

    @property
    def goal(self) -> str:
        """What is tried, by whom, after which published attack, what counts as success."""
        return " ".join((self.run.__doc__ or "").split())

    @property
    def what(self) -> str:
        """What is tried, in a sentence."""
        return self.goal.split(". ")[0].rstrip(".") + "."

    @property
    def who(self) -> str:
        """Who tries it."""
        return self._part(_WHO)

    @property
    def success(self) -> str:
        """What counts as a success."""
        return self._part(_SUCCESS)

    def _part(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search(self.goal)
        return found[1] if found else ""
