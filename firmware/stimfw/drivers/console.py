"""The service console: frames on the USB port, beside the REPL's text, and never a wait for the host.

Bytes are read while there are some and written while the port takes them. What the port does not take stays
and is offered again at the next service; a reply that comes while an older one still waits is dropped and
counted.
"""

import select

from micropython import const

from stimfw.logic import console_frame

TYPE_CHECKING = False
if TYPE_CHECKING:  # never on a board
    from collections.abc import Callable
    from typing import BinaryIO

_BYTES_A_SERVICE = const(64)


class Console:
    """Answers request frames on a pair of byte streams."""

    def __init__(self, stdin: "BinaryIO", stdout: "BinaryIO", execute: "Callable[[bytes], bytes]") -> None:
        """Serve the USB port (`sys.stdin.buffer`, `sys.stdout.buffer`) with `execute(message) -> reply`."""
        self._stdin = stdin
        self._stdout = stdout
        self._execute = execute
        self._readable = select.poll()
        self._readable.register(stdin, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(stdout, select.POLLOUT)
        self._byte = bytearray(1)
        self._out = b""
        self._sent = 0
        self.receiver = console_frame.Receiver()
        self.tx_dropped = 0

    def service(self) -> bool:
        """Read, answer and write what can be done without a wait.

        Returns:
            Whether more is to be done soon: input was left, or output waits for the host.
        """
        byte = self._byte
        for _ in range(_BYTES_A_SERVICE):
            if not self._ready(self._readable):
                break
            self._stdin.readinto(byte)
            found = self.receiver.feed(byte[0])
            if found:
                self._answer(found[0], found[1])
                break
        self._write()
        return self._sent < len(self._out) or self._ready(self._readable)

    def _answer(self, number: int, message: bytes) -> None:
        reply = self._execute(message)
        if self._sent < len(self._out):
            self.tx_dropped += 1
            return
        self._out = console_frame.encode(number, reply)
        self._sent = 0

    def _write(self) -> None:
        byte = self._byte
        while self._sent < len(self._out):
            if not self._ready(self._writable):
                return
            byte[0] = self._out[self._sent]
            self._stdout.write(byte)
            self._sent += 1

    def _ready(self, poll: "select.poll") -> bool:
        for _ in poll.ipoll(0):
            return True
        return False


def counters(console: Console) -> "tuple[int, int, int, int]":
    """The console's part of messages.COUNTER_NAMES."""
    r = console.receiver
    return r.frames, r.bad, r.oversized, console.tx_dropped

