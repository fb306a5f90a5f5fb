"""The part of the self-test that runs at every boot: it moves no bridge pin.

What needs a current (DAC, matrix) is tested on request and before every session: stimfw.stimulator.measure.
"""

import os

from stimfw.protocol.messages import PART_FILESYSTEM, PART_RADIO, PART_SENSE, PART_SUPPLY

_SUPPLY_LOW_MV = 3000  # VSYS below this is no supply for the gate's converter
_MIDDLE_16 = 16 * 2048
_OFFSET_16 = 16 * 64  # 50 mV: amplifier and converter offsets together are below it


def run(radio_there: bool, supply_mv: int, base16: "list[int]") -> int:
    """Judge what was found, and the filesystem; the failed ones as messages.PART_... bits.

    `base16` are 16 times the codes of the sense amplifiers with nothing driven.
    """
    failed = 0
    try:
        os.statvfs("/")
    except OSError:  # nothing is mounted
        failed |= PART_FILESYSTEM
    if not radio_there:
        failed |= PART_RADIO
    if supply_mv < _SUPPLY_LOW_MV:
        failed |= PART_SUPPLY
    for code16 in base16:
        if abs(code16 - _MIDDLE_16) > _OFFSET_16:
            failed |= PART_SENSE
    return failed
