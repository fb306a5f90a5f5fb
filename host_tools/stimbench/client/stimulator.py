"""The stimulator as the host sees it: one method a request, typed results, errors in plain words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any, TypeVar

from stimfw.protocol import messages, requests
from stimfw.therapy import program
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.client.access_records import (
    AmplitudeWindow,
    LogEvent,
    StimulatorPairings,
    Strangers,
    unpack_log,
)
from stimbench.client.board import TimeLimit
from stimbench.client.calibration import CalibrationRequests
from stimbench.client.console import Console, answering
from stimbench.client.journal_requests import JournalRequests
from stimbench.client.records import (
    Details,
    FlashCache,
    PairImpedance,
    PulseSample,
    Status,
    unpack_pairs,
    unpack_pulses,
)
from stimbench.client.therapy_requests import TherapyRequests
from stimbench.devices.link import Link
from stimbench.errors import NoAnswerError, RefusedError, StimbenchError

__all__ = ("Stimulator", "connect")

IMPEDANCE_TIMEOUT_S = 30.0
_POLL_S = 0.2
_ATTEND_S = 0.9
"""Twice in the board's 2 s, and no more often: each question makes garbage (docs/decisions/0055)."""
_STOP_TRIES = 5
_Numbered = TypeVar("_Numbered", PulseSample, LogEvent)
_PULSES = 30
"""New ones come while the older ones are read, so there has to be a limit."""
_BEYOND_ALL = 0x3FFFFFFF
"""Above every number of a pulse: the board answers with the count. A small integer of MicroPython."""
_MOST_EVENTS = 10_000
_EVENTS_BACK = 64
"""How many more are looked at each time for the last start."""
"""No board has more events: a log that goes on is an error."""


def connect(link: Link, first_number: int | None = None) -> Stimulator:
    """Find out who is at the other end and return it.

    Args:
        link: an open link.
        first_number: number of the first request; by default taken from the time of day.

    Raises:
        WrongBoardError: it is not a stimulator.
        NoAnswerError: nothing answers (AtPromptError: its application does not run).
        PortError: the port went away.
    """
    if first_number is None:
        first_number = time.time_ns() >> 20
    console = Console(link, first_number)
    return answering(console, Stimulator(console))


