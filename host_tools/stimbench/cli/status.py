"""`stimbench status`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from stimfw.protocol import messages
from stimfw.pulses.calibration_record import CODES, CURRENT_NA, CalibrationRecord, LeadCalibration
from stimfw.therapy.ranges import LEADS

from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    RadioOption,
    as_words,
    opened,
    out,
    print_json,
    services,
)
from stimbench.cli.pulses import as_data, measured_text
from stimbench.client.access_records import RemoteStatus
from stimbench.client.calibration import Calibration
from stimbench.client.records import Details, Identity, PulseSample, Status
from stimbench.client.stimulator import Stimulator
from stimbench.client.therapy_records import LedgerFigures
from stimbench.errors import EXIT_CHECK_FAILED, InputError, RefusedError

SelfTestOption = Annotated[
    bool,
    typer.Option("--self-test", help="Test DAC and switches first; the current crosses no electrode pair."),
]
_RemoteOption = Annotated[
    str | None,
    typer.Option("--remote", metavar="PORT", help="Show the remote on this port instead of a stimulator."),
]
_XipOption = Annotated[
    bool, typer.Option("--xip", help="Show the counters of the flash cache; over USB only.")
]
_XipClearOption = Annotated[bool, typer.Option("--xip-clear", help="As --xip, and set the counters to zero.")]
_CalibrationOption = Annotated[
    bool, typer.Option("--calibration", help="Show what the board was calibrated with; over USB only.")
]
_OFF_SHARE, _LEAST_OFF_UA = 0.1, 40
"""How far a measured current may be off before it is named: twice the error of pump and converter."""
_FLASH_PARTS = {"epochs", "pairings"}


def status(
    ctx: typer.Context,
    board: BoardOption = None,
    radio: RadioOption = None,
    remote: _RemoteOption = None,
    self_test: SelfTestOption = False,
    xip: _XipOption = False,
    xip_clear: _XipClearOption = False,
    calibration: _CalibrationOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the stimulator (or a remote) is, does and has counted. Exits 1 if its self-test failed."""
    if remote is not None:
        if self_test or xip or xip_clear or calibration or radio is not None:
            raise InputError(
                "--remote shows a remote on its own USB: "
                "without --self-test, --xip, --calibration and --radio."
            )
        _status_of_remote(ctx, remote, as_json)
        return
    with opened(ctx, board, radio) as stimulator:
        if self_test:
            stimulator.self_test()
        identity, state = stimulator.identity, stimulator.status()
        details, counters = stimulator.details(), stimulator.counters()
        newest = stimulator.pulses(count=len(LEADS))
        delivered = _delivered(stimulator)
        cache = stimulator.flash_cache(xip_clear) if xip or xip_clear else None
        calibrated = stimulator.calibration()
    if as_json:
        shown: dict[str, Any] = {
            "identity": asdict(identity),
            "status": as_words(state),
            "measured": [as_data(pulse) for pulse in newest],
            "details": asdict(details),
            "counters": counters,
            "calibration": calibrated.as_data() | (_calibration_data(calibrated) if calibration else {}),
        }
        if delivered:
            shown["delivered"] = [asdict(one) | {"lead": one.lead_name} for one in delivered]
        if cache:
            shown["flash_cache"] = {**asdict(cache), "misses": cache.misses, "saturated": cache.saturated}
        print_json(shown)
    else:
        out.print(_table(identity, state, details, newest, delivered, calibrated))
        for line in _differences(state, newest):
            out.print(line, soft_wrap=True)
        out.print(_counter_line(counters))
        if cache:
            out.print(f"[bold]Flash cache[/]  {cache}", soft_wrap=True)
        if calibration and calibrated.record:
            out.print(_calibration_table(calibrated.record))
    _exit_if_failed(state.failed_parts, as_json)


def _delivered(stimulator: Stimulator) -> tuple[LedgerFigures, ...]:
    """What an implant has delivered in its present or last session: DETAILS does not count it. Or nothing."""
    try:
        return stimulator.ledger()
    except RefusedError:
        return ()


def _status_of_remote(ctx: typer.Context, port: str, as_json: bool) -> None:
    with services(ctx).open_remote(port) as remote:
        identity, state, counters = remote.identity, remote.status(), remote.counters()
    if as_json:
        print_json({"identity": asdict(identity), "status": asdict(state), "counters": counters})
    else:
        out.print(_remote_table(identity, state))
        out.print(_counter_line(counters))
    _exit_if_failed(state.failed_parts, as_json)


def _exit_if_failed(failed_parts: tuple[str, ...], as_json: bool) -> None:
    if not failed_parts:
        return
    if not as_json and _FLASH_PARTS.intersection(failed_parts):
        out.print(
            "The records on its flash cannot be used, so there is no radio: see `stimbench records`.",
            soft_wrap=True,
        )
    raise typer.Exit(EXIT_CHECK_FAILED)


