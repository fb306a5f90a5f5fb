"""What an attacker may cost: two buckets, deaf pauses, and grace for who is genuine."""

from stimfw.telemetry import rate_limiter
from stimfw.telemetry.rate_limiter import RateLimiter

LONGEST_MS = rate_limiter.LEVELS[0][1]
DRAIN_MS = rate_limiter.FORGIVE_MS


def flooded(verified, frames=200):
    """A rate limiter that has seen more bad frames in one moment than its bucket holds."""
    made = RateLimiter()
    for _ in range(frames):
        made.failed(0, verified)
    return made


def test_in_peace_there_is_no_pause():
    assert RateLimiter().pause_ms(0) == 0 and RateLimiter().level == 0
    assert RateLimiter().may_verify(0)


def test_pauses_grow_with_what_the_frames_cost():
    for verified, cost in ((False, rate_limiter.COST_UNVERIFIED), (True, rate_limiter.COST_VERIFIED)):
        made = RateLimiter()
        pauses = []
        for _ in range(60):
            made.failed(0, verified)
            pauses.append(made.pause_ms(0))
        assert pauses == sorted(pauses) and pauses[-1] == LONGEST_MS and made.level == 3
        for units, pause_ms in rate_limiter.LEVELS:
            assert pauses.index(pause_ms) == -(-units // cost) - 1


def test_a_flood_is_forgiven_when_it_ends():
    made = flooded(True)
    at_ms = 0
    while made.pause_ms(at_ms):
        at_ms += 1
    assert at_ms <= 128 * DRAIN_MS and made.level == 0


def test_no_flood_gets_more_than_its_share():
    """Three frames a window of 6 ms, for 10 s: the costs let through are what runs out of the bucket."""
    for verified, cost in ((False, rate_limiter.COST_UNVERIFIED), (True, rate_limiter.COST_VERIFIED)):
        made = RateLimiter()
        now_ms = taken = 0
        while now_ms < 10_000:
            for _ in range(3):
                made.failed(now_ms, verified)
            taken += 3 * cost
            now_ms += made.pause_ms(now_ms) + 6
        # A period of the longest pause lets at most 3 frames through.
        most = max(10_000 // DRAIN_MS, 3 * cost * 10_000 // (LONGEST_MS + 6))
        assert taken <= most + 128 + 3 * cost


def test_after_an_authentic_frame_there_is_no_pause_for_a_while():
    made = flooded(True)
    made.genuine(10)
    assert made.pause_ms(10) == 0 and made.level == 3
    assert made.pause_ms(10 + rate_limiter.GRACE_MS - 1) == 0
    assert made.pause_ms(10 + rate_limiter.GRACE_MS) == LONGEST_MS
    assert made.pause_ms(10 + (1 << 29)) == 0, "the bucket is empty by then, and the clock has not wrapped"


def test_so_many_tags_may_fail_and_then_one_in_twelve_milliseconds():
    made = RateLimiter()
    tried = 0
    while made.may_verify(0):
        made.failed(0, True)
        tried += 1
    assert tried == rate_limiter.VERIFICATIONS
    assert not made.may_verify(11) and made.may_verify(12)
    made.spend()
    assert not made.may_verify(12)
