"""Time on a clock that wraps as MicroPython's time.ticks_ms() does."""

_TICKS_MASK = 0x3FFFFFFF


def elapsed_ms(now_ms: int, then_ms: int) -> int:
    """Time from `then_ms` to `now_ms`; the clock wraps after 12 days."""
    return (now_ms - then_ms) & _TICKS_MASK


def later_ms(then_ms: int, by_ms: int) -> int:
    """The time `by_ms` after `then_ms`, on that clock."""
    return (then_ms + by_ms) & _TICKS_MASK
