"""What can be broken on the page, and which hazards and controls of docs/hazards.toml it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stimbench.bench.stimulator_faults import Value
from stimbench.errors import InputError
from stimbench.hazards.register import load
from stimbench.project import hazards_path

__all__ = ("KINDS", "PARTS", "Fault", "Part", "as_data")

_CODE = Value("Code, 0 to 4095", 0, 4095, 0)
_PERCENT = Value("Off by, -50 to 50 %", -50, 50, 10)


@dataclass(frozen=True)
class Fault:
    """One way to break a part.

    Attributes:
        title: in words.
        hazards, controls: ids of docs/hazards.toml; each control is one of a hazard's.
        value: what it needs to be told.
        needs_electrode: the value is another electrode of the same lead.
    """

    title: str
    hazards: tuple[str, ...]
    controls: tuple[str, ...]
    value: Value | None = None
    needs_electrode: bool = False


@dataclass(frozen=True)
class Part:
    """One thing that breaks: its name for the hands, in words; its group on the page; its kind in KINDS."""

    name: str
    title: str
    group: str
    kind: str


KINDS: dict[str, dict[str, Fault]] = {
    "electrode": {
        "open": Fault("open: the conductor is broken", ("H-24",), ("C-49", "C-51", "C-70")),
        "short": Fault(
            "short: it touches another one", ("H-26",), ("C-49", "C-51", "C-70"), needs_electrode=True
        ),
        "loose": Fault(
            "loose: it opens and closes by itself", ("H-25",), ("C-49", "C-70"),
            Value("From one break to the next, ms", 1, 60_000, 200),
        ),
        "resistance": Fault(
            "another resistance", ("H-27", "H-28"), ("C-50", "C-53"),
            Value("In series, 1 to 1000000 ohm", 1, 1_000_000, 4000),
        ),
    },
    "pump": {
        "rail": Fault("at its rail: all the current that it has", ("H-04",), ("C-15", "C-42", "C-70")),
        "dead": Fault("dead: no current", ("H-17", "H-27"), ("C-15", "C-50", "C-71")),
    },
    "channel": {"stuck": Fault("stuck at a code", ("H-04", "H-17"), ("C-15", "C-42", "C-71"), _CODE)},
    "switch": {
        "stuck-open": Fault("stuck open", ("H-05", "H-17"), ("C-15", "C-71")),
        "stuck-closed": Fault("stuck closed", ("H-05", "H-17"), ("C-15", "C-71")),
    },
    "relay": {
        "welded": Fault("welded: it does not open", ("H-02", "H-17"), ("C-06", "C-15")),
        "open": Fault("open: it does not close", ("H-17", "H-27"), ("C-15", "C-50")),
    },
    "gates": {"stuck": Fault("stuck: the lines pass whatever Q is", ("H-02", "H-17"), ("C-06", "C-15"))},
    "idle": {"open": Fault("open: each phase begins with a spike", ("H-04", "H-17"), ("C-15", "C-42"))},
    "dac": {"reference": Fault("reference is off", ("H-04", "H-17"), ("C-42", "C-48", "C-71"), _PERCENT)},
    "adc": {
        "stuck": Fault("stuck at a code", ("H-17", "H-18"), ("C-37", "C-48"), _CODE),
        "reference": Fault("reference is off", ("H-17", "H-18"), ("C-37", "C-48"), _PERCENT),
    },
    "supply": {
        "low": Fault(
            "drained: another voltage", ("H-33", "H-37"), ("C-62", "C-68"),
            Value("Supply, 1.8 to 5.5 V", 1.8, 5.5, 3.0),
        ),
    },
    "gate": {
        "stuck-high": Fault("Q stays high: it gates nothing", ("H-02", "H-17"), ("C-06", "C-15")),
        "stuck-low": Fault("Q stays low: nothing begins", ("H-17",), ("C-15", "C-36")),
    },
    "rails": {
        "lost": Fault("lost at once", ("H-17", "H-27"), ("C-15", "C-50")),
        "slow": Fault(
            "late, from the next power on", ("H-17",), ("C-15", "C-36"),
            Value("From power on, 0 to 10000 ms", 0, 10_000, 300),
        ),
        "never": Fault("never there, from the next power on", ("H-17",), ("C-15", "C-36")),
    },
    "matrix": {
        "forgets": Fault("forgets: all switches open", ("H-05", "H-17", "H-27"), ("C-16", "C-50", "C-71"))
    },
    "stimulator": {
        "hung": Fault("its processor hangs", ("H-02",), ("C-06", "C-07", "C-08")),
        "off": Fault("its power is cut", ("H-02", "H-16"), ("C-08", "C-35", "C-54")),
    },
    "remote": {
        "hung": Fault("its processor hangs", ("H-08", "H-23"), ("C-23", "C-47")),
        "off": Fault("its power is cut", ("H-08", "H-23"), ("C-22", "C-23")),
    },
    "air": {
        "jam": Fault(
            "jammed", ("H-01", "H-13"), ("C-02", "C-03"), Value("Channel, 0 to 125; -1: all", -1, 125, -1)
        ),
        "loss": Fault(
            "drops frames", ("H-01", "H-23"), ("C-02", "C-46", "C-47"), Value("Share, 0 to 1", 0, 1, 0.5)
        ),
    },
}  # fmt: skip


def _of_lead(side: str) -> list[Part]:
    title = side.capitalize()
    found = [Part(f"{side}.{k}", f"{title} electrode {k}", f"{title} lead", "electrode") for k in range(4)]
    group = f"{title} output"
    for name, text, kind in (
        ("pump", "pump", "pump"),
        ("dac", "DAC channel", "channel"),
        ("relay", "relay", "relay"),
        ("gates", "gates", "gates"),
        ("idle", "idle leg", "idle"),
    ):
        found.append(Part(f"{side}.{name}", f"{title} {text}", group, kind))
    for rail in ("source", "sink"):
        for k in range(4):
            text = f"{title} switch {k} to the {rail} rail"
            found.append(Part(f"{side}.{rail}.{k}", text, group, "switch"))
    return found


PARTS: tuple[Part, ...] = (
    *_of_lead("left"),
    *_of_lead("right"),
    Part("supply", "Supply, a battery say", "Stimulator", "supply"),
    Part("stimulator", "Stimulator", "Stimulator", "stimulator"),
    Part("dac", "DAC", "Stimulator", "dac"),
    Part("adc", "ADC", "Stimulator", "adc"),
    Part("gate", "Gate (monostable)", "Stimulator", "gate"),
    Part("rails", "+-15 V", "Stimulator", "rails"),
    Part("matrix", "Switch matrix", "Stimulator", "matrix"),
    Part("remote", "Remote", "Remote and air", "remote"),
    Part("air", "Air", "Remote and air", "air"),
)


def as_data() -> dict[str, Any]:
    """All of it as plain data, with the texts of the hazards and controls that are named.

    Without the register there are ids alone.
    """
    kinds = {kind: {name: _fault(fault) for name, fault in faults.items()} for kind, faults in KINDS.items()}
    return {"parts": [vars(part) for part in PARTS], "kinds": kinds} | _register()


def _fault(fault: Fault) -> dict[str, Any]:
    value = vars(fault.value) if fault.value is not None else None
    return {
        "title": fault.title,
        "hazards": fault.hazards,
        "controls": fault.controls,
        "value": value,
        "needs_electrode": fault.needs_electrode,
    }


def _register() -> dict[str, Any]:
    try:
        register = load(hazards_path())
    except InputError:
        return {"hazards": {}, "controls": {}}
    faults = [fault for kind in KINDS.values() for fault in kind.values()]
    hazards = {name for fault in faults for name in fault.hazards}
    controls = {name for fault in faults for name in fault.controls}
    return {
        "hazards": {
            one.id: {"title": one.title, "harm": one.harm, "severity": one.severity}
            for one in register.hazards
            if one.id in hazards
        },
        "controls": {one.id: one.does for one in register.controls if one.id in controls},
    }
