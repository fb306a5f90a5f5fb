"""`stimbench implant`, `explant`, `mode`, `therapy`, `train`, `fault` and `ledger`: of an implant."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from stimfw.protocol import messages
from stimfw.storage.life import ID_BYTES
from stimfw.therapy import battery, ranges
from stimfw.therapy.ranges import LEADS, ParameterError

from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    RadioOption,
    StimbenchGroup,
    confirm,
    err,
    opened,
    out,
    print_json,
    services,
)
from stimbench.cli.restarting import with_restart
from stimbench.client.prescription_rules import utc
from stimbench.client.stimulator import Stimulator
from stimbench.client.therapy_records import MODE_NAMES, ContractionFigures, LedgerFigures, TherapyState
from stimbench.errors import EXIT_CHECK_FAILED, InputError

_DAY_S = 86_400
_MOST_HEALING_DAYS = 90
_TRAIN = messages.STATE_NAMES.index("test train")
_ASK_S = 0.2
_MOST_PULSES = 200
_MOST_TRAIN_HZ = 50


class Mode(StrEnum):
    """What `mode` takes."""

    normal = MODE_NAMES[0]
    mri = MODE_NAMES[1]
    storage = MODE_NAMES[2]


class Lead(StrEnum):
    """What `train` takes."""

    left = LEADS[0]
    right = LEADS[1]


_YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def implant(
    ctx: typer.Context,
    device_id: Annotated[
        str | None,
        typer.Option("--id", metavar="HEX", help="16 hexadecimal digits that name nobody. Default: drawn."),
    ] = None,
    healing_days: Annotated[
        int,
        typer.Option(
            "--healing-days", min=0, max=_MOST_HEALING_DAYS, help="No therapy before they are over."
        ),
    ] = 14,
    yes: _YesOption = False,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a stimulator a therapy device, as if it were implanted now. Over USB; the board restarts then.

    It does nothing but measure until a clinician prescribes. `explant` makes it a board on the bench again.
    """
    wanted = _device_id(device_id)
    confirm("A former implant's prescriptions and its day's counts are erased.", yes, "implanted")
    now_s = int(services(ctx).now_s())
    with opened(ctx, board, None) as stimulator:
        stimulator.implant(wanted, healing_days, now_s)
    earliest_s = now_s + healing_days * _DAY_S
    if as_json:
        print_json({"device_id": wanted.hex(), "implanted_s": now_s, "earliest_s": earliest_s})
    else:
        out.print(f"Implanted as {wanted.hex()}; no therapy before {utc(earliest_s)}. The board restarts.")


def explant(ctx: typer.Context, yes: _YesOption = False, board: BoardOption = None) -> None:
    """Make an implanted stimulator a board on the bench again. Over USB; the journal stays."""
    confirm("The therapy ends.", yes, "explanted")
    with opened(ctx, board, None) as stimulator:
        stimulator.explant()
    out.print("Explanted: the board restarts on the bench, with its programme's amplitudes at zero.")


