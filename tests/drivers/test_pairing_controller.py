"""The stimulator's side of a pairing with its person: gestures, light, and how long a key waits for use."""

import pytest
from support.pairing_desk import PairingDesk, reason  # first: it brings MicroPython's ticks

# isort: split
from stimfw.protocol import messages, roles
from stimfw.storage.blocks import StorageError
from stimfw.storage.pairings import ACTIVE, PENDING
from stimfw.telemetry.keys import next_key

PASS_MS = 4000
SETTLE_MS = 20
HOUR = 3600
LIGHT_MS = 20
"""Between two looks of the harness at the LED, and turns of the loop."""
STORED_LIGHT = [(1, 2000), (0, 300), (1, 2000)]
KEY = b"k" * 32


@pytest.fixture
def desk():
    return PairingDesk()


def alike(spans, wanted):
    return len(spans) == len(wanted) and all(
        level == want and abs(span_ms - want_ms) <= LIGHT_MS
        for (level, span_ms), (want, want_ms) in zip(spans, wanted, strict=True)
    )


# Consent.


def test_a_pairing_with_its_gesture_is_stored_on_letting_go(desk):
    desk.to_the_gesture()
    desk.go(200)
    desk.harness.magnet(True)
    desk.go(1200)
    assert desk.stored() == 0, "not while the magnet is there"
    desk.harness.magnet(False)
    desk.go(500)
    assert desk.paired() and desk.remote.state == desk.remote.STORED
    assert (messages.EVENT_PAIRED, 0, roles.PATIENT) in desk.events()


