"""One adapter for a stimulator under test, be it on the emulated bench or on a serial port.

On the bench all waiting is emulated time, in this process: nothing depends on the speed of the machine.
"""

from __future__ import annotations

import time
from typing import Any

import serial as pyserial
from stimbench.bench import Bench
from stimbench.client.console import Console
from stimbench.client.stimulator import Stimulator
from stimbench.devices.emulated_serial import BenchSerial
from stimbench.devices.link import DeviceLink
from stimbench.devices.repl import BoardTransport
from stimbench.errors import NoAnswerError
from stimfw.protocol import messages, requests
from stimfw.therapy import program

INTERRUPT = b"\x03"
SOFT_RESET = b"\x04"
READY_S = 5.0
_LOOK_S = 0.02
_PROBE_NUMBER = 255  # no later request has it soon, so late replies to it are passed over
_QUANTUM_NS = 200_000
_PORT_TIMEOUT_S = 1.0
_REAL_RESET_S = 3.0
_FREE_HEAP = "import gc; [gc.collect() for _ in range(3)]; print(gc.mem_free())"


class Board:
    """What tests do with a board. `client` speaks to its application, `exec` and `eval` to its REPL."""

    def __init__(self, port: Any) -> None:
        """Args: port: a BenchSerial or a pyserial object, open."""
        self.port = port
        self._renew()

    def _renew(self) -> None:
        self.transport = BoardTransport(self.port)
        link = DeviceLink("the board under test", self.port, self.now_s, self.wait)
        self.console = Console(link)
        self.client = Stimulator(self.console)

    # Its clock.

    def now_s(self) -> float:
        """The board's time in s, from any origin."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let the board's time pass."""
        time.sleep(seconds)

    def wait_for(self, condition: Any, timeout_s: float, look_s: float = _LOOK_S) -> bool:
        """Ask `condition()` again and again; whether it became true in time."""
        end_s = self.now_s() + timeout_s
        while not condition():
            if self.now_s() >= end_s:
                return False
            self.wait(look_s)
        return True

    # Its application.

    def ask(self, opcode: int, body: bytes = b"") -> tuple[int, bytes]:
        """The code and the body of the reply to one request."""
        return self.console.ask(opcode, body)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.port.write(data)

    def text(self) -> bytes:
        """What it said and nobody read."""
        self.wait(_LOOK_S)
        return bytes(self.port.read(self.port.in_waiting))

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
        end_s = self.now_s() + timeout_s
        link = DeviceLink("the board under test", self.port, self.now_s, self.wait)
        while True:
            try:
                Console(link, _PROBE_NUMBER, timeout_s=0.1).ask(requests.IDENTIFY, tries=1)
                self.wait(0.05)
                self.text()  # answers to earlier probes
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
        """It was restarted by something else than `reset`: forget its former self, wait for it."""
        self.wait(0.05)
        self.port.reset_input_buffer()
        self._renew()
        self.wait_ready()

    # Its REPL.

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.write(INTERRUPT)

    def repl(self) -> BoardTransport:
        """The raw REPL; ends the application."""
        self.port.timeout = _PORT_TIMEOUT_S  # the client, on the same port, leaves what was left of its own
        if not self.transport.in_raw_repl:
            self.transport.enter_raw_repl(soft_reset=False)
        return self.transport

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
        return True

    def reset(self) -> None:
        """Reset the chip and wait until the application answers."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the port back."""
        self.port.close()


class EmulatedBoard(Board):
    """A board of an emulated bench."""

    def __init__(self, bench: Bench, name: str = "stimulator") -> None:
        """Args: bench: nobody else runs it while a method of this object waits."""
        self.bench = bench
        self.name = name
        super().__init__(BenchSerial(bench, name, timeout=_PORT_TIMEOUT_S, quantum_ns=_QUANTUM_NS))

    def now_s(self) -> float:
        return self.bench.now_ns / 1e9

    def wait(self, seconds: float) -> None:
        self.bench.run_for(round(seconds * 1e9))

    def can_be_asked(self) -> bool:
        board = self.bench.board(self.name)
        return board.powered and not board.hung

    def reset(self) -> None:
        self.bench.board(self.name).reset()
        self.port.reset_input_buffer()
        self._renew()
        self.wait_ready()


class WiredBoard(Board):
    """A board on a serial port."""

    def __init__(self, path: str) -> None:
        """Args: path: `/dev/ttyACM0`."""
        self.path = path
        super().__init__(pyserial.Serial(path, timeout=_PORT_TIMEOUT_S, exclusive=True))

    def reset(self) -> None:
        self.repl().exec_raw_no_follow("import machine; machine.reset()")
        self.port.close()
        end_s = time.monotonic() + _REAL_RESET_S
        while True:
            time.sleep(0.2)
            try:
                self.port = pyserial.Serial(self.path, timeout=_PORT_TIMEOUT_S, exclusive=True)
                break
            except (OSError, pyserial.SerialException):
                if time.monotonic() > end_s:
                    raise
        self._renew()
        self.wait_ready()
