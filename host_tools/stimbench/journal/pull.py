"""Pulls a journal from a stimulator into a store: exactly once, verified, and resumed where it was.

Which of the store's journals a board has is told by the entries themselves: an entry's chain hash covers
everything before it, from the device id on. So another board, an erased flash or one that was rolled back is
never taken for the journal that was pulled earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from stimfw.protocol import journal_entries

from stimbench.client.journal_requests import JournalPage
from stimbench.client.records import Identity
from stimbench.client.therapy_records import KeptPrescription
from stimbench.errors import ProtocolError, RefusedError
from stimbench.journal.chain import ChainWalk, Finding
from stimbench.journal.entries import Entry
from stimbench.journal.errors import StoreError
from stimbench.journal.store import Store

__all__ = ("JournalSource", "Pulled", "pull")


_PRESCRIPTIONS = 4
"""How many a board keeps: stimfw.storage.layout.PRESCRIPTIONS."""


class JournalSource(Protocol):
    """What is asked for a journal: stimbench.client.stimulator.Stimulator, over USB or by radio."""

    identity: Identity

    def journal(self, first: int) -> JournalPage:
        """The entries from number `first` on."""

    def prescription_history(self, back: int) -> KeptPrescription | None:
        """The prescription that was in force `back` ones ago, or None."""


@dataclass(frozen=True)
class Pulled:
    """What a pull has done.

    Attributes:
        device_id: of the newest entry; empty if the journal does not say.
        journal: its number in the store.
        new: entries that the store did not have.
        total: entries that the store has of this journal now.
        oldest, next: what the board has.
        findings: all that is wrong with this journal, found now or earlier.
    """

    device_id: str
    journal: int
    new: int
    total: int
    oldest: int
    next: int
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether the chain verifies, and the board has all that it had."""
        return not self.findings


def pull(
    board: JournalSource,
    store: Store,
    now_s: Callable[[], float],
    on_page: Callable[[int, int], None] = lambda done, end: None,
) -> Pulled:
    """Pull what the store does not have.

    Each page of entries is one transaction: an interruption leaves what came before; the next one goes on.

    Args:
        board: connected.
        store: may hold journals of other boards.
        now_s: seconds since 1970.
        on_page: called with the number that is reached and the number where the journal ends.

    Raises:
        StoreError: the board has no journal; or the store cannot be written.
        StimbenchError: as of the board's requests.
    """
    page = board.journal(0)
    if not page.slots:
        raise _empty(store)
    stamp_s = int(now_s())
    journal, findings, last = _resume(board, store, page, stamp_s)
    store.add_findings(journal, findings, stamp_s)
    new, end = 0, page
    with store.many_pages():
        for count, end in _pages(board, store, journal, last, page, stamp_s):
            new = count
            on_page(Entry.of(end.slots[-1]).number + 1, end.next)
    device_id = store.owner(journal)
    store.add_findings(journal, _replaced(store, journal, device_id), stamp_s)
    _keep_prescriptions(board, store, device_id)
    store.add_pull(journal, device_id, board.identity.version, stamp_s, end.oldest, end.next)
    total = sum(1 for _ in store.slots(journal))
    return Pulled(device_id, journal, new, total, end.oldest, end.next, tuple(store.findings(journal)))


def _empty(store: Store) -> StoreError:
    known = store.devices()
    why = f", or it was erased. The store knows {', '.join(known)}." if known else ". Nothing was stored."
    return StoreError(f"The stimulator's journal is empty: it was never implanted{why}")


def _resume(
    board: JournalSource, store: Store, page: JournalPage, now_s: int
) -> tuple[int, list[Finding], int | None]:
    """Which journal of the store this is, what is wrong with it, and the number of its newest entry."""
    forked: list[Finding] = []
    for journal in reversed(store.journals()):
        if not _is_of(store, journal, page):
            continue
        last_slot = store.last(journal)
        last = Entry.of(last_slot or b"").number
        shared = min(last, page.next - 1)
        if not _is_same(store.slot(journal, shared), board.journal(shared)):
            text = f"Entry {shared} is not the one that was pulled earlier (journal {journal}): the board "
            forked = [Finding(shared, "forked", text + "was rolled back or erased, and went on.")]
            continue
        if page.next <= last:
            text = f"The board has entries up to {page.next - 1} only, but entry {last} was pulled earlier: "
            return journal, [Finding(page.next, "less", text + "it was rolled back.")], last
        return journal, [], last
    return store.begin_journal(now_s), forked, None


