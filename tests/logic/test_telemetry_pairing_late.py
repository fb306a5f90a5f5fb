"""A pairing whose machines are looked at late, before the code is shown, or with a code that never blinks."""

from stimfw.telemetry import frames
from stimfw.telemetry import pairing_keys as pk
from stimfw.telemetry.pairing_remote import PairingRequester
from support.pairing_room import REMOTE_ID, QuickCurve, Room
from support.radio_pair import Dice


def remote_at_work(now_ms=1000):
    remote = PairingRequester(REMOTE_ID, None, Dice(1).take, QuickCurve())
    remote.begin(now_ms)
    while remote.work():
        pass
    return remote


def confirming():
    """A room whose remote has its confirmation to send; no answer to it has come."""
    room = Room()
    room.begin()
    for _ in range(1000):
        room.stimulator.work()
        room.remote.work()
        if room.remote._step == pk.CONFIRM and room.remote._frame and room.stimulator._keys is not None:
            return room
        frame = room.remote.poll(room.now_ms)
        if frame is not None and frame[1] < pk.CONFIRM:
            answer = room.stimulator.on_frame(frame, room.now_ms)
            if answer is not None:
                room.remote.on_frame(answer, room.now_ms)
        room.now_ms += 1
    raise AssertionError("no confirmation in a second")


def comparing(seed=1):
    room = Room(seed)
    room.begin()
    for _ in range(10_000):
        if room.comparing():
            return room
        room.step()
    raise AssertionError("nothing to compare")


def test_a_remote_that_is_looked_at_late_has_ended_all_the_same():
    for late_ms in (3000, 3001, 9000):
        remote = remote_at_work()
        remote.poll(1000)
        assert remote.poll(1000 + late_ms) is None and remote.why == remote.NO_WINDOW
    for late_ms in (30_000, 30_001, 99_000):
        remote = remote_at_work()
        remote.poll(1000)
        remote._heard_ms = 1000 + late_ms
        assert remote.poll(1000 + late_ms) is None and remote.state == remote.FAILED


def test_a_stimulator_that_is_looked_at_late_has_ended_all_the_same():
    for late_ms in (30_000, 30_001, 99_000):
        room = comparing()
        one = room.stimulator
        assert not one.is_open(one._opened_ms + late_ms) and one.outcome == one.EXPIRED
        assert one.wait_ms(one._opened_ms + late_ms) == -1
    for late_ms in (3000, 3001, 99_000):
        room = Room()
        room.pair()
        one = room.stimulator
        assert not one.is_open(one._ended_ms + late_ms) and one.outcome == one.STORED


def test_no_light_before_the_other_side_has_confirmed():
    room = confirming()
    assert room.remote.state == room.remote.WORKING and room.remote.lit(room.now_ms) == -1
    assert room.stimulator.outcome == room.stimulator.OPEN and room.stimulator.lit(room.now_ms) == -1


def test_a_remote_that_only_waits_for_an_answer_is_not_woken_by_a_code():
    room = confirming()
    remote, now_ms = room.remote, room.now_ms
    remote._keys.code = 0x5555
    now_ms += 60
    for _ in range(10):
        assert remote.poll(now_ms) is not None
        assert remote.wait_ms(now_ms) == 60
        now_ms += 60


def test_a_code_of_zero_wakes_nobody():
    room = comparing()
    for one in (room.remote, room.stimulator):
        one._keys.code = 0
        began_ms = one._began_ms if one is room.remote else one._opened_ms
        assert one.lit(room.now_ms) == 0
        assert one.wait_ms(room.now_ms) == began_ms + 30_000 - room.now_ms


def test_both_sides_wait_for_nothing_while_they_reckon():
    room = Room()
    room.begin()
    assert room.remote.wait_ms(room.now_ms) == room.stimulator.wait_ms(room.now_ms) == 0
    while room.remote.work() or room.stimulator.work():
        pass
    assert room.stimulator.wait_ms(room.now_ms) == 30_000


def test_the_private_numbers_are_drawn_anew_for_each_window():
    room = Room()
    room.begin()
    first = room.stimulator._nonce, room.remote._nonce
    assert [len(nonce) for nonce in first] == [16, 16]
    room.begin()
    assert room.stimulator._nonce != first[0] and room.remote._nonce != first[1]
    assert (room.stimulator.step, room.stimulator.slot) == (0, 0)


def slow_stimulator(last_step):
    """A room whose stimulator has taken `last_step` and not reckoned anything since it was asked to agree."""
    room = Room()
    room.begin()
    while room.remote.work() or room.stimulator.work():
        pass
    for step in range(1, last_step + 1):
        while room.remote.work():
            pass
        frame = room.remote.poll(room.now_ms)
        assert frame[1] == step
        answer = room.stimulator.on_frame(frame, room.now_ms)
        room.remote.on_frame(answer, room.now_ms)
    assert room.stimulator._keys is None and room.stimulator.step == last_step
    return room


def test_keys_are_made_when_the_secret_is_there_whatever_the_step():
    for step in (pk.REVEAL, pk.CONFIRM):
        room = slow_stimulator(step)
        while room.stimulator.work():
            pass
        assert room.stimulator._keys is not None
        assert room.stimulator.wait_ms(room.now_ms) == 30_000, "no code is shown yet"


def test_an_acceptance_before_the_code_was_shown_breaks_the_window():
    room = slow_stimulator(pk.CONFIRM)
    one = room.stimulator
    while one.work():
        pass
    early = pk.pack(frames.PAIR, pk.ACCEPT, one._keys.of_remote(pk.ACCEPT))
    assert one.outcome == one.OPEN and one.on_frame(early, room.now_ms) is None
    assert one.outcome == one.BROKEN and room.as_before()
