"""Attacks on the radio protocol, each a function that tries and counts: docs/attacks.md."""

from stimbench.attacks.registry import ATTACKS, SUCCEEDING, run_all, table
from stimbench.attacks.result import Attack, Result

__all__ = ("ATTACKS", "SUCCEEDING", "Attack", "Result", "run_all", "table")
