"""Requests to a stimulator by radio, with a remote on USB as the modem.

The host runs the peer's end of the protocol (docs/telemetry.md); the remote carries sealed frames and cannot
read them. A request that is repeated in the air is executed once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from stimfw.protocol import messages, requests
from stimfw.telemetry import fragments
from stimfw.telemetry.requester import Requester

from stimbench.client.keyring import HostPairing
from stimbench.client.remote import Remote
from stimbench.devices.link import Endpoint
from stimbench.errors import NoAnswerError, ProtocolError, StimbenchError, WrongStateError

__all__ = ("RadioConsole",)

LIMIT_MS = 1000
STOP_LIMIT_MS = 3000
PIECE_MS = 60
"""For each further piece of a request or a reply: two exchanges."""
_FLIGHT_S = 0.005
"""No frame's fate is known earlier: the radio's crystal alone takes 4.5 ms (nRF24L01+ 6.1.7)."""
_LOOK_S = 0.002
"""Between two looks at the modem; one takes about half of that on USB."""
_BUSY_S = 0.02
_LONG_REPLIES = {
    requests.IDENTIFY: 100,
    requests.GET_PROGRAM: 64,
    requests.DETAILS: 40,
    requests.COUNTERS: 80,
    requests.IMPEDANCE_RESULTS: 98,
    requests.PULSES: messages.MAX_BODY,
    requests.LOG: messages.MAX_BODY,
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
        self._requester = Requester(pairing.slot, pairing.role, pairing.key, pairing.epoch, take_random)
        self._link = _ByRadio(remote.link)
        self._flying = self._delivered = False
        self._deadline_ms = 0
        self._busy: WrongStateError | None = None

    def __repr__(self) -> str:
        return f"<RadioConsole to {self._link.name}>"

    @property
    def link(self) -> Endpoint:
        """The stimulator, on the clock of the remote's link."""
        return self._link

    def ask(self, opcode: int, body: bytes = b"", tries: int = 1) -> tuple[int, bytes]:
        """Send a request and wait for its reply; see client.console.Console.ask.

        Args:
            opcode: of stimfw.protocol.messages.
            body: up to messages.MAX_BODY bytes.
            tries: not used: the protocol itself repeats, and has each request executed once.

        Raises:
            NoAnswerError: no reply by radio; the text says whether the stimulator's radio was reached.
            WrongStateError: the remote is busy with its own buttons.
            PortError: the remote's port went away.
            ProtocolError: the reply answers another opcode.
        """
        message = messages.request(opcode, body)
        begun_ms = self._now_ms()
        self._deadline_ms = begun_ms + limit_ms(message)
        self._flying = self._delivered = False
        self._busy = None
        self._requester.begin(message, limit_ms(message), begun_ms)
        while self._requester.state == Requester.WAITING:
            self._step()
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

    def _step(self) -> None:
        frame = None if self._flying else self._requester.poll(self._now_ms())
        if frame is not None:
            self._send(frame)
            return
        state, heard = self._remote.modem_receive()
        now_ms = self._now_ms()
        # The limit holds for a modem that searches without end, too.
        if self._flying and (state != messages.MODEM_SEARCHING or now_ms >= self._deadline_ms):
            self._flying = False
            reached = state == messages.MODEM_DELIVERED
            self._delivered = self._delivered or reached
            self._requester.sent(reached, now_ms)
        if heard:
            self._requester.on_frame(heard, now_ms)
        elif self._requester.wait_ms(now_ms) != 0:
            self._link.wait(_LOOK_S)

    def _send(self, frame: bytes) -> None:
        try:
            self._remote.modem_send(self._base, self._slot, frame)
        except WrongStateError as error:
            if error.reason != messages.REASON_BUSY:
                raise
            # A button was pressed on it. The same frame again, until the request's limit is there.
            self._busy = error
            self._link.wait(_BUSY_S)
            self._requester.sent(False, self._now_ms())
        else:
            self._busy = None
            self._flying = True
            self._link.wait(_FLIGHT_S)

    def _now_ms(self) -> int:
        return int(self._link.now_s() * 1000)

    def _no_answer(self) -> NoAnswerError:
        name = self._remote.link.name
        if self._delivered:
            return NoAnswerError(
                f"The stimulator's radio took the request from the remote on {name}, but no genuine answer "
                "came. It may have forgotten this host: `stimbench pair --clinician` gives it a new key."
            )
        return NoAnswerError(
            f"No answer by radio through the remote on {name}: "
            "the stimulator is out of reach, off, or jammed."
        )


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
