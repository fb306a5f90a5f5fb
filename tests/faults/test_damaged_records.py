"""Both boards start, whatever lies on flash where a record should be; they name it, and USB repairs it.

Each area of each board is filled with what may be there, and single bits of its records are changed. Every
case is one start of both boards, examined with `stimbench`; most are then repaired and start once more. What
a repair does is tested for all of them in tests/pure/storage/test_storage_repair.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client import connect, connect_remote
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.errors import WrongStateError
from stimfw.protocol import messages
from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES
from stimfw.storage.epochs import EpochLog
from stimfw.storage.pairings import PairingTable, RemotePairing
from stimfw.storage.record import Record
from support import scene
from support.board import emulated_board
from support.damage import FILLS, fill, flip, record_bytes
from typer.testing import CliRunner

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

BOARDS = ("stimulator", "remote")
AREAS = {"epochs": layout.EPOCHS, "epoch limit": layout.EPOCH_LIMIT, "pairings": layout.PAIRINGS}
CASES = [pytest.param(area, name, id=f"{area}-{name}") for area in AREAS for name in FILLS]
REPAIRED = ("erased", "later")
BOOT_NS = 400_000_000
"""Power-on to ready, the search for a wrong bit included (0.3 s)."""
RESTART_NS = 700_000_000
PRESS_NS = 1_500_000_000
STOP_SHOWN_NS = 2_500_000_000
DUE = 3
"""The epoch that is due on `used()`: it was provisioned with one start, and started once."""
AMBER, RED, GREEN = "LED_AMBER", "LED_RED", "LED_GREEN"
LATER_TEXT = "written by a later firmware"


@cache
def used() -> dict[str, bytes]:
    """The flash of both boards, paired, after a first start."""
    with Bench(BenchConfig(trace=False)) as bench:
        provision.pair(bench)
        bench.run_for(BOOT_NS)
        return {name: bytes(bench.board(name).flash.memory) for name in BOARDS}


def start_of(area: str) -> int:
    return len(used()["remote"]) - (layout.BLOCKS - AREAS[area]) * BLOCK_BYTES


def changed(change: Callable[[bytearray], object], board: str | None = None) -> dict[str, bytes]:
    """Both flashes after `change` of each, or of one board's."""
    images = dict(used())
    for name in [board] if board else BOARDS:
        memory = bytearray(images[name])
        change(memory)
        images[name] = bytes(memory)
    return images


