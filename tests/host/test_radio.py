"""Requests by radio: a fake modem, the real protocol on both ends, bad air, failures in sentences."""

from __future__ import annotations

import random
import struct

import pytest
from stimbench.client import radio
from stimbench.client.console import TIMEOUT_S, TRIES
from stimbench.client.keyring import HostPairing
from stimbench.client.radio import RadioConsole, limit_ms
from stimbench.client.remote import connect_remote
from stimbench.client.stimulator import Stimulator
from stimbench.errors import ForbiddenError, NoAnswerError, PortError, WrongBoardError, WrongStateError
from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import addresses, frames
from stimfw.therapy import program

KEY = bytes(range(32))
PEER = b"\xc1\xc2\xc3\xc4"


def pair(remote_board, role=roles.CLINICIAN, epoch=1, key=KEY):
    table = remote_board.stimulator.table
    return HostPairing(table.base, table.add(PEER, role, key), role, key, PEER, epoch)


def by_radio(remote_board, pairing, seed=3):
    remote = connect_remote(remote_board.link, first_number=0)
    return Stimulator(RadioConsole(remote, pairing, random.Random(seed).randbytes))


@pytest.fixture
def stimulator(remote_board):
    return by_radio(remote_board, pair(remote_board))


def test_what_a_clinician_may_comes_through(board, stimulator, other_program):
    stimulator.require_role()
    assert stimulator.status().supply_mv == 5010
    assert len(stimulator.measure_impedance()) == 24
    stimulator.set_program(other_program)
    assert stimulator.program().values == other_program.after(program.default()).values
    assert stimulator.counters()["forbidden"] == len(messages.COUNTER_NAMES) - 1
    assert len(stimulator.pulses()) == 2
    stimulator.start()
    stimulator.stop()
    assert board.calls[-2:] == [requests.START, requests.STOP]


def test_what_is_interrupted_in_mid_air_is_stopped_by_radio(remote_board, board, stimulator):
    stimulator.status()

    def interrupted(body, now_s):
        if board.calls[-1] == requests.IMPEDANCE:
            remote_board.do_21 = look
            raise KeyboardInterrupt
        return look(body, now_s)

    look, remote_board.do_21 = remote_board.do_21, interrupted
    with pytest.raises(KeyboardInterrupt):
        stimulator.measure_impedance()
    assert board.calls[-1] == requests.STOP


def test_the_remote_carries_sealed_frames_only(remote_board, stimulator):
    stimulator.identify()
    kinds = {frames.kind_of(frame) for frame in remote_board.frames}
    assert kinds == {frames.HELLO, frames.REQUEST}
    assert KEY not in b"".join(remote_board.link.written) and KEY not in b"".join(remote_board.frames)


def test_a_key_over_usb_only_is_a_sentence(stimulator):
    with pytest.raises(ForbiddenError, match=r"no key allows that.*USB only") as caught:
        stimulator.pairings()
    assert caught.value.exit_code == 3


def test_what_a_patients_key_may_not_is_a_sentence(remote_board):
    stimulator = by_radio(remote_board, pair(remote_board, roles.PATIENT))
    assert stimulator.status().state_name == "ready"
    with pytest.raises(ForbiddenError, match="not allowed to a patient's key"):
        stimulator.program()


@pytest.mark.parametrize("seed", range(8))
def test_a_lossy_air_loses_no_request_and_doubles_none(board, remote_board, seed):
    rng = random.Random(seed)

    def air(frame, _outward):
        drawn = rng.random()
        return [] if drawn < 0.25 else [frame, frame] if drawn < 0.45 else [frame]

    remote_board.air = air
    stimulator = by_radio(remote_board, pair(remote_board))
    for amplitude_ua in range(0, 1000, 50):
        stimulator.amplitude(amplitude_ua, 0)
        assert board.program.amplitude_ua == (amplitude_ua, 0)
    assert board.calls.count(requests.AMPLITUDE) == 20


def test_a_restarted_stimulator_is_met_again(remote_board, stimulator):
    stimulator.status()
    remote_board.restart_stimulator(epoch=2)
    assert stimulator.status().state_name == "ready"


def test_a_next_run_with_the_next_epoch_is_met(remote_board):
    pairing = pair(remote_board)
    by_radio(remote_board, pairing).status()
    again = HostPairing(pairing.base, pairing.slot, pairing.role, KEY, PEER, epoch=2)
    assert by_radio(remote_board, again).status().state_name == "ready"


