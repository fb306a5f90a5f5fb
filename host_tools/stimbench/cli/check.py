"""`stimbench check`: plans on a bench, and captures from files, every pulse measured."""

from __future__ import annotations

import fnmatch
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stimbench.cli.check_output import print_comparison, print_result, print_run
from stimbench.cli.common import JsonOption, err, out, print_json, services
from stimbench.errors import EXIT_CHECK_FAILED, EXIT_NO_BOARD, BenchError, InputError
from stimbench.process import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from stimbench.checks.limits import Limits
    from stimbench.checks.outcome import Outcome
    from stimbench.checks.plan import Plan
    from stimbench.checks.run import Run
    from stimbench.rig.rig import Rig

__all__ = ("check",)

_PLAN = typer.Argument(metavar="PLAN.toml", help="A plan, or the name of a built-in one: `standard`.")
_MOST = 1e12
"""Of a limit, in its unit."""

PlanArgument = Annotated[str | None, _PLAN]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Where results and reports go. A run that was interrupted goes on if it is named again. "
        "Default: a new folder below stimbench-results/.",
    ),
]
CountOption = Annotated[int, typer.Option("--count", min=1, help="How often each case is run.")]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, help="On how many processes of this machine the cases run.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Of a Dask scheduler, `tcp://host:8786`, instead."),
]
BenchOption = Annotated[
    Path | None,
    typer.Option(
        "--bench", metavar="bench.toml", help="Run on this wired bench. Default: an emulated bench a case."
    ),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="PATTERN", help="Cases by name, `faults/*` say. May be given repeatedly."),
]
ListOption = Annotated[bool, typer.Option("--list", help="List the cases and run none.")]
CompareOption = Annotated[
    Path | None,
    typer.Option(
        "--compare", metavar="DIR", help="Beside the run of this folder: what is worse, better, moved."
    ),
]
ImportOption = Annotated[
    Path | None,
    typer.Option("--import", metavar="FILE", help="Judge a capture from a .sr, .vcd or .csv file alone."),
]
ProgramOption = Annotated[
    Path | None,
    typer.Option("--program", metavar="FILE.toml", help="With --import: the programme that ran."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="With --import: a field of the programme."),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--limit", metavar="NAME=VALUE", help="With --import: a limit, `width_ns=1000`; `off` leaves it out."
    ),
]
TimingOption = Annotated[
    float | None,
    typer.Option("--timing-ns", min=0, help="With --import: the limit of width, gap, period and jitter."),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="CHANNEL=SIGNAL",
        help="With --import: which channel is what, `D0=stimulator.L_CATH` or `CH1=I_LEFT:100ohm`.",
    ),
]
StartOption = Annotated[
    float | None,
    typer.Option("--start", metavar="S", help="With --import: when the therapy begins in the capture."),
]
TimingOnlyOption = Annotated[
    bool, typer.Option("--timing-only", help="With --import: judge no current, amplitude or charge.")
]


