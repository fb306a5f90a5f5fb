"""How fast the output goes off by a magnet: by hardware, and by firmware alone."""

from __future__ import annotations

from collections.abc import Sequence

from stimfw.protocol import messages

from stimbench.benchmarks.harness.load import ALWAYS_COLLECTING, ALWAYS_PROGRAMMING
from stimbench.benchmarks.harness.model import Line, Options, Row, compared
from stimbench.benchmarks.harness.rig import MS, Rig
from stimbench.benchmarks.output.trials import (
    AFTER_MS,
    PROGRAM,
    TRIALS,
    Chunk,
    Trial,
    in_pulse,
    judge_trial,
    next_ns,
    seeded,
    worst_line,
)
from stimbench.client.stimulator import Stimulator

__all__ = ("MAGNET",)

_LEAST_NS = 3 * MS

_HARDWARE, _COLLECTING, _PROGRAMMING = "as built", "collecting garbage", "programming pages"
_SCRIPTS = {_HARDWARE: "", _COLLECTING: ALWAYS_COLLECTING, _PROGRAMMING: ALWAYS_PROGRAMMING}


def _magnets(chunk: Chunk) -> list[Trial]:
    """Sessions that end by a magnet: on the bench as it is built, or with CLR cut and a busy CPU."""
    script = _SCRIPTS[chunk.kind]
    with Rig(chunk.seed) as rig:
        stimulator = rig.execute(script) if script else rig.connect()
        rig.set_program(stimulator, PROGRAM)
        found = []
        for number in chunk.numbers():
            first_ns = rig.restart(stimulator)
            if script:
                rig.parts.gate.cut_clr()  # behind the self-test, which would find it
            found.append(_magnet(rig, stimulator, chunk, first_ns, chunk.phase_ns(number)))
            rig.parts.gate.cut_clr(False)
            rig.forget()
        return found


def _magnet(rig: Rig, stimulator: Stimulator, chunk: Chunk, first_ns: int, phase_ns: int) -> Trial:
    """One magnet, taken away again after a while: nothing may restart."""
    rig.bench.run_to(next_ns(rig, first_ns, phase_ns, _LEAST_NS))
    event_ns = max(rig.now_ns, rig.board.now_ns)  # the board may stand one instruction beyond the bench
    rig.bench.magnet(True)
    if _SCRIPTS[chunk.kind]:
        trial = judge_trial(rig, chunk, first_ns, event_ns)
    else:
        rig.run_ms(AFTER_MS)
        gate = rig.parts.gate.q
        delay_ns = rig.current_until_ns(event_ns) - event_ns
        trial = Trial(chunk.kind, phase_ns, delay_ns if not gate else AFTER_MS * MS, in_pulse(phase_ns), 0)
    off_ns = rig.now_ns
    rig.bench.magnet(False)
    rig.run_ms(80)
    later = rig.bridge_edges(off_ns) + (stimulator.status().state != messages.READY)
    return Trial(trial.kind, phase_ns, trial.delay_ns, trial.in_pulse, trial.late_edges + later)


def _judge_magnet(found: Sequence[list[Trial]], options: Options) -> list[Line]:
    every = [trial for chunk in found for trial in chunk]
    by_kind = {kind: [trial for trial in every if trial.kind == kind] for kind in _SCRIPTS}
    delays = sorted(trial.delay_ns / 1000 for trial in by_kind[_PROGRAMMING])
    return [
        worst_line("magnet edge -> no current, by hardware", by_kind[_HARDWARE], 0, "ns", 1, options),
        worst_line(
            "magnet edge -> both bridges off, by firmware alone (CLR cut)", by_kind[_COLLECTING],
            200, "us", 1000, options,
        ),
        compared(
            "the same while the flash is programmed without pause",
            f"median {delays[len(delays) // 2]:.0f}, worst {delays[-1]:.0f} us",
            f"{len(delays)} times: no interrupt is served during a page program of 0.4 ms; "
            "the hardware does not wait",
            delays_us=delays,
        ),
    ]  # fmt: skip


MAGNET = Row(
    "magnet", "magnet edge -> both bridges off",
    lambda o: seeded({_HARDWARE: 40, _COLLECTING: TRIALS, _PROGRAMMING: 24}, o), _magnets, _judge_magnet,
    weight=50,
)  # fmt: skip
