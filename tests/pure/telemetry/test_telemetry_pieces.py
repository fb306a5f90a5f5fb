"""A request in pieces always begins with its first one, whatever came before."""

from stimfw.telemetry import fragments
from stimfw.telemetry.fragments import Reassembler

MISUSED = b"\x80\x02\x80\x04" + bytes(14)
MESSAGE = bytes(range(40))


def prepared(what, executed):
    """A reassembler that has just seen something."""

    def execute(message):
        executed.append(message)
        return b"\x83\x00"

    reassembler = Reassembler()
    if what == "one piece":
        reassembler.take(fragments.cut(1, b"x", 0), execute)
    elif what == "three pieces":
        for number in (0, 1, 2):
            reassembler.take(fragments.cut(1, MESSAGE, number), execute)
    elif what == "misuse":
        reassembler.take(fragments.cut(1, MESSAGE, 2), execute)
    elif what == "a broken request":
        reassembler.take(fragments.cut(1, MESSAGE, 0), execute)
        reassembler.take(fragments.cut(1, MESSAGE, 2), execute)
    elif what == "a bad length":
        reassembler.take(fragments.cut(1, MESSAGE, 0), execute)
        reassembler.take(b"\x01\x01\x11" + bytes(16), execute)
    executed.clear()
    return reassembler, execute


def test_a_request_without_its_first_piece_is_never_executed():
    for what in ("nothing", "one piece", "three pieces", "misuse", "a broken request", "a bad length"):
        for number in (1, 2, 63):
            executed = []
            reassembler, execute = prepared(what, executed)
            last = fragments.piece(2, fragments.LAST | number, b"tail")
            assert reassembler.take(last, execute) == b"\x02" + MISUSED, (what, number)
            assert not executed


def test_a_new_first_piece_begins_again():
    executed = []
    reassembler, execute = prepared("nothing", executed)
    reassembler.take(fragments.cut(1, b"a" * 40, 0), execute)
    reassembler.take(fragments.cut(1, b"a" * 40, 1), execute)
    for number in (0, 1, 2):
        reassembler.take(fragments.cut(2, MESSAGE, number), execute)
    assert executed == [MESSAGE]


def test_what_is_left_of_a_broken_request_is_no_part_of_the_next_one():
    for what in ("a broken request", "a bad length"):
        executed = []
        reassembler, execute = prepared(what, executed)
        reassembler.take(fragments.cut(2, b"new", 0), execute)
        assert executed == [b"new"], what
