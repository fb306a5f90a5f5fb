"""`stimbench bringup`: a new board, one block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stimbench.cli.boards import BENCH
from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.cli.terminal import escaped
from stimbench.errors import EXIT_CHECK_FAILED, InputError

if TYPE_CHECKING:
    from stimbench.bringup.model import Block
    from stimbench.bringup.record import Attempt, Record
    from stimbench.bringup.run import Ended
    from stimbench.bringup.workplace import Workplace

__all__ = ("bringup",)

_Board = Annotated[
    str | None,
    typer.Option(
        "--board",
        envvar="STIMBENCH_BOARD",
        metavar="PORT",
        help="Serial port of the stimulator, or `bench`: an emulated bench, which does all steps by itself. "
        "Default: the one RP2040 board that is plugged in.",
    ),
]
_Record = Annotated[
    Path,
    typer.Option(
        "--record", metavar="DIR", help="Where bringup.json and bringup.html go, and are gone on with."
    ),
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with a record; an error if DIR has none.")]
_Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="BLOCK", help="Only this block. May be repeated.")
]
_List = Annotated[bool, typer.Option("--list", help="Say which blocks and steps there are, and do none.")]
_Meter = Annotated[str, typer.Option("--meter", help="Make, model and serial number of the meter.")]
_Scope = Annotated[str, typer.Option("--scope", help="The same of the oscilloscope.")]
_Plant = Annotated[
    list[str] | None,
    typer.Option(
        "--plant", metavar="ERROR", help="With --board bench: an error of assembly. May be repeated."
    ),
]
_Seed = Annotated[int, typer.Option("--seed", min=1, help="With --board bench: of its parts and its meter.")]
_Tolerance = Annotated[
    str, typer.Option("--tolerance", help="With --board bench: typical, or worst for parts at their limits.")
]


def bringup(
    board: _Board = None,
    folder: _Record = Path("stimbench-bringup"),
    resume: _Resume = False,
    only: _Only = None,
    listed: _List = False,
    meter: _Meter = "",
    scope: _Scope = "",
    plant: _Plant = None,
    seed: _Seed = 1,
    tolerance: _Tolerance = "typical",
    as_json: JsonOption = False,
) -> None:
    """Bring up a new board: a guided procedure with a meter and an oscilloscope, and a record of it.

    One block at a time, output disabled first. It stops at the first step that fails, names the cause, and
    exits with 1. Ctrl-C turns the output off; the same command goes on later. bringup.html in the record
    shows each step with its picture. Resistors and saline only.
    """
    from stimbench.bringup.steps import BLOCKS

    chosen = _chosen(BLOCKS, only or [])
    if listed:
        _list(chosen, as_json)
        return
    if plant and board != BENCH:
        raise InputError("--plant belongs to the emulated bench: --board bench --plant ...")
    with _workplace(board, seed, tolerance, plant or [], (meter, scope)) as workplace:
        record, ended = _run(workplace, BLOCKS, chosen, folder, resume, as_json)
    done = ended.signed or (bool(only) and ended.failed is None and not _left_of(ended, chosen))
    if as_json:
        print_json(_document(record, ended))
    else:
        _sum_up(record, ended, bool(only))
    if not done:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _chosen(blocks: Sequence[Block], names: list[str]) -> list[Block]:
    known = {block.name: block for block in blocks}
    for name in names:
        if name not in known:
            raise InputError(f"There is no block {name!r}; there are: {', '.join(known)}.")
    return [block for block in blocks if not names or block.name in names]


def _run(
    workplace: Workplace,
    blocks: Sequence[Block],
    chosen: Sequence[Block],
    folder: Path,
    resume: bool,
    quiet: bool,
) -> tuple[Record, Ended]:
    from stimbench.bringup.page import write_record_page
    from stimbench.bringup.run import run_blocks

    try:
        record = _open_record(workplace, blocks, folder, resume)
        page = write_record_page(record, blocks)
        if not quiet:
            err.print(f"Record and pictures: {page}", markup=False, soft_wrap=True)

        def told(attempt: Attempt) -> None:
            write_record_page(record, blocks)
            if not quiet:
                _say(attempt)

        ended = run_blocks(chosen, blocks, workplace, record, told)
        write_record_page(record, blocks)
    except KeyboardInterrupt as interruption:
        interruption.add_note("The output is off. The same command goes on where this one ended.")
        raise
    finally:
        workplace.rest()
    return record, ended


def _open_record(workplace: Workplace, blocks: Sequence[Block], folder: Path, resume: bool) -> Record:
    from stimbench.bringup.record import FILE, Record, procedure_id

    def now() -> datetime:
        return datetime.now(UTC)

    record = Record.load(folder, now)
    if record is None and resume:
        raise InputError(f"There is no {folder / FILE} to go on with.")
    facts, procedure = workplace.facts(), procedure_id(blocks)
    if record is None:
        return Record.begin(folder, facts, procedure, now)
    record.require_same(facts, procedure)
    record.note(facts)
    return record


@contextmanager
def _workplace(
    board: str | None, seed: int, tolerance: str, plant: Sequence[str], tools: tuple[str, str]
) -> Iterator[Workplace]:
    if board == BENCH:
        with _emulated(seed, tolerance, plant) as workplace:
            yield workplace
        return
    from stimbench.bringup.at_bench import PersonWorkplace
    from stimbench.bringup.model import Tool
    from stimbench.bringup.typing_in import typist_at_terminal
    from stimbench.devices.serial_device import SerialDevice
    from stimbench.devices.serial_ports import find_port

    typist = typist_at_terminal()
    if typist is None:
        raise InputError("A person has to follow this at a terminal. --board bench runs by itself.")
    names = dict(zip((Tool.METER.value, Tool.SCOPE.value), tools, strict=True))
    yield PersonWorkplace(
        lambda: SerialDevice(board or find_port()), typist,
        lambda text: err.print(text, markup=False, soft_wrap=True), names,
    )  # fmt: skip


@contextmanager
def _emulated(seed: int, tolerance: str, plant: Sequence[str]) -> Iterator[Workplace]:
    # Imported here: the emulator is slow to load.
    from stimbench.bringup.emulated import open_workplace

    with err.status("Starting the emulated bench"):
        opened = open_workplace(seed, tolerance, plant)
        workplace = opened.__enter__()
    try:
        yield workplace
    finally:
        opened.__exit__(None, None, None)


# What is printed.


def _list(chosen: Sequence[Block], as_json: bool) -> None:
    if as_json:
        print_json([_described(block) for block in chosen])
        return
    for block in chosen:
        out.print(f"[bold]{block.name}[/]: {block.title}", soft_wrap=True)
        for step in block.steps:
            out.print(f"  {step.name:24}{step.title}", markup=False, soft_wrap=True)


def _described(block: Block) -> dict[str, object]:
    steps = [{"step": step.name, "title": step.title, "readings": len(step.readings)} for step in block.steps]
    return {"block": block.name, "title": block.title, "steps": steps}


def _say(attempt: Attempt) -> None:
    colour = {"passed": "green", "failed": "bold red", "skipped": "yellow"}[attempt.outcome]
    err.print(f"[{colour}]{attempt.outcome}[/] {attempt.step}", soft_wrap=True)
    if attempt.cause:
        err.print(f"  {attempt.cause}: {attempt.told}\n  {attempt.remedy}", markup=False, soft_wrap=True)
    elif attempt.check:
        err.print("  The readings alone do not say why. Look at, in this order:", soft_wrap=True)
        for text in attempt.check:
            err.print(f"  - {text}", markup=False, soft_wrap=True)


def _left_of(ended: Ended, chosen: Sequence[Block]) -> list[str]:
    mine = {step.name for block in chosen for step in block.steps}
    return [name for name in ended.left if name in mine]


def _sum_up(record: Record, ended: Ended, partly: bool) -> None:
    if ended.failed is not None:
        what = f"{ended.failed.cause}: {ended.failed.told}" if ended.failed.cause else "no single cause fits"
        out.print(f"[bold red]Stopped[/] at {ended.failed.step}: {escaped(what)}", soft_wrap=True)
    elif ended.signed:
        assert record.document.signed is not None
        out.print(f"[green]Signed off[/] by {escaped(record.document.signed.name)}.", soft_wrap=True)
    else:
        told = "These blocks are done, and others are left" if partly else "Not signed off"
        left = ", ".join(ended.left) if ended.left else "nobody signed"
        out.print(f"{told}: {left}.", markup=False, soft_wrap=True)
    out.print(f"Record: {record.folder}", markup=False, soft_wrap=True)


def _document(record: Record, ended: Ended) -> dict[str, object]:
    failed = ended.failed
    return {
        "signed": ended.signed,
        "failed": failed.step if failed else None,
        "cause": failed.cause or None if failed else None,
        "told": failed.told if failed else "",
        "left": list(ended.left),
        "record": record.document.model_dump(mode="json"),
    }
