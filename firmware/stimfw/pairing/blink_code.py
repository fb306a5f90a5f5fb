"""The light that shows a pairing's 16-bit code, so that a person can compare two of them.

Dark for 600 ms, then 16 bits of 150 ms, most significant first, light for 1; again and again.
"""

BITS = 16
PAUSE_MS = 600
BIT_MS = 150
PASS_MS = PAUSE_MS + BITS * BIT_MS


def lit(code: int, since_ms: int) -> int:
    """0 or 1: the light of a code that began `since_ms` ago."""
    into_ms = since_ms % PASS_MS
    if into_ms < PAUSE_MS:
        return 0
    return code >> BITS - 1 - (into_ms - PAUSE_MS) // BIT_MS & 1


def wait_ms(code: int, since_ms: int) -> int:
    """Time until the light next changes; -1 for code 0, which stays dark."""
    if code & (1 << BITS) - 1 == 0:
        return -1
    now = lit(code, since_ms)
    into_ms = since_ms % PASS_MS
    # The end of the present stretch: of the pause, or of a bit.
    ahead_ms = PAUSE_MS - into_ms if into_ms < PAUSE_MS else BIT_MS - (into_ms - PAUSE_MS) % BIT_MS
    while lit(code, since_ms + ahead_ms) == now:
        ahead_ms += BIT_MS  # the pause is four bits long
    return ahead_ms
