"""A pairing by radio, from the remote's PAIR to both boards' flash, with a person who is quick."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.telemetry import frames

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, Rig
from stimbench.client.remote import connect_remote
from stimbench.devices.emulated_link import EmulatedLink

__all__ = ("PAIRING", "PairingTimes", "judge", "pair_by_radio")

_SEEDS = 4
_MAGNET_HOLD_MS = 3100  # opens the window at 3 s
_AWAY_MS = 200
_PAIR_HOLD_MS = 3400  # recognised at 3 s
_PRESS_MS = 100
_REACTION_MS = 200
"""Of the person: from the code's end to START, and from the light that asks for the magnet or its release."""
_ASK_MS = 100  # of the LED that asks for the magnet
_TOLERANCE_MS = 5
_STEADY_MS = 150  # of the LED: longer than such a blink, so it says "let go"
_WINDOW_NS = 30_000 * MS
_AFTER_MS = 3600  # the first use of the new key, which the stimulator notes 3 s later (LINGER_MS)


@dataclass(frozen=True)
class PairingTimes:
    """One pairing, in ms.

    Attributes:
        computing: from the remote's light that says PAIR was recognised to the answer upon which both sides
            show the code.
        showing: the code, once. The magnet is away meanwhile.
        consenting: START after a reaction; the stimulator's LED asks for the magnet; after a reaction it
            comes, and leaves a reaction after the LED has turned steady.
        storing: from then to the remote's light that says paired; the stimulator has stored before.
        paired: whether both boards say so by USB, and the stimulator has dropped what was pending.
    """

    seed: int
    computing: float
    showing: float
    consenting: float
    storing: float
    paired: bool

    @property
    def total(self) -> float:
        """From recognised to stored on both boards."""
        return self.computing + self.showing + self.consenting + self.storing


def pair_by_radio(seed: int) -> PairingTimes:
    """Pair a bench's boards as a person does.

    Raises:
        RuntimeError: a light or an answer that belongs to it did not come.
    """
    with Rig(seed, ("stimulator", "remote")) as rig:
        stimulator = rig.connect()
        remote = connect_remote(EmulatedLink(rig.bench, "remote"), 0)
        rig.bench.magnet(True)
        rig.run_ms(_MAGNET_HOLD_MS)
        rig.bench.magnet(False)
        rig.run_ms(_AWAY_MS)
        rig.bench.press("STATUS", _PAIR_HOLD_MS)
        pressed_ns = rig.now_ns
        # STATUS itself is asked first; the amber light after 3 s is PAIR's.
        rig.run_ms(2900)
        recognised_ns = _light(rig, "AMBER", rig.now_ns)
        compared_ns = _code_shown(rig, pressed_ns)
        rig.bench.run_to(max(rig.now_ns, compared_ns + blink_code.PASS_MS * MS))
        shown_ns = rig.now_ns
        rig.run_ms(_REACTION_MS)
        rig.bench.press("START", _PRESS_MS)
        _asked(rig, rig.now_ns)
        rig.run_ms(_REACTION_MS)
        rig.bench.magnet(True)
        _let_go(rig, rig.now_ns)
        rig.run_ms(_REACTION_MS)
        rig.bench.magnet(False)
        let_go_ns = rig.now_ns
        stored_ns = _light(rig, "GREEN", let_go_ns)
        rig.run_ms(_AFTER_MS)
        listed, own = stimulator.pairings(), remote.pairings()
        paired = own.base == listed.base and [p.state_name for p in listed.pairings] == ["active"]
        return PairingTimes(
            seed, (compared_ns - recognised_ns) / MS, (shown_ns - compared_ns) / MS,
            (let_go_ns - shown_ns) / MS, (stored_ns - let_go_ns) / MS, paired,
        )  # fmt: skip


def _light(rig: Rig, color: str, since_ns: int) -> int:
    """When the remote's LED next goes on."""

    def lit() -> list[int]:
        edges = rig.bench.trace.edges("remote", f"LED_{color}", since_ns)
        return [time_ns for time_ns, level in edges if level]

    if not rig.bench.run_until(lit, _WINDOW_NS, MS):
        raise RuntimeError(f"no {color.lower()} light")
    return lit()[0]


def _edges(rig: Rig, since_ns: int) -> list[tuple[int, bool]]:
    """Of the stimulator's LED: time, level."""
    return rig.bench.trace.edges("stimulator", "LED", since_ns)


def _asked(rig: Rig, since_ns: int) -> None:
    """On until the LED asks for the magnet: it has blinked twice at that pace, which no code does."""

    def blinks() -> bool:
        times = [at for at, _ in _edges(rig, since_ns)][-3:]
        spans_ms = [(after - at) / MS for at, after in pairwise(times)]
        return len(spans_ms) == 2 and all(abs(span_ms - _ASK_MS) < _TOLERANCE_MS for span_ms in spans_ms)

    if not rig.bench.run_until(blinks, _WINDOW_NS, MS):
        raise RuntimeError("the magnet is not asked for")


def _let_go(rig: Rig, since_ns: int) -> None:
    """On until the LED is steady: it has been on for longer than a blink."""

    def steady() -> bool:
        edges = _edges(rig, since_ns)
        return bool(edges) and edges[-1][1] and rig.now_ns - edges[-1][0] > _STEADY_MS * MS

    if not rig.bench.run_until(steady, _WINDOW_NS, MS):
        raise RuntimeError("the magnet is not to be let go")


def _code_shown(rig: Rig, since_ns: int) -> int:
    """End of the first answer in the air that says compare: both sides show the code from then on."""
    assert rig.bench.air is not None
    tap = rig.bench.air.tap
    looked_at = len([packet for packet in tap if packet.t_start_ns < since_ns])
    found: list[int] = []

    def compare() -> list[int]:
        nonlocal looked_at
        for packet in tap[looked_at:]:
            payload = packet.payload
            if frames.kind_of(payload) == frames.PAIR_REPLY and tuple(payload[1:3]) == (
                pk.CONFIRM,
                pk.COMPARE,
            ):
                found.append(packet.t_end_ns)
        looked_at = len(tap)
        return found

    if not rig.bench.run_until(compare, _WINDOW_NS, MS):
        raise RuntimeError("no code is shown")
    return found[0]


def judge(found: Sequence[PairingTimes], options: Options) -> list[Line]:
    """One line: the slowest, with the median beside it."""
    worst = max(found, key=lambda pairing: pairing.total)
    median = statistics.median(pairing.total for pairing in found)
    failed = [pairing.seed for pairing in found if not pairing.paired]
    return [
        reached(
            "PAIR recognised -> both boards stored", float("inf") if failed else worst.total / 1000,
            Relation.AT_MOST, 8, "s",
            f"worst of {len(found)}, median {median / 1000:.2f} s: computing on both sides "
            f"{worst.computing / 1000:.2f} s, the code shown once {worst.showing / 1000:.2f} s, START and "
            f"the magnet's gesture {worst.consenting / 1000:.2f} s (the person takes {_REACTION_MS} ms for "
            f"each of three reactions), stored in {worst.storing / 1000:.3f} s; "
            f"seeds {', '.join(str(pairing.seed) for pairing in found)}"
            + (f"; not paired: {failed}" if failed else ""),
            samples=[[p.seed, p.computing, p.showing, p.consenting, p.storing] for p in found],
        )
    ]  # fmt: skip


PAIRING = Row(
    "pairing", "pairing by radio",
    lambda o: [o.seed + k for k in range(1 if o.quick else _SEEDS)], pair_by_radio, judge, weight=90,
)  # fmt: skip
