"""Requests to a stimulator by radio, with a remote on USB as the modem.

The host runs the peer's end of the protocol (docs/telemetry.md); the remote carries sealed frames and cannot
read them. A request that is repeated in the air is executed once.

All limits count the modem's time, which it tells with each answer. A busy host, or an emulated bench that
runs slower than the wall's clock, is not taken for a stimulator that does not answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages, requests
from stimfw.telemetry import fragments
from stimfw.telemetry.addresses import CHANNELS
from stimfw.telemetry.requester import Requester

from stimbench.client.keyring import HostPairing
from stimbench.client.remote import ModemReport, Remote
from stimbench.devices.link import Endpoint
from stimbench.errors import NoAnswerError, ProtocolError, StimbenchError, WrongStateError

__all__ = ("RadioConsole",)

LIMIT_MS = 1000
STOP_LIMIT_MS = 3000
PIECE_MS = 60
"""For each further piece of a request or a reply: two exchanges."""
HOST_MS = 10
"""Between two frames the host's own delay counts for this at the most, however busy the host is."""
ANSWER_MS = 30
"""A wait for an answer counts for this at the most, however late this host looks: longer than any takes."""
_REQUESTER_LIMIT_MS = 600_000
"""The requester's own limit, which would count the host's delays too: far beyond ours."""
_FLIGHT_S = 0.005
"""No frame's fate is known earlier: the radio's crystal alone takes 4.5 ms (nRF24L01+ 6.1.7)."""
_LOOK_S = 0.002
"""Between two looks at the modem; one takes about half of that on USB."""
_BUSY_S = 0.02
_MOST_LOOKS = 500
"""With the modem's clock at one value: a look takes a millisecond and more, so that clock stands still."""
_CLOCK_HALF_MS = 1 << 29
_LONG_REPLIES = {
    requests.IDENTIFY: 100,
    requests.GET_PROGRAM: 64,
    requests.DETAILS: 40,
    requests.COUNTERS: 80,
    requests.IMPEDANCE_RESULTS: 98,
    requests.PULSES: messages.MAX_BODY,
    requests.LOG: messages.MAX_BODY,
    requests.STRANGERS: messages.MAX_BODY,
}
"""Bytes of the replies that take more than one piece, at the most."""


