"""The one place that knows mpremote's transport (1.29): its API is said to change."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any, cast

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from stimbench.devices.emulated_serial import EmulatedSerial
from stimbench.devices.link import went_away
from stimbench.errors import NoAnswerError

__all__ = ("BoardTransport", "TransportError", "TransportExecError", "entered")

_READ_TIMEOUT_S = 10.0
"""How long one read waits, on the board's clock."""


class BoardTransport(SerialTransport):  # type: ignore[misc]
    """mpremote's SerialTransport on a board that may be emulated.

    Use `enter_raw_repl()`, `exec`, `eval`, `exec_raw(command, timeout)` and the `fs_*` methods.
    """

    def __init__(self, serial: Any) -> None:
        """Wrap an open port: an `EmulatedSerial` or a pyserial object."""
        # What SerialTransport.__init__ sets; calling it would open a device.
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.device_name = str(serial.port)
        self.mounted = False
        self.serial = serial
        self.is_pty = False

    def __repr__(self) -> str:
        where = "in the raw REPL" if self.in_raw_repl else "not in the raw REPL"
        return f"<BoardTransport on {self.device_name}, {where}>"

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = 10,
        data_consumer: Callable[[bytes], None] | None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """As mpremote's, but on an emulated board all waiting is emulated time.

        Args:
            min_num_bytes: ignored, as in mpremote.
            ending: return once the data ends so.
            timeout: longest silence, in s; `None` for ever.
            data_consumer: called with each byte, which then is not kept; `ending` is one byte then.
            timeout_overall: longest time in all, in s.

        Returns:
            What came, whether or not it ends as wished.
        """
        if not isinstance(self.serial, EmulatedSerial):
            return cast(
                bytes, super().read_until(min_num_bytes, ending, timeout, data_consumer, timeout_overall)
            )
        serial = self.serial
        start_ns = last_ns = serial.bench.now_ns
        data = b""
        while not data.endswith(ending):
            if serial.in_waiting:
                byte = serial.read(1)
                if data_consumer:
                    data_consumer(byte)
                data = byte if data_consumer else data + byte
                last_ns = serial.bench.now_ns
            elif _passed(serial, last_ns, timeout) or _passed(serial, start_ns, timeout_overall):
                break
        return data

    def enter_raw_repl(self, soft_reset: bool = False, timeout_overall: float = 10) -> None:
        """Interrupt whatever runs and enter the raw REPL.

        Without a soft reset by default: the application, frozen as main, would start again.

        Raises:
            TransportError: no answer; the console may be held by an application that does not read it.
        """
        super().enter_raw_repl(soft_reset=soft_reset, timeout_overall=timeout_overall)

    def read_file(self, path: str) -> bytes:
        """A file on the board."""
        return bytes(self.fs_readfile(path))

    def write_file(self, path: str, data: bytes) -> None:
        """Write a file on the board."""
        self.fs_writefile(path, data)


def _passed(serial: EmulatedSerial, since_ns: int, limit_s: float | None) -> bool:
    return limit_s is not None and serial.bench.now_ns >= since_ns + limit_s * 1e9


def entered(transport: BoardTransport, name: str) -> BoardTransport:
    """The transport, in the raw REPL; `name` is how messages name the board.

    Raises:
        NoAnswerError: no prompt came.
        PortError: the port went away.
    """
    try:
        transport.serial.timeout = _READ_TIMEOUT_S  # a console on the same port sets its own
        if not transport.in_raw_repl:
            with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what came instead of a prompt
                transport.enter_raw_repl()
    except TransportError as error:
        raise NoAnswerError(f"{name} gives no MicroPython prompt: {error}.") from error
    except OSError as error:  # pyserial's SerialException is one
        raise went_away(name, error) from error
    return transport
