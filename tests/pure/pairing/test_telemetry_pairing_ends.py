"""Each end of a pairing alone: its times to the millisecond, and every answer that it may get."""

from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.telemetry import frames
from support.link_harness import Rng
from support.pairing_harness import (
    BASE,
    REMOTE_ID,
    PairingHarness,
    QuickCurve,
    compared,
    comparing,
    confirming,
    working_remote,
)

WINDOW_MS = 30_000
WORKING, COMPARE, WAITS, STORED, REFUSED = 0, 1, 2, 3, 4


def open_stimulator(now_ms=1000):
    stimulator = PairingResponder(BASE, None, Rng(2).take, QuickCurve())
    stimulator.open(now_ms)
    while stimulator.compute():
        pass
    return stimulator


def state_reply(ends, step, state, slot=0):
    body = bytes((state, slot)) + ends.stimulator._keys.of_stimulator(step, state, slot)
    return pk.pack(frames.PAIR_REPLY, step, body)


# The remote.


def test_states_and_reasons_of_the_remote():
    one = PairingRequester
    assert (one.IDLE, one.WORKING, one.COMPARING) == (0, 1, 2)
    assert (one.WAITING_MAGNET, one.STORED, one.FAILED) == (3, 4, 5)
    assert (one.NO_WINDOW, one.MISMATCH, one.REFUSED_BY_PERSON, one.REFUSED, one.TIMEOUT) == (1, 2, 3, 4, 5)


def test_lights_of_a_failure():
    """Once for no window, silence or time over; twice if refused or not alike; else three times."""
    one = PairingRequester
    times = [one.BLINKS[why] for why in (one.NO_WINDOW, one.TIMEOUT, one.REFUSED_BY_PERSON, one.MISMATCH)]
    assert times == [1, 1, 2, 2] and one.BLINKS[one.REFUSED] == 3 and one.BLINKS[0] == 0


def test_a_remote_that_was_not_asked_does_nothing():
    remote = PairingRequester(REMOTE_ID, None, Rng(1).take, QuickCurve())
    assert (remote.state, remote.why) == (0, 0) and remote.wait_ms(0) == -1
    assert remote.poll(99_999) is None and remote.compute() is False and remote.lit(0) == -1
    remote.accept(0)
    remote.refuse()
    assert (remote.state, remote.why) == (0, 0)


def test_the_remotes_times():
    remote = PairingRequester(REMOTE_ID, None, Rng(1).take, QuickCurve())
    remote.begin(1000)
    assert (remote.state, remote.why) == (remote.WORKING, 0)
    assert remote.wait_ms(1000) == 0 and remote.poll(1000) is None
    while remote.compute():
        pass
    assert remote.wait_ms(1000) == 0
    first = remote.poll(1010)
    assert first[:2] == b"\x35\x01"
    assert [remote.wait_ms(now_ms) for now_ms in (1010, 1040, 1069, 1070, 2000)] == [60, 30, 1, 0, 0]
    assert remote.poll(1069) is None and remote.poll(1070) == first
    assert remote.poll(4009) == first and remote.state == remote.WORKING
    assert remote.poll(4010) is None and (remote.state, remote.why) == (remote.FAILED, remote.NO_WINDOW)
    assert remote.wait_ms(4010) == -1


def test_an_answer_brings_the_next_step_at_once_and_silence_after_it_is_a_timeout():
    remote, stimulator = working_remote(), open_stimulator()
    remote.on_frame(stimulator.on_frame(remote.poll(1000), 1000), 1500)
    assert remote.wait_ms(1500) == 0 and remote.poll(1500)[:2] == b"\x35\x02"
    assert remote.poll(4499) is not None
    assert remote.poll(4500) is None and (remote.state, remote.why) == (remote.FAILED, remote.TIMEOUT)


