"""Instruments on the cryptography: how many tags were checked, what was sealed under which nonce."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from stimfw.crypto.ccm import Ccm, NotAuthenticError
from stimfw.telemetry.connection import Connection
from stimfw.telemetry.keys import ChallengeTag, HelloTag
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder

__all__ = ("Seals", "Tags", "peer_state", "seals_recorded", "stimulator_state", "tags_counted")


@dataclass
class Tags:
    """How many tags were checked, and how many seals (of a REQUEST or REPLY) did not verify."""

    checked: int = 0
    failed_seals: int = 0


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
    """Count every tag that either end compares: of a HELLO, a CHALLENGE, a REQUEST, a REPLY."""
    tags = Tags()
    originals: dict[type, Any] = {Ccm: Ccm.open, HelloTag: HelloTag.proves, ChallengeTag: ChallengeTag.proves}

    def counted(original: Any) -> Any:
        def checked(*arguments: Any) -> Any:
            tags.checked += 1
            try:
                return original(*arguments)
            except NotAuthenticError:
                tags.failed_seals += 1
                raise

        return checked

    Ccm.open = counted(Ccm.open)  # type: ignore[method-assign]
    HelloTag.proves = counted(HelloTag.proves)  # type: ignore[method-assign]
    ChallengeTag.proves = counted(ChallengeTag.proves)  # type: ignore[method-assign]
    try:
        yield tags
    finally:
        Ccm.open = originals[Ccm]  # type: ignore[method-assign]
        HelloTag.proves = originals[HelloTag]  # type: ignore[method-assign]
        ChallengeTag.proves = originals[ChallengeTag]  # type: ignore[method-assign]


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
    (
        *("frames", "bad", "stray", "_stray_ms", "old", "_old_ms", "repeats", "replied_ms"),
        *("candidate", "previous", "connection", "_connection", "_ahead", "_handshake_keys", "_tags"),
    )
)
"""And what a forgery or a recorded HELLO may cost: keys of other generations, one CHALLENGE a second."""


def stimulator_state(stimulator: Responder, recorded: Container[bytes] = ()) -> tuple[Any, ...]:
    """All that an accepted frame changes at the stimulator; counters of refused ones are not in it.

    `recorded`: genuine frames. An old HELLO among them may be answered, out of step.
    """
    state: list[Any] = [stimulator.connections]
    for peer in stimulator._peers.values():
        state += _values(peer)
        state += [one.hello for one in peer.candidates() if one.hello not in recorded]
        state += peer.reassembler.__dict__.values()
        state.append(_progress(peer.connection))
    return tuple(state)


def peer_state(peer: Requester) -> tuple[Any, ...]:
    """All that an accepted frame changes at a peer."""
    return (*_values(peer), _progress(peer._connection))


def _values(thing: object) -> list[Any]:
    return [value for name, value in thing.__dict__.items() if name not in _COUNTERS]


def _progress(connection: Connection | None) -> tuple[int, int] | None:
    return None if connection is None else (id(connection), connection.counter)
