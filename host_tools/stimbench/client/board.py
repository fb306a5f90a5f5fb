"""What the host's view of every board has in common: requests, typed replies, refusals in plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import asking, messages, refusals, requests, roles
from stimfw.therapy import program
from stimfw.therapy.ranges import ParameterError

from stimbench.client.flash_records import FlashRecords
from stimbench.client.records import Identity, name_of
from stimbench.devices.link import Endpoint
from stimbench.errors import (
    ForbiddenError,
    OutOfRangeError,
    ProtocolError,
    RefusedError,
    WrongBoardError,
    WrongStateError,
)

__all__ = ("Board", "Channel", "TimeLimit")

_Result = TypeVar("_Result")
_REPAIR_TRIES = 5
_UNKNOWN = Identity("unknown", "unknown", "unknown")


class Channel(Protocol):
    """What carries requests: client.console.Console over USB, client.radio.RadioConsole by radio."""

    @property
    def link(self) -> Endpoint:
        """The board at the other end, and the clock that time-outs are counted on."""

    def ask(self, opcode: int, body: bytes = b"", tries: int = ...) -> tuple[int, bytes]:
        """Send a request, at most `tries` times; the reply's code and body.

        Raises:
            NoAnswerError, PortError, ProtocolError: see client.console.Console.ask.
        """


class TimeLimit:
    """Whether something takes too long, by the board's own clock.

    The host's clock says when to ask: a board that it thinks late may be one of an emulated bench that runs
    slower than the wall's clock.
    """

    def __init__(self, board: Board, limit_s: float) -> None:
        """Begin now. Raises what a request to the board raises."""
        self._board = board
        self.limit_s = limit_s
        self._begun_ms = board.uptime_ms()
        self._begun_s = board.link.now_s()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning on the host's clock, for a person who waits."""
        return self._board.link.now_s() - self._begun_s

    def is_over(self) -> bool:
        """Whether the limit is over on both clocks."""
        if self.elapsed_s <= self.limit_s:
            return False
        return elapsed_ms(self._board.uptime_ms(), self._begun_ms) > self.limit_s * 1000


