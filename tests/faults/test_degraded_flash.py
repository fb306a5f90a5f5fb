"""A flash that is worn, slow or full of nonsense, from the start on or later: neither board ends or restarts.

Both boards run their real images on chips of which a part does not erase, does not program, or has bits that
stay. They name what they lost over USB, see the magnet, and show it; without an epoch there is no radio.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.client import connect, connect_remote
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.emulator.flash import FlashTiming, FlashWear
from stimbench.errors import RefusedError
from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES
from support.scene import MS

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

BOARDS = ("stimulator", "remote")
DATA = 2 * 1024 * 1024 - layout.BLOCKS * BLOCK_BYTES  # W25Q16JV: 2 MB
AREAS = {
    "all": (0, layout.BLOCKS),
    "files": (0, layout.FILESYSTEM_BLOCKS),
    "log": (layout.EVENTS, 2),
    "epochs": (layout.EPOCHS, 2),
    "pairings": (layout.PAIRINGS, 2),
    "limit": (layout.EPOCH_LIMIT, 2),
}
WAYS: dict[str, dict[str, Any]] = {
    "no erase": {"erases": False},
    "no program": {"programs": False},
    "neither": {"erases": False, "programs": False},
    "a bit stays 0": {"stay_low": 0x08},
    "a bit stays 1": {"stay_high": 0x10},
    "all stay 0": {"stay_low": 0xFF},
    "all stay 1": {"stay_high": 0xFF},
}
SLOWEST = FlashTiming(sector_erase_ns=400 * MS, page_program_ns=3 * MS)
"""The datasheet's longest times: BUSY for so long."""
SETTLED_NS = 3000 * MS  # from power on; the log was written then, too
SLOW_SETTLED_NS = 7000 * MS  # with the longest times: littlefs is made first
STOP_NS = 2500 * MS


@cache
def used() -> dict[str, bytes]:
    """The flash of both boards, paired, after a first start."""
    with Bench(BenchConfig(trace=False)) as bench:
        provision.pair(bench)
        bench.run_for(SETTLED_NS)
        return {name: bytes(bench.board(name).flash.memory) for name in BOARDS}


def wear(bench: Bench, area: str, way: str) -> None:
    """From the next operation on, of both boards."""
    first, count = AREAS[area]
    for name in BOARDS:
        worn = FlashWear(DATA + first * BLOCK_BYTES, count * BLOCK_BYTES, **WAYS[way])
        bench.board(name).flash.wear = [worn]


class Rig:
    """Both boards under power."""

    def __init__(self, bench: Bench, settled_ns: int) -> None:
        self.bench = bench
        self.settled_ns = settled_ns
        bench.run_for(settled_ns)
        self.connect()

    def connect(self) -> None:
        self.stimulator = connect(EmulatedLink(self.bench, "stimulator"), first_number=0)
        self.remote = connect_remote(EmulatedLink(self.bench, "remote"), first_number=0)
        self.started_ms = self.uptimes_ms()
        self.since_ns = self.bench.now_ns

    def uptimes_ms(self) -> list[int]:
        return [self.stimulator.uptime_ms(), self.remote.uptime_ms()]

    def failed(self) -> tuple[set[str], set[str]]:
        return set(self.stimulator.status().failed_parts), set(self.remote.status().failed_parts)

    def restart(self) -> None:
        self.assert_no_restart()
        for name in BOARDS:
            self.bench.board(name).power_off()
        self.bench.run_for(100 * MS)
        for name in BOARDS:
            self.bench.board(name).power_on()
        self.bench.run_for(self.settled_ns)
        self.connect()

    def ask_everything(self) -> None:
        """Whatever writes flash, on both boards: done or refused, and answered."""
        for ask in (
            self.stimulator.records,
            self.remote.records,
            lambda: self.stimulator.pair(b"host", 2, bytes(32)),
            lambda: self.stimulator.set_time(1_700_000_000),
            lambda: self.stimulator.forget(0),
            self.remote.forget,
            lambda: self.stimulator.pair(b"\1\2\3\4", 1, bytes(32)),
            lambda: self.remote.pair(b"base", 1, 1, bytes(32)),
        ):
            try:
                ask()
            except RefusedError as refused:
                assert refused.code is not None

    def lights(self, since_ns: int) -> dict[str, int]:
        return {
            name: len(self.bench.trace.edges("remote", f"LED_{name}", since_ns))
            for name in ("RED", "AMBER", "GREEN")
        }

    def assert_alive(self) -> None:
        """USB, magnet and lights; a STOP that cannot be sent is red and low, and nothing is sent then."""
        self.bench.magnet(True)
        self.bench.run_for(3500 * MS)  # as long as opens a pairing window on a sound board
        status = self.stimulator.status()
        assert status.magnet
        parts, remotes = self.failed()
        if parts & {"epochs", "pairings"}:
            assert not status.pairing_window and status.state_name == "fault"
        self.bench.magnet(False)
        self.bench.run_for(500 * MS)
        pressed_ns, heard = self.bench.now_ns, len(self.bench.air.tap)
        self.bench.press("STOP")
        self.bench.run_for(STOP_NS)
        if remotes & {"epochs", "pairings"}:
            shown = self.lights(pressed_ns)
            assert shown["RED"] == 2 and shown["AMBER"] == 6 and shown["GREEN"] == 0
            assert self.bench.trace.edges("remote", "BUZZER", pressed_ns), "and a tone"
            assert len(self.bench.air.tap) == heard
        self.assert_no_restart()

    def assert_no_restart(self) -> None:
        """Both clocks have gone on since `connect`."""
        passed_ms = (self.bench.now_ns - self.since_ns) // MS
        for now_ms, started_ms in zip(self.uptimes_ms(), self.started_ms, strict=True):
            assert 0 <= now_ms - started_ms - passed_ms < 500, "a board restarted"


