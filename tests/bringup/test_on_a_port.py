"""A board behind a port whose time runs on by itself: it stays on only while this host goes on asking."""

from __future__ import annotations

import threading
from concurrent import futures

import pytest
from stimbench.bench import Bench, BenchConfig
from stimbench.bench.pty_server import serve
from stimbench.bringup.at_bench import PersonWorkplace
from stimbench.bringup.record import Record, procedure_id
from stimbench.bringup.run import run_blocks
from stimbench.bringup.steps import BLOCKS
from stimbench.devices.serial_device import SerialDevice
from stimbench.errors import RigError
from stimbench.parts.probe_points import ProbePoints
from support.bringup import Operator, clock

pytestmark = [pytest.mark.emulated, pytest.mark.tools]
MS = 1_000_000
LONG_S = 60.0


class Served:
    """A bench that a thread runs; what is done to it is done there, at a time of the bench's."""

    def __init__(self):
        self.bench = Bench(BenchConfig(boards=("stimulator",), trace=False))
        self.bench.run_for(1000 * MS)
        self._due, self._lock, self._stop = [], threading.Lock(), threading.Event()
        ready = futures.Future()
        self._thread = threading.Thread(
            target=serve, args=(self.bench, ready.set_result, 1.0, self._stop, None, self._poll), daemon=True
        )
        self._thread.start()
        self.port = ready.result(LONG_S)["stimulator"]

    def after(self, wait_ms, action):
        done = futures.Future()
        with self._lock:
            self._due.append((self.bench.now_ns + wait_ms * MS, action, done))
        return done.result(LONG_S)

    def _poll(self):
        with self._lock:
            due = [one for one in self._due if one[0] <= self.bench.now_ns]
            self._due = [one for one in self._due if one not in due]
        for _, action, done in due:
            done.set_result(action())

    def close(self):
        self._stop.set()
        self._thread.join(LONG_S)
        self.bench.close()


class SlowOperator(Operator):
    """Takes 700 ms of the bench's time to read while something is held, and looks at the board then."""

    def __init__(self, served, points):
        super().__init__(served.bench, points)
        self.served, self.seen, self.leaves = served, [], False

    def ask(self, question, within_s=None):
        slow = "In V:" in question and self.board.parts.gate.q
        if slow and self.leaves:
            raise RigError("Nobody answers any more.")
        return self.served.after(700 if slow else 0, lambda: self._look(question, within_s, slow))

    def _look(self, question, within_s, slow):
        if slow:
            states = {bridge.state.value for bridge in self.board.parts.bridges.values()}
            self.seen.append((self.board.parts.gate.q, states))
        return super().ask(question, within_s)


@pytest.fixture
def served():
    one = Served()
    yield one
    one.close()


@pytest.fixture
def operator(served):
    board = served.bench.board("stimulator")
    points = ProbePoints(board.parts, board, lambda: board.powered, 1)
    points.take_away()
    one = SlowOperator(served, points)
    one.answers = [("^Unplug", "")] * 4  # the board stays where it is: a pty has no plug
    return one


def run(served, operator, folder, name):
    workplace = PersonWorkplace(
        lambda: SerialDevice(served.port), operator, operator.say, {"meter": "m", "oscilloscope": "s"}
    )
    record = Record.begin(folder, workplace.facts(), procedure_id(BLOCKS), clock())
    blocks = [block for block in BLOCKS if block.name == name]
    return run_blocks(blocks, BLOCKS, workplace, record, lambda attempt: None)


def is_off(served):
    parts = served.bench.board("stimulator").parts
    relays = any(relay.is_closed for relay in parts.relays.values())
    return not parts.gate.q and not relays and {b.state.value for b in parts.bridges.values()} == {"off"}


def test_a_current_is_held_while_a_person_reads_and_ends_with_it(served, operator, tmp_path):
    ended = run(served, operator, tmp_path, "pump")
    assert ended.failed is None, ended.failed
    assert operator.seen == [(True, {"cathodic", "off"})] * 4, "held for 700 ms without an answer"
    assert served.after(200, lambda: is_off(served))


def test_keepalive_is_held_while_a_person_reads(served, operator, tmp_path):
    ended = run(served, operator, tmp_path, "monostable")
    assert ended.failed is None, ended.failed
    assert len(operator.seen) >= 3 and all(q for q, _ in operator.seen)
    assert served.after(200, lambda: is_off(served))


def test_a_person_who_leaves_in_a_current_leaves_the_output_off(served, operator, tmp_path):
    operator.leaves = True
    with pytest.raises(RigError):
        run(served, operator, tmp_path, "pump")
    assert served.after(500, lambda: is_off(served))
