"""STOP from end to end: from the button of a paired remote to the output off, connection fresh or open."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from stimfw.telemetry import frames

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, programme
from stimbench.benchmarks.radio.rig import HOLD_MS, PairedRig
from stimbench.client.stimulator import Stimulator

__all__ = ("STOP_RADIO", "Trial", "judge", "stop", "trials")

OPEN = "open"
FIRST = "first press ever"
STIMULATOR = "stimulator restarted"
REMOTE = "remote restarted"
EXPIRED = "connection expired"

_TRIALS = {OPEN: 100, FIRST: 8, STIMULATOR: 12, REMOTE: 12, EXPIRED: 12}
_CASES = 4  # of the trials of a kind
_PROGRAM = programme(on_ms=60_000, off_ms=0)
_PERIOD_NS = _PROGRAM.period_us * 1000
_LONGEST_NS = 3500 * MS  # the remote tries for 3 s
_HOPS_MS = 9000  # 4 s without contact and the stimulator is back on its first channel
_EXPIRY_MS = 60_000
_BOOT_MS = 50


@dataclass(frozen=True)
class _Case:
    kind: str
    seed: int
    trials: int


@dataclass(frozen=True)
class Trial:
    """One STOP; times from the button's first edge, in ns.

    Attributes:
        marks: the remote's first bit, end of the CHALLENGE (0 if none came before off), end of the frame that
            stopped (the last burst's first packet before off: a REQUEST, or a HELLO that wants STOP), off.
        phase_ns: of the press, in the stimulation period.
        packets: of the remote, copies included.
    """

    kind: str
    marks: tuple[int, int, int, int]
    phase_ns: int
    packets: int

    @property
    def off_ns(self) -> int:
        """Until the output was off."""
        return self.marks[-1]


def _cases(options: Options) -> list[_Case]:
    found = []
    for kind, trials in _TRIALS.items():
        each = max(1, trials // _CASES // (4 if options.quick else 1))
        found += [_Case(kind, options.seed + number, each) for number in range(_CASES)]
    return found


def trials(case: _Case) -> list[Trial]:
    """Do a case's trials."""
    if case.kind == FIRST:
        return [_first_press(case, number) for number in range(case.trials)]
    with PairedRig(case.seed) as rig:
        _without_currents(rig)
        stimulator = rig.connect()
        found = []
        for number in range(case.trials):
            rng = _rng(case, number)
            if case.kind != OPEN or number == 0:
                rig.connected()
            stimulator = _SPOIL[case.kind](rig, stimulator, rng)
            found.append(stop(rig, stimulator, case.kind, rng))
            rig.forget()
        return found


def _first_press(case: _Case, number: int) -> Trial:
    """On boards that have never spoken to each other."""
    with PairedRig(case.seed + 1000 * number) as rig:
        _without_currents(rig)
        rng = _rng(case, number)
        rig.run_ms(rng.randrange(_HOPS_MS))
        return stop(rig, rig.connect(), case.kind, rng)


def _rng(case: _Case, number: int) -> random.Random:
    return random.Random(f"{case.kind} {case.seed} {number}")


def _without_currents(rig: PairedRig) -> None:
    for lead in rig.parts.leads.values():
        lead.trace.enabled = False


# What happens to the connection before the press.


def _spare(rig: PairedRig, stimulator: Stimulator, rng: random.Random) -> Stimulator:
    rig.run_ms(rng.randrange(200))
    return stimulator


def _restart_stimulator(rig: PairedRig, stimulator: Stimulator, rng: random.Random) -> Stimulator:
    rig.board.reset()
    rig.run_ms(_BOOT_MS)
    rig.board.console.read()
    again = rig.connect()
    rig.run_ms(rng.randrange(_HOPS_MS))
    return again


def _restart_remote(rig: PairedRig, stimulator: Stimulator, rng: random.Random) -> Stimulator:
    rig.bench.board("remote").reset()
    rig.run_ms(_BOOT_MS)
    rig.reach_remote()
    rig.run_ms(rng.randrange(200))
    return stimulator


def _expire(rig: PairedRig, stimulator: Stimulator, rng: random.Random) -> Stimulator:
    rig.run_ms(_EXPIRY_MS + rng.randrange(_HOPS_MS))
    return stimulator


_SPOIL: dict[str, Callable[[PairedRig, Stimulator, random.Random], Stimulator]] = {
    OPEN: _spare, STIMULATOR: _restart_stimulator, REMOTE: _restart_remote, EXPIRED: _expire,
}  # fmt: skip


# The press.


def stop(rig: PairedRig, stimulator: Stimulator, kind: str, rng: random.Random) -> Trial:
    """Stimulate, press STOP at a random phase, and see when the output is off.

    Args:
        rig: connected or not, as `kind` says.
        stimulator: its console.
        kind: OPEN, ...
        rng: for the phase.

    Raises:
        RuntimeError: the output did not go off, or the connection was not as `kind` says.

    Off is when the switches of both leads opened: the firmware opens them after it has switched the bridges
    off, whatever the phase. The last edge of a bridge pin alone may lie a pause between two pulses earlier.
    """
    rig.set_program(stimulator, _PROGRAM)
    first_ns = rig.restart(stimulator)
    phase_ns = rng.randrange(_PERIOD_NS)
    periods = -(-(rig.now_ns + HOLD_MS * MS - first_ns - phase_ns) // _PERIOD_NS)
    rig.bench.run_to(first_ns + periods * _PERIOD_NS + phase_ns)
    pressed_ns = rig.now_ns
    rig.bench.press("STOP", HOLD_MS)
    if not rig.bench.run_until(lambda: not rig.joined, _LONGEST_NS, MS):
        raise RuntimeError(f"{kind}: STOP did not stop")
    open_ns = rig._joined[-1][0]
    rig.run_ms(_PERIOD_NS / MS + 2 * HOLD_MS)
    off_ns = max(open_ns, rig.off_ns(pressed_ns))
    return _judged(rig, kind, pressed_ns, off_ns, phase_ns)


def _judged(rig: PairedRig, kind: str, pressed_ns: int, off_ns: int, phase_ns: int) -> Trial:
    said = [packet for packet in rig.heard(pressed_ns) if packet.start_ns < off_ns]
    mine = [packet for packet in said if packet.kind in (frames.HELLO, frames.REQUEST)]
    challenges = [packet.end_ns for packet in said if packet.kind == frames.CHALLENGE]
    bursts = [packet.end_ns for packet in mine if not packet.copy]
    if not bursts or (kind == OPEN and challenges):
        raise RuntimeError(f"{kind}: {len(challenges)} CHALLENGEs, {len(bursts)} bursts")
    times = (mine[0].start_ns, max([pressed_ns, *challenges]), bursts[-1], off_ns)
    return Trial(kind, tuple(time_ns - pressed_ns for time_ns in times), phase_ns, len(mine))  # type: ignore[arg-type]


# The judgement.


def judge(found: Sequence[list[Trial]], options: Options) -> list[Line]:
    """Two lines: the fresh connections, and the open one."""
    every = [trial for case in found for trial in case]
    fresh = [trial for trial in every if trial.kind != OPEN]
    return [
        _line("STOP, button -> off, fresh connection", fresh, 150, options),
        _line("STOP, button -> off, open connection", [t for t in every if t.kind == OPEN], 20, options),
    ]


def _line(what: str, mine: list[Trial], limit_ms: float, options: Options) -> Line:
    worst = max(mine, key=lambda trial: trial.off_ns)
    kinds = []
    for kind in dict.fromkeys(trial.kind for trial in mine):
        of_kind = [trial for trial in mine if trial.kind == kind]
        kinds.append(
            f"{kind}: {len(of_kind)}, median {median(t.off_ns for t in of_kind) / MS:.1f}, "
            f"worst {max(t.off_ns for t in of_kind) / MS:.1f} ms ({_parts(of_kind)})"
        )
    return reached(
        what, worst.off_ns / MS, Relation.AT_MOST, limit_ms, "ms",
        f"worst of {len(mine)}, while stimulating at 20 Hz, pressed anywhere in the period: "
        f"{'; '.join(kinds)}; seeds {options.seed}-{options.seed + _CASES - 1}",
        trials=[[t.kind, t.phase_ns, *t.marks, t.packets] for t in mine],
    )  # fmt: skip


def _parts(mine: list[Trial]) -> str:
    """Where the time goes: medians."""
    names = ("first bit", "CHALLENGE's end", "end of the frame that stopped", "off")
    marks = [median(column) / MS for column in zip(*(trial.marks for trial in mine), strict=True)]
    return ", ".join(f"{name} {mark:.1f}" for name, mark in zip(names, marks, strict=True) if mark)


STOP_RADIO = Row(
    "stop-radio", "STOP: button of a paired remote -> output off", _cases, trials, judge, weight=40
)
