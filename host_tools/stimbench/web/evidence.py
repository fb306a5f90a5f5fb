"""What a lesson's check looks at: the bench's record and state since its step began, and an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stimbench.analysis import LEAD_SIGNALS
from stimbench.bench import view, wiring
from stimbench.emulator.board import ResetCause
from stimbench.web import programs
from stimbench.web.desk import desk_of
from stimbench.web.eavesdropper import Frame
from stimbench.web.listening import ear_of
from stimbench.web.table import Stand

__all__ = ("LONG_BACK_NS", "RUNNING", "BenchEvidence", "Evidence", "Pulse")

RUNNING = frozenset({"ramp up", "hold", "ramp down", "rest"})
_BOARD = "stimulator"
_BACK_NS = 2_000_000_000
LONG_BACK_NS = 60_000_000_000
"""An answer may be about pulses before a rest."""


@dataclass(frozen=True)
class Pulse:
    """One pulse at the pins: its begin, and the lengths of its phases and of the gap, in ns."""

    start_ns: int
    cathodic_ns: int
    gap_ns: int
    anodic_ns: int


@dataclass
class Evidence:
    """What a check goes by.

    Attributes:
        now_ns, since_ns: bench time, and when the step began.
        state: the stimulator's, in words; empty if it does not answer.
        left_ua: the left lead's amplitude as it is set at this instant.
        pulses: by lead, of the last two seconds but not before the step (for an answer: of the last minute),
            oldest first.
        broken: as stimbench.bench.view.broken says it.
        magnet: whether it is at the stimulator.
        hung: whether the stimulator's processor stands still.
        watchdog: whether the watchdog has reset the stimulator since.
        program: the programme's fields; empty: not known.
        refused: why fields of the last programme were refused.
        frames: heard since the step began.
        measured_ns: when the board last measured all pairs, for a view; None: not yet.
        pair_ohm: by lead and pair (cathode, anode), what lies between the electrodes now.
        answer: the learner's number; None: none yet.
    """

    now_ns: int = 0
    since_ns: int = 0
    state: str = ""
    left_ua: int = 0
    pulses: Mapping[str, Sequence[Pulse]] = field(default_factory=lambda: {"left": (), "right": ()})
    broken: Sequence[str] = ()
    magnet: bool = False
    hung: bool = False
    watchdog: bool = False
    program: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[str] = ()
    frames: Sequence[Frame] = ()
    measured_ns: int | None = None
    pair_ohm: Mapping[tuple[str, int, int], float] = field(default_factory=dict)
    answer: float | None = None

    @property
    def running(self) -> bool:
        """Whether a session runs, or a test."""
        return self.state in RUNNING

    def quiet_ns(self) -> int:
        """For how long no pulse has come, at most since the step began."""
        last = [one.start_ns for found in self.pulses.values() for one in found]
        return self.now_ns - max(last, default=max(self.since_ns, self.now_ns - _BACK_NS))

    def answers(self, wanted: float | None, share: float = 0.02, within: float = 0.0) -> bool:
        """Whether the learner's number is `wanted`, up to a share of it or so much in its unit."""
        if self.answer is None or wanted is None:
            return False
        return abs(self.answer - wanted) <= max(abs(wanted) * share, within)


class BenchEvidence(Evidence):
    """Of a stand; each part is looked up when a check asks for it."""

    def __init__(
        self, stand: Stand, since_ns: int, answer: float | None = None, back_ns: int = _BACK_NS
    ) -> None:
        """Look at `stand` as it is now, and at its record so far back."""
        self._stand, self._back_ns = stand, back_ns
        self.now_ns, self.since_ns, self.answer = stand.now_ns, since_ns, answer
        told = stand.told
        self.state = str(told["state"]) if told.get("answers") else ""
        self.left_ua = int(told["programmed_ua"][0]) if told.get("answers") else 0

    @cached_property
    def pulses(self) -> Mapping[str, Sequence[Pulse]]:  # type: ignore[override]
        """See Evidence."""
        begin_ns = max(self.since_ns, self.now_ns - self._back_ns)
        return {lead: self._pulses(lead, begin_ns) for lead in LEAD_SIGNALS}

    def _pulses(self, lead: str, begin_ns: int) -> list[Pulse]:
        cathodic, anodic, _ = (
            _highs(self._stand.bench.trace.edges(_BOARD, signal, begin_ns, self.now_ns))
            for signal in LEAD_SIGNALS[lead]
        )
        found, at = [], 0
        for start_ns, end_ns in cathodic:
            while at < len(anodic) and anodic[at][0] < end_ns:
                at += 1
            if at == len(anodic):
                break
            second_ns, over_ns = anodic[at]
            found.append(Pulse(start_ns, end_ns - start_ns, second_ns - end_ns, over_ns - second_ns))
        return found

    @property
    def broken(self) -> Sequence[str]:  # type: ignore[override]
        """See Evidence."""
        return view.broken(self._stand.bench)

    @property
    def magnet(self) -> bool:  # type: ignore[override]
        """See Evidence."""
        return bool(wiring.magnet_contact(self._stand.bench.board(_BOARD)).closed)

    @property
    def hung(self) -> bool:  # type: ignore[override]
        """See Evidence."""
        return bool(self._stand.bench.board(_BOARD).hung)

    @property
    def watchdog(self) -> bool:  # type: ignore[override]
        """See Evidence."""
        resets = self._stand.bench.board(_BOARD).resets
        return any(at_ns >= self.since_ns and cause is ResetCause.WATCHDOG for at_ns, cause in resets)

    @property
    def program(self) -> Mapping[str, int]:  # type: ignore[override]
        """See Evidence."""
        return programs.remembered(self._stand) or {}

    @property
    def refused(self) -> Sequence[str]:  # type: ignore[override]
        """See Evidence."""
        return [str(one["why"]) for one in desk_of(self._stand).refused]

    @property
    def frames(self) -> Sequence[Frame]:  # type: ignore[override]
        """See Evidence."""
        return [one for one in ear_of(self._stand).frames if one.t_ns >= self.since_ns]

    @property
    def measured_ns(self) -> int | None:  # type: ignore[override]
        """See Evidence. The view "leads" notes it, and the clinician's desk."""
        in_leads = (self._stand.memory.get("leads") or {}).get("t_ns")
        known = [at for at in (in_leads, desk_of(self._stand).measured_ns) if at is not None]
        return max(known, default=None)

    @property
    def pair_ohm(self) -> Mapping[tuple[str, int, int], float]:  # type: ignore[override]
        """See Evidence."""
        leads = wiring.leads(self._stand.bench.board(_BOARD))
        return {
            (side, one.index, other.index): one.values.r_s_ohm + other.values.r_s_ohm
            for side, lead in leads.items()
            for one in lead.electrodes
            for other in lead.electrodes
            if one is not other
        }


def _highs(edges: Sequence[tuple[int, Any]]) -> list[tuple[int, int]]:
    """Begin and end of each time that a signal was high, whole ones only."""
    found, begin_ns = [], None
    for at_ns, level in edges:
        if level:
            begin_ns = at_ns
        elif begin_ns is not None:
            found.append((begin_ns, at_ns))
            begin_ns = None
    return found
