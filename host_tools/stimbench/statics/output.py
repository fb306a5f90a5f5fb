"""The host's end of stimfw.stimulator.statics: DAC, bridges and switches held for as long as the host asks.

The application is interrupted and the board is restarted at the end, so this needs USB and a bench with
nothing but resistors on it. Whatever happens, the output goes off: `close` says so, and without it the board
ends by itself after statics.SILENT_MS.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Literal, Self

from stimbench.devices.device import Device
from stimbench.devices.emulated_serial import EmulatedSerial
from stimbench.devices.link import went_away
from stimbench.devices.repl import BoardTransport, TransportError
from stimbench.errors import NoAnswerError, ProtocolError, StimbenchError
from stimbench.statics.repeating import repeated

__all__ = ("CHANNELS", "BridgeState", "StaticOutput", "StaticsEndedError", "StaticsRefusedError")

BridgeState = Literal["off", "cathodic", "anodic", "recharge"]
_BRIDGE: dict[str, int] = {"off": 0, "cathodic": 1, "anodic": 2, "recharge": 4}
CHANNELS = {"left": 0, "right": 1, "current": 2, "supply": 3, "temperature": 4}
"""The converter's channels: V_LEFT, V_RIGHT, I_SENSE, VSYS / 3, temperature."""
_SAMPLES = 16
"""stimfw.pulses.impedance.KINDS, for each lead of a train."""
_ANSWER_S = 3.0
_PING_S = 0.1
"""The board gives up after four of them (statics.SILENT_MS)."""
_START = """
import sys
sys.path[:] = [".frozen"]
import main
from stimfw.stimulator import statics
for name in ("V_LEFT", "V_RIGHT", "I_SENSE"): main.ADC(main.Pin(name))
statics.serve(statics.Statics(*main.make_parts(), main.Sampler(), main.Sense(),
    main.Pin("MAGNET", main.Pin.IN, main.Pin.PULL_UP), main.Pin("GATE_Q", main.Pin.IN)),
    sys.stdin, sys.stdout)
"""


class StaticsRefusedError(StimbenchError):
    """The board did not do a line; nothing was changed."""


class StaticsEndedError(StimbenchError):
    """The board switched everything off by itself."""


