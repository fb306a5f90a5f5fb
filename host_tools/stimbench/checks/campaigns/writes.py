"""What a stimulator writes on flash, each as a scene that can be cut, and what its record may hold then."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from stimfw.protocol import roles
from stimfw.storage import layout
from stimfw.storage.blocks import StorageError
from stimfw.storage.epochs import EpochLog
from stimfw.storage.pairings import PairingTable
from stimfw.storage.record import Record

from stimbench.bench import Bench, BenchConfig, provision
from stimbench.client.access_records import AmplitudeWindow
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.emulator.flash import FlashChip, FlashTiming
from stimbench.errors import NoAnswerError, StimbenchError

__all__ = ("WRITES", "Scene", "Snapshot", "Write", "snapshot")

_MS = 1_000_000
_BOOT_NS = 600 * _MS
"""A start is over; the first one of a board takes 0.4 s."""
_TRIES = 3
_BASE_BYTES = 4


@dataclass(frozen=True)
class Snapshot:
    """A flash chip's contents at one time."""

    memory: bytes

    def pairings(self) -> tuple[bytes, dict[int, tuple[bytes, int, bytes]]]:
        """The board's base, and by slot peer id, role and key.

        Raises:
            StorageError: they cannot be read.
        """
        table = PairingTable(Record(self._blocks(), layout.PAIRINGS))
        taken = {slot: table.get(slot) for slot in table.slots()}
        return bytes(table.base), {
            slot: (bytes(one.peer_id), one.role, bytes(one.key)) for slot, one in taken.items() if one
        }

    def next_epoch(self) -> int:
        """The epoch that a start would get now; 0 if the log alone does not tell: on a new board."""
        try:
            epoch, _ = EpochLog(self._blocks(), layout.EPOCHS).advance(b"")
        except StorageError:
            return 0
        return int(epoch)

    def _blocks(self) -> provision.BlockView:
        """As the firmware sees them; a copy, since asking for an epoch writes."""
        memory = memoryview(bytearray(self.memory))
        return provision.BlockView(FlashChip(memory, lambda: 0, FlashTiming(), seed=0))


def snapshot(flash: FlashChip) -> Snapshot:
    """What is on a chip now."""
    return Snapshot(flash.read(0, len(flash.memory)))


@dataclass(frozen=True)
class Write:
    """Something that makes the firmware write.

    Attributes:
        prepare: brings the bench to where the write is asked for; what the record will hold, for `judge`.
        act: asks for it, and waits for it.
        judge: from flash before and after: `old`, `new`, or in words what it is instead. StorageError if the
            record cannot be read.
    """

    prepare: Callable[[Scene], Any]
    act: Callable[[Scene], None]
    judge: Callable[[Snapshot, Snapshot, Any], str]


class Scene:
    """A stimulator alone on its bench, just before a write.

    Attributes:
        bench: the bench.
        chip: its stimulator.
        wanted: what the record will hold.
    """

    def __init__(self, config: BenchConfig, write: Write) -> None:
        """Build it, and let time pass until the write can be asked for."""
        self.bench = Bench(config)
        self.chip = self.bench.board("stimulator")
        self.seed = config.seed
        self._write = write
        self.wanted = write.prepare(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bench.close()

    def carry_out(self) -> None:
        """Ask for the write. If the supply fails meanwhile, nobody answers: that is no error."""
        try:
            self._write.act(self)
        except StimbenchError:
            if self.chip.powered:
                raise

    def switch_on(self) -> None:
        """The supply comes back. What the host sent to the dead board is lost, as its port was gone."""
        self.chip.console.drop()
        self.chip.power_on()

    def connect(self) -> Stimulator:
        """The stimulator over USB, once it answers.

        Raises:
            NoAnswerError: it does not.
        """
        for left in reversed(range(_TRIES)):
            try:
                return connect(EmulatedLink(self.bench, "stimulator"), first_number=0)
            except NoAnswerError:
                if not left:
                    raise
        raise AssertionError


def _prepare_paired(scene: Scene) -> None:
    """A board in use: paired with a patient's remote, with a window for its amplitudes."""
    provision.add_peer(scene.bench, roles.PATIENT, scene.seed)
    scene.connect().set_window(AmplitudeWindow(left_max_ua=1000, right_max_ua=1000))


def _prepare_pairing(scene: Scene) -> tuple[bytes, int, bytes]:
    _prepare_paired(scene)
    chance = random.Random(f"campaign {scene.seed}")
    return chance.randbytes(4), roles.CLINICIAN, chance.randbytes(32)


def _pair(scene: Scene) -> None:
    scene.connect().pair(*scene.wanted)


def _judge_pairing(before: Snapshot, after: Snapshot, wanted: Any) -> str:
    base, old = before.pairings()
    new_base, found = after.pairings()
    if new_base != base:
        return "another base"
    if found == old:
        return "old"
    added = {slot: one for slot, one in found.items() if slot not in old}
    kept = {slot: one for slot, one in found.items() if slot in old}
    return "new" if kept == old and list(added.values()) == [wanted] else f"{len(found)} other pairings"


def _forget(scene: Scene) -> None:
    scene.connect().forget(0)


def _judge_forgetting(before: Snapshot, after: Snapshot, _: Any) -> str:
    base, old = before.pairings()
    new_base, found = after.pairings()
    if new_base != base:
        return "another base"
    return "old" if found == old else "new" if not found else f"{len(found)} other pairings"


def _prepare_reset(scene: Scene) -> None:
    _prepare_paired(scene)
    scene.bench.magnet(True)
    scene.bench.run_for(100 * _MS)


def _factory_reset(scene: Scene) -> None:
    scene.connect().factory_reset()


def _judge_reset(before: Snapshot, after: Snapshot, _: Any) -> str:
    base, old = before.pairings()
    new_base, found = after.pairings()
    if (new_base, found) == (base, old):
        return "old"
    return "new" if new_base != base and not found else "a mixture of old and new"


def _prepare_start(scene: Scene) -> None:
    _prepare_paired(scene)
    scene.chip.power_off()
    scene.bench.run_for(10 * _MS)


def _start(scene: Scene) -> None:
    if not scene.chip.powered:
        scene.chip.power_on()
    scene.bench.run_for(_BOOT_NS)


def _judge_start(before: Snapshot, after: Snapshot, _: Any) -> str:
    """The epochs are judged in every case; here, that a start leaves the pairings alone."""
    return "old" if before.pairings() == after.pairings() else "other pairings"


def _judge_first_start(_before: Snapshot, after: Snapshot, _: Any) -> str:
    base, found = after.pairings()
    if len(base) != _BASE_BYTES or found:
        return f"a base of {len(base)} bytes and {len(found)} pairings"
    return "new"


def _nothing(_: Scene) -> None:
    """A board fresh from the factory."""


WRITES: Mapping[str, Write] = {
    "first start": Write(_nothing, _start, _judge_first_start),
    "start": Write(_prepare_start, _start, _judge_start),
    "pairing": Write(_prepare_pairing, _pair, _judge_pairing),
    "forgetting": Write(_prepare_paired, _forget, _judge_forgetting),
    "factory reset": Write(_prepare_reset, _factory_reset, _judge_reset),
}
"""Every write of the stimulator's firmware, by name."""
