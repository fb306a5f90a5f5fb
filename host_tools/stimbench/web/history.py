"""What a run's page was told, over time: of each state only what had changed, in a bounded memory.

A state is kept as the difference to the one before. Some hundred of them are a chunk, compressed, and its
first state is whole. If all chunks together become too large, the oldest two that have not lost any are made
one of them, with every second state: so a long run loses times between states, evenly, and none of its ends.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

__all__ = ("MOST_BYTES", "PLACES", "History", "changed", "entries_of", "patched")

MOST_BYTES = 2_500_000
"""Of all chunks together."""
_CHUNK = 128
"""States."""
PLACES = ("stimulator", "repeating", "views")
"""The parts of a state that are kept. Its time is that of its entry; the pace is the reader's own."""
_DERIVED = ("leads", "muscles", "sides")
"""Whose `force` is left out: the record's own series of it (web.muscles) is whole."""

Entry = tuple[int, Any]
"""A time in ns, and the state then, or what `changed` says of it."""


@dataclass(frozen=True)
class _Chunk:
    level: int
    """Of 2**level states one was kept."""
    packed: bytes

    @classmethod
    def of(cls, level: int, entries: list[Entry]) -> _Chunk:
        return cls(level, zlib.compress(json.dumps(entries, separators=(",", ":")).encode(), 6))

    @property
    def entries(self) -> list[Entry]:
        return entries_of(self.packed)


def entries_of(packed: bytes) -> list[Entry]:
    """A chunk's entries: the first state is whole, and of the others there is the change."""
    return [(t_ns, told) for t_ns, told in json.loads(zlib.decompress(packed))]


class History:
    """States over time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Begin with none.

        Args:
            most_bytes: of the compressed chunks, give or take one; what is not compressed yet, some 0.1 MB,
                comes on top.
        """
        self._most_bytes = most_bytes
        self._chunks: list[_Chunk] = []
        self._open: list[Entry] = []
        self._last: Any = None

    @property
    def nbytes(self) -> int:
        """How much memory the chunks have."""
        return sum(len(chunk.packed) for chunk in self._chunks)

    def add(self, state: dict[str, Any]) -> None:
        """Take a state as a page gets it, whole. It is kept if it differs from the one before."""
        told = _kept(state)
        if told == self._last:
            return
        change = told if not self._open else changed(self._last, told)
        self._open.append((state["t_ns"], change))
        self._last = told
        if len(self._open) >= _CHUNK:
            self._chunks.append(_Chunk.of(0, self._open))
            self._open = []
        elif self.nbytes > self._most_bytes:
            self._thin()

    def packed(self) -> list[bytes]:
        """All that is kept: zlib of JSON, a list of entries each; see `entries_of`. It takes 1 ms."""
        found = [chunk.packed for chunk in self._chunks]
        return [*found, _Chunk.of(0, self._open).packed] if self._open else found

    def _thin(self) -> None:
        """Make the oldest two chunks one that are neighbours and have lost least. It takes some 10 ms."""
        pairs = [
            (one.level, at)
            for at, (one, other) in enumerate(zip(self._chunks, self._chunks[1:], strict=False))
            if one.level == other.level
        ]
        if not pairs:
            return
        level, at = min(pairs)
        states = [*_states(self._chunks[at].entries), *_states(self._chunks[at + 1].entries)]
        entries: list[Entry] = []
        before: Any = None
        for t_ns, told in states[::2]:
            entries.append((t_ns, changed(before, told) if entries else told))
            before = told
        self._chunks[at : at + 2] = [_Chunk.of(level + 1, entries)]


def _kept(state: dict[str, Any]) -> dict[str, Any]:
    """The parts that are kept, as JSON has them."""
    kept = {name: state[name] for name in PLACES if name in state}
    parts, muscles, sides = _DERIVED
    views = kept.get("views", {})
    if sides in (views.get(parts, {}).get(muscles) or {}):
        told = views[parts][muscles]
        bare = {name: {k: v for k, v in side.items() if k != "force"} for name, side in told[sides].items()}
        kept["views"] = views | {parts: views[parts] | {muscles: told | {sides: bare}}}
    return kept


def _states(entries: list[Entry]) -> list[Entry]:
    """Whole states of a chunk's entries."""
    found: list[Entry] = []
    for t_ns, told in entries:
        found.append((t_ns, patched(found[-1][1], told) if found else told))
    return found


def changed(before: Any, now: Any) -> Any:
    """What has to be done to one state to get another. Plain data for JSON; `patched` does it.

    `{"p": {key: change}, "d": [key]}` of an object: changes, and what goes; `{"k": n, "a": [...]}` of a list
    that has lost its first `n` and got others at its end; else `{"v": value}`.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        change: dict[str, Any] = {
            "p": {
                key: changed(before[key], value) if key in before else {"v": value}
                for key, value in now.items()
                if key not in before or before[key] != value
            }
        }
        gone = [key for key in before if key not in now]
        return change | ({"d": gone} if gone else {})
    if isinstance(before, list) and isinstance(now, list) and before and now:
        for lost in range(len(before)):
            kept = len(before) - lost
            if kept <= len(now) and before[lost] == now[0] and before[lost:] == now[:kept]:
                return {"k": lost, "a": now[kept:]}
    return {"v": now}


def patched(before: Any, change: Any) -> Any:
    """The state that `changed` made a change of; `before` stays as it is."""
    if "v" in change:
        return change["v"]
    if "a" in change:
        return [*before[change["k"] :], *change["a"]]
    gone = change.get("d", ())
    found = {key: value for key, value in before.items() if key not in gone}
    return found | {key: patched(before.get(key), one) for key, one in change["p"].items()}
