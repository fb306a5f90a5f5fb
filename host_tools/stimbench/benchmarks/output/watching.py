"""What the watch costs while all is well, and whether it stays quiet then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from stimfw.pulses.lead_scales import LeadScales
from stimfw.therapy.watch import SAMPLES, Watch

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import Rig, programme
from stimbench.benchmarks.output.watched_script import FAULT_LINE, script
from stimbench.parts.adc import Rp2040Adc

__all__ = ("WATCHING", "Board", "Desk", "healthy_hours")

_PERIODS = 160
_HEAP = """
    if app.control.state() == 2 and held[0] < {periods}:
        frees[held[0]] = gc.mem_free()
        held[0] += 1
    elif held[0] == {periods}:
        held[0] += 1
        print("HEAP", list(frees))"""
_COUNT = "import array\nfrees = array.array('i', [0] * {periods})\nheld = [0]\n"
_TOLERANCES = (0, 1, -1)
_RATE_HZ = 20
_BLOCK = 4000
_SHARES = {0: 0.0, 1: 0.016, -1: -0.016}
"""Of current and voltage, all gains off the same way: pump 1 %, amplifier 0.5 %, converter 0.1 %."""


@dataclass(frozen=True)
class Board:
    """A session on the emulated board: share of the time awake, heap taken by each of many passes, faults."""

    awake: float
    heap: list[int]
    told: int


@dataclass(frozen=True)
class Desk:
    """Pulses on the desk, and how many of them the watch found something in."""

    pulses: int
    alarms: int


def _board(seed: int) -> Board:
    with Rig(seed, ("stimulator", "remote")) as rig:
        _begin(rig, script())
        rig.run_ms(3000)
        before_ns, start_ns = rig.board.cpu_awake_ns, rig.now_ns
        rig.run_ms(8000)
        awake = (rig.board.cpu_awake_ns - before_ns) / (rig.now_ns - start_ns)
        told = bytes(rig.board.console.read()).count(FAULT_LINE)
    source = script(more=_HEAP.format(periods=_PERIODS).strip())
    source = source.replace("gc.threshold(-1)", "gc.threshold(-1)\n" + _COUNT.format(periods=_PERIODS))
    with Rig(seed) as rig:  # looking at the heap keeps the CPU awake
        _begin(rig, source)
        rig.run_ms(15_000)
        listed = bytes(rig.board.console.read()).partition(b"HEAP [")[2].partition(b"]")[0]
        frees = [int(value) for value in listed.split(b",")]
        return Board(awake, [a - b for a, b in pairwise(frees)], told)


def _begin(rig: Rig, source: str) -> None:
    stimulator = rig.execute(source)
    rig.set_program(stimulator, programme(on_ms=20_000, ramp_ms=500))
    stimulator.start()
    rig.board.console.read()


def healthy_hours(hours: float, seed: int, tolerance: int) -> Desk:
    """Pulses of one lead as the converter gives them: noise, wide codes, tolerances, an electrode's drift."""
    adc = Rp2040Adc(seed, "desk")
    rng = np.random.default_rng(seed)
    offset_v = 0.003 * tolerance
    watch = Watch((LeadScales(), LeadScales()))
    base16 = [round(16 * (adc.clean(1.65 + offset_v))) for _ in range(3)]
    watch.begin(base16, (505, 505), (0, 0))
    total = round(hours * 3600 * _RATE_HZ)
    alarms = 0
    for first in range(0, total, _BLOCK):
        set_ua = int(rng.choice((200, 500, 1000, 2000, 4000, 7000, 10_000)))
        ohm = 500.0 * (1.0 + 0.1 * np.sin(2 * np.pi * first / total))
        codes = adc.codes(_volts(set_ua, ohm, min(_BLOCK, total - first), tolerance, offset_v), rng)
        for pulse in codes.tolist():
            for k in range(SAMPLES):
                watch.samples[0][k] = pulse[k]
            alarms += watch.look(0, set_ua, set_ua) != 0
    return Desk(total, alarms)


def _volts(set_ua: int, ohm: float, pulses: int, tolerance: int, offset_v: float) -> NDArray[np.float64]:
    """At the converter's inputs, shape (pulses, 8): 0.15 V for 1 mA, a tenth of R's and 2.5 uF's voltage."""
    amps = set_ua * 1e-6 * (1.0 + _SHARES[tolerance])
    early, late = amps * (ohm + 5 + 30 / 2.5), amps * (ohm + 5 + 205 / 2.5)
    end = (late - amps * 170) / 10
    shown = np.array([0.0, 0.0, -early / 10, -amps * 150, -amps * 150, -late / 10, amps * 150, end])
    shown[[2, 5, 7]] *= 1.0 + _SHARES[tolerance]
    return np.tile(1.65 + offset_v + shown, (pulses, 1))


def _cases(options: Options) -> list[tuple[float, int, int]]:
    hours = 0.2 if options.quick else 8.0 / len(_TOLERANCES)
    return [(0.0, options.seed, 0), *((hours, options.seed, each) for each in _TOLERANCES)]


def _work(case: tuple[float, int, int]) -> Board | Desk:
    hours, seed, tolerance = case
    return healthy_hours(hours, seed, tolerance) if hours else _board(seed)


def _judge(found: Sequence[Board | Desk], options: Options) -> list[Line]:
    board = next(each for each in found if isinstance(each, Board))
    desks = [each for each in found if isinstance(each, Desk)]
    pulses = sum(each.pulses for each in desks)
    passes = sorted(board.heap)
    return [
        reached(
            "CPU awake while pulsing at 20 Hz with all watching", board.awake * 100, Relation.AT_MOST, 8, "%",
            f"8 s of the hold, bilateral; seed {options.seed}. {options.cache_note}",
        ),
        reached(
            "heap that a pulse takes while holding", passes[len(passes) // 2], Relation.EQUAL, 0, "bytes",
            f"median of {len(passes)} passes of the loop, one a period; {sum(map(bool, passes))} take "
            f"{passes[-1]} bytes at the most: the loop's check of the radio, once a second",
            heap=board.heap,
        ),
        reached(
            "false alarms in healthy pulses, desk", sum(each.alarms for each in desks), Relation.EQUAL, 0, "",
            f"{pulses} pulses, {pulses / 3600 / _RATE_HZ:.1f} h at {_RATE_HZ} Hz: noise, wide codes, all "
            f"tolerances at either end, an electrode that drifts by 10 %, 200 uA to 10 mA; "
            f"{board.told} on the board",
        ),
    ]  # fmt: skip


WATCHING = Row("watching", "what the watch costs, and its false alarms", _cases, _work, _judge, weight=60)
