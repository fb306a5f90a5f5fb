"""`stimbench bench ...`: the emulated bench as such."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stimbench.cli import bench_file, benchmarks, hands, misses
from stimbench.cli.common import JsonOption, StimbenchGroup, err, out, print_json

if TYPE_CHECKING:
    from stimbench.bench import Bench
    from stimbench.bench.pace import Pace

app = typer.Typer(cls=StimbenchGroup, no_args_is_help=True, help="The emulated bench.")

_BOOT_NS = 500_000_000
"""Both boards are ready by then; a client that came earlier would give up on a slow machine."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@app.command("up")
def up(
    pace: Annotated[
        float, typer.Option(min=0.0, help="Emulated seconds per second; 0: as fast as possible.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random on the bench.")] = 1,
    link: Annotated[
        Path | None,
        typer.Option(
            "--link", metavar="DIR", help="Make the symbolic links DIR/stimulator and DIR/remote to the ptys."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What --bench calls it, if several run. Default: bench."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run an emulated bench until Ctrl-C. Each board is a pty, for --board or for mpremote.

    `stimbench bench press`, `magnet`, `break` and so on are the hands at it, from another terminal.
    """
    # Asked for by a signal, the end comes between two slices of bench time and leaves nothing behind.
    received: list[int] = []
    for number in _ENDING:
        signal.signal(number, lambda number, _frame: received.append(number))

    with ExitStack() as stack:
        serving = stack.enter_context(_Serving(link, name).claimed())
        with err.status("Starting the emulated bench"):
            serving.start(stack, seed, pace)
            serving.bench.run_until(lambda: bool(received), _BOOT_NS)
        if not received:
            serving.run(lambda: bool(received), as_json)
    err.print("The bench is down.")
    raise typer.Exit(128 + received[0] if received else 0)


class _Serving:
    """A bench that is up: its name, its links, its ptys and its socket."""

    bench: Bench
    pace: Pace

    def __init__(self, folder: Path | None, name: str | None) -> None:
        self._folder, self._name = folder, name
        self._links: dict[str, Path] = {}
        self._listener: Any = None

    @contextmanager
    def claimed(self) -> Iterator[_Serving]:
        """With the name and the links; both are given back at the end.

        Raises:
            InputError: one of them is taken.
        """
        from stimbench.bench import running
        from stimbench.bench.links import folder_for_links

        in_use = {path: one.name for one in running.running() for path in one.links.values()}
        with ExitStack() as stack:
            if self._folder is not None:
                boards = ("stimulator", "remote")
                self._links = stack.enter_context(folder_for_links(self._folder, boards, in_use))
            self._name, self._listener = stack.enter_context(running.claim(self._name))
            yield self

    def start(self, stack: ExitStack, seed: int, pace: float) -> None:
        """Switch the bench on."""
        from stimbench.bench.pace import Pace
        from stimbench.client.on_bench import build_bench

        self.bench = stack.enter_context(build_bench(seed))
        self.pace = Pace(lambda: self.bench.now_ns, pace)

    def run(self, should_stop: Any, as_json: bool) -> None:
        """Serve until `should_stop()`."""
        from stimbench.bench import running
        from stimbench.bench.bootsel_folder import BootselFolder, served_folder
        from stimbench.bench.control import ControlServer
        from stimbench.bench.hands import Hands
        from stimbench.bench.pty_server import serve

        servers: list[ControlServer] = []
        place, name = running.folder(), str(self._name)
        disks = [
            BootselFolder(board, served_folder(place, name, role), tell=True)
            for role, board in self.bench.boards.items()
        ]

        def on_ready(ports: dict[str, str]) -> None:
            links = {board: str(path) for board, path in self._links.items()}
            record = running.announce(name, ports, links)
            about = {"bench": record.name, "ports": ports, "links": links}
            servers.append(ControlServer(self._listener, Hands(self.bench, self.pace, about), record.token))
            _tell(about, as_json)

        def poll() -> None:
            servers[0].poll()
            for disk in disks:
                disk.poll()

        try:
            serve(self.bench, on_ready, self.pace, should_stop, self._links, poll)
        finally:
            for disk in disks:
                disk.close()
            for server in servers:
                server.close()


def _tell(about: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(about)
    else:
        for board, port in about["ports"].items():
            link = about["links"].get(board)
            out.print(f"{board:<12}{port}" + (f"  {link}" if link else ""), markup=False, soft_wrap=True)
    err.print(f"The bench is up, its name is '{about['bench']}'. Ctrl-C ends it.")


app.command("init")(bench_file.init)
app.command("show")(bench_file.show)
app.command("figures")(benchmarks.figures)
app.command("misses")(misses.misses)
hands.add_to(app)
