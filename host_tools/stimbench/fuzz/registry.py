"""Every target, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stimbench.errors import InputError
from stimbench.fuzz import (
    target_bytes,
    target_flash,
    target_host,
    target_pairing,
    target_radio,
    target_therapy,
)

__all__ = ("TARGETS", "Target", "find")

_PORTABLE = (
    *target_bytes.TARGETS,
    *target_radio.TARGETS,
    *target_pairing.TARGETS,
    *target_flash.TARGETS,
    *target_therapy.TARGETS,
)


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        name: what `--only` takes.
        run: takes any bytes. Whatever it raises is a finding: the exceptions that docstrings declare it
            catches itself.
        portable: whether it runs on MicroPython, too.
    """

    name: str
    run: Callable[[bytes], None]
    portable: bool

    @property
    def about(self) -> str:
        """What it feeds, in a sentence."""
        return (self.run.__doc__ or "").strip().split("\n")[0]


TARGETS: tuple[Target, ...] = (
    *(Target(name, run, True) for name, run in _PORTABLE),
    *(Target(name, run, False) for name, run in target_host.TARGETS),
)


def find(name: str) -> Target:
    """The target of a name.

    Raises:
        InputError: there is none.
    """
    for target in TARGETS:
        if target.name == name:
            return target
    raise InputError(f"There is no target '{name}'; there are: {', '.join(one.name for one in TARGETS)}.")
