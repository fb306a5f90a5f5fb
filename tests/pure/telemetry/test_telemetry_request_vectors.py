"""Every request and reply of docs/telemetry-vectors.json, read and made by the firmware's table."""

import binascii
import json
import struct

from stimfw.protocol import messages, refusals, requests, roles

_ROOT = __file__.replace("\\", "/").rsplit("/tests/", 1)[0]
with open(_ROOT + "/docs/telemetry-vectors.json") as _file:
    _VECTORS = json.load(_file)
REQUESTS, REFUSALS = _VECTORS["requests"], _VECTORS["refusals"]


def b(text):
    return binascii.unhexlify(text)


def as_packed(values, names):
    """A JSON object's values in the order of the fields: MicroPython's objects have none."""
    found = [values[name] for name in names.split()]
    return [value if isinstance(value, int) else b(value) for value in found]


def row_of(v):
    board = "stimulator" if v["answered_by"] == "both" else v["answered_by"]
    return requests.row_of(v["number"], board)


def test_every_request_is_there_once():
    numbers = [(v["number"], v["answered_by"]) for v in REQUESTS]
    assert sorted(numbers) == sorted([(row[requests.OPCODE], row[requests.BOARDS]) for row in requests.TABLE])


def test_every_request_is_read_and_answered_as_in_the_vectors():
    for v in REQUESTS:
        row = row_of(v)
        assert row[requests.NAME].upper() == v["request"]
        assert row[requests.ROLE] == roles.ROLE_NAMES[v["role"]]
        message = b(v["request_bytes"])
        assert message[0] == v["number"]
        fields = requests.unpack_body(row, message[1:])
        assert list(fields) == as_packed(v["body"], row[requests.BODY_FIELDS]), v["request"]
        values = as_packed(v["reply"], row[requests.REPLY_FIELDS])
        if row[requests.TAIL]:
            tail = b""
            for record in v["records"]:
                parts = as_packed(record, row[requests.TAIL_FIELDS])
                tail += parts[0] if row[requests.TAIL] == "s" else struct.pack(row[requests.TAIL], *parts)
            values.append(tail)
        body = requests.pack_reply(row, tuple(values))
        assert messages.reply(v["number"], messages.OK, body) == b(v["reply_bytes"]), v["request"]


def test_a_body_of_any_other_length_is_none():
    for v in REQUESTS:
        row, body = row_of(v), b(v["request_bytes"])[1:]
        lengths = [struct.calcsize(layout) for layout in row[requests.BODY].split("|")]
        for size in range(72):
            taken = requests.unpack_body(row, (body + bytes(80))[:size]) is not None
            assert taken == (size in lengths), (v["request"], size)


def test_refusals_are_read_as_in_the_vectors():
    for v in REFUSALS:
        code, body = messages.parse_reply(v["number"], b(v["reply_bytes"]))
        assert code == v["code"]
        names = {messages.OUT_OF_RANGE: "field value", messages.WRONG_STATE: "state reason"}.get(code)
        if names is None:
            assert body == b"" and refusals.unpack(code, body) is None
        else:
            assert list(refusals.unpack(code, body)) == as_packed(v["body"], names)
