"""A remote on USB as the host sees it: its state, its pairing, and its radio as a modem."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from stimfw.protocol import messages, requests

from stimbench.client.access_records import RemotePairings, RemoteStatus
from stimbench.client.board import Board
from stimbench.client.console import TIMEOUT_S, Console, answering
from stimbench.devices.link import Link
from stimbench.errors import WrongStateError

__all__ = ("ModemReport", "Remote", "connect_remote")


@dataclass(frozen=True)
class ModemReport:
    """What has become of a frame that a remote was given as a modem. Times are the remote's own clock."""

    state: int
    """messages.MODEM_IDLE, MODEM_SENDING, MODEM_SENT or MODEM_BUSY."""
    at_ms: int
    """When it was given the frame, knew its fate, or received the answer: the latest of these."""
    now_ms: int
    """When it said so; the clock wraps as in stimfw.clock.ticks."""
    frame: bytes
    """A frame that came back; b"" if there is none that was not told before."""


def connect_remote(link: Link, first_number: int | None = None, timeout_s: float = TIMEOUT_S) -> Remote:
    """Find out who is at the other end and return it.

    Args:
        link: an open link.
        first_number: number of the first request; by default taken from the time of day.
        timeout_s: how long one try waits for its reply, in seconds of the link's time.

    Raises:
        WrongBoardError: it is not a remote.
        NoAnswerError: nothing answers (AtPromptError: its application does not run).
        PortError: the port went away.
    """
    if first_number is None:
        first_number = time.time_ns() >> 20
    console = Console(link, first_number, timeout_s)
    return answering(console, Remote(console))


class Remote(Board):
    """Requests to one remote; errors as of Board."""

    ROLE = "remote"

    def status(self) -> RemoteStatus:
        """Whether it works and is paired."""
        return self._get(requests.STATUS, RemoteStatus.unpack)

    def pairings(self) -> RemotePairings:
        """Its own id, and its pairing if it has one."""
        return self._get(requests.PAIRINGS, RemotePairings.unpack)

    def pair(self, base: bytes, slot: int, role: int, key: bytes) -> None:
        """Give it a pairing in place of what it had.

        Args:
            base: the stimulator's, 4 bytes.
            slot: what the stimulator answered, 0-5.
            role: roles.PATIENT.
            key: 32 bytes.

        Raises:
            WrongStateError: the flash did not take it.
        """
        self._ask(requests.PAIR, base, slot, role, key)

    def forget(self) -> None:
        """Erase its pairing."""
        self._ask(requests.FORGET, messages.ALL_SLOTS)

    def modem_send(self, base: bytes, slot: int, channel: int, frame: bytes) -> int:
        """Have a sealed frame sent to the stimulator of `base`, as the peer of `slot`, in one burst.

        Args:
            base: the stimulator's, 4 bytes.
            slot: 0-5.
            channel: where: its index in stimfw.telemetry.addresses.CHANNELS.
            frame: 32 bytes.

        Returns:
            When it took the frame, in ms of its own clock.

        Raises:
            WrongStateError: it is busy with one of its own buttons.
        """
        (now_ms,) = self._fields(requests.MODEM_SEND, base, slot, channel, frame)
        return int(now_ms)

    def modem_receive(self) -> ModemReport:
        """What has become of the frame, and what came back."""
        return ModemReport(*self._fields(requests.MODEM_RECEIVE))

    def modem_close(self) -> None:
        """Switch its radio off again."""
        self._ask(requests.MODEM_CLOSE)

    def _ask(self, opcode: int, *values: Any, tries: int | None = None) -> bytes:
        try:
            return super()._ask(opcode, *values, tries=tries)
        except WrongStateError as error:
            if error.reason != messages.REASON_BUSY:
                raise
            text = f"The remote on {self.link.name} is busy with one of its buttons: try again."
            raise WrongStateError(text, error.code, error.state, error.reason) from error
