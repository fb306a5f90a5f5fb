"""Whether the clocks are those that every time of the output is counted in.

Whoever was at the prompt may have set another frequency, and a soft reset keeps it: at 250 MHz each pulse
would be half as long. The chip's frequency counter measures what is there (RP2040 datasheet, 2.15.6.2 and
2.15.7). It counts against the crystal, so a wrong crystal shows only against the host's clock.
"""

import machine
from machine import mem32
from micropython import const

from stimfw.pulses.waveform import SYSTEM_HZ

_FC0_REF_KHZ = const(0x40008080)
_FC0_MIN_KHZ = const(0x40008084)
_FC0_MAX_KHZ = const(0x40008088)
_FC0_DELAY = const(0x4000808C)
_FC0_INTERVAL = const(0x40008090)
_FC0_SRC = const(0x40008094)
_FC0_STATUS = const(0x40008098)
_FC0_RESULT = const(0x4000809C)
_DONE = const(1 << 4)
_INTERVAL_2_MS = const(11)  # 0.98 us x 2^11: a counted clock is right within 1 kHz
_CRYSTAL_KHZ = const(12_000)
_CLK_SYS = const(9)
_CLK_ADC = const(12)
_ADC_KHZ = const(48_000)
_OFF_PERMIL = const(2)
_MOST_LOOKS = const(10_000)


def put_right() -> bool:
    """Set the system clock if it is another one; measure it and the converter's: whether they are right."""
    if machine.freq() != SYSTEM_HZ:
        machine.freq(SYSTEM_HZ)
    return _is(_CLK_SYS, SYSTEM_HZ // 1000) and _is(_CLK_ADC, _ADC_KHZ)


def _is(source: int, wanted_khz: int) -> bool:
    return abs(_measured_khz(source) - wanted_khz) * 1000 <= wanted_khz * _OFF_PERMIL


def _measured_khz(source: int) -> int:
    """A clock of the chip, kHz; 0 if the counter does not end."""
    mem32[_FC0_SRC] = 0
    mem32[_FC0_REF_KHZ] = _CRYSTAL_KHZ
    mem32[_FC0_INTERVAL] = _INTERVAL_2_MS
    mem32[_FC0_MIN_KHZ] = 0
    mem32[_FC0_MAX_KHZ] = 0xFFFFFF
    mem32[_FC0_DELAY] = 1
    mem32[_FC0_SRC] = source
    for _ in range(_MOST_LOOKS):
        if mem32[_FC0_STATUS] & _DONE:
            return mem32[_FC0_RESULT] >> 5
    return 0
