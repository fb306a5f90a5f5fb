"""A magnet turns the output off: by hardware at once, by firmware too; nothing restarts without it."""

from itertools import pairwise

import pytest
from stimbench.errors import WrongStateError
from stimbench.parts.wiring import StimulatorWiring
from stimfw.protocol import messages, requests
from support import scene
from support.board import Board
from support.branches import branch
from support.scene import HOLD, MS, SELF_TEST_NS

US = 1000
HARDWARE_NS = 1 * US
FIRMWARE_NS = 200 * US
BEFORE_NS, STEP_NS = 300 * US, 4 * US
"""The firmware asks for the magnet, and then starts the pulses: a few bytecodes, some 10 us each."""
GATE_TESTED_NS = 250 * MS
JOINING_NS = 15 * MS
STATES = ("self-test", "impedance", "ramp up", "rest")


def cut(bench):
    """The magnet does not reach the gate any more: only the firmware can stop.

    Behind the self-test, which would find it: tests/faults/test_whole_self_test.py.
    """
    bench.board("stimulator").parts.gate.cut_clr()


def run_to_drive(bench):
    """On to the middle of a cathodic phase, where it matters most."""
    pin = bench.board("stimulator").pin("L_CATH")
    assert bench.run_until(lambda: pin.level, 100 * MS, 20 * US)


def assert_stopped_for_good(board, bench, since_ns):
    bench.run_for(100 * MS)
    bench.magnet(False)
    scene.assert_stays_off(bench, since_ns, 500 * MS)
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_MAGNET)


@pytest.mark.control("C-03")
@pytest.mark.bench(wiring={"stimulator": StimulatorWiring(bounce_ms=0.0)})
def test_the_current_stops_at_once_by_hardware(board: Board, bench):
    scene.pulse(board)
    run_to_drive(bench)
    bench.board("stimulator").hang()  # no software has a part in it
    came_ns = bench.now_ns
    bench.magnet(True)
    bench.run_for(60 * MS)
    assert came_ns - 20 * US <= scene.last_current_ns(bench) <= came_ns + HARDWARE_NS


@pytest.mark.control("C-03")
def test_the_firmware_alone_stops_within_200_us(board: Board, bench):
    scene.pulse(board)
    cut(bench)
    run_to_drive(bench)
    came_ns = bench.now_ns
    bench.magnet(True)
    bench.run_for(FIRMWARE_NS)
    assert scene.bridges_low(bench)
    assert_stopped_for_good(board, bench, came_ns + FIRMWARE_NS)


def test_it_stops_for_good_and_is_counted(board: Board, bench):
    scene.pulse(board)
    came_ns = bench.now_ns
    bench.magnet(True)
    assert_stopped_for_good(board, bench, came_ns + FIRMWARE_NS)
    assert scene.last_current_ns(bench) <= came_ns + FIRMWARE_NS
    assert board.client.counters()["magnet_stops"] >= 1


@pytest.mark.control("C-03")
@pytest.mark.parametrize("name", STATES)
def test_it_stops_in_every_state(board: Board, bench, name):
    scene.bring_to(board, name)
    board.wait(0.01)
    came_ns = bench.now_ns
    bench.magnet(True)
    assert_stopped_for_good(board, bench, came_ns + FIRMWARE_NS)
    assert board.client.status().failed_parts == ()


@pytest.mark.control("C-08")
def test_nothing_starts_while_it_is_there(board: Board, bench, peer):
    board.set(**HOLD)
    bench.magnet(True)
    bench.run_for(20 * MS)
    peer.join()  # afterwards: the magnet ends connections
    assert board.client.status().magnet
    since_ns = bench.now_ns
    with pytest.raises(WrongStateError) as refused:
        board.client.start()
    assert refused.value.reason == messages.REASON_MAGNET
    for opcode in (requests.IMPEDANCE, requests.SELF_TEST):
        code, body = board.ask(opcode)
        assert code == messages.WRONG_STATE and body[1] == messages.REASON_MAGNET
    peer.request(requests.START)
    scene.assert_stays_off(bench, since_ns, 100 * MS)
    bench.magnet(False)
    scene.assert_stays_off(bench, since_ns, 300 * MS)
    board.client.start()
    board.wait_state(messages.HOLD)


def assert_no_pulse(bench, at_ns):
    """A magnet at a moment just before the first pulse."""
    bench.run_to(at_ns)
    bench.magnet(True)
    bench.run_for(FIRMWARE_NS)
    scene.assert_stays_off(bench, at_ns + FIRMWARE_NS, 20 * MS)


@pytest.mark.bench(wiring={"stimulator": StimulatorWiring(bounce_ms=0.0)})
def test_at_any_moment_before_the_first_pulse_the_firmware_alone_keeps_the_bridges_off(board: Board, bench):
    board.set(**HOLD)
    board.client.start()
    bench.run_for(GATE_TESTED_NS)
    cut(bench)
    started_ns = bench.now_ns

    def first_pulse_ns():
        """Behind the test's last pulses the electrodes are joined anew, which takes 20 ms."""
        bench.run_for(SELF_TEST_NS)
        times = [time_ns for time_ns, _, _ in scene.edges(bench, started_ns, scene.DRIVE)]
        return next(after for before, after in pairwise(times) if after - before > JOINING_NS)

    pulse_ns = branch(first_pulse_ns)
    assert pulse_ns > started_ns + BEFORE_NS
    for early_ns in range(BEFORE_NS, 0, -STEP_NS):
        branch(lambda early_ns=early_ns: assert_no_pulse(bench, pulse_ns - early_ns))


def test_at_any_moment_of_a_start_it_is_named_as_the_cause(board: Board, bench):
    board.set(**HOLD)
    for step in range(8):
        board.client.start()
        bench.run_for(step * 11_700_000 + 300 * US)
        came_ns = bench.now_ns
        bench.magnet(True)
        bench.run_for(60 * MS)
        bench.magnet(False)
        scene.assert_stays_off(bench, came_ns + FIRMWARE_NS, 30 * MS)
        status = board.client.status()
        assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_MAGNET), step
