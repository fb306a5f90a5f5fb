"""What a board can know that others cannot: the material that its random bytes are made of.

The RP2040 has no random number generator of the cryptographic kind. It has a ring oscillator whose level a
program can read (RP2040 datasheet 2.17.5 and 2.17.8, RANDOMBIT), and which nobody has certified. It is read
here as it is, because only raw bits can be tested (stimfw.crypto.health). `os.urandom` gives the same bit,
eight of them folded into a shift register with feedback (MicroPython, ports/rp2/main.c, rosc_random_u8): that
goes on looking random when the oscillator has stopped.

The oscillator is only one of several things: see `noise`. stimfw.storage.epochs keeps a seed across restarts.
"""

from time import ticks_us

from machine import ADC, unique_id
from micropython import const
from uctypes import bytearray_at

_RANDOMBIT = const(0x4006001C)
_DIE_TEMPERATURE = const(4)
_TIMES = const(16)


def oscillator() -> bytearray:
    """The register RANDOMBIT: its item 0 is the oscillator's level at the moment of reading, 0 or 1.

    Readings should be some periods of the oscillator apart (6.5 MHz; 1.8 MHz at its slowest), or neighbours
    are the same sample: the chip's maker takes 10 us (pico-sdk, pico_rand).
    """
    return bytearray_at(_RANDOMBIT, 1)


class EdgeTimes:
    """When people and radios did something, to a microsecond: a few bits each that others cannot know.

    `note` is for hard interrupt handlers: it takes no heap.

    Attributes:
        low: what the edges so far have left, to be hashed.
    """

    def __init__(self) -> None:
        self.low = bytearray(_TIMES)
        self._at = 0

    def note(self) -> None:
        """An edge came now."""
        at = self._at
        # What was there before counts as well. Masked first: beyond 30 bits a sum would take heap.
        self.low[at] = self.low[at] * 3 + (ticks_us() & 0xFF) & 0xFF
        self._at = (at + 1) % _TIMES


def noise() -> bytes:
    """Noise of the converter, the time that starting took, the chip's ID: to be hashed with the bits."""
    converter = ADC(_DIE_TEMPERATURE)
    low = 0
    for _ in range(16):
        low = low << 2 | converter.read_u16() >> 4 & 3
    return low.to_bytes(4, "big") + ticks_us().to_bytes(4, "big") + unique_id()
