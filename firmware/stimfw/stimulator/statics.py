"""Steady currents into a resistor, held by hand from the REPL: for calibration and for a board that is new.

No application loads this module, so it costs no heap. The host interrupts the application, calls `serve` at
the prompt, and then sends lines, each answered by one. The output goes off, and `serve` returns, when no line
came for SILENT_MS, when the same output was held for MOST_S, at the magnet, and on whatever is raised. A loop
that hangs makes no KEEPALIVE: the monostable closes the gate.

    c LEAD CODE      DAC code, 0-4095, at the output at once
    b LEAD STATE     bridge: 0 off, 1 cathodic, 2 anodic, 4 recharge
    s LEFT RIGHT     the matrix' bytes (stimfw.drivers.adg1414)
    k 0|1            KEEPALIVE silent, or an edge each pass
    r CHANNEL N      the mean of N conversions (1-256) of channel 0-4: 16 times the code
    q                GATE_Q, and the pin of the magnet: 1 while none is near
    t LEFT RIGHT UA N  a train of N pulses (1-200) of UA on both leads with these switches: the sums of
                     codes of each lead at impedance.KINDS, 16 and 16 numbers
    p                nothing: the host is still there
    e                everything off, and the end

An answer is `=` and numbers, or `!` and why the line was refused; then nothing was changed.

A steady current needs a resistor between the bridge's test points X and B, in front of the blocking capacitor
(docs/calibration.md). So a bridge drives only while all electrodes are open.
"""

import array
import select
from time import sleep_ms, ticks_diff, ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import adg1414
from stimfw.pulses import impedance
from stimfw.pulses.waveform import ANODIC, CATHODIC, OFF, SHORT
from stimfw.stimulator.measure import Measurements
from stimfw.stimulator.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TextIO

    from machine import Pin

    from stimfw.drivers.adg1414 import Adg1414Pair
    from stimfw.drivers.mcp4922 import Mcp4922
    from stimfw.drivers.pulser import Pulser
    from stimfw.drivers.sampler import Sampler
    from stimfw.drivers.sense import Sense

SILENT_MS = 400
"""Without a line for so long everything goes off; a pass takes 60 ms at most, so that is below 500 ms."""
MOST_S = 120
"""An output that nothing has changed goes off after so long, whatever the host says."""
MOST_PULSES = 200
MOST_UA = 10_000
_PASS_MS = 10
_LONGEST_LINE = 40
_CODES = 4096
_CHANNELS = 5
_MOST_READINGS = 256


class RefusedError(Exception):
    """A line that cannot be done; its text is the answer."""


class Train(Measurements):
    """Test pulses as those of the impedance, and their plain sums."""

    def sums(
        self, left: int, right: int, amplitude_ua: int, pulses: int
    ) -> "Generator[int, None, list[int]]":
        """Yields waits in ms; returns both leads' sums of codes at impedance.KINDS.

        Raises:
            RefusedError: the pulses did not come.
        """
        output = self._output
        yield from self._prepare()
        output.connect(left, right)
        came = yield from self._burst(amplitude_ua, amplitude_ua, impedance.SKIPPED_PULSES + pulses)
        samples = len(impedance.KINDS)
        found: "list[int]" = []
        if came:
            for lead in range(2):
                sums = array.array("i", [0] * samples)
                first = (2 * impedance.SKIPPED_PULSES + lead) * samples
                output.sampler.add_up(first, pulses, sums)  # type: ignore[arg-type]
                found += list(sums)
        output.idle()
        if not came:
            raise RefusedError("the pulses did not come")
        return found


