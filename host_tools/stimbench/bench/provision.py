"""Pairs the boards of an emulated bench before they are switched on: their records are put on flash directly.

For tests and demonstrations whose matter is not the pairing. The bytes are those that the boards write
themselves, by the same code (stimfw.storage).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES, PAGE_BYTES, StorageError
from stimfw.storage.epoch_limit import EpochLimit
from stimfw.storage.epochs import EpochLog
from stimfw.storage.pairings import PairingTable, RemotePairing
from stimfw.storage.record import Record

from stimbench.errors import BenchError

if TYPE_CHECKING:
    from typing import Protocol

    from stimbench.emulator.board import EmulatedBoard
    from stimbench.emulator.flash import FlashChip

    class Boards(Protocol):
        """Of a stimbench.bench.Bench: its boards, and how much time has passed on it."""

        @property
        def now_ns(self) -> int:
            """Bench time."""

        def board(self, name: str) -> EmulatedBoard:
            """A board by name; BenchError if there is none."""


__all__ = ("BlockView", "Provisioned", "add_peer", "is_paired", "pair", "used_once")

_IOCTL_COUNT, _IOCTL_SIZE, _IOCTL_ERASE = 4, 5, 6


@dataclass(frozen=True)
class Provisioned:
    """What a stimulator and one peer share."""

    base: bytes
    """4 bytes: the stimulator's radio address."""
    slot: int
    """0-5, at the stimulator."""
    role: int
    """stimfw.protocol.roles."""
    key: bytes
    """32 bytes."""
    peer_id: bytes
    """4 bytes."""


class BlockView:
    """`rp2.Flash()` of an emulated board, seen from outside: takes no time and is not counted."""

    def __init__(self, flash: FlashChip) -> None:
        """Args: flash: the last layout.BLOCKS blocks of it are seen."""
        self._flash = flash
        self._start = len(flash.memory) - layout.BLOCKS * BLOCK_BYTES

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """Fill `buffer` from `offset` bytes into a block on."""
        buffer[:] = self._flash.read(self._address(block) + offset, len(buffer))

    def writeblocks(self, block: int, data: bytes | bytearray, offset: int | None = None) -> None:
        """Program whole pages: bits are only cleared. Without `offset` the blocks are erased before."""
        if offset is None:
            for erased in range(block, block + -(-len(data) // BLOCK_BYTES)):
                self.ioctl(_IOCTL_ERASE, erased)
            offset = 0
        if offset % PAGE_BYTES or len(data) % PAGE_BYTES:
            raise ValueError(f"{len(data)} bytes at {offset}: only whole pages can be programmed")
        address = self._address(block) + offset
        before = self._flash.read(address, len(data))
        self._flash.write(address, bytes(old & new for old, new in zip(before, data, strict=True)))

    def ioctl(self, operation: int, argument: int) -> int | None:
        """4: number of blocks, 5: bytes in a block, 6: erase block `argument`."""
        if operation == _IOCTL_ERASE:
            self._flash.write(self._address(argument), b"\xff" * BLOCK_BYTES)
        return {_IOCTL_COUNT: layout.BLOCKS, _IOCTL_SIZE: BLOCK_BYTES}.get(operation, 0)

    def _address(self, block: int) -> int:
        if not 0 <= block < layout.BLOCKS:
            raise ValueError(f"block {block} of {layout.BLOCKS}")
        return self._start + block * BLOCK_BYTES


def pair(bench: Boards, seed: int = 1, role: int = 1) -> Provisioned:
    """Pair the bench's remote with its stimulator, as if they had been since their last use.

    Args:
        bench: has not run yet.
        seed: another one gives another base (of a stimulator without one), key and remote's id.
        role: of the remote, see stimfw.protocol.roles; paired by radio it would be a patient (1).

    Raises:
        BenchError: time has passed on the bench, or a board is missing.
    """
    remote = bench.board("remote")
    used_once(remote.flash)
    provisioned = add_peer(bench, role, seed)
    RemotePairing(Record(BlockView(remote.flash), layout.PAIRINGS)).store(
        provisioned.peer_id, provisioned.base, provisioned.slot, provisioned.role, provisioned.key
    )
    return provisioned


def is_paired(remote_flash: FlashChip) -> bool:
    """Whether a remote's flash holds a pairing that can be read."""
    try:
        return RemotePairing(Record(BlockView(remote_flash), layout.PAIRINGS)).paired
    except StorageError:
        return False


def add_peer(bench: Boards, role: int, seed: int) -> Provisioned:
    """Give the stimulator an active pairing with a peer that is no board here: a clinician's host.

    Raises:
        BenchError: time has passed on the bench, or there is no stimulator.
        TableFullError: its six slots are taken.
    """
    if bench.now_ns != 0:
        raise BenchError(f"{bench.now_ns} ns have passed: boards are provisioned before they run")
    used_once(bench.board("stimulator").flash)
    chance = random.Random(f"pairing {seed} {role}")
    table = PairingTable(Record(BlockView(bench.board("stimulator").flash), layout.PAIRINGS))
    if not table.base:
        table.create(random.Random(f"base {seed}").randbytes(4))
    peer_id, key = chance.randbytes(4), chance.randbytes(32)
    slot = table.add(peer_id, role, key)
    table.promote(slot)
    return Provisioned(table.base, slot, role, key, peer_id)


def used_once(flash: FlashChip) -> None:
    """Give a new board the epoch of a first start: one that has keys and no epochs refuses its radio."""
    view = BlockView(flash)
    log = EpochLog(view, layout.EPOCHS)
    if not log.is_there():
        epoch, _ = log.advance(b"provisioned")
        EpochLimit(view, layout.EPOCH_LIMIT).renew(epoch)