def _is_of(store: Store, journal: int, page: JournalPage) -> bool:
    """Whether the board's oldest entries are those of a journal of the store, from a device id on."""
    found = [Entry.of(slot) for slot in page.slots]
    named = [at for at, entry in enumerate(found) if entry.kind == journal_entries.IMPLANTED]
    telling = range(named[0] if named else len(found) - 1, len(found))
    return any(
        found[at].kind != journal_entries.THINNED and store.slot(journal, found[at].number) == page.slots[at]
        for at in telling
    )


def _is_same(kept: bytes | None, page: JournalPage) -> bool:
    """Whether the board's answer for a number that the store has agrees with what the store has."""
    if kept is None or not page.slots:
        return True  # one of the two has dropped it: the chain says the rest
    ours, theirs = Entry.of(kept), Entry.of(page.slots[0])
    if theirs.kind == journal_entries.THINNED and theirs.readable:
        return theirs.number > ours.number or theirs.chain == ours.chain
    if ours.kind == journal_entries.THINNED or theirs.number != ours.number:
        return theirs.number != ours.number or theirs.chain == ours.chain
    return kept == page.slots[0]


def _pages(
    board: JournalSource, store: Store, journal: int, last: int | None, page: JournalPage, now_s: int
) -> Iterator[tuple[int, JournalPage]]:
    """Store page after page; how many entries are new so far, and the page."""
    walk, new, first = ChainWalk(), 0, 0
    if last is not None:
        walk, first = ChainWalk(last, Entry.of(store.slot(journal, last) or b"").chain), last + 1
        page = board.journal(first)
    while page.slots:
        slots, findings = _in_order(page, first)
        for slot in slots:
            findings += walk.feed(slot)
        store.add_page(journal, slots, findings, now_s)
        new += len(slots)
        yield new, page
        if not slots:
            return  # nothing of the page could be read
        first = Entry.of(slots[-1]).number + 1
        if first >= page.next:
            return
        page = board.journal(first)


def _in_order(page: JournalPage, first: int) -> tuple[list[bytes], list[Finding]]:
    """The slots that belong to a page, and what is wrong with the others.

    Raises:
        ProtocolError: the board answers with other entries than it was asked for.
    """
    slots: list[bytes] = []
    findings: list[Finding] = []
    for slot in page.slots:
        entry = Entry.of(slot)
        if first <= entry.number < page.next:
            slots.append(slot)
            first = entry.number + 1
        elif entry.readable:
            raise ProtocolError(f"The board answered with entry {entry.number} where {first} was asked for.")
        else:
            text = f"What the board has in the place of entry {first} cannot be read: {slot.hex()}."
            findings.append(Finding(first, "unreadable", text))
    return slots, findings


def _replaced(store: Store, journal: int, device_id: str) -> list[Finding]:
    """Whether an older journal of the store is of the same device."""
    others = [other for other in store.journals(device_id) if other < journal] if device_id else []
    if not others:
        return []
    return [Finding(0, "replaced", f"Device {device_id} answered with another journal earlier (journal "
                    f"{others[-1]}): the flash was erased, or two boards have one id.")]  # fmt: skip


def _keep_prescriptions(board: JournalSource, store: Store, device_id: str) -> None:
    with suppress(RefusedError):  # explanted: the store has what it pulled before
        for back in range(_PRESCRIPTIONS):
            kept = board.prescription_history(back)
            if kept is None:
                return
            packed = kept.prescription.pack()
            store.add_prescription(device_id, kept.version, kept.sender, kept.set_s, packed)