def _remote_table(identity: Identity, state: RemoteStatus) -> Table:
    rows = (
        ("Board", f"{identity.role}, firmware {identity.version} ({identity.build[:12]})"),
        ("State", "ready" if state.works else "fault"),
        ("Self-test", _self_test(state.failed_parts)),
        ("Pairing", "paired" if state.paired else "none"),
        ("Supply", f"{state.supply_mv / 1000:.2f} V"),
    )
    return _two_columns(rows)


def _self_test(failed_parts: tuple[str, ...]) -> str:
    return "failed: " + ", ".join(failed_parts) if failed_parts else "passed"


def _radio(state: Status) -> str:
    if not state.needs_host:
        return state.radio
    return f"{state.radio}; USB only, where what runs ends when the host is silent for 2 s"


def _differences(state: Status, newest: list[PulseSample]) -> list[str]:
    """A sentence for each lead on which another current was measured in the hold than is programmed."""
    if state.state != messages.HOLD:
        return []
    wrong = []
    for pulse in newest:
        wanted_ua = state.amplitude_ua[pulse.lead]
        if abs(pulse.current_ua - wanted_ua) > max(_LEAST_OFF_UA, wanted_ua * _OFF_SHARE):
            wrong.append(
                f"[bold red]{wanted_ua} uA are programmed on the {pulse.lead_name} lead, and "
                f"{pulse.current_ua} uA were measured[/]: `stimbench stop`, then `stimbench impedance`."
            )
    return wrong


def _table(
    identity: Identity,
    state: Status,
    details: Details,
    newest: list[PulseSample],
    delivered: tuple[LedgerFigures, ...],
    calibrated: Calibration,
) -> Table:
    left, right = [lead.pulses for lead in delivered] or [details.left_pulses, details.right_pulses]
    rows = (
        ("Board", f"{identity.role}, firmware {identity.version} ({identity.build[:12]})"),
        ("Calibration", str(calibrated)),
        ("State", state.state_name),
        ("Self-test", _self_test(state.failed_parts)),
        ("Radio", _radio(state)),
        ("Magnet", "present" if state.magnet else "none"),
        ("Pairing window", "open" if state.pairing_window else "closed"),
        ("Last stop", state.stop_name),
        ("Programmed now", f"left {state.amplitude_ua[0]} uA, right {state.amplitude_ua[1]} uA"),
        ("Last measured", measured_text(newest)),
        ("Session", f"{state.session_s} s so far"),
        ("Pulses", f"left {left}, right {right}; {details.cycles} cycles"),
        ("Supply", f"{state.supply_mv / 1000:.2f} V, {details.temperature_dc / 10:.1f} degrees C"),
        ("Up for", f"{details.uptime_ms / 1000:.1f} s, ready after {details.boot_us / 1000:.0f} ms"),
        ("Free memory", f"{details.heap_free} bytes"),
    )
    return _two_columns(rows)


def _calibration_data(calibrated: Calibration) -> dict[str, Any]:
    """For JSON: what the record holds of each lead."""
    if calibrated.record is None:
        return {"leads": None}
    leads = {
        name: {key: value for key, value in vars(lead).items() if key != "currents"}
        | {"currents_ua": _currents(lead)}
        for name, lead in zip(LEADS, calibrated.record.leads, strict=True)
    }
    return {"leads": leads, "resistor_ohm": calibrated.record.resistor_mohm / 1000}


def _currents(lead: LeadCalibration) -> dict[int, float]:
    """By DAC code, in uA."""
    return {code: now * CURRENT_NA / 1000 for code, now in zip(CODES, lead.currents, strict=True)}


def _calibration_table(record: CalibrationRecord) -> Table:
    table = Table(title=f"Calibrated with {record.resistor_mohm / 1000:g} ohm", title_justify="left")
    for name in ("", *LEADS):
        table.add_column(name, justify="right" if name else "left")
    rows: list[tuple[str, list[str]]] = [
        ("V, gain", [f"{lead.v_gain_ppm / 10_000 - 100:+.2f} %" for lead in record.leads]),
        ("V, offset", [f"{lead.v_offset_uv / 1000:+.1f} mV" for lead in record.leads]),
        ("I, gain", [f"{lead.i_gain_ppm / 10_000 - 100:+.2f} %" for lead in record.leads]),
        ("I, offset", [f"{lead.i_offset_na / 1000:+.1f} uA" for lead in record.leads]),
        ("two switches", [f"{lead.switches_mohm / 1000:.1f} ohm" for lead in record.leads]),
    ]
    currents = [_currents(lead) for lead in record.leads]
    rows += [(f"DAC code {code}", [f"{each[code]:.1f} uA" for each in currents]) for code in CODES]
    for name, cells in rows:
        table.add_row(name, *cells)
    return table


def _two_columns(rows: tuple[tuple[str, str], ...]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


def _counter_line(counters: dict[str, int]) -> str:
    counted = [f"{name.replace('_', ' ')} {value}" for name, value in counters.items() if value]
    return "[bold]Counted[/]      " + (", ".join(counted) if counted else "nothing")
