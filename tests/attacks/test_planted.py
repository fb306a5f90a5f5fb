"""Attacks on the real firmware, with a bug planted on the board first: each is seen to succeed then.

The code runs in MicroPython before the application starts. It is what a tired colleague might write.
"""

import pytest
from stimbench.attacks.acknowledger import acknowledged
from stimbench.attacks.broken_boards import stuck_source
from stimbench.attacks.clinic import outlived_window, washed_log
from stimbench.attacks.consent import not_consented
from stimbench.attacks.held import held_back
from stimbench.attacks.in_step import flooded_20, flooded_45
from stimbench.attacks.rekeying import late_key, rekeyed
from stimbench.attacks.values import extreme_values

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

ANY_ANSWER_MOVES_THE_CHANNEL = """
from stimfw.telemetry.requester import Requester
def on_frame(self, frame, now_ms, genuine=Requester.on_frame):
    self._search.met(self._search.channel)
    return genuine(self, frame, now_ms)
Requester.on_frame = on_frame
"""
LONG_PAUSES_WHILE_ON = """
from stimfw.telemetry.responder import Responder
def pause_ms(self, now_ms):
    return 400 if self._limiter.update(now_ms) else 0
Responder.pause_ms = pause_ms
"""
CONNECTIONS_OUTLIVE_A_STOP = """
from stimfw.telemetry.responder import Responder
Responder.end_connections = lambda self, *_: None
"""
ANY_TOUCH_IS_CONSENT = """
from stimfw.ui.magnet import Consent, TOUCH
Consent.update = lambda self, told, awaited: Consent.GIVEN if told & TOUCH else 0
from stimfw.pairing import blink_code
blink_code.shown_whole = lambda since_ms: True
"""
OLD_KEYS_STAY = """
from stimfw.telemetry.responder import Responder
Responder._retire_others = lambda self, peer: None
"""
ANY_TABLE_TAKES_AN_ID = """
from stimfw.storage import pairings
add = pairings.PairingTable.add
def claimed(self, peer_id, role, key):
    for _, its in self._taken():
        if its.peer_id == peer_id:
            its.role = role
    return add(self, peer_id, role, key)
pairings.PairingTable.add = claimed
pairings._same_peer = lambda one, other: one.peer_id == other.peer_id
"""
NOTHING_EXPIRES = """
from stimfw.stimulator import pairing_controller
pairing_controller._EXPIRES_MS = 0x3FFFFFFF
"""
WINDOW_STAYS_OPEN = """
from stimfw.stimulator.clinician_requests import ClinicianRequests
ClinicianRequests.close_window = lambda self, sender: None
"""
ONE_LOG_FOR_ALL = """
from stimfw.stimulator.log_keeper import LogKeeper
from stimfw.telemetry.responder import Responder
def note(self, event, slot, kind, now_ms):
    self._note(event, slot, kind)
Responder._note_once_a_second = note
LogKeeper.poll = lambda self, now_ms: None
"""
HALF_OF_A_VALUE = """
from stimfw.protocol import refusals
def out_of_range(value, field=255, made=refusals.out_of_range):
    return made(value & 0x7FFFFFFF, field)
refusals.out_of_range = out_of_range
"""
NO_HEALTH_TESTS = """
from stimfw.crypto import health
def draw(self, count):
    return bytearray([self._register[0] for _ in range(count)])
health.CheckedBits.draw = draw
"""


def test_an_answer_that_is_not_authentic_moves_the_remotes_channel():
    assert acknowledged(2, 1, ANY_ANSWER_MOVES_THE_CHANNEL).successes > 0


def test_pauses_although_the_output_is_on():
    assert flooded_20(4, 1, LONG_PAUSES_WHILE_ON).successes > 0


def test_pauses_in_a_flood_of_45_percent():
    assert flooded_45(4, 1, LONG_PAUSES_WHILE_ON).successes > 0


def test_connections_that_outlive_a_stop():
    assert held_back(8, 1, CONNECTIONS_OUTLIVE_A_STOP).successes > 0


def test_any_touch_taken_for_consent():
    assert not_consented(5, 1, ANY_TOUCH_IS_CONSENT).successes > 0


@pytest.mark.parametrize("code", [OLD_KEYS_STAY, ANY_TABLE_TAKES_AN_ID], ids=["old key", "claimed id"])
def test_keys_that_are_not_retired(code):
    assert rekeyed(4, 1, code).successes > 0


def test_keys_that_wait_for_ever():
    assert late_key(1, 1, NOTHING_EXPIRES).successes == 1


def test_a_random_source_that_nobody_tests():
    assert stuck_source(4, 1, NO_HEALTH_TESTS).successes > 0


def test_a_window_that_no_change_closes():
    assert outlived_window(2, 1, WINDOW_STAYS_OPEN).successes == 2


def test_strangers_in_the_log_of_the_others():
    assert washed_log(1, 1, ONE_LOG_FOR_ALL).successes == 1


def test_refusals_that_tell_another_value():
    assert extreme_values(20, 1, HALF_OF_A_VALUE).successes > 0
