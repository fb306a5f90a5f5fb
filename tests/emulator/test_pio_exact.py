"""State machines against counts of clocks from the datasheet, register by register, without firmware."""

import itertools
from collections.abc import Sequence

import pytest
from stimbench.emulator.board import EmulatedBoard

CLOCK_NS = 8
PIO0 = 0x50200000
CTRL, FDEBUG, IRQ, IRQ_FORCE = 0x000, 0x008, 0x030, 0x034
TXF0, INSTR_MEM0 = 0x010, 0x048
CLKDIV, EXECCTRL, SHIFTCTRL, INSTR, PINCTRL = 0x0C8, 0x0CC, 0x0D0, 0x0D8, 0x0DC
STRIDE = 0x18
FUNC_PIO0 = 6
JMP_X_DEC = 0x40


def set_pins(value: int, delay: int = 0) -> int:
    return 0xE000 | delay << 8 | value


def set_x(value: int, delay: int = 0) -> int:
    return 0xE020 | delay << 8 | value


def jmp(target: int, condition: int = 0, delay: int = 0) -> int:
    return delay << 8 | condition | target


def wait_irq(flag: int, delay: int = 0) -> int:
    return 0x20C0 | delay << 8 | flag


def set_irq(flag: int, delay: int = 0) -> int:
    return 0xC000 | delay << 8 | flag


PULL_BLOCK = 0x80A0
OUT_X_32 = 0x6020
SET_PINDIRS_1 = 0xE081


class Pio:
    """PIO0 of a bare board, by its registers."""

    def __init__(self, board: EmulatedBoard) -> None:
        self.board = board
        self.edges: dict[int, list[tuple[int, bool]]] = {}

    def write(self, offset: int, value: int) -> None:
        self.board.write_word(PIO0 + offset, value)

    def program(
        self, machine: int, origin: int, words: Sequence[int], pin: int, divider: float = 1.0
    ) -> None:
        for index, word in enumerate(words):
            self.write(INSTR_MEM0 + 4 * (origin + index), word)
        base = STRIDE * machine
        fixed = round(divider * 256)
        self.write(CLKDIV + base, fixed << 8)
        self.write(EXECCTRL + base, (origin + len(words) - 1) << 12 | origin << 7)
        self.write(PINCTRL + base, 1 << 26 | pin << 5)
        self.write(INSTR + base, SET_PINDIRS_1)
        self.write(INSTR + base, jmp(origin))
        self.board.write_word(0x40014000 + 8 * pin + 4, FUNC_PIO0)
        seen = self.edges[pin] = []
        self.board.pin(f"P{pin}").on_edge(lambda level, time_ns: seen.append((time_ns, level)))

    def start(self, *machines: int) -> None:
        mask = sum(1 << index for index in machines)
        self.write(CTRL, mask | mask << 8)

    def run(self, duration_ns: int) -> None:
        self.board.runner.run_to(self.board.now_ns + duration_ns)

    def highs(self, pin: int) -> set[int]:
        edges = self.edges[pin]
        return {after[0] - before[0] for before, after in itertools.pairwise(edges) if before[1]}

    def rises(self, pin: int) -> list[int]:
        return [time_ns for time_ns, level in self.edges[pin] if level]


@pytest.fixture
def pio(bare: EmulatedBoard) -> Pio:
    return Pio(bare)


@pytest.mark.parametrize("divider", [1, 2, 7, 125, 12500])
def test_counting_loop_takes_its_clocks(pio: Pio, divider: int) -> None:
    # high: set [31] = 32, set x [31] = 32, 32 jumps of 32; low: set = 1, jmp = 1
    loop = [set_pins(1, 31), set_x(31, 31), jmp(2, JMP_X_DEC, 31), set_pins(0), jmp(0)]
    pio.program(0, 0, loop, pin=2, divider=divider)
    pio.start(0)
    pio.run(20 * 1090 * divider * CLOCK_NS)
    assert pio.highs(2) == {(32 + 32 + 32 * 32) * divider * CLOCK_NS}
    rises = pio.rises(2)
    assert len(rises) >= 18
    assert {b - a for a, b in itertools.pairwise(rises)} == {(32 + 32 + 32 * 32 + 2) * divider * CLOCK_NS}


def test_fractional_divider_falls_on_whole_clocks(pio: Pio) -> None:
    pio.program(0, 0, [set_pins(1), set_pins(0)], pin=2, divider=2.5)
    pio.start(0)
    pio.run(100_000)
    rises = pio.rises(2)
    assert {b - a for a, b in itertools.pairwise(rises)} == {5 * CLOCK_NS}
    assert pio.highs(2) == {2 * CLOCK_NS} or pio.highs(2) == {3 * CLOCK_NS}


