"""Between the core in C and the rest: errors of parts, Ctrl-C, the divider, the timer's raw count."""

import random
import signal
import traceback
from array import array
from functools import partial
from itertools import product

import pytest
from rp2040py.rp2040 import RP2040
from stimbench.bench import Bench, BenchConfig
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.chip import Core
from stimbench.emulator.sio import PythonDivider

RAM, FLASH, PERIPHERAL = 0x20000000, 0x10000000, 0x40034000
SIO, DIVIDER, TIMER, DMA = 0xD0000000, 0xD0000060, 0x40054000, 0x50000000
OUT_SET, OE_SET, TIMERAWH, TIMERAWL = 0x14, 0x24, 0x24, 0x28
FOREVER, WFI, NOP = 0xE7FE, 0xBF30, 0xBF00
READ, WRITE = 0x6801, 0x6001  # LDR R1, [R0]; STR R1, [R0]
S = 1_000_000_000
LOAD_CYCLES = 4  # of a peripheral's register
PINS = {"P2": 2}


class PartError(Exception):
    pass


class Block:
    """A peripheral that does what the test says."""

    def __init__(self, on_read=None, on_write=None):
        self.on_read, self.on_write = on_read, on_write

    def read_uint32(self, offset):
        return self.on_read(offset)

    def write_uint32_atomic(self, offset, value, _kind):
        self.on_write(offset, value)


def fails(*_):
    raise PartError("burnt")


@pytest.fixture
def board():
    """A board with an empty flash whose CPU waits in an endless loop."""
    board = EmulatedBoard("bare", PINS, seed=1, core=Core.NATIVE)
    board.power_on()
    run(board, FOREVER)
    return board


def run(board, *program, **registers):
    """Let the CPU go on with a program from RAM."""
    code = array("H", program).tobytes()
    board.mcu.sram[: len(code)] = code
    board.mcu.core.registers[15] = RAM
    board.mcu.core.waiting = False
    for name, value in registers.items():
        board.mcu.core.registers[int(name[1:])] = value


def run_for(board, duration_ns):
    board.runner.run_to(board.now_ns + duration_ns)


def surfaces(board, duration_ns=1000):
    """The part's own error comes out, its own line in the traceback; the board goes on afterwards."""
    with pytest.raises(PartError, match="burnt") as caught:
        run_for(board, duration_ns)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fails"
    assert not board.runner.running
    before, cycles = board.now_ns, board.mcu.core.cycles
    run(board, FOREVER)
    run_for(board, 10_000)
    assert board.now_ns == pytest.approx(before + 10_000, abs=16)
    assert board.mcu.core.cycles - cycles == pytest.approx(1250, abs=4)


def test_an_error_in_a_read(board):
    board.mcu.peripherals[PERIPHERAL >> 12] = Block(on_read=fails)
    run(board, NOP, READ, FOREVER, r0=PERIPHERAL)
    surfaces(board)


def test_an_error_in_a_write(board):
    board.mcu.peripherals[PERIPHERAL >> 12] = Block(on_write=fails)
    run(board, NOP, WRITE, FOREVER, r0=PERIPHERAL)
    surfaces(board)


def test_the_first_of_two_errors_in_one_instruction(board):
    errors = iter((PartError("burnt"), ValueError("second")))

    def fails(*_):
        raise next(errors)

    board.mcu.peripherals[PERIPHERAL >> 12] = Block(on_write=fails)
    run(board, 0xC006, FOREVER, r0=PERIPHERAL)  # STMIA R0!, {R1, R2}
    surfaces(board)


def test_an_error_in_an_alarm(board):
    board.scheduler.call_at(board.now_ns + 500, fails)
    surfaces(board)


def test_an_error_in_an_alarm_while_the_cpu_sleeps(board):
    run(board, WFI, FOREVER)
    board.scheduler.call_at(board.now_ns + 500, fails)
    with pytest.raises(PartError) as caught:
        run_for(board, 1000)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fails"
    run_for(board, 10_000)
    assert board.mcu.core.waiting


def test_an_error_in_a_pin_s_listener(board):
    board.write_word(0x40014000 + 8 * 2 + 4, 5)
    board.pin("P2").on_edge(fails)
    board.write_word(SIO + OE_SET, 1 << 2)
    run(board, NOP, WRITE, FOREVER, r0=SIO + OUT_SET, r1=1 << 2)
    surfaces(board)


def test_a_bench_lives_on_after_a_part_s_error():
    with Bench(BenchConfig(boards=("stimulator",), core=Core.NATIVE)) as bench:
        bench.run_for(10_000_000)
        bench.board("stimulator").scheduler.call_at(bench.now_ns + 1000, fails)
        with pytest.raises(PartError):
            bench.run_for(1_000_000)
        bench.run_for(500_000_000)
        assert bench.board("stimulator").usb_connected


@pytest.fixture
def interrupted():
    """Ctrl-C comes in a while: SIGINT's own handler, called by a timer."""
    former = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, former)


def test_ctrl_c_ends_a_loop_that_runs_no_python(board, interrupted):
    start_ns = board.now_ns
    with pytest.raises(KeyboardInterrupt):
        run_for(board, 1000 * S)
    assert board.now_ns < start_ns + 1000 * S
    run_for(board, 1000)


