"""What the remote shows of an implanted stimulator: its states, the day, why it refuses, what a fault means.

Imported when it is first needed: a remote of a board on the bench never does. Patterns are those of
stimfw.ui.feedback; docs/remote.md has the table for users.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import messages
from stimfw.ui.feedback import AMBER, GREEN, HIGH_HZ, LOW_HZ, RED, blinks, refusal, state_shown

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


if TYPE_CHECKING:
    from stimfw.ui.feedback import Pattern

_MIDDLE_HZ = const(1000)
_LONG_MS = const(600)
_SHORT_MS = const(250)
_MOST_SESSIONS = const(10)
"""Of a day (stimfw.therapy.prescription)."""

# What a person is to do: the meaning of a refusal, and of a fault.
WAIT = 1  # it is not time yet
LATER = 2  # try again later, or at another place
CLINIC = 3  # call the clinic
CLINICIAN = 4  # nothing that a patient's remote asks for
DOCTOR = 5  # stop, and see a doctor

_FIRST_REASON = const(14)
# Of reasons 14, 15, ...: what to do << 4 | which of these. The numbers: stimfw.protocol.therapy_reasons.
_REASONS = b"\x41\x42\x31\x11\x12\x13\x21\x32\x22\x33\x34\x35\x43\x44\x45\x46\x47\x36\x14"

DARK: "Pattern" = ((0, 0, 500),)
_TICK: "Pattern" = ((0, _MIDDLE_HZ, 100), (0, 0, 150))
_DONE: "Pattern" = ((GREEN, 0, 400), (0, 0, 200))
_TO_COME: "Pattern" = ((AMBER, 0, 400), (0, 0, 200))

TRY_LATER: "Pattern" = ((AMBER, LOW_HZ, 500), (AMBER, 0, 500), (0, 0, 250)) * 2
CALL_CLINIC: "Pattern" = ((RED | AMBER, _MIDDLE_HZ, 500), (0, 0, 250)) * 3
SEE_DOCTOR: "Pattern" = ((RED, HIGH_HZ, 250), (RED, LOW_HZ, 250)) * 4

_STATES: "tuple[Pattern, ...]" = (
    ((AMBER, 0, 1000),),  # unconfigured
    ((AMBER, 0, 500), (0, 0, 500), (AMBER, 0, 500)),  # healing
    ((GREEN, 0, 1000), (AMBER, 0, 250)),  # stopped: it can begin again
    ((GREEN, 0, 500), (0, 0, 500), (GREEN, 0, 500), (0, 0, 500), (GREEN, 0, 500)),  # complete
    ((GREEN, 0, 150), (AMBER, 0, 150), (GREEN, 0, 150), (AMBER, 0, 150)),  # interference
    ((GREEN | AMBER | RED, 0, 1000),),  # MRI mode
    ((GREEN | AMBER | RED, 0, 250), (0, 0, 250), (GREEN | AMBER | RED, 0, 250)),  # storage
    blinks(GREEN, 4, 150),  # test train: the output is on
)
"""From the state after messages.FAULT on."""


def status(state: int, magnet: bool) -> "Pattern":
    """One beep, then a state beyond messages.FAULT. One that nobody knows is shown as the last: output on."""
    return state_shown(_STATES[min(state - messages.FAULT, len(_STATES)) - 1], magnet)


def refused(reason: int) -> "Pattern":
    """Two beeps, then `code`."""
    return refusal(code(reason))


def code(reason: int) -> "Pattern":
    """Why it refuses (stimfw.protocol.therapy_reasons): long amber blinks: what to do; short ones: which."""
    index = reason - _FIRST_REASON
    if not 0 <= index < len(_REASONS):
        return ((AMBER, 0, 1000),)
    long, short = _REASONS[index] >> 4, _REASONS[index] & 15
    return ((AMBER, 0, _LONG_MS), (0, 0, _SHORT_MS)) * long + blinks(AMBER, short, _SHORT_MS)


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
    return DARK + _TICK * 3 + code(reason) if reason >= _FIRST_REASON else ()


def meaning(what: int) -> "Pattern":
    """What a person is to do about a fault: LATER, CLINIC or DOCTOR."""
    shown = SEE_DOCTOR if what == DOCTOR else TRY_LATER if what == LATER else CALL_CLINIC
    return DARK + shown
