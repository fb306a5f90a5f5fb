"""What the stimulator's answers to a button's request mean, and what is shown for them."""

from typing import TYPE_CHECKING

from micropython import const

from stimfw.protocol import asking, messages, requests
from stimfw.ui import feedback

if TYPE_CHECKING:
    from stimfw.telemetry.requester import Requester

_CLOCK_UNKNOWN = const(20)
"""stimfw.protocol.therapy_reasons, which a remote does not import."""


def status_of(requester: "Requester") -> "dict[str, int] | None":
    """What the stimulator answered to STATUS; None if it makes no sense."""
    try:
        code, body = messages.parse_reply(requests.STATUS, requester.reply)
        return asking.unpack_status(body) if code == messages.OK else None
    except ValueError:
        return None


def is_implanted(requester: "Requester") -> bool:
    """Whether an answer to STATUS says that the stimulator is implanted: it answers THERAPY then."""
    status = status_of(requester)
    if status is None:
        return False
    return bool(status["flags"] & messages.FLAG_IMPLANTED) or status["state"] > messages.FAULT


def asks_for_therapy(opcode: int, requester: "Requester") -> bool:
    """Whether THERAPY follows: after STATUS of an implanted stimulator, or a START refused for its clock."""
    if opcode == requests.STATUS:
        return is_implanted(requester)
    refused = bytes((requests.START | messages.REPLY, messages.WRONG_STATE))
    return requester.reply[:2] == refused and requester.reply[3:] == bytes((_CLOCK_UNKNOWN,))


def outcome(opcode: int, requester: "Requester") -> "tuple[feedback.Pattern, bool]":
    """What to show of a request that is over, and whether it was refused."""
    if requester.state != requester.ANSWERED:
        return feedback.NO_ANSWER, False
    try:
        code, body = messages.parse_reply(opcode, requester.reply)
        if code == messages.OK and opcode == requests.STATUS:
            status = asking.unpack_status(body)
            return feedback.status(status["state"], bool(status["flags"] & messages.FLAG_MAGNET)), False
    except ValueError:
        code, body = messages.BAD_LENGTH, b""
    if code == messages.OK:
        return feedback.DELIVERED, False
    return feedback.refused(body[1] if code == messages.WRONG_STATE and len(body) == 2 else 0), True
