"""All attacks, in the order of the report."""

from __future__ import annotations

from collections.abc import Sequence

from stimbench.attacks.acknowledger import acknowledged
from stimbench.attacks.broken_boards import degraded_flash, stuck_source
from stimbench.attacks.clinic import outlived_window, washed_log
from stimbench.attacks.consent import alike_codes, not_consented
from stimbench.attacks.exhaustion import draining, flooded
from stimbench.attacks.forgery import forged
from stimbench.attacks.forgotten import forgotten_epochs
from stimbench.attacks.handshakes import (
    old_generations,
    other_generations,
    overheard_tokens,
    wanted_again,
)
from stimbench.attacks.held import held_back
from stimbench.attacks.in_step import flooded_20, flooded_45
from stimbench.attacks.listening import eavesdropping, nonces_reused, stolen_connection_key
from stimbench.attacks.lockout import duplicate_stop, highest_numbers
from stimbench.attacks.pairing import middle, no_window, small_order
from stimbench.attacks.rekeying import late_key, rekeyed
from stimbench.attacks.replay import delayed, desynchronised, reordered, replayed
from stimbench.attacks.result import Attack, Result
from stimbench.attacks.rights import escalation
from stimbench.attacks.rollback import rolled_back
from stimbench.attacks.values import extreme_values, unknown_roles

__all__ = ("ATTACKS", "SUCCEEDING", "run_all", "table")

_OPCODES_FOUR_WAYS = 1024

ATTACKS: tuple[Attack, ...] = (
    Attack("forged frames", forged, 1_000_000, 5000),
    Attack("replayed frames", replayed, 200_000, 4000),
    Attack("reordered frames", reordered, 10_000, 200),
    Attack("delayed frames", delayed, 1000, 60),
    Attack("counter rollback", rolled_back, 2000, 150),
    Attack("desynchronisation", desynchronised, 5000, 200),
    Attack("eavesdropping", eavesdropping, 300, 15),
    Attack("nonce reuse", nonces_reused, 20_000, 500),
    Attack("stolen connection key", stolen_connection_key, 100, 3),
    Attack("role escalation", escalation, 4 * _OPCODES_FOUR_WAYS, _OPCODES_FOUR_WAYS),
    Attack("draining", draining, 100_000, 8000),
    Attack("flooding", flooded, 60, 15),
    Attack("man in the middle of a pairing", middle, 2000, 60),
    Attack("pairing without a window or by replay", no_window, 200, 20),
    Attack("public keys of small order", small_order, 140, 28),
    Attack("passive acknowledger", acknowledged, 40, 2, on_bench=True),
    Attack("flood in step, 20 %", flooded_20, 200, 4, on_bench=True),
    Attack("flood in step, 45 %", flooded_45, 200, 8, on_bench=True),
    Attack("START held back", held_back, 80, 8, on_bench=True),
    Attack("duplicate STOP", duplicate_stop, 1000, 20),
    Attack("highest epoch or count", highest_numbers, 1000, 20),
    Attack("STOP wanted again", wanted_again, 20_000, 400),
    Attack("overheard tokens", overheard_tokens, 1000, 30),
    Attack("HELLOs of other generations", other_generations, 100_000, 1800),
    Attack("keys of old generations", old_generations, 100, 4),
    Attack("pairing without consent", not_consented, 100, 5, on_bench=True),
    Attack("codes that look alike", alike_codes, 1_000_000, 1_000_000),
    Attack("re-keying undone", rekeyed, 40, 4, on_bench=True),
    Attack("key given out long ago", late_key, 4, 1, on_bench=True),
    Attack("unknown roles", unknown_roles, 500, 12),
    Attack("stuck random source", stuck_source, 32, 4, on_bench=True),
    Attack("degraded flash", degraded_flash, 30, 3, on_bench=True),
    Attack("washed log", washed_log, 10, 1, on_bench=True),
    Attack("window that outlives its programme", outlived_window, 44, 4, on_bench=True),
    Attack("forgotten epochs", forgotten_epochs, 500, 20),
    Attack("extreme values", extreme_values, 500, 20, on_bench=True),
)

SUCCEEDING: tuple[Attack, ...] = ()
"""Attacks that succeed on the firmware of today. Whoever mends what one is about moves its row to ATTACKS."""


def run_all(scale: float = 1.0, seed: int = 1) -> list[Result]:
    """Carry all attacks out.

    Args:
        scale: share of each attack's full number of tries; each has a number that it does not go below.
        seed: of everything.

    Returns:
        A result for each attack, in the order of ATTACKS.
    """
    return [attack.run(attack.share(scale), seed) for attack in ATTACKS]


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    lines = ["| attack | tries | successes | |", "|---|---|---|---|"]
    lines += [
        f"| {result.name} | {result.tries:,} | {result.successes} | {result.detail} |" for result in results
    ]
    return "\n".join(lines)
