"""What the remote knows of an implanted stimulator: what THERAPY says, and the time.

Imported when a stimulator first says that it is implanted. Times are those of time.ticks_ms().
"""

import struct
from typing import TYPE_CHECKING

from micropython import const

from stimfw.clock.ticks import elapsed_ms, later_ms
from stimfw.protocol import asking, messages, requests
from stimfw.ui import fault_meanings, feedback, therapy_feedback

if TYPE_CHECKING:
    from stimfw.ui.feedback import Pattern

_STOPPED = const(9)
_INTERFERENCE = const(11)
_SESSION = (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST, _INTERFERENCE)
_AGAIN_S = const(3600)
"""So long after THERAPY a look of the watch asks again: a time of an hour ago may be 0.1 s wrong (30 ppm)."""


class TherapyView:
    """The latest answer to THERAPY, and the time that it said.

    Attributes:
        shown: a person waits for the answer.
    """

    def __init__(self) -> None:
        self.shown = False
        self._base_s = 0  # since 1970, as the stimulator said; 0: it never did
        self._kept_s = 0  # since then
        self._asked_s = _AGAIN_S  # since THERAPY was asked for
        self._since_ms = 0

    def keep_time(self, now_ms: int) -> None:
        """Count on. To be called every few days at the least: the ticks begin again after 12."""
        passed_s = elapsed_ms(now_ms, self._since_ms) // 1000
        if passed_s:
            self._kept_s += passed_s
            self._asked_s = min(_AGAIN_S, self._asked_s + passed_s)
            self._since_ms = later_ms(self._since_ms, 1000 * passed_s)

    def wants_time(self) -> bool:
        """Whether the watch is to ask for THERAPY: not more than once an hour, whatever the answer."""
        return self._asked_s >= _AGAIN_S

    def asked(self, shown: bool, now_ms: int) -> None:
        """THERAPY is asked for now. shown: a person waits for the answer."""
        self.keep_time(now_ms)
        self.shown = shown
        self._asked_s = 0

    def answered(self, reply: bytes, now_ms: int) -> "tuple[Pattern, bytes]":
        """What to show behind the state, and the body of a KEPT_TIME that is due, or b"".

        A known time is kept from now on. One that is unknown there and kept here is due.
        reply: to THERAPY, b"" if there was none. A refusal shows nothing, and neither does nonsense.
        """
        if not reply:
            return therapy_feedback.DARK + feedback.NO_ANSWER, b""
        try:
            code, body = messages.parse_reply(requests.THERAPY, reply)
            if code != messages.OK:
                return (), b""
            told = asking.named_reply(requests.row_of(requests.THERAPY), body)
        except ValueError:
            return (), b""
        if told["clock_known"]:
            self._base_s, self._kept_s, self._since_ms = told["time_s"], 0, now_ms
            return _pattern(told), b""
        self.keep_time(now_ms)
        return _pattern(told), struct.pack("<I", self._base_s + self._kept_s) if self._base_s else b""


def _pattern(told: "dict[str, int]") -> "Pattern":
    """Progress, what is left of today, why nothing begins, and what a fault means: what of it there is."""
    state = told["state"]
    shown: "Pattern" = ()
    if state in _SESSION:
        shown = therapy_feedback.progress(told["elapsed_s"], told["session_s"])
    if told["sessions_a_day"]:
        shown = shown + therapy_feedback.today(told["sessions_left"], told["sessions_a_day"])
    if state == messages.READY or state == _STOPPED:
        shown = shown + therapy_feedback.why_not(told["reason"])
    if told["fault"] or state == messages.FAULT:
        return shown + therapy_feedback.meaning(fault_meanings.of(told["fault"]))
    return shown + therapy_feedback.meaning(therapy_feedback.CLINIC) if told["battery"] else shown
