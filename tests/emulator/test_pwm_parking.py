"""A parked PWM slice beside one that never is: no difference, whatever is written and read, and when."""

import random

import pytest
from rp2040py.peripherals.dma import DREQChannel
from rp2040py.peripherals.pwm import RPPWM
from stimbench.emulator.chip import Core, make_chip

PWM, DMA, IO_BANK0, RAM = 0x40050000, 0x50000000, 0x40014000, 0x20000000
CSR, DIV, CTR, CC, TOP = 0x00, 0x04, 0x08, 0x0C, 0x10
EN, INTR, INTE, INTF, INTS = 0xA0, 0xA4, 0xA8, 0xAC, 0xB0
SLICE_BYTES, SLICES = 0x14, 8
ON, PHASE_CORRECT = 1, 2
PWM_FUNCTION = 4
RUNS, WRITES = 4, 100


class Pair:
    """The emulator's own block, and ours, on chips whose CPU does nothing."""

    def __init__(self):
        self.chips = [make_chip(Core.REFERENCE), make_chip(Core.NATIVE)]
        self.edges = [[], []]
        for chip, seen in zip(self.chips, self.edges, strict=True):
            for pin in range(16):
                chip.write_uint32(IO_BANK0 + 8 * pin + 4, PWM_FUNCTION)
                chip.gpio[pin].add_listener(
                    lambda new, _old, pin=pin, chip=chip, seen=seen: seen.append((chip.clock.nanos, pin, new))
                )
        assert type(self.chips[0].pwm) is RPPWM
        self.ours = self.chips[1].pwm

    def write(self, offset, value):
        for chip in self.chips:
            chip.write_uint32(PWM + offset, value)

    def pass_ns(self, duration_ns):
        for chip in self.chips:
            chip.clock.tick(duration_ns)

    def read(self, offset):
        one, other = (chip.read_uint32(PWM + offset) for chip in self.chips)
        assert one == other, f"register {offset:#x}: {one:#x} unparked, {other:#x} parked"
        return one

    def start(self, index, top=99, cc=0):
        base = index * SLICE_BYTES
        for offset, value in ((TOP, top), (CC, cc), (CSR, ON)):
            self.write(base + offset, value)

    def parked(self, index):
        return self.ours.channels[index].parked

    def check_hidden(self):
        """What no register shows: pins, the interrupt line when enabled."""
        assert self.edges[0] == self.edges[1]
        one, other = (chip.core.pending_interrupts for chip in self.chips)
        assert one == other


@pytest.fixture
def pair():
    return Pair()


def test_a_silent_slice_has_no_alarm(pair):
    pair.start(3)
    pair.pass_ns(70_000)
    assert pair.parked(3)
    clock = pair.chips[1].clock
    before = clock.nanos_to_next_alarm if clock.has_scheduled_alarm else float("inf")
    assert before > 1_000_000
    assert pair.chips[0].clock.nanos_to_next_alarm <= 800


def test_a_slice_that_drives_a_pin_is_not_parked(pair):
    pair.start(3, cc=50)
    pair.pass_ns(10_000)
    assert not pair.parked(3)
    pair.check_hidden()
    assert pair.edges[1]


def test_the_raw_interrupt_of_an_unseen_wrap(pair):
    pair.start(2)
    pair.pass_ns(1_000_000)
    assert pair.parked(2)
    assert pair.read(INTR) == 1 << 2
    pair.write(INTR, 1 << 2)
    pair.pass_ns(799)
    pair.read(INTR)
    pair.pass_ns(2)
    pair.read(INTR)


def test_the_counter(pair):
    pair.start(1, top=999)
    for _ in range(300):
        pair.pass_ns(77)
        pair.read(SLICE_BYTES + CTR)
    assert pair.parked(1)


def test_inte_wakes_it(pair):
    pair.start(4)
    pair.pass_ns(70_000)
    assert pair.parked(4)
    pair.write(INTE, 1 << 4)
    assert not pair.parked(4)
    pair.check_hidden()
    for _ in range(4):
        pair.write(INTR, 0xFF)
        pair.pass_ns(790)
        pair.check_hidden()
        assert pair.read(INTS) in (0, 1 << 4)
    pair.write(INTE, 0)
    pair.pass_ns(2000)
    assert pair.parked(4)


