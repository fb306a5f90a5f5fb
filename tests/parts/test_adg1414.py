"""ADG1414 in a chain of two, against its data sheet (rev. B): serial interface, daisy chaining."""

from hypothesis import given
from hypothesis import strategies as st
from stimbench.parts.adg1414 import MatrixChain
from support.parts_fakes import FakeBoard


def make(absent: bool = False) -> tuple[FakeBoard, MatrixChain]:
    board = FakeBoard()
    board.spi(0).clock = board.FALLING
    return board, MatrixChain(board.spi(0), board.pin("MATRIX_CS"), absent=absent)


def masks(chain: MatrixChain) -> tuple[int, int]:
    return chain.mask(0), chain.mask(1)


def test_power_on_reset_opens_everything():
    _, chain = make()
    assert masks(chain) == (0, 0)


def test_first_byte_ends_in_the_second_chip():
    """SDO of the left chip feeds DIN of the right one: the byte sent first is pushed through."""
    board, chain = make()
    board.select("MATRIX_CS", 0, bytes([0xAA, 0x55]))
    assert masks(chain) == (0x55, 0xAA)


def test_one_byte_moves_the_old_one_along():
    """ "The shift register retains the last eight written bits": what was there moves to the next chip."""
    board, chain = make()
    board.select("MATRIX_CS", 0, bytes([0x12, 0x34]))
    board.select("MATRIX_CS", 0, bytes([0x56]))
    assert masks(chain) == (0x56, 0x34)


@given(st.binary(min_size=2, max_size=6))
def test_only_the_last_16_bits_count(data):
    board, chain = make()
    board.select("MATRIX_CS", 0, data)
    assert masks(chain) == (data[-1], data[-2])


def test_switches_move_only_when_sync_rises():
    board, chain = make()
    heard: list[int] = []
    chain.on_change(lambda chip, _t: heard.append(chip))
    board.pin("MATRIX_CS").out(False)
    board.spi(0).transfer(b"\x01\x02")
    assert masks(chain) == (0, 0) and heard == []
    board.pin("MATRIX_CS").out(True)
    assert masks(chain) == (2, 1) and heard == [0, 1]
    board.select("MATRIX_CS", 0, b"\x01\x03")
    assert heard == [0, 1, 0], "an unchanged chip is not reported"


def test_bytes_for_others_pass_by():
    board, chain = make()
    board.spi(0).transfer(b"\xff\xff")
    board.select("MATRIX_CS", 0, b"")
    assert masks(chain) == (0, 0)


def test_absent_chips_stay_open():
    board, chain = make(absent=True)
    board.select("MATRIX_CS", 0, b"\xff\xff")
    assert masks(chain) == (0, 0)
