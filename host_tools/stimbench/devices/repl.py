"""The one place that knows mpremote's transport (1.29): its API is said to change.

`open_transport` gives the same object for an emulated board, which it runs in emulated time and without
threads, and for a device path, be it a real board or a pty of `stimbench bench up`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from stimbench.devices.emulated_serial import BenchSerial

if TYPE_CHECKING:
    from stimbench.bench.engine import Bench
    from stimbench.emulator.board import EmulatedBoard

__all__ = ("BoardTransport", "TransportError", "TransportExecError", "open_transport")


class BoardTransport(SerialTransport):  # type: ignore[misc]
    """mpremote's SerialTransport on a board that may be emulated.

    Use `enter_raw_repl()`, `exec`, `eval`, `exec_raw(command, timeout)` and the `fs_*` methods.
    """

    def __init__(self, serial: Any) -> None:
        """Wrap an open port: a `BenchSerial` or a pyserial object."""
        # What SerialTransport.__init__ sets; calling it would open a device.
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.device_name = str(serial.port)
        self.mounted = False
        self.serial = serial
        self.is_pty = False

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
        if not isinstance(self.serial, BenchSerial):
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


def _passed(serial: BenchSerial, since_ns: int, limit_s: float | None) -> bool:
    return limit_s is not None and serial.bench.now_ns >= since_ns + limit_s * 1e9


def open_transport(
    target: BenchSerial | EmulatedBoard | str | Path, bench: Bench | None = None, timeout: float = 10.0
) -> BoardTransport:
    """Open a transport on a board, emulated or real.

    Args:
        target: a `BenchSerial`; an emulated board (then `bench` too); or a device's path.
        bench: the bench of an emulated board.
        timeout: how long one read waits, in s: emulated on an emulated board.

    Raises:
        TransportError: the device cannot be opened.
        ValueError: an emulated board without its bench.
    """
    if isinstance(target, BenchSerial):
        return BoardTransport(target)
    if isinstance(target, (str, Path)):
        import serial

        try:
            return BoardTransport(serial.Serial(str(target), timeout=timeout, exclusive=True))
        except (OSError, serial.SerialException) as error:
            raise TransportError(f"cannot open {target}: {error}") from error
    if bench is None:
        raise ValueError("an emulated board needs its bench")
    return BoardTransport(BenchSerial(bench, target, timeout))
