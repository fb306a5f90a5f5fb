"""`stimbench start` and `stimbench stop`."""

from __future__ import annotations

import typer
from stimfw.protocol import messages

from stimbench.cli.boards import OwnProgramOption, amplitudes_explained, own_program, set_program_on_bench
from stimbench.cli.common import BoardOption, JsonOption, RadioOption, as_words, err, opened, out, print_json
from stimbench.client.records import Status
from stimbench.errors import EXIT_CHECK_FAILED


def start(
    ctx: typer.Context,
    board: BoardOption = None,
    radio: RadioOption = None,
    changes: OwnProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a session with the programme that the stimulator holds. Ctrl-C before it says so turns it off.

    Without a radio the session lasts as long as this command, and Ctrl-C turns it off at any time. Then it
    exits 1 if something else ended the session: a magnet, a fault.
    """
    parsed = own_program(changes, board, radio)
    with opened(ctx, board, radio) as stimulator:
        set_program_on_bench(stimulator, parsed)
        with amplitudes_explained(board, radio), stimulator.stopped_if_it_fails(errors_too=False):
            stimulator.start()
        state = stimulator.status()
        attended = state.needs_host
        if attended:
            err.print(f"No radio ({state.radio}): the session ends with this command. Ctrl-C turns it off.")
            state = stimulator.attend()
    _report("Ended" if attended else "Started", state, as_json)
    if attended and state.stop_cause != messages.STOPPED_SESSION_OVER:
        raise typer.Exit(EXIT_CHECK_FAILED)


def stop(
    ctx: typer.Context, board: BoardOption = None, radio: RadioOption = None, as_json: JsonOption = False
) -> None:
    """Turn the output off. Stopping what is off is no error."""
    with opened(ctx, board, radio) as stimulator:
        stimulator.stop()
        state = stimulator.status()
    _report("Stopped", state, as_json)


def _report(done: str, state: Status, as_json: bool) -> None:
    if as_json:
        print_json(as_words(state))
    else:
        out.print(f"{done}: the stimulator is in the state '{state.state_name}'.")
