"""The RP2040's watchdog, with a way out for the developer who wants the REPL."""

from machine import WDT, Timer, mem32, reset
from micropython import const

_CTRL_CLEAR = const(0x4005B000)  # WATCHDOG CTRL, atomic bit clear (RP2040 datasheet, 2.1.2 and 4.7.6)
_ENABLE = const(1 << 30)


class Watchdog:
    """Resets the board unless fed in time."""

    def __init__(self, timeout_ms: int) -> None:
        """Start it. Args: timeout_ms: 1-8388."""
        self._timer = WDT(timeout=timeout_ms)

    def feed(self) -> None:
        """Still healthy."""
        self._timer.feed()

    @staticmethod
    def disable() -> None:
        """Stop it: the application ends and the REPL follows."""
        mem32[_CTRL_CLEAR] = _ENABLE


def restart_in(delay_ms: int) -> None:
    """Reset the chip after a while: what was said until then has been sent. Keeps the timer until then."""
    global _restart
    _restart = Timer(-1, period=delay_ms, mode=Timer.ONE_SHOT, callback=lambda _timer: reset())


_restart: "Timer | None" = None
