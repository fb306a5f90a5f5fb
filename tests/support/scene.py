"""What tests ask of an emulated bench: is the output on, when did it go off, who spoke on the air."""

from __future__ import annotations

import random

from stimbench.attacks.air import RadioPeer
from stimbench.bench import Bench
from stimbench.parts.radio import air_time_ns
from stimfw.protocol import messages, requests
from stimfw.telemetry.frames import FRAME_BYTES
from stimfw.telemetry.requester import LIMIT_MS

from support.board import Board

PACKET_NS = air_time_ns(FRAME_BYTES, 5, 2, 1_000_000, enhanced=False)
"""Of any frame."""
BRIDGE = ("L_CATH", "L_ANOD", "L_SHORT", "R_CATH", "R_ANOD", "R_SHORT")
DRIVE = ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD")
MS = 1_000_000
S = 1_000_000_000

# A hold that outlasts any test, reached without a ramp.
HOLD = {
    "left__amplitude_ua": 2000,
    "right__amplitude_ua": 3000,
    "ramp_up_ms": 0,
    "ramp_down_ms": 0,
    "on_ms": 60_000,
    "off_ms": 1000,
    "session_s": 60,
}
RAMP = dict(HOLD, ramp_up_ms=5000)
RAMP_DOWN = dict(HOLD, on_ms=1000, ramp_down_ms=5000)
REST = dict(HOLD, on_ms=1000, off_ms=60_000)
PULSING = (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN)
PERIOD_MS = 50
SELF_TEST_S = 0.45
"""The whole test of the output, before a session's first pulse (docs/decisions/0060)."""
SELF_TEST_NS = 450_000_000

# The programme to start, or None for a measurement, and the state to wait for.
STATES = {
    "impedance": (None, messages.MEASURING),
    "self-test": (None, messages.MEASURING),
    "ramp up": (RAMP, messages.RAMP_UP),
    "hold": (HOLD, messages.HOLD),
    "ramp down": (RAMP_DOWN, messages.RAMP_DOWN),
    "rest": (REST, messages.REST),
}


def bring_to(board: Board, name: str) -> None:
    """Bring the board into one of STATES."""
    changes, state = STATES[name]
    if changes:
        board.set(**changes)
        board.client.start()
    else:
        opcode = requests.IMPEDANCE if name == "impedance" else requests.SELF_TEST
        assert board.ask(opcode)[0] == messages.OK
    board.wait_state(state)


def edges(bench: Bench, start_ns: int = 0, signals: tuple[str, ...] = BRIDGE) -> list[tuple[int, str, bool]]:
    """Edges of the stimulator's bridges from `start_ns` on, in order of time."""
    found = [
        (at, signal, level)
        for signal in signals
        for at, level in bench.trace.edges("stimulator", signal, start_ns)
    ]
    return sorted(found)


def cathodic_edges(bench: Bench, start_ns: int = 0) -> int:
    """How many pulses began since `start_ns`, both leads together."""
    return sum(level for _, _, level in edges(bench, start_ns, ("L_CATH", "R_CATH")))


def last_edge_ns(bench: Bench, signals: tuple[str, ...] = BRIDGE) -> int:
    """When the last edge was; -1 if there was none."""
    found = edges(bench, 0, signals)
    return found[-1][0] if found else -1


def last_current_ns(bench: Bench, above_ua: float = 50.0) -> int:
    """When a lead last carried more than `above_ua`; -1 if never."""
    ends = [-1]
    for trace in bench.trace.currents.values():
        ends += [t1 for _, t1, i0, i1 in trace.segments if max(abs(i0), abs(i1)) > above_ua]
    return max(ends)


def most_current_ua(bench: Bench, start_ns: int = 0) -> float:
    """The largest current through a lead since `start_ns`."""
    most = 0.0
    for trace in bench.trace.currents.values():
        for t0, _, i0, i1 in trace.segments:
            if t0 >= start_ns:
                most = max(most, abs(i0), abs(i1))
    return most


def bridges_low(bench: Bench) -> bool:
    """Whether every bridge line is low now."""
    pins = bench.board("stimulator").nets
    return not any(pins[signal].level for signal in BRIDGE)


def assert_stays_off(bench: Bench, since_ns: int, for_ns: int = 300 * MS) -> None:
    """Nothing moved on a bridge since `since_ns`, nor does it for some more time; no line is high."""
    bench.run_for(for_ns)
    moved = edges(bench, since_ns)
    assert not moved, (
        f"{len(moved)} bridge edges, the first {(moved[0][0] - since_ns) / 1e6:.3f} ms later: {moved[0]}"
    )
    assert bridges_low(bench)


def pulse(board: Board, **changes: int) -> None:
    """Start a session and wait for its first pulses."""
    board.set(**(changes or HOLD))
    board.client.start()
    board.wait_state(*PULSING)
    board.wait(SELF_TEST_S + 0.3)


class Peer(RadioPeer):
    """A paired transmitter of one's own, without a board: its packets end at exactly known times.

    It takes what is sent back at any time; it sends again what got no answer in finish() only.
    """

    def join(self) -> Peer:
        """Open a connection, as the first press of a day does."""
        assert self.ask(messages.request(requests.STATUS)) is not None, "the stimulator does not answer"
        return self

    def request(self, opcode: int, after_ns: int = MS, body: bytes = b"", limit_ms: int = LIMIT_MS) -> int:
        """One packet with a request that begins `after_ns` from now; the time of its end."""
        self.finish()
        end_ns = self.bench.now_ns + after_ns + PACKET_NS
        self.frame_at(end_ns, messages.request(opcode, body), limit_ms)
        return end_ns

    def flood(self, payloads: list[bytes], gap_ns: int, after_ns: int = MS) -> None:
        """Packets one after the other. No time passes."""
        start_ns = self.bench.now_ns + after_ns
        for index, payload in enumerate(payloads):
            self.air.inject(start_ns + index * gap_ns, self.channel, self._stimulator, payload)


def noise(seed: int, count: int, least: int = 1, most: int = 32) -> list[bytes]:
    """Random byte strings, the same for the same seed."""
    rng = random.Random(seed)
    return [rng.randbytes(rng.randint(least, most)) for _ in range(count)]
