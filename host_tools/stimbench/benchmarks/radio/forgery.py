"""Frames that are accepted although no holder of the key sent them just now: on the desk, and by radio."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stimfw.protocol import messages, requests
from stimfw.telemetry import frames
from stimfw.telemetry.requester import LIMIT_MS, STOP_LIMIT_MS, Requester

from stimbench.attacks import ATTACKS, Result
from stimbench.attacks.air import RadioPeer
from stimbench.attacks.forgery import Maker, Overheard, mutated, reflected, replayed, spliced
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS, Rig, programme
from stimbench.benchmarks.radio.attacks import AttackCase, attack_case, carry_out
from stimbench.client.stimulator import Stimulator

__all__ = ("AIR_KINDS", "FORGERY", "Bombardment", "Target", "bombard", "judge", "truncated")

_ON_THE_DESK = ("forged frames", "replayed frames", "reordered frames")
_FRAMES, _QUICK_FRAMES = 200, 16  # of each kind, by radio
_PAUSE_MS = 60
"""Between two frames: the rate limiter forgives the costliest in 25 ms, so that it never holds one back."""
_HELD = 8  # frames that are kept back and come after a later one; 16 fit into the window
_CONNECTIONS = 4  # that the attacker has recorded
_SETTLE_MS = 100
_OUTPUT_MS = 600
"""A START that was accepted has moved the bridges by then: the self-test before a session takes 450 ms."""
_PROGRAM = programme(on_ms=60_000, off_ms=0)
_START = messages.request(requests.START)
_STOP = messages.request(requests.STOP)
_STATUS = messages.request(requests.STATUS)
_REFUSED = ("radio_bad", "radio_forged", "radio_replayed", "radio_over_budget")


def truncated(scene: Overheard, rng: random.Random) -> bytes:
    """The genuine frame, or one that was heard, cut short."""
    frame = scene.live if rng.random() < 0.5 else rng.choice(scene.same)
    return frame[: rng.randrange(1, len(frame))]


_REORDERED = "reordered"
_MAKERS: dict[str, Maker] = {
    "mutated": mutated, "spliced": spliced, "truncated": truncated,
    "reflected": reflected, "replayed": replayed,
}  # fmt: skip
# A radio does not even receive other lengths: tests/faults/test_radio_input.py.
AIR_KINDS = (*(kind for kind in _MAKERS if kind != "truncated"), _REORDERED)


@dataclass(frozen=True)
class _AirCase:
    kind: str
    frames: int
    seed: int


@dataclass
class _Heard:
    """stimbench.attacks.forgery.Overheard, by radio."""

    live: bytes
    same: list[bytes]
    other: list[bytes]
    up: bool = True


@dataclass(frozen=True)
class Bombardment:
    """What frames of one kind did to a stimulator at rest.

    Attributes:
        kind: of AIR_KINDS.
        sent, arrived: frames in the air, and of these what the firmware read.
        refused: by the firmware's counters: bad, forged, replayed, over budget; and HELLOs that were heard
            before and drew a CHALLENGE.
        forged: of these, how many reached a tag.
        answers: frames of the stimulator, these CHALLENGEs aside.
        edges: of the six bridge pins.
        changes: connections that opened, and states other than ready.
        works: afterwards the START that was kept back was executed, then a STOP, in the same connection.
    """

    kind: str
    sent: int
    arrived: int
    refused: int
    forged: int
    answers: int
    edges: int
    changes: int
    works: bool

    @property
    def accepted(self) -> int:
        """Frames that were not refused, or whatever else shows that one was accepted."""
        return max(self.arrived - self.refused, self.answers, self.changes, min(1, self.edges))


class Target:
    """A stimulator at rest with an open connection, all of whose earlier frames the attacker has."""

    def __init__(self, rig: Rig, stimulator: Stimulator, seed: int) -> None:
        self.rig, self.stimulator = rig, stimulator
        self.peer = RadioPeer(rig.bench, rig.pairing, seed=seed)
        self.rng = random.Random(f"forgery {seed}")
        for _ in range(_CONNECTIONS):
            for message in (_STATUS, _START, _STOP, _STATUS):
                self.ask(message)
            self.peer.restart()
        self.ask(_STATUS)
        self.sent = self.arrived = self.refused = self.forged = self.answers = self.edges = self.changes = 0

    def ask(self, message: bytes) -> None:
        """Ask by radio as the peer does.

        Raises:
            RuntimeError: it was not done.
        """
        reply = self.peer.ask(message, STOP_LIMIT_MS)
        if reply is None or reply[1] != messages.OK:
            raise RuntimeError(f"request {message!r} was answered {reply!r}")
        self.rig.run_ms(_SETTLE_MS)

    def kept_back(self, requester: Requester) -> bytes:
        """A genuine START (or the HELLO before it) that the attacker keeps from arriving."""
        now_ms = self.rig.now_ns // MS
        requester.begin(_START, LIMIT_MS, now_ms)
        frame = requester.poll(now_ms)
        if frame is None:
            raise RuntimeError("the peer has nothing to send")
        requester.sent(True, now_ms)  # so the attacker lets it believe
        return frame

    def next_hello(self) -> bytes:
        """The HELLO of the peer's next start, kept back."""
        pairing = self.rig.pairing
        epoch = _CONNECTIONS + 2
        return self.kept_back(Requester(pairing.slot, pairing.role, pairing.key, epoch, self.rng.randbytes))

    def send(self, forgeries: Sequence[bytes]) -> None:
        """Put them into the air one after the other, and count what comes of it."""
        rig, peer = self.rig, self.peer
        before, begin_ns, heard = self.stimulator.counters(), rig.now_ns, len(peer.heard)
        for forgery in forgeries:
            peer.inject(forgery)
            rig.run_ms(_PAUSE_MS)
        rig.run_ms(_OUTPUT_MS)
        after = self.stimulator.counters()
        grown = {name: after[name] - before[name] for name in after}
        self.sent += len(forgeries)
        self.arrived += grown["radio_frames"]
        said = [frames.kind_of(frame) for frame, _ in peer.heard[heard:]]
        # A recorded HELLO may draw a CHALLENGE out of step: nobody without the key can go on from there.
        challenges = said.count(frames.CHALLENGE)
        self.refused += sum(grown[name] for name in _REFUSED) + challenges
        self.forged += grown["radio_forged"]
        self.answers += len(said) - challenges
        self.edges += rig.bridge_edges(begin_ns)
        self.changes += grown["radio_connections"] + (self.stimulator.status().state != messages.READY)

    def works(self, live: bytes) -> bool:
        """Whether the genuine START is executed now, and then a STOP, both in the connection that is open."""
        connections = self.stimulator.counters()["radio_connections"]
        self.peer.inject(live)
        self.rig.run_ms(_SETTLE_MS)
        started = self.stimulator.status().state != messages.READY
        self.ask(_STOP)
        status = self.stimulator.status()
        stopped = (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_REMOTE)
        return started and stopped and self.stimulator.counters()["radio_connections"] == connections