class Stimulator(TherapyRequests, JournalRequests, CalibrationRequests):
    """Requests to one stimulator, over USB or by radio; errors as of Board."""

    ROLE = "stimulator"

    def status(self) -> Status:
        """The present state."""
        return self._get(requests.STATUS, Status.unpack)

    def details(self) -> Details:
        """Uptime, pulse counts and the like."""
        return self._get(requests.DETAILS, Details.unpack)

    def flash_cache(self, clear: bool = False) -> FlashCache:
        """What its flash cache has counted; over USB only.

        Args:
            clear: set the counters to zero afterwards.

        Raises:
            ForbiddenError: asked by radio.
        """
        return self._get(requests.XIP, FlashCache.unpack, clear)

    def program(self) -> Program:
        """The programme that the board holds."""
        return self._get(requests.GET_PROGRAM, program.unpack)

    def set_program(self, wanted: Program) -> None:
        """Send a whole programme.

        Raises:
            OutOfRangeError: the board's ranges are narrower than the host's.
            WrongStateError: the output is on, or a measurement runs.
        """
        self._ask(requests.SET_PROGRAM, *wanted.values)

    def amplitude(self, left_ua: int, right_ua: int) -> None:
        """Set both leads' amplitudes, 0-10 000 uA in steps of 25; also while the output is on.

        Raises:
            OutOfRangeError: not an amplitude, or too much net direct current in the programme's contractions.
            WrongStateError: a patient's key, and outside the window that the clinician allowed.
        """
        self._ask(requests.AMPLITUDE, left_ua, right_ua)

    def window(self) -> AmplitudeWindow:
        """The amplitudes that a patient may choose."""
        return self._get(requests.GET_WINDOW, AmplitudeWindow.unpack)

    def set_window(self, window: AmplitudeWindow) -> None:
        """Allow a patient these amplitudes; `AmplitudeWindow()` closes the window.

        Raises:
            OutOfRangeError: a limit is no amplitude, a lowest one is above its highest, or a highest one
                would be too much net direct current in the programme's contractions.
        """
        self._ask(requests.SET_WINDOW, *astuple(window))

    def start(self) -> None:
        """Begin a session. A board without a radio wants it attended: `attend`.

        Raises:
            WrongStateError: the board is not ready; the error says why.
            NoAnswerError: no reply: whether the session began is unknown, and the text says so.
        """
        self._ask_once(requests.START)

    def test_stimulation(self, seconds: int) -> None:
        """Begin one contraction, held for 1-30 s, then the output goes off. Errors as of `start`."""
        self._ask_once(requests.TEST_STIMULATION, seconds)

    def attend(self) -> Status:
        """Stay with what runs until the output is off; the state then.

        A board without a radio ends a session when its host is silent for 2 s (`Status.needs_host`). If this
        is interrupted or fails, the board is told to stop.
        """
        with self.stopped_if_it_fails():
            while (status := self.status()).state not in (messages.READY, messages.FAULT):
                self.link.wait(_ATTEND_S)
        return status

    def stop(self) -> None:
        """Turn the output off. Stopping what is off is no error."""
        self._ask(requests.STOP, tries=_STOP_TRIES)

    @contextmanager
    def stopped_if_it_fails(self, errors_too: bool = True) -> Iterator[None]:
        """If the block fails or is interrupted, the board is told to stop what was begun in it.

        A refusal began nothing, and stops nothing. If the board cannot be told, the exception has a note.

        Args:
            errors_too: False if only an interruption (Ctrl-C) is to stop it.
        """
        try:
            yield
        except RefusedError:
            raise
        except BaseException as failure:
            if errors_too or not isinstance(failure, Exception):
                self._stop_after(failure)
            raise

    def _stop_after(self, failure: BaseException) -> None:
        try:
            self.stop()
        except StimbenchError as error:
            failure.add_note(f"The output could not be told to stop: use the magnet. ({error})")

    def self_test(self) -> tuple[str, ...]:
        """Test the output with a current that crosses no electrode pair; the parts that failed.

        If it is interrupted, the board is told to stop.

        Raises:
            WrongStateError: the board is not ready for it.
            NoAnswerError: it does not finish in time.
        """
        limit = self.time_limit(IMPEDANCE_TIMEOUT_S)
        with self.stopped_if_it_fails():
            self._ask(requests.SELF_TEST, tries=1)
            return self._await_measured(lambda seconds: None, limit).failed_parts

    def impedance_results(self, lead: int) -> list[PairImpedance]:
        """The last results of a lead (0 left, 1 right)."""
        return self._get(requests.IMPEDANCE_RESULTS, lambda body: unpack_pairs(lead, body), lead)

    def measure_impedance(
        self, on_poll: Callable[[float], None] = lambda seconds: None, timeout_s: float = IMPEDANCE_TIMEOUT_S
    ) -> list[PairImpedance]:
        """Measure all pairs of both leads. If it is interrupted, the board is told to stop.

        Args:
            on_poll: called with the seconds since the start, each time that the board still measures.
            timeout_s: after how long to give up, in seconds of the board's time.

        Raises:
            WrongStateError: the board is not ready for it.
            NoAnswerError: it does not finish in `timeout_s`.
        """
        limit = self.time_limit(timeout_s)
        with self.stopped_if_it_fails():
            self._ask(requests.IMPEDANCE, tries=1)
            self._await_measured(on_poll, limit)
        return [pair for lead in range(len(LEADS)) for pair in self.impedance_results(lead)]

    def pulse_count(self) -> int:
        """How many pulses the board has measured in the present or last session; the newest has one less.

        It begins anew with a session, and is 0 after a measurement of impedance.
        """
        first: int = self._fields(requests.PULSES, _BEYOND_ALL)[0]
        return first

    def pulses(self, first: int | None = None, count: int = _PULSES) -> list[PulseSample]:
        """What the board itself measured in its pulses, in order of their numbers: the newest is the last.

        Args:
            first: number of the first pulse that is wanted; if the board has it no more, its oldest one.
                Without it, the newest `count` pulses.
            count: how many at most. The board keeps the newest 504.

        Returns:
            Up to `count` pulses of the present or last session, fewer if there are no more; none after a
            measurement of impedance.
        """
        end = None
        if first is None:
            end = self.pulse_count()
            first = max(0, end - count)
            if not end:
                return []
        found = self._pages(requests.PULSES, unpack_pulses, first, count, end)
        return found[:count]

    def log(self, first: int | None = None) -> list[LogEvent]:
        """The events that the board still has, those of earlier starts too.

        Args:
            first: the number to begin with. Without it, the events since the board's last start.
        """
        if first is not None:
            return self._pages(requests.LOG, unpack_log, first, _MOST_EVENTS)
        found: list[LogEvent] = []
        before, back = self._fields(requests.LOG, _BEYOND_ALL)[0], _EVENTS_BACK
        while before:
            first = max(0, before - back)
            older = self._pages(requests.LOG, unpack_log, first, _MOST_EVENTS, before)
            found = [event for event in older if event.number < before] + found
            starts = [event.number for event in found if event.kind == messages.EVENT_STARTED]
            if starts:
                return [event for event in found if event.number >= starts[-1]]
            # Where events gave way, numbers are missing: many, after a flood of them.
            before, back = first, 2 * back
        return found

    def strangers(self) -> Strangers:
        """What senders without a key sent since the board's start."""
        return self._get(requests.STRANGERS, Strangers.unpack, 0)

    def _pages(
        self,
        opcode: int,
        unpack: Callable[[bytes], list[_Numbered]],
        first: int,
        most: int,
        end: int | None = None,
    ) -> list[_Numbered]:
        """The numbered records of one reply after the other, until there are `most` or no newer ones.

        `end`: the number where to stop. New ones come while the others are read.
        """
        found: list[_Numbered] = []
        while len(found) < most and (end is None or first < end):
            page = self._get(opcode, unpack, first)
            if not page or page[0].number < first:
                break
            found += page
            first = page[-1].number + 1
        return found

    def time(self) -> int | None:
        """Seconds since 1970 on the board's clock; None if nobody set it since the board's start."""
        (seconds,) = self._fields(requests.GET_TIME)
        return seconds or None

    def set_time(self, seconds: int) -> None:
        """Set the board's clock; `seconds` since 1970, u32."""
        self._ask(requests.SET_TIME, seconds)

    def pairings(self) -> StimulatorPairings:
        """The stimulator's base and the slots that are taken; over USB only."""
        return self._get(requests.PAIRINGS, StimulatorPairings.unpack)

    def pair(self, peer_id: bytes, role: int, key: bytes) -> tuple[int, bytes]:
        """Give the stimulator a pairing; over USB only.

        An older one of this peer stays valid until the new one is used.

        Args:
            peer_id: 4 bytes.
            role: roles.PATIENT or roles.CLINICIAN.
            key: 32 bytes.

        Returns:
            The slot, and the stimulator's base (4 bytes).

        Raises:
            WrongStateError: all slots are taken, the output is on, or the flash did not take it.
        """
        slot, base = self._fields(requests.PAIR, peer_id, role, key)
        return slot, base

    def forget(self, slot: int | None) -> None:
        """Erase a pairing, or all of them (None); over USB only."""
        self._ask(requests.FORGET, messages.ALL_SLOTS if slot is None else slot)

    def factory_reset(self) -> None:
        """Erase all pairings, draw a new base, set the factory's programme; over USB only.

        Raises:
            WrongStateError: no magnet is held at the stimulator.
        """
        self._ask(requests.FACTORY_RESET)

    def _await_measured(self, on_poll: Callable[[float], None], limit: TimeLimit) -> Status:
        while (status := self.status()).state == messages.MEASURING:
            if limit.is_over():
                raise NoAnswerError(f"The measurement did not end within {limit.limit_s:g} s.")
            on_poll(limit.elapsed_s)
            self.link.wait(_POLL_S)
        return status

    def _ask_once(self, opcode: int, *values: Any) -> None:
        try:
            # Once only: if just the reply was lost, a second request would be refused as "already on".
            self._ask(opcode, *values, tries=1)
        except NoAnswerError as error:
            raise NoAnswerError(
                f"{error} The output may be on all the same: see `stimbench status`."
            ) from error
