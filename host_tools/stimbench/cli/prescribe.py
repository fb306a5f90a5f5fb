"""`stimbench program prescribe | prescription | compare | history`, and `program check` of a prescription."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from stimfw.protocol import messages
from stimfw.therapy import prescription, rules
from stimfw.therapy.prescription import FIELD_NAMES, Prescription
from stimfw.therapy.ranges import LEADS
from stimfw.therapy.rules import Readings

from stimbench.cli.common import BoardOption, JsonOption, RadioOption, err, opened, out, print_json
from stimbench.client import prescription_file, program_file
from stimbench.client.prescription_rules import Finding, highest, judge, readings_of, utc
from stimbench.client.records import PairImpedance
from stimbench.client.stimulator import Stimulator
from stimbench.client.therapy_records import Accepted, KeptPrescription, rule_name
from stimbench.errors import EXIT_CHECK_FAILED, InputError, ProtocolError, RefusedError
from stimbench.toml_text import read_text

__all__ = ("check_prescription", "compare", "history", "prescribe", "show")

_WITHOUT_A_BOARD = Readings(is_known=False)
_NOT_JUDGED = (rules.MEASURED, rules.CONTACT, rules.COMPLIANCE, rules.NET_DC)
_KEPT = 4
_MOST_BYTES = 1_000_000

_FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE.toml", help="A prescription, as `program prescription --toml` prints it."),
]
_ChangesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Change one field: left.amplitude_ua=3000. May be repeated."
    ),
]


def prescribe(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE.toml", help="A whole prescription.")] = None,
    changes: _ChangesOption = None,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an implanted stimulator a prescription: a file, changes to a file, or to what the board keeps.

    It is kept whole or refused whole, with every rule that it fails. An amplitude that the measured impedance
    does not allow is clamped, and the rule is said: then it exits 1.
    """
    if file is None and not changes:
        raise InputError("Nothing to prescribe: give a FILE.toml, or --set FIELD=VALUE.")
    parsed = program_file.parse_changes(changes or ())
    written = prescription_file.changed(prescription_file.read(file), parsed) if file else None
    if written:
        # Before the board is opened: a bad file is reported even without a board.
        written.prescription(str(file), _WITHOUT_A_BOARD)
    with opened(ctx, board, radio) as stimulator:
        if written is None:
            kept = _required(stimulator.prescription())
            written = prescription_file.parse(prescription_file.to_toml(kept.prescription), "the board")
            written = prescription_file.changed(written, parsed)
        wanted = written.prescription("The changed prescription", _WITHOUT_A_BOARD)
        told = stimulator.set_prescription(wanted.values)
        if told.failed:
            raise RefusedError(_refusal(stimulator, wanted, told), messages.OK)
        held = _required(stimulator.prescription())
    _require_same(wanted, held, told)
    _print_kept(held, wanted, told, as_json)
    if any(told.clamped_by):
        raise typer.Exit(EXIT_CHECK_FAILED)


