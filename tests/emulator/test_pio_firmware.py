"""State machines beside a CPU that is busy, collecting garbage or asleep: not one clock of difference."""

import itertools

import pytest
from stimbench.bench import Bench
from stimbench.devices.repl import BoardTransport
from stimbench.emulator.board import EmulatedBoard

pytestmark = pytest.mark.emulated

CLOCK_NS = 8
LOOP_CLOCKS = 32 + 32 + 32 * 32
PERIOD_CLOCKS = LOOP_CLOCKS + 2
SIGNALS = {"L_CATH": 1, "L_ANOD": 5, "L_SHORT": 100}
"""Signal and divider of each machine; GP2, GP3, GP4."""

START = """
import rp2, machine, time, gc
@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def square():
    set(pins, 1)[31]
    set(x, 31)[31]
    label("high")
    jmp(x_dec, "high")[31]
    set(pins, 0)
    set(x, 0)
machines = [rp2.StateMachine(i, square, freq=125_000_000 // d, set_base=machine.Pin(2 + i))
            for i, d in enumerate((1, 5, 100))]
for m in machines:
    m.active(1)
"""
WORK = {
    "busy": "end = time.ticks_add(time.ticks_ms(), 20)\n"
    "while time.ticks_diff(end, time.ticks_ms()) > 0:\n    sum((1, 2, 3))",
    "garbage": "for i in range(4):\n    [bytes(i) for i in range(200)]\n    gc.collect()",
    "asleep": "time.sleep_ms(20)",
}

SAMPLER = """
import rp2, machine, array, uctypes
from machine import mem32
@rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_LEFT, autopush=True, push_thresh=32)
def ask():
    in_(x, 32)[31]
machine.ADC(26).read_u16()
mem32[0x4004C008] = 0x0100_0009      # FCS: FIFO on, DREQ on, threshold 1
sm = rp2.StateMachine(0, ask, freq=320_000)
sm.exec("set(x, 5)")                 # ADC CS: EN | START_ONCE, input 0
got = array.array("H", bytes(200))
start, fetch = rp2.DMA(), rp2.DMA()
start.config(read=0x50200020, write=0x4004C000, count=100,
             ctrl=start.pack_ctrl(inc_read=False, inc_write=False, treq_sel=4))
fetch.config(read=0x4004C00C, write=got, count=100,
             ctrl=fetch.pack_ctrl(size=1, inc_read=False, inc_write=True, treq_sel=36))
fetch.active(1)
start.active(1)
"""


@pytest.mark.parametrize("work", WORK)
def test_widths_and_periods_have_one_value(
    repl: tuple[Bench, EmulatedBoard, BoardTransport], work: str
) -> None:
    bench, board, transport = repl
    transport.exec(START)
    from_ns = bench.now_ns
    transport.exec(WORK[work])
    for signal, divider in SIGNALS.items():
        edges = bench.trace.edges(board.name, signal, start_ns=from_ns)
        rises = [time_ns for time_ns, level in edges if level]
        highs = {b[0] - a[0] for a, b in itertools.pairwise(edges) if a[1]}
        assert len(rises) > 15
        assert highs == {LOOP_CLOCKS * divider * CLOCK_NS}
        assert {b - a for a, b in itertools.pairwise(rises)} == {PERIOD_CLOCKS * divider * CLOCK_NS}


def test_pio_moves_adc_samples_to_memory_with_the_cpu_hung(
    repl: tuple[Bench, EmulatedBoard, BoardTransport],
) -> None:
    """PIO starts conversions by DMA, and DMA fetches them: the CPU takes no part, so it may as well hang."""
    bench, board, transport = repl
    ramp = []

    def source(time_ns: int) -> float:
        ramp.append(time_ns)
        return 0.001 * len(ramp)

    board.wire_adc(0, source)
    transport.exec(SAMPLER)
    transport.exec_raw_no_follow("sm.active(1)")
    bench.run_for(3_000_000)
    board.hang()
    before = len(ramp)
    bench.run_for(20_000_000)
    board.unhang()
    assert len(ramp) > before
    transport.follow(5)
    codes = list(transport.eval("list(got)"))
    assert codes == [round(0.001 * n * 4096 / 3.3) for n in range(len(ramp) - 99, len(ramp) + 1)]
    steps = {b - a for a, b in zip(ramp[-100:], ramp[-99:], strict=False)}
    assert steps == {100_000}
