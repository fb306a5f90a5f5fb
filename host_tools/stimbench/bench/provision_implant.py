"""Makes the stimulator of a bench an implant before it is switched on: its records are put on flash.

For tests and demonstrations whose matter is not how it became one. The bytes are those that the board writes
itself, by the same code (stimfw.storage).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries, messages
from stimfw.storage.journal import Journal
from stimfw.storage.life import Life
from stimfw.storage.prescriptions import Prescriptions
from stimfw.therapy import prescription
from stimfw.therapy.prescription import Prescription

from stimbench.bench.provision import BlockView
from stimbench.errors import BenchError

if TYPE_CHECKING:
    from stimbench.bench.provision import Boards

__all__ = ("DEVICE_ID", "IMPLANTED_S", "SHORT_PLAN", "implant")

DEVICE_ID = b"bench-01"
IMPLANTED_S = 1_790_000_000
"""21 September 2026."""

SHORT_PLAN = prescription.default().replaced(
    {
        "left.amplitude_ua": 2000,
        "right.amplitude_ua": 3000,
        "left.width_us": 200,
        "ramp_up_ms": 1000,
        "ramp_down_ms": 1000,
        "on_ms": 3000,
        "off_ms": 5000,
        "session_s": 60,
        "between_s": 3600,
        "activation_s": IMPLANTED_S,
    }
)
"""A session of a minute with six contractions, both leads with pulses of their own."""


def implant(
    bench: Boards,
    plan: Prescription | None = SHORT_PLAN,
    device_id: bytes = DEVICE_ID,
    implanted_s: int = IMPLANTED_S,
    healing_days: int = 0,
) -> None:
    """Make the stimulator an implant, with a prescription if there is a `plan`.

    Args:
        bench: has not run yet.
        plan: None: unconfigured.
        device_id: 8 bytes.
        implanted_s: seconds since 1970.
        healing_days: see stimfw.storage.life.

    Raises:
        BenchError: time has passed on the bench, or there is no stimulator.
    """
    if bench.now_ns != 0:
        raise BenchError(f"{bench.now_ns} ns have passed: boards are provisioned before they run")
    view = BlockView(bench.board("stimulator").flash)
    journal = Journal(view)
    while journal.prepare():
        pass
    body = journal_entries.pack(journal_entries.IMPLANTED, device_id, healing_days)
    journal.append(journal_entries.IMPLANTED, messages.FROM_USB, implanted_s, body)
    Life(view).implant(device_id, implanted_s, healing_days)
    if plan is not None:
        Prescriptions(view).store(plan.pack(), messages.FROM_USB, implanted_s)
