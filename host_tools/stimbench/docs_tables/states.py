"""The stimulator's states: a diagram of what leads from one to another, and the whole table."""

from __future__ import annotations

from stimfw.protocol.messages import READY, STATE_NAMES
from stimfw.therapy import machine

__all__ = ("table",)

_STATES = range(len(STATE_NAMES))
_GROUPS = {
    machine.SESSION: "a session",
    machine.ON: "a session or a measurement",
    machine.AT_REST: "ready or fault",
    machine.AT_REST | machine.SESSION: "all but a measurement",
}
_IDLE = "ready, or fault while a part has failed"


def table() -> str:
    """A Mermaid diagram and a Markdown table of machine.ROWS."""
    return f"```mermaid\n{_diagram()}\n```\n\n{_rows()}"


def _diagram() -> str:
    events: dict[tuple[str, str], list[str]] = {}
    for states, event, after, _ in machine.ROWS:
        for state in _in(states):
            if after != machine.SAME:
                to = "idle" if after == machine.IDLE else _id(after)
                events.setdefault((_id(state), to), []).append(machine.EVENT_NAMES[event])
    lines = ["stateDiagram-v2", "    state idle <<choice>>", "    [*] --> idle"]
    lines += [f"    {_id(state)}: {STATE_NAMES[state]}" for state in _STATES]
    lines += [f"    {came} --> {to}: {', '.join(names)}" for (came, to), names in events.items()]
    lines += [f"    idle --> {_id(READY)}: all parts work", "    idle --> fault: a part has failed"]
    return "\n".join(lines)


def _rows() -> str:
    lines = ["| in | event | then | what is done, in this order |", "|---|---|---|---|"]
    for states, event, after, effects in machine.ROWS:
        done = [name for bit, name in enumerate(machine.EFFECT_NAMES) if effects >> bit & 1]
        came = _GROUPS.get(states) or " or ".join(STATE_NAMES[state] for state in _in(states))
        to = {machine.SAME: "the same", machine.IDLE: _IDLE}.get(after) or STATE_NAMES[after]
        lines.append(f"| {came} | {machine.EVENT_NAMES[event]} | {to} | {', '.join(done) or 'nothing'} |")
    return "\n".join(lines)


def _in(states: int) -> list[int]:
    """The states of a set of bits."""
    return [state for state in _STATES if states >> state & 1]


def _id(state: int) -> str:
    return STATE_NAMES[state].split(" impedance")[0].replace(" ", "_")
