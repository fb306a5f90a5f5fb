"""The faults of a plan: how each is written, what it does to the bench, and what must hold then.

- `none`: nothing is broken
- `open left.1`: the wire of an electrode is broken before the session
- `short left.1 left.2`: two electrodes touch
- `resistance left.1 3000`: an electrode's series resistance, in ohm
- `magnet`, `hang`, `power off`: in the session; the output must go off
- `stop`: in the session, STOP over USB
- `jam`: in the session, noise on all radio channels; the pulses must not change
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ("FAULTS", "NO_FAULT", "Fault", "FaultKind", "parse_fault")

_ELECTRODE = re.compile(r"(left|right)\.([0-3])")


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        name: how it is written.
        during: whether it comes in the session, and not before.
        expect: `pulses`: the therapy goes on as if nothing were; `off`: both bridges go off and stay off;
            `open`: no current in its lead, the other one as ever; `short`: as the programme has it, and the
            measurement of impedance names it; `high`: the measurement says how many ohm.
        off_within_ms: of `off`, from the fault on; what docs/figures.md promises.
        words: how many come behind the name.
        needs: what a rig must have for it.
    """

    name: str
    during: bool
    expect: Literal["pulses", "off", "open", "short", "high"]
    off_within_ms: float = 0.0
    words: int = 0
    needs: str = ""


FAULTS = {
    kind.name: kind
    for kind in (
        FaultKind("none", False, "pulses"),
        FaultKind("open", False, "open", words=1, needs="loads"),
        FaultKind("short", False, "short", words=2, needs="loads"),
        FaultKind("resistance", False, "high", words=2, needs="loads"),
        FaultKind("magnet", True, "off", 0.2, needs="magnet"),
        FaultKind("hang", True, "off", 150.0, needs="hang"),
        FaultKind("power off", True, "off", 0.01, needs="power"),
        FaultKind("stop", True, "off", 5.0),
        FaultKind("jam", True, "pulses", needs="jammer"),
    )
}
"""Every kind, by name."""


@dataclass(frozen=True)
class Fault:
    """A fault of a case."""

    kind: FaultKind
    words: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As it is written in a plan."""
        return " ".join((self.kind.name, *self.words))

    @property
    def lead(self) -> str:
        """The lead that it breaks; empty for what concerns both."""
        return self.words[0].partition(".")[0] if self.words else ""

    @property
    def electrodes(self) -> tuple[int, ...]:
        """The electrodes that it breaks."""
        return tuple(int(word.partition(".")[2]) for word in self.words if _ELECTRODE.fullmatch(word))


def parse_fault(text: str) -> Fault:
    """The fault that is written so.

    Raises:
        ValueError: there is no such fault, or its words are wrong; the text says what is right.
    """
    name = next((name for name in FAULTS if text == name or text.startswith(f"{name} ")), None)
    if name is None:
        raise ValueError(f"no fault {text!r}; there are {', '.join(FAULTS)}")
    kind, words = FAULTS[name], tuple(text[len(name) :].split())
    if len(words) != kind.words:
        raise ValueError(f"fault = {text!r}: it is written {_EXAMPLES.get(name, name)!r}")
    if name in _CHECKS:
        _CHECKS[name](words)
    return Fault(kind, words)


def _electrodes(words: tuple[str, ...]) -> None:
    for word in words:
        if not _ELECTRODE.fullmatch(word):
            raise ValueError(f"no electrode {word!r}; there are left.0 to left.3 and right.0 to right.3")
    if len(words) == 2 and (words[0] == words[1] or words[0][:4] != words[1][:4]):
        raise ValueError(f"{words[0]} and {words[1]} cannot touch: two electrodes of one lead can")


def _resistance(words: tuple[str, ...]) -> None:
    _electrodes(words[:1])
    if not words[1].isdecimal() or not 1 <= int(words[1]) <= 1_000_000:
        raise ValueError(f"{words[1]!r} is no resistance: 1 to 1000000 ohm")


_CHECKS: dict[str, Callable[[tuple[str, ...]], None]] = {
    "open": _electrodes,
    "short": _electrodes,
    "resistance": _resistance,
}
_EXAMPLES = {"open": "open left.1", "short": "short left.1 left.2", "resistance": "resistance left.1 3000"}
NO_FAULT = Fault(FAULTS["none"])
