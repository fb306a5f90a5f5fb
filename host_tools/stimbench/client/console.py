"""Numbered requests and replies over a link, with timeouts and retries.

A console carries more than frames: banners, tracebacks, the late reply to a request that was given
up. A reply counts only if its number and its opcode are those of the request that waits for it.
"""

from __future__ import annotations

from stimfw.protocol import console_frame, messages

from stimbench.devices.link import Link
from stimbench.errors import AtPromptError, NoAnswerError, ProtocolError

__all__ = ("Console",)

TIMEOUT_S = 1.0
TRIES = 3
_PROMPT = b">>> "
_KEPT_TEXT = 4096


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

    @property
    def link(self) -> Link:
        """The link that the console talks over."""
        return self._link

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
                return self._parse(opcode, message)
            if self._echoed(line):
                break  # a prompt echoes what it is sent; asking again would only fill its line
        raise self._no_answer(line, tries)

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
            return AtPromptError(
                f"The board on {name} is at the MicroPython prompt and does not run its application. "
                f"Press its reset button, or Ctrl-D in a terminal.{hint}"
            )
        if text:
            return NoAnswerError(f"What is on {name} is no stimbench board, or its application hangs.{hint}")
        return NoAnswerError(f"No answer from {name} in {tries * self._timeout_s:g} s.")


def _last_traceback_line(text: bytes) -> str:
    """The message of the last traceback in `text`, or an empty string."""
    _, found, rest = text.rpartition(b"Traceback (most recent call last):")
    if not found:
        return ""
    for line in rest.splitlines():
        if line and not line.startswith((b" ", b"\t")):
            return line.decode("ascii", "replace").strip()
    return ""