def show(
    ctx: typer.Context,
    board: BoardOption = None,
    radio: RadioOption = None,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print TOML, as `program prescribe` reads it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the prescription that an implanted stimulator keeps. Exits 1 if it has none."""
    with opened(ctx, board, radio) as stimulator:
        kept = stimulator.prescription()
    if kept is None:
        if as_json:
            print_json(None)
        else:
            err.print("The stimulator has no prescription.")
        raise typer.Exit(EXIT_CHECK_FAILED)
    if toml:
        typer.echo(prescription_file.to_toml(kept.prescription), nl=False)
    elif as_json:
        print_json(_as_data(kept))
    else:
        out.print(_table(kept))


def compare(
    ctx: typer.Context,
    file: _FileArgument,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a prescription with what an implanted stimulator keeps. Exits 1 if a field differs."""
    wanted = prescription_file.read(file).prescription(str(file), _WITHOUT_A_BOARD)
    with opened(ctx, board, radio) as stimulator:
        kept = _required(stimulator.prescription())
    if not wanted.activation_s:  # when the healing time is over: the board has put in when that is
        wanted = wanted.replaced({"activation_s": kept.prescription.activation_s})
    differing = _differences(wanted.values, kept.prescription.values)
    if as_json:
        rows = [{"field": name, "file": mine, "board": theirs} for name, mine, theirs in differing]
        print_json({"version": kept.version, "same": not rows, "differences": rows})
    elif differing:
        table = Table(title=f"{file} and version {kept.version} on the board", title_justify="left")
        for column in ("field", "file", "board"):
            table.add_column(column, justify="left" if column == "field" else "right")
        for name, mine, theirs in differing:
            table.add_row(name, str(mine), str(theirs))
        out.print(table)
    else:
        out.print(f"{file} is what the board keeps as version {kept.version}.", markup=False, soft_wrap=True)
    if differing:
        raise typer.Exit(EXIT_CHECK_FAILED)


def history(
    ctx: typer.Context, board: BoardOption = None, radio: RadioOption = None, as_json: JsonOption = False
) -> None:
    """Show the prescriptions that an implanted stimulator has: the present one and up to three former ones.

    Each with who gave it, when, and what it changed.
    """
    with opened(ctx, board, radio) as stimulator:
        kept = []
        for back in range(_KEPT):
            one = stimulator.prescription_history(back)
            if one is None:
                break
            kept.append(one)
    if as_json:
        print_json([_as_data(one) for one in kept])
        return
    if not kept:
        out.print("The stimulator has no prescription.")
        return
    table = Table(title="Prescriptions, the present one first", title_justify="left")
    table.add_column("version", justify="right")
    for column in ("given by", "at", "what it changed"):
        table.add_column(column)
    for at, one in enumerate(kept):
        before = kept[at + 1].prescription.values if at + 1 < len(kept) else None
        changed = _changes(before, one.prescription.values) if before else _oldest(one.version)
        table.add_row(
            str(one.version), one.sender_name, utc(one.set_s) if one.set_s else "not known", changed
        )
    out.print(table)


def check_prescription(
    ctx: typer.Context,
    file: Path,
    impedance: Path | None,
    board: str | None,
    radio: str | None,
    as_json: bool,
) -> None:
    """Say every rule that a prescription fails, and the highest amplitudes; exits 2 if it fails one."""
    written = prescription_file.read(file)
    readings = _WITHOUT_A_BOARD
    if impedance is not None:
        readings = readings_of(_impedances(impedance))
    elif board is not None or radio is not None:
        with opened(ctx, board, radio) as stimulator:
            readings = readings_of(_measured(stimulator))
    found = written.findings(readings)
    allowed = [] if found else highest(Prescription(written.values), readings)
    if as_json:
        print_json(_checked_data(written, found, allowed, readings))
    if found:
        raise prescription_file.PrescriptionError(str(file), found)
    if as_json:
        return
    out.print(f"{file} fails no rule that can be judged here.", markup=False, soft_wrap=True)
    for lead, ua, rule in allowed:
        why = f" ({rule})" if rule else ""
        out.print(f"The highest amplitude of the {LEADS[lead]} lead is {ua} uA{why}.")
    _, clamps = rules.accepted(written.values, readings) if readings.is_known else (None, [])
    for lead, asked, ua, rule_number in clamps:
        out.print(f"[yellow]{_clamp_text(lead, asked, ua, rule_number)}[/]")
    if not readings.is_known:
        names = ", ".join(rule_name(rule) for rule in _NOT_JUDGED)
        out.print(
            f"Not judged without measured impedances (--impedance or --board): {names}.", soft_wrap=True
        )


def _checked_data(
    written: prescription_file.Written,
    found: list[Finding],
    allowed: list[tuple[int, int, str]],
    readings: Readings,
) -> dict[str, Any]:
    return {
        "valid": not found,
        "prescription": dict(zip(FIELD_NAMES, written.values, strict=True)),
        "failed": [asdict(finding) for finding in found],
        "highest": [{"lead": LEADS[lead], "amplitude_ua": ua, "rule": rule} for lead, ua, rule in allowed],
        "not_judged": [] if readings.is_known else [rule_name(rule) for rule in _NOT_JUDGED],
    }


def _impedances(file: Path) -> list[PairImpedance]:
    """What `stimbench impedance --json` printed."""
    text = read_text(file, "a list of impedances", _MOST_BYTES)
    try:
        return [
            PairImpedance(
                LEADS.index(row["lead"]),
                int(row["cathode"]),
                int(row["anode"]),
                messages.KIND_NAMES.index(row["kind"]),
                int(row["ohm"]),
                int(row["capacitance_nf"]),
                int(row["test_ua"]),
            )
            for row in json.loads(text)
        ]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{file} is not what `stimbench impedance --json` prints ({error}).") from error


def _measured(stimulator: Stimulator) -> list[PairImpedance]:
    return [pair for lead in range(len(LEADS)) for pair in stimulator.impedance_results(lead)]


def _required(kept: KeptPrescription | None) -> KeptPrescription:
    if kept is None:
        raise InputError("The stimulator has no prescription: give a whole one, FILE.toml.")
    return kept


def _refusal(stimulator: Stimulator, wanted: Prescription, told: Accepted) -> str:
    """Every rule that the board named, explained by its impedances as far as this host can."""
    found = [
        one for one in judge(wanted.values, readings_of(_measured(stimulator))) if one.rule in told.failed
    ]
    explained = {one.rule for one in found}
    lines = [str(one) for one in found]
    texts = {number: text for number, _, text in rules.RULES}
    for rule in told.failed:
        if rule not in explained:
            lines.append(f"rule {rule} ({rule_name(rule)}): {texts.get(rule, 'this host does not know it')}")
    return "The board refused the prescription, and keeps the one that it had:\n" + "\n".join(
        f"  {line}" for line in lines
    )


def _require_same(wanted: Prescription, held: KeptPrescription, told: Accepted) -> None:
    """What the board keeps is what was sent, but for what it said that it clamped, and its activation."""
    expected = list(wanted.values)
    for lead in range(len(LEADS)):
        if told.clamped_by[lead]:
            for field in (prescription.AMPLITUDE, prescription.MOST):
                at = prescription.lead_index(lead, field)
                expected[at] = min(expected[at], told.allowed_ua[lead])
    if not wanted.activation_s:
        expected[prescription.ACTIVATION] = held.prescription.activation_s
    if held.version != told.version or tuple(expected) != held.prescription.values:
        raise ProtocolError("The board keeps another prescription than the one that was sent.")


def _print_kept(held: KeptPrescription, wanted: Prescription, told: Accepted, as_json: bool) -> None:
    if as_json:
        clamps = [
            {
                "lead": LEADS[lead],
                "allowed_ua": told.allowed_ua[lead],
                "rule": rule_name(told.clamped_by[lead]),
            }
            for lead in range(len(LEADS))
            if told.clamped_by[lead]
        ]
        print_json(_as_data(held) | {"allowed_ua": list(told.allowed_ua), "clamped": clamps})
        return
    activation = utc(held.prescription.activation_s) if held.prescription.activation_s else "not set"
    out.print(f"Kept as version {held.version}. The first session may begin at {activation}.")
    for lead, name in enumerate(LEADS):
        if told.clamped_by[lead]:
            asked = max(wanted.amplitude_ua[lead], wanted.most_ua[lead])
            text = _clamp_text(lead, asked, told.allowed_ua[lead], told.clamped_by[lead])
            err.print(f"[yellow]{text}[/]", soft_wrap=True)
        else:
            out.print(f"The highest amplitude of the {name} lead is {told.allowed_ua[lead]} uA.")


def _clamp_text(lead: int, asked_ua: int, allowed_ua: int, rule: int) -> str:
    return f"The {LEADS[lead]} lead is clamped from {asked_ua} to {allowed_ua} uA: {rule_name(rule)}."


def _differences(mine: Sequence[int], theirs: Sequence[int]) -> list[tuple[str, int, int]]:
    return [(name, a, b) for name, a, b in zip(FIELD_NAMES, mine, theirs, strict=True) if a != b]


def _changes(before: Sequence[int], after: Sequence[int]) -> str:
    told = [f"{name} {old} -> {new}" for name, old, new in _differences(before, after)]
    return ", ".join(told) if told else "nothing"


def _oldest(version: int) -> str:
    return "the first one" if version == 1 else "not known any more"


def _as_data(kept: KeptPrescription) -> dict[str, Any]:
    return {
        "version": kept.version,
        "sender": kept.sender_name,
        "set_s": kept.set_s,
        "prescription": kept.prescription.as_dict(),
    }


def _table(kept: KeptPrescription) -> Table:
    given = f" at {utc(kept.set_s)}" if kept.set_s else ""
    table = Table(
        title=f"Prescription {kept.version}, given by {kept.sender_name}{given}", title_justify="left"
    )
    table.add_column("field", style="bold")
    table.add_column("value", justify="right")
    table.add_column("allowed", style="dim")
    ends = ("contact_s", "left.most_ua", "right.most_ua")
    for name, value in kept.prescription.as_dict().items():
        shown = utc(value) if name == "activation_s" and value else str(value)
        table.add_row(name, shown, prescription.range_of(name).text(), end_section=name in ends)
    return table
