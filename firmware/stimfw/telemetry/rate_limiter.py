"""What an attacker may cost: a budget of verifications, and a back-off that grows with what is sent.

Failures count, and answers to HELLOs: a genuine peer never meets either.
"""

from stimfw.clock.ticks import elapsed_ms, later_ms

VERIFICATIONS = 24
"""So many in a row may cost time and be in vain,"""
RESERVED = 12
"""of which so many are kept for frames that are authentic: making keys for a HELLO leaves them alone."""
_REFILL_MS = 12  # then one in so much time
# Costs in the bucket, about as the processor's time goes (RP2040): 4 ms for a frame that is dropped early,
# its share of the main loop, of the pauses and of the radio included; twice that if its seal was tried.
COST_UNVERIFIED = 3
COST_VERIFIED = 6
COST_COPY = 1
"""Another copy of a REQUEST that was just refused: a peer whose connection has ended sends bursts of them."""
FORGIVE_MS = 6
"""One unit runs out in so much time: 55 unverified frames or 27 tried seals a second, 24 % of the CPU."""
_MOST = 128
LEVELS = ((64, 34), (32, 14), (12, 4))
"""From so many units in the bucket on, nothing is read for so many ms on average, again and again."""
GRACE_MS = 25
"""After an authentic frame the peer's next one is due: for so long there is no pause, flood or not."""
_DRAWS = 0x100


class RateLimiter:
    """Two buckets. `level` is 0 normally, 1 to 3 under attack."""

    def __init__(self, now_ms: int = 0) -> None:
        self._left = VERIFICATIONS
        self._refilled_ms = now_ms
        self._failures = 0
        self._forgiven_ms = now_ms
        self._genuine_ms = now_ms
        self._grace = False
        self._nominal_ms = 0
        self.level = 0

    def may_verify(self, now_ms: int, spare: int = 0) -> bool:
        """Whether the budget allows one more verification that may fail, and has `spare` more."""
        refill = elapsed_ms(now_ms, self._refilled_ms) // _REFILL_MS
        if refill:
            self._left = min(VERIFICATIONS, self._left + refill)
            self._refilled_ms = later_ms(self._refilled_ms, refill * _REFILL_MS)
        return self._left > spare

    def spend(self) -> None:
        """Count one that somebody may have caused who has no key."""
        self._left -= 1

    def failed(self, now_ms: int, verified: bool, copy: bool = False) -> None:
        """A frame was refused, early or after its seal was tried; copy: just as the one before it."""
        if verified:
            self.spend()
        cost = COST_VERIFIED if verified else COST_COPY if copy else COST_UNVERIFIED
        self._forgive(now_ms)
        self._failures = min(_MOST, self._failures + cost)

    def genuine(self, now_ms: int) -> None:
        """A new frame was authentic."""
        self._genuine_ms = now_ms
        self._grace = True

    def update(self, now_ms: int) -> int:
        """The present level."""
        self._forgive(now_ms)
        self.level = self._nominal_ms = 0
        for index, (failures, nominal_ms) in enumerate(LEVELS):
            if self._failures >= failures:
                self.level = len(LEVELS) - index
                self._nominal_ms = nominal_ms
                break
        if self._grace:
            self._grace = elapsed_ms(now_ms, self._genuine_ms) < GRACE_MS
        return self.level

    def pause_ms(self, now_ms: int, draw: int) -> int:
        """How long nothing shall be read: half of the level's time to one and a half of it.

        So nobody can send in step with what is read. `draw`: a random byte.
        """
        self.update(now_ms)
        if self._grace:
            return 0
        return (self._nominal_ms + 1) // 2 + self._nominal_ms * draw // _DRAWS

    def _forgive(self, now_ms: int) -> None:
        past = elapsed_ms(now_ms, self._forgiven_ms) // FORGIVE_MS
        if past:
            self._failures = max(0, self._failures - past)
            self._forgiven_ms = later_ms(self._forgiven_ms, past * FORGIVE_MS)
