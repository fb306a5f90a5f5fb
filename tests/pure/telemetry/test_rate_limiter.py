"""What an attacker may cost: two buckets, pauses of random length, and grace for who is genuine."""

from stimfw.telemetry import rate_limiter
from stimfw.telemetry.rate_limiter import RateLimiter
from support.control import control

MIDDLE = 0x80  # a draw that makes a pause its nominal time
DRAIN_MS = rate_limiter.FORGIVE_MS
WRAP_MS = 1 << 30


def flooded(verified, frames=200, now_ms=0):
    """A rate limiter that has seen more bad frames in one moment than its bucket holds."""
    made = RateLimiter(now_ms)
    for _ in range(frames):
        made.failed(now_ms, verified)
    return made


def test_in_peace_there_is_no_pause():
    for draw in (0, MIDDLE, 0xFF):
        assert RateLimiter().pause_ms(0, draw) == 0 and RateLimiter().update(0) == 0
    assert RateLimiter().may_verify(0) and RateLimiter().level == 0


def test_pauses_grow_with_what_the_frames_cost():
    for verified, cost in ((False, 3), (True, 6)):
        made = RateLimiter()
        pauses = []
        for _ in range(60):
            made.failed(0, verified)
            pauses.append(made.pause_ms(0, MIDDLE))
        assert pauses == sorted(pauses) and pauses[-1] == 34 and made.level == 3
        for units, pause_ms in ((64, 34), (32, 14), (12, 4)):
            assert pauses.index(pause_ms) == -(-units // cost) - 1


def test_a_pause_is_half_to_one_and_a_half_of_its_nominal_time_and_every_draw_counts():
    for frames, nominal_ms in ((5, 4), (12, 14), (200, 34)):
        made = flooded(False, frames)
        pauses = [made.pause_ms(0, draw) for draw in range(256)]
        assert pauses == sorted(pauses)
        assert pauses[0] == nominal_ms // 2 and pauses[-1] == nominal_ms * 3 // 2 - 1
        assert set(pauses) == set(range(pauses[0], pauses[-1] + 1))


def test_a_flood_is_forgiven_when_it_ends():
    made = flooded(True)
    at_ms = 0
    while made.pause_ms(at_ms, MIDDLE):
        at_ms += 1
    assert at_ms <= 128 * DRAIN_MS and made.level == 0


@control("C-31")
def test_no_flood_gets_more_than_its_share():
    """Three frames a window of 6 ms, for 10 s: the costs let through are what runs out of the bucket."""
    for verified, cost in ((False, 3), (True, 6)):
        made = RateLimiter()
        now_ms = taken = turn = 0
        while now_ms < 10_000:
            for _ in range(3):
                made.failed(now_ms, verified)
            taken += 3 * cost
            turn += 1
            now_ms += made.pause_ms(now_ms, turn * 37 & 0xFF) + 6
        # A period of the longest pause lets at most 3 frames through.
        most = max(10_000 // DRAIN_MS, 3 * cost * 10_000 // (34 + 6))
        assert taken <= most * 11 // 10 + 128 + 3 * cost


def test_after_an_authentic_frame_there_is_no_pause_for_a_while():
    made = flooded(True)
    made.genuine(10)
    assert made.pause_ms(10, 0xFF) == 0 and made.level == 3
    assert made.pause_ms(10 + 24, 0xFF) == 0
    assert made.pause_ms(10 + 25, MIDDLE) == 34
    assert made.pause_ms(10 + (1 << 29), 0xFF) == 0, "the bucket is empty by then"


@control("C-45")
def test_grace_does_not_come_back_when_the_clock_has_wrapped():
    made = RateLimiter()
    made.genuine(5)
    for now_ms in range(1000, WRAP_MS, 100_000_000):
        made.update(now_ms)
    for _ in range(200):
        made.failed(WRAP_MS, True)
    assert made.pause_ms(WRAP_MS + 10, MIDDLE) == 34


def test_so_many_tags_may_fail_and_then_one_in_twelve_milliseconds():
    made = RateLimiter()
    tried = 0
    while made.may_verify(0):
        made.failed(0, True)
        tried += 1
    assert tried == 24
    assert not made.may_verify(11) and made.may_verify(12)
    made.spend()
    assert not made.may_verify(12)


def test_half_of_the_budget_can_be_kept_for_others():
    made = RateLimiter()
    spent = 0
    while made.may_verify(0, rate_limiter.RESERVED):
        made.spend()
        spent += 1
    assert spent == 12 == 24 - rate_limiter.RESERVED
    assert made.may_verify(0) and made.may_verify(0, 11) and not made.may_verify(0, 12)
    assert made.may_verify(12, 12), "it is refilled for both"


def test_the_budget_and_the_bucket_go_on_over_the_wrap_of_the_clock():
    began_ms = WRAP_MS - 5
    made = RateLimiter(began_ms)
    while made.may_verify(began_ms):
        made.spend()
    assert not made.may_verify((began_ms + 11) % WRAP_MS) and made.may_verify((began_ms + 12) % WRAP_MS)
    began_ms = WRAP_MS - 100
    made = flooded(True, 200, began_ms)
    assert made.pause_ms(WRAP_MS - 1, MIDDLE) == 34
    late_ms = (began_ms + 117 * 6) % WRAP_MS
    assert made.pause_ms(late_ms - 1, MIDDLE) == 4 and made.pause_ms(late_ms, MIDDLE) == 0