def check(
    ctx: typer.Context,
    plan: PlanArgument = None,
    out_dir: OutOption = None,
    count: CountOption = 1,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    bench: BenchOption = None,
    only: OnlyOption = None,
    list_only: ListOption = False,
    compare: CompareOption = None,
    import_file: ImportOption = None,
    program: ProgramOption = None,
    changes: SetOption = None,
    limits: LimitOption = None,
    timing_ns: TimingOption = None,
    channels: MapOption = None,
    start_s: StartOption = None,
    timing_only: TimingOnlyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a plan of pulse checks, every pulse measured, or judge a capture from a file.

    Exits 1 if a case failed, and 4 if none failed and the rig could not judge them all.
    """
    if import_file is not None:
        if plan is not None or only or list_only or bench is not None:
            raise InputError("--import judges one file alone: it takes no plan and no bench.")
        if count > 1 or workers > 1 or scheduler is not None or compare is not None:
            raise InputError(
                "--count, --workers, --scheduler and --compare belong to a plan, not to --import."
            )
        asked = (import_file, program, changes, limits, timing_ns, channels, start_s, timing_only)
        _import(asked, out_dir, as_json)
        return
    given = (program, changes, limits, channels, timing_ns, start_s)
    if timing_only or any(each is not None for each in given):
        names = "--program, --set, --limit, --timing-ns, --map, --start and --timing-only"
        raise InputError(f"{names} belong to --import.")
    if plan is None:
        raise InputError("Name a plan: a file, or `standard`. Or a capture with --import.")
    chosen = _chosen(plan, only or [])
    if list_only:
        _list(chosen, as_json)
        return
    before = _loaded(compare)
    rig = services(ctx).rig(bench)
    if not rig.file.is_emulated and (workers > 1 or scheduler is not None):
        raise InputError("A wired bench has one stimulator: --workers and --scheduler are for emulated ones.")
    run = _run(ctx, chosen, out_dir, count, workers, scheduler, rig, quiet=as_json)
    _finish(run, before, as_json)


def _loaded(folder: Path | None) -> Run | None:
    """The run to compare with: read before hours are spent on the new one."""
    from stimbench.checks.run import load_run

    return load_run(folder) if folder is not None else None


def _chosen(name: str, only: list[str]) -> Plan:
    from dataclasses import replace

    from stimbench.checks.plan import load_plan

    plan = load_plan(name)
    if not only:
        return plan
    cases = tuple(
        case for case in plan.cases if any(fnmatch.fnmatchcase(case.name, pattern) for pattern in only)
    )
    if not cases:
        raise InputError(f"No case of {name} has a name like {' or '.join(only)}: see --list.")
    return replace(plan, cases=cases)


def _list(plan: Plan, as_json: bool) -> None:
    if as_json:
        print_json([case.as_payload() for case in plan.cases])
        return
    for case in plan.cases:
        out.print(case.name, markup=False, soft_wrap=True)
    err.print(f"{len(plan.cases)} cases.")


def _run(
    ctx: typer.Context,
    plan: Plan,
    out_dir: Path | None,
    count: int,
    workers: int,
    scheduler: str | None,
    rig: Rig,
    quiet: bool,
) -> Run:
    from stimbench.bench.config import BenchConfig
    from stimbench.campaign.firmware import Firmware
    from stimbench.campaign.pools import open_pool
    from stimbench.checks.reports import write_reports
    from stimbench.checks.rig_work import where_for
    from stimbench.checks.run import run_plan
    from stimbench.cli.campaign_progress import CampaignProgress

    folder = out_dir or _new_folder(plan.name, services(ctx).now_s())
    try:
        firmware = Firmware.read({"stimulator": BenchConfig().firmware_path("stimulator")})
    except BenchError as error:
        raise InputError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    with open_pool(firmware, workers, scheduler) as pool, ExitStack() as stack:
        # A person at the bench is asked where the bar would be.
        silent = quiet or rig.is_attended
        shown = (lambda told: None) if silent else stack.enter_context(CampaignProgress())
        run = run_plan(plan, folder, pool, count, shown, where_for(plan, rig))
    write_reports(run)
    return run


def _new_folder(name: str, now_s: float) -> Path:
    """A folder that is not there yet, named by the time."""
    from datetime import UTC, datetime

    stamp = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%d-%H%M%S")
    folder = Path("stimbench-results") / f"{name}-{stamp}"
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{name}-{stamp}-{number}")
    return folder


def _finish(run: Run, before: Run | None, as_json: bool) -> None:
    """Say how it ended, and end so."""
    from stimbench.checks.compare import compare as compared
    from stimbench.checks.tables import run_data

    comparison = compared(before, run) if before is not None else None
    if as_json:
        data = run_data(run) | {"folder": str(run.folder)}
        print_json(data | ({"comparison": comparison.as_data()} if comparison else {}))
    else:
        print_run(run)
        if comparison:
            print_comparison(comparison)
    if run.summary is not None and run.summary.interrupted:
        if not as_json:
            told = f"Interrupted. The same command with --out {run.folder} goes on from here."
            err.print(told, markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    code = _exit_code([result.outcome for result in run.run_results])
    if code or not run.run_results:
        raise typer.Exit(code or EXIT_NO_BOARD)


def _exit_code(outcomes: list[Outcome]) -> int:
    from stimbench.checks.outcome import Outcome

    if Outcome.FAIL in outcomes:
        return EXIT_CHECK_FAILED
    return 0 if all(outcome.is_good for outcome in outcomes) else EXIT_NO_BOARD


def _import(asked: tuple[Any, ...], out_dir: Path | None, as_json: bool) -> None:
    from stimbench.checks.reports import write_reports
    from stimbench.checks.run import Run
    from stimbench.checks.single import Import, check_file
    from stimbench.client import program_file

    path, program, changes, limits, timing_ns, channels, start_s, timing_only = asked
    base = program_file.load(program) if program is not None else _default_program()
    wanted = program_file.changed(base, program_file.parse_changes(changes or []))
    request = Import(path, wanted, _limits(limits or [], timing_ns), tuple(channels or ()), start_s,
                     timing_only=timing_only)  # fmt: skip
    result = check_file(request)
    about = {"plan": "import", "description": f"The capture {path.name}, judged alone.", "source": str(path),
             "sha256": result.instrument["sha256"], "bench": "a file"}  # fmt: skip
    run = Run(out_dir or Path(), about, (result,))
    if out_dir is not None:
        out_dir.mkdir(parents=True, exist_ok=True)
        write_reports(run)
    if as_json:
        print_json(result.as_data())
    else:
        print_result(result)
    code = _exit_code([result.outcome])
    if code:
        raise typer.Exit(code)


def _default_program() -> Any:
    from stimfw.therapy.program import default
    from stimfw.therapy.ranges import LEADS

    return default().replaced({f"{lead}.amplitude_ua": 2000 for lead in LEADS})


def _limits(texts: list[str], timing_ns: float | None) -> Limits:
    from stimbench.checks.limits import Limits

    known: dict[str, float | bool] = {}
    if timing_ns is not None:
        if not timing_ns <= _MOST:
            raise InputError(f"--timing-ns {timing_ns:g}: allowed is a number from 0 on.")
        known = dict.fromkeys(("width_ns", "gap_ns", "period_ns", "jitter_ns"), float(timing_ns))
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in Limits.model_fields:
            raise InputError(f"--limit {text}: it is NAME=VALUE; names are {', '.join(Limits.model_fields)}.")
        try:
            known[name] = False if value == "off" else float(value)
            if value != "off" and not 0 <= float(value) <= _MOST:
                raise ValueError
        except ValueError as error:
            raise InputError(f"--limit {text}: allowed is a number from 0 on, or off.") from error
    made = Limits().model_copy(update=known)
    if all(made.of(name) is None for name in Limits.model_fields):
        raise InputError("All limits are off: nothing would be judged.")
    return made
