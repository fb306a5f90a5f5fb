"""The stimulator's states: a diagram of what leads from one to another, and the whole table."""

from __future__ import annotations

import textwrap

from stimfw.protocol.messages import READY, STATE_NAMES
from stimfw.therapy import machine

__all__ = ("table",)

_WIDEST_LINE = 116
_STATES = range(len(STATE_NAMES))
_GROUPS = {
    machine.CONTRACTING: "a contraction",
    machine.SESSION: "a session",
    machine.ON: "whatever runs",
    machine.AWAKE: "awake at rest",
    machine.AT_REST: "at rest",
    machine.AT_REST | machine.SESSION: "all but a measurement and a train",
}
"""Sets of states that have a name: a node of the diagram each, and explained below the table."""
_IDLE = "the state at rest that the conditions give"


def table() -> str:
    """A Mermaid diagram, a Markdown table of machine.ROWS, what its groups are, and the conditions."""
    return f"```mermaid\n{_diagram()}\n```\n\n{_rows()}\n\n{_groups()}"


def _diagram() -> str:
    events: dict[tuple[str, str], list[str]] = {}
    for states, event, after, _ in machine.ROWS:
        if after == machine.SAME:
            continue
        to = "idle" if after == machine.IDLE else _id(STATE_NAMES[after])
        for came in _nodes(states):
            events.setdefault((_id(came), to), []).append(machine.EVENT_NAMES[event])
    lines = ["stateDiagram-v2", "    state idle <<choice>>", "    [*] --> idle"]
    names = [*(STATE_NAMES[state] for state in _STATES), *_GROUPS.values()]
    drawn = {_id(STATE_NAMES[state]) for state in _STATES} | {came for came, _ in events}
    lines += [f"    {_id(name)}: {name}" for name in names if _id(name) in drawn]
    lines += [f"    {came} --> {to}: {', '.join(names)}" for (came, to), names in events.items()]
    lines += [f"    idle --> {_id(STATE_NAMES[state])}: {_condition(bit)}" for bit, state in machine.RESTS]
    return "\n".join([*lines, f"    idle --> {_id(STATE_NAMES[READY])}: no condition holds"])


def _rows() -> str:
    lines = ["| in | event | then | what is done, in this order |", "|---|---|---|---|"]
    for states, event, after, effects in machine.ROWS:
        done = [name for bit, name in enumerate(machine.EFFECT_NAMES) if effects >> bit & 1]
        to = {machine.SAME: "the same", machine.IDLE: _IDLE}.get(after) or STATE_NAMES[after]
        came = " or ".join(_nodes(states))
        lines.append(f"| {came} | {machine.EVENT_NAMES[event]} | {to} | {', '.join(done) or 'nothing'} |")
    return "\n".join(lines)


def _groups() -> str:
    lines = [
        f"- *{name}*: {', '.join(STATE_NAMES[state] for state in _in(states))}"
        for states, name in _GROUPS.items()
        if name != _GROUPS[machine.AT_REST | machine.SESSION]
    ]
    order = ", ".join(f"{STATE_NAMES[state]} ({_condition(bit)})" for bit, state in machine.RESTS)
    lines.append(f"- *{_IDLE}*: the first of these whose condition holds, or ready: {order}")
    return "\n".join(textwrap.fill(line, _WIDEST_LINE, subsequent_indent="  ") for line in lines)


def _condition(bit: int) -> str:
    """What a CONDITION_... bit is called."""
    if bit == machine.CONDITION_FAULT:
        return "a part has failed, or a fault is not cleared"
    return machine.CONDITION_NAMES[bit.bit_length() - 1]


def _nodes(states: int) -> list[str]:
    """What a set of states is called: its group's name, or each state's."""
    return [_GROUPS[states]] if states in _GROUPS else [STATE_NAMES[state] for state in _in(states)]


def _in(states: int) -> list[int]:
    """The states of a set of bits."""
    return [state for state in _STATES if states >> state & 1]


def _id(name: str) -> str:
    return name.split(" impedance")[0].replace(" ", "_")