def test_skipped_loop_counts_what_the_cpu_sees(pio: Pio) -> None:
    """Stopping a machine within a counting loop and letting it go on must not lose or gain a count."""
    words = [set_x(31), jmp(1, JMP_X_DEC, 9), set_pins(1), set_pins(0), jmp(0)]
    pio.program(0, 0, words, pin=2)
    pio.start(0)
    pio.run(1003)
    pio.write(CTRL, 0)
    machine = pio.board.mcu.pio[0].machines[0]
    # tick 1 sets x; the n-th jump is at tick 2 + 10 (n - 1)
    assert machine.x == 31 - (1000 // CLOCK_NS - 2) // 10 - 1
    pio.run(10_000)
    assert not pio.rises(2)
    stopped_ns = pio.board.now_ns
    pio.write(CTRL, 1)
    pio.run(10_000)
    jumps_left = 32 - ((1000 // CLOCK_NS - 2) // 10 + 1)
    assert abs(pio.rises(2)[0] - stopped_ns - jumps_left * 10 * CLOCK_NS) <= 11 * CLOCK_NS


def test_divider_restart_aligns_machines(pio: Pio) -> None:
    words = [set_pins(1, 3), set_pins(0, 3)]
    for machine, pin in ((0, 2), (1, 3), (2, 4)):
        pio.program(machine, 4 * machine, words, pin, divider=125)
        pio.run(777)
    pio.start(0, 1, 2)
    pio.run(1_000_000)
    assert pio.rises(2) == pio.rises(3) == pio.rises(4)


@pytest.mark.parametrize(("slow", "fast"), [(12500, 1), (125, 7), (100, 100)])
def test_flag_reaches_the_other_machine_after_the_same_time_always(pio: Pio, slow: int, fast: int) -> None:
    giver = [set_pins(1), set_irq(4, 30), set_pins(0, 31)]
    taker = [wait_irq(4), set_pins(1, 2), set_pins(0)]
    pio.program(0, 0, giver, pin=2, divider=slow)
    pio.program(1, 8, taker, pin=3, divider=fast)
    pio.start(0, 1)
    pio.run(10 * 64 * slow * CLOCK_NS)
    given = [time_ns + slow * CLOCK_NS for time_ns in pio.rises(2)]
    delays = {rise - gift for gift, rise in zip(given, pio.rises(3), strict=False)}
    assert len(pio.rises(3)) >= 9
    if slow % fast == 0:
        # seen at the taker's next tick after the flag's clock, executed one tick later
        assert delays == {(fast if fast > 1 else 1) * CLOCK_NS + fast * CLOCK_NS}
    else:
        assert max(delays) - min(delays) < fast * CLOCK_NS


def test_two_machines_waiting_for_one_flag_both_go(pio: Pio) -> None:
    giver = [set_irq(0, 31), jmp(0, 0, 31)]
    taker = [wait_irq(0), set_pins(1, 2), set_pins(0)]
    pio.program(0, 0, giver, pin=2, divider=100)
    pio.program(1, 8, taker, pin=3)
    pio.program(2, 16, taker, pin=4)
    pio.start(0, 1, 2)
    pio.run(1_000_000)
    assert pio.rises(3) == pio.rises(4)
    assert len(pio.rises(3)) > 10


def test_stalled_machine_goes_on_at_a_tick_of_its_own(pio: Pio) -> None:
    pio.program(0, 0, [PULL_BLOCK, set_pins(1), set_pins(0)], pin=2, divider=1000)
    pio.start(0)
    start_ns = pio.board.now_ns
    for pause_ns in (12_345, 67_890, 3, 99_999):
        pio.run(pause_ns)
        pio.write(TXF0, 1)
        pio.run(30_000)
    assert len(pio.rises(2)) == 4
    assert {(time_ns - start_ns) % (1000 * CLOCK_NS) for time_ns in pio.rises(2)} == {0}


def test_instruction_written_by_the_cpu_acts_at_once(pio: Pio) -> None:
    pio.program(0, 0, [PULL_BLOCK], pin=2)
    pio.run(1000)
    now_ns = pio.board.now_ns
    pio.write(INSTR, set_pins(1))
    assert pio.edges[2][-1] == (now_ns, True)
    assert pio.board.pin("P2").level


def test_instruction_written_by_the_cpu_ends_a_stall(pio: Pio) -> None:
    """A stop: disable the machine wherever it stands, put its pin low, point it at the start."""
    words = [wait_irq(1), set_pins(1, 31), jmp(1)]
    pio.program(0, 0, words, pin=2)
    pio.start(0)
    pio.run(1000)
    pio.write(CTRL, 0)
    pio.write(INSTR, jmp(1))
    pio.write(CTRL, 1)
    pio.run(1000)
    assert pio.board.pin("P2").level


def test_output_override_takes_effect_at_once(pio: Pio) -> None:
    pio.program(0, 0, [set_pins(1, 31), set_pins(0, 31)], pin=2, divider=10)
    pio.start(0)
    pio.run(5_000)
    ctrl = 0x40014000 + 8 * 2 + 4
    pio.board.write_word(ctrl, FUNC_PIO0 | 2 << 8)
    forced_ns = pio.board.now_ns
    assert not pio.board.pin("P2").level
    pio.run(50_000)
    assert not [edge for edge in pio.edges[2] if edge[0] > forced_ns]
    pio.board.write_word(ctrl, FUNC_PIO0 | 3 << 8)
    assert pio.edges[2][-1] == (pio.board.now_ns, True)


def test_chip_reset_stops_everything_and_lets_the_pins_go(pio: Pio) -> None:
    pio.program(0, 0, [set_pins(1), jmp(1)], pin=2)
    pio.start(0)
    pio.run(1000)
    assert pio.board.pin("P2").level
    pio.board.reset()
    assert pio.edges[2][-1] == (pio.board.now_ns, False)
    pio.board.hang()
    pio.run(10_000)
    assert not pio.board.pin("P2").level


def test_joined_fifo_holds_eight_words(pio: Pio) -> None:
    pio.program(0, 0, [PULL_BLOCK, OUT_X_32], pin=2)
    pio.write(SHIFTCTRL, 1 << 30)
    for value in range(8):
        pio.write(TXF0, value)
    assert pio.board.mcu.pio[0].machines[0].tx_fifo.item_count == 8
