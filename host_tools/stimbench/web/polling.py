"""What the stimulator says of itself, asked at times of the bench: with or without a page.

Each question is a request over USB, which the firmware answers. So it belongs to the run: its time follows
from the bench's time and from the run's actions, whoever looks. It keeps the board's processor busy for 14
ms, which costs the emulator as much as a sixth of a second of pulses. So a bench at which nobody does
anything is asked less often.
"""

from __future__ import annotations

from typing import Any

from stimbench.client.stimulator import Stimulator
from stimbench.errors import StimbenchError

__all__ = ("POLL_NUMBERS_FROM", "POLL_TIMEOUT_S", "TOLD_NOTHING", "Poll")

_PERIOD_NS = 1_000_000_000
_SOON_NS = 500_000_000
"""The period for a while after an action."""
_WHILE_NS = 5_000_000_000
POLL_TIMEOUT_S = 0.1
POLL_NUMBERS_FROM = 128
"""Numbers of requests, apart from those of actions."""
TOLD_NOTHING: dict[str, Any] = {"answers": False}


class Poll:
    """Asks for the stimulator's state, and remembers it."""

    def __init__(self, stimulator: Stimulator) -> None:
        """Ask `stimulator`; its console lets time pass."""
        self._stimulator = stimulator
        self.due_ns = _SOON_NS
        """The bench's time of the next question."""
        self._soon_until_ns = _WHILE_NS
        self.told: dict[str, Any] = TOLD_NOTHING
        """`answers`; if so, the fields of client.records.Status, states in words."""

    def acted(self, now_ns: int) -> None:
        """Somebody has done something: what comes of it is asked soon."""
        self._soon_until_ns = now_ns + _WHILE_NS
        self.due_ns = min(self.due_ns, _multiple_behind(now_ns, _SOON_NS))

    def plan(self, now_ns: int) -> None:
        """The board was asked: when is the next time?"""
        self.due_ns = _multiple_behind(now_ns, _SOON_NS if now_ns < self._soon_until_ns else _PERIOD_NS)

    def ask(self) -> None:
        """Ask once. A board that does not answer is a state like others."""
        try:
            if self._stimulator.identity.role != self._stimulator.ROLE:
                self._stimulator.require_role()
            status = self._stimulator.status()
        except StimbenchError as error:
            self.told = {"answers": False, "why": str(error)}
            return
        self.told = {
            "answers": True,
            "state": status.state_name,
            "stop_cause": status.stop_name,
            "magnet": status.magnet,
            "failed_parts": list(status.failed_parts),
            "programmed_ua": list(status.amplitude_ua),
            "session_s": status.session_s,
            "supply_mv": status.supply_mv,
            "pairing_window": status.pairing_window,
            "calibration": status.calibration,
            "implanted": status.implanted,
            "firmware": f"{self._stimulator.identity.version} {self._stimulator.identity.build}",
        }


def _multiple_behind(now_ns: int, period_ns: int) -> int:
    return (now_ns // period_ns + 1) * period_ns
