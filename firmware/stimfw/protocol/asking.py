"""What asks, and not what answers, needs of stimfw.protocol.requests. A stimulator never imports it."""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import requests

if TYPE_CHECKING:
    from typing import Any

    from stimfw.protocol.requests import Row


def may(role: int, opcode: int) -> bool:
    """Whether `role` may send a stimulator the request `opcode`; False for what it does not answer."""
    try:
        return requests.allows(requests.row_of(opcode), role)
    except KeyError:
        return False


def pack_body(row: "Row", values: "tuple[Any, ...]") -> bytes:
    """The body of a request, its fields in order. ValueError: a field of bytes has a wrong length."""
    formats: str = row[requests.BODY]
    for layout in formats.split("|"):
        body = struct.pack(layout, *values)
        if struct.unpack(layout, body) == values:
            return body
    raise ValueError("no body of %s" % row[requests.NAME])


def unpack_reply(row: "Row", body: bytes) -> "tuple[Any, ...]":
    """The fields of a reply's body; if records may follow, the last value is a list of them (or the bytes).

    Raises:
        ValueError: the length is wrong.
    """
    size = struct.calcsize(row[requests.REPLY])
    if len(body) < size or (len(body) > size and not row[requests.TAIL]):
        raise ValueError("%d bytes where %d belong" % (len(body), size))
    fields = struct.unpack(row[requests.REPLY], body[:size])
    if not row[requests.TAIL]:
        return fields
    tail = body[size:]
    return fields + (tail if row[requests.TAIL] == "s" else _records(row[requests.TAIL], tail),)


def _records(layout: str, data: bytes) -> "list[tuple[Any, ...]]":
    size = struct.calcsize(layout)
    if len(data) % size:
        raise ValueError("%d bytes are no whole number of records" % len(data))
    return [struct.unpack(layout, data[at : at + size]) for at in range(0, len(data), size)]


def pack_records(row: "Row", records: "list[tuple[Any, ...]]") -> bytes:
    """The records that follow in a reply, as bytes."""
    return b"".join([struct.pack(row[requests.TAIL], *record) for record in records])


def named_reply(row: "Row", body: bytes) -> "dict[str, Any]":
    """The fields of a reply without records by their names; ValueError if its length is wrong."""
    return {name: value for name, value in zip(row[requests.REPLY_FIELDS].split(), unpack_reply(row, body))}


def unpack_status(body: bytes) -> "dict[str, int]":
    """The fields of a STATUS reply by their names; ValueError if its length is wrong."""
    return named_reply(requests.row_of(requests.STATUS), body)
