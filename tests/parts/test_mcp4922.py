"""MCP4922 against DS22250A: section and table in each test."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.parts.mcp4922 import Mcp4922
from support.parts_fakes import US, FakeBoard

LSB_V = 4.096 / 4096
HALF_LSB_V = LSB_V / 2
SETTLING_NS = 4_500
"""Electrical characteristics: 4.5 us from 1/4 to 3/4 of full scale."""
SETTLING_TOLERANCE_NS = 150
OFFSET_MAX_V = 0.0002 * 4.096 * 1.001
GAIN_MAX = 0.001
INL_MAX_LSB = 3.0
"""Typical 2 LSB, maximum 12 LSB: each seed stays near the typical."""

ACTIVE_A, ACTIVE_B = 0x3000, 0xB000


def make(ideal: bool = True, seed: int = 0, absent: bool = False) -> tuple[FakeBoard, Mcp4922]:
    board = FakeBoard()
    dac = Mcp4922(
        board.clock,
        board.spi(0),
        board.pin("DAC_CS"),
        board.pin("LDAC"),
        ideal=ideal,
        seed=seed,
        absent=absent,
    )
    return board, dac


def send(board: FakeBoard, *words: int) -> None:
    for word in words:
        board.select("DAC_CS", 0, word.to_bytes(2, "big"))


def ldac(board: FakeBoard) -> None:
    board.pin("LDAC").out(False)
    board.pin("LDAC").out(True)


def settled(board: FakeBoard, dac: Mcp4922, channel: int) -> float:
    board.clock.run_for(50 * US)
    return dac.volts(channel, board.clock.now_ns)


def test_power_on_leaves_both_outputs_off():
    board, dac = make()
    ldac(board)
    assert not dac.is_on(0) and not dac.is_on(1)
    assert settled(board, dac, 0) == 0.0


def test_write_waits_for_ldac_and_then_both_move_together():
    """Section 5.2: input registers are loaded at CS; the outputs follow LDAC."""
    board, dac = make()
    send(board, ACTIVE_A | 1000, ACTIVE_B | 3000)
    assert settled(board, dac, 0) == settled(board, dac, 1) == 0.0
    moved: list[tuple[int, int]] = []
    dac.on_change(lambda channel, t: moved.append((channel, t)))
    ldac(board)
    assert [m[0] for m in moved] == [0, 1] and moved[0][1] == moved[1][1]
    assert settled(board, dac, 0) == pytest.approx(1.000)
    assert settled(board, dac, 1) == pytest.approx(3.000)


def test_ldac_held_low_makes_writes_immediate():
    """Figure 1-1 and 5.2: with LDAC low the output follows at the rising edge of CS."""
    board, dac = make()
    board.pin("LDAC").out(False)
    send(board, ACTIVE_A | 2048)
    assert settled(board, dac, 0) == pytest.approx(2.048)


def test_it_is_the_falling_edge_of_ldac_that_counts():
    board, dac = make()
    send(board, ACTIVE_A | 2048)
    board.pin("LDAC").out(False)
    assert settled(board, dac, 0) == pytest.approx(2.048)
    board.pin("DAC_CS").out(False)
    board.spi(0).transfer(b"\x38\x00")
    board.pin("LDAC").out(True)
    board.pin("DAC_CS").out(True)
    assert settled(board, dac, 0) == pytest.approx(2.048), "high again before CS rose: it waits"


@pytest.mark.parametrize("frame", [b"\x3f", b""])
def test_fewer_than_16_clocks_are_ignored(frame):
    """5.2: a CS rising before 16 clocks aborts the write."""
    board, dac = make()
    send(board, ACTIVE_A | 100)
    board.select("DAC_CS", 0, frame)
    ldac(board)
    assert dac.code(0) == 100
    assert dac.ignored_frames == (1 if frame else 0)


def test_clocks_past_16_are_ignored():
    """5.2: "any clocks past the first 16 are ignored": the FIRST two bytes count, unlike a shift register."""
    board, dac = make()
    board.select("DAC_CS", 0, b"\x31\x23\xff\xff")
    ldac(board)
    assert dac.code(0) == 0x123 and not dac.is_on(1)


def test_bytes_with_cs_high_are_not_seen():
    board, dac = make()
    board.spi(0).transfer(b"\x3f\xff")
    board.pin("DAC_CS").out(False)
    board.pin("DAC_CS").out(True)
    ldac(board)
    assert not dac.is_on(0)


def test_gain_bit_and_shutdown_bit():
    """Register 5-1: GA = 0 doubles (limited by the 5 V supply), SHDN = 0 switches the output off."""
    board, dac = make()
    send(board, 0x1000 | 1000)
    ldac(board)
    assert settled(board, dac, 0) == pytest.approx(2.000)
    send(board, 0x1000 | 4095)
    ldac(board)
    assert settled(board, dac, 0) == pytest.approx(4.96)
    send(board, 0x2000 | 1000)
    ldac(board)
    assert settled(board, dac, 0) == 0.0 and not dac.is_on(0)


def test_settles_in_the_datasheets_time():
    """Electrical characteristics: 1/4 to 3/4 of full scale within 1/2 LSB in 4.5 us; slew 0.55 V/us."""
    board, dac = make()
    send(board, ACTIVE_A | 1024)
    ldac(board)
    start = settled(board, dac, 0)
    send(board, ACTIVE_A | 3072)
    ldac(board)
    t0 = board.clock.now_ns
    assert dac.settled_ns(0) - t0 == pytest.approx(SETTLING_NS, abs=SETTLING_TOLERANCE_NS)
    assert dac.volts(0, t0) == start
    assert dac.volts(0, t0 + 1 * US) - start == pytest.approx(0.55, rel=0.01)
    at_end = dac.volts(0, t0 + SETTLING_NS + SETTLING_TOLERANCE_NS)
    assert abs(at_end - 3.072) <= HALF_LSB_V
    assert abs(dac.volts(0, t0 + SETTLING_NS - 500) - 3.072) > HALF_LSB_V


def test_a_new_target_starts_from_where_the_output_is():
    board, dac = make()
    send(board, ACTIVE_A | 4000)
    ldac(board)
    board.clock.run_for(2 * US)
    here = dac.volts(0, board.clock.now_ns)
    send(board, ACTIVE_A | 0)
    ldac(board)
    assert dac.volts(0, board.clock.now_ns) == pytest.approx(here)
    assert 0.0 < here < 4.0


@pytest.mark.parametrize("seed", range(8))
def test_errors_are_of_typical_size(seed):
    """Electrical characteristics: offset 0.02 % and gain 0.1 % of full scale, INL 2 LSB, typical."""
    board, dac = make(ideal=False, seed=seed)
    board.pin("LDAC").out(False)
    codes = list(range(64, 4096, 63))
    volts = []
    for code in codes:
        send(board, ACTIVE_A | code)
        volts.append(settled(board, dac, 0))
    slope = (volts[-1] - volts[0]) / (codes[-1] - codes[0])
    inl = [(v - volts[0] - slope * (c - codes[0])) / LSB_V for c, v in zip(codes, volts, strict=True)]
    assert max(map(abs, inl)) < INL_MAX_LSB
    assert abs(slope / LSB_V - 1.0) <= GAIN_MAX + 2 * INL_MAX_LSB / 4096
    assert abs(volts[0] - codes[0] * LSB_V) < OFFSET_MAX_V + LSB_V
    assert all(b > a for a, b in itertools.pairwise(volts)), "monotonic"


def test_seeds_make_different_chips_and_the_same_seed_the_same():
    def sample(seed):
        board, dac = make(ideal=False, seed=seed)
        send(board, ACTIVE_A | 2000)
        ldac(board)
        return settled(board, dac, 0)

    assert sample(1) == sample(1) != sample(2)


def test_absent_chip_leaves_the_pump_at_zero():
    board, dac = make(absent=True)
    send(board, ACTIVE_A | 4000)
    ldac(board)
    assert settled(board, dac, 0) == 0.0 and board.spi(0).devices == []


@given(st.integers(0, 0xFFFF))
def test_any_word_ends_up_in_its_channel(word):
    board, dac = make()
    send(board, word)
    ldac(board)
    channel = word >> 15
    assert dac.code(channel) == word & 0xFFF
    assert dac.is_on(channel) == bool(word & 0x1000)
    assert not dac.is_on(1 - channel)