def bombard(case: _AirCase) -> Bombardment:
    """Send one kind's frames to a stimulator at rest."""
    with Rig(case.seed) as rig:
        stimulator = rig.connect()
        rig.set_program(stimulator, _PROGRAM)
        target = Target(rig, stimulator, case.seed)
        send = _reordered if case.kind == _REORDERED else _made
        live = send(target, case)
        works = target.works(live)
        return Bombardment(
            case.kind, target.sent, target.arrived, target.refused, target.forged, target.answers,
            target.edges, target.changes, works,
        )  # fmt: skip


def _made(target: Target, case: _AirCase) -> bytes:
    """Send frames made of what was heard and of a START and a HELLO that are kept back; the START.

    Left out is what is no forgery: these two, and the last request, whose repeat gets its reply again.
    """
    peer, rng = target.peer, target.rng
    genuine = [target.kept_back(peer.requester), target.next_hello()]
    same, other = [frame for frame, _ in peer.sent], [frame for frame, _ in peer.heard]
    last = same.pop()
    heard = [_Heard(live, same, other) for live in genuine]
    forgeries = [b""]
    while len(forgeries) <= case.frames:
        frame = _MAKERS[case.kind](heard[len(forgeries) % len(heard)], rng)
        # A frame that is the same as the one before is taken for its copy.
        if frame not in (*genuine, last, forgeries[-1]) and len(frame) == frames.FRAME_BYTES:
            forgeries.append(frame)
    target.send(forgeries[1:])
    return genuine[0]


