"""The RP2040's watchdog, with a way out for the developer who wants the REPL, and what started the board.

`machine.reset_cause()` calls every reset that the watchdog block makes a watchdog's, and `machine.reset()` is
one of them. Two things tell them apart. REASON is 0 after power on and after the RUN pin, which clear the
scratch registers too. And the Pico SDK leaves in SCRATCH4 who used the block last: a number of its own if a
timer was armed (`WDT`), 0 if a restart was asked for (`machine.reset`, and BOOTSEL's after a new image).
"""

from machine import WDT, Timer, mem32, reset
from micropython import const

_CTRL_CLEAR = const(0x4005B000)  # WATCHDOG CTRL, atomic bit clear (RP2040 datasheet, 2.1.2 and 4.7.6)
_ENABLE = const(1 << 30)
_REASON = const(0x40058008)  # of the last reset: bit 0 the timer, bit 1 TRIGGER
_SCRATCH4 = const(0x4005801C)
_ARMED = const(0x6AB73121)  # WATCHDOG_NON_REBOOT_MAGIC of the SDK's hardware_watchdog
_ENDED = const(0x2E646E65)  # ours: the application ended, and the chip was not reset since

# What started the application. 1 and 3 are machine.PWRON_RESET and machine.WDT_RESET.
STARTED_BY_POWER = const(1)
STARTED_BY_SOFTWARE = const(2)
STARTED_BY_WATCHDOG = const(3)
STARTED_AT_PROMPT = const(4)


def start_cause() -> int:
    """What started the application: STARTED_.... Ask before a Watchdog is made."""
    last = mem32[_SCRATCH4]
    if last == _ENDED:
        return STARTED_AT_PROMPT
    if not mem32[_REASON]:
        return STARTED_BY_POWER
    return STARTED_BY_WATCHDOG if last == _ARMED else STARTED_BY_SOFTWARE


class Watchdog:
    """Resets the board unless fed in time.

    Attributes:
        start_cause: what started the application, STARTED_....
    """

    def __init__(self, timeout_ms: int) -> None:
        """Start it. Args: timeout_ms: 1-8388."""
        self.start_cause = start_cause()
        self._timer = WDT(timeout=timeout_ms)

    def feed(self) -> None:
        """Still healthy."""
        self._timer.feed()

    @staticmethod
    def disable() -> None:
        """Stop it: the application ends and the REPL follows."""
        mem32[_CTRL_CLEAR] = _ENABLE
        mem32[_SCRATCH4] = _ENDED


def restart_in(delay_ms: int) -> None:
    """Reset the chip after a while: what was said until then has been sent. Keeps the timer until then."""
    global _restart
    _restart = Timer(-1, period=delay_ms, mode=Timer.ONE_SHOT, callback=lambda _timer: reset())


_restart: "Timer | None" = None
