"""What the remote shows: every outcome looks and sounds different, and patterns keep their time."""

from stimfw.protocol import messages
from stimfw.ui import feedback
from stimfw.ui.feedback import AMBER, GREEN, HIGH_HZ, LOW_HZ, RED, Player


def played(pattern):
    """(start_ms, lights, tone_hz) at each change, polled every ms."""
    player, changes, last = Player(), [], (0, 0)
    player.play(pattern, 0)
    for now_ms in range(20000):
        player.update(now_ms)
        if (player.lights, player.tone_hz) != last:
            last = (player.lights, player.tone_hz)
            changes.append((now_ms, player.lights, player.tone_hz))
    assert last == (0, 0) and player.wait_ms(20000) == -1
    return changes


def count(pattern, lights, tone_hz):
    return len([1 for change in played(pattern) if change[1] == lights and change[2] == tone_hz])


def test_delivered_is_green_and_one_beep():
    assert played(feedback.DELIVERED) == [(0, GREEN, HIGH_HZ), (100, GREEN, 0), (500, 0, 0)]


def test_no_answer_is_red_and_a_long_low_beep():
    assert played(feedback.NO_ANSWER) == [(0, RED, LOW_HZ), (1000, 0, 0)]


def test_a_refusal_is_two_beeps_and_amber_blinks_the_reason():
    for reason in range(1, 14):
        pattern = feedback.refused(reason)
        assert count(pattern, 0, HIGH_HZ) == 2 and count(pattern, AMBER, 0) == reason
    assert count(feedback.refused(0), AMBER, 0) == 1


def test_states_that_matter_look_different():
    shown = [played(feedback.status(state, False)) for state in (0, 2, 4, 5, 6)]
    for index, one in enumerate(shown):
        assert one not in shown[:index]
    for state in range(len(messages.STATE_NAMES)):
        assert count(feedback.status(state, False), 0, HIGH_HZ) == 1
    for state in (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN):
        assert count(feedback.status(state, False), GREEN, 0) == 4


def test_a_magnet_is_shown_as_its_reason_is():
    assert count(feedback.status(messages.READY, True), AMBER, 0) == messages.REASON_MAGNET


def test_the_player_tells_when_to_look_again():
    player = Player()
    assert player.wait_ms(0) == -1
    player.play(((GREEN, 0, 30), (RED, 0, 40)), 1000)
    assert player.wait_ms(1010) == 20
    player.update(1030)
    assert player.lights == RED and player.wait_ms(1050) == 20
    player.play((), 1050)
    assert player.lights == 0 and player.wait_ms(1050) == -1


def test_a_late_look_does_not_shorten_what_follows():
    player = Player()
    player.play(((GREEN, 0, 30), (RED, 0, 40)), 0)
    player.update(500)
    assert player.lights == RED and player.wait_ms(500) == 40


def test_what_is_added_follows_what_is_shown():
    player = Player()
    player.add(((GREEN, 0, 30),), 0)
    assert player.lights == GREEN and player.wait_ms(0) == 30
    player.add(((RED, LOW_HZ, 40),), 10)
    assert player.lights == GREEN and player.wait_ms(10) == 20, "what is shown keeps its time"
    player.update(30)
    assert (player.lights, player.tone_hz) == (RED, LOW_HZ) and player.playing()
    player.update(70)
    assert not player.playing() and player.lights == 0
    player.add(((AMBER, 0, 10),), 100)
    assert player.lights == AMBER, "nothing is shown any more: it begins at once"


def test_each_outcome_of_a_pairing_looks_and_sounds_its_own():
    shown = [feedback.DELIVERED, feedback.NO_ANSWER, feedback.NO_RADIO, feedback.NO_FLASH]
    shown += [feedback.NO_FLASH_STOP, feedback.PAIRING_BEGUN, feedback.PAIRED, feedback.NOT_PAIRED]
    shown += [feedback.pairing_failed(reason) for reason in (1, 2, 3)]
    shown += [feedback.refused(reason) for reason in range(len(messages.REASON_TEXTS))]
    played_all = [played(pattern) for pattern in shown]
    for index, one in enumerate(played_all):
        assert one not in played_all[:index]


def test_a_pairing_that_began_is_one_short_beep():
    assert played(feedback.PAIRING_BEGUN) == [(0, AMBER, HIGH_HZ), (100, 0, 0)]


def test_paired_is_green_for_a_second_and_three_rising_beeps():
    changes = played(feedback.PAIRED)
    tones = [change[2] for change in changes if change[2]]
    assert len(tones) == 3 and tones == sorted(set(tones))
    assert all([change[1] == GREEN for change in changes[:-1]]) and changes[-1] == (1000, 0, 0)


def test_a_failed_pairing_is_a_long_low_beep_and_blinks_why():
    for reason in (feedback.FAILED_NO_WINDOW, feedback.FAILED_NOT_ALIKE, feedback.FAILED_REFUSED):
        pattern = feedback.pairing_failed(reason)
        assert played(pattern)[:2] == [(0, 0, LOW_HZ), (1000, 0, 0)]
        assert count(pattern, RED | AMBER, 0) == reason


def test_not_paired_is_red_and_amber_in_turn_and_two_low_beeps():
    changes = played(feedback.NOT_PAIRED)
    assert [change[1] for change in changes] == [RED, AMBER, RED, AMBER, RED, AMBER, 0]
    assert len([1 for change in changes if change[2] == LOW_HZ]) == 2


def test_every_failure_of_a_pairing_has_a_count():
    from stimfw.pairing.remote_end import PairingRequester as Pairing

    assert len(Pairing.BLINKS) == Pairing.TIMEOUT + 1
    assert Pairing.BLINKS[Pairing.NO_WINDOW] == feedback.FAILED_NO_WINDOW
    assert Pairing.BLINKS[Pairing.TIMEOUT] == feedback.FAILED_NO_WINDOW
    assert Pairing.BLINKS[Pairing.MISMATCH] == feedback.FAILED_NOT_ALIKE
    assert Pairing.BLINKS[Pairing.REFUSED_BY_PERSON] == feedback.FAILED_NOT_ALIKE
    assert Pairing.BLINKS[Pairing.REFUSED] == feedback.FAILED_REFUSED
