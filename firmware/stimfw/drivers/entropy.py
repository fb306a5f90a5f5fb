"""What a board can know that others cannot: the material that its random bytes are made of.

The RP2040 has no random number generator of the cryptographic kind. Its ring oscillator's random bit (RP2040
datasheet, 2.17) is what `os.urandom` gives: unpredictable to a distant attacker, biased, and not certified by
anybody. So it is only one of several things here, and stimfw.storage.epochs keeps a seed across restarts.
"""

from os import urandom
from time import ticks_us

from machine import ADC, unique_id

_DIE_TEMPERATURE = 4


def material() -> bytes:
    """Up to 64 bytes: oscillator bits, noise of the converter, the time that starting took, the chip's ID."""
    converter = ADC(_DIE_TEMPERATURE)
    noise = 0
    for _ in range(16):
        noise = noise << 2 | converter.read_u16() >> 4 & 3
    return urandom(32) + noise.to_bytes(4, "big") + ticks_us().to_bytes(4, "big") + unique_id()