def test_the_remote_tries_for_thirty_seconds():
    for answered, why in ((False, PairingRequester.NO_WINDOW), (True, PairingRequester.TIMEOUT)):
        remote = working_remote(1000)
        remote.poll(1000)
        remote._answered = answered
        remote._heard_ms = 30_000
        assert remote.poll(30_999) is not None
        assert remote.wait_ms(30_999) == 1 and remote.wait_ms(31_000) == 0 and remote.wait_ms(32_000) == 0
        assert remote.poll(31_000) is None and (remote.state, remote.why) == (remote.FAILED, why)


def test_frames_that_are_no_answer_to_the_step_are_passed_over():
    remote, stimulator = working_remote(), open_stimulator()
    good = stimulator.on_frame(remote.poll(1000), 1000)
    others = [bytes((0x36, step)) + good[2:] for step in (0, 2, 3, 4, 5, 6)]
    others += [bytes((first, 1)) + good[2:] for first in (0x35, 0x34, 0x26, 0x37)]
    others += [good[:31], good + b"\0", b"", b"\x36"]
    for other in others:
        remote.on_frame(other, 1000)
        assert remote._step == 1, other
    remote.on_frame(good, 1000)
    assert remote._step == 2
    answer = bytearray(stimulator.on_frame(remote.poll(1000), 1000))
    for at in (24, 31):  # 6 bytes of the key and 16 of the commitment; the rest is zero
        dirty = bytearray(answer)
        dirty[at] = 1
        remote.on_frame(bytes(dirty), 1000)
        assert remote._step == 2
    remote.on_frame(bytes(answer), 1000)
    assert remote._step == 3


def test_while_the_stimulator_computes_the_remote_asks_every_200_milliseconds():
    ends = confirming()
    remote, now_ms = ends.remote, ends.now_ms
    remote.on_frame(pk.pack(frames.PAIR_REPLY, pk.CONFIRM, b""), now_ms)
    assert remote.state == remote.WORKING and remote.wait_ms(now_ms) == 200
    assert remote.poll(now_ms + 199) is None and remote.poll(now_ms + 200)[1] == pk.CONFIRM
    assert remote.wait_ms(now_ms + 200) == 60


def test_every_state_that_may_answer_a_confirmation():
    for state in range(6):
        ends = confirming()
        ends.remote.on_frame(state_reply(ends, pk.CONFIRM, state), ends.now_ms)
        if state == WORKING:
            assert ends.remote.state == ends.remote.WORKING
        elif state == COMPARE:
            assert ends.remote.state == ends.remote.COMPARING
        else:
            assert (ends.remote.state, ends.remote.why) == (ends.remote.FAILED, ends.remote.MISMATCH), state


def test_every_state_that_may_answer_an_acceptance():
    for state in range(6):
        for slot in (0, 5, 6, 7, 255):
            ends = compared()
            assert ends.remote.accept(ends.now_ms)
            ends.remote.on_frame(state_reply(ends, pk.ACCEPT, state, slot), ends.now_ms)
            remote = ends.remote
            if state in (WORKING, COMPARE, WAITS):
                assert remote.state == remote.WAITING_MAGNET and ends.as_before()
                assert remote.wait_ms(ends.now_ms) <= 200
            elif state == STORED and slot <= 5:
                assert remote.state == remote.STORED and ends.kept["slot"] == slot
            else:
                assert (remote.state, remote.why) == (remote.FAILED, remote.REFUSED), (state, slot)
                assert ends.as_before() and remote.poll(ends.now_ms) is None


def test_an_answer_for_another_step_state_or_slot_does_not_verify():
    for claimed, signed in (
        ((pk.ACCEPT, STORED, 1), (pk.ACCEPT, STORED, 2)),
        ((pk.ACCEPT, STORED, 1), (pk.ACCEPT, WAITS, 1)),
        ((pk.ACCEPT, COMPARE, 0), (pk.CONFIRM, COMPARE, 0)),
    ):
        ends = compared()
        ends.remote.accept(ends.now_ms)
        tag = ends.stimulator._keys.of_stimulator(*signed)
        body = bytes(claimed[1:]) + tag
        ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, claimed[0], body), ends.now_ms)
        assert (ends.remote.state, ends.remote.why) == (ends.remote.FAILED, ends.remote.MISMATCH)
        assert ends.remote.poll(ends.now_ms) == b"\x35\x05" + bytes(30) and ends.as_before()


