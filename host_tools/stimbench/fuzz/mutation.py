"""New inputs out of old ones. Runs on MicroPython too."""

from stimbench.fuzz.script import Dice

MOST_BYTES = 512
_ODD = (0, 1, 2, 3, 0x0F, 0x10, 0x1F, 0x20, 0x3F, 0x40, 0x7F, 0x80, 0xF7, 0xF8, 0xFE, 0xFF)
"""Bytes at which something begins or ends."""


def mutated(dice: Dice, data: bytes, other: bytes) -> bytes:
    """`data` changed in one to eight places; `other`: another input that was worth keeping."""
    changed = bytearray(data)
    for _ in range(1 << dice.below(4)):
        changed = _changed(dice, changed, other)
    return bytes(changed[:MOST_BYTES])


def _changed(dice: Dice, data: bytearray, other: bytes) -> bytearray:
    how = dice.below(9)
    if not data or how == 0:
        return data + dice.take(1 + dice.below(16))
    at = dice.below(len(data))
    if how == 1:
        data[at] ^= 1 << dice.below(8)
    elif how == 2:
        data[at] = _ODD[dice.below(len(_ODD))]
    elif how == 3:
        data[at] = dice.below(256)
    elif how == 4:
        data[at] = (data[at] + dice.below(9) - 4) & 0xFF
    elif how == 5:
        data = data[:at] + data[at + 1 + dice.below(8) :]
    elif how == 6:
        data = data[:at] + dice.take(1 + dice.below(8)) + data[at:]
    elif how == 7:
        end = at + dice.below(32)
        data = data[:end] + data[at:end] + data[end:]
    elif other:
        begin = dice.below(len(other))
        data = data[:at] + other[begin : begin + 1 + dice.below(64)] + data[at:]
    return data
