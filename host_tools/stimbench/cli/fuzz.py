"""`stimbench fuzz`."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.errors import EXIT_CHECK_FAILED, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stimbench.fuzz.registry import Target
    from stimbench.fuzz.runs import Outcome

__all__ = ("fuzz",)

_SECONDS = 60.0
_CORES = os.cpu_count() or 1

_OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", metavar="TARGET", help="This target; may be repeated.")
]
_SecondsOption = Annotated[
    float,
    typer.Option(min=0, help="For so long, all targets together. Default: 60, or no limit with --runs."),
]
_RunsOption = Annotated[
    int, typer.Option("--runs", min=0, help="So many inputs for each target, at the most.")
]
_SeedOption = Annotated[int, typer.Option(min=1, help="Of all inputs.")]
_WorkersOption = Annotated[int, typer.Option(min=1, help="Processes at a time. Default: one for each core.")]
_PortOption = Annotated[
    bool,
    typer.Option(
        "--micropython",
        help="At random, on MicroPython's unix port. Default: guided by coverage, on CPython.",
    ),
]
_ListOption = Annotated[bool, typer.Option("--list", help="List the targets, and run nothing.")]
_InputOption = Annotated[
    str | None,
    typer.Option("--input", metavar="HEX", help="Run this one input of the target of --only here."),
]


def fuzz(
    only: _OnlyOption = None,
    seconds: _SecondsOption = 0.0,
    runs: _RunsOption = 0,
    seed: _SeedOption = 1,
    workers: _WorkersOption = _CORES,
    micropython: _PortOption = False,
    show_list: _ListOption = False,
    one_input: _InputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Feed every parser with mutated bytes. Exits 1 if one raises what it does not declare."""
    # Imported here: --help needs neither the targets nor the firmware.
    from stimbench.fuzz.registry import TARGETS, find
    from stimbench.fuzz.runs import GUIDED, MICROPYTHON, run_all

    chosen = [find(name) for name in only] if only else list(TARGETS)
    if one_input is not None:
        _run_one(chosen, one_input)
        return
    if show_list:
        _list(chosen, as_json)
        return
    if not seconds and not runs:
        seconds = _SECONDS
    how = MICROPYTHON if micropython else GUIDED
    outcomes = run_all(chosen, how, seed, seconds, runs, workers)
    if as_json:
        print_json({"how": how, "seed": seed, "targets": [asdict(outcome) for outcome in outcomes]})
    else:
        _show(outcomes, seed)
    if any(outcome.findings for outcome in outcomes):
        raise typer.Exit(EXIT_CHECK_FAILED)


def _run_one(chosen: Sequence[Target], text: str) -> None:
    """One input in this process: its traceback is what a developer wants to see."""
    if len(chosen) != 1 or not re.fullmatch(r"([0-9a-fA-F]{2})*", text):
        raise InputError("--input needs one --only and an even number of hexadecimal digits.")
    chosen[0].run(bytes.fromhex(text))
    out.print("It raised nothing.")


def _list(chosen: Sequence[Target], as_json: bool) -> None:
    if as_json:
        print_json(
            {"targets": [{"name": one.name, "portable": one.portable, "about": one.about} for one in chosen]}
        )
        return
    table = Table("target", "MicroPython", "what is fed, and what it may raise", box=None)
    for one in chosen:
        table.add_row(one.name, "yes" if one.portable else "no", one.about)
    out.print(table)


def _show(outcomes: Sequence[Outcome], seed: int) -> None:
    table = Table("target", "inputs", "ways", "memory, KB", "findings", box=None)
    for one in outcomes:
        table.add_row(
            one.target,
            f"{one.executions:,}",
            str(one.ways or "-"),
            str(one.memory_kb),
            str(len(one.findings)),
        )
    out.print(table)
    for one in outcomes:
        for finding in one.findings:
            err.print(f"{one.target}: {finding.error} ({finding.where})", markup=False)
            if finding.data:
                err.print(f"  stimbench fuzz --only '{one.target}' --input {finding.data}", markup=False)
    inputs = sum(one.executions for one in outcomes)
    found = sum(len(one.findings) for one in outcomes)
    out.print(f"{inputs:,} inputs, seed {seed}, {found} findings", markup=False)