class Statics:
    """The board's end of the lines; made and served once."""

    def __init__(
        self,
        pulser: "Pulser",
        dac: "Mcp4922",
        matrix: "Adg1414Pair",
        keepalive: "Pin",
        sampler: "Sampler",
        sense: "Sense",
        magnet: "Pin",
        gate_q: "Pin",
    ) -> None:
        """All off. `magnet`, `gate_q`: input pins."""
        self._output = Output(pulser, sampler, dac, matrix, keepalive)
        self._pulser = pulser
        self._dac = dac
        self._matrix = matrix
        self._keepalive = keepalive
        self._sense = sense
        self._magnet = magnet
        self._gate_q = gate_q
        self._bridges = [OFF, OFF]
        self._switches = (adg1414.ALL_OPEN, adg1414.ALL_OPEN)
        self._alive = False
        self._changed_ms = self._heard_ms = ticks_ms()
        self.ended = ""
        """Why it is over; empty while it is not."""
        self._actions: "dict[str, Callable[..., tuple[int, ...]]]" = {
            "c": self._code,
            "b": self._bridge,
            "s": self._connect,
            "k": self._keep_alive,
            "r": self._read,
            "q": self._levels,
            "t": self._train,
            "p": self._nothing,
            "e": self._end,
        }
        self.off()

    def off(self) -> None:
        """Bridges off, KEEPALIVE silent, DAC at zero, electrodes open."""
        self._alive = False
        self._bridges[0] = self._bridges[1] = OFF
        self._switches = (adg1414.ALL_OPEN, adg1414.ALL_OPEN)
        self._output.off()

    def beat(self) -> None:
        """One pass: KEEPALIVE if it is wanted, and everything off if it is over."""
        now = ticks_ms()
        if not self._magnet():
            self.ended = "magnet"
        elif ticks_diff(now, self._heard_ms) > SILENT_MS:
            self.ended = "silence"
        elif self._alive and ticks_diff(now, self._changed_ms) > MOST_S * 1000:
            self.ended = "held for too long"
        if self.ended:
            self.off()
        elif self._alive:
            self._keepalive(1)
            self._keepalive(0)

    def answer(self, line: str) -> str:
        """Do what a line says: `= numbers`, or `! reason`."""
        self._heard_ms = ticks_ms()
        words = line.split()
        try:
            found = self._actions[words[0]](*[int(word) for word in words[1:]])
        except RefusedError as refusal:
            return "! %s" % refusal
        except (KeyError, IndexError, TypeError, ValueError):
            return "! not understood: " + line
        return "= " + " ".join([str(value) for value in found])

    # What the lines do; each gives the numbers of its answer.

    def _code(self, lead: int, code: int) -> "tuple[int, ...]":
        _require(lead in (0, 1) and 0 <= code < _CODES, "no such lead or code")
        self._dac.write(lead, code)
        self._pulser.latch()
        self._changed_ms = self._heard_ms
        return ()

    def _bridge(self, lead: int, state: int) -> "tuple[int, ...]":
        _require(lead in (0, 1) and state in (OFF, CATHODIC, ANODIC, SHORT), "no such lead or state")
        _require(
            state in (OFF, SHORT) or self._switches == (adg1414.ALL_OPEN, adg1414.ALL_OPEN),
            "electrodes are joined: a steady current is for the resistor at X and B alone",
        )
        self._pulser.hold(lead, state)
        self._bridges[lead] = state
        self._changed_ms = self._heard_ms
        return ()

    def _connect(self, left: int, right: int) -> "tuple[int, ...]":
        _require(0 <= left <= 255 and 0 <= right <= 255, "a byte for each lead")
        if left or right:
            _require(self._is_quiet(), "a bridge drives: electrodes stay open")
        self._matrix.write(left, right)
        self._switches = (left, right)
        self._changed_ms = self._heard_ms
        return ()

    def _is_quiet(self) -> bool:
        """Whether no bridge drives a steady current."""
        return all([state in (OFF, SHORT) for state in self._bridges])

    def _keep_alive(self, wanted: int) -> "tuple[int, ...]":
        self._alive = wanted != 0
        self._changed_ms = self._heard_ms
        self.beat()
        return ()

    def _read(self, channel: int, readings: int) -> "tuple[int, ...]":
        _require(0 <= channel < _CHANNELS and 1 <= readings <= _MOST_READINGS, "no such channel, or too many")
        return (self._sense.mean16(channel, readings),)

    def _levels(self) -> "tuple[int, ...]":
        return self._gate_q(), self._magnet()

    def _train(self, left: int, right: int, amplitude_ua: int, pulses: int) -> "tuple[int, ...]":
        _require(0 <= left <= 255 and 0 <= right <= 255, "a byte for each lead")
        _require(0 <= amplitude_ua <= MOST_UA and 1 <= pulses <= MOST_PULSES, "too much, or too many")
        _require(self._is_quiet(), "a bridge drives")
        self._output.arm_trip()
        train = Train(self._output, self._sense).sums(left, right, amplitude_ua, pulses)
        was_alive, self._alive = self._alive, True
        try:
            return tuple(self._run(train))
        finally:
            self._output.idle()
            self._alive = was_alive
            self._switches = (adg1414.ALL_OPEN, adg1414.ALL_OPEN)

    def _run(self, train: "Generator[int, None, list[int]]") -> "list[int]":
        """Give a train its passes; no line is read meanwhile, and it is over by itself."""
        try:
            while True:
                wait_ms, began_ms = next(train), ticks_ms()
                while ticks_diff(ticks_ms(), began_ms) < wait_ms:
                    sleep_ms(1)
                    self._beat_once(began_ms)
                self._beat_once(began_ms)
        except StopIteration as end:
            found: "list[int]" = end.value
            return found

    def _beat_once(self, now_ms: int) -> None:
        self._heard_ms = now_ms
        self.beat()
        _require(not self.ended, self.ended)

    def _nothing(self) -> "tuple[int, ...]":
        return ()

    def _end(self) -> "tuple[int, ...]":
        self.ended = "asked"
        self.off()
        return ()


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise RefusedError(reason)


def serve(statics: Statics, stdin: "TextIO", stdout: "TextIO") -> None:
    """Answer lines until it is over, and say why: `. reason`. Everything is off then, whatever was raised."""
    readable = select.poll()
    readable.register(stdin, select.POLLIN)
    line = ""
    stdout.write("= \n")
    try:
        while not statics.ended:
            if readable.poll(_PASS_MS):
                character = stdin.read(1)
                if character != "\n":
                    line = (line + character)[:_LONGEST_LINE]
                    continue
                stdout.write(statics.answer(line) + "\n")
                line = ""
            statics.beat()
        stdout.write(". %s\n" % statics.ended)
    finally:
        statics.off()
