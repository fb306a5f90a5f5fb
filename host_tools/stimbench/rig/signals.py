"""What an instrument can record of a stimulator, and how a bench file says which channel is which signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stimbench.capture.channel_map import Use, parse_use
from stimbench.project import pins_path

__all__ = ("known_signals", "use_of")

_ANALOG = ("I_LEFT", "I_RIGHT", "I_SENSE", "V_LEFT", "V_RIGHT")
_SCALES = {"ua_per_volt": "uA", "volt_per_volt": "V"}
_KEYS = ("name", *_SCALES, "zero_v")


def known_signals() -> list[str]:
    """The stimulator's pins as `stimulator.L_CATH`, the currents and the voltages."""
    rows = pins_path("stimulator").read_text(encoding="utf-8").split()
    pins = [row.partition(",")[0] for row in rows]
    digital = [f"stimulator.{pin}" for pin in pins if not pin.startswith("GP") and pin not in _ANALOG]
    return [*digital, *_ANALOG]


def use_of(channel: str, value: str | Mapping[str, Any]) -> Use:
    """What a channel is used for.

    Args:
        channel: its name on the instrument.
        value: in the words of stimbench.capture.channel_map, `I_LEFT:100ohm`; or a table,
            `{name = "I_LEFT", ua_per_volt = 10000}`.

    Raises:
        InputError: the words are none.
        ValueError: the table is none.
    """
    if isinstance(value, str):
        return parse_use(f"{channel}={value}")
    if any(key not in _KEYS for key in value) or not isinstance(value.get("name"), str):
        raise ValueError(f"{channel}: a table has name, one of {' and '.join(_SCALES)}, perhaps zero_v")
    scales = [key for key in _SCALES if key in value]
    if len(scales) != 1:
        raise ValueError(f"{channel}: a table has one of {' and '.join(_SCALES)}")
    scale, zero_v = value[scales[0]], value.get("zero_v", 0)
    if not _is_number(scale) or not _is_number(zero_v) or scale == 0:
        raise ValueError(f"{channel}: {scales[0]} and zero_v are numbers, and {scales[0]} is not 0")
    return Use(channel, value["name"], False, _SCALES[scales[0]], float(scale), float(zero_v))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
