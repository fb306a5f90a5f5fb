"""Ctrl-C: output off, then a REPL that stays. A host that does not read changes nothing."""

import pytest
from stimfw.protocol import console_frame, messages, requests
from support import scene
from support.board import Board
from support.branches import branch
from support.scene import MS, S

US = 1000
OFF_NS = 5 * MS
WATCHDOG_AND_MORE_NS = 2500 * MS
BOOT_MS = range(110, 300, 2)
"""The console is there after 0.1 s, the board is ready after 0.26 s; the watchdog runs from between on."""
GAPS_US = (20, 50, *range(100, 2000, 50))
"""Between two Ctrl-C: a host sends both at once, or in packets of 50 us."""
TOGETHER_US = 100
"""A second one that comes before the first is served ends in its own traceback."""


@pytest.mark.control("C-01", "C-08")
def test_ctrl_c_turns_the_output_off_then_gives_the_repl_for_good(board: Board, bench):
    scene.pulse(board)
    typed_ns = bench.now_ns
    board.interrupt()
    bench.run_for(OFF_NS)
    scene.assert_stays_off(bench, typed_ns + OFF_NS, 200 * MS)
    text = board.text()
    assert b"stimulator stopped: output off" in text and text.endswith(b">>> ")
    bench.run_for(WATCHDOG_AND_MORE_NS)
    assert len(bench.board("stimulator").resets) == 1
    board.write(b"6 * 7\r")
    assert b"42" in board.text()


def test_many_ctrl_c_at_once_leave_it_off_and_unwatched(board: Board, bench):
    for count in (2, 3, 5):
        scene.pulse(board)
        typed_ns = bench.now_ns
        for _ in range(count):
            board.interrupt()
            bench.run_for(300_000)
        bench.run_for(OFF_NS)
        scene.assert_stays_off(bench, typed_ns + OFF_NS + count * 300_000, 100 * MS)
        bench.run_for(WATCHDOG_AND_MORE_NS)
        assert len(bench.board("stimulator").resets) == 1, f"{count} Ctrl-C: the watchdog reset the REPL"
        board.write(b"\x04")
        board.wait(0.2)
        board.wait_ready()


def assert_repl_stays(bench):
    stimulator = bench.board("stimulator")
    bench.run_for(WATCHDOG_AND_MORE_NS)
    stimulator.console.read()
    stimulator.console.write(b"\r\n6 * 7\r\n")
    bench.run_for(50 * MS)
    assert b"42" in stimulator.console.read()
    assert len(stimulator.resets) == 1, "the watchdog reset the REPL"
    assert scene.edges(bench) == []


def interrupted(bench):
    bench.board("stimulator").console.write(b"\x03")
    assert_repl_stays(bench)


def test_ctrl_c_at_any_moment_of_boot_gives_a_repl_that_stays(bench):
    for after_ms in BOOT_MS:
        bench.run_to(after_ms * MS)
        branch(lambda: interrupted(bench))


def second_ctrl_c(bench, gap_us):
    stimulator = bench.board("stimulator")
    stimulator.console.write(b"\x03")
    bench.run_for(gap_us * US)
    typed_ns = bench.now_ns
    stimulator.console.write(b"\x03")
    bench.run_for(OFF_NS)
    scene.assert_stays_off(bench, typed_ns + OFF_NS, 50 * MS)
    said = stimulator.console.read()
    assert said.endswith(b">>> ") and (b"output off" in said or gap_us < TOGETHER_US), (gap_us, said)
    bench.run_for(WATCHDOG_AND_MORE_NS)
    assert len(stimulator.resets) == 1, f"the watchdog reset the REPL: {gap_us} us"


def test_a_second_ctrl_c_at_any_moment_ends_nothing_that_the_first_began(board: Board, bench):
    scene.pulse(board)
    board.text()
    for gap_us in GAPS_US:
        branch(lambda gap_us=gap_us: second_ctrl_c(bench, gap_us))


def ask_without_reading(board, bench, count=40):
    """Requests whose answers fill every buffer."""
    bench.board("stimulator").console.host_reads = False
    for number in range(count):
        board.write(console_frame.encode(number, messages.request(requests.GET_PROGRAM)))
    bench.run_for(200 * MS)


@pytest.mark.control("C-21")
def test_a_host_that_does_not_read_delays_neither_pulses_nor_stop(board: Board, bench, peer):
    peer.join()
    scene.pulse(board)
    ask_without_reading(board, bench)
    start_ns = bench.now_ns
    bench.run_for(S)
    assert scene.cathodic_edges(bench, start_ns) == 40
    assert scene.last_current_ns(bench) > bench.now_ns - 60 * MS
    heard_ns = peer.request(requests.STOP)
    bench.run_to(heard_ns + OFF_NS)
    scene.assert_stays_off(bench, heard_ns + OFF_NS)
    bench.board("stimulator").console.host_reads = True
    board.wait(0.3)
    board.discard_input()
    assert board.state() == messages.READY
    assert len(bench.board("stimulator").resets) == 1


def test_ctrl_c_turns_the_output_off_even_if_nobody_reads(board: Board, bench):
    scene.pulse(board)
    ask_without_reading(board, bench)
    assert board.now_s() and scene.last_current_ns(bench) > bench.now_ns - 60 * MS
    typed_ns = bench.now_ns
    board.interrupt()
    bench.run_for(OFF_NS)
    scene.assert_stays_off(bench, typed_ns + OFF_NS, 700 * MS)
    bench.board("stimulator").console.host_reads = True
    board.wait(0.3)
    board.discard_input()


@pytest.mark.control("C-02", "C-21")
def test_a_flood_on_the_console_delays_neither_pulses_nor_stop(board: Board, bench, peer):
    peer.join()
    scene.pulse(board)
    start_ns = bench.now_ns
    board.write(b"~A" * 1500)
    bench.run_for(400 * MS)
    assert scene.cathodic_edges(bench, start_ns) == 16
    heard_ns = peer.request(requests.STOP)
    bench.run_to(heard_ns + OFF_NS)
    scene.assert_stays_off(bench, heard_ns + OFF_NS, 60 * MS)
