"""What the stimulator says of itself, asked at fixed times of the bench: with or without a page.

Each question is a request over USB, which the firmware answers. So it belongs to the run: it comes at
multiples of half a second of emulated time, whoever looks.
"""

from __future__ import annotations

from typing import Any

from stimbench.client.stimulator import Stimulator
from stimbench.errors import StimbenchError

__all__ = ("PERIOD_NS", "POLL_NUMBERS_FROM", "POLL_TIMEOUT_S", "TOLD_NOTHING", "Poll")

PERIOD_NS = 500_000_000
POLL_TIMEOUT_S = 0.1
POLL_NUMBERS_FROM = 128
"""Numbers of requests, apart from those of actions."""
TOLD_NOTHING: dict[str, Any] = {"answers": False}


class Poll:
    """Asks for the stimulator's state, and remembers it."""

    def __init__(self, stimulator: Stimulator) -> None:
        """Ask `stimulator`; its console lets time pass."""
        self._stimulator = stimulator
        self.told: dict[str, Any] = TOLD_NOTHING
        """`answers`; if so, the fields of client.records.Status, states in words."""

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
