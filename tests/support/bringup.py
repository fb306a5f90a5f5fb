"""A made-up clock, readings that are right, and a made-up person for bring-ups."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from stimbench.bringup.emulated import ModelledMeter
from stimbench.bringup.model import Reading, Step, Unit
from stimbench.bringup.steps import BLOCKS

AWAY_NS = 30_000_000
PROBES = r"Red probe: (\S+) \(([^)]*)\); black: (\S+?)(?: \([^)]*\))?\. In (\w+):"
ENTER = r"[Pp]ress Enter|Enter stops|Enter switches|Enter keeps"
STEPS = [(block, step) for block in BLOCKS for step in block.steps]
READINGS = [(step, reading) for _, step in STEPS for reading in step.readings]


def clock():
    """A second later at each call."""
    times = (datetime(2026, 11, 30, 9, tzinfo=UTC) + timedelta(seconds=k) for k in range(10**6))
    return lambda: next(times)


def middle(span):
    """A value well inside a range."""
    low, high = span
    if math.isinf(high):
        return high if low > 0 else low + 1.0
    return (low + high) / 2.0


def right_values(step: Step):
    return {reading.key: middle(reading.span) for reading in step.readings}


class Operator:
    """Does what the questions say to an emulated board, and reads its nets with the modelled meter.

    `answers` are given instead, by the first words that a question matches; each once.
    """

    def __init__(self, bench, points, ohm=500.0, seed=1):
        self.bench, self.points, self.ohm = bench, points, ohm
        self.board = bench.board("stimulator")
        self.meter = ModelledMeter(seed)
        self.answers: list[tuple[str, object]] = []
        self.asked: list[tuple[str, float | None]] = []
        self.said: list[str] = []
        self.reading: Reading | None = None

    def say(self, text):
        self.said.append(text)

    def ask(self, question, within_s=None):
        self.asked.append((question, within_s))
        for k, (words, answer) in enumerate(self.answers):
            if re.search(words, question):
                del self.answers[k]
                if isinstance(answer, BaseException):
                    raise answer
                return answer
        return self._do(question)

    def _do(self, question):
        parts = self.board.parts
        actions = (
            ("^Unplug", self.board.power_off),
            ("Plug the board in", self.board.power_on),
            ("^Hold the magnet", parts.magnet.close),
            ("^Take the magnet", parts.magnet.open),
            ("take the magnet away within", self._let_go),
            ("^Take the test resistor", self.points.take_away),
        )  # fmt: skip
        for words, action in actions:
            if re.search(words, question):
                action()
                return ""
        if found := re.match(r"Put the test resistor between (\S+) and (\S+) and", question):
            self.points.fit(found[1], found[2], self.ohm)
            return ""
        return self._say(question)

    def _let_go(self):
        self.bench.at(self.bench.now_ns + AWAY_NS, self.board.parts.magnet.open)

    def _say(self, question):
        parts = self.board.parts
        if found := re.search(PROBES, question):
            return self._measure(*found.groups())
        for words, answer in (
            ("^Make, model", "Made-up 1000, serial 42"), ("Your name", "A. Person"), ("y, n, ", "y"),
            ("In ms:", f"{parts.gate.pulse_ns / 1e6:.1f}"),
        ):  # fmt: skip
            if re.search(words, question):
                return answer
        assert re.search(ENTER, question), f"what is to be done? {question}"
        return ""

    def _measure(self, net, pin, against, unit):
        if unit == Unit.VOLTS.value:
            value = self.meter.volts(self.points.volts(net, pin, against))
            return f"{value:.6f}"
        value = self.meter.ohms(self.points.ohms(net, against))
        return "OL" if math.isinf(value) else f"{value:.4f}"


__all__ = ("READINGS", "STEPS", "Operator", "clock", "middle", "right_values")
