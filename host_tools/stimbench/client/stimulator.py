"""The stimulator as the host sees it: one method a request, typed results, errors in plain words."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import TypeVar

from stimfw.logic import messages, program
from stimfw.logic.program import Program
from stimfw.logic.ranges import LEADS, ParameterError

from stimbench.client.console import Console
from stimbench.client.errors import (
    NoAnswerError,
    OutOfRangeError,
    ProtocolError,
    RefusedError,
    WrongBoardError,
    WrongStateError,
)
from stimbench.client.link import Link
from stimbench.client.records import (
    Details,
    Identity,
    PairImpedance,
    PulseSample,
    Status,
    name_of,
    unpack_pairs,
    unpack_pulses,
)

__all__ = ("Stimulator", "connect")

ROLE = "stimulator"
IMPEDANCE_TIMEOUT_S = 30.0
_POLL_S = 0.2
_STOP_TRIES = 5

_Result = TypeVar("_Result")


def connect(link: Link, first_number: int | None = None) -> Stimulator:
    """Find out who is at the other end and return it.

    Args:
        link: an open link.
        first_number: number of the first request; by default taken from the time of day.

    Raises:
        WrongBoardError: it is not a stimulator.
        NoAnswerError: nothing answers.
        PortError: the port went away.
    """
    if first_number is None:
        first_number = time.time_ns() >> 20
    stimulator = Stimulator(Console(link, first_number))
    identity = stimulator.identify()
    if identity.role != ROLE:
        raise WrongBoardError(f"The board on {link.name} is a {identity.role}, not a {ROLE}.")
    return stimulator


class Stimulator:
    """Requests to one stimulator.

    Every method raises NoAnswerError, PortError or ProtocolError if the link fails.
    """

    def __init__(self, console: Console) -> None:
        """Talk over `console`."""
        self._console = console
        self.identity = Identity("unknown", "unknown", "unknown")

    @property
    def link(self) -> Link:
        """The link to the board."""
        return self._console.link

    def identify(self) -> Identity:
        """Ask which board and which firmware this is."""
        self.identity = self._get(messages.IDENTIFY, Identity.unpack)
        return self.identity

    def status(self) -> Status:
        """The present state."""
        return self._get(messages.STATUS, Status.unpack)

    def details(self) -> Details:
        """Uptime, pulse counts and the like."""
        return self._get(messages.DETAILS, Details.unpack)

    def counters(self) -> dict[str, int]:
        """Link and refusal counters, by messages.COUNTER_NAMES (those that the board knows)."""
        return self._get(messages.COUNTERS, _unpack_counters)

    def program(self) -> Program:
        """The programme that the board holds."""
        return self._get(messages.GET_PROGRAM, program.unpack)

    def set_program(self, wanted: Program) -> None:
        """Send a whole programme.

        Raises:
            OutOfRangeError: the board's ranges are narrower than the host's.
            WrongStateError: the output is on, or a measurement runs.
        """
        self._ask(messages.SET_PROGRAM, wanted.pack())

    def start(self) -> None:
        """Begin a session.

        Raises:
            WrongStateError: the board is not ready; the error says why.
            NoAnswerError: no reply: whether the session began is unknown, and the text says so.
        """
        try:
            # Once only: if just the reply was lost, a second request would be refused as "already on".
            self._ask(messages.START, tries=1)
        except NoAnswerError as error:
            raise NoAnswerError(
                f"{error} The output may be on all the same: see `stimbench status`."
            ) from error

    def stop(self) -> None:
        """Turn the output off. Stopping what is off is no error."""
        self._ask(messages.STOP, tries=_STOP_TRIES)

    def self_test(self) -> tuple[str, ...]:
        """Test the output with a current that crosses no electrode pair; the parts found wanting.

        Raises:
            WrongStateError: the board is not ready for it.
            NoAnswerError: it does not finish in time.
        """
        self._ask(messages.SELF_TEST, tries=1)
        return self._await_measured(lambda seconds: None, IMPEDANCE_TIMEOUT_S).failed_parts

    def impedance_results(self, lead: int) -> list[PairImpedance]:
        """The last results of a lead (0 left, 1 right)."""
        return self._get(messages.IMPEDANCE_RESULTS, lambda body: unpack_pairs(lead, body), bytes((lead,)))

    def measure_impedance(
        self, on_poll: Callable[[float], None] = lambda seconds: None, timeout_s: float = IMPEDANCE_TIMEOUT_S
    ) -> list[PairImpedance]:
        """Measure all pairs of both leads.

        Args:
            on_poll: called with the seconds since the start, each time that the board still measures.
            timeout_s: after how long to give up, in seconds of the link's time.

        Raises:
            WrongStateError: the board is not ready for it.
            NoAnswerError: it does not finish in `timeout_s`.
        """
        self._ask(messages.IMPEDANCE, tries=1)
        self._await_measured(on_poll, timeout_s)
        return [pair for lead in range(len(LEADS)) for pair in self.impedance_results(lead)]

    def pulses(self, first: int = 0) -> list[PulseSample]:
        """The board's own measurements of pulses, from number `first` or the oldest that it still has."""
        return self._get(messages.PULSES, unpack_pulses, struct.pack("<I", first))

    def _await_measured(self, on_poll: Callable[[float], None], timeout_s: float) -> Status:
        begun_s = self.link.now_s()
        while (status := self.status()).state == messages.MEASURING:
            elapsed_s = self.link.now_s() - begun_s
            if elapsed_s > timeout_s:
                raise NoAnswerError(f"The measurement did not end within {timeout_s:g} s.")
            on_poll(elapsed_s)
            self.link.wait(_POLL_S)
        return status

    def _get(self, opcode: int, unpack: Callable[[bytes], _Result], body: bytes = b"") -> _Result:
        reply = self._ask(opcode, body)
        try:
            return unpack(reply)
        except (ValueError, struct.error) as error:
            raise ProtocolError(
                f"The reply from {self.link.name} makes no sense ({error}): "
                "firmware and host are of different versions."
            ) from error

    def _ask(self, opcode: int, body: bytes = b"", tries: int | None = None) -> bytes:
        code, reply = self._console.ask(opcode, body, tries) if tries else self._console.ask(opcode, body)
        if code != messages.OK:
            raise _refusal(code, reply)
        return reply


