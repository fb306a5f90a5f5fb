"""`stimbench bench misses`: which functions wait for the flash."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.errors import InputError, StimbenchError

if TYPE_CHECKING:
    from stimbench.benchmarks.harness.rig import Rig
    from stimbench.emulator.board import EmulatedBoard
    from stimbench.emulator.profile import Image, Share

__all__ = ("Misses", "misses")

_CYCLE_US = 0.008
_SETTLE_MS = 500


class BoardName(StrEnum):
    """A board of the bench."""

    STIMULATOR = "stimulator"
    REMOTE = "remote"


class Scenario(StrEnum):
    """What the stimulator does meanwhile."""

    IDLE = "idle"
    PULSING = "pulsing"


@dataclass(frozen=True)
class Misses:
    """What one board's flash cache missed."""

    board: str
    scenario: str
    seconds: float
    miss_cycles: int
    shares: list[Share]

    @property
    def count(self) -> int:
        """All misses."""
        return sum(share.misses for share in self.shares)

    def us(self, count: int) -> float:
        """The time that so many misses take, in us."""
        return round(count * self.miss_cycles * _CYCLE_US, 3)


def misses(
    board: Annotated[BoardName, typer.Option("--board", help="Whose.")] = BoardName.STIMULATOR,
    seconds: Annotated[
        float, typer.Option("--for", metavar="SECONDS", min=0.001, max=59, help="Emulated seconds.")
    ] = 1.0,
    scenario: Annotated[
        Scenario,
        typer.Option("--scenario", help="What the stimulator does: nothing, or both leads at 20 Hz, 2 mA."),
    ] = Scenario.PULSING,
    top: Annotated[int, typer.Option(min=1, help="Rows of the table; --json has all.")] = 25,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random on the bench.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Show which functions an emulated board's flash cache misses, and the time that it takes."""
    with err.status("Running the emulated bench"):
        found = _measured(board.value, scenario, seconds, seed)
    if as_json:
        print_json(_as_data(found))
    else:
        out.print(_as_table(found, top))


def _measured(name: str, scenario: Scenario, seconds: float, seed: int) -> Misses:
    from stimbench.benchmarks.harness.rig import Rig, programme
    from stimbench.errors import BenchError

    try:
        rig = Rig(seed, ("stimulator", "remote"))
    except BenchError as error:
        raise StimbenchError(f"{error}.") from error
    with rig:
        board = rig.bench.board(name)
        stimulator = rig.connect()
        image = _image(board)
        if scenario is Scenario.PULSING:
            rig.start(stimulator, programme(on_ms=60_000))
        rig.run_ms(_SETTLE_MS)
        counted, miss_cycles = _counted(rig, board, seconds)
    return Misses(name, scenario.value, seconds, miss_cycles, image.attributed(counted))


def _image(board: EmulatedBoard) -> Image:
    """The linked firmware that the board runs.

    Raises:
        StimbenchError: it is missing, or it is not the one that the board runs.
    """
    from stimbench.emulator.profile import Image, ImageError
    from stimbench.project import find_project_root

    path = find_project_root() / "build" / "firmware" / board.name / "firmware.elf"
    try:
        image = Image(path)
    except ImageError as error:
        raise StimbenchError(f"No names of functions: {error}. Build the firmware first.") from error
    if not image.is_in(board.mcu.flash):
        raise StimbenchError(
            f"{path} is not the firmware in build/{board.name}.uf2: build both with `make firmware`."
        )
    return image


def _counted(rig: Rig, board: EmulatedBoard, seconds: float) -> tuple[dict[int, int], int]:
    """Misses by line, and the cycles that each takes.

    Raises:
        InputError: this bench's core has no cache.
    """
    from stimbench.emulator.native.cortex_m0 import NativeCore
    from stimbench.emulator.xip import BoardXipCtrl

    core, cache = board.mcu.core, board.mcu.xip_ctrl
    if not isinstance(core, NativeCore) or not isinstance(cache, BoardXipCtrl):
        raise InputError("This CPU core has no flash cache: run it without STIMBENCH_CORE.")
    core.profile_misses(True)
    rig.run_ms(seconds * 1000)
    counted = core.misses
    core.profile_misses(False)
    return counted, cache.line_cycles


def _as_data(found: Misses) -> dict[str, object]:
    return {
        "board": found.board,
        "scenario": found.scenario,
        "seconds": found.seconds,
        "miss_cycles": found.miss_cycles,
        "misses": found.count,
        "us": found.us(found.count),
        "functions": [asdict(share) | {"us": found.us(share.misses)} for share in found.shares],
    }


def _as_table(found: Misses, top: int) -> Table:
    table = Table(
        title=f"{found.count} misses of the {found.board}'s flash cache in {found.seconds:g} s, "
        f"{found.scenario}; {found.miss_cycles} cycles each, {found.us(found.count):.0f} us",
        title_justify="left",
    )
    table.add_column("function", overflow="fold")
    table.add_column("of")
    for name in ("misses", "share", "us"):
        table.add_column(name, justify="right", no_wrap=True)
    for share in found.shares[:top]:
        table.add_row(
            share.name, share.kind, str(share.misses), f"{share.part:.1%}", f"{found.us(share.misses):.1f}"
        )
    rest = found.shares[top:]
    if rest:
        count = sum(share.misses for share in rest)
        part = f"{count / found.count:.1%}"
        table.add_row(f"({len(rest)} more)", "", str(count), part, f"{found.us(count):.1f}")
    return table