def _reordered(target: Target, case: _AirCase) -> bytes:
    """Send genuine frames that were kept back after a later one has arrived; a START that is kept now."""
    peer = target.peer
    while target.sent < case.frames:
        if target.sent // _HELD % 2:
            peer.restart()  # then these are HELLOs
        held = [target.kept_back(peer.requester) for _ in range(min(_HELD, case.frames - target.sent))]
        target.ask(_STATUS)
        target.rng.shuffle(held)
        target.send(held)
    return target.kept_back(peer.requester)


def _work(case: _AirCase | AttackCase) -> Bombardment | Result:
    return bombard(case) if isinstance(case, _AirCase) else carry_out(case)


def _cases(options: Options) -> list[_AirCase | AttackCase]:
    frames = _QUICK_FRAMES if options.quick else _FRAMES
    # Another seed than that of the row `attacks`: other frames.
    desk = [
        attack_case(attack, options, options.seed + 1) for attack in ATTACKS if attack.name in _ON_THE_DESK
    ]
    air = [_AirCase(kind, frames, options.seed + number) for number, kind in enumerate(AIR_KINDS)]
    return [*desk, *air]


def judge(found: Sequence[Bombardment | Result], options: Options) -> list[Line]:
    """Two lines: the desk, the air."""
    desk = [each for each in found if isinstance(each, Result)]
    air = [each for each in found if isinstance(each, Bombardment)]
    forged = next(result.tries for result in desk if result.name == _ON_THE_DESK[0])
    each = "; ".join(
        f"{result.name}, {result.tries:,} tries: {result.successes} ({result.detail})" for result in desk
    )
    on_desk = reached(
        f"frames accepted on the desk, of {forged:,} forged, and replayed and reordered ones",
        sum(result.successes for result in desk), Relation.EQUAL, 0, "frames",
        f"{each}; seed {options.seed + 1}",
    )  # fmt: skip
    return [on_desk, _air_line(air, options)]


def _air_line(air: list[Bombardment], options: Options) -> Line:
    faults = [f"{each.kind}: a genuine command failed afterwards" for each in air if not each.works]
    faults += [f"{each.kind}: {each.arrived} arrived" for each in air if each.arrived != each.sent]
    kinds = "; ".join(
        f"{each.kind} {each.sent}: {each.refused} refused, {each.forged} of them by their tag" for each in air
    )
    line = reached(
        f"frames accepted by radio, of {sum(each.sent for each in air):,} of {len(air)} kinds",
        sum(each.accepted for each in air), Relation.EQUAL, 0, "frames",
        f"the stimulator's own firmware at rest, a connection open, {_PAUSE_MS} ms apart; {kinds}; "
        f"answers {sum(each.answers for each in air)}, edges of the bridges "
        f"{sum(each.edges for each in air)}, changes of state and new connections "
        f"{sum(each.changes for each in air)}; a genuine START that was kept back and then a STOP worked "
        f"afterwards, in the same connection; "
        f"seeds {options.seed}-{options.seed + len(air) - 1}",
    )  # fmt: skip
    return replace(line, passed=False, detail="; ".join([*faults, line.detail])) if faults else line


FORGERY = Row("forgery", "frames accepted that nobody sent", _cases, _work, judge, weight=40)
