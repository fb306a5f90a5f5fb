"""When a session may begin: what the day has seen, through every reset and every loss of the clock.

Days are those of UTC, numbered since 1970. A session counts when it begins, for the day on which it begins.
What is not known counts against the user, never for them:

- While the clock is unknown (time 0) no new day begins, and the time since the last session counts from
  this start.
- A session that begins under an unknown clock also counts for the day at which the clock comes back.
- A session that a reset ended counts whole.

Pure integers; the caller keeps `pack()` on flash (layout.PROGRESS) before the output goes on, and after it
went off.
"""

import struct
from typing import TYPE_CHECKING

from stimfw.protocol import messages, therapy_reasons
from stimfw.therapy import limits
from stimfw.therapy.battery import END_OF_SERVICE, Battery
from stimfw.therapy.battery import PACKED_BYTES as _BATTERY_BYTES

if TYPE_CHECKING:
    from stimfw.therapy.prescription import Prescription

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


DAY_SECONDS = const(86_400)
FIRST_S = const(1_000_000_000)
"""A time before this (2001) is no Unix time of this device."""
KEPT_DAYS = const(400)
"""How far beyond the last known time a remote's kept time is believed."""
UNKNOWN_S = 0xFFFFFFFF
"""Of `next_s`: only a clock that is set again can tell."""

VERSION = const(1)
_FORMAT = "<BBIHBIIBIHHH"
PACKED_BYTES = struct.calcsize(_FORMAT) + _BATTERY_BYTES

_RUNNING = const(1)  # a session has begun and not ended
_LOST = const(2)  # which day it is, is not known, and all of it is used up
_EVER = const(4)  # there was a session once
_UNSURE = const(8)  # the session that runs began under an unknown clock
_MOST_SESSIONS = const(255)
_MOST_S = 0xFFFFFFFF
_NUMBERS = const(0xFFFF)


