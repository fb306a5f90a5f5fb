"""`stimbench start` and `stimbench stop`."""

from __future__ import annotations

import typer

from stimbench.cli.boards import OwnProgramOption, amplitudes_explained, own_program, set_program_on_bench
from stimbench.cli.common import BoardOption, JsonOption, RadioOption, as_words, opened, out, print_json
from stimbench.client.records import Status


def start(
    ctx: typer.Context,
    board: BoardOption = None,
    radio: RadioOption = None,
    changes: OwnProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a session with the programme that the stimulator holds. Ctrl-C before it says so turns it off."""
    parsed = own_program(changes, board, radio)
    with opened(ctx, board, radio) as stimulator:
        set_program_on_bench(stimulator, parsed)
        with amplitudes_explained(board, radio), stimulator.stopped_if_it_fails(errors_too=False):
            stimulator.start()
        state = stimulator.status()
    _report("Started", state, as_json)


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
