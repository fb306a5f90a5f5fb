"""`stimbench lesson`."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table

from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.errors import EXIT_CHECK_FAILED, StimbenchError

if TYPE_CHECKING:
    from stimbench.lessons.model import Drawing, Number
    from stimbench.lessons.registry import Lesson

__all__ = ("lesson",)

_WIDTH = 100


_FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Where its pictures and listings go. Default: build/lessons/N in a checkout, "
        "stimbench-lesson-N elsewhere.",
    ),
]
_WaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="At a terminal, wait for Enter before each listing runs.")
]
_OwnOption = Annotated[
    Path | None,
    typer.Option(
        "--try",
        metavar="FILE",
        help="Run your own version of one of the lesson's listings, and measure and draw it. "
        "The lesson writes each listing beside its pictures; change that file and name it here.",
    ),
]


def lesson(
    number: Annotated[int | None, typer.Argument(metavar="N", help="The lesson, 1 to 7.")] = None,
    folder: _FolderOption = None,
    wait: _WaitOption = True,
    own: _OwnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a lesson of the tutorial on the emulated bench; without a number, list them.

    Its text, listings and measured numbers come here, its pictures into a folder. Exits 1 if a number is not
    what the programme or Ohm's law says.
    """
    # Imported here: the list needs neither the emulator nor plotting, and --help not even the texts.
    from stimbench.lessons.registry import LESSONS, find

    if number is None:
        if own is not None:
            raise typer.BadParameter(
                "needs the lesson's number: stimbench lesson 1 --try FILE", param_hint="--try"
            )
        _list(LESSONS, as_json)
        return
    chosen = find(number)
    teacher = _Teacher(chosen, folder or _default_folder(number), as_json, wait)
    if own is None:
        teacher.teach()
        teacher.end()
    else:
        teacher.try_file(own)
        teacher.end(judge=False)


def _default_folder(number: int) -> Path:
    inside = any(
        (each / "boards" / "STIMBENCH_STIMULATOR").is_dir() for each in (Path.cwd(), *Path.cwd().parents)
    )
    return Path(f"build/lessons/{number}" if inside else f"stimbench-lesson-{number}")


def _list(lessons: tuple[Lesson, ...], as_json: bool) -> None:
    if as_json:
        print_json([{"lesson": each.number, "title": each.title} for each in lessons])
        return
    for each in lessons:
        out.print(f"{each.number}  {each.title}", markup=False)
    out.print("\nstimbench lesson 1 runs the first one.", markup=False)


class _Teacher:
    """Shows what happens in a lesson, and keeps what was measured."""

    def __init__(self, lesson: Lesson, folder: Path, as_json: bool, wait: bool) -> None:
        self._lesson, self._folder, self._quiet = lesson, folder, as_json
        self._waits = wait and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
        self._numbers: dict[str, Number] = {}
        self._pictures: list[Path] = []

    def teach(self) -> None:
        """The whole lesson."""
        from stimbench.lessons import run
        from stimbench.lessons.text import Command, Listing

        events = run.run_lesson(self._lesson)
        while (event := self._next(events)) is not None:
            if isinstance(event, run.Shown):
                self._print(Markdown(event.text))
            elif isinstance(event, Listing):
                if event.step:
                    run.write_listing(event, self._folder)
                self._print(
                    Syntax(event.code.rstrip("\n"), "python", background_color="default", word_wrap=True)
                )
                self._pause()
            elif isinstance(event, Command):
                self._run(event.line)
            elif isinstance(event, run.Printed):
                self._print(event.text.rstrip("\n"))
            elif isinstance(event, run.Found):
                self._keep(event.numbers)
            else:
                self._draw(event.drawing)

    def try_file(self, path: Path) -> None:
        """A reader's file in place of a listing."""
        from stimbench.lessons.run import run_file

        printed, findings = run_file(self._lesson, path)
        self._print(printed.rstrip("\n"))
        self._keep(findings.numbers)
        if findings.drawing:
            self._draw(findings.drawing)

    def end(self, judge: bool = True) -> None:
        """What came of it. An experiment is not judged: it may well differ from the lesson.

        Raises:
            Exit: a number is not what it should be.
        """
        failed = [each.label for each in self._numbers.values() if not each.holds]
        if self._quiet:
            print_json(
                {
                    "lesson": self._lesson.number,
                    "title": self._lesson.title,
                    "numbers": {name: _as_data(number) for name, number in self._numbers.items()},
                    "pictures": [str(path) for path in self._pictures],
                    "holds": not failed,
                }
            )
        if failed and judge:
            err.print(f"[bold red]Not as it should be:[/] {', '.join(failed)}.", soft_wrap=True)
            raise typer.Exit(EXIT_CHECK_FAILED)

    def _next(self, events: Any) -> Any:
        if self._quiet:
            return next(events, None)
        with err.status("The bench runs"):
            return next(events, None)

    def _print(self, what: Any, markup: bool = False) -> None:
        if self._quiet or not what:
            return
        out.print(what, width=min(out.width, _WIDTH), markup=markup)
        out.print()

    def _keep(self, numbers: Mapping[str, Number]) -> None:
        self._numbers |= numbers
        if numbers:
            self._print(_table(numbers), markup=True)

    def _draw(self, drawing: Drawing) -> None:
        from stimbench.lessons.run import write_picture

        path = write_picture(drawing, self._folder)
        self._pictures.append(path)
        self._print(f"Picture: {path}")

    def _pause(self) -> None:
        if self._waits:
            out.print("Enter runs it.", end=" ")
            sys.stdout.flush()
            _await_input()
            self._waits = bool(sys.stdin.readline())

    def _run(self, line: str) -> None:
        """A command of the text, as if it was typed."""
        self._print(f"$ {line}")
        self._pause()
        words = [sys.executable, "-m", "stimbench", *line.split()[1:]]
        ended = subprocess.run(words, stdout=subprocess.PIPE if self._quiet else None, check=False)
        if ended.returncode:
            raise StimbenchError(f"`{line}` ended with {ended.returncode}.")
        self._print(" ")


def _await_input() -> None:
    """Wait for something to read, or for Ctrl-C.

    A read alone would notice a Ctrl-C that comes in the moment before it begins to wait after Enter only. The
    system's own handler writes to a pipe at once, and the wait looks at both.
    """
    try:
        keyboard = sys.stdin.fileno()
    except (AttributeError, OSError):
        return  # what stands in for a keyboard never lets one wait
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        select.select([keyboard, woken], [], [])
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wake)


def _table(numbers: Mapping[str, Number]) -> Table:
    table = Table(title="Measured", title_justify="left")
    table.add_column("")
    for name in ("measured", "by hand"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("from")
    table.add_column("", no_wrap=True)
    for each in numbers.values():
        by_hand = f"{each.by_hand_text} {each.unit}" if each.by_hand is not None else ""
        verdict = "" if each.by_hand is None else "[green]✓[/]" if each.holds else "[bold red]✗[/]"
        table.add_row(each.label, f"{each.text} {each.unit}", by_hand, each.how, verdict)
    return table


def _as_data(number: Number) -> dict[str, Any]:
    return {
        "label": number.label,
        "value": number.value,
        "unit": number.unit,
        "by_hand": number.by_hand,
        "within": number.within if number.by_hand is not None else None,
        "holds": number.holds,
    }
