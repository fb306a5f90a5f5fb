"""What a person sees who stands before the bench: lights, sounds, leads, faults. Plain data for JSON."""

from __future__ import annotations

from typing import Any

from stimbench.bench import wiring
from stimbench.bench.engine import Bench
from stimbench.parts.electrodes import Electrode
from stimbench.parts.indicators import Led

__all__ = ("broken", "lights_of", "status_of")

_S = 1_000_000_000
_MOST_COLUMNS = 60
_LEAST_COLUMN_NS = 50_000_000


def status_of(bench: Bench) -> dict[str, Any]:
    """Boards, magnet, leads, the air, and what is broken; times in seconds of the bench's time."""
    stimulator, remote = bench.boards.get("stimulator"), bench.boards.get("remote")
    leads = wiring.leads(stimulator) if stimulator is not None and stimulator.parts else {}
    return {
        "time_s": bench.now_ns / _S,
        "boards": {
            name: {
                "power": board.powered,
                "hung": board.hung,
                "port_open": board.console.dtr,
                "lights": {lamp: led.on for lamp, led in wiring.lamps(board).items()},
            }
            for name, board in bench.boards.items()
        },
        "buttons": [name for name, one in wiring.buttons(remote).items() if one.closed]
        if remote is not None and remote.parts
        else [],
        "magnet": wiring.magnet_contact(stimulator).closed
        if stimulator is not None and stimulator.parts
        else False,
        "leads": {side: [condition(one, side) for one in lead.electrodes] for side, lead in leads.items()},
        "air": {"loss": bench.air.loss, "jammed": _jammed(bench)} if bench.air else None,
        "broken": broken(bench),
    }


def broken(bench: Bench) -> list[str]:
    """What is not as it should be, one text each: `left.2 open`."""
    found = [f"{name} hung" for name, board in bench.boards.items() if board.hung]
    stimulator = bench.boards.get("stimulator")
    if stimulator is not None and stimulator.parts:
        for side, lead in wiring.leads(stimulator).items():
            for electrode in lead.electrodes:
                state = condition(electrode, side)
                if state != "ok":
                    found.append(f"{side}.{electrode.index} {state}")
    for name, part in wiring.breakable(stimulator).items():
        if condition_of_part := part.condition():
            found.append(f"{name} {condition_of_part}")
    if bench.air and bench.air.loss:
        found.append(f"air loses {bench.air.loss:.0%} of all packets")
    if _jammed(bench):
        found.append(f"air jammed on {', '.join(_jammed(bench))}")
    return found


def condition(electrode: Electrode, side: str) -> str:
    """An electrode's state in words: `ok`, `open`, `loose`, `short to left.3`, `1000 ohm in series`."""
    states = []
    if electrode.is_loose:
        states.append("loose")
    elif electrode.is_open:
        states.append("open")
    states += [f"short to {side}.{other}" for other in sorted(electrode.touching)]
    if electrode.is_altered:
        states.append(f"{electrode.values.r_s_ohm:g} ohm in series")
    return ", ".join(states) or "ok"


def lights_of(bench: Bench, span_ns: int) -> dict[str, Any]:
    """What each light did in the last `span_ns`, and what the buzzer sounded.

    Returns:
        `from_s`, `to_s` (bench time); `lamps`: name, whether it is on, its changes as (time in s, on), and
        `drawn`, one character for each `column_s`, `#` where it was lit for most of it; `tones`.
    """
    end_ns = bench.now_ns
    start_ns = max(0, end_ns - span_ns)
    column_ns = max(_LEAST_COLUMN_NS, -(-(end_ns - start_ns) // _MOST_COLUMNS))
    leds = {
        f"{name} {lamp}": led
        for name, board in bench.boards.items()
        for lamp, led in wiring.lamps(board).items()
    }
    # Two lights that blink alike are some ms apart. With changes at the edges of columns they look alike too.
    latest_ns = max((time_ns for led in leds.values() for time_ns, _ in led.log[-1:]), default=0)
    start_ns += (latest_ns - start_ns) % column_ns
    lamps = [_lamp(name, led, start_ns, end_ns, column_ns) for name, led in leds.items()]
    sounded = [tone for board in bench.boards.values() for tone in wiring.tones(board)]
    return {
        "from_s": start_ns / _S,
        "to_s": end_ns / _S,
        "column_s": column_ns / _S,
        "lamps": lamps,
        "tones": [
            {"from_s": tone.start_ns / _S, "to_s": tone.end_ns / _S, "hz": round(tone.frequency_hz)}
            for tone in sounded
            if tone.end_ns >= start_ns
        ],
    }


def _lamp(name: str, led: Led, start_ns: int, end_ns: int, column_ns: int) -> dict[str, Any]:
    before = [on for time_ns, on in led.log if time_ns <= start_ns]
    changes = [(time_ns, on) for time_ns, on in led.log if start_ns < time_ns <= end_ns]
    first = before[-1] if before else (not changes[0][1] if changes else led.on)
    columns = []
    for at_ns in range(start_ns, end_ns, column_ns):
        span_ns = min(column_ns, end_ns - at_ns)
        columns.append("#" if _lit_ns(changes, first, at_ns, at_ns + span_ns) * 2 > span_ns else ".")
    return {
        "lamp": name,
        "on": led.on,
        "changes": [[time_ns / _S, on] for time_ns, on in changes],
        "drawn": "".join(columns),
    }


def _lit_ns(changes: list[tuple[int, bool]], first: bool, start_ns: int, end_ns: int) -> int:
    """How long it was lit between two times; `first` is its state before all changes."""
    lit_ns, on, since_ns = 0, first, start_ns
    for time_ns, becomes in changes:
        if time_ns >= end_ns:
            break
        if time_ns > start_ns:
            lit_ns += (time_ns - since_ns) * on
            since_ns = time_ns
        on = becomes
    return lit_ns + (end_ns - since_ns) * on


def _jammed(bench: Bench) -> list[str]:
    if bench.air is None:
        return []
    now = bench.air.jammed(bench.now_ns)
    return ["all channels"] if None in now else [f"channel {one}" for one in sorted({c for c in now if c})]
