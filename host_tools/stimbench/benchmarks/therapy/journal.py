"""A journal of more than 5000 entries: that it is kept, and how long its pull over USB takes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stimfw.protocol import journal_entries, messages
from stimfw.storage.journal import Journal

from stimbench.bench.provision import BlockView
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.therapy.rig import NOW_S, ImplantRig
from stimbench.journal.pull import pull
from stimbench.journal.store import Store

__all__ = ("JOURNAL",)

_ENTRIES = 5000
_MORE = 200
_ROUTINE_SHARE = 0.6


@dataclass(frozen=True)
class _Found:
    written: int
    kept: int
    pulled: int
    findings: int
    pull_s: float
    whole_s: float


def _fill(journal: Journal, entries: int, seed: int) -> None:
    """Entries of all groups, as a device makes them in years, a minute apart."""
    rng = random.Random(f"journal {seed}")
    for number in range(entries):
        while journal.room() < 2 and journal.prepare():
            pass
        if rng.random() < _ROUTINE_SHARE:
            kind = journal_entries.AMPLITUDE
            body = journal_entries.pack(kind, rng.randrange(400) * 25, rng.randrange(400) * 25)
        else:
            kind = journal_entries.DELIVERED
            body = journal_entries.pack(kind, rng.randrange(2), 12_000, rng.randrange(9000), 60)
        journal.append(kind, messages.FROM_NOBODY, NOW_S - 60 * (entries - number), body)


def _work(seed: int) -> _Found:
    with ImplantRig(seed) as rig, tempfile.TemporaryDirectory() as folder:
        view = BlockView(rig.board.flash)
        _fill(Journal(view), _ENTRIES + _MORE, seed)
        on_flash = Journal(view)
        kept = on_flash.next_number - on_flash.oldest
        stimulator = rig.ready()
        with Store(Path(folder) / "journal.sqlite", create=True) as store:
            begin_ns = rig.now_ns
            there_ns: list[int] = []

            def on_page(reached_number: int, _end: int) -> None:
                if reached_number >= _ENTRIES:
                    there_ns.append(rig.now_ns)

            found = pull(stimulator, store, lambda: float(NOW_S), on_page)
            whole_s = (rig.now_ns - begin_ns) / 1e9
            pull_s = (there_ns[0] - begin_ns) / 1e9 if there_ns else float("inf")
            return _Found(_ENTRIES + _MORE, kept, found.total, len(found.findings), pull_s, whole_s)


def _judge(found: Sequence[_Found], options: Options) -> list[Line]:
    one = found[0]
    text = f"{one.written} entries written, {one.findings} findings in the chain; seed {options.seed}"
    return [
        reached("journal: entries kept", one.pulled, Relation.AT_LEAST, _ENTRIES, "", text),
        reached("journal: what does not verify", one.findings, Relation.EQUAL, 0, "", text),
        reached(
            "journal: pull of 5000 entries over USB into a new store", one.pull_s, Relation.AT_MOST, 60, "s",
            f"all {one.pulled} of them in {one.whole_s:.1f} s; emulated time. "
            f"{options.cache_note}",
        ),
    ]  # fmt: skip


def _cases(options: Options) -> list[int]:
    return [options.seed]


JOURNAL = Row("journal", "more than 5000 entries, kept and pulled", _cases, _work, _judge, weight=30)