class Board:
    """Requests to one board.

    Every method raises NoAnswerError, PortError or ProtocolError if the link fails, and RefusedError or one
    of its kinds if the board refuses.
    """

    ROLE = ""
    """What the board calls itself in the reply to IDENTIFY."""

    def __init__(self, console: Channel) -> None:
        """Talk over `console`."""
        self._console = console
        self.identity = _UNKNOWN

    def __repr__(self) -> str:
        known = self.identity.role != _UNKNOWN.role
        firmware = f"firmware {self.identity.version}" if known else "not asked yet"
        return f"<{type(self).__name__} on {self.link.name}, {firmware}>"

    @property
    def link(self) -> Endpoint:
        """The board at the other end, and its clock."""
        return self._console.link

    def identify(self) -> Identity:
        """Ask which board and which firmware this is."""
        self.identity = self._get(requests.IDENTIFY, Identity.unpack)
        return self.identity

    def require_role(self) -> None:
        """Find out who is at the other end; WrongBoardError if it is another kind of board."""
        role = self.identify().role
        if role != self.ROLE:
            raise WrongBoardError(f"The board on {self.link.name} is a {role}, not a {self.ROLE}.")

    def uptime_ms(self) -> int:
        """Time since the board's start, on its own clock, which wraps as in stimfw.clock.ticks."""
        (ms,) = self._fields(requests.UPTIME)
        return int(ms)

    def time_limit(self, limit_s: float) -> TimeLimit:
        """A limit that begins now and counts the board's own time."""
        return TimeLimit(self, limit_s)

    def counters(self) -> dict[str, int]:
        """Link and refusal counters, by messages.COUNTER_NAMES (those that the board knows)."""
        (counts,) = self._fields(requests.COUNTERS)
        return dict(zip(messages.COUNTER_NAMES, (count for (count,) in counts), strict=False))

    def records(self) -> FlashRecords:
        """What the board keeps on flash, and whether it is sound; over USB only.

        Raises:
            WrongStateError: the output is on.
        """
        return self._get(requests.RECORDS, FlashRecords.unpack)

    def repair(self, overwrite_later: bool = False) -> int:
        """Rewrite what is damaged on flash.

        Returns the plan that was carried out (client.flash_records.described).

        The board restarts a moment later if that is not 0.

        Raises:
            WrongStateError: the output is on, or the flash did not take it.
        """
        # Erasing takes up to 3 s. The tries have one number, and the first one's reply counts, however late.
        (plan,) = self._fields(requests.REPAIR, overwrite_later, tries=_REPAIR_TRIES)
        return int(plan)

    def _fields(self, opcode: int, *values: Any, tries: int | None = None) -> tuple[Any, ...]:
        """Send a request with these fields; the fields of the reply (requests.unpack_reply)."""
        row = self._row(opcode)
        reply = self._ask(opcode, *values, tries=tries)
        return self._unpacked(lambda body: asking.unpack_reply(row, body), reply)

    def _get(self, opcode: int, unpack: Callable[[bytes], _Result], *values: Any) -> _Result:
        """Send a request with these fields; what `unpack` makes of the reply's body."""
        return self._unpacked(unpack, self._ask(opcode, *values))

    def _row(self, opcode: int) -> requests.Row:
        return requests.row_of(opcode, self.ROLE)

    def _unpacked(self, unpack: Callable[[bytes], _Result], reply: bytes) -> _Result:
        try:
            return unpack(reply)
        except ValueError as error:
            raise ProtocolError(
                f"The reply from {self.link.name} makes no sense ({error}): "
                "firmware and host are of different versions."
            ) from error

    def _ask(self, opcode: int, *values: Any, tries: int | None = None) -> bytes:
        """Send a request with these fields; the reply's body. Done at most `tries` times."""
        body = asking.pack_body(self._row(opcode), values)
        code, reply = self._console.ask(opcode, body, tries) if tries else self._console.ask(opcode, body)
        if code != messages.OK:
            raise _refusal(opcode, code, reply)
        return reply


def _refusal(opcode: int, code: int, body: bytes) -> RefusedError:
    values = refusals.unpack(code, body)
    if values is not None:
        return _out_of_range(*values) if code == messages.OUT_OF_RANGE else _wrong_state(*values)
    if code == messages.FORBIDDEN:
        return ForbiddenError(_forbidden_text(opcode), code)
    if code == messages.UNKNOWN_OPCODE:
        return RefusedError("The board does not know this request: its firmware is of another version.", code)
    return RefusedError(f"The board refused: {name_of(messages.CODE_NAMES, code)}.", code)


def _wrong_state(state: int, reason: int) -> WrongStateError:
    why = name_of(messages.REASON_TEXTS, reason)
    text = f"The board refused: it is in the state '{name_of(messages.STATE_NAMES, state)}'"
    return WrongStateError(text + (f", {why}." if why else "."), messages.WRONG_STATE, state, reason)


def _forbidden_text(opcode: int) -> str:
    if asking.may(roles.CLINICIAN, opcode):
        return "The board refused: that is not allowed to a patient's key; it takes a clinician's."
    return "The board refused: no key allows that, it is done over the board's own USB only."


def _out_of_range(index: int, value: int) -> OutOfRangeError:
    field = name_of(program.FIELD_NAMES, index)
    if index >= len(program.FIELD_NAMES):  # no field of a programme: a limit, a duration, a slot
        text = f"The board refused the value {value}: it is out of range."
        return OutOfRangeError(text, messages.OUT_OF_RANGE, field, value, "")
    try:
        allowed = program.range_of(field).text()
    except ParameterError as error:
        allowed = error.allowed
    text = f"The board refused {field} = {value}: allowed is {allowed}, and it must fit the other fields."
    return OutOfRangeError(text, messages.OUT_OF_RANGE, field, value, allowed)
