"""What a handler answers: done, with the reply's values, or refused, with the reason. Packed in one place."""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, requests

if TYPE_CHECKING:
    from typing import Any

    from stimfw.protocol.requests import Row

    Answer = tuple[int, tuple[Any, ...]]

NO_FIELD = 0xFF
"""In OUT_OF_RANGE: the value is no field of a programme."""

_WRONG_STATE = "<BB"  # state, reason
_OUT_OF_RANGE = "<BI"  # index in program.FIELD_NAMES or NO_FIELD, value: all fields of requests are unsigned
_MOST = 0xFFFFFFFF


def done(*values: object) -> "Answer":
    """The request was carried out; the values of its reply (requests.pack_reply)."""
    return messages.OK, values


def wrong_state(state: int, reason: int) -> "Answer":
    """Refused in this state: messages.REASON_...."""
    return messages.WRONG_STATE, (state, reason)


def out_of_range(value: object, field: int = NO_FIELD) -> "Answer":
    """Refused because of a value; what is no u32, and so came in no request, is told as 0."""
    return messages.OUT_OF_RANGE, (field, value if isinstance(value, int) and 0 <= value <= _MOST else 0)


def pack(row: "Row", answer: "Answer") -> bytes:
    """The reply's bytes, its opcode and code included."""
    code, values = answer
    if code == messages.OK:
        body = requests.pack_reply(row, values)
    else:
        body = struct.pack(_WRONG_STATE if code == messages.WRONG_STATE else _OUT_OF_RANGE, *values)
    return messages.reply(row[requests.OPCODE], code, body)


def unpack(code: int, body: bytes) -> "tuple[int, int] | None":
    """State and reason of a WRONG_STATE, field and value of an OUT_OF_RANGE; None if it is neither."""
    layout = {messages.WRONG_STATE: _WRONG_STATE, messages.OUT_OF_RANGE: _OUT_OF_RANGE}.get(code)
    if layout is None or len(body) != struct.calcsize(layout):
        return None
    first, second = struct.unpack(layout, body)
    return first, second
