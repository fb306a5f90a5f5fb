"""A span of the record as a file: CSV or VCD, as `stimbench check` and other programs read them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Analog, Edges
from stimbench.capture.csv_table import write_csv
from stimbench.capture.vcd import write_vcd
from stimbench.errors import InputError
from stimbench.web.record import Record

__all__ = ("Format", "captured_in", "of_captures", "write")

Format = Literal["csv", "vcd"]
_NOTHING = "There is nothing in this span to be saved."
_NS_PER_S = 1_000_000_000
_WRITERS = {"csv": write_csv, "vcd": write_vcd}


def captured_in(record: Record, from_ns: int, to_ns: int, signals: dict[str, Any]) -> Capture:
    """A span as a capture.

    Args:
        record: what the currents and voltages are taken from.
        from_ns: where it begins.
        to_ns: where it ends; cut to the record's end.
        signals: digital channels, by name the level before the first edge and the edges' times in ns.

    Raises:
        InputError: the span is empty, or lies beyond the record.
    """
    from_ns, to_ns = max(0, from_ns), min(to_ns, record.end_ns)
    if to_ns <= from_ns:
        raise InputError(_NOTHING)
    digital = {
        name: Edges(np.array(times, np.int64), bool(initial)) for name, (initial, times) in signals.items()
    }
    analog: dict[str, Analog] = {}
    for name, lead in record.leads.items():
        analog[f"I_{name.upper()}"] = lead.segments("current", from_ns, to_ns)
        analog[f"V_{name.upper()}"] = lead.voltages(from_ns, to_ns)
    capture = Capture(digital, analog, start_ns=from_ns, end_ns=to_ns, source="the bench")
    return capture.between(from_ns, to_ns)


def of_captures(record: Record, from_ns: int, to_ns: int) -> Capture:
    """A span of a wired bench's record. It lies within one capture: no file says what is not known.

    Args:
        record: with its captures of the last minutes.
        from_ns: where the span begins; cut to the capture.
        to_ns: where it ends; cut to the capture.

    Raises:
        InputError: no capture of the last minutes lies in it, or more than one.
    """
    found = [one for one in record.captures if one.end_ns > from_ns and one.begin_ns < to_ns]
    if not found:
        raise InputError(f"{_NOTHING} Captures of the last two minutes can be.")
    if len(found) > 1:
        gap = f"{found[0].end_ns / _NS_PER_S:.3f} s to {found[1].begin_ns / _NS_PER_S:.3f} s"
        raise InputError(f"Nothing was recorded from {gap}: choose a span within one capture.")
    one = found[0]
    from_ns, to_ns = max(from_ns, one.begin_ns), min(to_ns, one.end_ns)
    digital = {name: Edges(times, initial) for name, (initial, times) in one.digital.items()}
    analog: dict[str, Analog] = {}
    for name, lead in one.leads.items():
        if "current" in lead.lines:
            analog[f"I_{name.upper()}"] = record.leads[name].segments("current", from_ns, to_ns)
        if "voltage" in lead.lines:
            analog[f"V_{name.upper()}"] = record.leads[name].voltages(from_ns, to_ns)
    capture = Capture(digital, analog, start_ns=one.begin_ns, end_ns=one.end_ns, source=one.source)
    return capture.between(from_ns, to_ns)


def write(capture: Capture, kind: Format) -> Path:
    """Write a capture to a file of its own, which the caller removes."""
    with tempfile.NamedTemporaryFile(prefix="stimbench-", suffix=f".{kind}", delete=False) as file:
        path = Path(file.name)
    try:
        _WRITERS[kind](capture, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
