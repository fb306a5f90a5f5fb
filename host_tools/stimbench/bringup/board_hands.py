"""Puts a board into the state that a reading needs, over its REPL. Output disabled is where all of it ends.

Single lines and KEEPALIVE without a current: short scripts, one after the other. A bridge, a code of the DAC
or the matrix: stimbench.statics, which goes off by itself within half a second of silence. KEEPALIVE runs in
both only while this host goes on asking, so a host that dies leaves Q low after one pulse of the monostable.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from stimfw.pulses import calibration, calibration_record, impedance

from stimbench.bringup.model import Setup
from stimbench.client.calibration import Calibration
from stimbench.devices.device import Device
from stimbench.devices.emulated_serial import EmulatedSerial
from stimbench.devices.link import went_away
from stimbench.devices.repl import TransportError
from stimbench.errors import NoAnswerError, ProtocolError, StimbenchError, WrongBoardError
from stimbench.statics.output import StaticOutput
from stimbench.statics.repeating import repeated

__all__ = ("QUESTIONS", "BoardHands", "BoardIdentity")

_BEATS = 10
"""Edges of KEEPALIVE in one script: 100 ms, one pulse of the monostable being 107 ms or more."""
_PREPARE = f"""
import sys
sys.path[:] = [".frozen"]
from machine import Pin
from time import sleep_ms, ticks_diff, ticks_ms
RESTING = {{"KEEPALIVE": 0, "DAC_CS": 1, "MATRIX_CS": 1, "LDAC": 1, "RADIO_CE": 0}}
for side in "LR":
    for line in ("CATH", "ANOD", "SHORT"): RESTING[side + "_" + line] = 0
def rest():
    for name in RESTING: Pin(name, Pin.OUT, value=RESTING[name])
def hold(names, level):
    for name in names: Pin(name, Pin.OUT, value=level)
def beat():
    line = Pin("KEEPALIVE", Pin.OUT)
    for _ in range({_BEATS}):
        line(1)
        line(0)
        sleep_ms(10)
def gate_q(): return Pin("GATE_Q", Pin.IN)()
def q_stays_low():
    magnet, began, rose = Pin("MAGNET", Pin.IN, Pin.PULL_UP), ticks_ms(), 0
    while not magnet() and ticks_diff(ticks_ms(), began) < 20000: rose |= gate_q()
    began = ticks_ms()
    while ticks_diff(ticks_ms(), began) < 100: rose |= gate_q()
    return not rose
def radio():
    import main
    bus = main.make_radio()
    found = []
    for register, value in ((5, 0x4C), (6, 0x26), (0x1D, 0x05)):
        before = bus._read(register)
        bus._write(register, value)
        found.append(int(bus._read(register) == value))
        bus._write(register, before)
    return found
rest()
"""
_WHO = """
import machine, stimfw_build as b
print(b.BOARD, b.VERSION, b.SOURCE_HASH, machine.unique_id().hex())
"""
_CALIBRATION = """
import rp2
from stimfw.storage import layout
from stimfw.storage.record import Record
try:
    found = Record(rp2.Flash(), layout.CALIBRATION).peek()
    print("none" if found is None else found.hex())
except OSError:
    print("damaged")
