"""The light that shows a pairing's 20-bit code, so that a person can compare two of them.

A pass is a marker, then the bits, most significant first; again and again. A bit is a blink for 1 and none
for 0, and dark for the second half of its time. The marker's light is four times as long as a blink, so two
codes that are shifted against each other never look alike.
"""

BITS = 20
_DARK_MS = 240
_LIGHT_MS = 320
MARKER_MS = _DARK_MS + _LIGHT_MS + _DARK_MS
BLINK_MS = 80
BIT_MS = 2 * BLINK_MS
PASS_MS = MARKER_MS + BITS * BIT_MS


def lit(code: int, since_ms: int) -> int:
    """0 or 1: the light of a code that began `since_ms` ago."""
    into_ms = since_ms % PASS_MS
    if into_ms < MARKER_MS:
        return int(_DARK_MS <= into_ms < _DARK_MS + _LIGHT_MS)
    bit, into_ms = divmod(into_ms - MARKER_MS, BIT_MS)
    return code >> BITS - 1 - bit & 1 if into_ms < BLINK_MS else 0


def wait_ms(code: int, since_ms: int) -> int:
    """Time until the light next changes."""
    now = lit(code, since_ms)
    ahead_ms = BLINK_MS - since_ms % BLINK_MS  # every change is at a multiple of it
    while lit(code, since_ms + ahead_ms) == now:
        ahead_ms += BLINK_MS
    return ahead_ms


def shown_whole(since_ms: int) -> bool:
    """Whether a code that began `since_ms` ago was shown once from its marker to its last bit."""
    return since_ms >= PASS_MS
