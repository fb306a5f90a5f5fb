"""A hung CPU, an application that dies, a supply that fails: output off, and off after the restart."""

import pytest
from stimfw.protocol import messages
from support import scene
from support.board import Board
from support.scene import HOLD, MS

OFF_NS = 150 * MS
WATCHDOG_NS = 2500 * MS
WDT_RESET = 3  # machine.WDT_RESET
BACK_S = 3.0

DYING = """
import main
app, waiter, watchdog = main.build()
class Dying:
    turns = 0
    def wait(self, ms):
        waiter.wait(ms)
        self.turns += 1
        if self.turns == {turns}:
            raise ValueError("the application is dead")
control = app.control
assert control.set_program(control.program.replaced({changes})) == 0
assert control.start() == 0
app.run(Dying(), watchdog)
"""


LOOPING = """
import main
from machine import Pin
app, waiter, watchdog = main.build()
class Looping:
    turns = 0
    def wait(self, ms):
        waiter.wait(ms)
        self.turns += 1
        if self.turns == {turns}:
            Pin("LED")(0)  # it was lit with the output
            while True:
                pass
control = app.control
assert control.set_program(control.program.replaced({changes})) == 0
assert control.start() == 0
app.run(Looping(), watchdog)
"""


def assert_back_and_off(board, bench, since_ns):
    """Ready again after a reset by the watchdog, and no edge from the reset on."""
    board.rebooted()
    details, status = board.client.details(), board.client.status()
    assert details.reset_cause == WDT_RESET
    assert (status.state, status.amplitude_ua) == (messages.READY, (0, 0))
    assert status.stop_cause == messages.STOPPED_NEVER_ON
    scene.assert_stays_off(bench, since_ns)


@pytest.mark.control("C-06", "C-07")
def test_a_hung_cpu_turns_the_output_off_and_the_board_comes_back(board: Board, bench):
    scene.pulse(board)
    stimulator = bench.board("stimulator")
    hung_ns = bench.now_ns
    stimulator.hang()
    assert bench.run_until(lambda: len(stimulator.resets) > 1, WATCHDOG_NS)
    assert hung_ns < scene.last_current_ns(bench) <= hung_ns + OFF_NS
    assert_back_and_off(board, bench, stimulator.resets[-1][0] + 1)


@pytest.mark.control("C-06", "C-08")
def test_pulses_do_not_come_back_after_a_pause_that_closed_the_gate(board: Board, bench):
    scene.pulse(board)
    stimulator = bench.board("stimulator")
    hung_ns = bench.now_ns
    stimulator.hang()
    bench.run_for(400 * MS)  # as long as the flash's slowest erase; the watchdog waits for longer
    stimulator.unhang()
    back_ns = bench.now_ns
    bench.run_for(200 * MS)
    assert scene.last_current_ns(bench) <= hung_ns + OFF_NS
    scene.assert_stays_off(bench, back_ns + 5 * MS)
    assert len(stimulator.resets) == 1
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_FAULT)


@pytest.mark.control("C-06", "C-07")
def test_an_application_that_dies_turns_the_output_off_and_the_board_comes_back(board: Board, bench):
    changes = {name.replace("__", "."): value for name, value in HOLD.items()}
    stimulator = bench.board("stimulator")
    resets = len(stimulator.resets)
    board.repl().exec_raw_no_follow(DYING.format(turns=150, changes=changes))
    said = []
    assert board.wait_for(lambda: said.append(board.text()) or b"is dead\r" in b"".join(said), 8)
    dead_ns = bench.now_ns
    assert scene.cathodic_edges(bench) > 20
    assert scene.bridges_low(bench)
    assert bench.run_until(lambda: len(stimulator.resets) > resets, WATCHDOG_NS)
    assert not scene.edges(bench, dead_ns)
    assert_back_and_off(board, bench, dead_ns)


@pytest.mark.control("C-06", "C-07")
def test_an_endless_loop_with_interrupts_on_turns_the_output_off(board: Board, bench):
    changes = {name.replace("__", "."): value for name, value in HOLD.items()}
    board.repl().exec_raw_no_follow(LOOPING.format(turns=150, changes=changes))
    dark = lambda: [at for at, lit in bench.trace.edges("stimulator", "LED", start_ns) if not lit]  # noqa: E731
    start_ns = bench.now_ns
    assert bench.run_until(lambda: scene.cathodic_edges(bench) > 20 and dark(), 8000 * MS, MS)
    looping_ns = dark()[-1]
    bench.run_for(OFF_NS + 100 * MS)
    assert bench.trace.edges("stimulator", "KEEPALIVE", start_ns)
    assert bench.trace.edges("stimulator", "KEEPALIVE", looping_ns) == [], "who pulses it?"
    assert looping_ns - 60 * MS < scene.last_current_ns(bench) <= looping_ns + OFF_NS
    board.reset()


@pytest.mark.control("C-08")
def test_a_cut_supply_ends_it_and_its_return_starts_nothing(board: Board, bench):
    scene.pulse(board)
    stimulator = bench.board("stimulator")
    cut_ns = stimulator.now_ns  # it may stand one instruction beyond the bench
    stimulator.power_off()
    bench.run_for(200 * MS)
    assert scene.last_current_ns(bench) <= cut_ns
    stimulator.power_on()
    bench.run_for(50 * MS)
    board.rebooted()
    assert board.state() == messages.READY
    assert board.client.program().amplitude_ua == (0, 0)
    scene.assert_stays_off(bench, cut_ns + 1, 500 * MS)


@pytest.mark.control("C-08")
def test_no_bridge_edge_in_boot_reset_and_repl(board: Board, bench):
    stimulator = bench.board("stimulator")
    board.set(**HOLD)
    board.wait(0.5)
    board.reset()
    board.interrupt()
    board.wait(0.1)
    board.write(b"\x04")  # soft reset: the application starts again
    board.wait(0.2)
    board.wait_ready()
    assert int(board.exec("print(1 + 1)")) == 2
    board.reset()
    stimulator.power_off()
    bench.run_for(50 * MS)
    stimulator.power_on()
    bench.run_for(50 * MS)
    board.rebooted()
    assert scene.edges(bench) == []
    assert scene.last_current_ns(bench, above_ua=0.01) == -1
