"""`stimbench amplitude`, `stimbench window` and `stimbench test`: what a clinician sets and tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
from stimfw.protocol import messages
from stimfw.therapy.ranges import AMPLITUDE_UA, ParameterError

from stimbench.cli.boards import OwnProgramOption, amplitudes_explained, own_program, set_program_on_bench
from stimbench.cli.common import (
    BoardOption,
    JsonOption,
    RadioOption,
    as_words,
    err,
    opened,
    out,
    print_json,
)
from stimbench.client import program_file
from stimbench.client.access_records import AmplitudeWindow
from stimbench.client.board import TimeLimit
from stimbench.client.records import Status
from stimbench.client.stimulator import Stimulator
from stimbench.errors import (
    EXIT_CHECK_FAILED,
    InputError,
    NoAnswerError,
    WrongStateError,
)

_MOST_TEST_S = 30
_POLL_S = 0.2
_MARGIN_S = 10.0
"""How much longer than its ramps and seconds a test may take before it counts as one that does not end."""
_ON = (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST)
_RANGE = AMPLITUDE_UA.text()


def amplitude(
    ctx: typer.Context,
    left_ua: Annotated[int, typer.Argument(metavar="LEFT", help=f"Of the left lead: {_RANGE}.")],
    right_ua: Annotated[int, typer.Argument(metavar="RIGHT", help=f"Of the right lead: {_RANGE}.")],
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set both leads' amplitudes in uA, also while the output is on; the rest of the programme stays."""
    _check_amplitudes(left=left_ua, right=right_ua)
    with opened(ctx, board, radio) as stimulator:
        _check_with_programme(stimulator, left_ua, right_ua)
        stimulator.amplitude(left_ua, right_ua)
        try:
            held = stimulator.program().amplitude_ua
        except WrongStateError:  # an implant has no programme: it took them as they are
            held = (left_ua, right_ua)
    if as_json:
        print_json({"left.amplitude_ua": held[0], "right.amplitude_ua": held[1]})
    else:
        out.print(f"Programmed: left {held[0]} uA, right {held[1]} uA.")


def window(
    ctx: typer.Context,
    limits: Annotated[
        list[int] | None,
        typer.Argument(metavar="[LEFT_MIN LEFT_MAX RIGHT_MIN RIGHT_MAX]", help=f"In uA, each {_RANGE}."),
    ] = None,
    close: Annotated[bool, typer.Option("--close", help="Let the patient choose no amplitude.")] = False,
    board: BoardOption = None,
    radio: RadioOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set the amplitudes that a patient may choose with the remote.

    The window is closed at first, and again after each start of the stimulator: then a patient can start and
    stop, and change no amplitude. A clinician's own amplitudes are not bound by it.
    """
    wanted = _wanted_window(limits or [], close)
    with opened(ctx, board, radio) as stimulator:
        if wanted:
            _check_with_programme(stimulator, wanted.left_max_ua, wanted.right_max_ua)
            stimulator.set_window(wanted)
        held = stimulator.window()
    if as_json:
        print_json(asdict(held) | {"open": held.is_open})
    elif held.is_open:
        out.print(
            f"A patient may choose {held.left_min_ua} to {held.left_max_ua} uA on the left lead, "
            f"{held.right_min_ua} to {held.right_max_ua} uA on the right."
        )
    else:
        out.print("The window is closed: a patient may choose no amplitude.")


def test(
    ctx: typer.Context,
    seconds: Annotated[
        int, typer.Argument(min=1, max=_MOST_TEST_S, help="How long the contraction is held, without ramps.")
    ],
    board: BoardOption = None,
    radio: RadioOption = None,
    changes: OwnProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stimulate once with the present programme: ramp up, hold, ramp down, then the output is off.

    Ctrl-C turns the output off. Exits 1 if something else ended the test early: a magnet, a stop, a fault.
    """
    parsed = own_program(changes, board, radio)
    with opened(ctx, board, radio) as stimulator, err.status("Stimulating") as spinner:
        set_program_on_bench(stimulator, parsed)
        programme = stimulator.program()
        program_file.changed(programme, {"on_ms": seconds * 1000}, f"The programme, held for {seconds} s,")
        ramps_s = (programme.ramp_up_ms + programme.ramp_down_ms) / 1000
        limit = stimulator.time_limit(seconds + ramps_s + _MARGIN_S)
        with amplitudes_explained(board, radio), stimulator.stopped_if_it_fails():
            stimulator.test_stimulation(seconds)
            ended = _await_end(stimulator, limit, lambda text: spinner.update(f"Stimulating: {text}"))
    if as_json:
        print_json(as_words(ended))
    else:
        out.print(f"The test is over, the output is off ({ended.stop_name}).")
    if ended.stop_cause != messages.STOPPED_SESSION_OVER:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _await_end(stimulator: Stimulator, limit: TimeLimit, tell: Callable[[str], None]) -> Status:
    while (status := stimulator.status()).state in _ON:
        if limit.is_over():
            raise NoAnswerError(
                f"The test did not end within {limit.limit_s:g} s; the output was told to stop."
            )
        tell(f"{limit.elapsed_s:.1f} s, {status.state_name}")
        stimulator.link.wait(_POLL_S)
    return status


def _wanted_window(limits: list[int], close: bool) -> AmplitudeWindow | None:
    if close:
        if limits:
            raise InputError("Either four limits, or --close.")
        return AmplitudeWindow()
    if not limits:
        return None
    if len(limits) != 4:
        raise InputError("Four limits are needed: LEFT_MIN LEFT_MAX RIGHT_MIN RIGHT_MAX, in uA.")
    wanted = AmplitudeWindow(*limits)
    _check_amplitudes(**{name.removesuffix("_ua"): value for name, value in asdict(wanted).items()})
    for lead, (low, high) in {"left": limits[:2], "right": limits[2:]}.items():
        if low > high:
            raise InputError(f"The {lead} lead's lowest amplitude {low} uA is above its highest {high} uA.")
    return wanted


def _check_with_programme(stimulator: Stimulator, left_ua: int, right_ua: int) -> None:
    """Raise ProgramError if the programme that the board holds cannot have these amplitudes; send nothing."""
    try:
        held = stimulator.program()
    except WrongStateError:  # an implant has none: its prescription is the limit
        return
    wanted = {"left.amplitude_ua": left_ua, "right.amplitude_ua": right_ua}
    program_file.changed(held, wanted, "The programme with these amplitudes")


def _check_amplitudes(**values: int) -> None:
    """Raise InputError for the first value that is not an amplitude, before anything is sent."""
    for name, value in values.items():
        try:
            AMPLITUDE_UA.check(value)
        except ParameterError as error:
            raise InputError(f"{name} = {value}: allowed is {error.allowed}.") from error
