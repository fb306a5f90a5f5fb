"""Random walks over an implanted stimulator on the desk: `make walk`. See docs/desk.md.

    python -m support.desk_walk [--steps N] [--processes N] [--seed N]

A walk is many lives of LIFE_STEPS steps; the seed of a life says all that happens in it.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter

from support.desk_life import Life

# isort: split
from stimfw.protocol import messages

LIFE_STEPS = 2500
_TOLD_LIVES = 250


def life(seed, steps=LIFE_STEPS):
    """Live one life; visits of states, and what happened. What goes wrong says the seed."""
    one = Life(seed)
    try:
        one.run(steps)
    except Exception as error:
        raise AssertionError(f"life {seed}: {type(error).__name__}: {error}") from error
    return one.oracle.visits, one.seen


def _life(task):
    """The same for another process: visits, what happened, and what went wrong."""
    try:
        return (*life(*task), "")
    except AssertionError as error:
        return [0] * len(messages.STATE_NAMES), Counter(), str(error)


def walk(steps, processes, seed):
    """Live until so many steps are taken: visits of states, what happened, and what went wrong."""
    lives = -(-steps // LIFE_STEPS)
    tasks = [(seed + k, min(LIFE_STEPS, steps - k * LIFE_STEPS)) for k in range(lives)]
    visits, seen, wrong = [0] * len(messages.STATE_NAMES), Counter(), []
    with multiprocessing.Pool(processes) as pool:
        for done, (states, happened, error) in enumerate(pool.imap_unordered(_life, tasks), 1):
            visits = [one + other for one, other in zip(visits, states, strict=True)]
            seen.update(happened)
            if error:
                wrong.append(error)
                print(f"walk       {error}", flush=True)
            if done % _TOLD_LIVES == 0:
                print(f"walk       {done} of {lives} lives", flush=True)
    return visits, seen, wrong


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    visits, seen, wrong = walk(asked.steps, asked.processes, asked.seed)
    for name, times in zip(messages.STATE_NAMES, visits, strict=True):
        print(f"walk       {name:20} {times:10} times")
    never = [name for name, times in zip(messages.STATE_NAMES, visits, strict=True) if not times]
    print(
        f"walk       {asked.steps} steps, {seen['sessions']} sessions in {seen['days']} days; "
        f"{seen['starts']} starts, {seen['cuts']} after a cut inside flash; "
        f"{seen['prescriptions']} prescriptions kept, {seen['prescriptions refused']} refused; "
        f"states never reached: {', '.join(never) or 'none'}; "
        f"{len(wrong) or 'no'} lives in which something went wrong [{time.monotonic() - began:.0f} s]"
    )
    return 1 if never or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