def paced_transfer(pair, index):
    """A DMA channel that takes a word at each wrap of a slice."""
    line = DREQChannel.DREQ_PWM_WRAP0 + index
    for chip in pair.chips:
        for word in range(8):
            chip.write_uint32(RAM + 4 * word, 0x1000 + word)
        for offset, value in ((0x0, RAM), (0x4, RAM + 0x100), (0x8, 8)):
            chip.write_uint32(DMA + offset, value)
        chip.write_uint32(DMA + 0xC, 1 | 2 << 2 | 1 << 4 | 1 << 5 | line << 15)


@pytest.mark.parametrize("wait_ns", (0, 5, 400, 900, 100_000))
def test_dma_pacing_wakes_it(pair, wait_ns):
    pair.start(5)
    pair.pass_ns(wait_ns)
    paced_transfer(pair, 5)
    for _ in range(40):
        pair.pass_ns(111)
        one, other = ([chip.read_uint32(RAM + 0x100 + 4 * word) for word in range(8)] for chip in pair.chips)
        assert one == other
        left = [chip.read_uint32(DMA + 0x8) for chip in pair.chips]
        assert left[0] == left[1]
    assert one == [0x1000 + word for word in range(8)]


def test_a_duty_that_changes_while_parked(pair):
    pair.start(6)
    pair.pass_ns(12_345)
    assert pair.parked(6)
    pair.write(6 * SLICE_BYTES + CC, 30 | 60 << 16)
    for _ in range(50):
        pair.pass_ns(97)
        pair.check_hidden()
    pair.write(6 * SLICE_BYTES + CC, 0)
    pair.pass_ns(5000)
    pair.check_hidden()
    assert pair.parked(6)


def test_a_reset_forgets_the_unseen_wrap(pair):
    pair.start(0)
    pair.pass_ns(50_000)
    pair.write(INTE, 2)
    for chip in pair.chips:
        chip.pwm.reset()
    assert [chip.read_uint32(PWM + INTR) for chip in pair.chips][1] == 0
    assert [chip.read_uint32(PWM + INTE) for chip in pair.chips][1] == 0
    assert not any(pair.parked(index) for index in range(SLICES))
    pair.chips[0].write_uint32(PWM + INTR, 0xFF)  # the emulator's own block forgets neither
    pair.chips[0].write_uint32(PWM + INTE, 0)
    pair.start(0, top=49)
    for _ in range(20):
        pair.pass_ns(123)
        assert pair.read(INTR) in (0, 1)
        pair.read(CTR)


def any_write(rng):
    kind = rng.random()
    if kind < 0.12:
        return INTE, rng.choice((0, 0, 0xFF, 1 << rng.randrange(8)))
    if kind < 0.2:
        return INTR, rng.getrandbits(8)
    if kind < 0.25:
        return INTF, rng.choice((0, 0, rng.getrandbits(8)))
    if kind < 0.35:
        return EN, rng.getrandbits(8)
    offset = rng.choice((CSR, CSR, DIV, CTR, CC, CC, TOP))
    value = {
        CSR: rng.choice((0, ON, ON, ON, ON | PHASE_CORRECT, ON | 1 << 2, ON | 1 << 3)),
        DIV: rng.choice((1 << 4, 1 << 4, 2 << 4, 3 << 4 | 8, 250 << 4)),
        CTR: rng.randrange(300),
        CC: rng.choice((0, 0, 0, rng.randrange(200), rng.randrange(200) << 16)),
        TOP: rng.choice((19, 99, 999, 0xFFFF)),
    }[offset]
    return rng.randrange(SLICES) * SLICE_BYTES + offset, value


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_written(seed):
    rng = random.Random(seed)
    parked = 0
    for _ in range(RUNS):
        pair = Pair()
        for _ in range(WRITES):
            pair.write(*any_write(rng))
            pair.pass_ns(rng.choice((8, 8 * rng.randrange(300), 8 * rng.randrange(3000))))
            parked += sum(pair.parked(index) for index in range(SLICES))
            if rng.random() < 0.5:
                pair.read(INTR)
            pair.read(rng.randrange(SLICES) * SLICE_BYTES + rng.choice((CSR, DIV, CTR, CC, TOP)))
            pair.read(INTS)
            pair.check_hidden()
    assert parked
