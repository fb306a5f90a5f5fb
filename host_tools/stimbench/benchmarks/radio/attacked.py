"""STOP of the paired remote, end to end, against attackers who know everything but keys."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from stimfw.telemetry import addresses

from stimbench.attacks.duty import PATTERNS, Acknowledger, Reactive
from stimbench.attacks.transmitter import MIX, Transmitter
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, reached
from stimbench.benchmarks.harness.rig import MS, programme
from stimbench.benchmarks.radio.rig import HOLD_MS, PairedRig
from stimbench.client.stimulator import Stimulator

__all__ = ("ATTACKED", "Press", "judge", "presses")

OPEN, RESTARTED = "open connection", "remote restarted"
NOBODY, ACKNOWLEDGERS, REACTIVE = "nobody", "acknowledgers", "reactive"
_SHARES = {"20 %": (0.20, 250), "45 %": (0.45, 1000)}
"""Of the air on the stimulator's channel: the share, and the limit in ms."""
_LIMITS_MS = {ACKNOWLEDGERS: 250}
_STATES = (OPEN, RESTARTED)
_SEEDS = 4
_PRESSES = 3
_OLDEST_MS = 1200
"""Of a flood at the press: more than a second, which is its period at the most."""
_LONGEST_NS = 3500 * MS
_QUIET_MS = 4500
"""Between two presses: a remote without an answer gives up, and 2 s after a press it writes flash."""
_REACTIVE_MS = 8.0
_PROGRAM = programme(on_ms=60_000, off_ms=0)
_PERIOD_NS = _PROGRAM.period_us * 1000
_BOOT_MS = 50


@dataclass(frozen=True)
class _Case:
    attacker: str
    """NOBODY, ACKNOWLEDGERS, REACTIVE, or a share and a pattern: `20 %, steady`."""
    state: str
    seed: int
    count: int


@dataclass(frozen=True)
class Press:
    """One STOP: ns from the button's edge until the output was off; infinite if it did not go off."""

    attacker: str
    state: str
    off_ns: float
    attacks: int
    """Packets of the attacker until then."""


def _cases(options: Options) -> list[_Case]:
    attackers = [NOBODY, ACKNOWLEDGERS, REACTIVE]
    attackers += [f"{share}, {pattern}" for share in _SHARES for pattern in PATTERNS]
    seeds = 1 if options.quick else _SEEDS
    return [
        _Case(attacker, state, options.seed + number, _PRESSES)
        for attacker in attackers
        for state in _STATES
        for number in range(seeds)
    ]


def presses(case: _Case) -> list[Press]:
    """Do a case's presses: each in a session of its own."""
    with PairedRig(case.seed) as rig:
        for lead in rig.parts.leads.values():
            lead.trace.enabled = False
        stimulator = rig.connect()
        rig.set_program(stimulator, _PROGRAM)
        rng = random.Random(f"attacked {case}")
        begin, count, end = _attacker(rig, case.attacker, rng)
        found = []
        for _ in range(case.count):
            rig.connected()
            if case.state == RESTARTED:
                rig.bench.board("remote").reset()
                rig.run_ms(_BOOT_MS)
                rig.reach_remote()
            found.append(_press(rig, stimulator, case, rng, begin, count))
            end()
            rig.run_ms(_QUIET_MS)
            rig.forget()
        return found


_Begin = Callable[[int], None]


def _attacker(
    rig: PairedRig, name: str, rng: random.Random
) -> tuple[_Begin, Callable[[], int], Callable[[], None]]:
    """What begins him at a time, how many packets he has sent since, and what ends him."""
    if name == NOBODY:
        return (lambda at_ns: None), (lambda: 0), (lambda: None)
    if name == ACKNOWLEDGERS:
        listening = Acknowledger(rig.bench, rig.pairing, list(addresses.CHANNELS[1:]))
        return (lambda at_ns: None), (lambda: listening.sent), (lambda: None)
    if name == REACTIVE:
        reactive = Reactive(rig.bench, rig.pairing, rng, _REACTIVE_MS)

        def switch(on: bool) -> None:
            reactive.on = on

        return (lambda at_ns: switch(True)), (lambda: reactive.sent), (lambda: switch(False))
    share, pattern = name.split(", ")
    spacing = PATTERNS[pattern](_SHARES[share][0], rng)
    flood = Transmitter(rig.bench, rig.pairing, MIX, rng, spacing)
    return flood.begin, (lambda: flood.sent), flood.end