class Schedule:
    """What the day has seen. Nothing here looks at a clock: each call says what time it is.

    Attributes:
        floor_s: the last time that was known, seconds since 1970; the clock does not go back before it.
        day: since 1970, that the two counts below are of; 0: there never was a session.
        sessions_today, stim_s_today: sessions that began, and their seconds.
        last_end_s: when the last session ended; 0: not known, or none did.
        number: of the last session, u16, from 1 on; 0: there was none.
        version: number of the prescription in force: of the last session, or what the caller sets it to.
        was_interrupted: a reset ended the last session before this object was made.
        battery: battery.Battery.
    """

    def __init__(self, payload: "bytes | None" = None) -> None:
        """Args: payload: what `pack` gave; None: a new device.

        Raises:
            ValueError: it is no such payload: go on with `lost()`.
        """
        self._flags = self.floor_s = self.day = self.sessions_today = self.stim_s_today = 0
        self.last_end_s = self.number = self.version = 0
        self._unsure_sessions = self._unsure_s = self._planned_s = 0
        self._end_uptime_s = 0  # in this start; 0 as well if the last end was before it
        self.was_interrupted = False
        self.battery = Battery()
        if payload is not None:
            self._take_over(payload)

    def _take_over(self, payload: bytes) -> None:
        size = struct.calcsize(_FORMAT)
        if len(payload) != PACKED_BYTES or payload[0] != VERSION:
            raise ValueError("progress of %d bytes" % len(payload))
        (
            _,
            self._flags,
            self.floor_s,
            self.day,
            self.sessions_today,
            self.stim_s_today,
            self.last_end_s,
            self._unsure_sessions,
            self._unsure_s,
            self._planned_s,
            self.number,
            self.version,
        ) = struct.unpack(_FORMAT, payload[:size])
        self.battery = Battery(payload[size:])
        if self._flags & _RUNNING:
            self.was_interrupted = True
            self._end(0, 0, self._planned_s)

    def pack(self) -> bytes:
        """PACKED_BYTES bytes."""
        return (
            struct.pack(
                _FORMAT, VERSION, self._flags, self.floor_s, self.day, self.sessions_today, self.stim_s_today,
                self.last_end_s, self._unsure_sessions, self._unsure_s, self._planned_s, self.number,
                self.version,
            )
            + self.battery.pack()
        )  # fmt: skip

    # The clock.

    def clock_refused(self, time_s: int, by_clinician: bool) -> bool:
        """Whether this time is not believed: it is none, before the last known one, or far beyond it.

        A clinician may set any time. A remote (`by_clinician` False) tells the time that it has kept: it
        must not be before `floor_s`, nor more than KEPT_DAYS after it; without a floor it is not believed
        at all.
        """
        if not FIRST_S <= time_s < _MOST_S:
            return True
        if by_clinician:
            return False
        return not self.floor_s <= time_s <= self.floor_s + KEPT_DAYS * DAY_SECONDS

    def clock_set(self, time_s: int, by_clinician: bool) -> None:
        """It is now `time_s` seconds since 1970. Setting it back starts no day anew: today's counts stay.

        Raises:
            ValueError: `clock_refused`; nothing has changed.
        """
        if self.clock_refused(time_s, by_clinician):
            raise ValueError("time %d, the last one was %d" % (time_s, self.floor_s))
        if time_s < self.floor_s:
            self.floor_s = time_s
            self.day = min(self.day, time_s // DAY_SECONDS)
            self.last_end_s = min(self.last_end_s, time_s)
        self.seen(time_s)

    def seen(self, time_s: int) -> None:
        """The clock shows `time_s` (0: unknown). A new day begins here, unless a session runs."""
        if not self._is_known(time_s):
            return
        self.floor_s = time_s
        if self._flags & _RUNNING:
            return
        today = time_s // DAY_SECONDS
        if self._flags & _LOST:
            self._flags &= ~_LOST
            self.day = today
        elif today > self.day:
            self.day = today
            self.sessions_today = self._unsure_sessions
            self.stim_s_today = self._unsure_s
        self._unsure_sessions = self._unsure_s = 0

    def _is_known(self, time_s: int) -> bool:
        """A clock that shows less than it did is none."""
        return time_s >= FIRST_S and time_s >= self.floor_s

    # What is left.

    def refusal(self, time_s: int, uptime_s: int, prescription: "Prescription | None") -> int:
        """Why no session may begin now: a reason of stimfw.protocol.therapy_reasons; REASON_NONE: one may.

        Args:
            time_s: seconds since 1970; 0: the clock is unknown.
            uptime_s: since this start.
            prescription: None if there is none.
        """
        self.seen(time_s)
        if prescription is None:
            return therapy_reasons.UNCONFIGURED
        if self.battery.state == END_OF_SERVICE:
            return therapy_reasons.END_OF_SERVICE
        known = self._is_known(time_s)
        if self.floor_s < prescription.activation_s or not prescription.activation_s:
            return therapy_reasons.HEALING if known else therapy_reasons.CLOCK_UNKNOWN
        reason = self._used_up(prescription)
        if reason:
            return reason if known else therapy_reasons.CLOCK_UNKNOWN
        if self._wait_s(time_s, uptime_s, prescription.between_s):
            return therapy_reasons.TOO_SOON
        return messages.REASON_NONE

    def _used_up(self, prescription: "Prescription") -> int:
        if self._flags & _LOST or self.sessions_today >= prescription.sessions_a_day:
            return therapy_reasons.DAY_COMPLETE
        if self.stim_s_today + prescription.session_s > limits.DAY_S:
            return therapy_reasons.DAY_LIMIT
        return messages.REASON_NONE

    def _wait_s(self, time_s: int, uptime_s: int, between_s: int) -> int:
        """Seconds until `between_s` have surely passed since the last session's end."""
        if not self._flags & _EVER:
            return 0
        # Uptime cannot be set: within one start it alone counts, so that no clock shortens the time.
        passed = uptime_s - self._end_uptime_s
        if not self._end_uptime_s and self.last_end_s and self._is_known(time_s):
            passed = max(passed, time_s - self.last_end_s)
        return max(0, between_s - passed)

    def sessions_left(self, time_s: int, prescription: "Prescription | None") -> int:
        """How many sessions may still begin today."""
        if not self._flags & _RUNNING:  # a session's day is that of its beginning
            self.seen(time_s)
        if prescription is None or self._flags & _LOST:
            return 0
        by_time: int = max(0, limits.DAY_S - self.stim_s_today) // prescription.session_s
        return min(max(0, prescription.sessions_a_day - self.sessions_today), by_time)

    def next_s(self, time_s: int, uptime_s: int, prescription: "Prescription | None") -> int:
        """Seconds until a session may begin, as far as is known here; 0: now; or UNKNOWN_S."""
        reason = self.refusal(time_s, uptime_s, prescription)
        if prescription is None or reason in (therapy_reasons.CLOCK_UNKNOWN, therapy_reasons.END_OF_SERVICE):
            return UNKNOWN_S
        wait_s = self._wait_s(time_s, uptime_s, prescription.between_s)
        if reason == therapy_reasons.HEALING:
            if not prescription.activation_s:
                return UNKNOWN_S
            return max(wait_s, prescription.activation_s - time_s)
        if reason in (therapy_reasons.DAY_COMPLETE, therapy_reasons.DAY_LIMIT):
            wait_s = max(wait_s, (self.day + 1) * DAY_SECONDS - time_s)
        return wait_s

    # Sessions.

    def began(self, time_s: int, uptime_s: int, prescription: "Prescription", version: int) -> int:
        """A session begins: it is used up from here on. Its number.

        Raises:
            ValueError: `refusal` has a reason, or one runs.
        """
        if self._flags & _RUNNING or self.refusal(time_s, uptime_s, prescription):
            raise ValueError("no session may begin")
        self._flags |= _RUNNING | _EVER
        self._planned_s = prescription.session_s
        self.version = version
        self.number = self.number % _NUMBERS + 1
        self.day = max(self.day, self.floor_s // DAY_SECONDS)
        self.sessions_today = min(_MOST_SESSIONS, self.sessions_today + 1)
        if not self._is_known(time_s):
            self._flags |= _UNSURE
            self._unsure_sessions = min(_MOST_SESSIONS, self._unsure_sessions + 1)
        return self.number

    def ended(self, time_s: int, uptime_s: int, elapsed_s: int) -> None:
        """The session is over, `elapsed_s` after it began. Nothing happens if none runs."""
        if self._flags & _RUNNING:
            # What the last contraction took beyond the planned time is not held against the next session.
            self._end(time_s, max(1, uptime_s), min(elapsed_s, self._planned_s))

    def _end(self, time_s: int, uptime_s: int, elapsed_s: int) -> None:
        self.stim_s_today = min(_MOST_S, self.stim_s_today + elapsed_s)
        if self._flags & _UNSURE:
            self._unsure_s = min(_MOST_S, self._unsure_s + elapsed_s)
        self._flags &= ~(_RUNNING | _UNSURE)
        self.last_end_s = time_s if self._is_known(time_s) else 0
        self._end_uptime_s = uptime_s
        self._planned_s = 0
        self.seen(time_s)

    def is_running(self) -> bool:
        """Whether a session has begun and not ended."""
        return bool(self._flags & _RUNNING)


def lost(floor_s: int = 0) -> Schedule:
    """In the place of a payload that cannot be read: today is used up, and the clock must be set first.

    Args:
        floor_s: a time that surely has passed (when the prescription was set), so that a remote's kept time
            can be judged; 0: none is known, and only a clinician can set the clock.
    """
    one = Schedule()
    one.floor_s = floor_s
    one._flags = _LOST | _EVER
    one.sessions_today = _MOST_SESSIONS
    return one