def test_an_epoch_that_was_used_before_locks_nobody_out(remote_board):
    """A key file that was put back: the stimulator's own nonce makes the connection new."""
    pairing = pair(remote_board)
    by_radio(remote_board, pairing).status()
    assert by_radio(remote_board, pairing).status().state_name == "ready"


def test_no_stimulator_in_reach_is_told_in_a_second_and_stop_tries_for_three(remote_board, stimulator):
    remote_board.reached = False
    for ask, limit_s in ((stimulator.status, 1.0), (stimulator.stop, 3.0)):
        begun_s = remote_board.link.now_s()
        with pytest.raises(NoAnswerError, match="out of reach, off, or jammed") as caught:
            ask()
        assert limit_s <= remote_board.link.now_s() - begun_s < limit_s + 0.1
        assert caught.value.exit_code == 4


def test_a_wrong_key_and_no_stimulator_look_alike_and_both_are_named(remote_board):
    """Nothing but an authentic answer tells that anybody is there."""
    right = pair(remote_board)
    wrong = HostPairing(right.base, right.slot, right.role, bytes(32), PEER, epoch=1)
    with pytest.raises(NoAnswerError, match=r"out of reach, off, or jammed.*pair --clinician"):
        by_radio(remote_board, wrong).status()


def test_forged_and_foreign_answers_count_for_nothing(board, remote_board):
    rng = random.Random(1)
    mangled = lambda frame: bytes((frame[0],)) + rng.randbytes(len(frame) - 1)  # noqa: E731
    remote_board.air = lambda frame, outward: [frame] if outward else [mangled(frame), b"\x24", frame]
    assert by_radio(remote_board, pair(remote_board)).status().supply_mv == 5010


def test_a_lost_reply_to_start_says_so_and_starts_once(board, remote_board, stimulator):
    stimulator.status()
    remote_board.air = lambda frame, outward: [frame] if outward else []
    with pytest.raises(NoAnswerError, match="may be on all the same"):
        stimulator.start()
    assert board.calls.count(requests.START) <= 1


def test_a_remote_whose_button_was_pressed_is_waited_for(remote_board, stimulator):
    remote_board.busy_until_s = remote_board.link.now_s() + 0.3
    assert stimulator.status().state_name == "ready"
    remote_board.busy_until_s = remote_board.link.now_s() + 60
    with pytest.raises(WrongStateError, match="is busy with one of its buttons") as caught:
        stimulator.status()
    assert caught.value.exit_code == 3


def test_a_modem_that_sends_without_end_does_not_hold_us(remote_board, stimulator):
    def sending(_body, now_s):
        return messages.OK, struct.pack("<BII", messages.MODEM_SENDING, 0, int(now_s * 1000))

    remote_board.do_21 = sending
    begun_s = remote_board.link.now_s()
    with pytest.raises(NoAnswerError):
        stimulator.status()
    assert remote_board.link.now_s() - begun_s < 1.1
    del remote_board.do_21
    assert stimulator.status().state_name == "ready"


def test_a_modem_whose_clock_stands_still_does_not_hold_us(remote_board, stimulator):
    stopped = struct.pack("<BII", messages.MODEM_SENDING, 5, 5)
    remote_board.refuse[requests.MODEM_RECEIVE] = (messages.OK, stopped)
    with pytest.raises(NoAnswerError, match="clock of the remote on /dev/fake stands still"):
        stimulator.status()
    del remote_board.refuse[requests.MODEM_RECEIVE]
    assert stimulator.status().state_name == "ready"


def test_a_modem_that_does_not_answer_at_all_is_bounded_by_the_links_own_clock(remote_board, stimulator):
    respond, remote_board.link.respond = remote_board.link.respond, lambda line, now_s: []
    begun_s = remote_board.link.now_s()
    with pytest.raises(NoAnswerError, match=r"No answer from /dev/fake in 3 s\."):
        stimulator.status()
    assert remote_board.link.now_s() - begun_s <= TIMEOUT_S * TRIES
    remote_board.link.respond = respond
    assert stimulator.status().state_name == "ready"


# Time: the limits are the modem's, whatever the host's clock does.

SLOW = 20
"""A bench on which this many seconds of the wall's clock pass in one of its own."""


def test_a_bench_that_runs_20_times_slower_than_the_wall_answers_all_the_same(remote_board, stimulator):
    remote_board.pace = 1 / SLOW
    stimulator.require_role()
    for _ in range(18):
        assert stimulator.status().state_name == "ready"
    begun_s = remote_board.link.now_s()
    assert stimulator.counters()["forbidden"] == len(messages.COUNTER_NAMES) - 1
    limit_s = limit_ms(messages.request(requests.COUNTERS)) / 1000
    assert remote_board.link.now_s() - begun_s > limit_s, "more than the limit, on the wall's clock"


