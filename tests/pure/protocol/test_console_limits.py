"""The console's sizes, byte by byte, and what a refusal says."""

import binascii
import struct

from stimfw.protocol import console_frame
from stimfw.protocol.console_frame import Receiver, decode, encode

LONGEST = 244
LINE = 336  # base64 of 244 + 6 bytes: 84 groups of four letters


def sealed(body):
    return binascii.b2a_base64(body + struct.pack("<I", binascii.crc32(body)))[:-1]


def error_of(call):
    try:
        call()
    except ValueError as error:
        return str(error)
    raise AssertionError("taken")


def feed(receiver, data):
    return [found for found in [receiver.feed(byte) for byte in data] if found is not None]


def test_sizes_are_those_of_the_other_versions():
    assert console_frame.MAX_MESSAGE == LONGEST and console_frame.MAX_LINE == LINE
    assert (console_frame.VERSION, console_frame.START, console_frame.END) == (1, ord("~"), ord("\n"))


def test_the_longest_message_fills_the_longest_line():
    line = encode(1, bytes(LONGEST))
    assert len(line) == 1 + LINE + 1
    assert feed(Receiver(), line) == [(1, bytes(LONGEST))]


def test_one_byte_more_than_a_line_is_oversized():
    receiver = Receiver()
    feed(receiver, b"~" + b"A" * LINE)
    assert receiver.oversized == 0
    feed(receiver, b"A")
    assert receiver.oversized == 1
    feed(receiver, b"A" * LINE + b"\n")
    assert (receiver.oversized, receiver.bad) == (1, 0)


def test_a_line_bytewise():
    assert (
        encode(5, b"\x02")
        == b"~AQUC"
        + binascii.b2a_base64(b"\x01\x05\x02" + struct.pack("<I", binascii.crc32(b"\x01\x05\x02")))[4:]
    )


def test_numbers_are_one_byte():
    assert decode(encode(0x1FF, b"x")[1:-1]) == (0xFF, b"x")


def test_refusals_say_why():
    assert error_of(lambda: decode(sealed(b"\x02\x05x"))) == "version 2"
    assert error_of(lambda: decode(sealed(b"\x01\x05"))) == "short frame"
    assert error_of(lambda: decode(b"AQUCAAAAAA==")) == "CRC"
    assert error_of(lambda: encode(1, bytes(245))) == "message of 245 bytes, at most 244"


def test_control_characters_inside_a_line_do_not_end_it():
    """Base64 passes over them."""
    line = encode(3, b"abc")
    for byte in (0, 1, 9):
        receiver = Receiver()
        assert feed(receiver, line[:4] + bytes((byte,)) + line[4:]) == [(3, b"abc")], byte