def _unpack_counters(body: bytes) -> dict[str, int]:
    values = [value for (value,) in struct.iter_unpack("<I", body)]
    return dict(zip(messages.COUNTER_NAMES, values, strict=False))


def _refusal(code: int, body: bytes) -> RefusedError:
    if code == messages.OUT_OF_RANGE and len(body) == 5:
        index, value = struct.unpack("<Bi", body)
        return _out_of_range(index, value)
    if code == messages.WRONG_STATE and len(body) == 2:
        state = name_of(messages.STATE_NAMES, body[0])
        why = name_of(messages.REASON_TEXTS, body[1])
        text = f"The board refused: it is in the state '{state}'" + (f", {why}." if why else ".")
        return WrongStateError(text, code, body[0], body[1])
    if code == messages.UNKNOWN_OPCODE:
        return RefusedError("The board does not know this request: its firmware is of another version.", code)
    return RefusedError(f"The board refused: {name_of(messages.CODE_NAMES, code)}.", code)


def _out_of_range(index: int, value: int) -> OutOfRangeError:
    field = name_of(program.FIELD_NAMES, index)
    try:
        allowed = program.range_of(field).text()
    except ParameterError as error:
        allowed = error.allowed
    text = f"The board refused {field} = {value}: allowed is {allowed}, and it must fit the other fields."
    return OutOfRangeError(text, messages.OUT_OF_RANGE, field, value, allowed)
