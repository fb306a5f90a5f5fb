"""An image on its way to a boot ROM's disk, in an order in which no interruption does harm.

The boot ROM starts what is on flash if the first 256 bytes (boot2) have the right CRC, and looks at nothing
else. Written from the first block on, an image that was cut off would be started, and crash. So the blocks
of the first sector go first, all but boot2: with the first of them the boot ROM erases the sector, and boot2
with it. Boot2 itself goes last. Until then a board that loses its power comes back in its boot ROM. See
docs/decisions/0031-flashing.md.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from stimbench.firmware_build import uf2
from stimbench.flashing.errors import FlashError
from stimbench.flashing.target import VOLUME_GONE, Volume

__all__ = ("FILE_NAME", "Progress", "in_safe_order", "write_image")

FILE_NAME = "STIMBNCH.UF2"
"""Eight letters and three: the disk is FAT16."""
_PER_ERASE = 16
"""Blocks of one sector of the flash."""
_PER_SYNC = 64
_AGAIN = "The board has no whole image, and its boot ROM waits for one: flash it again."
_BOARD_ID = "Board-ID: RPI-RP2"

Progress = Callable[[int, int], None]
"""Told the blocks that are written, and how many there are in all."""


def in_safe_order(image: uf2.Uf2Image) -> list[list[bytes]]:
    """The blocks of an image in groups; each group is on flash before the next one begins."""
    boot2, *rest = uf2.packed(image)
    first, others = rest[: _PER_ERASE - 1], rest[_PER_ERASE - 1 :]
    # The boot ROM ignores a block that it has from an earlier, interrupted transfer of as many blocks.
    groups = [[uf2.without_transfer(), *first]]
    groups += [others[at : at + _PER_SYNC] for at in range(0, len(others), _PER_SYNC)]
    return [*groups, [boot2]]


def write_image(image: uf2.Uf2Image, volume: Volume, progress: Progress) -> bool:
    """Write an image to a boot ROM's disk.

    Returns:
        Whether the system confirmed the last block. The board restarts with it, and often its disk is gone
        before that: what the board runs then tells.

    Raises:
        FlashError: the disk is none of an RP2040, it is full, or it went away too early.
    """
    _check_board_id(volume)
    groups = in_safe_order(image)
    total = sum(map(len, groups))
    written = 0
    try:
        with volume.create(FILE_NAME) as file:
            for group in groups:
                file.write(b"".join(group))
                file.sync()
                written += len(group)
                progress(written, total)
    except OSError as error:
        if written < total - 1 or error.errno not in VOLUME_GONE:
            raise _failed(volume, error, written, total) from error
        return False  # at the last block, or when the file is closed
    return True


def _check_board_id(volume: Volume) -> None:
    try:
        info = volume.info()
    except OSError as error:
        raise FlashError(f"{volume.name} is no disk of an RP2040: INFO_UF2.TXT is missing.") from error
    if _BOARD_ID not in info:
        found = next((line for line in info.splitlines() if line.startswith("Board-ID")), "no Board-ID")
        raise FlashError(f"The disk {volume.name} is of another board ({found}), not of an RP2040.")


def _failed(volume: Volume, error: OSError, written: int, total: int) -> FlashError:
    where = f"after {written} of {total} blocks"
    if error.errno == errno.ENOSPC:
        return FlashError(f"The disk {volume.name} is full {where}. {_AGAIN}")
    if error.errno in VOLUME_GONE:
        return FlashError(f"The disk {volume.name} went away {where}: is the cable in? {_AGAIN}")
    return FlashError(f"{volume.name} takes nothing more {where}: {error.strerror or error}. {_AGAIN}")
