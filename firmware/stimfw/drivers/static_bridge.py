"""The bridges' pins held still, for a bench that is being calibrated or brought up. No application loads it.

PIO block 0 belongs to stimfw.drivers.pulser, which must have been made: its machines own the pins.
"""

from machine import mem32
from micropython import const

from stimfw.pulses import pio_words

OFF, CATHODIC, ANODIC, RECHARGE = 0, 1, 2, 4
"""Bits of CATH, ANOD and SHORT, as the pulse machines set them."""

_CTRL = const(0x50200000)
_SM0_INSTR = const(0x502000D8)
_STRIDE = const(0x18)


def hold(lead: int, state: int) -> None:
    """Hold one bridge (0 left, 1 right) in OFF, CATHODIC, ANODIC or RECHARGE.

    Raises:
        ValueError: it is another state, or there is no such lead.
        RuntimeError: a train runs.
    """
    if lead not in (0, 1) or state not in (OFF, CATHODIC, ANODIC, RECHARGE):
        raise ValueError("bridge %d in state %d" % (lead, state))
    if mem32[_CTRL] & 0xF:
        raise RuntimeError("a train runs")
    mem32[_SM0_INSTR + _STRIDE * lead] = pio_words.set_pins(state)
