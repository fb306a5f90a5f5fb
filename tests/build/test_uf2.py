"""UF2 files are checked before anything of them reaches a flash: every way in which one can be wrong."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.bench import Bench, BenchConfig
from stimbench.errors import BenchError
from stimbench.firmware_build import uf2
from stimbench.firmware_build.uf2 import Uf2Error

FAMILY = 0xE48BFF56
START = 0x10000000
FLASH_END = START + 2 * 1024 * 1024
LINE = uf2.identity_line("remote", "1.2.3", "0123456789ab").encode()


def block(number, count, data=bytes(256), /, **changes):
    """One block, written out from the specification."""
    field = {
        "start0": 0x0A324655, "start1": 0x9E5D5157, "flags": 0x2000, "address": START + 256 * number,
        "size": 256, "number": number, "count": count, "family": FAMILY, "end": 0x0AB16F30,
    } | changes  # fmt: skip
    *head, end = field.values()
    return struct.pack("<8I476sI", *head, data, end)


def whole(payload, order=None):
    """A UF2 file of a payload, its blocks in any order."""
    payload += b"\xff" * (-len(payload) % 256)
    count = len(payload) // 256
    made = [block(k, count, payload[256 * k : 256 * k + 256]) for k in range(count)]
    return b"".join(made[k] for k in order or range(count))


def refused(data, told):
    with pytest.raises(Uf2Error, match=told) as caught:
        uf2.parse(data, "x.uf2")
    text = str(caught.value)
    assert text.startswith("x.uf2") and text.endswith(".") and "\n" not in text
    assert caught.value.exit_code == 2


def changed(**changes):
    """Three blocks, of which the second is changed."""
    return block(0, 3) + block(1, 3, **changes) + block(2, 3)


@given(st.binary(min_size=1, max_size=1500), st.randoms(use_true_random=False))
def test_a_whole_file_comes_back_in_whatever_order_its_blocks_are(payload, rng):
    count = -(-len(payload) // 256)
    order = list(range(count))
    rng.shuffle(order)
    image = uf2.parse(whole(payload, order), "x.uf2")
    assert image.payload[: len(payload)] == payload and set(image.payload[len(payload) :]) <= {0xFF}


@given(st.binary(max_size=2048))
def test_random_bytes_are_one_sentence(data):
    refused(data, r"x\.uf2")


@given(st.binary(max_size=2048))
def test_random_bytes_behind_the_magic_numbers_are_one_sentence(data):
    refused(struct.pack("<II", 0x0A324655, 0x9E5D5157) + data, r"x\.uf2")


@given(st.integers(0, 5 * 512 - 1))
def test_a_file_that_is_cut_anywhere_is_refused(length):
    refused(whole(bytes(5 * 256))[:length], "empty|no UF2 file|cut short|incomplete")


@given(st.integers(0, 31), st.integers(0, 7), st.integers(0, 4))
def test_one_wrong_bit_in_a_header_is_refused(at, bit, which):
    """But for the flags that mean nothing here: file container, MD5, extension tags."""
    data = bytearray(whole(bytes(5 * 256)))
    data[512 * which + at] ^= 1 << bit
    if 8 <= at < 12 and not struct.unpack_from("<I", data, 512 * which + 8)[0] & 0x1 and at * 8 + bit != 77:
        assert uf2.parse(bytes(data), "x.uf2").payload == bytes(5 * 256)
    else:
        refused(bytes(data), r"x\.uf2")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"UF2\n", "is no UF2 file"),
        (bytes(512), "is no UF2 file"),
        (changed(start1=7), "block 1 is damaged"),
        (changed(end=7), "block 1 is damaged"),
        (changed(flags=0x2001), "block 1 is not for the main flash"),
        (changed(flags=0), "block 1 is for another chip: its family is not given"),
        (changed(family=0xE48BFF59), "its family is 0xE48BFF59, an RP2040's is 0xE48BFF56"),
        (changed(size=476), "block 1 carries 476 bytes"),
        (changed(size=0), "block 1 carries 0 bytes"),
        (changed(address=START + 1), "block 1 is for the address 0x10000001"),
        (changed(address=START - 256), "block 1 is for the address 0x0FFFFF00"),
        (changed(address=FLASH_END), "block 1 is for the address 0x10200000"),
        (changed(address=0x20000000), "block 1 is for the address 0x20000000"),
        (changed(address=FLASH_END - 256), "has a gap: nothing fills the address 0x10000100"),
        (changed(address=START), "fills the address 0x10000000 twice"),
        (changed(count=4), "do not agree on their count"),
        (changed(number=0), "has the block number 0 twice"),
        (changed(number=3), "has a block number 3, but says that it has 3"),
        (block(0, 3) + block(2, 3), "is incomplete: 2 of 3 blocks, number 1 is missing"),
        (block(1, 2, number=0, count=1), "has a gap: nothing fills the address 0x10000000"),
        (whole(bytes(2 * 1024 * 1024 + 256)), "is larger than a full flash chip"),
    ],
)
def test_what_is_wrong_is_said(data, told):
    refused(data, told)


def test_a_full_flash_chip_is_taken():
    assert len(uf2.parse(whole(bytes(2 * 1024 * 1024)), "x.uf2").payload) == 2 * 1024 * 1024


def test_an_image_says_which_it_is():
    assert uf2.parse(whole(b"x" * 300 + LINE), "x.uf2").identity == ("remote", "1.2.3", "0123456789ab")
    assert uf2.parse(whole(b"x" * 300), "x.uf2").identity is None


def test_another_boards_firmware_and_somebody_elses_are_refused(tmp_path):
    path = tmp_path / "some.uf2"
    path.write_bytes(whole(LINE))
    assert uf2.read_for(path, "remote").identity.version == "1.2.3"
    with pytest.raises(Uf2Error, match=r"some\.uf2 is the firmware of a remote, not of a stimulator\.$"):
        uf2.read_for(path, "stimulator")
    path.write_bytes(whole(b"MicroPython"))
    with pytest.raises(Uf2Error, match="is no firmware of stimbench"):
        uf2.read_for(path, "remote")
    path.write_bytes(whole(LINE + bytes(640 * 1024)))
    with pytest.raises(Uf2Error, match="reaches into the board's files"):
        uf2.read_for(path, "remote")


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path):
    with pytest.raises(Uf2Error, match=r"none\.uf2 cannot be read: No such file"):
        uf2.read(tmp_path / "none.uf2")
    with pytest.raises(Uf2Error, match=r"cannot be read: Is a directory"):
        uf2.read(tmp_path)


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["stimulator", "remote"])
def test_the_built_images_say_what_the_boards_say(board):
    from stimfw.version import VERSION

    identity = uf2.read_for(BenchConfig().firmware_path(board), board).identity
    assert identity[:2] == (board, VERSION)


@pytest.mark.emulated
def test_a_bench_is_not_built_with_a_spoilt_image(tmp_path: Path):
    path = tmp_path / "remote.uf2"
    good = BenchConfig().firmware_path("remote").read_bytes()
    for data, told in ((b"", "is empty"), (good[:-512], "incomplete"), (good[:-5], "cut short")):
        path.write_bytes(data)
        with pytest.raises(BenchError, match=f"no firmware for the remote: .*{told}"):
            Bench(BenchConfig(boards=("remote",), firmware={"remote": path}))
