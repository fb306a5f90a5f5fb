"""An attack and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ("Attack", "Result")


@dataclass(frozen=True)
class Result:
    """The result of an attack.

    Attributes:
        name: of the attack.
        tries: frames, pairings or whole runs, as the attack counts.
        successes: tries that reached what the attack is after; 0 is what the protocol promises.
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

    @property
    def goal(self) -> str:
        """What is tried, after which published attack, what counts as success."""
        return " ".join((self.run.__doc__ or "").split())
