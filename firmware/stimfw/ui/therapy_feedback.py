"""What the remote shows of an implanted stimulator behind its state: session, day, what a fault means.

Imported when it is first needed: a remote of a board on the bench never does. Patterns are those of
stimfw.ui.feedback; docs/remote.md has the table for users.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import messages
from stimfw.ui.feedback import AMBER, GREEN, HIGH_HZ, LOW_HZ, RED, reason_code

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


if TYPE_CHECKING:
    from stimfw.ui.feedback import Pattern

_MIDDLE_HZ = const(1000)
_MOST_SESSIONS = const(10)
"""Of a day (stimfw.therapy.prescription)."""

# What a person is to do about a fault.
LATER = 2  # try again later, or at another place
CLINIC = 3  # call the clinic
DOCTOR = 5  # stop, and see a doctor

DARK: "Pattern" = ((0, 0, 500),)
_TICK: "Pattern" = ((0, _MIDDLE_HZ, 100), (0, 0, 150))
_DONE: "Pattern" = ((GREEN, 0, 400), (0, 0, 200))
_TO_COME: "Pattern" = ((AMBER, 0, 400), (0, 0, 200))

TRY_LATER: "Pattern" = ((AMBER, LOW_HZ, 500), (AMBER, 0, 500), (0, 0, 250)) * 2
CALL_CLINIC: "Pattern" = ((RED | AMBER, _MIDDLE_HZ, 500), (0, 0, 250)) * 3
SEE_DOCTOR: "Pattern" = ((RED, HIGH_HZ, 250), (RED, LOW_HZ, 250)) * 4


def progress(elapsed_s: int, session_s: int) -> "Pattern":
    """One beep, then a session's four quarters: green is over, amber is to come."""
    quarters = min(4, 4 * elapsed_s // session_s) if session_s else 0
    return DARK + _TICK + _DONE * quarters + _TO_COME * (4 - quarters)


def today(left: int, a_day: int) -> "Pattern":
    """Two beeps, then the sessions of today: green has begun or is over, amber is to come."""
    a_day = min(a_day, _MOST_SESSIONS)
    left = min(left, a_day)
    return DARK + _TICK * 2 + _DONE * (a_day - left) + _TO_COME * left


def why_not(reason: int) -> "Pattern":
    """Three beeps, then why a session would be refused now; () for a reason of a board on the bench."""
    return DARK + _TICK * 3 + reason_code(reason) if reason > messages.REASON_RANDOM else ()


def meaning(what: int) -> "Pattern":
    """What a person is to do about a fault: LATER, CLINIC or DOCTOR."""
    shown = SEE_DOCTOR if what == DOCTOR else TRY_LATER if what == LATER else CALL_CLINIC
    return DARK + shown
