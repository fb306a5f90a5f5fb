"""Numbered requests and replies over a link, with timeouts and retries.

A console carries more than frames: banners, tracebacks, the late reply to a request that was given
up. A reply counts only if its number and its opcode are those of the request that waits for it.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from stimfw.protocol import console_frame, messages

from stimbench.devices.link import Link
from stimbench.errors import AtPromptError, NoAnswerError, ProtocolError

__all__ = ("Console", "answering")

TIMEOUT_S = 1.0
TRIES = 3
_PROMPT = b">>> "
_CTRL_A = b"\x01"
_RAW_PROMPT = b"raw REPL; CTRL-B to exit"
_KEPT_TEXT = 4096
_Board = TypeVar("_Board", bound="_Asked")


class _Asked(Protocol):
    """A view of a board: client.stimulator.Stimulator, client.remote.Remote."""

    def require_role(self) -> None:
        """Find out who is at the other end."""


def answering(console: Console, board: _Board) -> _Board:
    """`board`, which asks over `console`, once it has answered and is of the right kind.

    Raises:
        WrongBoardError: it is another kind of board.
        AtPromptError: it is at MicroPython's prompt or in the raw REPL.
        NoAnswerError: nothing answers.
        PortError: the port went away.
    """
    try:
        board.require_role()
    except AtPromptError:
        raise
    except NoAnswerError as error:
        console.require_no_raw_repl(error)
        raise
    return board


class Console:
    """One conversation with one board."""

    def __init__(self, link: Link, first_number: int = 0, timeout_s: float = TIMEOUT_S) -> None:
        """Talk over `link`.

        Args:
            link: an open link; the console does not close it.
            first_number: number of the first request, so that replies to an earlier process's
                requests are told apart.
            timeout_s: how long one try waits for its reply, in seconds of the link's time.
        """
        self._link = link
        self._number = first_number & 0xFF
        self._timeout_s = timeout_s
        self._receiver = console_frame.Receiver()
        self._text = bytearray()
        self.ignored = 0
        """Good frames that answered no waiting request: late, duplicate or foreign."""

    def __repr__(self) -> str:
        return f"<Console to {self._link.name}>"

    @property
    def link(self) -> Link:
        """The link that the console talks over."""
        return self._link

    @property
    def last_number(self) -> int:
        """Of the last request: the one that waits for its reply, if one does."""
        return (self._number - 1) & 0xFF

    def ask(self, opcode: int, body: bytes = b"", tries: int = TRIES) -> tuple[int, bytes]:
        """Send a request and wait for its reply.

        All tries carry the same number, so the late reply to the first one still counts. Ask for
        something that must not happen twice with `tries` = 1.

        Returns:
            The reply code of stimfw.protocol.messages, and the reply's body.

        Raises:
            NoAnswerError: no reply in `tries` timeouts (AtPromptError if the cause is known).
            PortError: the port went away.
            ProtocolError: the reply with the right number answers another opcode.
        """
        number = self._number
        self._number = (number + 1) & 0xFF
        line = console_frame.encode(number, messages.request(opcode, body))
        for _ in range(tries):
            self._link.write(line)
            message = self._await_reply(number, self._link.now_s() + self._timeout_s)
            if message is not None:
                self._text.clear()  # it runs: what comes from now on tells why it does so no more
                return self._parse(opcode, message)
            if self._echoed(line):
                break  # a prompt echoes what it is sent; asking again would only fill its line
        raise self._no_answer(line, tries)

    def require_no_raw_repl(self, cause: NoAnswerError) -> None:
        """Find out whether the board that did not answer is in the raw REPL, which echoes nothing.

        It is asked with Ctrl-A, at which it begins a new line. To the application that byte is no frame.

        Raises:
            AtPromptError: it is; `cause` is what was raised before.
        """
        self._link.write(_CTRL_A)
        deadline_s = self._link.now_s() + self._timeout_s
        text = b""
        while _RAW_PROMPT not in text and self._link.now_s() < deadline_s:
            data = self._link.read(deadline_s)
            if not data:
                return
            text = (text + data)[-_KEPT_TEXT:]
        if _RAW_PROMPT in text:
            where = "in MicroPython's raw REPL"
            raise AtPromptError(_at_prompt(self._link.name, where, "Ctrl-B Ctrl-D")) from cause

    def _parse(self, opcode: int, message: bytes) -> tuple[int, bytes]:
        try:
            return messages.parse_reply(opcode, message)
        except ValueError as error:
            raise ProtocolError(f"{self._link.name} gave a reply to another request: {error}.") from error

    def _await_reply(self, number: int, deadline_s: float) -> bytes | None:
        while True:
            data = self._link.read(deadline_s)
            found = self._take(data, number)
            if found is not None:
                return found
            # Nothing read means that the time is over: the clock's fraction of a nanosecond cannot hold us.
            # The time itself is looked at as well, so that a board that talks without end cannot either.
            if not data or self._link.now_s() >= deadline_s:
                return None

    def _take(self, data: bytes, number: int) -> bytes | None:
        """Feed `data`; the reply to request `number` if it is among them."""
        self._text += data
        del self._text[:-_KEPT_TEXT]
        reply = None
        for byte in data:
            frame = self._receiver.feed(byte)
            if frame is None:
                continue
            if reply is None and frame[0] == number and frame[1] and frame[1][0] & messages.REPLY:
                reply = bytes(frame[1])
            else:
                self.ignored += 1
        return reply

    def _echoed(self, line: bytes) -> bool:
        return line.strip() in self._text

    def _no_answer(self, line: bytes, tries: int) -> NoAnswerError:
        name = self._link.name
        text = bytes(self._text)
        error = _last_traceback_line(text)
        hint = f" The last error that it printed: {error}" if error else ""
        if self._echoed(line) or text.rstrip(b"\r\n").endswith(_PROMPT):
            return AtPromptError(f"{_at_prompt(name, 'at the MicroPython prompt', 'Ctrl-D')}{hint}")
        if text:
            return NoAnswerError(f"What is on {name} is no stimbench board, or its application hangs.{hint}")
        return NoAnswerError(f"No answer from {name} in {tries * self._timeout_s:g} s.")


def _at_prompt(name: str, where: str, keys: str) -> str:
    return (
        f"The board on {name} is {where} and does not run its application. "
        f"Restart it: --restart, its reset button, or {keys} in a terminal."
    )


def _last_traceback_line(text: bytes) -> str:
    """The message of the last traceback in `text`, or an empty string."""
    _, found, rest = text.rpartition(b"Traceback (most recent call last):")
    if not found:
        return ""
    for line in rest.splitlines():
        if line and not line.startswith((b" ", b"\t")):
            return line.decode("ascii", "replace").strip()
    return ""