def test_the_lights_of_a_pairing(desk):
    desk.open()
    opened_ms = desk.now_ms
    desk.go(1200)
    assert all(abs(span_ms - 250) <= LIGHT_MS for _, span_ms in desk.spans(opened_ms)[1:])
    desk.remote.begin(desk.now_ms)
    while desk.remote.state != desk.remote.COMPARING:
        desk.go(5)
    for _ in range(PASS_MS // 5 - 2):
        desk.go(5)
        lit = {desk.remote.lit(desk.now_ms - late_ms) for late_ms in range(0, LIGHT_MS, 5)}
        assert desk.harness.led.level in lit, "the code"
    desk.go(20)
    assert desk.remote.accept(desk.now_ms)
    desk.go(50)
    asked_ms = desk.now_ms
    desk.go(1000)
    spans = desk.spans(asked_ms)
    assert len(spans) >= 7, "hold the magnet"
    assert all(abs(span_ms - 100) <= LIGHT_MS for _, span_ms in spans[1:])
    desk.harness.magnet(True)
    desk.go(1050)
    held_ms = desk.now_ms
    desk.go(800)
    assert desk.harness.led.level == 1 and not desk.spans(held_ms), "steady: let go"
    desk.harness.magnet(False)
    left_ms = desk.now_ms
    desk.go(5000)
    spans = desk.spans(left_ms - 900)
    assert spans[-3:][1:] == [spans[-2], spans[-1]] and alike(spans[-2:], STORED_LIGHT[1:])
    assert desk.harness.led.level == 0 and not desk.window()
    assert desk.lights[-1][0] - left_ms == pytest.approx(4300 + SETTLE_MS, abs=2 * LIGHT_MS)


@pytest.mark.parametrize(
    ("hands", "why"),
    [
        ([(0, 1500)], "35 ms after the code began"),
        ([(300, 40)], "a touch"),
        ([(300, 2000), (1500, 100)], "held before the code was shown whole"),
        ([(3000, 1500)], "begun before it was shown whole"),
        ([(200, 300), (300, 300), (300, 300)], "a magnet that wobbles while it is taken away"),
    ],
)
def test_what_is_done_before_the_code_was_shown_is_no_consent(desk, hands, why):
    """The remote accepts as soon as it can, with nobody at the stimulator."""
    desk.to_the_code()
    for away_ms, near_ms in hands:
        desk.go(away_ms)
        desk.hold(near_ms)
    while not desk.remote.accept(desk.now_ms):
        desk.go(5)
    desk.go(8000)
    assert desk.stored() == 0 and not desk.kept and desk.window(), why
    desk.hold(1300)
    desk.go(300)
    assert desk.paired(), "and then it is one"


@pytest.mark.control("C-28")
def test_an_unattended_remote_that_accepts_at_once_waits_for_the_whole_code(desk):
    desk.to_the_code()
    desk.remote.state = desk.remote.WAITING_MAGNET  # a remote that takes START whenever it is pressed
    desk.remote._next(5)
    desk.go(1100)
    desk.hold(1500)
    desk.go(PASS_MS - 3000)
    assert desk.stored() == 0
    desk.hold(1500)  # begins before the code's end
    desk.go(300)
    assert desk.stored() == 0 and desk.window()


@pytest.mark.parametrize("near_ms", [40, 500, 950])
def test_a_touch_in_the_place_of_the_gesture_is_nothing(desk, near_ms):
    desk.to_the_gesture()
    for _ in range(3):
        desk.go(1200)
        desk.hold(near_ms)
    desk.go(300)
    assert desk.stored() == 0 and desk.window()


def test_a_magnet_that_is_left_lying_closes_the_window(desk):
    desk.to_the_gesture()
    desk.go(300)
    desk.harness.magnet(True)
    desk.go(2900)
    assert desk.window()
    desk.go(200)
    assert not desk.window() and not desk.radio.window and desk.stored() == 0
    desk.harness.magnet(False)
    desk.go(5000)
    assert desk.stored() == 0 and not desk.kept and desk.remote.state == desk.remote.FAILED
    assert desk.harness.led.level == 0


def test_a_magnet_that_was_away_too_short_is_no_consent(desk):
    desk.to_the_gesture()
    desk.hold(100)
    for away_ms in (300, 900):
        desk.go(away_ms)
        desk.hold(1500)
    desk.go(300)
    assert desk.stored() == 0 and desk.window()
    desk.go(800)
    desk.hold(1500)
    desk.go(300)
    assert desk.paired()


def test_a_reed_switch_that_chatters_does_not_break_the_gesture(desk):
    desk.to_the_gesture()
    desk.go(300)
    hand = ((True, 5), (False, 5), (True, 600), (False, 10), (True, 600), (False, 5), (True, 5))
    for near, span_ms in hand:
        desk.harness.magnet(near)
        desk.go(span_ms)
    desk.harness.magnet(False)
    desk.go(300)
    assert desk.paired()


def test_the_same_hold_does_not_open_the_next_window(desk):
    desk.to_the_gesture()
    desk.go(300)
    desk.hold(3500)
    desk.go(100)
    assert not desk.window()
    assert [kind for kind, _, _ in desk.events()].count(messages.EVENT_WINDOW_OPENED) == 1


def test_a_gesture_that_outlives_its_window_does_nothing_in_the_next_one(desk):
    desk.to_the_gesture()
    desk.go(desk.controller._pairing._left_ms(desk.now_ms) - 500)
    desk.harness.magnet(True)
    desk.go(600)
    assert not desk.window(), "30 s are over"
    desk.go(2500)
    assert desk.window(), "held for 3 s: the next one"
    desk.harness.magnet(False)
    desk.go(1000)
    assert desk.window() and desk.stored() == 0


# Every storing is shown.


def given(desk, peer_id=b"host", role=roles.CLINICIAN):
    """A key over USB; when it was stored."""
    at_ms = desk.now_ms
    assert reason(desk.requests.pair(peer_id, role, KEY)) is None
    return at_ms


def test_a_key_over_usb_is_shown_as_well(desk):
    desk.go(900)
    at_ms = given(desk)
    desk.go(6000)
    assert alike(desk.spans(at_ms)[-3:], STORED_LIGHT) and desk.harness.led.level == 0


def test_what_a_failed_part_shows_gives_way_and_comes_back(desk):
    desk.harness.control.fail(messages.PART_DAC)
    desk.go(3000)
    at_ms = given(desk)
    desk.go(4000)
    assert alike(desk.spans(at_ms + LIGHT_MS)[:1], STORED_LIGHT[1:2])
    before = len(desk.lights)
    desk.go(6000)
    assert len(desk.lights) - before >= 3, "it blinks for the part again"


def test_a_stop_does_not_hide_it(desk):
    desk.go(100)
    given(desk)
    desk.go(500)
    desk.harness.control.stop(messages.STOPPED_HOST)
    desk.go(20)
    assert desk.harness.led.level == 1


def test_the_light_of_the_output_goes_before_it():
    desk = PairingDesk(left__amplitude_ua=2000, right__amplitude_ua=2000, on_ms=20_000)
    desk.go(100)
    given(desk)
    desk.go(1500)
    assert desk.harness.control.start(0) == messages.REASON_NONE
    began_ms = desk.now_ms
    desk.go(3000)
    assert desk.harness.led.level == 1 and not desk.spans(began_ms), "on, for the output"
    desk.harness.control.stop(messages.STOPPED_HOST)
    desk.go(50)
    assert desk.harness.led.level == 0
    desk.go(5000)
    assert desk.harness.led.level == 0, "and nothing of it comes later"


# The table.


@pytest.mark.control("C-29")
def test_a_pending_key_expires_after_an_hour(desk):
    desk.go(100)
    given(desk)
    desk.pass_hours(0.98)
    assert desk.stored() == 1
    desk.pass_hours(0.04)
    assert desk.stored() == 0 and KEY not in bytes(desk.flash.memory)
    assert desk.events()[-1] == (messages.EVENT_PAIRING_EXPIRED, 0, 0)


def test_a_key_that_has_expired_is_not_heard_any_more(desk):
    """Not either if its peer has said hello before, and never more."""
    desk.go(100)
    given(desk)
    assert desk.says_hello(0, KEY)
    desk.pass_hours(1.1)
    assert desk.stored() == 0
    assert not desk.says_hello(0, KEY)


def test_a_key_that_was_used_does_not_expire(desk):
    desk.go(100)
    given(desk)
    desk.pass_hours(0.9)
    assert desk.use(0)
    desk.pass_hours(3)
    assert desk.table.get(0).state == ACTIVE
    assert messages.EVENT_PAIRING_EXPIRED not in [kind for kind, _, _ in desk.events()]


def test_a_key_that_is_given_again_has_its_hour_again(desk):
    desk.go(100)
    given(desk)
    desk.pass_hours(0.7)
    given(desk)
    desk.pass_hours(0.7)
    assert desk.stored() == 1
    desk.pass_hours(0.4)
    assert desk.stored() == 0


def test_after_a_start_it_has_its_hour_again(desk):
    desk.go(100)
    given(desk)
    desk.pass_hours(0.7)
    again = PairingDesk(desk.flash)
    again.pass_hours(0.9)
    assert again.stored() == 1 and again.table.get(0).state == PENDING
    again.pass_hours(0.2)
    assert again.stored() == 0


def test_flash_is_not_written_while_the_output_is_on():
    desk = PairingDesk(left__amplitude_ua=2000, right__amplitude_ua=2000, session_s=3600, on_ms=60_000)
    desk.go(100)
    given(desk)
    desk.pass_hours(0.99)
    assert desk.harness.control.start(0) == messages.REASON_NONE
    desk.flash.operations.clear()
    desk.harness.run_ms(150_000)
    assert desk.harness.control.busy() and not desk.flash.operations and desk.stored() == 1
    desk.harness.control.stop(messages.STOPPED_HOST)
    desk.go(1500)
    assert desk.stored() == 0


@pytest.mark.control("C-34")
def test_a_flash_that_does_not_take_it_is_a_failed_part(desk):
    desk.go(100)
    given(desk)
    desk.flash.dead |= {0, 1}
    desk.pass_hours(1.1)
    assert desk.stored() == 1 and desk.harness.control.failed_parts & messages.PART_PAIRINGS


def test_the_new_keys_use_frees_the_old_slot_and_the_old_keys_use_frees_nothing(desk):
    desk.go(100)
    given(desk, b"mine", roles.PATIENT)
    assert desk.use(0)
    given(desk, b"mine", roles.PATIENT)
    assert desk.use(0)
    assert desk.table.slots() == [0, 1] and desk.table.get(1).state == PENDING, "the thief of the old key"
    assert desk.use(1)
    assert desk.table.slots() == [1] and desk.table.get(1).state == ACTIVE


def test_a_generation_that_was_used_is_kept_and_the_key_before_it_goes(desk):
    desk.go(100)
    given(desk, b"mine", roles.PATIENT)
    assert desk.use(0, ahead=1)
    assert (desk.table.get(0).generation, desk.table.get(0).key) == (1, next_key(KEY))
    desk.flash.operations.clear()
    assert desk.use(0)
    assert not desk.flash.operations, "nothing new"
    assert desk.use(0, ahead=9)
    assert desk.table.get(0).generation == 10 and KEY not in bytes(desk.flash.memory)


def test_a_generation_is_kept_when_the_output_is_off():
    desk = PairingDesk(left__amplitude_ua=2000, right__amplitude_ua=2000, on_ms=20_000)
    desk.go(100)
    given(desk, b"mine", roles.PATIENT)
    assert desk.harness.control.start(0) == messages.REASON_NONE
    desk.go(1000)
    desk.flash.operations.clear()
    assert desk.use(0, ahead=2)
    assert desk.harness.control.busy() and not desk.flash.operations
    desk.harness.control.stop(messages.STOPPED_HOST)
    desk.go(10)
    assert (desk.table.get(0).generation, desk.table.get(0).state) == (2, ACTIVE)


def test_a_peer_that_steps_beyond_the_last_generation_is_not_heard(desk):
    desk.go(100)
    given(desk, b"mine", roles.PATIENT)
    desk.table.settle(0, 0xFFFF, KEY)
    assert not desk.use(0, ahead=1)
    desk.go(2000)
    assert (desk.table.get(0).generation, desk.table.get(0).key) == (0xFFFF, KEY)
    assert desk.use(0)


def test_an_id_of_another_role_is_refused_with_its_reason(desk):
    desk.go(100)
    given(desk, b"host", roles.CLINICIAN)
    assert reason(desk.requests.pair(b"host", roles.PATIENT, KEY)) == messages.REASON_ROLE
    assert desk.table.get(0).role == roles.CLINICIAN and desk.stored() == 1


def test_a_remote_with_the_clinicians_id_is_refused_by_radio(desk):
    desk.go(100)
    given(desk, b"rmte", roles.CLINICIAN)
    assert desk.use(0)
    desk.to_the_gesture()
    desk.go(1200)
    desk.hold(1300)
    desk.go(500)
    assert (desk.remote.state, desk.remote.why) == (desk.remote.FAILED, desk.remote.REFUSED)
    assert desk.stored() == 1 and desk.table.get(0).role == roles.CLINICIAN and not desk.kept


def test_a_full_table_and_a_dead_flash_have_their_reasons_too(desk):
    desk.go(100)
    for number in range(6):
        given(desk, b"p%03d" % number)
        assert desk.use(number)
    assert reason(desk.requests.pair(b"more", roles.PATIENT, KEY)) == messages.REASON_FULL
    desk.requests.forget(5)
    desk.flash.dead |= {0, 1}
    assert reason(desk.requests.pair(b"more", roles.PATIENT, KEY)) == messages.REASON_STORAGE
    with pytest.raises(StorageError):
        desk.table.forget_all()
