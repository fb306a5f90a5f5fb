"""The two lines of the monostable besides KEEPALIVE: its Q, read back, and its reset, which the magnet pulls.

Registers by their addresses in the RP2040 datasheet, sections 2.3.1.7 (SIO) and 2.19.6 (IO_BANK0).
"""

from time import sleep_us
from typing import TYPE_CHECKING

from machine import disable_irq, enable_irq, mem32
from micropython import const

if TYPE_CHECKING:
    from machine import Pin

_GPIO_IN = const(0xD0000004)
_GPIO_OUT_CLR = const(0xD0000018)
_GPIO_OE_SET = const(0xD0000024)
_GPIO_OE_CLR = const(0xD0000028)
_INTR = const(0x400140F0)  # 4 bits a pin, 8 pins a register: an edge stays there until 1 is written
_BOTH_EDGES = const(0xC)
_SETTLED_US = const(10)  # 10 kohm and 100 pF of wire: 1 us


class GateLines:
    """GATE_Q and MAGNET."""

    def __init__(self, q: "Pin", reset_gpio: int) -> None:
        """Args: q: input; reset_gpio: GPIO number of MAGNET, an input with its interrupt attached or not."""
        self._q = q
        self._reset_gpio = reset_gpio

    def is_open(self) -> bool:
        """Whether Q is high."""
        return self._q() != 0

    def reset(self) -> "tuple[bool, bool, bool]":
        """Pull the monostable's reset low for some 20 us, as a magnet does, and let it go.

        The magnet's interrupt does not see it. A magnet that comes in this time is not lost: it is told.

        Returns:
            whether Q was low while it was pulled, whether it still was 10 us after, and whether the line came
            back high: if not, a magnet is there.
        """
        gpio = self._reset_gpio
        bit = 1 << gpio
        state = disable_irq()
        mem32[_GPIO_OUT_CLR] = bit
        mem32[_GPIO_OE_SET] = bit
        sleep_us(_SETTLED_US)
        fell = self._q() == 0
        mem32[_GPIO_OE_CLR] = bit
        sleep_us(_SETTLED_US)
        stays = self._q() == 0
        rose = mem32[_GPIO_IN] & bit != 0
        mem32[_INTR + gpio // 8 * 4] = _BOTH_EDGES << gpio % 8 * 4
        enable_irq(state)
        return fell, stays, rose