def test_ctrl_c_ends_a_sleep(board, interrupted):
    run(board, WFI, FOREVER)
    tick = board.mcu.clock.create_alarm(lambda: tick.schedule(8))
    tick.schedule(8)
    with pytest.raises(KeyboardInterrupt):
        run_for(board, 1000 * S)
    tick.cancel()
    run_for(board, 1000)
    assert board.mcu.core.waiting


def test_ctrl_c_from_an_alarm(request, board):
    # A shell that runs this in the background leaves SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    alarm = board.mcu.clock.create_alarm(partial(signal.raise_signal, signal.SIGINT))
    start_ns = board.now_ns
    alarm.schedule(100_000)
    with pytest.raises(KeyboardInterrupt):
        run_for(board, S)
    assert board.now_ns - start_ns < 20_000_000


WORDS = (0, 1, 2, 3, 7, 10, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0xFFFFFFF9, 123456789)


@pytest.mark.parametrize("signed", (0, 8))
def test_what_the_core_divides_a_probe_and_the_dma_see(board, signed):
    model = PythonDivider()
    rng = random.Random(signed)
    some = [(rng.getrandbits(32), rng.getrandbits(17)) for _ in range(50)]
    for dividend, divisor in [*product(WORDS, WORDS), *some]:
        model.divider_write(0x60 + signed, dividend)
        model.divider_write(0x64 + signed, divisor)
        # STR R1, [R0]; STR R2, [R0, #4]: the operands
        run(board, WRITE, 0x6042, FOREVER, r0=DIVIDER + signed, r1=dividend, r2=divisor)
        run_for(board, 100)
        for index in range(2):  # quotient and remainder, by a DMA channel
            base = DMA + 0x40 * index
            board.write_word(base, DIVIDER + 0x10 + 4 * index)
            board.write_word(base + 4, RAM + 0x100 + 4 * index)
            board.write_word(base + 8, 1)
            board.write_word(base + 0xC, 1 | 2 << 2 | index << 11 | 0x3F << 15)
        assert board.read_word(DIVIDER + 0x18) & 2
        expected = [model.divider_read(0x70), model.divider_read(0x74)]
        assert [board.read_word(DIVIDER + 0x10), board.read_word(DIVIDER + 0x14)] == expected
        assert not board.read_word(DIVIDER + 0x18) & 2
        run_for(board, 100)
        assert [board.read_word(RAM + 0x100), board.read_word(RAM + 0x104)] == expected
        # LDR R1, [R0, #16]; LDR R2, [R0, #20]
        run(board, 0x6901, 0x6942, FOREVER, r0=DIVIDER)
        run_for(board, 100)
        assert list(board.mcu.core.registers)[1:3] == expected


def test_the_core_divides_what_a_probe_wrote(board):
    board.write_word(DIVIDER, 1000)
    board.write_word(DIVIDER + 4, 7)
    run(board, 0x6901, 0x6942, FOREVER, r0=DIVIDER)
    run_for(board, 100)
    assert list(board.mcu.core.registers)[1:3] == [142, 6]
    board.write_word(DIVIDER + 0x14, 77)  # an interrupt handler puts a result back
    run(board, 0x6901, 0x6942, FOREVER, r0=DIVIDER)
    run_for(board, 100)
    assert list(board.mcu.core.registers)[1:3] == [142, 77]


def test_a_reset_resets_the_divider(board):
    board.write_word(DIVIDER, 1000)
    board.write_word(DIVIDER + 4, 7)
    board.reset()
    assert [board.read_word(DIVIDER + offset) for offset in (0, 4, 0x10, 0x14)] == [0, 1, 0, 0]


@pytest.mark.parametrize("register", (TIMERAWL, TIMERAWH))
def test_the_raw_count_is_the_timer_s(board, register):
    """Read by the core without leaving C; the write that follows tells the time of it to this test."""
    seen = []

    def note(_offset, value):
        seen.append((value, board.mcu.clock.nanos - 8 * LOAD_CYCLES))

    board.mcu.peripherals[PERIPHERAL >> 12] = Block(on_write=note)
    for start_ns in (0, 3_000_000, 2**32 * 1000 - 200_000):  # the last: as the upper word begins to count
        board.runner.run_to(start_ns)
        # loop: LDR R1, [R0]; STR R1, [R2]; ADDS R3, #1; B loop
        run(board, READ, 0x6011, 0x3301, 0xE7FB, r0=TIMER + register, r2=PERIPHERAL)
        run_for(board, 400_000)
        run(board, WFI, FOREVER)
    clock, timer, epoch = board.mcu.clock, board.mcu.timer, board.mcu.timer._epoch_nanos
    assert timer.read_uint32(TIMERAWL) == int((clock.nanos - epoch) / 1000) % 2**32
    high = register == TIMERAWH
    for value, time_ns in seen:
        micros = int((time_ns - epoch) / 1000)
        assert value == (micros >> 32 if high else micros % 2**32)
    assert len(seen) > 9000
    assert seen[0][0] != seen[-1][0]


def test_a_reset_begins_the_raw_count_again(board):
    run_for(board, 5_000_000)
    board.reset()
    run(board, READ, FOREVER, r0=TIMER + TIMERAWL)
    run_for(board, 3000)
    assert board.mcu.core.registers[1] == 0
    assert RP2040.read_uint32(board.mcu, TIMER + TIMERAWL) in (2, 3)
