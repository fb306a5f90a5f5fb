"""Cases: one programme, one load, one fault, one seed; and how a matrix becomes many of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from stimfw.therapy import program as programs
from stimfw.therapy.program import SHARED, Program
from stimfw.therapy.ranges import AMPLITUDE_UA, LEADS, ParameterError, Range

from stimbench.checks.faults import NO_FAULT, Fault, parse_fault
from stimbench.checks.limits import Limits

__all__ = ("AXES", "Case", "Load", "cases_of")

_PAIR = re.compile(r"([0-3])-([0-3])")
_FAULT_AT_MS = 700
"""In the hold of a contraction with short ramps."""


@dataclass(frozen=True)
class Load:
    """What stands for the tissue: resistors, or saline."""

    name: str = "500 ohm"
    resistance_ohm: float = 500.0
    double_layer_uf: float = 5.0
    charge_transfer_ohm: float = 100e3


@dataclass(frozen=True)
class Case:
    """One thing to check.

    Attributes:
        name: matrix and values: `amplitudes/amplitude_ua=500,pair=1-2`.
        matrix: the part before the slash.
        parameters: the values that differ within the matrix, as text.
        program: what the stimulator is asked for.
        limits: what is allowed.
        load: between the electrodes.
        fault: what is broken.
        seed: of the bench.
        fault_at_ms: when a fault in the session comes, after the self-test that a session begins with.
        cycles: contractions that are recorded whole.
        impedance: whether the impedance is measured before the session.
    """

    name: str
    matrix: str
    parameters: Mapping[str, str]
    program: Program
    limits: Limits
    load: Load = Load()
    fault: Fault = NO_FAULT
    seed: int = 1
    fault_at_ms: int = _FAULT_AT_MS
    cycles: int = 1
    impedance: bool = False

    def as_payload(self) -> dict[str, Any]:
        """As JSON, for another process; `from_payload` reads it back."""
        return {
            "name": self.name,
            "matrix": self.matrix,
            "parameters": dict(self.parameters),
            "program": list(self.program.values),
            "limits": self.limits.model_dump(),
            "load": asdict(self.load),
            "fault": self.fault.text,
            "seed": self.seed,
            "fault_at_ms": self.fault_at_ms,
            "cycles": self.cycles,
            "impedance": self.impedance,
        }

    @classmethod
    def from_payload(cls, data: Mapping[str, Any]) -> Case:
        """From JSON."""
        made = {
            "program": Program(tuple(data["program"])),
            "limits": Limits.model_validate(data["limits"]),
            "load": Load(**data["load"]),
            "fault": parse_fault(data["fault"]),
        }
        return cls(**(dict(data) | made))

    @property
    def cycle_ms(self) -> int:
        """From one contraction to the next, without what the board needs between them."""
        program = self.program
        return program.ramp_up_ms + program.on_ms + program.ramp_down_ms + program.off_ms


def _field(known: Range) -> Callable[[Any, Mapping[str, Load]], int]:
    def read(value: Any, loads: Mapping[str, Load]) -> int:
        return known.check(value)

    return read


def _pair(value: Any, loads: Mapping[str, Load]) -> tuple[int, int]:
    found = _PAIR.fullmatch(value) if isinstance(value, str) else None
    if not found or found[1] == found[2]:
        raise ValueError(f"pair = {value!r}: allowed is cathode-anode of two electrodes, such as '1-2'")
    return int(found[1]), int(found[2])


def _load(value: Any, loads: Mapping[str, Load]) -> Load:
    if not isinstance(value, str) or value not in loads:
        known = ", ".join(loads) or "none yet: write [loads.NAME] with resistance_ohm"
        raise ValueError(f"load = {value!r}: there is no such load; there are {known}")
    return loads[value]


def _fault(value: Any, loads: Mapping[str, Load]) -> Fault:
    if not isinstance(value, str):
        raise ValueError(f"fault = {value!r}: a fault is a text")
    return parse_fault(value)


def _between(name: str, low: int, high: int) -> Callable[[Any, Mapping[str, Load]], int]:
    def read(value: Any, loads: Mapping[str, Load]) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{name} = {value!r}: allowed is {low} to {high}")
        return value

    return read


AXES: dict[str, Callable[[Any, Mapping[str, Load]], Any]] = {
    **{known.name: _field(known) for known in SHARED},
    AMPLITUDE_UA.name: _field(AMPLITUDE_UA),
    **{f"{lead}_{AMPLITUDE_UA.name}": _field(AMPLITUDE_UA) for lead in LEADS},
    "pair": _pair,
    "load": _load,
    "fault": _fault,
    "fault_at_ms": _between("fault_at_ms", 1, 3_600_000),
    "seed": _between("seed", 0, 1_000_000),
}
"""What a matrix may have besides its own keys, each with what reads a value of it."""


def cases_of(
    template: Case, axes: Mapping[str, list[Any]], wrong: Callable[[str, str], None]
) -> Iterator[Case]:
    """Every combination of a matrix.

    Args:
        template: what all have in common; its name is the matrix's.
        axes: by key, the values that were read.
        wrong: is told the key and the reason of a combination that makes no programme.
    """
    names = list(axes)
    for values in product(*axes.values()):
        chosen = dict(zip(names, values, strict=True))
        try:
            program = template.program.replaced(_changes(chosen))
        except ParameterError as error:
            field = error.field.rpartition(".")[2]
            key = next((name for name in names if name.endswith(field)), names[0] if names else "name")
            wrong(key, f"an impossible programme, {_words(chosen)}: {error}")
            continue
        parameters = {name: _text(value) for name, value in chosen.items() if len(axes[name]) > 1}
        label = ",".join(f"{name}={value}" for name, value in parameters.items())
        name = f"{template.matrix}/{label}" if label else template.matrix
        own = {name: chosen[name] for name in ("load", "fault", "fault_at_ms", "seed") if name in chosen}
        yield replace(template, name=name, parameters=parameters, program=program, **own)


def _changes(chosen: Mapping[str, Any]) -> dict[str, int]:
    # What is said of one lead counts more than what is said of both, in whatever order.
    both = chosen.get(AMPLITUDE_UA.name)
    changes = {f"{lead}.{AMPLITUDE_UA.name}": both for lead in LEADS} if both is not None else {}
    for name, value in chosen.items():
        if name.endswith(f"_{AMPLITUDE_UA.name}"):
            changes[name.replace("_", ".", 1)] = value
        elif name == "pair":
            for lead in LEADS:
                changes |= {f"{lead}.cathode": value[0], f"{lead}.anode": value[1]}
        elif name in programs.FIELD_NAMES:
            changes[name] = value
    return changes


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(str(each) for each in value)
    if isinstance(value, Load):
        return value.name
    return value.text if isinstance(value, Fault) else str(value)


def _words(chosen: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_text(value)}" for name, value in chosen.items())
