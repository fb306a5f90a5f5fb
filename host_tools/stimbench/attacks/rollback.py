"""A board that forgets which epochs it has used: power cuts while the epoch is written to flash."""

from __future__ import annotations

import random

from stimfw.protocol import messages, requests
from stimfw.storage.epochs import EpochLog
from stimfw.telemetry.requester import STOP_LIMIT_MS

from stimbench.attacks.counters import seals_recorded
from stimbench.attacks.loopback import LoopbackLink
from stimbench.attacks.replay import opened_by
from stimbench.attacks.result import Result

__all__ = ("Nor", "PowerCutError", "rolled_back")

_BLOCK, _PAGE = 4096, 256
_RECORDED = 60


class PowerCutError(Exception):
    """The supply failed."""


class Nor:
    """A NOR flash behind MicroPython's block device: programming only clears bits.

    Attributes:
        left: operations until the supply fails, in the middle of one; -1: it does not.
    """

    def __init__(self, rng: random.Random, blocks: int = 2) -> None:
        self.memory = bytearray(b"\xff" * (blocks * _BLOCK))
        self.left = -1
        self._dice = rng

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """As rp2.Flash."""
        start = block * _BLOCK + offset
        buffer[:] = self.memory[start : start + len(buffer)]

    def writeblocks(self, block: int, data: bytes, offset: int | None = None) -> None:
        """As rp2.Flash: erases first if there is no offset."""
        if offset is None:
            self.ioctl(6, block)
        start = block * _BLOCK + (offset or 0)
        for at in range(0, len(data), _PAGE):
            old = self.memory[start + at : start + at + _PAGE]
            page = data[at : at + _PAGE]
            self._change(start + at, bytes(a & b for a, b in zip(old, page, strict=True)))

    def ioctl(self, operation: int, argument: int) -> int:
        """As rp2.Flash."""
        if operation == 6:
            self._change(argument * _BLOCK, b"\xff" * _BLOCK)
            return 0
        return len(self.memory) // _BLOCK if operation == 4 else _BLOCK

    def _change(self, start: int, new: bytes) -> None:
        if self.left == 0:
            for index, byte in enumerate(new):
                mask = self._dice.choice((0, 0xFF, self._dice.randrange(256)))
                old = self.memory[start + index]
                self.memory[start + index] = (old & ~mask | byte & mask) & 0xFF
            raise PowerCutError
        self.left -= self.left > 0
        self.memory[start : start + len(new)] = new


def _boot(nor: Nor, rng: random.Random, cut: int) -> int | None:
    """The epoch that a boot gets; None if the supply failed before it had one."""
    nor.left = cut
    try:
        epoch, _ = EpochLog(nor, 0).advance(b"always the same")  # type: ignore[arg-type]
    except PowerCutError:
        return None
    finally:
        nor.left = -1
    return epoch


def rolled_back(tries: int, seed: int, memory: bool = True) -> Result:
    """Make a side use an epoch twice: cut its supply while it boots, then send it what was recorded earlier.

    By somebody who cuts the supply in a flash operation of a start.
    Each try is a boot of either side, cut in the middle of one of its flash operations in most cases,
    booted again, with a genuine request and old frames after it. Its random source always gives the same
    bytes. Success: an epoch that is not higher than all before, an old frame that is accepted, or a nonce
    that is used twice.

    Args:
        tries: boots.
        seed: of the cuts.
        memory: False: the epoch is not kept on flash, to see the attack succeed.
    """
    rng = random.Random(f"rollback {seed}")
    link = LoopbackLink(seed)
    link.take_random = bytes
    flashes = {"stimulator": Nor(rng), "peer": Nor(rng)}
    highest = dict.fromkeys(flashes, 0)
    cuts = successes = 0
    with seals_recorded() as seals:
        for side, nor in flashes.items():
            highest[side] = _restarted(link, side, _boot(nor, rng, -1))
        for number in range(tries):
            side = rng.choice(sorted(flashes))
            epoch = _boot(flashes[side], rng, rng.randrange(5)) if memory else 1
            while epoch is None:
                cuts += 1
                epoch = _boot(flashes[side], rng, rng.choice((-1, rng.randrange(4))))
            successes += epoch <= highest[side]
            highest[side] = max(highest[side], _restarted(link, side, epoch))
            old = link.recorded(True)[-_RECORDED:]
            successes += opened_by(link, rng.sample(old, min(12, len(old))))
            message = messages.request(requests.STOP, bytes((number & 0xFF, number >> 8 & 0xFF)))
            successes += link.ask(message, limit_ms=STOP_LIMIT_MS) is None and memory
    detail = f"{cuts} power cuts; {len(link.executed)} genuine requests; {seals.reused} nonces used twice"
    return Result("counter rollback", tries, successes + seals.reused, detail)


def _restarted(link: LoopbackLink, side: str, epoch: int | None) -> int:
    if epoch is None:
        raise RuntimeError("the first boot has no power cut")
    if side == "peer":
        link.start_peer(0, epoch)
    else:
        link.start_stimulator(epoch)
    return epoch
