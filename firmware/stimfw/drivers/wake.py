"""Sleep until something happens: a byte from the host, an interrupt's flag, or the time is over.

`select.poll` waits in WFE and checks its objects again after each interrupt; this module gives it one whose
readiness is a Python flag.
"""

import io
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

_POLL = 3  # MP_STREAM_POLL
_READABLE = 1


class Wake(io.IOBase):
    """A flag that ends a wait. `set()` allocates nothing: fit for hard interrupt handlers."""

    def __init__(self, note_edge: "Callable[[], None]") -> None:
        """Args: note_edge: called by set(), also from interrupts: must not allocate. EdgeTimes.note."""
        self.pending = False
        self._note_edge = note_edge

    def set(self, _source: object = None) -> None:
        """End the present wait, or the next one: a button, the magnet or the radio did something."""
        self.pending = True
        self._note_edge()

    def ioctl(self, request: int, flags: int) -> int:
        """What `select.poll` asks."""
        if request == _POLL and self.pending:
            return flags & _READABLE
        return 0


class Waiter:
    """Waits for the wake flag or for input."""

    def __init__(self, wake: Wake, stdin: "IO[str]") -> None:
        self._wake = wake
        self._stdin = stdin
        self._poll = select.poll()
        self._poll.register(stdin, select.POLLIN)
        self._poll.register(wake, select.POLLIN)

    def wait(self, timeout_ms: int) -> bool:
        """Sleep for `timeout_ms` at the most; whether there is input to read."""
        readable = False
        for source, _events in self._poll.ipoll(0 if self._wake.pending else max(0, timeout_ms)):
            if source is self._stdin:
                readable = True
        self._wake.pending = False
        return readable
