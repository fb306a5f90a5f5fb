"""`stimbench campaign`: many emulated benches, on one process or many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from stimbench.cli.common import JsonOption, StimbenchGroup, err, out, print_json
from stimbench.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from stimbench.campaign.jobs import Job
    from stimbench.campaign.run import Summary
    from stimbench.campaign.store import Store
    from stimbench.campaign.tally import Tally

__all__ = ("app",)

app = typer.Typer(
    name="campaign",
    cls=StimbenchGroup,
    no_args_is_help=True,
    help="Many emulated benches, one after the other or on many processes. "
    "The same command again goes on where it was interrupted.",
)

_SHOWN = 10
"""Cases that did not pass are named, so many at most."""

SeedsOption = Annotated[int, typer.Option("--seeds", min=1, help="Seeds of each case: 1, 2 ...")]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, help="Processes of this machine; 1 is this process itself.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="A Dask scheduler, tcp://10.0.0.5:8786 say: its workers do the jobs.",
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the results. Default: build/campaign and the campaign's name."),
]


@app.command("power-cuts")
def power_cuts(
    seeds: SeedsOption = 1,
    moments: Annotated[int, typer.Option(min=1, help="At how many moments each write is cut.")] = 24,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cut the supply at many moments of each write to flash. Exits 1 if a record is neither old nor new."""
    from stimbench.checks.campaigns.power_cuts import power_cut_jobs

    jobs = partial(power_cut_jobs, seeds, moments)
    _campaign("power-cuts", ("stimulator",), jobs, workers, scheduler, folder, as_json)


@app.command("attacks")
def attacks(
    seeds: SeedsOption = 1,
    share: Annotated[
        float, typer.Option(min=0.0001, max=1.0, help="Of each attack's full number of tries.")
    ] = 0.1,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry out every attack on the radio protocol, with many seeds. Exits 1 if one succeeds."""
    from stimbench.checks.campaigns.attacks import attack_jobs
    from stimbench.project import image_path

    boards: tuple[str, ...] = ("stimulator", "remote")
    if not all(image_path(board).is_file() for board in boards):
        err.print("The firmware is not built: attacks on the emulated bench are left out.")
        boards = ()
    jobs = partial(attack_jobs, seeds, share)
    _campaign("attacks", boards, jobs, workers, scheduler, folder, as_json)


@app.command("faults")
def faults(
    seeds: SeedsOption = 1,
    moments: Annotated[int, typer.Option(min=1, help="In how many parts of a session each fault comes.")] = 8,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Break something at many moments of a session. Exits 1 if the output leaves its limits."""
    from stimbench.checks.campaigns.faults import fault_jobs

    boards = ("stimulator", "remote")
    jobs = partial(fault_jobs, seeds, moments)
    _campaign("faults", boards, jobs, workers, scheduler, folder, as_json)


def _campaign(
    name: str,
    boards: tuple[str, ...],
    make_jobs: Callable[[Mapping[str, str]], list[Job]],
    workers: int,
    scheduler: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Run it, print what its folder then says, and exit accordingly."""
    from stimbench.campaign.firmware import Firmware
    from stimbench.campaign.pools import open_pool
    from stimbench.campaign.run import run
    from stimbench.campaign.store import Store
    from stimbench.campaign.tally import tally, write_results
    from stimbench.checks.campaigns.report import write_campaign_reports
    from stimbench.cli.campaign_progress import CampaignProgress
    from stimbench.project import image_path

    firmware = Firmware.read({board: image_path(board) for board in boards})
    jobs = make_jobs(firmware.hashes)
    store = Store(folder or Path("build/campaign") / name, name)
    with open_pool(firmware, workers, scheduler) as pool, CampaignProgress() as progress:
        summary = run(jobs, store, pool, progress)
    found = tally(store)
    document = write_results(store, found)
    write_campaign_reports(store, found)
    for file in store.aside:
        err.print(f"{store.folder / file} is no result of this campaign, or is broken.", markup=False)
    if as_json:
        print_json(document)
    else:
        _print(found, summary, store)
    if summary.interrupted:
        raise KeyboardInterrupt
    if not found.passed:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _print(found: Tally, summary: Summary, store: Store) -> None:
    whole = found.whole
    table = Table(title=f"{whole.passed} of {whole.cases} cases passed", title_justify="left")
    table.add_column(store.campaign)
    for column in ("cases", "passed", "failed", "errors", "left"):
        table.add_column(column, justify="right")
    for group in (*found.groups, whole):
        numbers = (group.cases, group.passed, group.failed, group.errors, group.left)
        table.add_row(group.name, *(str(number) if number else "-" for number in numbers))
    out.print(table)
    others = [case for case in found.cases if not case.is_good and case.told]
    for case in others[:_SHOWN]:
        out.print(f"{case.verdict} {case.name}: {case.told}", markup=False, soft_wrap=True)
    if len(others) > _SHOWN:
        out.print(f"... and {len(others) - _SHOWN} more.")
    told = f"{summary.done} done now, {summary.skipped} before"
    told += f", {summary.duplicates} came twice and were dropped" if summary.duplicates else ""
    out.print(f"{told}; {store.folder}/report.html", markup=False, soft_wrap=True)
    if summary.left:
        out.print(f"{summary.left} are left: the same command goes on from there.")
