"""What an attacker may cost: a budget of verifications, and a back-off that grows with what is sent.

Failures count, and HELLOs: a genuine peer never meets either.
"""

from stimfw.clock.ticks import elapsed_ms, later_ms

VERIFICATIONS = 24
"""That many tags may fail in a row,"""
_REFILL_MS = 12  # then one in so much time
# Costs in the bucket, as the processor's time goes: 2 ms for a frame that is dropped before any
# cryptography, 3.5 ms for one whose tag fails, its share of the main loop and of the radio included (RP2040).
COST_UNVERIFIED = 3
COST_VERIFIED = 6
FORGIVE_MS = 6
"""One unit runs out in so much time: 55 unverified frames or 27 forged tags a second, 10 % of the CPU."""
_MOST = 128
LEVELS = ((64, 34), (32, 14), (12, 4))
"""From so many units in the bucket on, the radio is deaf for so many milliseconds, again and again."""
GRACE_MS = 25
"""After an authentic frame the peer's next one is due: for so long there is no pause, flood or not."""


class RateLimiter:
    """Two buckets. `level` is 0 normally, 1 to 3 under attack."""

    def __init__(self, now_ms: int = 0) -> None:
        self._left = VERIFICATIONS
        self._refilled_ms = now_ms
        self._failures = 0
        self._forgiven_ms = now_ms
        self._genuine_ms = now_ms
        self._grace = False
        self.level = 0

    def may_verify(self, now_ms: int) -> bool:
        """Whether the budget allows one more verification that may fail."""
        refill = elapsed_ms(now_ms, self._refilled_ms) // _REFILL_MS
        if refill:
            self._left = min(VERIFICATIONS, self._left + refill)
            self._refilled_ms = later_ms(self._refilled_ms, refill * _REFILL_MS)
        return self._left > 0

    def spend(self) -> None:
        """Count a verification that succeeded, but of a frame that an attacker may have recorded."""
        self._left -= 1

    def failed(self, now_ms: int, verified: bool) -> None:
        """A frame was refused, with or without a verification."""
        if verified:
            self.spend()
        self._forgive(now_ms)
        self._failures = min(_MOST, self._failures + (COST_VERIFIED if verified else COST_UNVERIFIED))

    def genuine(self, now_ms: int) -> None:
        """A new frame was authentic."""
        self._genuine_ms = now_ms
        self._grace = True

    def pause_ms(self, now_ms: int) -> int:
        """How long the radio shall be deaf."""
        self._forgive(now_ms)
        pause = self.level = 0
        for index, (failures, pause_ms) in enumerate(LEVELS):
            if self._failures >= failures:
                self.level = len(LEVELS) - index
                pause = pause_ms
                break
        if self._grace:
            self._grace = elapsed_ms(now_ms, self._genuine_ms) < GRACE_MS
            if self._grace:
                return 0
        return pause

    def _forgive(self, now_ms: int) -> None:
        past = elapsed_ms(now_ms, self._forgiven_ms) // FORGIVE_MS
        if past:
            self._failures = max(0, self._failures - past)
            self._forgiven_ms = later_ms(self._forgiven_ms, past * FORGIVE_MS)
