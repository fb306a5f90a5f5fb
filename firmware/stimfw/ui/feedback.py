"""What the remote shows and sounds: patterns, and the player that steps through them.

A pattern is a tuple of (lights, tone in Hz, duration in ms). docs/remote.md has the table for users.
"""

from typing import TYPE_CHECKING

from stimfw.clock.ticks import elapsed_ms
from stimfw.protocol import messages

if TYPE_CHECKING:
    Pattern = tuple[tuple[int, int, int], ...]

GREEN = 1
AMBER = 2
RED = 4

HIGH_HZ = 2000
LOW_HZ = 400

_BEEP = ((0, HIGH_HZ, 100),)
_PAUSE = ((0, 0, 250),)

DELIVERED = ((GREEN, HIGH_HZ, 100), (GREEN, 0, 400))
NO_ANSWER = ((RED, LOW_HZ, 1000),)
NO_RADIO = ((RED, LOW_HZ, 150), (0, 0, 150)) * 3
NO_FLASH = ((AMBER, LOW_HZ, 150), (0, 0, 150)) * 3
NO_FLASH_STOP = NO_ANSWER + _PAUSE + NO_FLASH
"""STOP did nothing: as without an answer, then why."""
LOW_BATTERY = ((AMBER | RED, 0, 100), (0, 0, 100)) * 2

PAIRING_BEGUN = ((AMBER, HIGH_HZ, 100),)
"""Then dark until the code is shown, which is no pattern: amber follows the stimulator's light."""
TOO_EARLY = ((0, LOW_HZ, 100),)
"""START before the code was shown once as a whole: not taken."""
PAIRED = ((GREEN, 1000, 150), (GREEN, 1500, 150), (GREEN, HIGH_HZ, 150), (GREEN, 0, 550))
NOT_PAIRED = ((RED, LOW_HZ, 250), (AMBER, 0, 250)) * 2 + ((RED, 0, 250), (AMBER, 0, 250))

LINK_LOST = ((RED, HIGH_HZ, 150), (GREEN, LOW_HZ, 150)) * 3
"""Nothing else changes between two tones, or from red to green: it comes without a press."""
LINK_BACK = ((GREEN, HIGH_HZ, 250),)
SESSION_OVER = ((GREEN, HIGH_HZ, 150), (AMBER, 1000, 150))

FAILED_NO_WINDOW = 1
FAILED_NOT_ALIKE = 2
FAILED_REFUSED = 3


# Of an implanted stimulator: the states after messages.FAULT. Numbers, so that the table lies in flash: 1 is
# green, 2 amber, 4 red, 7 all three.
_IMPLANTED: "tuple[Pattern, ...]" = (
    ((2, 0, 1000),),  # unconfigured
    ((2, 0, 500), (0, 0, 500), (2, 0, 500)),  # healing
    ((1, 0, 1000), (2, 0, 250)),  # stopped: it can begin again
    ((1, 0, 500), (0, 0, 500), (1, 0, 500), (0, 0, 500), (1, 0, 500)),  # complete
    ((1, 0, 150), (2, 0, 150), (1, 0, 150), (2, 0, 150)),  # interference
    ((7, 0, 1000),),  # MRI mode
    ((7, 0, 250), (0, 0, 250), (7, 0, 250)),  # storage
)

# Of reasons 14, 15, ... (stimfw.protocol.therapy_reasons): what to do << 4 | which of these. What to do:
# 1 wait, 2 later or elsewhere, 3 call the clinic, 4 nothing that a patient's remote asks for.
_REASONS = b"\x41\x42\x31\x11\x12\x13\x21\x32\x22\x33\x34\x35\x43\x44\x45\x46\x47\x36\x14"


def blinks(lights: int, count: int, on_ms: int = 250) -> "Pattern":
    """`count` equal blinks."""
    return ((lights, 0, on_ms), (0, 0, on_ms)) * count


def refused(reason: int) -> "Pattern":
    """Two beeps, then `reason_code`."""
    return _BEEP + ((0, 0, 100),) + _BEEP + _PAUSE + reason_code(reason)


def reason_code(reason: int) -> "Pattern":
    """Amber blinks the number of a messages.REASON; one long light if there is none.

    Of a therapy's reason, above messages.REASON_RANDOM, long blinks say what to do, short ones which it is.
    """
    if 0 < reason <= messages.REASON_RANDOM:
        return blinks(AMBER, reason)
    index = reason - messages.REASON_RANDOM - 1
    if not 0 <= index < len(_REASONS):
        return ((AMBER, 0, 1000),)
    return ((AMBER, 0, 600), (0, 0, 250)) * (_REASONS[index] >> 4) + blinks(AMBER, _REASONS[index] & 15)


def pairing_failed(count: int) -> "Pattern":
    """A long low beep, then red and amber together `count` times: a FAILED_... above."""
    return ((0, LOW_HZ, 1000),) + _PAUSE + blinks(RED | AMBER, count)


def status(state: int, magnet: bool) -> "Pattern":
    """One beep, then the stimulator's state."""
    if state == messages.READY:
        shown: "Pattern" = ((GREEN, 0, 1000),)
    elif state == messages.REST:
        shown = blinks(GREEN, 2, 150)
    elif state == messages.MEASURING:
        shown = ((GREEN | AMBER, 0, 1000),)
    elif state == messages.FAULT:
        shown = blinks(RED, 3)
    elif messages.FAULT < state <= messages.FAULT + len(_IMPLANTED):
        shown = _IMPLANTED[state - messages.FAULT - 1]
    else:
        shown = blinks(GREEN, 4, 150)  # the output is on
    if magnet:
        shown = shown + _PAUSE + blinks(AMBER, messages.REASON_MAGNET)
    return _BEEP + shown


class Player:
    """Steps through a pattern. `lights` and `tone_hz` are what is to be shown now."""

    def __init__(self) -> None:
        self.lights = 0
        self.tone_hz = 0
        self._steps: "Pattern" = ()
        self._index = 0
        self._since_ms = 0

    def play(self, pattern: "Pattern", now_ms: int) -> None:
        """Show `pattern` from now on, in place of the present one; () is dark and silent."""
        self._steps = pattern
        self._index = 0
        self._since_ms = now_ms
        self._show()

    def add(self, pattern: "Pattern", now_ms: int) -> None:
        """Show `pattern` behind the present one."""
        if self.playing():
            self._steps = self._steps + pattern
        else:
            self.play(pattern, now_ms)

    def update(self, now_ms: int) -> None:
        """Go on to the step that is due. Late calls do not shorten the steps that follow."""
        if self._index < len(self._steps) and self.wait_ms(now_ms) == 0:
            self._index += 1
            self._since_ms = now_ms
            self._show()

    def playing(self) -> bool:
        """Whether the pattern has not ended."""
        return self._index < len(self._steps)

    def wait_ms(self, now_ms: int) -> int:
        """Time until the next step; -1 if there is none."""
        if not self.playing():
            return -1
        return max(0, self._steps[self._index][2] - elapsed_ms(now_ms, self._since_ms))

    def _show(self) -> None:
        if self._index < len(self._steps):
            self.lights, self.tone_hz = self._steps[self._index][:2]
        else:
            self.lights = self.tone_hz = 0
