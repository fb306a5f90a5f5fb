"""The numbers in bodies of requests and replies, and what they mean, made from stimfw.protocol."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from stimfw.protocol import messages, roles
from stimfw.pulses import impedance
from stimfw.storage import areas
from stimfw.therapy import program

__all__ = ("table",)

_WIDEST_LINE = 116
_FLAGS = (
    "magnet near",
    "pairing window open",
    "remote: not paired",
    "implanted",
    "calibrated",
    "its calibration is damaged",
    "the radio needs ACTIVATE and is not used",
)


def table() -> str:
    """An entry for each kind of number."""
    reasons = ("none", *messages.REASON_TEXTS[1:])
    pairs = (f"{cathode << 2 | anode} cathode {cathode}, anode {anode}" for cathode, anode in impedance.PAIRS)
    rows = (
        ("code of a reply", _counted(messages.CODE_NAMES)),
        ("`state`", _counted(messages.STATE_NAMES)),
        ("`reason` in WRONG_STATE", _counted(reasons)),
        ("`field` in OUT_OF_RANGE", f"{_counted(program.FIELD_NAMES)}; 255 none of these"),
        ("`role`", _counted(roles.ROLE_NAMES)),
        ("`flags` of STATUS, by bit", _bits(_FLAGS)),
        ("`stop_cause`", _counted(messages.STOP_NAMES)),
        ("`failed_parts`, by bit", _bits(messages.PART_NAMES)),
        ("order of COUNTERS", _counted(messages.COUNTER_NAMES)),
        ("`kind` in LOG and STRANGERS", _counted(messages.EVENT_NAMES)),
        (
            "`sender` in LOG",
            f"0-5 the slot of a peer; {messages.FROM_USB} USB; {messages.FROM_NOBODY} nobody",
        ),
        ("`slot_claimed` in STRANGERS", f"0-5; {messages.FROM_NOBODY} none"),
        ("`pair`", "; ".join(pairs)),
        ("`kind` of a pair", _counted(messages.KIND_NAMES)),
        ("`lead`", "0 left; 1 right"),
        ("`state` in PAIRINGS", "1 pending; 2 active"),
        ("`state` in MODEM_RECEIVE", _counted(_modem_states())),
        ("order of RECORDS", _counted((*areas.AREA_NAMES, "log, of a stimulator"))),
        ("`state` in RECORDS", _counted(areas.STATE_TEXTS)),
    )
    return "\n".join(
        textwrap.fill(f"- {name}: {text}", _WIDEST_LINE, subsequent_indent="  ", break_on_hyphens=False)
        for name, text in rows
    )


def _counted(names: Iterable[str]) -> str:
    return "; ".join(f"{number} {name}" for number, name in enumerate(names))


def _bits(names: Iterable[str]) -> str:
    return "; ".join(f"{1 << bit} {name}" for bit, name in enumerate(names))


def _modem_states() -> list[str]:
    numbers = {
        value: name.removeprefix("MODEM_").lower()
        for name, value in vars(messages).items()
        if name.startswith("MODEM_")
    }
    return [numbers[number] for number in range(len(numbers))]
