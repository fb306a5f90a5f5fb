"""The view "boards": the stimulator and the remote as they stand on the table.

A button is held for as long as the person holds it. It is let go by itself after `LONGEST_HOLD_NS`: the page
may have gone meanwhile.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from pydantic import Field

from stimbench.bench import view, wiring
from stimbench.bench.actions import ActionError, Arguments
from stimbench.parts.indicators import Led, Tone
from stimbench.parts.wiring import RemoteParts, StimulatorParts
from stimbench.web.needs import Need
from stimbench.web.table import Stand, View, WebAction

__all__ = ("LEAST_HOLD_NS", "LONGEST_HOLD_NS", "VIEW")

_NAME = "boards"
_SHOWN_NS = 2_000_000_000
"""A page that got nothing for so long shows lights as they are, without what they did meanwhile."""
_MOST_TONES = 12
LEAST_HOLD_NS = 100_000_000
"""A finger is not faster, however fast or slow the bench's time passes."""
LONGEST_HOLD_NS = 10_000_000_000


class Button(Arguments):
    """A button."""

    button: Literal["START", "STOP", "STATUS"] = Field(description="Of the remote.")


def _state(stand: Stand) -> dict[str, Any]:
    if stand.lacks(Need.HANDS):
        return {}  # what a board tells of itself is in the state of the whole
    bench = stand.bench
    found = view.status_of(bench)
    since_ns = bench.now_ns - _SHOWN_NS
    boards = bench.boards
    tones = [tone for board in boards.values() for tone in wiring.tones(board)[-_MOST_TONES:]]
    return {
        **{name: found[name] for name in ("boards", "buttons", "magnet")},
        "changes": {
            f"{name} {lamp}": _changes(led, since_ns)
            for name, board in boards.items()
            for lamp, led in wiring.lamps(board).items()
        },
        "tones": [_told(tone) for tone in tones],
        "supply_v": {name: _supply_v(board.parts) for name, board in boards.items() if board.powered},
    }


def _changes(led: Led, since_ns: int) -> list[tuple[int, bool]]:
    """The newest changes; the log goes back to the run's begin."""
    found = []
    for time_ns, on in reversed(led.log):
        if time_ns < since_ns:
            break
        found.append((time_ns, on))
    return found[::-1]


def _told(tone: Tone) -> tuple[int, int, int]:
    return tone.start_ns, tone.end_ns, round(tone.frequency_hz)


def _supply_v(parts: Any) -> float | None:
    return round(parts.supply.vsys_v, 3) if isinstance(parts, StimulatorParts | RemoteParts) else None


def _hold(stand: Stand, given: Button) -> dict[str, Any]:
    remote = stand.bench.board("remote")
    contact = wiring.buttons(remote)[given.button]
    if contact.closed:
        raise ActionError(f"{given.button} is held down already.")
    contact.close()
    now_ns = stand.now_ns
    stand.memory.setdefault(_NAME, {})[given.button] = now_ns
    stand.bench.at(now_ns + LONGEST_HOLD_NS, partial(_let_go, stand, given.button, now_ns))
    told = f"{given.button} is held down."
    if not remote.powered:
        told += " The remote has no power, so nothing comes of it."
    return {"told": told}


def _release(stand: Stand, given: Button) -> dict[str, Any]:
    now_ns = stand.now_ns
    begun_ns = stand.memory.get(_NAME, {}).get(given.button)
    if begun_ns is None:
        return {"told": f"{given.button} was let go already."}
    if now_ns - begun_ns < LEAST_HOLD_NS:
        stand.bench.at(begun_ns + LEAST_HOLD_NS, partial(_let_go, stand, given.button, begun_ns))
    else:
        _let_go(stand, given.button, begun_ns)
    return {"told": f"{given.button} was pressed."}


def _let_go(stand: Stand, button: str, begun_ns: int) -> None:
    """Let go, unless it was let go meanwhile and is held anew."""
    held = stand.memory[_NAME]
    if held.get(button) == begun_ns:
        del held[button]
        wiring.buttons(stand.bench.board("remote"))[button].open()


VIEW = View(
    _NAME,
    _state,
    (
        WebAction(
            "boards-hold", Button, "Press one of the remote's buttons, and hold it.", _hold, needs=Need.HANDS
        ),
        WebAction(
            "boards-release", Button, "Let go of one of the remote's buttons.", _release, needs=Need.HANDS
        ),
    ),
)
