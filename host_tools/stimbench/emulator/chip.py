"""Makes an emulated RP2040: rp2040py's chip with another core, SIO, and what its blocks leave out."""

from __future__ import annotations

import os
from enum import Enum
from typing import Literal, cast

from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.rp2040 import RP2040

from stimbench.emulator.native.cortex_m0 import NativeCore
from stimbench.emulator.pwm import BoardPwm
from stimbench.emulator.sio import BoardSio, PythonDivider
from stimbench.emulator.timer import BoardTimer

__all__ = ("Core", "XipConfig", "default_core", "make_chip")

XipConfig = Literal["cache", "ideal"] | int
"""What a miss of the flash cache costs: see BenchConfig.xip."""

_TIMER, _PWM = 0x40054, 0x40050


class Core(Enum):
    """Which CPU core runs the firmware."""

    NATIVE = "native"
    """Ours, in C, by the architecture's manual."""
    NATIVE_AS_REFERENCE = "native-as-reference"
    """Ours, departing from the manual where the reference does, for comparisons."""
    REFERENCE = "reference"
    """rp2040py's own, the slow one; no flash-cache misses."""


def default_core() -> Core:
    """The core that the environment variable STIMBENCH_CORE names, else the native one.

    Raises:
        ValueError: it names none.
    """
    return Core(os.environ.get("STIMBENCH_CORE", Core.NATIVE.value))


def make_chip(core: Core) -> RP2040:
    """A chip in reset, with a blank flash."""
    mcu = RP2040()
    if core is Core.REFERENCE:
        mcu.sio = BoardSio(mcu, PythonDivider())
        mcu.load_bootrom(BOOTROM_B1)
        return mcu
    native = NativeCore(mcu)
    native.follow_reference = core is Core.NATIVE_AS_REFERENCE
    mcu.core = native
    mcu.sio = BoardSio(mcu, native)
    mcu.timer = mcu.peripherals[_TIMER] = BoardTimer(mcu, lambda epoch_ns: _set_epoch(mcu, epoch_ns))
    mcu.pwm = mcu.peripherals[_PWM] = BoardPwm(mcu)
    mcu.load_bootrom(BOOTROM_B1)
    return mcu


def _set_epoch(mcu: RP2040, epoch_ns: float) -> None:
    cast(NativeCore, mcu.core).epoch_ns = epoch_ns
