"""Instruments on the cryptography: how many tags were checked, what was sealed under which nonce."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from stimfw.crypto.ccm import Ccm
from stimfw.telemetry.connection import Connection
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder

__all__ = ("Seals", "Tags", "peer_state", "seals_recorded", "stimulator_state", "tags_counted")


@dataclass
class Tags:
    """How many tags were checked."""

    checked: int = 0


@dataclass
class Seals:
    """What was sealed: (key, nonce) -> the different pairs of header and plaintext.

    Attributes:
        seals: how often something was sealed.
        reused: (key, nonce) pairs that sealed two different frames.
    """

    seals: int = 0
    reused: int = 0
    seen: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = field(default_factory=dict)

    def note(self, key: bytes, nonce: bytes, header: bytes, plaintext: bytes) -> None:
        """Something is sealed."""
        self.seals += 1
        if self.seen.setdefault((key, nonce), (header, plaintext)) != (header, plaintext):
            self.reused += 1


@contextmanager
def tags_counted() -> Iterator[Tags]:
    """Count every Ccm.open of both ends."""
    tags = Tags()
    original = Ccm.open

    def opened(self: Ccm, nonce: bytes, header: bytes, sealed: bytes) -> bytes:
        tags.checked += 1
        return original(self, nonce, header, sealed)

    Ccm.open = opened  # type: ignore[method-assign]
    try:
        yield tags
    finally:
        Ccm.open = original  # type: ignore[method-assign]


@contextmanager
def seals_recorded() -> Iterator[Seals]:
    """Record every Ccm.seal of both ends."""
    seals = Seals()
    original = Ccm.seal

    def sealed(self: Ccm, nonce: bytes, header: bytes, plaintext: bytes) -> bytes:
        seals.note(self._key, bytes(nonce), bytes(header), bytes(plaintext))
        return original(self, nonce, header, plaintext)

    Ccm.seal = sealed  # type: ignore[method-assign]
    try:
        yield seals
    finally:
        Ccm.seal = original  # type: ignore[method-assign]


_COUNTERS = frozenset(
    ("frames", "bad", "stray", "repeats", "exchange", "candidate", "nonces", "connection", "_connection")
)


def stimulator_state(stimulator: Responder) -> tuple[Any, ...]:
    """All that an accepted frame changes at the stimulator; counters of refused ones are not in it."""
    state: list[Any] = [stimulator.connections]
    for peer in stimulator._peers.values():
        state += _values(peer)
        state += peer.reassembler.__dict__.values()
        state.append(_progress(peer.connection))
    return tuple(state)


def peer_state(peer: Requester) -> tuple[Any, ...]:
    """All that an accepted frame changes at a peer."""
    return (*_values(peer), _progress(peer._connection))


def _values(thing: object) -> list[Any]:
    return [value for name, value in thing.__dict__.items() if name not in _COUNTERS]


def _progress(connection: Connection | None) -> tuple[int, int] | None:
    return None if connection is None else (connection.number, connection.counter)
