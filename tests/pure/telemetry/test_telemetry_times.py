"""A board's clock wraps after 12 days: nothing that is old looks new, and nothing new looks old."""

from stimfw.protocol import messages, requests
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.telemetry.responder import NEVER_MS
from support.link_harness import LinkHarness
from support.radio_peer import SLOT, STOP, Peer

START = messages.request(requests.START)
WRAP_MS = 1 << 30
HOUR_MS = 3_600_000


def ticks(now_ms):
    """The time as a board tells it."""
    return now_ms & WRAP_MS - 1


def let_pass(one, began_ms, passed_ms):
    """The board's loop turns meanwhile; a turn an hour stands for all of them."""
    for later_ms in list(range(HOUR_MS, passed_ms, HOUR_MS)) + [passed_ms]:
        one.stimulator.expire(ticks(began_ms + later_ms))
    return ticks(began_ms + passed_ms)


def connected(began_ms):
    one = Peer()
    one.stimulator.expire(ticks(began_ms - 2000))
    one.join(10, 5, ticks(began_ms))
    assert one.say(one.request(0, START, 77), ticks(began_ms)) is not None
    return one


def test_a_connection_of_twelve_days_ago_is_no_new_one():
    for began_ms in (0, 1000, WRAP_MS - 1):
        one = connected(began_ms)
        now_ms = let_pass(one, began_ms, WRAP_MS + 10)
        assert not one.stimulator.connected(now_ms) and one.say(one.request(1, START), now_ms) is None


def test_a_handshake_of_twelve_days_ago_is_none():
    for mark in ((10, 6), (3, 3)):
        one = connected(1000)
        one.join(*mark, now_ms=2000)
        now_ms = let_pass(one, 2000, WRAP_MS + 10)
        assert one.say(one.request(0, START), now_ms) is None and len(one.executed) == 1


def test_a_hello_out_of_step_of_twelve_days_ago_keeps_nobody_out():
    for began_ms in (0, 1, 1000):
        one = connected(began_ms)
        assert one.say(one.hello(3, 3), began_ms) is not None
        assert one.say(one.hello(3, 4), began_ms) is None
        now_ms = let_pass(one, began_ms, WRAP_MS + 10)
        assert one.say(one.hello(3, 4), now_ms) is not None, began_ms


def test_who_was_heard_twelve_days_ago_was_not_heard_just_now():
    one = Peer()
    assert one.stimulator.last_authentic_ms(5) == NEVER_MS and one.stimulator.silent_ms(SLOT, 5) == NEVER_MS
    one = connected(1000)
    assert one.stimulator.last_authentic_ms(1007) == 7 and one.stimulator.silent_ms(SLOT, 1007) == 7
    assert one.stimulator.silent_ms(SLOT + 1, 1007) == NEVER_MS
    now_ms = let_pass(one, 1000, WRAP_MS + 10)
    assert one.stimulator.last_authentic_ms(now_ms) == NEVER_MS
    assert one.stimulator.silent_ms(SLOT, now_ms) == NEVER_MS


def test_time_since_the_last_frame_is_told_for_a_day():
    for began_ms in (0, 1, 1000):
        one = connected(began_ms)
        for hours, known in ((1, True), (23, True), (24, True), (25, False), (48, False)):
            now_ms = let_pass(one, began_ms, hours * HOUR_MS)
            wanted = hours * HOUR_MS if known else NEVER_MS
            assert one.stimulator.silent_ms(SLOT, now_ms) == wanted, (began_ms, hours)
            assert one.stimulator.last_authentic_ms(now_ms) == wanted


def test_who_only_said_hello_was_not_heard():
    one = Peer()
    one.join(10, 5, 1000)
    one.stimulator.expire(1500)
    assert one.stimulator.silent_ms(SLOT, 1500) == NEVER_MS == one.stimulator.last_authentic_ms(1500)