def test_on_a_slow_bench_silence_lasts_as_long_on_the_modems_clock(remote_board, stimulator):
    remote_board.pace, remote_board.reached = 1 / SLOW, False
    begun_s = remote_board.link.now_s()
    with pytest.raises(NoAnswerError, match="out of reach"):
        stimulator.status()
    assert 1.0 <= (remote_board.link.now_s() - begun_s) / SLOW < 1.1


@pytest.mark.parametrize("late_s", (0.03, 0.1, 0.4))
def test_a_host_that_is_late_each_time_does_not_throw_answers_away(remote_board, stimulator, late_s):
    """A loaded machine: the bench's time goes on while this process waits for the processor."""
    respond = remote_board.link.respond

    def late(line, now_s):
        remote_board.link.time_s += late_s
        return respond(line, now_s + late_s)

    remote_board.link.respond = late
    stimulator.require_role()
    for _ in range(18):
        assert stimulator.status().state_name == "ready"
    stimulator.counters()
    assert len(stimulator.measure_impedance(timeout_s=600)) == 24


def test_answers_that_are_lost_after_some_came_are_no_reason_to_pair_again(remote_board, stimulator):
    """The handshake was answered in this request; then nothing more comes."""
    stimulator.status()
    remote_board.restart_stimulator(epoch=2)
    came = []

    def air(frame, outward):
        if outward:
            return [frame]
        came.append(frame)
        return [frame] if frames.kind_of(frame) == frames.CHALLENGE else []

    remote_board.air = air
    with pytest.raises(NoAnswerError, match="not all of its answer came") as caught:
        stimulator.status()
    assert "pair" not in str(caught.value) and len(came) > 2


def test_a_remote_that_cannot_send_at_all_says_so(remote_board, stimulator):
    remote_board.occupied = set(addresses.CHANNELS)
    with pytest.raises(NoAnswerError, match="could not send"):
        stimulator.status()


def test_an_occupied_channel_is_asked_for_again_until_the_modem_sends(remote_board, stimulator):
    """It does after three looks."""
    stimulator.status()
    remote_board.channels.clear()
    remote_board.occupied = {76}
    carry, left = remote_board.do_20, [3]

    def counting(body, now_s):
        left[0] -= 1
        if left[0] < 0:
            remote_board.occupied = set()
        return carry(body, now_s)

    remote_board.do_20 = counting
    assert stimulator.status().state_name == "ready"
    assert remote_board.channels == [76] * 4


def test_without_an_answer_it_looks_on_every_channel(remote_board, stimulator):
    remote_board.reached = False
    with pytest.raises(NoAnswerError):
        stimulator.status()
    assert set(remote_board.channels) == set(addresses.CHANNELS)
    assert 30 <= len(remote_board.channels) <= 60, "this fake takes 12 ms for each, then 12 to 19 are waited"


def test_the_modems_clock_may_wrap_in_a_request(remote_board, stimulator):
    wraps_s = (1 << 30) / 1000
    remote_board.link.time_s = wraps_s - 0.02
    assert stimulator.status().state_name == "ready"
    assert remote_board.link.time_s > wraps_s


def test_a_remote_that_was_pulled_out_is_a_port_error(remote_board, stimulator):
    def gone(_data):
        raise PortError("/dev/fake went away.")

    remote_board.link.write = gone
    with pytest.raises(PortError, match="went away"):
        stimulator.status()


def test_a_stimulator_is_no_modem(board):
    with pytest.raises(WrongBoardError, match="is a stimulator, not a remote"):
        connect_remote(board.link)


def test_closing_switches_the_radio_off_and_forgives_a_remote_that_is_gone(remote_board):
    remote = connect_remote(remote_board.link)
    console = RadioConsole(remote, pair(remote_board))
    console.close()
    assert remote_board.calls[-1] == requests.MODEM_CLOSE
    remote_board.link.respond = lambda line, now_s: []
    console.close()


def test_long_requests_and_replies_get_more_time():
    assert limit_ms(messages.request(requests.STATUS)) == radio.LIMIT_MS == 1000
    assert limit_ms(messages.request(requests.STOP)) == 3000
    assert limit_ms(messages.request(requests.SET_PROGRAM, bytes(40))) == 1000 + 2 * radio.PIECE_MS
    assert limit_ms(messages.request(requests.LOG, bytes(4))) == 1000 + 14 * radio.PIECE_MS
