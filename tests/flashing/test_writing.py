"""Blocks on their way to the disk: their order, and every way in which a disk fails."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager

import pytest
from stimbench.firmware_build import uf2
from stimbench.firmware_build.uf2 import Uf2Error, Uf2Image
from stimbench.flashing.errors import FlashError
from stimbench.flashing.target import FolderVolume
from stimbench.flashing.writing import FILE_NAME, in_safe_order, write_image

BLOCKS = 200
IMAGE = Uf2Image("test.uf2", b"".join(bytes([number]) * 256 for number in range(BLOCKS)))
INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"


class Disk:
    """A volume that fails at a sync."""

    name = "/media/RPI-RP2"

    def __init__(self, at=None, code=0, closing=0):
        self.written, self.syncs, self.at, self.code, self.closing = b"", 0, at, code, closing

    def info(self):
        return INFO

    @contextmanager
    def create(self, name):
        assert name == FILE_NAME
        yield self
        if self.closing:
            raise OSError(self.closing, os.strerror(self.closing))

    def write(self, data):
        self.written += data

    def sync(self):
        if self.syncs == self.at:
            raise OSError(self.code, os.strerror(self.code))
        self.syncs += 1


def number_of(block: bytes) -> int:
    return int.from_bytes(block[20:24], "little")


def test_the_first_sector_goes_first_and_boot2_last():
    groups = in_safe_order(IMAGE)
    order = [number_of(block) for group in groups for block in group[group is groups[0] :]]
    assert order == [*range(1, BLOCKS), 0]
    assert len(groups[0]) == 16 and len(groups[-1]) == 1, "boot2's sector is erased before all else"
    assert groups[0][0] == uf2.without_transfer(), "an earlier transfer is forgotten"
    with pytest.raises(Uf2Error):
        uf2.parse(groups[0][0], "the block of no image")
    blocks = b"".join(block for group in groups for block in group)[512:]
    assert uf2.parse(blocks, "all others").payload == IMAGE.payload


def test_progress_is_told_in_blocks():
    told, disk = [], Disk()
    assert write_image(IMAGE, disk, lambda *counts: told.append(counts))
    assert told[0] == (16, BLOCKS + 1) and told[-1] == (BLOCKS + 1, BLOCKS + 1) and len(told) == disk.syncs
    assert len(disk.written) == 512 * (BLOCKS + 1)


def quiet(_done, _total):
    pass


def test_a_full_disk_is_told(tmp_path):
    (tmp_path / "INFO_UF2.TXT").write_text(INFO)
    (tmp_path / FILE_NAME).symlink_to("/dev/full")
    with pytest.raises(FlashError, match=r"is full after 0 of 201 blocks.*flash it again"):
        write_image(IMAGE, FolderVolume(tmp_path), quiet)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENODEV, errno.ENOENT])
def test_a_cable_that_is_pulled_is_told_with_how_far_it_was(code):
    with pytest.raises(FlashError, match=r"went away after 80 of 201 blocks: is the cable in\?"):
        write_image(IMAGE, Disk(at=2, code=code), quiet)


def test_a_disk_that_goes_with_the_last_block_is_no_error_yet():
    groups = len(in_safe_order(IMAGE))
    assert write_image(IMAGE, Disk(at=groups - 1, code=errno.EIO), quiet) is False
    assert write_image(IMAGE, Disk(closing=errno.ENODEV), quiet) is False
    with pytest.raises(FlashError, match="full after 200 of 201"):
        write_image(IMAGE, Disk(at=groups - 1, code=errno.ENOSPC), quiet)
    with pytest.raises(FlashError, match="takes nothing more after 16 of 201 blocks: Operation not"):
        write_image(IMAGE, Disk(at=1, code=errno.EPERM), quiet)


def test_a_disk_of_another_board_is_refused_before_a_byte_is_written(tmp_path):
    with pytest.raises(FlashError, match=r"INFO_UF2\.TXT is missing"):
        write_image(IMAGE, FolderVolume(tmp_path), quiet)
    (tmp_path / "INFO_UF2.TXT").write_text("UF2 Bootloader v1.0\nBoard-ID: RP2350\n")
    with pytest.raises(FlashError, match=r"another board \(Board-ID: RP2350\), not of an RP2040"):
        write_image(IMAGE, FolderVolume(tmp_path), quiet)
    assert not (tmp_path / FILE_NAME).exists()
