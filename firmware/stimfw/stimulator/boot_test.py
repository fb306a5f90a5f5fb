"""The part of the self-test that runs at every boot: it moves no bridge pin.

What needs a current (DAC, matrix) is tested on request and before every session: stimfw.stimulator.measure.
"""

import os
from typing import TYPE_CHECKING

from stimfw.protocol.messages import PART_FILESYSTEM, PART_RADIO, PART_SENSE, PART_SUPPLY
from stimfw.pulses.sampling import CHANNEL_I

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimfw.drivers.sense import Sense

_SUPPLY_LOW_MV = 3000  # VSYS below this is no supply for the gate's converter
_MIDDLE_16 = 16 * 2048
RAILS_MS = 100
"""How long the +-15 V may take: the converter starts within 30 ms (docs/circuit.md)."""
_STEADY_LOOKS = 3
_NO_RAILS_16 = 16 * 128  # the current amplifiers without their supply lie at 0 V; no current does that
_OFFSET_16 = 16 * 64  # 50 mV: amplifier and converter offsets together are below it


def wait_for_rails(sense: "Sense", sleep_ms: "Callable[[int], None]") -> None:
    """Wait until the current amplifiers rest where they do with their +-15 V, RAILS_MS at the most.

    Measured, not guessed: the first of three looks that agree ends it. What is not there then, `run` names.
    """
    steady = 0
    for _ in range(RAILS_MS):
        off16 = abs(sense.mean16(CHANNEL_I, 4) - _MIDDLE_16)
        steady = steady + 1 if off16 <= _OFFSET_16 else 0
        if steady == _STEADY_LOOKS:
            return
        sleep_ms(1)


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
    if base16[CHANNEL_I] < _NO_RAILS_16:
        return failed | PART_SUPPLY
    for code16 in base16:
        if abs(code16 - _MIDDLE_16) > _OFFSET_16:
            failed |= PART_SENSE
    return failed