def _press(
    rig: PairedRig,
    stimulator: Stimulator,
    case: _Case,
    rng: random.Random,
    begin: _Begin,
    count: Callable[[], int],
) -> Press:
    first_ns = rig.restart(stimulator)
    age_ns = rng.randrange(_OLDEST_MS * MS)
    phase_ns = rng.randrange(_PERIOD_NS)
    if case.attacker == ACKNOWLEDGERS:
        rig.bench.air.jam(addresses.CHANNELS[0], rig.now_ns, rig.now_ns + 20 * MS)  # type: ignore[union-attr]
    begin(rig.now_ns + MS)
    before = count()
    earliest_ns = rig.now_ns + MS + (0 if case.attacker in (NOBODY, REACTIVE) else age_ns)
    periods = -(-(earliest_ns - first_ns - phase_ns) // _PERIOD_NS)
    rig.bench.run_to(first_ns + periods * _PERIOD_NS + phase_ns)
    pressed_ns = rig.now_ns
    rig.bench.press("STOP", HOLD_MS)
    stopped = rig.bench.run_until(lambda: not rig.joined, _LONGEST_NS, MS)
    attacks = count() - before
    if not stopped:
        stimulator.stop()
        rig.run_ms(2 * HOLD_MS)
        return Press(case.attacker, case.state, float("inf"), attacks)
    open_ns = rig._joined[-1][0]
    rig.run_ms(_PERIOD_NS / MS + 2 * HOLD_MS)
    return Press(case.attacker, case.state, max(open_ns, rig.off_ns(pressed_ns)) - pressed_ns, attacks)


# The judgement.


def judge(found: Sequence[list[Press]], options: Options) -> list[Line]:
    """Six lines: nobody, open and restarted; acknowledgers; two shares; the reactive one, without a limit."""
    every = [press for case in found for press in case]
    quiet = [press for press in every if press.attacker == NOBODY]
    lines = [
        _line(f"STOP, button -> off, nobody attacks, {state}", mine, limit_ms, options)
        for state, limit_ms in ((OPEN, 20), (RESTARTED, 150))
        if (mine := [press for press in quiet if press.state == state])
    ]
    lines.append(
        _line(
            "STOP, button -> off, all channels but one acknowledge",
            [press for press in every if press.attacker == ACKNOWLEDGERS], _LIMITS_MS[ACKNOWLEDGERS], options,
        )
    )  # fmt: skip
    for share, (_, limit_ms) in _SHARES.items():
        mine = [press for press in every if press.attacker.startswith(share)]
        lines.append(
            _line(f"STOP, button -> off, flood in step for {share} of the time", mine, limit_ms, options)
        )
    reactive = [press for press in every if press.attacker == REACTIVE]
    reached_ms = [press.off_ns / MS for press in reactive]
    lines.append(
        compared(
            "STOP, button -> off, a jammer that begins when the remote speaks",
            f"{sum(ms < float('inf') for ms in reached_ms)} of {len(reached_ms)} stopped",
            f"from 130 us after the remote's first packet he sends for {_REACTIVE_MS:g} ms; worst "
            f"{max(reached_ms):.0f} ms; {_groups(reactive)}; no limit: nothing that is sent by radio is safe "
            f"from a transmitter that answers it, and the magnet is; {_seeds(options)}",
            off_ms=reached_ms,
        )
    )
    return lines


def _line(what: str, mine: list[Press], limit_ms: float, options: Options) -> Line:
    worst = max(mine, key=lambda press: press.off_ns)
    return reached(
        what, worst.off_ns / MS, Relation.AT_MOST, limit_ms, "ms",
        f"worst of {len(mine)}, at any phase of the pulses, the flood up to {_OLDEST_MS / 1000:g} s old; "
        f"{_groups(mine)}; {_seeds(options)}",
        off_ns=[[press.attacker, press.state, press.off_ns, press.attacks] for press in mine],
    )  # fmt: skip


def _groups(mine: list[Press]) -> str:
    groups = []
    for attacker in dict.fromkeys(press.attacker for press in mine):
        for state in dict.fromkeys(press.state for press in mine):
            some = [press.off_ns / MS for press in mine if (press.attacker, press.state) == (attacker, state)]
            if some:
                groups.append(
                    f"{attacker}, {state}: {len(some)}, median {median(some):.0f}, worst {max(some):.0f} ms"
                )
    return "; ".join(groups)


def _seeds(options: Options) -> str:
    return f"seeds {options.seed}-{options.seed + (1 if options.quick else _SEEDS) - 1}"


ATTACKED = Row(
    "stop-attacked", "STOP: button of a paired remote -> output off, under attack", _cases, presses, judge,
    weight=90,
)  # fmt: skip
