"""`stimbench calibrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from stimfw.pulses.calibration_record import SERIAL_BYTES, CalibrationError
from stimfw.therapy.ranges import LEADS

from stimbench.calibrate.board import Calibrated, calibrate
from stimbench.calibrate.meters import EmulatedMeter, Meter, TypedMeter, VisaMeter, meter_kind
from stimbench.cli.boards import BENCH
from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    confirm,
    connected,
    err,
    opened,
    out,
    print_json,
    services,
)
from stimbench.client.calibration import Calibration
from stimbench.client.stimulator import connect
from stimbench.devices.device import Device
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.serial_ports import find_port
from stimbench.errors import InputError

if TYPE_CHECKING:
    from stimbench.bench import Bench

_LEAST_OHM, _MOST_OHM = 100.0, 1000.0
"""10 mA must stay below the pump's 12.3 V, and 0.16 mA make more than a few counts of a meter."""

_MeterOption = Annotated[
    str | None,
    typer.Option(
        "--meter",
        metavar="METER",
        help="What reads the voltage: `typed` (you type it), `visa:RESOURCE` (a bench multimeter through "
        "PyVISA), or `emulated` (with --board bench). Default: typed; with --board bench, emulated.",
    ),
]
_ResistorOption = Annotated[
    float,
    typer.Option(
        "--resistor", metavar="OHM", help=f"What the resistor has, {_LEAST_OHM:g}-{_MOST_OHM:g} ohm, 0.1 %."
    ),
]
_SerialOption = Annotated[
    str | None,
    typer.Option(
        "--serial",
        metavar="NUMBER",
        help=f"The board's serial number, up to {SERIAL_BYTES} characters. Default: the chip's own.",
    ),
]
_LeadOption = Annotated[
    str, typer.Option("--lead", help="`left`, `right` or `both`; the other lead keeps what it has.")
]
_SeedOption = Annotated[int, typer.Option("--seed", help="With --board bench: of the bench and its meter.")]


def calibrate_(
    ctx: typer.Context,
    board: BoardOption = None,
    meter: _MeterOption = None,
    resistor: _ResistorOption = 500.0,
    serial: _SerialOption = None,
    lead: _LeadOption = "both",
    seed: _SeedOption = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, and store nothing.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Erase the calibration; the board goes by nominal factors.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --forget: do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Calibrate the stimulator's currents and measurements with a 0.1 % resistor and a meter. Over USB.

    Ctrl-C turns the output off and stores nothing. Resistors only, never electrodes.
    """
    if forget:
        _forget(ctx, board, yes)
        return
    leads = _leads(lead)
    if not _LEAST_OHM <= resistor <= _MOST_OHM:
        raise InputError(f"A resistor of {resistor:g} ohm does not fit: {_LEAST_OHM:g}-{_MOST_OHM:g} ohm.")
    kind, name = meter_kind(meter or ("emulated" if board == BENCH else "typed"))
    if kind == "emulated" and board != BENCH:
        raise InputError("--meter emulated belongs to --board bench: a wired board has a real meter.")
    with _device(board, seed) as (device, bench), err.status("Looking at the board") as spinner:

        def ask(question: str) -> str:
            spinner.stop()
            return _asked(question)

        reads = _meter(kind, name, bench, seed, resistor, ask)
        try:
            found = calibrate(
                device, reads, resistor,
                serial=serial or _own_serial(device), calibrated_s=int(services(ctx).now_s()),
                leads=leads, store=not dry_run, step=lambda text: spinner.update(f"Calibrating: {text}"),
            )  # fmt: skip
        except CalibrationError as error:
            raise InputError(f"No calibration can be kept with a {error}.") from error
    if as_json:
        print_json(_as_data(found))
    else:
        _show(found)


def _asked(question: str) -> str:
    """What the person types.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        InputError: the input is at its end.
    """
    try:
        typed: str = typer.prompt(question, default="", show_default=False, err=True)
        return typed
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise InputError("There are no more readings: the output is off, and nothing was stored.") from abort


def _leads(word: str) -> tuple[int, ...]:
    if word == "both":
        return (0, 1)
    if word not in LEADS:
        raise InputError(f"{word!r} is no lead: left, right or both.")
    return (LEADS.index(word),)


@contextmanager
def _device(board: str | None, seed: int) -> Iterator[tuple[Device, Bench | None]]:
    """The stimulator's device, open, its application found; the bench if it is an emulated one."""
    if board == BENCH:
        from stimbench.client.on_bench import build_bench
        from stimbench.devices.emulated_device import EmulatedDevice

        with build_bench(seed) as bench, EmulatedDevice(bench, "stimulator") as device:
            connect(device.console, first_number=0)
            yield device, bench
        return
    with SerialDevice(board or find_port()) as wired:
        connected(wired, connect, restart=False)
        yield wired, None


def _own_serial(device: Device) -> str:
    identity = device.identity
    if identity is None:
        raise InputError(
            f"{device.name} does not tell the chip's serial number: give the board one, --serial."
        )
    return identity.serial_number[:SERIAL_BYTES]


def _meter(kind: str, name: str, bench: Bench | None, seed: int, ohm: float, ask: Any) -> Meter:
    def tell(text: str) -> None:
        err.print(text, markup=False, soft_wrap=True)

    if kind == "emulated" and bench is not None:
        return EmulatedMeter(bench, seed, ohm)
    return VisaMeter(name, ask, tell) if kind == "visa" else TypedMeter(ask, tell)


def _forget(ctx: typer.Context, board: str | None, yes: bool) -> None:
    with opened(ctx, board, None) as stimulator:
        found = stimulator.calibration()
        if found.state == "none":
            out.print("The board has no calibration.")
            return
        confirm(f"The calibration ({found}) is erased.", yes, "erased")
        stimulator.forget_calibration()
    out.print("The calibration is erased; the board restarts and goes by nominal factors.")


def _as_data(found: Calibrated) -> dict[str, Any]:
    record = found.record
    return {
        "calibration": Calibration("calibrated", record).as_data()
        | {"resistor_ohm": record.resistor_mohm / 1000},
        "stored": found.stored,
        "leads": [
            {
                "lead": LEADS[one.lead],
                **{k: v for k, v in vars(one.calibration).items() if k != "currents"},
                "points": [asdict(point) for point in one.readings.points],
                "checks": [asdict(check) | {"allowed_ua": check.allowed_ua} for check in one.checks],
            }
            for one in found.leads
        ],
    }


def _show(found: Calibrated) -> None:
    for one in found.leads:
        table = Table(title=f"{LEADS[one.lead].capitalize()} lead", title_justify="left")
        for name in ("amplitude, uA", "before, uA", "error", "after, uA", "error"):
            table.add_column(name, justify="right")
        for check in one.checks:
            cells = [f"{ua:.1f}" for ua in (check.before_ua, check.after_ua)]
            errors = [
                f"{(ua / check.amplitude_ua - 1) * 100:+.2f} %" for ua in (check.before_ua, check.after_ua)
            ]
            table.add_row(str(check.amplitude_ua), cells[0], errors[0], cells[1], errors[1])
        out.print(table)
        each = one.calibration
        out.print(
            f"V {each.v_gain_ppm / 10_000 - 100:+.2f} %, I {each.i_gain_ppm / 10_000 - 100:+.2f} %, "
            f"two switches {each.switches_mohm / 1000:.1f} ohm",
            markup=False,
        )
    named = Calibration("calibrated", found.record)
    out.print(f"Stored: {named}." if found.stored else "Nothing was stored (--dry-run).", markup=False)
