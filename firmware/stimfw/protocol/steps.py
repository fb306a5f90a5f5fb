"""Work in steps: a generator that yields where a STOP may be looked for, and returns what the work gives."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeVar

    T = TypeVar("T")


def all_of(work: "Generator[None, None, T]") -> "T":
    """Do all that is left of it at once; what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as over:
            value: "T" = over.value
            return value
