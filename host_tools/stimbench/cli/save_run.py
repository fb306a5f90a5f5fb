"""`stimbench save-run`: a run of the page as one HTML file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from stimbench.cli.common import JsonOption
from stimbench.cli.terminal import err, out
from stimbench.errors import BenchError, InputError, PortError

if TYPE_CHECKING:
    from stimbench.web.run_file import Run
    from stimbench.web.saved_run import SavedRun

__all__ = ("save_run",)

_S = 1_000_000_000


def save_run(
    link: Annotated[
        str | None,
        typer.Argument(metavar="[LINK]", help="What `Link to this run` gave on a page.", show_default=False),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="In the place of a link: the run of the last server of this user.")
    ] = False,
    out_file: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where it is written.")] = Path(
        "stimbench-run.html"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Repeat the run of a link, and save it as one HTML file that plays without a server.

    The emulated bench repeats it, without a page: an emulated minute takes some seconds. Ctrl-C leaves no
    file.
    """
    if (link is None) != again:
        raise InputError("Give a link to a run, or --again: one of both.")
    from stimbench.web.run_file import from_link

    if link is not None:
        run = from_link(link.rpartition("#run=")[2])
    else:
        from stimbench.web.kept import latest

        run = latest(0).run
    if run.until_ns == 0:
        raise InputError("There is nothing in this run: no time has passed in it.")
    with _whole_file(out_file, force) as file:
        try:
            saved = _repeated(run)
            from stimbench.web.saved_page import saved_page

            file.write(saved_page(saved))
        except BenchError as error:
            raise PortError(f"The run cannot be repeated: {error}") from error
        size = file.tell()
    seconds, pulses = saved.about["end_ns"] / _S, saved.pulses
    if as_json:
        import json

        told = {"file": str(out_file), "bytes": size, "seconds": seconds, "pulses": pulses}
        typer.echo(json.dumps(told | {"actions": len(saved.about["actions"])}))
    else:
        text = f"{out_file}: {seconds:.1f} s, {sum(pulses.values())} pulses, {size / 1e6:.1f} MB."
        out.print(text, markup=False, soft_wrap=True)


def _repeated(run: Run) -> SavedRun:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from stimbench.web.repeat import repeated_run

    columns = (TextColumn("Repeating the run"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        if not err.is_terminal:
            err.print(f"Repeating the run: {run.until_ns / _S:.0f} s of bench time.", markup=False)
        task = bar.add_task("", total=run.until_ns)
        return repeated_run(run, lambda now_ns: bar.update(task, completed=now_ns))


@contextmanager
def _whole_file(path: Path, force: bool) -> Iterator[IO[bytes]]:
    """A file to be written, which takes its name when it is whole, and else leaves nothing.

    Raises:
        InputError: there is one of that name that is not to be replaced, or none can be written there. This
            is known before the work begins.
    """
    _refuse_to_replace(path, force)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(file.fileno(), 0o666 & ~mask)  # a temporary file is its user's alone
        _refuse_to_replace(path, force)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _refuse_to_replace(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise InputError(f"{path} is there already: say --force to replace it, or --out for another name.")
