"""Channels and addresses of the radio: where a bench's boards find each other, and only each other.

An address has 5 bytes, LSByte first, as the radio's registers take them. Byte 0 is the station; bytes 1-4 are
the bench's `base`, which its stimulator drew at random and hands out in pairing. Pairing itself has two fixed
addresses that anybody may know.
"""

from typing import TYPE_CHECKING

from stimfw.protocol.messages import SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNELS = (76, 50, 24)
"""2476, 2450 and 2424 MHz: between Wi-Fi's channels 1, 6 and 11 (IEEE 802.11: 2412, 2437 and 2462 MHz, 20 MHz
wide), and none the centre of Bluetooth LE's advertising (Core specification, volume 6 part B 1.4.1: 2402,
2426 and 2480 MHz)."""
PAIRING_CHANNEL = 76
BASE_BYTES = 4

_PAIRING_BASE = b"\x4a\x9d\x36\xc5"
PAIRING_STIMULATOR = b"\x50" + _PAIRING_BASE
PAIRING_REMOTE = b"\x51" + _PAIRING_BASE

_STIMULATOR = 0x53
_PEER = 0xA0
_FEWEST_SHIFTS = 6
_MOST_SHIFTS = 26
_DRAWS = 100  # nearly every draw is good: a source that gives none of this many is broken


def stimulator_address(base: bytes) -> bytes:
    """Where the stimulator of the bench `base` (4 bytes) receives.

    Raises:
        ValueError: `base` has another length.
    """
    return _address(_STIMULATOR, base)


def peer_address(base: bytes, slot: int) -> bytes:
    """Where the peer that the stimulator keeps in `slot` (0-5) receives.

    Raises:
        ValueError: no such slot, or `base` does not have 4 bytes.
    """
    if not 0 <= slot < SLOTS:
        raise ValueError("slot %d, 0 to %d exist" % (slot, SLOTS - 1))
    return _address(_PEER + slot, base)


def good_base(base: bytes) -> bool:
    """Whether `base` (4 bytes) makes addresses that a receiver does not take noise or a preamble for.

    nRF24L01+ product specification 7.3.2: addresses whose level shifts only once are often found in noise,
    and those that toggle like the preamble raise the packet error rate as well. Here all with few or many
    shifts are left out, and so is a first byte in the air (the last one here) that goes on like the preamble.
    The base of pairing is nobody's own.
    """
    return (
        len(base) == BASE_BYTES
        and _FEWEST_SHIFTS <= _level_shifts(base) <= _MOST_SHIFTS
        and base[3] not in (0x55, 0xAA)
        and bytes(base) != _PAIRING_BASE
    )


def draw_base(take: "Callable[[int], bytes]") -> bytes:
    """A good base from a random source; `take(n)` gives n bytes.

    Raises:
        ValueError: the source is stuck: nothing good in 100 draws.
    """
    for _ in range(_DRAWS):
        base = bytes(take(BASE_BYTES))
        if good_base(base):
            return base
    raise ValueError("random source is stuck")


def _address(station: int, base: bytes) -> bytes:
    if len(base) != BASE_BYTES:
        raise ValueError("base of %d bytes, %d expected" % (len(base), BASE_BYTES))
    return bytes((station,)) + bytes(base)


def _level_shifts(base: bytes) -> int:
    """How often the level changes while `base` is in the air: MSByte first, MSBit first (7.3)."""
    word = int.from_bytes(base, "little")
    differences = (word ^ word >> 1) & (1 << 8 * len(base) - 1) - 1
    shifts = 0
    while differences:
        shifts += differences & 1
        differences >>= 1
    return shifts
