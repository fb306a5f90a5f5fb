"""Carry out the attacks on a loopback and print the table: `python -m stimbench.attacks [scale]`."""

import sys

from stimbench.attacks.registry import run_all, table

if __name__ == "__main__":
    print(table(run_all(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))
