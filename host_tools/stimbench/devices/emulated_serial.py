"""A serial port on a board's console that lets emulated time pass while it waits.

Whatever reads a pyserial object can so run in one process with the bench, without threads, and always alike:
its time-outs are emulated time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stimbench.bench.engine import Bench
    from stimbench.emulator.board import EmulatedBoard

__all__ = ("EmulatedSerial",)


class EmulatedSerial:
    """What tools use of `serial.Serial`, on an emulated board."""

    def __init__(
        self,
        bench: Bench,
        board: EmulatedBoard | str,
        timeout: float | None = 1.0,
        quantum_ns: int = 1_000_000,
    ) -> None:
        """Open the board's console (DTR rises).

        Args:
            bench: the bench, which no one else runs while a call of this object waits.
            board: the board or its name.
            timeout: how long `read` waits, in emulated seconds; `None` for ever.
            quantum_ns: how much emulated time passes between two polls of the console.
        """
        self._bench = bench
        self._board = bench.board(board) if isinstance(board, str) else board
        self.timeout = timeout
        self.write_timeout: float | None = None
        self.quantum_ns = quantum_ns
        self.is_open = True
        self.name = self.port = self._board.name
        self.baudrate = 115200
        self._board.console.set_dtr(True)

    def __repr__(self) -> str:
        return f"<EmulatedSerial on the emulated {self.name}, {'open' if self.is_open else 'closed'}>"

    @property
    def bench(self) -> Bench:
        """The bench whose time passes."""
        return self._bench

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read; if there are none, one quantum passes, as a caller polls to wait."""
        if not self._board.console.pending:
            self._bench.run_for(self.quantum_ns)
        return self._board.console.pending

    def inWaiting(self) -> int:
        """The same as `in_waiting`."""
        return self.in_waiting

    def read(self, size: int = 1) -> bytes:
        """Read `size` bytes; fewer if the time-out passes first."""
        console = self._board.console
        end_ns = None if self.timeout is None else self._bench.now_ns + round(self.timeout * 1e9)
        while console.pending < size and (end_ns is None or self._bench.now_ns < end_ns):
            self._bench.run_for(self.quantum_ns)
        return console.read(size)

    def read_all(self) -> bytes:
        """What is there now."""
        return self._board.console.read()

    def readline(self) -> bytes:
        """Read up to and with a newline; less if the time-out passes first."""
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return bytes(line)

    def write(self, data: bytes) -> int:
        """Send bytes; it never blocks, they wait until the firmware takes them."""
        self._board.console.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Let time pass until the firmware has taken what was written, at most `timeout`."""
        limit_ns = round((10.0 if self.timeout is None else self.timeout) * 1e9)
        self._bench.run_until(lambda: not self._board.console.unsent, limit_ns, self.quantum_ns)

    def reset_input_buffer(self) -> None:
        """Throw away what was received."""
        self._board.console.read()

    def reset_output_buffer(self) -> None:
        """Do nothing: what was written is on its way."""

    def isOpen(self) -> bool:
        """The same as `is_open`."""
        return self.is_open

    @property
    def dtr(self) -> bool:
        """Whether the port is open, as the firmware sees it."""
        return self._board.console.dtr

    @dtr.setter
    def dtr(self, on: bool) -> None:
        self._board.console.set_dtr(on)

    @property
    def rts(self) -> bool:
        """Follows DTR."""
        return self.dtr

    @rts.setter
    def rts(self, on: bool) -> None:
        """Nothing: the bench moves both lines together."""

    def sleep(self, seconds: float) -> None:
        """Let emulated time pass."""
        self._bench.run_for(round(seconds * 1e9))

    def close(self) -> None:
        """Close the console (DTR falls)."""
        if self.is_open:
            self.is_open = False
            self._board.console.set_dtr(False)

    def __enter__(self) -> EmulatedSerial:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
