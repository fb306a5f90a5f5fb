"""What is said of a channel that a recording does not have: the nearest name that it has."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from stimbench.errors import InputError

__all__ = ("NoChannelError", "nearest", "no_channel")

_ALIKE = 0.6
"""From here on two names are taken for one name that was misspelt (difflib's own limit)."""


class NoChannelError(InputError, KeyError):
    """A recording has no such channel; the text says the nearest name, or all that there are."""

    def __str__(self) -> str:
        # KeyError would put the sentence into quotes.
        return str(self.args[0])


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` was probably meant to be, or None.

    A name is `board.signal`, or a signal alone. Signals are compared, whatever their case; the board decides
    between equals.
    """
    best, found = (_ALIKE, 0.0), None
    for each in names:
        score = (_likeness(_signal(name), _signal(each)), _likeness(name, each))
        if score >= best:
            best, found = score, each
    return found


def no_channel(
    source: str, kind: str, name: str, names: Iterable[str], others: Iterable[str] = ()
) -> NoChannelError:
    """The error for a name that is not there.

    Args:
        source: the recording, in words.
        kind: `digital` or `analog`.
        name: what was asked for.
        names: the channels of that kind.
        others: those of the other kind.
    """
    known, missing = list(names), f"{source} has no {kind} channel {name!r}"
    same = [other for other in others if _signal(other).lower() == _signal(name).lower()]
    if same:
        voltage = _signal(same[0]).upper().startswith("V_")
        ask = "edges" if kind == "analog" else "voltage" if voltage else "current"
        other_kind = "analog" if kind == "digital" else "digital"
        return NoChannelError(f"{missing}: {same[0]!r} is {other_kind}, ask for it with {ask}.")
    near = nearest(name, known)
    if near is not None:
        return NoChannelError(f"{missing}; the nearest is {near!r}.")
    return NoChannelError(f"{missing}. It has: {', '.join(known) or 'none'}.")


def _signal(name: str) -> str:
    return name.rpartition(".")[2]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()
