"""Commands through an air that loses packets: each arrives in time, or the remote says that it did not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, programme
from stimbench.benchmarks.radio.rig import HOLD_MS, PairedRig

__all__ = ("DELIVERED", "LATE", "LOSS", "SAID_SO", "WRONG", "command", "judge")

LOSS_SHARE = 0.3
DELIVERED = "delivered in time"
LATE = "delivered, but later"
SAID_SO = "remote said not delivered"
WRONG = "neither"

_COMMANDS = 1000
_QUICK_COMMANDS = 60
_CASES = 8
_LEAST_DELIVERED = 0.999
_IN_TIME_NS = 1000 * MS
_WATCH_NS = 3500 * MS  # STOP is tried for 3 s
_BEGIN_NS = 700 * MS  # from START's answer to the first pulse: the self-test of the output takes 450 ms of it
_SETTLE_MS = 2 * HOLD_MS
_PAUSE_MS = 300
_FRESH_EVERY = 10  # so many commands, then the remote is restarted: the next one begins a connection
_BOOT_MS = 50
_PROGRAM = programme(rate_hz=1, on_ms=60_000, off_ms=0)


@dataclass(frozen=True)
class Fate:
    """One command. Attributes: took_ns: to the light; fresh: no connection was open before it."""

    outcome: str
    took_ns: int
    fresh: bool
    button: str


def command(rig: PairedRig, button: str, fresh: bool = False) -> Fate:
    """Press START or STOP, wait for the light, and see by the electrode switches whether it was executed."""
    pressed_ns, color, light_ns = rig.press(button, _WATCH_NS)
    rig.run_ms(_SETTLE_MS)
    wanted = button == "START"
    executed = rig.bench.run_until(lambda: rig.joined == wanted, _BEGIN_NS, MS)
    took_ns = light_ns - pressed_ns
    if color == "GREEN" and executed:
        outcome = DELIVERED if took_ns <= _IN_TIME_NS else LATE
    else:
        # The red light says that it may or may not have been executed: both are true.
        outcome = SAID_SO if color == "RED" else WRONG
    return Fate(outcome, took_ns, fresh, button)


def _work(case: tuple[int, int]) -> list[Fate]:
    """START and STOP in turn; after one that was not executed the same again."""
    seed, count = case
    with PairedRig(seed) as rig:
        stimulator = rig.connect()
        for lead in rig.parts.leads.values():
            lead.trace.enabled = False
        rig.set_program(stimulator, _PROGRAM)
        rng = random.Random(f"loss {seed}")
        assert rig.bench.air is not None
        rig.bench.air.loss = LOSS_SHARE
        fates = []
        for number in range(count):
            fresh = number % _FRESH_EVERY == 0
            if fresh and number:
                rig.bench.board("remote").reset()
                rig.run_ms(_BOOT_MS)
                rig.reach_remote()
            rig.run_ms(rng.uniform(0, _PAUSE_MS))
            fates.append(command(rig, "STOP" if rig.joined else "START", fresh))
            rig.forget()
        return fates


def _cases(options: Options) -> list[tuple[int, int]]:
    count = _QUICK_COMMANDS if options.quick else _COMMANDS
    each = -(-count // _CASES)
    return [(options.seed + number, each) for number in range(_CASES)]


def judge(found: Sequence[list[Fate]], options: Options) -> list[Line]:
    """Two lines: the share that was delivered in time, and for how many the remote showed an untrue one."""
    fates = [fate for case in found for fate in case]
    counts = {kind: sum(f.outcome == kind for f in fates) for kind in (DELIVERED, LATE, SAID_SO, WRONG)}
    took_ms = sorted(fate.took_ns / MS for fate in fates if fate.outcome in (DELIVERED, LATE))
    fresh = sum(fate.fresh for fate in fates)
    said = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
    detail = (
        f"START and STOP in turn on the remote, {len(fates)} commands, {fresh} of them without an open "
        f"connection; packets of both sides lost alike; executed: the electrodes' switches. {said}. "
        f"Edge to green light: median {took_ms[len(took_ms) // 2]:.0f}, worst {took_ms[-1]:.0f} ms; "
        f"seeds {options.seed}-{options.seed + len(found) - 1}"
    ) if took_ms else said  # fmt: skip
    # "In at least 999 of 1000, or the remote says so": a red light that is true is a kept promise.
    kept = len(fates) - counts[WRONG] - counts[LATE]
    return [
        reached(
            f"{LOSS_SHARE:.0%} loss: executed and green within 1 s, or the remote says not delivered",
            100 * kept / len(fates), Relation.AT_LEAST, 100 * _LEAST_DELIVERED, "%", detail,
            counts=counts, took_ms=took_ms,
        ),
        reached(
            f"{LOSS_SHARE:.0%} loss: green without execution, or no light", counts[WRONG], Relation.EQUAL, 0,
            "commands", f"of {len(fates)}; {counts[DELIVERED] / len(fates):.2%} delivered within 1 s",
        ),
    ]  # fmt: skip


LOSS = Row("loss", "commands at 30 % packet loss", _cases, _work, judge, weight=60)
