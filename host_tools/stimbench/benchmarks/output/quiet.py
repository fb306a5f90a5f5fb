"""Bridge pins when nobody asked for anything: boot, reset, REPL entry, and all that comes before START."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimfw.protocol import messages, requests
from stimfw.therapy.program import FIELD_NAMES

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import Rig, programme
from stimbench.errors import RefusedError

__all__ = ("QUIET",)

_UP_MS = 600


@dataclass(frozen=True)
class _Case:
    situation: str
    seed: int


@dataclass(frozen=True)
class _Count:
    case: _Case
    events: int
    edges: int


def _boot(rig: Rig, seed: int) -> int:
    rig.run_ms(_UP_MS)
    return 1


def _run_pin(rig: Rig, seed: int) -> int:
    """RUN pulled at random moments of boot and after it."""
    rng = random.Random(f"run {seed}")
    for _ in range(5):
        rig.run_ms(rng.uniform(0.1, 400))
        rig.board.reset()
    rig.run_ms(_UP_MS)
    return 5


def _power_cycle(rig: Rig, seed: int) -> int:
    """The supply lost at random moments of boot and after it."""
    rng = random.Random(f"power {seed}")
    for _ in range(5):
        rig.run_ms(rng.uniform(0.1, 400))
        rig.board.power_off()
        rig.run_ms(20)
        rig.board.power_on()
    rig.run_ms(_UP_MS)
    return 5


def _watchdog(rig: Rig, seed: int) -> int:
    rig.run_ms(_UP_MS)
    rig.board.hang()
    rig.run_ms(2500)
    return len(rig.board.resets) - 1


def _repl(rig: Rig, seed: int) -> int:
    """Ctrl-C, raw REPL, soft reset, and machine.reset() from there."""
    transport = rig.repl()
    transport.exec("import machine")
    transport.exit_raw_repl()
    rig.board.console.write(b"\x04")
    rig.run_ms(_UP_MS)
    rig.device.enter_repl().exec_raw_no_follow("import machine; machine.reset()")
    rig.run_ms(_UP_MS)
    rig.connect()
    return 3


def _before_start(rig: Rig, seed: int) -> int:
    """All that a host asks before START, and a START that is refused."""
    stimulator = rig.connect()
    stimulator.status()
    stimulator.details()
    stimulator.counters()
    stimulator.pulses()
    rig.set_program(stimulator, programme(amplitude_ua=(0, 0)))
    _refused(stimulator.start)
    rig.set_program(stimulator, programme())
    rig.bench.magnet(True)
    rig.run_ms(50)
    _refused(stimulator.start)
    rig.bench.magnet(False)
    wrong = list(programme().values)
    wrong[FIELD_NAMES.index("rate_hz")] = 255
    _refused(lambda: stimulator._ask(requests.SET_PROGRAM, *wrong))
    rig.board.console.write(random.Random(f"noise {seed}").randbytes(500).replace(b"\x03", b""))
    rig.run_ms(_UP_MS)
    return 9


def _refused(request: Callable[[], object]) -> None:
    try:
        request()
    except RefusedError:
        return
    raise RuntimeError("the board took what it should have refused")


_SITUATIONS: dict[str, Callable[[Rig, int], int]] = {
    "boot": _boot,
    "RUN pin reset": _run_pin,
    "power cycle": _power_cycle,
    "watchdog reset": _watchdog,
    "Ctrl-C, raw REPL, soft reset, machine.reset()": _repl,
    "requests and refusals before START": _before_start,
}


def _cases(options: Options) -> list[_Case]:
    seeds = 1 if options.quick else 4
    return [_Case(name, options.seed + k) for name in _SITUATIONS for k in range(seeds)]


def _count(case: _Case) -> _Count:
    """Edges on the six bridge pins from power-on to the end of a situation, and pins that are high then."""
    with Rig(case.seed) as rig:
        events = _SITUATIONS[case.situation](rig, case.seed)
        ready = rig.connect().status().state == messages.READY
        if not ready:
            raise RuntimeError(f"not ready after: {case.situation}")
        return _Count(case, events, rig.bridge_edges(0))


def _judge(found: Sequence[_Count], options: Options) -> list[Line]:
    listed = []
    for name in _SITUATIONS:
        mine = [each for each in found if each.case.situation == name]
        listed.append(f"{name} {sum(e.events for e in mine)}x: {sum(e.edges for e in mine)}")
    return [
        reached(
            "edges on bridge pins in boot, reset, REPL entry, before START",
            sum(each.edges for each in found),
            Relation.EQUAL, 0, "",
            f"six pins, rising and falling: {'; '.join(listed)}; seeds {options.seed}-"
            f"{max(each.case.seed for each in found)}; the board was ready after each",
            situations=[[each.case.situation, each.case.seed, each.events, each.edges] for each in found],
        )
    ]  # fmt: skip


QUIET = Row("quiet", "any edge on a bridge pin in boot, reset, REPL entry, or before START",
            _cases, _count, _judge, weight=15)  # fmt: skip
