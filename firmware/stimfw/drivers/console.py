"""The service console: frames on the USB port, beside the REPL's text, and never a wait for the host.

What the port does not take stays and is offered again. Requests are read and executed all the same, or a
Ctrl-C would be stuck behind them; a reply to them is dropped and counted while an older one waits.
"""

import select
from typing import TYPE_CHECKING

from micropython import const

from stimfw.protocol import console_frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from stimfw.drivers.wake import Wake

_BYTES_READ = const(16)
_BYTES_WRITTEN = const(16)
_HOST_SLOW_MS = const(5)


class Console:
    """Answers request frames on a pair of byte streams."""

    def __init__(
        self,
        stdin: "BinaryIO",
        stdout: "BinaryIO",
        execute: "Callable[[bytes], bytes]",
        go_on: "Callable[[], bytes]",
        wake: "Wake",
    ) -> None:
        """Serve the USB port (`sys.stdin.buffer`, `sys.stdout.buffer`) with `execute(message) -> reply`.

        While that reply is empty, `go_on() -> reply` does a step more. `wake`: while it is set something else
        needs the CPU, and the console stops early.
        """
        self._stdin = stdin
        self._wake = wake
        self._stdout = stdout
        self._execute = execute
        self._go_on = go_on
        self._readable = select.poll()
        self._readable.register(stdin, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(stdout, select.POLLOUT)
        self._byte = bytearray(1)
        self._request: "tuple[int, bytes] | None" = None
        self._begun = -1  # number of the request that is being executed
        self._reply: "tuple[int, bytes] | None" = None
        self._out = b""
        self._sent = 0
        self.receiver = console_frame.Receiver()
        self.tx_dropped = 0

    def poll(self) -> int:
        """Do a little without a wait: read some bytes, execute a request, encode its reply, or write some.

        A byte costs 0.1 ms of CPU, a step of a request up to 1.2 ms: all at once would keep a STOP from the
        radio.

        Returns:
            After how many ms there is more to do: 0 at once; -1 not before the host sends something.
        """
        if self._request or self._reply or self._begun >= 0:
            self._answer()
            return 0
        waits = self._sent < len(self._out)
        if waits and self._write():
            return 0
        byte = self._byte
        for _ in range(_BYTES_READ):
            if not self._ready(self._readable):
                return _HOST_SLOW_MS if waits else -1
            self._stdin.readinto(byte)
            self._request = self.receiver.feed(byte[0])
            if self._request or self._wake.pending:
                break
        return 0

    def _answer(self) -> None:
        """One step: of executing the request that was read, or encode the reply."""
        if self._request:
            number, message = self._request
            self._request = None
            self._keep(number, self._execute(message))
        elif self._begun >= 0:
            self._keep(self._begun, self._go_on())
        elif self._reply:
            self._out = console_frame.encode(self._reply[0], self._reply[1])
            self._sent = 0
            self._reply = None

    def _keep(self, number: int, reply: bytes) -> None:
        self._begun = -1 if reply else number
        if reply and self._sent < len(self._out):
            self.tx_dropped += 1
        elif reply:
            self._reply = (number, reply)

    def _write(self) -> bool:
        """Write some bytes; whether the port took any. Each is offered alone: only one is sure to fit."""
        byte = self._byte
        for n in range(_BYTES_WRITTEN):
            if self._sent == len(self._out):
                break
            if not self._ready(self._writable):
                return n > 0
            byte[0] = self._out[self._sent]
            self._stdout.write(byte)
            self._sent += 1
            if self._wake.pending:
                break
        return True

    def _ready(self, poll: "select.poll") -> bool:
        for _ in poll.ipoll(0):
            return True
        return False


def counters(console: Console) -> "tuple[int, int, int, int]":
    """The console's part of messages.COUNTER_NAMES."""
    r = console.receiver
    return r.frames, r.bad, r.oversized, console.tx_dropped
