"""The faults that the watch finds, as the board's own table has them."""

from __future__ import annotations

from stimfw.therapy import watch_table

__all__ = ("table",)


def table() -> str:
    """A Markdown table of watch_table.TABLE."""
    lines = ["| | fault | of | found when | pulses | then | for the person |", "|---" * 7 + "|"]
    for number, name, side, threshold, pulses, action, meaning in watch_table.TABLE[1:]:
        in_a_row = str(pulses) if pulses else "-"
        done = watch_table.ACTION_NAMES[action]
        lines.append(f"| {number} | {name} | {side} | {threshold} | {in_a_row} | {done} | {meaning} |")
    return "\n".join(lines)
