"""STOP from the air and from the console: both bridges off within 5 ms, whatever the board is doing."""

from collections import Counter

import pytest
from stimfw.protocol import console_frame, messages, requests
from stimfw.therapy import program
from stimfw.therapy.ranges import ParameterError
from support import scene
from support.board import Board
from support.scene import HOLD, MS, STATES

STOP_NS = 5 * MS
PERIOD_199_HZ_NS = 5_025_000
LONGEST_GAP_US = 492  # half a period less two phases of 1000 us and a guard of 20 us (docs/firmware.md)
PERIODS_WATCHED = 12


def bring_to(board, name):
    scene.bring_to(board, name)
    if name != "self-test":  # it is over in 30 ms
        board.wait(0.01)


@pytest.mark.control("C-01")
@pytest.mark.parametrize("name", list(STATES))
def test_stop_by_radio_in_every_state(board: Board, bench, peer, name):
    peer.join()
    bring_to(board, name)
    heard_ns = peer.request(requests.STOP)
    bench.run_to(heard_ns + STOP_NS)
    assert scene.bridges_low(bench)
    scene.assert_stays_off(bench, heard_ns + STOP_NS, 150 * MS)
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_REMOTE)


@pytest.mark.control("C-01")
@pytest.mark.parametrize("name", ["self-test", "impedance", "hold"])
def test_stop_by_console_turns_the_bridges_off(board: Board, bench, name):
    bring_to(board, name)
    board.client.stop()
    scene.assert_stays_off(bench, bench.now_ns, 150 * MS)


@pytest.mark.control("C-01", "C-19")
def test_stop_at_many_phases_of_a_pulse(board: Board, bench, peer):
    """The left lead's drive begins 12 us after the period, and takes 428 us; STOP comes anywhere in it."""
    peer.join()
    for step in range(6):
        scene.pulse(board)
        heard_ns = peer.request(requests.STOP, after_ns=MS + step * 8_311_000)
        bench.run_to(heard_ns + STOP_NS)
        scene.assert_stays_off(bench, heard_ns + STOP_NS, 60 * MS)
        assert board.state() == messages.READY


@pytest.mark.control("C-22")
def test_a_lost_session_ends_by_itself(board: Board, bench):
    board.set(**dict(HOLD, rate_hz=1, on_ms=1000, off_ms=9000))
    board.client.start()
    bench.run_for(72 * scene.S)  # 60 s, and the cycle of 11 s that may have begun
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_SESSION_OVER)
    scene.assert_stays_off(bench, bench.now_ns - 100 * MS, scene.S)


@pytest.mark.control("C-22")
def test_a_long_rest_does_not_prolong_the_session(board: Board, bench):
    board.set(**dict(HOLD, rate_hz=1, on_ms=1000, off_ms=300_000))
    board.client.start()
    bench.run_for(62 * scene.S)
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_SESSION_OVER)


def accepted(**changes):
    """Whether the programme's rules take the changes."""
    try:
        program.default().replaced({name.replace("__", "."): value for name, value in changes.items()})
    except ParameterError:
        return False
    return True


def test_the_longest_pulses_at_a_high_rate_never_overlap(board: Board, bench):
    # So little that no programme is refused for its net direct current.
    little = {"left__amplitude_ua": 25, "right__amplitude_ua": 25}
    changes = {**HOLD, **little, "width_us": 1000, "rate_hz": 199}
    longest = max(gap_us for gap_us in range(501) if accepted(**changes, gap_us=gap_us))
    assert longest == LONGEST_GAP_US
    board.set(**changes, gap_us=longest)
    board.set(**little)
    board.client.start()
    board.wait_state(messages.HOLD)
    bench.run_for(scene.SELF_TEST_NS + 60 * MS)
    start_ns = bench.now_ns
    bench.run_for(PERIODS_WATCHED * PERIOD_199_HZ_NS)
    edges = scene.edges(bench, start_ns, scene.DRIVE)
    rises = Counter(signal for _, signal, level in edges if level)
    assert rises.keys() == set(scene.DRIVE)
    assert all(abs(count - PERIODS_WATCHED) <= 1 for count in rises.values()), rises
    high = set()
    for at, signal, level in edges:
        high = high | {signal} if level else high - {signal}
        assert len(high) < 2, f"{high} drive at {at} ns"


# What keeps a STOP waiting most is a collection of garbage (8 ms), so a contraction begins without garbage.

_FULL_OF_GARBAGE = """
import gc, main
from stimfw.protocol import messages
from stimfw.therapy import program
app, waiter, watchdog = main.build()
watchdog.disable()
app.control.set_program(program.default().replaced({"left.amplitude_ua": 2000, "right.amplitude_ua": 2000}))
before = gc.mem_free()
for _ in range((before - 28_000) // 512):
    bytes(500)
print(before - gc.mem_free(), app.control.start())
while app.control.state() != messages.HOLD:
    waiter.wait(app.poll())
print(before - gc.mem_free())
app.control.stop(messages.STOPPED_HOST)
"""
GARBAGE, ROOM_LEFT = 100_000, 40_000
"""About 130 KB are free before a contraction, which makes no garbage itself; requests of a host do."""


@pytest.mark.control("C-40")
def test_garbage_is_collected_before_the_pulses(board: Board, bench):
    made, started, used = board.exec(_FULL_OF_GARBAGE).split()
    assert int(made) > GARBAGE and int(started) == messages.REASON_NONE
    assert int(used) < ROOM_LEFT


@pytest.mark.parametrize("phase_ns", [0, MS, 2 * MS])
def test_stop_by_radio_is_heard_between_the_bytes_of_a_host(board: Board, bench, peer, phase_ns):
    """The host asks every 3 ms, which is more than the board can answer."""
    peer.join()
    scene.pulse(board)
    line = console_frame.encode(7, messages.request(requests.PULSES, b"\0\0\0\0"))
    for k in range(1, 10):
        bench.at(bench.now_ns + k * 3 * MS, lambda: bench.board("stimulator").console.write(line))
    heard_ns = peer.request(requests.STOP, after_ns=20 * MS + phase_ns)
    bench.run_to(heard_ns + STOP_NS)
    scene.assert_stays_off(bench, heard_ns + STOP_NS, 60 * MS)
