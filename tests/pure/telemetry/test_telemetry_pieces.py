"""A request in pieces begins with its first one, whatever came before; and each is executed once."""

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
        reassembler.take(fragments.cut(1, b"x", 0), execute, 0)
    elif what == "three pieces":
        for number in (0, 1, 2):
            reassembler.take(fragments.cut(1, MESSAGE, number), execute, 0)
    elif what == "misuse":
        reassembler.take(fragments.cut(1, MESSAGE, 2), execute, 0)
    elif what == "a broken request":
        reassembler.take(fragments.cut(1, MESSAGE, 0), execute, 0)
        reassembler.take(fragments.cut(1, MESSAGE, 2), execute, 0)
    elif what == "a bad length":
        reassembler.take(fragments.cut(1, MESSAGE, 0), execute, 0)
        reassembler.take(b"\x01\x01\x11" + bytes(16), execute, 0)
    executed.clear()
    return reassembler, execute


def test_a_request_without_its_first_piece_is_never_executed():
    for what in ("nothing", "one piece", "three pieces", "misuse", "a broken request", "a bad length"):
        for number in (1, 2, 63):
            executed = []
            reassembler, execute = prepared(what, executed)
            last = fragments.piece(2, fragments.LAST | number, b"tail")
            assert reassembler.take(last, execute, 0) == b"\x02" + MISUSED, (what, number)
            assert not executed


def test_a_new_first_piece_begins_again():
    executed = []
    reassembler, execute = prepared("nothing", executed)
    reassembler.take(fragments.cut(1, b"a" * 40, 0), execute, 0)
    reassembler.take(fragments.cut(1, b"a" * 40, 1), execute, 0)
    for number in (0, 1, 2):
        reassembler.take(fragments.cut(2, MESSAGE, number), execute, 0)
    assert executed == [MESSAGE]


def test_what_is_left_of_a_broken_request_is_no_part_of_the_next_one():
    for what in ("a broken request", "a bad length"):
        executed = []
        reassembler, execute = prepared(what, executed)
        reassembler.take(fragments.cut(2, b"new", 0), execute, 0)
        assert executed == [b"new"], what


def executing(executed):
    def execute(message):
        executed.append(message)
        return b"\x83\x00"

    return execute


def test_a_request_whose_id_changes_between_its_pieces_is_never_executed():
    """Somebody who could choose pieces of two requests would make a third of them."""
    for changed in (1, 2):
        for other in (0, 1, 3, 255):
            executed = []
            execute = executing(executed)
            reassembler = Reassembler()
            for number in range(changed):
                reassembler.take(fragments.cut(2, MESSAGE, number), execute, 0)
            answer = reassembler.take(fragments.cut(other, MESSAGE, changed), execute, 0)
            assert answer == bytes((other,)) + MISUSED and not executed, (changed, other)
            for number in range(changed, 3):
                answer = reassembler.take(fragments.cut(2, MESSAGE, number), execute, 0)
                assert answer == b"\x02" + MISUSED, "what was joined is dropped"
            assert not executed


def test_a_request_is_known_again_for_five_seconds():
    for late_ms, times in ((0, 1), (1, 1), (4999, 1), (5000, 2), (60_000, 2)):
        for began_ms in (0, 123, (1 << 30) - 2500):
            executed = []
            reassembler = Reassembler()
            now_ms = began_ms
            for _ in range(2):
                answer = reassembler.take(fragments.cut(7, b"x", 0), executing(executed), now_ms & 0x3FFFFFFF)
                assert answer == fragments.cut(7, b"\x83\x00", 0)
                now_ms += late_ms
            assert len(executed) == times and reassembler.duplicates == 2 - times, (late_ms, began_ms)


def test_a_duplicate_does_not_prolong_the_five_seconds():
    executed = []
    reassembler = Reassembler()
    for now_ms in (0, 3000, 4999, 5000):
        reassembler.take(fragments.cut(7, b"x", 0), executing(executed), now_ms)
    assert len(executed) == 2


def test_what_is_repeatable_is_executed_each_time():
    executed = []
    reassembler = Reassembler(lambda request: request == b"stop")
    for now_ms in (0, 1, 4000):
        reassembler.take(fragments.cut(7, b"stop", 0), executing(executed), now_ms)
        reassembler.take(fragments.cut(7, b"stay", 0), executing(executed), now_ms + 1)
    assert executed == [b"stop", b"stay"] * 3 and reassembler.duplicates == 0
    reassembler.take(fragments.cut(7, b"stay", 0), executing(executed), 4002)
    assert len(executed) == 6 and reassembler.duplicates == 1


def test_what_is_forgotten_is_no_duplicate_when_the_clock_has_wrapped():
    for number in (0, 1, 7, 255):
        executed = []
        reassembler = Reassembler()
        reassembler.take(fragments.cut(number, b"x", 0), executing(executed), 100)
        reassembler.forget()
        asked = fragments.piece(number, fragments.ASK, b"")
        assert reassembler.take(asked, executing(executed), 101) == bytes((number,)) + MISUSED
        reassembler.take(fragments.cut(number, b"x", 0), executing(executed), 102)
        assert len(executed) == 2 and reassembler.duplicates == 0


def test_a_request_that_fails_is_known_and_has_no_older_reply():
    def fail(message):
        raise RuntimeError("x")

    executed = []
    reassembler = Reassembler()
    reassembler.take(fragments.cut(6, b"older", 0), executing(executed), 0)
    try:
        reassembler.take(fragments.cut(7, b"newer", 0), fail, 1)
        raise AssertionError("went on")
    except RuntimeError:
        pass
    assert reassembler.take(fragments.cut(7, b"newer", 0), executing(executed), 2) == b"\x07" + MISUSED
    assert executed == [b"older"]
