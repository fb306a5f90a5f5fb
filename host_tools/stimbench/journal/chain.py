"""Whether a journal is whole: every entry chained to the one before, and none missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from stimfw.storage import journal_format
from stimfw.storage.journal_format import CHANGED, FIRST_NUMBER, MISSING, NO_CHAIN, ORDER, SOUND, UNREADABLE

__all__ = ("ChainWalk", "Finding", "Verification", "verify")

_BEFORE_ALL = FIRST_NUMBER - 1


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a journal.

    Attributes:
        number: of the entry where it was found.
        what: `unreadable`, `broken`, `missing`, `beginning`, `order`; of a pull `less`, `forked`, `replaced`.
        text: in a sentence.
    """

    number: int
    what: str
    text: str


@dataclass
class Verification:
    """What a walk along the chain has shown so far.

    Attributes:
        entries: slots that were looked at.
        thinned: entries that the board dropped itself, and said so, and that are not here: they are no fault.
        markers: where it says so. What a marker stands for cannot be recomputed; it is taken as it is.
        first: number of the first slot; None before it.
        last: number of the last slot that can be read.
        head: its chain hash.
        findings: what is wrong.
    """

    entries: int = 0
    thinned: int = 0
    markers: int = 0
    first: int | None = None
    last: int = _BEFORE_ALL
    head: bytes = NO_CHAIN
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class ChainWalk:
    """Verifies slots one after the other, in the order of their numbers, as the board's own code does.

    One thing a host may see that a board never does: a marker for entries of which it has the first ones.
    """

    def __init__(self, last: int = _BEFORE_ALL, head: bytes = NO_CHAIN) -> None:
        """Begin after entry `last`, whose chain hash is `head`; by default at the journal's beginning."""
        self.seen = Verification(last=last, head=head)

    def feed(self, slot: bytes) -> list[Finding]:
        """Look at the next slot. What is wrong with it; later slots are compared with it all the same."""
        seen, number = self.seen, journal_format.number_of(slot)
        fault = journal_format.fault_of(slot, seen.last, seen.head)
        dropped, _ = journal_format.dropped(slot)
        if fault == CHANGED and dropped and journal_format.begin_of(slot) <= seen.last < number:
            fault = SOUND  # the first ones of what it stands for are here
        found = [self._finding(fault, slot)] if fault != SOUND else []
        seen.findings += found
        seen.entries += 1
        seen.first = number if seen.first is None else seen.first
        if fault != UNREADABLE:
            if dropped:
                seen.markers += 1
                seen.thinned += max(0, min(dropped, number - seen.last))
            seen.last, seen.head = number, journal_format.chain_of(slot)
        return found

    def _finding(self, fault: int, slot: bytes) -> Finding:
        number, last = journal_format.number_of(slot), self.seen.last
        if fault == UNREADABLE:
            return Finding(number, "unreadable", f"Entry {number} cannot be read: its checksum is wrong.")
        if fault == ORDER:
            return Finding(number, "order", f"Entry {number} comes after entry {last}.")
        if fault == MISSING:
            return _missing(number, last, journal_format.begin_of(slot))
        text = f"Entry {number} does not follow from the one before: it or an earlier one was changed."
        return Finding(number, "broken", text)


def verify(slots: Iterable[bytes]) -> Verification:
    """Walk along a whole journal, its slots in the order of their numbers."""
    walk = ChainWalk()
    for slot in slots:
        walk.feed(slot)
    return walk.seen


def _missing(number: int, last: int, goes_on: int) -> Finding:
    """Found at entry `number`: those between `last` and `goes_on` are not there, or cannot be read."""
    if last == _BEFORE_ALL:
        return Finding(number, "beginning", f"The journal begins with entry {number}: not with the first.")
    which = f"Entries {last + 1} to {goes_on - 1} are" if goes_on - last > 2 else f"Entry {last + 1} is"
    return Finding(number, "missing", f"{which} missing, and the board does not say that it dropped them.")
