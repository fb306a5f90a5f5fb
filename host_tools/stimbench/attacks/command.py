"""`python -m stimbench.attacks [scale]`: carries out the attacks on a loopback and prints the table."""

from __future__ import annotations

import argparse
import math

from stimbench.attacks.registry import run_all, table


def main(words: list[str] | None = None) -> None:
    """Carry out all attacks.

    Args:
        words: a share of the tries, above 0; none for all tries. By default those of the command line.
    """
    parser = argparse.ArgumentParser(prog="stimbench.attacks", description="Attacks on the radio protocol.")
    parser.add_argument("scale", nargs="?", type=_share, default=1.0, help="share of the tries; default: 1")
    print(table(run_all(parser.parse_args(words).scale)))


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError(text)
    return value