def test_accepting_counts_only_while_the_codes_are_compared():
    ends = compared()
    ends.remote.accept(ends.now_ms)
    frame = ends.remote.poll(ends.now_ms)
    ends.remote.accept(ends.now_ms)
    assert ends.remote.poll(ends.now_ms) is None and frame[1] == pk.ACCEPT
    ends.remote.refuse()
    ends.remote.accept(ends.now_ms)
    assert (ends.remote.state, ends.remote.why) == (ends.remote.FAILED, ends.remote.REFUSED_BY_PERSON)
    ends = PairingHarness(2)
    ends.pair()
    ends.remote.accept(ends.now_ms)
    ends.remote.refuse()
    assert ends.remote.state == ends.remote.STORED


def test_the_remote_wakes_when_its_light_changes():
    ends = comparing()
    remote, began_ms = ends.remote, ends.remote._shown_ms
    code = remote._keys.code
    for later_ms in (0, 1, 239, 240, 559, 560, 799, 800, 880, 960, 2999, 3999, 4000):
        now_ms = began_ms + later_ms
        assert remote.wait_ms(now_ms) == blink_code.wait_ms(code, later_ms), later_ms
        assert remote.lit(now_ms) == blink_code.lit(code, later_ms)


# The stimulator.


def test_outcomes_of_the_stimulator():
    one = PairingResponder
    assert (one.NOTHING, one.OPEN, one.COMPARING, one.STORED) == (0, 1, 2, 3)
    assert (one.REFUSED, one.BROKEN, one.EXPIRED, one.CLOSED) == (4, 5, 6, 7)


def test_without_a_window_the_stimulator_does_nothing():
    one = PairingResponder(BASE, None, Rng(2).take, QuickCurve())
    assert (one.outcome, one.step, one.slot) == (0, 0, 0)
    assert not one.is_open(0) and one.wait_ms(0) == -1 and one.lit(0) == -1 and one.compute() is False
    one.consent(0)
    one.close()
    assert one.outcome == one.NOTHING and one.on_frame(b"\x35\x01" + bytes(30), 0) is None


def test_a_step_that_is_not_due_breaks_the_window():
    begin = pk.pack(frames.PAIR, pk.BEGIN, REMOTE_ID + bytes(range(26)))
    for step in (0, 2, 3, 4, 5, 6, 255):
        one = open_stimulator()
        assert one.on_frame(bytes((0x35, step)) + begin[2:], 1000) is None
        assert one.outcome == one.BROKEN and not one.is_open(1000), step
    for step in (0, 3, 4, 5, 6):
        one = open_stimulator()
        one.on_frame(begin, 1000)
        assert one.on_frame(bytes((0x35, step)) + bytes(30), 1000) is None
        assert one.outcome == one.BROKEN, step


def test_a_step_may_come_again_as_it_was_and_not_otherwise():
    begin = pk.pack(frames.PAIR, pk.BEGIN, REMOTE_ID + bytes(range(26)))
    one = open_stimulator()
    first = one.on_frame(begin, 1000)
    assert one.on_frame(begin, 1001) == first and one.step == 1
    assert one.on_frame(begin[:-1] + b"\xff", 1002) is None and one.outcome == one.BROKEN


def test_frames_of_wrong_length_break_the_window_and_others_do_not_touch_it():
    for other in (b"", b"\x31" + bytes(25), b"\x36\x01" + bytes(30), b"\x25\x01" + bytes(30)):
        one = open_stimulator()
        assert one.on_frame(other, 1000) is None and one.outcome == one.OPEN
    for other in (b"\x35", b"\x35\x01" + bytes(29), b"\x35\x01" + bytes(31)):
        one = open_stimulator()
        assert one.on_frame(other, 1000) is None and one.outcome == one.BROKEN


