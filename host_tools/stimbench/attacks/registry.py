"""All attacks on a loopback, in the order of the report."""

from __future__ import annotations

from collections.abc import Sequence

from stimbench.attacks.exhaustion import draining, flooded
from stimbench.attacks.forgery import forged
from stimbench.attacks.listening import eavesdropping, nonces_reused, stolen_connection_key
from stimbench.attacks.pairing import middle, no_window, small_order
from stimbench.attacks.replay import delayed, desynchronised, reordered, replayed
from stimbench.attacks.result import Attack, Result
from stimbench.attacks.rights import escalation
from stimbench.attacks.rollback import rolled_back

__all__ = ("ATTACKS", "run_all", "table")

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
)


def run_all(scale: float = 1.0, seed: int = 1) -> list[Result]:
    """Carry all attacks out.

    Args:
        scale: share of each attack's full number of tries; each has a number that it does not go below.
        seed: of everything.

    Returns:
        A result for each attack, in the order of ATTACKS.
    """
    return [attack.run(max(attack.least, round(attack.tries * scale)), seed) for attack in ATTACKS]


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    lines = ["| attack | tries | successes | |", "|---|---|---|---|"]
    lines += [
        f"| {result.name} | {result.tries:,} | {result.successes} | {result.detail} |" for result in results
    ]
    return "\n".join(lines)