class Rig:
    """Both boards, switched on with these flashes, and `stimbench` on their USB."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.run_for(BOOT_NS)

    def run(self, *words: str, code: int | None = 0) -> Any:
        """What a command prints as JSON. code: what it exits with, None for 0 or 1."""

        @contextmanager
        def open_board(_board, _radio=None):
            yield connect(EmulatedLink(self.bench, "stimulator"), first_number=0)

        @contextmanager
        def open_remote(_port):
            yield connect_remote(EmulatedLink(self.bench, "remote"), first_number=0)

        services = Services(open_board=open_board, open_remote=open_remote)
        result = CliRunner().invoke(app, [*words, "--json"], obj=services)
        assert result.exit_code in ((0, 1) if code is None else (code,)), result.output
        return json.loads(result.stdout)

    def ask(self, board: str, *words: str, code: int | None = 0) -> Any:
        """The same of one of the boards."""
        return self.run(*words, *(["--remote", "x"] if board == "remote" else []), code=code)

    def content(self, board: str, area: str) -> bytes:
        return bytes(self.bench.board(board).flash.memory[start_of(area) :][: 2 * BLOCK_BYTES])

    def key(self, board: str) -> bytes | None:
        """Of the pairing that is on flash; None if there is none."""
        record = Record(provision.BlockView(self.bench.board(board).flash), layout.PAIRINGS)
        if board == "remote":
            return RemotePairing(record).key or None
        pairing = PairingTable(record).get(0)
        return pairing.key if pairing else None

    def next_epoch(self, board: str) -> int:
        return EpochLog(provision.BlockView(self.bench.board(board).flash), layout.EPOCHS).check()

    def edges_of(self, board: str, signal: str, since_ns: int) -> int:
        return len(self.bench.trace.edges(board, signal, since_ns))


@contextmanager
def switched_on(images: dict[str, bytes], **fields: Any):
    with Bench(BenchConfig(flash_images=images, **fields)) as bench:
        yield Rig(bench)


def failed_parts(rig: Rig, board: str, code: int | None) -> list[str]:
    return rig.ask(board, "status", code=code)["status"]["failed_parts"]


@pytest.mark.parametrize(("area", "name"), CASES)
def test_a_filled_area(area: str, name: str) -> None:
    images = changed(lambda memory: fill(memory, start_of(area), name, area == "epochs"))
    with switched_on(images, trace=False) as rig:
        renewed = area == "epoch limit" and name != "later"  # from the log, which is sound
        part = "pairings" if area == "pairings" else "epochs"
        for board in BOARDS:
            assert failed_parts(rig, board, code=0 if renewed else 1) == ([] if renewed else [part])
            told = rig.ask(board, "records", code=0 if renewed else 1)
            bad = [one["record"] for one in told["records"] if not one["sound"]]
            assert bad == ([] if renewed else [area])
            if renewed:
                assert rig.next_epoch(board) > DUE and rig.key(board)
                continue
            # Nothing was written over it, and nothing else was touched.
            for other in ("pairings", area):
                at = start_of(other)
                assert rig.content(board, other) == images[board][at : at + 2 * BLOCK_BYTES]
            if name not in REPAIRED:
                continue
            if name == "later":
                stays = rig.ask(board, "repair", "--yes", code=1)
                assert stays["repair"]["rewrites"] == [] and stays["still_damaged"]
                assert any(one["state"] == LATER_TEXT for one in stays["records"])
                done = rig.ask(board, "repair", "--yes", "--overwrite-later")
                assert area in done["repair"]["rewrites"]
            else:
                assert rig.ask(board, "repair", "--yes")["repair"]["rewrites"] == [area]
        if renewed or name not in REPAIRED:
            return
        rig.bench.run_for(RESTART_NS)
        for board in BOARDS:
            assert failed_parts(rig, board, code=0) == [] and rig.ask(board, "records")["sound"]
            kept = area == "epoch limit" or (area == "epochs" and name != "later")
            assert (rig.key(board) is not None) == kept
            # It started twice since: an epoch that was used does not come again under a key that is kept.
            assert not kept or rig.next_epoch(board) > DUE


def flip_one(board: str, area: str) -> bytes:
    """A board's flash with one bit of a record changed: another one for each board and area."""
    at = start_of(area)
    held = record_bytes(used()[board][at : at + 2 * BLOCK_BYTES])
    number = BOARDS.index(board) * len(AREAS) + list(AREAS).index(area)
    byte = held[(2 * number + 1) * len(held) // (2 * len(BOARDS) * len(AREAS))]
    return changed(lambda memory: flip(memory, at + byte, number % 8), board)[board]


@pytest.mark.control("C-33")
@pytest.mark.parametrize("area", AREAS)
def test_a_wrong_bit_in_a_record_loses_nothing(area: str) -> None:
    with switched_on({board: flip_one(board, area) for board in BOARDS}, trace=False) as rig:
        for board in BOARDS:
            told = rig.ask(board, "records", code=None)
            if not told["sound"]:
                assert area in ("pairings", "epochs") and told["repair"]["loses"] == [], told
                rig.ask(board, "repair", "--yes")
        rig.bench.run_for(RESTART_NS)
        for board in BOARDS:
            assert failed_parts(rig, board, code=0) == []
            assert rig.key(board) and rig.next_epoch(board) > DUE


def test_a_file_system_that_is_foreign_or_damaged_costs_no_record() -> None:
    """Blocks 0 and 1 hold littlefs' superblock; a foreign one is that of all 352 blocks."""
    first = len(used()["remote"]) - layout.BLOCKS * BLOCK_BYTES
    for name in ("zeros", "random", "files"):
        images = changed(lambda memory: fill(memory, first, name, False))  # noqa: B023
        with switched_on(images, trace=False) as rig:
            for board in BOARDS:
                assert failed_parts(rig, board, code=0) == [] and rig.ask(board, "records")["sound"]
                assert rig.key(board) and rig.next_epoch(board) == DUE + 1


def test_another_micropythons_format_leaves_records_that_are_sound() -> None:
    """As its first start does: it formats all 352 blocks, which writes the first two."""
    with Bench(BenchConfig(boards=BOARDS, flash_images=used(), trace=False, with_parts=False)) as bench:
        images = {}
        for name in BOARDS:
            board = emulated_board(bench, name)
            board.wait_ready()
            board.exec("import rp2, vfs\nvfs.umount('/')\nvfs.VfsLfs2.mkfs(rp2.Flash(), progsize=256)")
            images[name] = bytes(bench.board(name).flash.memory)
    with switched_on(images, trace=False) as rig:
        rig.bench.run_for(BOOT_NS)
        for board in BOARDS:
            assert failed_parts(rig, board, code=0) == [] and rig.key(board)
            assert rig.next_epoch(board) == DUE + 2


@pytest.mark.control("C-33")
@pytest.mark.parametrize("area", ["epochs", "pairings"])
def test_without_its_records_a_board_is_safe(area: str) -> None:
    """USB and magnet work, nothing is driven, nothing is sent by radio; the remote says what is wrong."""
    with switched_on(changed(lambda memory: fill(memory, start_of(area), "random", False))) as rig:
        bench = rig.bench
        stimulator = connect(EmulatedLink(bench, "stimulator"), first_number=0)
        with pytest.raises(WrongStateError) as refused:
            stimulator.start()
        assert refused.value.reason == messages.REASON_SELF_TEST
        bench.magnet(True)
        bench.run_for(3_500_000_000)  # held for as long as opens a pairing window on a sound board
        status = stimulator.status()
        assert status.magnet and status.failed_parts == (area,) and not status.pairing_window
        with pytest.raises(WrongStateError) as refused:
            stimulator.pair(b"peer", 1, bytes(32))
        assert refused.value.reason == messages.REASON_STORAGE
        bench.magnet(False)
        pressed_ns = bench.now_ns
        for button in ("STOP", "START"):
            bench.press(button)
            bench.run_for(STOP_SHOWN_NS)
        assert len([at for at, _ in bench.trace.edges("remote", AMBER, pressed_ns)]) == 2 * 2 * 3
        assert not bench.trace.edges("remote", GREEN, pressed_ns)
        # STOP did nothing: red for a second, before the amber ones.
        began_ns, ended_ns = [at for at, _ in bench.trace.edges("remote", RED, pressed_ns)]
        assert began_ns - pressed_ns < 100_000_000 and 950_000_000 < ended_ns - began_ns < 1_050_000_000
        assert not bench.air.tap and scene.edges(bench) == []


def test_repaired_boards_talk_again_with_the_keys_that_they_had() -> None:
    """Both have lost their epochs; the remote's STATUS is answered after the repair."""
    with switched_on(changed(lambda memory: fill(memory, start_of("epochs"), "files", True))) as rig:
        for board in BOARDS:
            rig.ask(board, "repair", "--yes")
        rig.bench.run_for(RESTART_NS)
        pressed_ns = rig.bench.now_ns
        rig.bench.press("STATUS")
        rig.bench.run_for(PRESS_NS)
        assert rig.edges_of("remote", GREEN, pressed_ns) == 2 and not rig.edges_of("remote", RED, pressed_ns)