@contextmanager
def switched_on(
    images: dict[str, bytes], way: tuple[str, str] | None = None, timing: FlashTiming | None = None
) -> Iterator[Rig]:
    """Args: images: {}: new boards; way: an area of AREAS and how it is worn, from power on."""
    with Bench(BenchConfig(flash_images=images, flash_timing=timing or FlashTiming())) as bench:
        if way:
            wear(bench, *way)
        yield Rig(bench, SLOW_SETTLED_NS if timing else SETTLED_NS)


LOST: dict[str, Callable[[str], set[str]]] = {
    "all": lambda way: {"epochs"} if way != "no erase" else set(),
    "epochs": lambda way: {"epochs"} if way != "no erase" else set(),
}
"""What a paired board names after a start with such an area; nothing for the others."""


@pytest.mark.parametrize("way", WAYS)
def test_a_flash_that_is_worn_when_a_paired_board_starts(way: str) -> None:
    with switched_on(used(), ("all", way)) as rig:
        assert rig.failed() == (LOST["all"](way),) * 2
        rig.ask_everything()
        rig.assert_alive()
        rig.restart()
        assert rig.failed()[0] >= LOST["all"](way)
        rig.assert_alive()


@pytest.mark.control("C-34")
@pytest.mark.parametrize("way", WAYS)
def test_a_flash_that_wears_out_while_both_run(way: str) -> None:
    with switched_on(used()) as rig:
        assert rig.failed() == (set(), set())
        wear(rig.bench, "all", way)
        rig.ask_everything()
        rig.assert_alive()
        rig.restart()
        assert rig.failed()[0] >= LOST["all"](way)
        rig.assert_alive()


@pytest.mark.control("C-34")
@pytest.mark.parametrize("way", ["no erase", "no program", "neither", "a bit stays 0", "all stay 1"])
def test_a_new_board_whose_flash_takes_nothing(way: str) -> None:
    """Nothing was ever on it: it makes its file system and its records in vain, or with no erase at all."""
    with switched_on({}, ("all", way)) as rig:
        works = way == "no erase"  # a new chip is blank
        for parts in rig.failed():
            assert ("epochs" in parts) != works, parts
        rig.ask_everything()
        rig.assert_alive()


@pytest.mark.parametrize("area", ["files", "log", "epochs", "pairings", "limit"])
@pytest.mark.parametrize("way", ["neither", "a bit stays 0"])
def test_one_worn_area_costs_no_more_than_what_it_holds(area: str, way: str) -> None:
    with switched_on(used(), (area, way)) as rig:
        assert rig.failed() == ((LOST[area](way) if area in LOST else set()),) * 2
        rig.ask_everything()
        if area == "log":
            rig.bench.run_for(15_000 * MS)
            bad = [name for name, _, good in rig.stimulator.records().named() if not good]
            assert bad == ["log"] and rig.stimulator.log(), "in RAM alone, and RECORDS says so"
            assert rig.stimulator.status().state_name == "ready"
        rig.assert_alive()


@pytest.mark.parametrize("paired", [True, False])
def test_a_flash_as_slow_as_it_may_be(paired: bool) -> None:
    with switched_on(used() if paired else {}, timing=SLOWEST) as rig:
        assert rig.failed() == (set(), set())
        rig.ask_everything()
        rig.bench.run_for(12_000 * MS)
        assert all(good for _, _, good in rig.stimulator.records().named())
        rig.assert_alive()


def test_a_slow_flash_that_does_not_erase() -> None:
    with switched_on(used(), ("all", "a bit stays 0"), SLOWEST) as rig:
        rig.ask_everything()
        rig.assert_alive()


@pytest.mark.parametrize("fill", ["zeros", "random", "erased"])
def test_everything_overwritten(fill: str) -> None:
    """All of the data area, at the start and then while both run."""
    size = layout.BLOCKS * BLOCK_BYTES
    noise = random.Random(7).randbytes(size)
    content = {"zeros": bytes(size), "random": noise, "erased": b"\xff" * size}[fill]
    with switched_on({name: image[:DATA] + content for name, image in used().items()}) as rig:
        for parts in rig.failed():
            assert parts == (set() if fill == "erased" else {"epochs", "pairings"}), "erased: a new board"
        rig.ask_everything()
        for name in BOARDS:
            rig.bench.board(name).flash.write(DATA, content)
        rig.ask_everything()
        rig.assert_alive()
