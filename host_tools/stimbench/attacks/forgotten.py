"""A board that gives an epoch out twice because a block of its flash was damaged, or erased."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from stimfw.crypto.drbg import Drbg
from stimfw.protocol import roles
from stimfw.storage import layout
from stimfw.storage.areas import Areas
from stimfw.storage.pairings import PairingTable

from stimbench.attacks.result import Result
from stimbench.attacks.rollback import Nor

__all__ = ("forgotten_epochs",)

_BLOCK = 4096
_PLACE_BYTES = 64  # of the epoch log
_ERASED = b"\xff" * _BLOCK
_LOG, _LIMIT, _PAIRINGS = layout.EPOCHS, layout.EPOCH_LIMIT, layout.PAIRINGS
_MOST_BOOTS = 140  # the log changes its block each 64th start


def _begin(table: PairingTable, random_bytes: Drbg) -> None:
    """What the stimulator's composition root does with a table that is new."""
    if not table.base:
        table.create(random_bytes.take(4))


def _boot(nor: Nor, made: Callable[..., Areas] = Areas) -> Areas:
    return made(nor, PairingTable, _begin, b"always the same")


def _used(nor: Nor, block: int) -> list[int]:
    """Places of a block of the log that are not blank."""
    start = block * _BLOCK
    places = range(start, start + _BLOCK, _PLACE_BYTES)
    return [at for at in places if nor.memory[at : at + _PLACE_BYTES] != b"\xff" * _PLACE_BYTES]


def _flip_in_newest(nor: Nor, rng: random.Random) -> None:
    """One bit of the newest place's header: magic, epoch, checksum."""
    newest = max((at for block in (_LOG, _LOG + 1) for at in _used(nor, block)), default=_LOG * _BLOCK)
    for block in (_LOG, _LOG + 1):
        for at in _used(nor, block):
            if nor.memory[at + 4 : at + 8] > nor.memory[newest + 4 : newest + 8]:
                newest = at
    nor.memory[newest + rng.randrange(12)] ^= 1 << rng.randrange(8)


def _flip_anywhere(nor: Nor, rng: random.Random) -> None:
    """One bit of any block that is ours."""
    block = rng.choice((_LOG, _LIMIT, _PAIRINGS)) + rng.randrange(2)
    nor.memory[block * _BLOCK + rng.randrange(_BLOCK)] ^= 1 << rng.randrange(8)


def _spoil_block(nor: Nor, rng: random.Random) -> None:
    """One whole block: erased, zeros, or noise."""
    start = rng.choice((_LOG, _LOG + 1, _LIMIT, _LIMIT + 1)) * _BLOCK
    nor.memory[start : start + _BLOCK] = rng.choice((_ERASED, bytes(_BLOCK), rng.randbytes(_BLOCK)))


def _erase_log(nor: Nor, rng: random.Random) -> None:
    """Both blocks of the log; the pairings are intact."""
    for block in (_LOG, _LOG + 1):
        nor.memory[block * _BLOCK : (block + 1) * _BLOCK] = _ERASED


def _erase_all_but_pairings(nor: Nor, rng: random.Random) -> None:
    """The log and its limit; the pairings are intact."""
    _erase_log(nor, rng)
    for block in (_LIMIT, _LIMIT + 1):
        nor.memory[block * _BLOCK : (block + 1) * _BLOCK] = _ERASED


_DAMAGE: tuple[Callable[[Nor, random.Random], None], ...] = (
    _flip_in_newest, _erase_log, _erase_all_but_pairings, _spoil_block, _flip_anywhere,
)  # fmt: skip


def forgotten_epochs(tries: int, seed: int, opened: Callable[..., Any] = Areas) -> Result:
    """Damage a block of the flash between two starts: one bit, a whole block, the log, the log and its limit.

    By a flash chip that grows old, or by a program that erases more than it should. Each try is a board with
    a pairing, started up to 140 times, then damaged, then started twice. Success: it uses an epoch that it
    has used before, with a key that has met it.
    """
    rng = random.Random(f"forgotten {seed}")
    won: dict[str, int] = {}
    refused = 0
    for number in range(tries):
        damage = _DAMAGE[number % len(_DAMAGE)]
        nor = Nor(rng, layout.BLOCKS)
        areas = _boot(nor, opened)
        areas.pairings.add(rng.randbytes(4), roles.CLINICIAN, rng.randbytes(32))
        highest = areas.epoch
        for _ in range(rng.randrange(_MOST_BOOTS)):
            highest = max(highest, _boot(nor, opened).epoch)
        damage(nor, rng)
        for _ in range(2):
            areas = _boot(nor, opened)
            refused += areas.epoch == 0
            if areas.epoch and areas.epoch <= highest and areas.pairings.slots():
                name = damage.__name__.strip("_").replace("_", " ")
                won[name] = won.get(name, 0) + 1
                break
            highest = max(highest, areas.epoch)
    told = ", ".join(f"{name}: {count}" for name, count in won.items()) or "none"
    return Result("forgotten epochs", tries, sum(won.values()), f"{refused} starts without radio; {told}")