def mode(
    ctx: typer.Context,
    wanted: Annotated[Mode, typer.Argument(metavar="normal|mri|storage", help="Which mode.")],
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set an implanted stimulator's mode: normal, mri or storage.

    In MRI mode and in storage the electrodes stay open and nothing begins, not even a measurement. Only a
    clinician ends them.
    """
    with opened(ctx, board, radio) as stimulator:
        stimulator.set_mode(MODE_NAMES.index(wanted.value))
        state = stimulator.therapy()
    if as_json:
        print_json(_as_data(state))
    else:
        out.print(f"The stimulator is in the state '{state.state_name}'.")


def therapy(
    ctx: typer.Context, board: BoardOption = None, radio: RadioOption = None, as_json: JsonOption = False
) -> None:
    """Show what an implanted stimulator does, what is left of today, and what stands against a session.

    Exits 1 if it has found a fault, or its battery is to be replaced.
    """
    with opened(ctx, board, radio) as stimulator:
        state = stimulator.therapy()
    if as_json:
        print_json(_as_data(state))
    else:
        out.print(_table(state))
    if state.fault or state.battery != battery.GOOD:
        raise typer.Exit(EXIT_CHECK_FAILED)


def train(
    ctx: typer.Context,
    lead: Annotated[Lead, typer.Argument(help="Which lead.")],
    amplitude_ua: Annotated[int, typer.Argument(metavar="UA", help=f"{ranges.AMPLITUDE_UA.text()}.")],
    cathode: Annotated[int, typer.Option("--cathode", min=0, max=3, help="Electrode.")] = 1,
    anode: Annotated[int, typer.Option("--anode", min=0, max=3, help="Another electrode.")] = 2,
    width_us: Annotated[int, typer.Option("--width", help=f"Of a phase: {ranges.WIDTH_US.text()}.")] = 214,
    gap_us: Annotated[int, typer.Option("--gap", help=f"Between the phases: {ranges.GAP_US.text()}.")] = 0,
    rate_hz: Annotated[int, typer.Option("--rate", min=1, max=_MOST_TRAIN_HZ, help="In Hz.")] = 20,
    pulses: Annotated[int, typer.Option("--pulses", min=1, max=_MOST_PULSES, help="How many.")] = 1,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a test train on one lead of an implanted stimulator, for as long as this command holds it.

    Ctrl-C turns the output off, and it goes off by itself within 500 ms if this command can no longer ask for
    it. Exits 1 if something ended it before its last pulse: a magnet, a stop, a fault.
    """
    _check(amplitude_ua, width_us, gap_us, cathode, anode)
    at = LEADS.index(lead.value)
    with opened(ctx, board, radio) as stimulator, err.status("Test train") as spinner:
        with stimulator.stopped_if_it_fails():
            stimulator.train(at, cathode, anode, amplitude_ua, width_us, gap_us, rate_hz, pulses)
            delivered = _held(
                stimulator, lambda count: spinner.update(f"Test train: {count} of {pulses} pulses")
            )
        ended = stimulator.status()
    if as_json:
        print_json({"lead": lead.value, "asked": pulses, "delivered": delivered, "ended": ended.stop_name})
    else:
        out.print(f"{delivered} of {pulses} pulses on the {lead.value} lead; it ended: {ended.stop_name}.")
    if ended.stop_cause != messages.STOPPED_SESSION_OVER:
        raise typer.Exit(EXIT_CHECK_FAILED)


fault = typer.Typer(
    cls=StimbenchGroup, no_args_is_help=True, help="What the watch of an implanted stimulator found."
)


@fault.command("show")
@with_restart
def fault_show(
    ctx: typer.Context, board: BoardOption = None, radio: RadioOption = None, as_json: JsonOption = False
) -> None:
    """Show the fault that stands, what it means, and what the watch measured last. Exits 1 if one stands."""
    with opened(ctx, board, radio) as stimulator:
        state, figures = stimulator.therapy(), stimulator.watch_figures()
    if as_json:
        print_json(_fault_data(state) | {"watch": [asdict(one) | {"lead": one.lead_name} for one in figures]})
    else:
        out.print(_fault_text(state) or "No fault stands.")
        table = Table(title="What the watch looked at last", title_justify="left")
        names = (
            "found",
            "set uA",
            "cathodic uA",
            "anodic uA",
            "early mV",
            "late mV",
            "rest mV",
            "ohm",
            "pulse",
        )
        table.add_column("lead")
        for name in names:
            table.add_column(name, justify="right")
        for one in figures:
            row = (
                one.set_ua,
                one.cathodic_ua,
                one.anodic_ua,
                one.early_mv,
                one.late_mv,
                one.rest_mv,
                one.ohm,
            )
            table.add_row(one.lead_name, one.fault_name, *(str(value) for value in (*row, one.pulse)))
        out.print(table)
    if state.fault:
        raise typer.Exit(EXIT_CHECK_FAILED)


@fault.command("clear")
@with_restart
def fault_clear(
    ctx: typer.Context, board: BoardOption = None, radio: RadioOption = None, as_json: JsonOption = False
) -> None:
    """Clear the fault that stands, once a clinician has dealt with it. It is in the journal who did."""
    with opened(ctx, board, radio) as stimulator:
        before = stimulator.therapy()
        stimulator.clear_fault()
        after = stimulator.therapy()
    if as_json:
        print_json({"cleared": _fault_data(before), "state": after.state_name})
    else:
        out.print(f"Cleared: {before.fault_name}." if before.fault else "No fault stood.")
        out.print(f"The stimulator is in the state '{after.state_name}'.")


def ledger(
    ctx: typer.Context,
    contractions: Annotated[
        bool, typer.Option("--contractions", help="Show each contraction instead; the newest 64 are kept.")
    ] = False,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an implanted stimulator has delivered in its present or last session, lead by lead.

    What was prescribed stands beside what was measured. After a restart the sums are in the journal, and the
    single contractions are gone.
    """
    with opened(ctx, board, radio) as stimulator:
        each = stimulator.contractions() if contractions else ()
        leads = () if contractions else stimulator.ledger()
    if as_json:
        print_json([asdict(one) | {"lead": one.lead_name} for one in each or leads])
    elif leads:
        out.print(_ledger_table(leads))
    elif each:
        out.print(_contractions_table(each))
    else:
        out.print("No contraction has ended since the stimulator's start.")


def _device_id(text: str | None) -> bytes:
    if text is None:
        return secrets.token_bytes(ID_BYTES)
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != ID_BYTES or not any(found):
        raise InputError(f"--id {text!r}: it takes {2 * ID_BYTES} hexadecimal digits, not all of them 0.")
    return found


def _check(amplitude_ua: int, width_us: int, gap_us: int, cathode: int, anode: int) -> None:
    """Raise InputError for the first value that is none, before anything is sent."""
    try:
        ranges.AMPLITUDE_UA.check(amplitude_ua)
        ranges.WIDTH_US.check(width_us)
        ranges.GAP_US.check(gap_us)
    except ParameterError as error:
        raise InputError(f"{error}.") from error
    if cathode == anode:
        raise InputError(f"--anode {anode}: allowed is another electrode than the cathode.")


def _held(stimulator: Stimulator, tell: Any) -> int:
    """Hold a test train until it ends; the pulses that were delivered."""
    while True:
        asked_s = stimulator.link.now_s()
        delivered = stimulator.train_on()
        tell(delivered)
        if stimulator.status().state != _TRAIN:
            return stimulator.train_on()
        stimulator.link.wait(max(0.0, asked_s + _ASK_S - stimulator.link.now_s()))


def _as_data(state: TherapyState) -> dict[str, Any]:
    return {
        "state": state.state_name,
        "refused": state.reason_text or None,
        "sessions_left": state.sessions_left,
        "sessions_a_day": state.sessions_a_day,
        "next_s": state.next_s,
        "session_s": state.session_s,
        "elapsed_s": state.elapsed_s,
        "contractions": state.cycles,
        "last_end": state.ended_name,
        "battery": state.battery_name,
        "time_s": state.time_s,
        **_fault_data(state),
    }


def _fault_data(state: TherapyState) -> dict[str, Any]:
    return {
        "fault": state.fault_name or None,
        "fault_lead": state.fault_lead_name or None,
        "fault_meaning": state.fault_meaning or None,
    }


def _fault_text(state: TherapyState) -> str:
    if not state.fault:
        return ""
    where = f" on the {state.fault_lead_name} lead" if state.fault_lead_name else ""
    meaning = f": {state.fault_meaning}" if state.fault_meaning else ""
    return f"[bold red]{state.fault_name}[/]{where}{meaning}"


def _table(state: TherapyState) -> Table:
    rows = [
        ("State", state.state_name),
        ("Today", f"{state.sessions_left} of {state.sessions_a_day} sessions left"),
        ("Next session", _next_text(state)),
        ("Last end", state.ended_name),
        ("Fault", _fault_text(state) or "none"),
        ("Battery", state.battery_name),
        ("Time", utc(state.time_s) if state.time_s else "not known: `stimbench time --set` tells it"),
    ]
    if state.elapsed_s:
        shown = f"{state.elapsed_s} of {state.session_s} s, {state.cycles} contractions"
        rows.insert(1, ("Session", shown))
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


def _next_text(state: TherapyState) -> str:
    if state.elapsed_s:
        return "one runs"
    if not state.reason:
        return "may begin now"
    when = "" if state.next_s is None else f" (in {_duration(state.next_s)})" if state.next_s else ""
    return f"{state.reason_text}{when}"


def _duration(seconds: int) -> str:
    """In days, hours and minutes, rounded up."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d"] if days else []
    if hours or days:
        parts.append(f"{hours} h")
    parts.append(f"{minutes} min")
    return " ".join(parts)


def _contractions_table(found: tuple[ContractionFigures, ...]) -> Table:
    table = Table(title="Contractions of the present or last session", title_justify="left")
    names = ("number", "lead", "pulses", "prescribed uA", "mean uA", "most uA", "cathodic uC", "anodic uC")
    for name in names:
        table.add_column(name, justify="left" if name == "lead" else "right")
    for one in found:
        table.add_row(
            str(one.number), one.lead_name, str(one.pulses), str(one.prescribed_ua), str(one.mean_ua),
            str(one.most_ua), f"{one.cathodic_nc / 1000:.3f}", f"{one.anodic_nc / 1000:.3f}",
        )  # fmt: skip
    return table


def _ledger_table(leads: tuple[LedgerFigures, ...]) -> Table:
    table = Table(title="The present or last session", title_justify="left")
    table.add_column("lead", style="bold")
    names = ("pulses", "missed", "contractions", "prescribed uA", "mean uA", "most uA", "charge uC")
    for name in names:
        table.add_column(name, justify="right")
    for one in leads:
        row = (one.pulses, one.missed, one.contractions, one.prescribed_ua, one.mean_ua, one.most_ua)
        table.add_row(one.lead_name, *(str(value) for value in row), f"{one.charge_nc / 1000:.3f}")
    return table
