"""A handler that MicroPython has taken away: the output goes off, and the board starts again.

A handler that raises is taken away for good. No known one does; a board that lost one would be deaf.
"""

import pytest
from stimbench.bench import Bench, BenchConfig
from stimbench.emulator.board import ResetCause
from stimfw.protocol import messages
from support import scene
from support.board import Board, emulated_board
from support.scene import MS

pytestmark = pytest.mark.emulated

CHECK_NS = 1100 * MS  # it is looked for once a second
WATCHDOG_NS = 2500 * MS
WDT_RESET = 3  # machine.WDT_RESET
TOLD = b"an interrupt has lost its handler"
PULSING = """
import main
from machine import Pin
import rp2
app, waiter, watchdog = main.build()
def raising(_):
    raise ValueError
control = app.control
assert control.set_program(control.program.replaced({changes})) == 0
assert control.start() == 0
{taken}
app.run(waiter, watchdog)
"""
TAKEN = {
    "radio": 'Pin("RADIO_IRQ").irq(raising, Pin.IRQ_FALLING, hard=True)',
    "magnet": 'Pin("MAGNET").irq(raising, Pin.IRQ_FALLING, hard=True)',
    "period": "rp2.PIO(0).irq(raising, rp2.PIO.IRQ_SM2, hard=True)",
}
REMOTE = {
    "button": """
from stimfw.drivers.button import Button
def raising(*_):
    raise ValueError
Button._on_edge = raising
import main
""",
    "radio": """
from stimfw.drivers.wake import Wake
wake = Wake.set
def raising(self, source=None):
    if source is not None:
        raise ValueError
    wake(self)
Wake.set = raising
import main
""",
}
LAST_TICKS = """
import micropython
from stimfw.drivers import entropy
entropy.ticks_us = lambda: {ticks}
edges = entropy.EdgeTimes()
micropython.heap_lock()
try:
    for _ in range(3 * len(edges.low)):
        edges.note()
finally:
    micropython.heap_unlock()
print("no heap")
"""


@pytest.mark.control("C-06", "C-07")
@pytest.mark.parametrize("lost", TAKEN)
def test_a_stimulator_that_lost_one_goes_off_and_comes_back(board: Board, bench, peer, lost):
    """The period's is called by the first pulse."""
    stimulator, resets = bench.board("stimulator"), len(bench.board("stimulator").resets)
    changes = {name.replace("__", "."): value for name, value in scene.HOLD.items()}
    board.repl().exec_raw_no_follow(PULSING.format(changes=changes, taken=TAKEN[lost]))
    assert bench.run_until(lambda: scene.cathodic_edges(bench) > 8, 8000 * MS, MS)
    called_ns = bench.now_ns
    if lost == "radio":
        peer.flood(scene.noise(1, 1, 32), MS)
    elif lost == "magnet":
        bench.magnet(True)
    said = []
    assert board.wait_for(lambda: said.append(board.text()) or TOLD in b"".join(said), 2)
    off_ns = bench.now_ns
    # The magnet ends it in hardware as well.
    within_ns = MS if lost == "magnet" else CHECK_NS
    assert called_ns - scene.PERIOD_MS * MS <= scene.last_current_ns(bench) <= called_ns + within_ns
    assert scene.bridges_low(bench)
    assert bench.run_until(lambda: len(stimulator.resets) > resets, WATCHDOG_NS)
    bench.magnet(False)
    board.rebooted()
    assert board.client.details().reset_cause == WDT_RESET
    assert board.client.status().state == messages.READY
    scene.assert_stays_off(bench, off_ns)


@pytest.mark.parametrize("lost", REMOTE)
def test_a_remote_that_lost_one_starts_again(lost):
    """The button's is called by a press, the radio's by what STOP sends: both would be dead from then on."""
    with Bench(BenchConfig(paired=True)) as bench:
        remote = emulated_board(bench, "remote")
        remote.wait_ready()
        chip, resets = bench.board("remote"), len(bench.board("remote").resets)
        remote.repl().exec_raw_no_follow(REMOTE[lost])
        bench.run_for(1500 * MS)
        assert len(chip.resets) == resets
        bench.press("STOP", 80)
        said = []
        assert remote.wait_for(lambda: said.append(remote.text()) or TOLD in b"".join(said), 2)
        assert bench.run_until(lambda: len(chip.resets) > resets, WATCHDOG_NS)
        remote.rebooted()
        assert chip.resets[-1][1] is ResetCause.WATCHDOG


@pytest.mark.parametrize("ticks", [0x3FFFFFFF, 0x3FFFFF00, 0x3FFFFD03, 0])
def test_an_edge_takes_no_heap_when_the_microseconds_wrap(board: Board, ticks):
    """They do every 18 minutes. A number beyond 30 bits is an object, and a handler may make none."""
    assert board.exec(LAST_TICKS.format(ticks=ticks)).strip() == "no heap"
