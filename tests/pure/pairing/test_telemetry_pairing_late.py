"""A pairing whose ends are polled late, before the code is shown, or with a code that never blinks."""

from stimfw.pairing import exchange as pk
from stimfw.telemetry import frames
from support.pairing_harness import PairingHarness, comparing, confirming, working_remote


def test_a_remote_that_is_looked_at_late_has_ended_all_the_same():
    for late_ms in (3000, 3001, 9000):
        remote = working_remote()
        remote.poll(1000)
        assert remote.poll(1000 + late_ms) is None and remote.why == remote.NO_WINDOW
    for late_ms in (30_000, 30_001, 99_000):
        remote = working_remote()
        remote.poll(1000)
        remote._heard_ms = 1000 + late_ms
        assert remote.poll(1000 + late_ms) is None and remote.state == remote.FAILED


def test_a_stimulator_that_is_looked_at_late_has_ended_all_the_same():
    for late_ms in (30_000, 30_001, 99_000):
        ends = comparing()
        one = ends.stimulator
        assert not one.is_open(one._opened_ms + late_ms) and one.outcome == one.EXPIRED
        assert one.wait_ms(one._opened_ms + late_ms) == -1
    for late_ms in (3000, 3001, 99_000):
        ends = PairingHarness()
        ends.pair()
        one = ends.stimulator
        assert not one.is_open(one._ended_ms + late_ms) and one.outcome == one.STORED


def test_no_light_before_the_other_side_has_confirmed():
    ends = confirming()
    assert ends.remote.state == ends.remote.WORKING and ends.remote.lit(ends.now_ms) == -1
    assert ends.stimulator.outcome == ends.stimulator.OPEN and ends.stimulator.lit(ends.now_ms) == -1


def test_a_remote_that_only_waits_for_an_answer_is_not_woken_by_a_code():
    ends = confirming()
    remote, now_ms = ends.remote, ends.now_ms
    remote._keys.code = 0x5555
    now_ms += 60
    for _ in range(10):
        assert remote.poll(now_ms) is not None
        assert remote.wait_ms(now_ms) == 60
        now_ms += 60


def test_a_code_of_zero_shows_its_marker():
    ends = comparing()
    for one in (ends.remote, ends.stimulator):
        one._keys.code = 0
        assert one.lit(ends.now_ms) == 0
        assert 0 < one.wait_ms(ends.now_ms) <= 240


def test_both_sides_wait_for_nothing_while_they_compute():
    ends = PairingHarness()
    ends.begin()
    assert ends.remote.wait_ms(ends.now_ms) == ends.stimulator.wait_ms(ends.now_ms) == 0
    while ends.remote.compute() or ends.stimulator.compute():
        pass
    assert ends.stimulator.wait_ms(ends.now_ms) == 30_000


def test_the_private_numbers_are_drawn_again_for_each_window():
    ends = PairingHarness()
    ends.begin()
    first = ends.stimulator._nonce, ends.remote._nonce
    assert [len(nonce) for nonce in first] == [16, 16]
    ends.begin()
    assert ends.stimulator._nonce != first[0] and ends.remote._nonce != first[1]
    assert (ends.stimulator.step, ends.stimulator.slot) == (0, 0)


def slow_stimulator(last_step):
    """Ends whose stimulator has taken `last_step` and has computed nothing since it was asked to agree."""
    ends = PairingHarness()
    ends.begin()
    while ends.remote.compute() or ends.stimulator.compute():
        pass
    for step in range(1, last_step + 1):
        while ends.remote.compute():
            pass
        frame = ends.remote.poll(ends.now_ms)
        assert frame[1] == step
        answer = ends.stimulator.on_frame(frame, ends.now_ms)
        ends.remote.on_frame(answer, ends.now_ms)
    assert ends.stimulator._keys is None and ends.stimulator.step == last_step
    return ends


def test_keys_are_made_when_the_secret_is_there_whatever_the_step():
    for step in (pk.REVEAL, pk.CONFIRM):
        ends = slow_stimulator(step)
        while ends.stimulator.compute():
            pass
        assert ends.stimulator._keys is not None
        assert ends.stimulator.wait_ms(ends.now_ms) == 30_000, "no code is shown yet"


def test_an_acceptance_before_the_code_was_shown_breaks_the_window():
    ends = slow_stimulator(pk.CONFIRM)
    one = ends.stimulator
    while one.compute():
        pass
    early = pk.pack(frames.PAIR, pk.ACCEPT, one._keys.of_remote(pk.ACCEPT))
    assert one.outcome == one.OPEN and one.on_frame(early, ends.now_ms) is None
    assert one.outcome == one.BROKEN and ends.as_before()