def test_a_body_with_anything_behind_it_breaks_the_window():
    one = open_stimulator()
    one.on_frame(pk.pack(frames.PAIR, pk.BEGIN, REMOTE_ID + bytes(range(26))), 1000)
    dirty = bytearray(pk.pack(frames.PAIR, pk.COMMIT, bytes(range(6))))
    dirty[8] = 1
    assert one.on_frame(bytes(dirty), 1000) is None and one.outcome == one.BROKEN


def test_a_window_lasts_thirty_seconds_and_its_end_is_told():
    one = open_stimulator(500)
    assert [one.wait_ms(now_ms) for now_ms in (500, 600, 30_499)] == [30_000, 29_900, 1]
    assert one.is_open(30_499) and not one.is_open(30_500) and one.outcome == one.EXPIRED
    one = open_stimulator(500)
    one.close()
    assert one.outcome == one.CLOSED and one.wait_ms(600) == -1


def test_how_it_ended_is_told_for_three_seconds_and_stays():
    ends = compared()
    ends.remote.accept(ends.now_ms)
    frame = ends.remote.poll(ends.now_ms)
    one, now_ms = ends.stimulator, ends.now_ms
    assert one.on_frame(frame, now_ms)[2:4] == bytes((WAITS, 0))
    one.consent(now_ms)
    assert (one.outcome, one.step, one.slot) == (one.STORED, 6, 1)
    assert [one.wait_ms(now_ms + later_ms) for later_ms in (0, 2999)] == [3000, 1]
    assert one.on_frame(frame, now_ms + 2999)[2:4] == bytes((STORED, 1))
    one.consent(now_ms + 2999)
    assert len(ends.table) == 2
    assert one.on_frame(frame, now_ms + 3000) is None and one.outcome == one.STORED
    ends = compared()
    ends.remote.accept(ends.now_ms)
    ends.stimulator.on_frame(ends.remote.poll(ends.now_ms), ends.now_ms)
    ends.stimulator.consent(ends.now_ms)
    ends.stimulator.close()
    assert ends.stimulator.outcome == ends.stimulator.STORED


def test_a_forged_acceptance_breaks_the_window_and_stores_nothing():
    for at in (2, 9):
        ends = compared()
        ends.stimulator.consent(ends.now_ms)
        ends.remote.accept(ends.now_ms)
        forged = bytearray(ends.remote.poll(ends.now_ms))
        forged[at] ^= 1
        assert ends.stimulator.on_frame(bytes(forged), ends.now_ms) is None
        assert ends.stimulator.outcome == ends.stimulator.BROKEN and ends.as_before()


def test_the_stimulator_begins_its_code_again_within_its_marker_only():
    ends = confirming()
    one, frame, now_ms = ends.stimulator, ends.remote._frame, ends.now_ms
    code = one._keys.code
    assert one.on_frame(frame, now_ms)[2] == COMPARE and one.outcome == one.COMPARING
    one.on_frame(frame, now_ms + 799)
    assert [one.lit(now_ms + 799 + ms) for ms in (0, 850)] == [0, blink_code.lit(code, 850)]
    assert one.wait_ms(now_ms + 799) == blink_code.wait_ms(code, 0)
    one.on_frame(frame, now_ms + 800)
    assert one.wait_ms(now_ms + 800) == blink_code.wait_ms(code, 1)
    assert one.wait_ms(now_ms + 900) == blink_code.wait_ms(code, 101)


def test_the_light_ends_with_the_window():
    ends = comparing()
    one = ends.stimulator
    end_ms = one._opened_ms + WINDOW_MS
    assert one.lit(end_ms - 1) >= 0 and one.wait_ms(end_ms - 1) == 1
    assert one.lit(end_ms) == -1 and one.outcome == one.EXPIRED


# The code's light, and one side's computing.


def test_a_slice_is_five_steps():
    """1.5 ms each on the RP2040: a pass of the main loop."""
    for slices, more in ((4, False), (5, True), (9, True)):
        one = pk.Agreement(bytes(range(32)), QuickCurve(slices))
        assert one.busy() and one.compute() is more, slices
        assert one.busy() is more
    one = pk.Agreement(bytes(range(32)), QuickCurve(1))
    assert one.compute() is False and one.compute() is False and one.public is not None
