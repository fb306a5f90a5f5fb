"""What an attacker may cost: a budget of verifications, and a back-off that grows with what he sends.

Failures count, and HELLOs: a genuine peer never meets either.
"""

from stimfw.logic.ticks import elapsed_ms, later_ms

VERIFICATIONS = 24
"""That many tags may fail in a row,"""
_REFILL_MS = 12  # then one in so much time
_FORGIVE_MS = 50  # a failure runs out of the bucket: 20 a second
_MOST = 128
LEVELS = ((48, 60), (24, 20), (8, 10))
"""From so many failures in the bucket on, the radio is read only every so many milliseconds."""


class Guard:
    """Two buckets. `level` is 0 in peace, 1 to 3 under attack."""

    def __init__(self, now_ms: int = 0) -> None:
        self._left = VERIFICATIONS
        self._refilled_ms = now_ms
        self._failures = 0
        self._forgiven_ms = now_ms
        self.level = 0

    def may_verify(self, now_ms: int) -> bool:
        """Whether the budget allows one more verification that may fail."""
        refill = elapsed_ms(now_ms, self._refilled_ms) // _REFILL_MS
        if refill:
            self._left = min(VERIFICATIONS, self._left + refill)
            self._refilled_ms = later_ms(self._refilled_ms, refill * _REFILL_MS)
        return self._left > 0

    def spend(self) -> None:
        """A verification that did not fail, but that somebody else may have asked for."""
        self._left -= 1

    def failed(self, now_ms: int, verified: bool) -> None:
        """A frame was refused, with or without a verification."""
        if verified:
            self.spend()
        self._forgive(now_ms)
        self._failures = min(_MOST, self._failures + 1)

    def pause_ms(self, now_ms: int) -> int:
        """How long the radio shall not be read."""
        self._forgive(now_ms)
        for index, (failures, pause_ms) in enumerate(LEVELS):
            if self._failures >= failures:
                self.level = len(LEVELS) - index
                return pause_ms
        self.level = 0
        return 0

    def _forgive(self, now_ms: int) -> None:
        past = elapsed_ms(now_ms, self._forgiven_ms) // _FORGIVE_MS
        if past:
            self._failures = max(0, self._failures - past)
            self._forgiven_ms = later_ms(self._forgiven_ms, past * _FORGIVE_MS)