class StaticOutput:
    """A stimulator's output stage, held still. Open inside `with`; afterwards the board was restarted.

    At first everything is off: bridges, KEEPALIVE, DAC codes 0, electrodes open.
    """

    def __init__(self, device: Device) -> None:
        """Args: device: open, a stimulator whose application may be interrupted: see `stimbench.cli`."""
        self._device = device
        self._transport: BoardTransport | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<StaticOutput of {self._device.name}, {'open' if self._transport else 'closed'}>"

    def open(self) -> Self:
        """Interrupt the application; everything is off.

        Raises:
            PortError: the device is not open, or its port went away.
            NoAnswerError: no prompt came, or the board's firmware has no such mode.
        """
        transport = self._device.enter_repl()
        try:
            transport.exec_raw_no_follow(_START)
        except TransportError as error:
            raise NoAnswerError(f"{self._device.name} does not take commands: {error}.") from error
        self._transport = transport
        try:
            self._answer("start")
        except StimbenchError:
            self._transport = None
            raise
        return self

    def close(self) -> None:
        """Everything off, and the board restarts into its application. Nothing if it is closed.

        Raises:
            PortError: the port went away; the board has switched off by itself.
        """
        if self._transport is None:
            return
        with contextlib.suppress(StaticsEndedError, StaticsRefusedError, NoAnswerError, ProtocolError):
            self._ask("e")
        self._transport = None
        self._device.reset()

    def release(self) -> None:
        """Everything off, and the board at its prompt, which `open` uses again. Nothing if it is closed.

        Raises:
            PortError: the port went away; the board has switched off by itself.
            NoAnswerError: no prompt came back.
        """
        transport = self._transport
        if transport is None:
            return
        with contextlib.suppress(StaticsEndedError, StaticsRefusedError):
            self._ask("e")
        self._transport = None
        try:
            transport.follow(_ANSWER_S)
        except TransportError as error:
            raise NoAnswerError(f"{self._device.name} does not come back to its prompt: {error}.") from error

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def code(self, lead: int, code: int) -> None:
        """Put 0-4095 at the DAC's output of a lead (0 left, 1 right), at once.

        Raises:
            StaticsRefusedError: there is no such code or lead. So with all methods, each of its own.
            StaticsEndedError: the board went off by itself: silence, the magnet, held too long. So with all.
        """
        self._ask(f"c {lead} {code}")

    def bridge(self, lead: int, state: BridgeState) -> None:
        """Hold a bridge; `cathodic` and `anodic` only while all electrodes are open."""
        self._ask(f"b {lead} {_BRIDGE[state]}")

    def switches(self, left: int, right: int) -> None:
        """Set the matrix, a byte a lead (stimfw.drivers.adg1414.select); only while no bridge drives."""
        self._ask(f"s {left} {right}")

    def keepalive(self, on: bool) -> None:
        """Let the board make KEEPALIVE edges every 10 ms, so that the gate stays open; or stop them."""
        self._ask(f"k {int(on)}")

    def read(self, channel: str, readings: int = 256) -> float:
        """The mean code of so many conversions (1-256) of one of CHANNELS, to 1/16."""
        return self._numbers(f"r {CHANNELS[channel]} {readings}", 1)[0] / 16

    def gate_q(self) -> bool:
        """The level of GATE_Q: whether the gate is open, as the board reads it back."""
        return bool(self._numbers("q", 2)[0])

    def magnet_near(self) -> bool:
        """Whether a magnet is at the reed switch."""
        return not self._numbers("q", 2)[1]

    def train(
        self, switches: tuple[int, int], amplitude_ua: int, pulses: int
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """A short train of the impedance's test pulses on both leads, with KEEPALIVE for as long as it takes.

        Args:
            switches: of the left and the right lead, as in `switches`; open again afterwards.
            amplitude_ua: 0-10000, as the uncalibrated board makes it.
            pulses: 1-200 that are counted.

        Returns:
            By lead, the mean codes at stimfw.pulses.impedance.KINDS.
        """
        found = self._numbers(f"t {switches[0]} {switches[1]} {amplitude_ua} {pulses}", 2 * _SAMPLES)
        means = tuple(value / pulses for value in found)
        return means[:_SAMPLES], means[_SAMPLES:]

    def hold(self, seconds: float) -> None:
        """Let so much of the board's time pass; everything stays as it is."""
        link = self._device.console
        end_s = link.now_s() + seconds
        while (left_s := end_s - link.now_s()) > 0:
            link.wait(min(_PING_S, left_s))
            self._ask("p")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, everything stays as it is while the caller waits for a person, say.

        A thread goes on asking. The time of an emulated board in this process stands still meanwhile, so
        nothing need be asked.
        """
        if isinstance(self._open_transport().serial, EmulatedSerial):
            yield
            return
        with repeated(lambda: self._ask("p"), _PING_S):
            yield

    def _open_transport(self) -> BoardTransport:
        if self._transport is None:
            raise StaticsEndedError(f"The output of {self._device.name} is not held.")
        return self._transport

    def _ask(self, line: str) -> str:
        transport = self._open_transport()
        with self._lock:
            try:
                transport.serial.write(line.encode() + b"\n")
            except OSError as error:
                raise went_away(self._device.name, error) from error
            return self._answer(line)

    def _numbers(self, line: str, count: int) -> list[int]:
        words = self._ask(line).split()
        if len(words) != count:
            name = self._device.name
            raise ProtocolError(f"{name} answers {line!r} with {len(words)} numbers, not {count}.")
        return [int(word) for word in words]

    def _answer(self, line: str) -> str:
        """What the board says to `line`, without the sign in front."""
        transport, name = self._open_transport(), self._device.name
        try:
            told = transport.read_until(1, b"\n", timeout=_ANSWER_S).decode("ascii", "replace")
        except OSError as error:
            raise went_away(name, error) from error
        if not told.endswith("\n"):
            raise NoAnswerError(f"{name} does not answer {line!r} {told.strip()[-200:]}".rstrip() + ".")
        sign, _, text = told.strip().partition(" ")
        if sign == "=":
            return text
        if sign == "!":
            raise StaticsRefusedError(f"{name} refuses {line!r}: {text}.")
        if sign == ".":
            raise StaticsEndedError(f"{name} switched its output off by itself: {text}.")
        raise ProtocolError(
            f"{name} answers {line!r} with {told.strip()!r}: is its firmware another version?"
        )
