"""The radio's frames: what is refused, and how the bytes lie."""

from stimfw.logic import messages, radio_frame
from stimfw.logic.radio_frame import HELLO, MAX_FRAME, MAX_MESSAGE, NUMBER, REPLY, REQUEST


def refused(frame):
    try:
        radio_frame.decode(frame)
    except ValueError:
        return True
    return False


def test_a_frame_comes_back_as_it_was():
    for kind in (REQUEST, REPLY, HELLO, NUMBER):
        for number in (0, 1, 0x8000, 0xFFFF):
            for length in (1, 2, MAX_MESSAGE):
                message = bytes(range(length))
                frame = radio_frame.encode(kind, number, message)
                assert radio_frame.decode(frame) == (kind, number, message)
                assert radio_frame.decode(memoryview(frame)) == (kind, number, message)


def test_the_layout_is_the_documented_one():
    frame = radio_frame.encode(REQUEST, 0x1234, b"\x04")
    assert frame == b"\x01\x01\x34\x12\x04\x4e\x40\x05\x1f"


def test_the_longest_frame_fills_a_packet():
    assert len(radio_frame.encode(REPLY, 1, bytes(MAX_MESSAGE))) == MAX_FRAME == 32


def test_messages_that_do_not_fit_are_refused():
    for length in (0, MAX_MESSAGE + 1, 200):
        try:
            radio_frame.encode(REQUEST, 1, bytes(length))
        except ValueError:
            continue
        raise AssertionError(length)


def test_start_stop_and_status_fit():
    body = messages.pack_status((0,) * len(messages.STATUS_FIELDS))
    assert len(messages.reply(messages.STATUS, messages.OK, body)) <= MAX_MESSAGE


def test_every_wrong_bit_is_seen():
    frame = radio_frame.encode(REQUEST, 513, b"\x03\x07")
    for bit in range(8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        assert refused(bytes(damaged)), bit


def test_short_and_long_frames_are_refused():
    frame = radio_frame.encode(REQUEST, 7, bytes(MAX_MESSAGE))
    for length in range(MAX_FRAME):
        assert refused(frame[:length]), length
    assert refused(frame + b"\x00")
    assert refused(b"")
    assert refused(with_crc(b"\x01\x01\x00\x00"))  # no message
    assert refused(with_crc(b"\x01\x01\x00\x00" + bytes(MAX_MESSAGE + 1)))


def test_other_versions_and_kinds_are_refused():
    assert not refused(with_crc(b"\x01\x01\x00\x00\x02"))
    assert refused(with_crc(b"\x02\x01\x00\x00\x02"))
    assert refused(with_crc(b"\x01\x00\x00\x00\x02"))
    assert refused(with_crc(b"\x01\x05\x00\x00\x02"))


def with_crc(body):
    import binascii
    import struct

    return body + struct.pack("<I", binascii.crc32(body))