"""
_WATCH_S = 21.0
_FALL_S = 0.15
"""Q is low and the relays are open so long after the last KEEPALIVE: 133 ms and 2.2 ms (docs/circuit.md)."""
QUESTIONS = (
    "gate-q", "q-stays-low", "radio-answers", "radio-rate", "radio-feature", "pulses-left", "pulses-right",
    "converter-left", "converter-right", "converter-current",
)  # fmt: skip
"""What the board can answer by itself: 1 is yes, 0 is no; of pulses ohm, of its converter V. After
`q-stays-low` is asked the magnet goes."""
_VOLTS_A_CODE = 3.3 / 4096
_PULSES_UA, _PULSES = 2000, 40
_FIRST_TO_SECOND = 0x21
_LEAST_SHARE = 0.5
"""Of the current that was asked for: with less the lead counts as open."""


@dataclass(frozen=True)
class BoardIdentity:
    """Which board it is: `unique_id` of its flash in hex, and what it runs."""

    unique_id: str
    version: str
    firmware: str


class BoardHands:
    """One board, open, whose application may be interrupted."""

    def __init__(self, device: Device) -> None:
        """Args: device: open; it stays its owner's."""
        self._device = device
        self._static: StaticOutput | None = None
        self._prepared = False
        self._alive = self._ran = False
        self._lock = threading.Lock()

    def identify(self) -> BoardIdentity:
        """Which board this is; its application is interrupted, its output off.

        Raises:
            WrongBoardError: it is no stimulator.
            NoAnswerError: it gives no prompt, or has no firmware of this project.
        """
        words = self._run(_WHO).split()
        if len(words) != 4:
            raise NoAnswerError(f"{self._device.name} has no firmware of this project: `stimbench flash`.")
        if words[0] != "stimulator":
            raise WrongBoardError(f"{self._device.name} is a {words[0]}; this is for a stimulator.")
        return BoardIdentity(unique_id=words[3], version=words[1], firmware=words[2])

    def calibration(self) -> Calibration:
        """The record on its flash, as its application would find it."""
        found = self._run(_CALIBRATION)
        if found == "none":
            return Calibration("none")
        try:
            return Calibration("calibrated", calibration_record.unpack(bytes.fromhex(found)))
        except ValueError:  # damaged, or of another firmware
            return Calibration("damaged")

    def apply(self, setup: Setup) -> None:
        """Bring the board into a state; magnet, power and resistor are a person's."""
        ran, self._ran = self._ran, setup.keepalive
        if setup.carries_current or setup.switches != (0, 0) or setup.bridges != ("off", "off"):
            self._apply_static(setup)
        else:
            self._apply_lines(setup)
        if ran and not setup.keepalive:
            self.hold(_FALL_S)

    def off(self) -> None:
        """Output disabled: KEEPALIVE quiet, bridges off, DAC at zero, matrix open."""
        self._alive = False
        if self._static is not None:
            static, self._static = self._static, None
            static.release()
        if self._prepared:
            self._run("rest()")

    def close(self) -> None:
        """Output disabled, and the application runs again, also if something was cut in its middle.

        Raises:
            PortError: the port went away. The board goes off by itself.
        """
        try:
            self.off()
        except StimbenchError:
            self._static = None
            self._device.close()  # what waits in the port belongs to nobody: a new transport interrupts it
            self._device.open()
        self._prepared = False
        self._device.reset()

    def hold(self, seconds: float) -> None:
        """Let so much of the board's time pass; KEEPALIVE goes on if the state has it."""
        if self._static is not None:
            self._static.hold(seconds)
            return
        link = self._device.console
        if not self._alive:
            link.wait(seconds)
            return
        end_s = link.now_s() + seconds
        while link.now_s() < end_s:
            self._run("beat()")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, the state stays while a person takes their time: a thread goes on asking."""
        if self._static is not None:
            with self._static.held():
                yield
            return
        if not self._alive or isinstance(self._device.enter_repl().serial, EmulatedSerial):
            yield
            return
        with repeated(lambda: self._run("beat()")):
            yield

    def ask(self, question: str) -> float:
        """The board's own answer to one of QUESTIONS; infinite ohm: no current came."""
        self._prepare()
        if question == "gate-q":
            return float(self._run("beat(); print(int(gate_q()))" if self._alive else "print(int(gate_q()))"))
        if question == "q-stays-low":
            return float(self._run("print(int(q_stays_low()))", _WATCH_S))
        if question.startswith("converter-"):
            return self._converter_v(question.partition("-")[2])
        if question.startswith("pulses-"):
            return self._pulses_ohm(("pulses-left", "pulses-right").index(question))
        answers = self._run("print(*radio())").split()
        place = ("radio-answers", "radio-rate", "radio-feature").index(question)
        if len(answers) != 3:
            raise ProtocolError(f"{self._device.name} answers {answers!r} when asked for its radio.")
        return float(answers[place])

    def _converter_v(self, channel: str) -> float:
        """The mean of a channel, in V; an output that is held stays held."""
        if self._static is not None:
            return self._static.read(channel) * _VOLTS_A_CODE
        static = StaticOutput(self._device).open()
        try:
            return static.read(channel) * _VOLTS_A_CODE
        finally:
            static.release()

    def _pulses_ohm(self, lead: int) -> float:
        """V over I of short pulses into what is between electrodes 0 and 1, switches included."""
        static = StaticOutput(self._device).open()
        try:
            rest = static.read("current")
            both = (_FIRST_TO_SECOND, _FIRST_TO_SECOND)
            codes = static.train(both, _PULSES_UA, _PULSES)[lead]
        finally:
            static.release()
        mean = {
            kind: sum(code for code, each in zip(codes, impedance.KINDS, strict=True) if each == kind)
            / impedance.KINDS.count(kind)
            for kind in "BVI"
        }
        amps = (mean["I"] - rest) * calibration.NA_PER_CODE * 1e-9
        if abs(amps) < _PULSES_UA * 1e-6 * _LEAST_SHARE:
            return math.inf
        return (mean["V"] - mean["B"]) * calibration.UV_PER_CODE * 1e-6 / amps

    def _apply_static(self, setup: Setup) -> None:
        self._alive = False
        if self._static is None:
            self._prepare()
            self._static = StaticOutput(self._device).open()
        static = self._static
        # A current begins and ends with its bridge, never with a code: the pump stands still meanwhile.
        for lead in (0, 1):
            static.bridge(lead, "off")
            static.code(lead, setup.codes[lead])
        static.switches(*setup.switches)
        static.keepalive(setup.keepalive)
        for lead in (0, 1):
            static.bridge(lead, setup.bridges[lead])  # type: ignore[arg-type]  # Setup has checked the word

    def _apply_lines(self, setup: Setup) -> None:
        self.off()
        self._prepare()
        self._alive = setup.keepalive
        self._run(f"hold({setup.low!r}, 0); hold({setup.high!r}, 1)")
        if self._alive:
            self._run("beat()")

    def _prepare(self) -> None:
        if not self._prepared:
            self._run(_PREPARE)
            self._prepared = True

    def _run(self, code: str, timeout_s: float = 10.0) -> str:
        with self._lock:
            transport = self._device.enter_repl()
            try:
                out, problem = transport.exec_raw(code, timeout_s)
            except TransportError as error:
                raise NoAnswerError(f"{self._device.name} does not answer: {error}.") from error
            except OSError as error:
                raise went_away(self._device.name, error) from error
        if problem:
            last = problem.decode("utf-8", "replace").strip().splitlines()[-1]
            raise NoAnswerError(f"{self._device.name} cannot do it: {last}.")
        return bytes(out).decode("ascii", "replace").strip()
