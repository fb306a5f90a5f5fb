"""`stimbench bench press | magnet | break ...`: the hands at a bench that `stimbench bench up` runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.table import Table

from stimbench.bench.actions import ACTIONS, ActionError
from stimbench.cli.common import JsonOption, out, print_json, services
from stimbench.errors import InputError

__all__ = ("add_to",)

_BenchOption = Annotated[
    str | None,
    typer.Option(
        "--bench",
        envvar="STIMBENCH_BENCH",
        metavar="NAME",
        help="Which bench, if several run: see `bench up`.",
    ),
]


def _help(action: str, argument: str) -> str:
    return ACTIONS[action].text(argument)


def _do(
    ctx: typer.Context, action: str, bench: str | None, as_json: bool, **arguments: Any
) -> dict[str, Any]:
    """Do it on the bench that is meant; the result, which is told already unless it has no sentence."""
    try:
        ACTIONS[action].parse(arguments)  # what was typed wrong is said whether or not a bench runs
        result = services(ctx).find_bench(bench).do(action, **arguments)
    except ActionError as error:
        raise InputError(str(error)) from error
    if as_json:
        print_json(result)
    elif result["told"]:
        out.print(f"{result['told']} ({result['time_s']:.3f} s)", markup=False, soft_wrap=True)
    return result


def press(
    ctx: typer.Context,
    button: Annotated[str, typer.Argument(metavar="START|STOP|STATUS", help=_help("press", "button"))],
    hold_ms: Annotated[float, typer.Option("--hold", metavar="MS", help=_help("press", "hold_ms"))] = 100.0,
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "press", bench, as_json, button=button.upper(), hold_ms=hold_ms)


def magnet(
    ctx: typer.Context,
    state: Annotated[str, typer.Argument(metavar="on|off", help=_help("magnet", "state"))],
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "magnet", bench, as_json, state=state)


def break_(
    ctx: typer.Context,
    part: Annotated[str, typer.Argument(metavar="PART", help=_help("break", "part"))],
    fault: Annotated[str, typer.Argument(metavar="FAULT", help=_help("break", "fault"))],
    value: Annotated[str | None, typer.Argument(metavar="VALUE", help=_help("break", "value"))] = None,
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "break", bench, as_json, part=part, fault=fault, value=value)


def mend(
    ctx: typer.Context,
    part: Annotated[str, typer.Argument(metavar="PART", help=_help("mend", "part"))] = "all",
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "mend", bench, as_json, part=part)


def jam(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL|off", help=_help("jam", "channel"))] = "all",
    for_s: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", help=_help("jam", "for_s"))
    ] = None,
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "jam", bench, as_json, channel=int(channel) if channel.isdecimal() else channel, for_s=for_s)


def power(
    ctx: typer.Context,
    state: Annotated[str, typer.Argument(metavar="on|off", help=_help("power", "state"))],
    board: Annotated[str, typer.Argument(metavar="BOARD", help=_help("power", "board"))],
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "power", bench, as_json, state=state, board=board)


def speed(
    ctx: typer.Context,
    speed_: Annotated[str, typer.Argument(metavar="SPEED", help=_help("speed", "speed"))],
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "speed", bench, as_json, speed=speed_)


def wait(
    ctx: typer.Context,
    seconds: Annotated[float, typer.Argument(metavar="SECONDS", help=_help("wait", "seconds"))],
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    _do(ctx, "wait", bench, as_json, seconds=seconds)


def lights(
    ctx: typer.Context,
    last_s: Annotated[float, typer.Option("--last", metavar="SECONDS", help=_help("lights", "last_s"))] = 3.0,
    bench: _BenchOption = None,
    as_json: JsonOption = False,
) -> None:
    seen = _do(ctx, "lights", bench, as_json, last_s=last_s)
    if as_json:
        return
    width = max(len(lamp["lamp"]) for lamp in seen["lamps"])
    for lamp in seen["lamps"]:
        out.print(f"{lamp['lamp']:<{width}}  {lamp['drawn']}", markup=False, soft_wrap=True)
    for tone in seen["tones"]:
        span_s = tone["to_s"] - tone["from_s"]
        out.print(f"a tone of {tone['hz']} Hz at {tone['from_s']:.2f} s, for {span_s:.2f} s")
    out.print(
        f"From {seen['from_s']:.2f} s to {seen['to_s']:.2f} s of the bench's time; "
        f"each column is {seen['column_s'] * 1000:.0f} ms, # is lit.",
        soft_wrap=True,
    )


def status(ctx: typer.Context, bench: _BenchOption = None, as_json: JsonOption = False) -> None:
    seen = _do(ctx, "status", bench, as_json)
    if not as_json:
        out.print(_table(seen))


def _table(seen: dict[str, Any]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("Bench", f"{seen['bench']}, at {seen['time_s']:.3f} s of its time")
    wanted = "as fast as it can" if seen["speed"] is None else f"{seen['speed']:g}x"
    measured = seen["measured_speed"]
    table.add_row("Speed", wanted + (f", measured {measured:.2g}x" if measured is not None else ""))
    for name, board in seen["boards"].items():
        table.add_row(name.capitalize(), _board(board, seen["ports"][name], seen["links"].get(name)))
    table.add_row("Magnet", "at the stimulator" if seen["magnet"] else "away")
    table.add_row("Buttons", ", ".join(f"{name} is down" for name in seen["buttons"]) or "none is down")
    for side, states in seen["leads"].items():
        told = ", ".join(f"{index} {state}" for index, state in enumerate(states) if state != "ok")
        table.add_row(f"{side.capitalize()} lead", told or "all four electrodes ok")
    table.add_row("Broken", ", ".join(seen["broken"]) or "nothing")
    return table


def _board(board: dict[str, Any], port: str, link: str | None) -> str:
    if not board["power"]:
        state = "no power"
    elif board["hung"]:
        state = "hung"
    else:
        state = "on"
    lit = [lamp for lamp, on in board["lights"].items() if on]
    return (
        f"{state}, {port}"
        + (f" ({link})" if link else "")
        + (", in use" if board["port_open"] else "")
        + (f", lit: {', '.join(lit)}" if lit else "")
    )


_COMMANDS: dict[str, Callable[..., None]] = {
    "press": press, "magnet": magnet, "break": break_, "mend": mend, "jam": jam, "power": power,
    "speed": speed, "wait": wait, "lights": lights, "status": status,
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add a command for each action of the table, with the table's help."""
    where = "On a bench that `stimbench bench up` runs."
    for name, action in ACTIONS.items():
        app.command(name, help=f"{action.summary} {where}")(_COMMANDS[name])
