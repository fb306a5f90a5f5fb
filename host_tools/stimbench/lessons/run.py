"""Runs a lesson: its listings as they stand, and what is measured and drawn from what they leave."""

from __future__ import annotations

import inspect
import io
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from stimbench.errors import BenchError, InputError, PortError, StimbenchError
from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.lessons.registry import Lesson
from stimbench.lessons.text import Command, Listing, Picture, Prose

__all__ = (
    "Drawn",
    "Event",
    "Found",
    "Printed",
    "Shown",
    "run_file",
    "run_lesson",
    "run_listing",
    "write_listing",
    "write_picture",
)


@dataclass(frozen=True)
class Shown:
    """Prose, with the numbers of this run."""

    text: str


@dataclass(frozen=True)
class Printed:
    """What a listing printed."""

    text: str
    says: str


@dataclass(frozen=True)
class Found:
    """What a step measured."""

    numbers: Mapping[str, Number]


@dataclass(frozen=True)
class Drawn:
    """A picture whose place in the text is here. `drawing` was made by a listing before it."""

    drawing: Drawing
    alt: str


Event: TypeAlias = Shown | Listing | Command | Printed | Found | Drawn


def run_lesson(lesson: Lesson) -> Iterator[Event]:
    """A lesson from its begin to its end. A listing comes before it runs; it runs when the next is asked for.

    Yields:
        What happens, in the order of the text. A Command is the caller's to run.

    Raises:
        PortError: the emulated bench cannot be built.
        StimbenchError: a listing failed, or the text names what is not there.
    """
    numbers: dict[str, Number] = {}
    drawings: dict[str, Drawing] = {}
    for block in lesson.blocks:
        if isinstance(block, Prose):
            yield Shown(block.shown(numbers))
        elif isinstance(block, Picture):
            if block.file not in drawings:
                raise StimbenchError(f"{lesson.file} shows {block.file}, and no step before it draws that.")
            yield Drawn(drawings[block.file], block.alt)
        else:
            yield block
            if isinstance(block, Listing):
                printed, findings = run_listing(lesson, block)
                numbers |= findings.numbers
                if findings.drawing:
                    drawings[findings.drawing.file] = findings.drawing
                yield Printed(printed, block.says)
                if findings.numbers:
                    yield Found(findings.numbers)


def run_listing(lesson: Lesson, listing: Listing, source: str = "") -> tuple[str, Findings]:
    """Run a listing, and its step on what it leaves.

    Args:
        lesson: whose it is.
        listing: its code may have been changed by a reader.
        source: how messages name it; by default the lesson's file.

    Returns:
        What it printed, and what its step found.

    Raises:
        PortError: the emulated bench cannot be built.
        StimbenchError: it fails, or leaves less than its step needs; of a reader's file, an InputError.
    """
    name = source or f"a listing of {lesson.file}"
    names: dict[str, Any] = {"__name__": "lesson"}
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            exec(compile(listing.code, name, "exec"), names)
    except StimbenchError:
        raise
    except BenchError as error:
        raise PortError(f"The emulated bench cannot do this: {str(error).rstrip('.')}.") from error
    except Exception as error:
        kind = InputError if source else StimbenchError
        raise kind(f"{name} fails{_line_of(error, name)}: {type(error).__name__}: {error}") from error
    return printed.getvalue(), _looked_at(lesson.steps, listing.step, names, name)


def run_file(lesson: Lesson, path: Path) -> tuple[str, Findings]:
    """Run a reader's changed copy of a listing; its file is named after the listing's step.

    Raises:
        InputError: it cannot be read, is named after no step of the lesson, or fails.
        PortError: the emulated bench cannot be built.
    """
    steps = [block.step for block in lesson.blocks if isinstance(block, Listing) and block.step]
    if path.stem not in steps:
        wanted = " or ".join(f"{step}.py" for step in steps)
        raise InputError(f"{path} is named after no step of lesson {lesson.number}: call it {wanted}.")
    try:
        code = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return run_listing(lesson, Listing(code, "", path.stem), str(path))


def write_listing(listing: Listing, folder: Path) -> Path:
    """Write a listing beside the pictures, for a reader to change; one that is there stays as it is.

    Raises:
        InputError: it cannot be written.
    """
    path = folder / f"{listing.step}.py"
    if not path.exists():
        _write(path, listing.code.encode())
    return path


def _looked_at(steps: Mapping[str, Step], step: str, names: dict[str, Any], source: str) -> Findings:
    if not step:
        return Findings()
    if step not in steps:
        raise StimbenchError(f"{source} is of a step {step!r}, which the lesson does not have.")
    wanted = inspect.signature(steps[step]).parameters
    missing = [each for each in wanted if each not in names]
    if missing:
        raise InputError(f"{source} leaves no {missing[0]!r}: nothing can be measured or drawn from it.")
    return steps[step](**{each: names[each] for each in wanted})


def _line_of(error: BaseException, source: str) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f" in line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    return f" in line {lines[-1]}" if lines else ""


def write_picture(drawing: Drawing, folder: Path) -> Path:
    """Write a picture into a folder, which is made if need be. It is there as a whole, or as it was before.

    Returns:
        Its path.

    Raises:
        InputError: it cannot be written.
    """
    path = folder / drawing.file
    _write(path, drawing.svg())
    return path


def _write(path: Path, content: bytes) -> None:
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            half.write_bytes(content)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