def test_a_tick_does_not_open_the_second_of_a_hello_out_of_step():
    for began_ms in (0, 1, 1000):
        one = connected(began_ms)
        assert one.say(one.hello(3, 3), began_ms) is not None
        for later_ms in (1, 500, 999):
            one.stimulator.expire(began_ms + later_ms)
            assert one.say(one.hello(3, 4), began_ms + later_ms) is None, (began_ms, later_ms)
        assert one.say(one.hello(3, 4), began_ms + 1000) is not None


def test_time_since_the_last_frame_goes_on_over_the_wrap():
    one = connected(WRAP_MS - 1000)
    for later_ms in (0, 999, 1000, 5000, 59_999):
        now_ms = ticks(WRAP_MS - 1000 + later_ms)
        assert one.stimulator.last_authentic_ms(now_ms) == later_ms
        assert one.stimulator.silent_ms(SLOT, now_ms) == later_ms
        assert one.stimulator.connected(now_ms)
    assert not one.stimulator.connected(ticks(WRAP_MS + 59_000))


def test_forged_frames_and_hellos_are_not_heard():
    one = connected(1000)
    one.say(one.hello(10, 6), 5000)
    one.say(bytes(32), 5000)
    forged = one.request(1)
    one.say(forged[:-1] + bytes((forged[-1] ^ 1,)), 5000)
    assert one.stimulator.last_authentic_ms(6000) == 5000 and one.stimulator.silent_ms(SLOT, 6000) == 5000


def test_a_request_of_twelve_days_ago_is_no_duplicate():
    """The same id and bytes: 256 requests of one start later, or another one that chose this id."""
    one = connected(1000)
    now_ms = let_pass(one, 1000, WRAP_MS + 10)
    one.join(10, 6, now_ms)
    assert one.say(one.request(0, START, 77), now_ms) is not None
    assert len(one.executed) == 2 and one.stimulator.duplicates == 0


def test_the_second_after_a_stop_of_twelve_days_ago_is_over():
    one = connected(1000)
    one.stimulator.end_connections(messages.FROM_USB, 2000)
    now_ms = let_pass(one, 2000, WRAP_MS + 10)
    one.join(10, 6, now_ms)
    assert one.say(one.request(0, START), ticks(now_ms + 30_000)) is not None


def test_a_flood_of_twelve_days_ago_is_over():
    one = connected(1000)
    for _ in range(1000):
        one.say(bytes(32), 61_000)
    assert one.stimulator.pause_ms(61_000) > 0
    now_ms = let_pass(one, 61_000, WRAP_MS + 10)
    assert one.stimulator.pause_ms(now_ms) == 0 and not one.stimulator.flooded()
    for _ in range(1000):
        one.say(bytes(32), now_ms)
    assert one.stimulator.pause_ms(now_ms) > 0, "no grace of the frame from then"


def test_everything_works_over_the_wrap():
    """Requests, a long one, a stop of each kind, from a minute before the wrap to a minute after it."""
    link = LinkHarness()
    link.now_ms = WRAP_MS - 60_000
    for slot in link.peers:
        link.start_peer(slot)
    link.start_stimulator()
    link.reply = lambda message: bytes(40)
    for _ in range(120):
        assert link.ask(START) == bytes(40)
        assert link.ask(bytes(100)) == bytes(40)
        assert link.ask(STOP, limit_ms=STOP_LIMIT_MS) == bytes(40)
        link.stimulator.end_connections(0, link.now_ms)
        link.heard.clear()
        link.now_ms += 1000
        link.stimulator.expire(link.now_ms)
    assert link.now_ms > WRAP_MS + 60_000 and link.stimulator.connections <= 2
    assert len(link.executed) == 360


def test_months_at_rest_and_then_a_press():
    """Each time a little later on the clock that wraps, so that some presses fall just behind it."""
    link = LinkHarness()
    for turn in range(40):
        link.now_ms += WRAP_MS // 8 + turn * 977
        link.stimulator.expire(link.now_ms)
        link.peers[0].expire(link.now_ms)
        began_ms = link.now_ms
        assert link.ask(START, limit_ms=1000) is not None and link.now_ms - began_ms < 60
    assert len(link.executed) == 40
