"""`stimbench flash`: an image on boards, and the proof that they run it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stimbench.cli.boards import BENCH
from stimbench.cli.common import JsonOption, confirm, err, out, print_json, services
from stimbench.errors import EXIT_CHECK_FAILED, InputError, StimbenchError

if TYPE_CHECKING:
    from stimbench.firmware_build.uf2 import Uf2Image
    from stimbench.flashing.flasher import Flashed
    from stimbench.flashing.target import Target

ROLES = ("stimulator", "remote")
_BY_HAND_S = 60.0

_RoleArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[stimulator|remote]", help="Which firmware. Default: that of the board which is there."
    ),
]
PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        "--board",
        metavar="PORT",
        help="Serial port of the board, a pty of `stimbench bench up`, or `bench`: an emulated bench of this "
        "command. Default: the one board that is plugged in.",
    ),
]
_AllOption = Annotated[
    bool, typer.Option("--all", help="Every board that is plugged in, one after the other.")
]
_ImageOption = Annotated[
    Path | None,
    typer.Option("--image", metavar="FILE.uf2", help="Another image than the one that was built here."),
]
_VolumeOption = Annotated[
    Path | None,
    typer.Option(
        "--volume",
        metavar="DIR",
        help="The folder of a board's disk RPI-RP2 that is mounted already (BOOTSEL was held).",
    ),
]
_YesOption = Annotated[
    bool, typer.Option("--yes", help="Do not ask before a stimulator becomes a remote, or a remote one.")
]


def flash(
    ctx: typer.Context,
    role: _RoleArgument = None,
    port: PortOption = None,
    all_boards: _AllOption = False,
    image: _ImageOption = None,
    volume: _VolumeOption = None,
    yes: _YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put the firmware on a board, and check that the board runs it. Exits 1 if it does not.

    Its output goes off first. Keys, records and files on the board stay; deployed modules are taken away.
    A board that was never flashed: pull its USB cable, hold BOOTSEL, plug it in, let go.
    """
    if role not in (None, *ROLES):
        raise InputError(f"{role!r} is no board: there are stimulator and remote.")
    if sum((port is not None, volume is not None, all_boards)) > 1:
        raise InputError("--port, --volume and --all exclude each other.")
    images = _Images(role, image)
    by_name = port is not None or volume is not None
    with ExitStack() as stack:
        targets = stack.enter_context(_targets(ctx, images.role, port, volume, all_boards))
        if all_boards:
            _flash_all(targets, images, as_json)
            return
        flashed = _flash_one(targets[0], images, by_name, yes)
    if as_json:
        print_json(_as_data(flashed))
    else:
        out.print(_told(flashed), markup=False, soft_wrap=True)


class _Images:
    """The image for each board, read and checked before any board is touched."""

    def __init__(self, role: str | None, file: Path | None) -> None:
        from stimbench.firmware_build import uf2

        self._file = file
        self.role = role
        if file is not None and role is None:
            identity = uf2.read(file).identity
            self.role = identity.board if identity else None
        # What is named is read at once; otherwise it shows with the board which one is needed.
        self._read: dict[str, Uf2Image] = {}
        if self.role or file:
            self.of(self.role or ROLES[0])

    def of(self, role: str) -> Uf2Image:
        """The image for a `stimulator` or a `remote`."""
        from stimbench.firmware_build import uf2
        from stimbench.project import image_path

        if role not in self._read:
            self._read[role] = uf2.read_for(self._file or image_path(role), role)
        return self._read[role]


@contextmanager
def _targets(
    ctx: typer.Context, role: str | None, port: str | None, volume: Path | None, all_boards: bool
) -> Iterator[list[Target]]:
    """The boards that are meant."""
    if port == BENCH:
        with _own_bench(role or ROLES[0]) as target:
            yield [target]
        return
    from stimbench.flashing.served_target import find_served
    from stimbench.flashing.wired_target import choose

    served = find_served(port) if port else None
    if served is not None:
        yield [served]
        return
    sockets = services(ctx).usb()
    try:
        if port is not None:
            yield [sockets.of_port(port)]
        elif volume is not None:
            yield [sockets.of_volume(volume)]
        else:
            found = sockets.find()
            meant = [one for one in found if role is None or one.role in (None, role)]
            yield list(meant) if all_boards and meant else [choose(found, role)]
    finally:
        sockets.close()


@contextmanager
def _own_bench(role: str) -> Iterator[Target]:
    import tempfile

    from stimbench.client.on_bench import build_bench
    from stimbench.flashing.emulated_target import EmulatedTarget

    with tempfile.TemporaryDirectory() as folder:
        with err.status("Starting the emulated bench"):
            bench = build_bench(1)
        with bench:
            bench.run_for(1_000_000_000)
            target = EmulatedTarget(bench, role, Path(folder) / "RPI-RP2")
            try:
                yield target
            finally:
                target.close()


def _flash_one(target: Target, images: _Images, by_name: bool, yes: bool) -> Flashed:
    from stimbench.flashing.flasher import Flasher

    def confirm_other(told: str) -> None:
        confirm(f"{told} Go on all the same?", yes, "written")

    role = images.role or _role_of(target)
    with _shown_progress() as progress:
        flasher = Flasher(
            images.of(role),
            lambda text: err.print(text, markup=False, soft_wrap=True),
            progress,
            confirm_other if by_name else None,
            _BY_HAND_S if sys.stdin.isatty() and err.is_terminal else 0.0,
        )
        return flasher.flash(target)


def _role_of(target: Target) -> str:
    from stimbench.flashing.state import look

    if target.role is not None:
        return target.role
    role = look(target).role
    if role is None:
        raise InputError(
            f"{target.name} does not tell what it is: say `stimbench flash stimulator` or "
            "`stimbench flash remote`."
        )
    return role


def _flash_all(targets: list[Target], images: _Images, as_json: bool) -> None:
    results: list[dict[str, Any]] = []
    for target in targets:
        try:
            flashed = _flash_one(target, images, by_name=False, yes=False)
        except StimbenchError as error:
            results.append({"target": target.name, "done": False, "error": str(error)})
            err.print(f"{target.name} failed: {error}", markup=False, soft_wrap=True)
        else:
            results.append(_as_data(flashed))
            if not as_json:
                out.print(_told(flashed), markup=False, soft_wrap=True)
    failed = sum(not one["done"] for one in results)
    if as_json:
        print_json({"boards": results})
    else:
        out.print(f"{len(results) - failed} of {len(results)} boards flashed.")
    if failed:
        raise typer.Exit(EXIT_CHECK_FAILED)


@contextmanager
def _shown_progress() -> Iterator[Any]:
    """A bar at a terminal, else a line each quarter."""
    if err.is_terminal:
        from rich.progress import Progress

        with Progress(console=err, transient=True) as bar:
            task = bar.add_task("blocks", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    quarters = [0]

    def tell(done: int, total: int) -> None:
        quarter = 4 * done // total
        if quarter > quarters[0]:
            quarters[0] = quarter
            err.print(f"{done} of {total} blocks")

    yield tell


def _as_data(flashed: Flashed) -> dict[str, Any]:
    return {"done": True, **asdict(flashed), "error": None}


def _told(flashed: Flashed) -> str:
    return f"{flashed.target} runs {flashed.after}; its flash was read back."
