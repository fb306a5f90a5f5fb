"""What tests ask of a stimulator under test, be it on the emulated bench or on a serial port.

On the bench all waiting is emulated time, in this process: nothing depends on the speed of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stimbench.bench import Bench
from stimbench.client.console import Console
from stimbench.client.remote import Remote
from stimbench.client.stimulator import Stimulator
from stimbench.devices.device import Device
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.repl import BoardTransport
from stimbench.devices.serial_device import SerialDevice
from stimbench.errors import NoAnswerError
from stimfw.protocol import messages, requests
from stimfw.therapy import program

INTERRUPT = b"\x03"
SOFT_RESET = b"\x04"
READY_S = 5.0
WIRED_S = 30.0
"""How long an answer on a serial port is waited for: it may be the pty of a bench on a busy machine."""
_POLL_S = 0.02
_PROBE_NUMBER = 255  # no later request has it soon, so late replies to it are passed over
_FREE_HEAP = "import gc; [gc.collect() for _ in range(3)]; print(gc.mem_free())"


class Board:
    """What tests do with a device. `client` speaks to its application, `exec` and `eval` to its REPL."""

    def __init__(self, device: Device, role: str = "stimulator") -> None:
        """Args: device: open; closed with this object. role: which board it is."""
        self.device = device
        self._view = {"stimulator": Stimulator, "remote": Remote}[role]
        self._renew()

    def _renew(self) -> None:
        self.console = Console(self.device.console)
        self.client = self._view(self.console)

    # Its clock.

    def now_s(self) -> float:
        """The board's time in s, from any origin."""
        return self.device.console.now_s()

    def wait(self, seconds: float) -> None:
        """Let the board's time pass."""
        self.device.console.wait(seconds)

    def wait_for(self, condition: Any, timeout_s: float, poll_s: float = _POLL_S) -> bool:
        """Ask `condition()` again and again; whether it became true in time."""
        end_s = self.now_s() + timeout_s
        while not condition():
            if self.now_s() >= end_s:
                return False
            self.wait(poll_s)
        return True

    # Its application.

    def ask(self, opcode: int, body: bytes = b"") -> tuple[int, bytes]:
        """The code and the body of the reply to one request."""
        return self.console.ask(opcode, body)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.device.console.write(data)

    def text(self) -> bytes:
        """What it said and nobody read."""
        self.wait(_POLL_S)
        return self.device.console.read(self.now_s())

    def discard_input(self) -> None:
        """Throw away what it said and nobody read."""
        while self.device.console.read(self.now_s()):
            pass

    def state(self) -> int:
        """messages.READY ..."""
        return self.client.status().state

    def wait_state(self, *states: int, timeout_s: float = READY_S) -> None:
        """Wait until the application says that it is in one of `states`."""
        assert self.wait_for(lambda: self.state() in states, timeout_s), (
            f"the board is in state {messages.STATE_NAMES[self.state()]!r}"
        )

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Wait until the application answers."""
        if not isinstance(self.device, EmulatedDevice):
            timeout_s = max(timeout_s, WIRED_S)
        end_s = self.now_s() + timeout_s
        while True:
            try:
                Console(self.device.console, _PROBE_NUMBER, timeout_s=0.1).ask(requests.IDENTIFY, tries=1)
                self.wait(0.05)
                self.text()  # answers to earlier probes
                if not isinstance(self.device, EmulatedDevice):
                    # They may be on their way still. Answers come in order.
                    Console(self.device.console, _PROBE_NUMBER - 1, WIRED_S).ask(requests.IDENTIFY)
                return
            except NoAnswerError:
                if self.now_s() >= end_s:
                    raise

    def set(self, **changes: int) -> program.Program:
        """Change fields of the programme: `left__amplitude_ua=2000`. Moved electrodes zero theirs."""
        wanted = self.client.program().replaced({k.replace("__", "."): v for k, v in changes.items()})
        self.client.set_program(wanted)
        return self.client.program()

    def rebooted(self) -> None:
        """Wait for a board that something other than `reset` has restarted."""
        self.wait(0.05)
        self.device.reconnect()
        self._renew()
        self.wait_ready()

    # Its REPL.

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.write(INTERRUPT)

    def repl(self) -> BoardTransport:
        """The raw REPL; ends the application."""
        return self.device.enter_repl()

    def exec(self, code: str, timeout_s: float = 10) -> str:
        """What `code` prints on the board; TransportExecError if it raises there."""
        out, error = self.repl().exec_raw(code, timeout=timeout_s)
        if error:
            raise AssertionError(f"on the board:\n{bytes(error).decode()}")
        return bytes(out).decode()

    def eval(self, expression: str) -> Any:
        """A value of the board's, by its repr."""
        return self.repl().eval(expression)

    def free_heap(self) -> int:
        """Bytes free after a collection, the application ended, its objects still held by interrupts."""
        return int(self.exec(_FREE_HEAP))

    # Its power.

    def can_be_asked(self) -> bool:
        """Whether it can run code at all."""
        device = self.device
        return not isinstance(device, EmulatedDevice) or (device.power.is_on and not device.board.hung)

    def reset(self) -> None:
        """Reset the chip and wait until the application answers."""
        self.device.reset()
        self._renew()
        self.wait_ready()

    def close(self) -> None:
        """Give the port back."""
        self.device.close()


def emulated_board(bench: Bench, name: str = "stimulator") -> Board:
    """A board of an emulated bench, which nobody else runs while a method of the board waits."""
    return Board(EmulatedDevice(bench, name).open(), name)


@contextmanager
def wired_board(path: str, role: str = "stimulator") -> Iterator[Board]:
    """A board on a serial port (`/dev/ttyACM0`) that was just reset and answers; the port is given back."""
    with SerialDevice(path) as device:
        board = Board(device, role)
        board.reset()
        yield board
