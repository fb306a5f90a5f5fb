"""`stimbench deploy`: changed modules of the firmware on a board, while one develops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stimbench.cli.boards import BENCH
from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.errors import InputError

if TYPE_CHECKING:
    from stimbench.devices.device import Device
    from stimbench.flashing.deployed import Deployed
    from stimbench.flashing.deployer import Deployer

_ModulesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODULE]...",
        help="therapy/ranges, stimfw.therapy.ranges or a file's path; they come beside what is there. "
        "Default: all that differ from the image that was built last, and nothing else.",
    ),
]
_PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        "--board",
        metavar="PORT",
        help="Serial port of the board, a pty of `stimbench bench up`, or `bench`: an emulated bench of this "
        "command, to see whether the modules load. Default: the one board that is plugged in.",
    ),
]
_ListOption = Annotated[bool, typer.Option("--list", help="Show what is deployed. The board restarts.")]
_RemoveOption = Annotated[bool, typer.Option("--remove", help="Take everything away. The board restarts.")]


def deploy(
    modules: _ModulesArgument = None,
    port: _PortOption = None,
    list_them: _ListOption = False,
    remove: _RemoveOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put changed modules of the firmware on a board without a new image. The board restarts.

    They stand in for those of the image until `--remove` or `stimbench flash`. The board's content hash has a
    mark as long, such as +2.9f8e7d6c, and every command warns. The output goes off first.
    """
    if sum((bool(modules), list_them, remove)) > 1:
        raise InputError("Name modules, or give --list, or --remove.")
    from stimbench.flashing.deployer import Deployer

    with _device(port) as device:
        deployer = Deployer(device)
        if list_them or remove:
            _tell_found(deployer.remove() if remove else deployer.found(), remove, device.name, as_json)
        else:
            _deploy(deployer, modules or [], device.name, as_json)


def _deploy(deployer: Deployer, modules: list[str], name: str, as_json: bool) -> None:
    from stimbench.firmware_build.build import Layout
    from stimbench.flashing.modules import Compiler, Sources
    from stimbench.project import find_project_root

    layout = Layout(find_project_root())
    compiler = Compiler(layout.build / "mpy-cross" / "mpy-cross")
    done = deployer.deploy(lambda role: Sources(layout, role), compiler, modules)
    if as_json:
        print_json(asdict(done))
    elif not done.modules and not done.identity.deployed:
        out.print(f"Nothing differs from the image: {name} runs it alone.", markup=False)
    else:
        for module in done.modules:
            out.print(module, markup=False)
        out.print(
            f"{done.written} written; {name} runs {done.identity.build} "
            f"with {done.identity.deployed} deployed modules.",
            markup=False,
            soft_wrap=True,
        )


def _tell_found(found: tuple[Deployed, ...], removed: bool, name: str, as_json: bool) -> None:
    if as_json:
        data: dict[str, Any] = {"modules": [asdict(one) for one in found], "removed": removed}
        print_json(data)
        return
    for one in found:
        out.print(f"{one.name}  {one.digest}", markup=False)
    if not found:
        out.print(f"Nothing is deployed on {name}.", markup=False)
    elif removed:
        out.print(f"{len(found)} removed: {name} runs its image alone.", markup=False)


@contextmanager
def _device(port: str | None) -> Iterator[Device]:
    if port != BENCH:
        from stimbench.devices.serial_device import SerialDevice
        from stimbench.devices.serial_ports import find_port

        with SerialDevice(port or find_port()) as device:
            yield device
        return
    from stimbench.client.on_bench import build_bench
    from stimbench.devices.emulated_device import EmulatedDevice

    with err.status("Starting the emulated bench"):
        bench = build_bench(1)
    with bench, EmulatedDevice(bench, "stimulator") as emulated:
        bench.run_for(1_000_000_000)
        yield emulated