class RadioConsole:
    """One conversation with one stimulator by radio; stands where client.console.Console does."""

    def __init__(
        self,
        remote: Remote,
        pairing: HostPairing,
        take_random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Talk through `remote`, which is its owner's to close.

        Args:
            remote: a remote on USB; whether it is paired itself does not matter.
            pairing: this host's; its epoch must never have been used before.
            take_random: `take_random(n) -> n bytes`.
        """
        self._remote = remote
        self._base, self._slot = pairing.base, pairing.slot
        self._requester = Requester(
            pairing.slot, pairing.role, pairing.key, pairing.epoch, take_random, generation=pairing.generation
        )
        self._link = _ByRadio(remote.link)
        self._used = _ModemTime(0)
        self._flying = False
        self._went = False
        self._heard_before = 0
        self._busy: WrongStateError | None = None

    def __repr__(self) -> str:
        return f"<RadioConsole to {self._link.name}>"

    @property
    def link(self) -> Endpoint:
        """The stimulator, on the clock of the remote's link."""
        return self._link

    @property
    def confirmed(self) -> bool:
        """Whether an authentic answer has come: the stimulator knows this key's generation."""
        return self._requester.confirmed

    def ask(self, opcode: int, body: bytes = b"", tries: int = 1) -> tuple[int, bytes]:
        """Send a request and wait for its reply; see client.console.Console.ask.

        Args:
            opcode: of stimfw.protocol.messages.
            body: up to messages.MAX_BODY bytes.
            tries: not used: the protocol itself repeats, and has each request executed once.

        Raises:
            NoAnswerError: no reply by radio; the text says whether anything was heard of the stimulator. Or
                the modem itself does not answer on its port, which is all that the link's own clock bounds.
            WrongStateError: the remote is busy with its own buttons.
            PortError: the remote's port went away.
            ProtocolError: the reply answers another opcode.
        """
        message = messages.request(opcode, body)
        report = self._remote.modem_receive()  # for its clock; a frame that came too late is dropped
        self._used = _ModemTime(report.now_ms)
        self._flying, self._busy = False, None
        self._went = False
        self._heard_before = self._genuine()
        self._requester.begin(message, _REQUESTER_LIMIT_MS, report.now_ms)
        while self._requester.state == Requester.WAITING and self._used.ms < limit_ms(message):
            report = self._step(report)
        if self._requester.state != Requester.ANSWERED:
            raise self._busy or self._no_answer()
        try:
            return messages.parse_reply(opcode, self._requester.reply)
        except ValueError as error:
            raise ProtocolError(f"{self._link.name} gave a reply to another request: {error}.") from error

    def close(self) -> None:
        """Switch the remote's radio off. A remote that is gone has done so."""
        try:
            self._remote.modem_close()
        except StimbenchError:
            return

    def _step(self, seen: ModemReport) -> ModemReport:
        """Send what is due by the modem's latest report, or wait for more; its next report, taken in.

        Never a frame without a report before it: the modem drops an answer that nobody fetched.
        """
        frame = None if self._flying else self._requester.poll(seen.now_ms)
        if frame is not None:
            self._send(frame, seen.now_ms)
        else:
            self._link.wait(_LOOK_S)
        report = self._remote.modem_receive()
        self._take(report)
        if self._used.looks > _MOST_LOOKS:
            raise NoAnswerError(
                f"The clock of the remote on {self._remote.link.name} stands still: reset the remote."
            )
        return report

    def _send(self, frame: bytes, now_ms: int) -> None:
        channel = CHANNELS.index(self._requester.channel)
        try:
            given_ms = self._remote.modem_send(self._base, self._slot, channel, frame)
        except WrongStateError as error:
            if error.reason != messages.REASON_BUSY:
                raise
            # A button was pressed on it. Again, until the request's limit is there.
            self._busy = error
            self._link.wait(_BUSY_S)
            self._requester.sent(False, now_ms)
        else:
            self._busy = None
            self._flying = True
            self._used.count(given_ms, HOST_MS)
            self._link.wait(_FLIGHT_S)

    def _take(self, report: ModemReport) -> None:
        """Count the modem's time, and tell the requester what happened and when."""
        if self._busy or (self._flying and report.state == messages.MODEM_SENDING):
            self._used.count(report.now_ms)
            return
        if self._flying:
            self._used.count(report.at_ms)
            self._flying = False
            went = report.state == messages.MODEM_SENT
            self._went |= went
            self._requester.sent(went, report.at_ms)
        if report.frame:
            self._used.count(report.at_ms)
            self._requester.on_frame(report.frame, report.at_ms)
        else:
            # Nothing came yet. The stimulator's share of this wait is no longer than an answer takes.
            self._used.count(report.now_ms, ANSWER_MS)

    def _no_answer(self) -> NoAnswerError:
        name = self._remote.link.name
        if not self._went:
            return NoAnswerError(f"The remote on {name} could not send: its radio does not work.")
        if self._genuine() > self._heard_before:
            return NoAnswerError(
                f"The stimulator answered the remote on {name}, but not all of its answer came: try again."
            )
        return NoAnswerError(
            f"No answer by radio through the remote on {name}: the stimulator is out of reach, off, or "
            "jammed; or it has forgotten this host, and `stimbench pair --clinician` gives it a new key."
        )

    def _genuine(self) -> int:
        """How many authentic frames have come."""
        link = self._requester
        return link.frames - link.bad - link.stray


class _ModemTime:
    """How much of a request's time is used up, on the modem's clock.

    Attributes:
        ms: used so far.
        looks: times that were counted since the clock last moved.
    """

    def __init__(self, now_ms: int) -> None:
        """Begin at `now_ms`, which was told by the modem."""
        self.ms = 0
        self.looks = 0
        self._counted_ms = now_ms

    def count(self, until_ms: int, most_ms: int = _CLOCK_HALF_MS) -> None:
        """Count up to `until_ms`, but no more than `most_ms`; a time that was counted before adds nothing."""
        span_ms = elapsed_ms(until_ms, self._counted_ms)
        self.looks += 1
        if 0 < span_ms < _CLOCK_HALF_MS:
            self.looks = 0
            self.ms += min(span_ms, most_ms)
            self._counted_ms = until_ms


class _ByRadio:
    """The far end by radio: the remote's clock, another name."""

    def __init__(self, modem: Endpoint) -> None:
        self._modem = modem

    @property
    def name(self) -> str:
        return f"the stimulator by radio ({self._modem.name})"

    def now_s(self) -> float:
        return self._modem.now_s()

    def wait(self, seconds: float) -> None:
        self._modem.wait(seconds)


def limit_ms(message: bytes) -> int:
    """How long to try for a request: 1 s, 3 s for STOP, more for each further piece it or its reply takes."""
    if message[0] == requests.STOP:
        return STOP_LIMIT_MS
    reply_bytes = _LONG_REPLIES.get(message[0], 0)
    further = fragments.count(message) + fragments.count(bytes(reply_bytes)) - 2
    return LIMIT_MS + PIECE_MS * further
