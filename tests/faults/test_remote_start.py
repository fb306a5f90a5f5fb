"""The remote's buttons, seen at the stimulator's bridges."""

import pytest
from stimfw.protocol import messages
from support import scene
from support.board import Board
from support.scene import HOLD, MS

both = pytest.mark.bench(boards=("stimulator", "remote"))
BOOT_NS = 1000 * MS
STOP_NS = (
    100 * MS
)  # from the press: debouncing, crystal, packet; what counts from the packet on is in test_stop


@both
def test_start_pulses_and_stop_ends_it(board: Board, bench, heap_in_contact):
    bench.run_to(BOOT_NS)
    board.set(**HOLD)
    assert scene.edges(bench) == []
    bench.press("START")
    bench.run_for(scene.SELF_TEST_NS + 600 * MS)
    assert board.state() == messages.HOLD
    pressed_ns = bench.now_ns
    assert scene.cathodic_edges(bench, pressed_ns - 200 * MS) == 8
    bench.press("STOP")
    bench.run_for(STOP_NS)
    scene.assert_stays_off(bench, pressed_ns + STOP_NS, 200 * MS)
    assert board.client.status().stop_cause == messages.STOPPED_REMOTE


@both
def test_start_without_an_amplitude_is_refused_and_shown_in_amber(board: Board, bench, heap_in_contact):
    bench.run_to(BOOT_NS)
    bench.press("START")
    bench.run_for(3000 * MS)
    blinks = [level for _, level in bench.trace.edges("remote", "LED_AMBER", BOOT_NS)]
    assert blinks.count(True) == messages.REASON_NO_AMPLITUDE
    assert not bench.trace.edges("remote", "LED_GREEN", BOOT_NS)
    assert scene.edges(bench) == [] and board.state() == messages.READY
