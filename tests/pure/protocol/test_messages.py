"""Requests, replies and their bodies: there and back, and refused if cut."""

import struct

from stimfw.protocol import asking, messages, requests, therapy_reasons
from stimfw.protocol.messages import COUNTER_NAMES
from stimfw.telemetry import fragments

STATUS, DETAILS = requests.row_of(requests.STATUS), requests.row_of(requests.DETAILS)
STATUS_FIELDS = STATUS[requests.REPLY_FIELDS].split()
DETAILS_FIELDS = DETAILS[requests.REPLY_FIELDS].split()
RADIO_PIECE = 16  # bytes of a message in one frame (docs/telemetry.md)


def raises(call):
    try:
        call()
    except ValueError:
        return True
    return False


def test_a_reply_belongs_to_its_request():
    for opcode in range(requests.IDENTIFY, requests.CONTRACTIONS + 1):
        message = messages.reply(opcode, messages.WRONG_STATE, b"ab")
        assert messages.parse_reply(opcode, message) == (messages.WRONG_STATE, b"ab")
        assert raises(lambda opcode=opcode, message=message: messages.parse_reply(opcode + 1, message))
        assert raises(lambda opcode=opcode: messages.parse_reply(opcode, messages.request(opcode, b"ab")))
    for short in (b"", b"\x82"):
        assert raises(lambda short=short: messages.parse_reply(2, short))


def test_status_comes_back_as_it_was():
    values = (2, 1, 3, 63, 10000, 9975, 3600, 5100)
    body = requests.pack_reply(STATUS, values)
    assert asking.unpack_status(body) == {name: value for name, value in zip(STATUS_FIELDS, values)}
    assert raises(lambda: asking.unpack_status(body[:-1])) and raises(
        lambda: asking.unpack_status(body + b"\0")
    )


def test_details_come_back_as_they_were():
    values = (0xFFFFFFFF, 720000, 720000, 65535, 3, -200, 200000, 190000)
    body = requests.pack_reply(DETAILS, values)
    assert asking.named_reply(DETAILS, body) == {name: value for name, value in zip(DETAILS_FIELDS, values)}
    assert raises(lambda: asking.named_reply(DETAILS, b""))


def test_what_the_remote_needs_fits_one_piece_of_a_radio_frame():
    body = requests.pack_reply(STATUS, (0,) * len(STATUS_FIELDS))
    status = messages.reply(requests.STATUS, messages.OK, body)
    assert len(STATUS_FIELDS) < len(status) <= RADIO_PIECE
    assert fragments.count(status) == 1
    assert fragments.count(bytes(RADIO_PIECE)) == 1 and fragments.count(bytes(RADIO_PIECE + 1)) == 2


def test_what_the_remote_asks_of_an_implanted_stimulator_fits_two_pieces():
    therapy = requests.row_of(requests.THERAPY)
    body = requests.pack_reply(therapy, (0,) * len(therapy[requests.REPLY_FIELDS].split()))
    assert fragments.count(messages.reply(requests.THERAPY, messages.OK, body)) == 2
    kept = requests.row_of(requests.KEPT_TIME)
    assert fragments.count(messages.request(requests.KEPT_TIME, asking.pack_body(kept, (0xFFFFFFFF,)))) == 1


def test_the_largest_replies_fit_the_console():
    assert 12 * struct.calcsize(requests.PAIR_RECORD) <= messages.MAX_BODY
    assert 4 * len(COUNTER_NAMES) <= messages.MAX_BODY
    assert 4 + 33 * struct.calcsize(requests.PULSE_RECORD) <= messages.MAX_BODY
    assert 4 + 16 * struct.calcsize(requests.LOG_RECORD) <= messages.MAX_BODY
    assert 4 + messages.SLOTS * struct.calcsize(requests.PAIRING_RECORD) <= messages.MAX_BODY
    assert struct.calcsize(requests.row_of(requests.JOURNAL)[requests.REPLY]) + 7 * 32 <= messages.MAX_BODY


def test_records_are_packed_without_gaps():
    assert struct.calcsize(requests.LOG_RECORD) == 8
    assert struct.calcsize(requests.STRANGER_RECORD) == 7
    assert struct.calcsize(requests.PAIRING_RECORD) == 7
    assert struct.calcsize(requests.AMPLITUDE_WINDOW) == 8


def test_senders_that_are_no_slot_are_none():
    assert messages.SLOTS <= messages.FROM_USB < messages.FROM_NOBODY <= 0xFF
    assert messages.SLOTS <= messages.ALL_SLOTS


def test_every_code_state_and_reason_has_a_name():
    assert messages.CODE_NAMES[messages.BAD_LENGTH] == "bad length"
    assert messages.CODE_NAMES[messages.FORBIDDEN] == "forbidden to this role"
    assert messages.EVENT_NAMES[messages.EVENT_FACTORY_RESET] == "factory reset"
    assert messages.EVENT_NAMES[messages.EVENT_STOPPED] == "output off"
    assert messages.EVENT_NAMES[messages.EVENT_RIGHT_AMPLITUDE] == "right amplitude"
    assert len(messages.EVENT_NAMES) == messages.EVENT_LATER_PART_MENDED + 1
    assert messages.EVENT_NAMES[messages.EVENT_PAIRED] == "paired"
    assert messages.STATE_NAMES[messages.FAULT] == "fault" and messages.STATE_NAMES[messages.REST] == "rest"
    assert messages.STATE_NAMES[-1] == "test train" and messages.STOP_NAMES[-1] == "limit"
    assert messages.REASON_TEXTS[messages.REASON_RANDOM] == "the random source failed its tests"
    assert len(messages.REASON_TEXTS) == therapy_reasons.DAY_LIMIT + 1
    assert messages.STOP_NAMES[messages.STOPPED_MAGNET] == "magnet"
    assert messages.PART_NAMES.index("matrix") == 1 and messages.PART_MATRIX == 1 << 1
    assert 1 << messages.PART_NAMES.index("filesystem") == messages.PART_FILESYSTEM
