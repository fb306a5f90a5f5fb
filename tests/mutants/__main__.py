"""`python -m mutants [MODULE ...]`: run what was not run, print the table, fail on what is stale or low."""

import argparse
import sys

from mutants import explained, sessions

LIMIT = 0.95
HEAD = f"{'module':32}  mutants  killed  survived  explained  open   share  hours"


def row(name, mutants, killed, explained_, open_, seconds):
    share = (killed + explained_) / mutants if mutants else 1.0
    counts = f"{mutants:8} {killed:7} {mutants - killed:9} {explained_:10} {open_:5}"
    return f"{name:32} {counts} {share:7.1%} {seconds / 3600:6.2f}"


def main():
    table = sessions.modules()
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="such as therapy/ranges; without any: all of modules.toml")
    parser.add_argument("--show", action="store_true", help="run nothing; print what the last run found")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.modules if name not in table]
    if unknown:
        parser.error(f"not in modules.toml: {', '.join(unknown)}")
    known = explained.entries()
    results, tallies, missing, seconds = {}, [], [], 0.0
    print(HEAD, flush=True)
    for module in arguments.modules or table:
        session = sessions.Session(module, table[module])
        if not arguments.show:
            session.run()
        if not session.is_complete():
            missing.append(module)
            continue
        results[module] = session.mutants()
        tally = explained.judge(module, results[module], known)
        tallies.append(tally)
        seconds += session.state()["seconds"]
        spent = session.state()["seconds"]
        print(row(module, tally.mutants, tally.killed, tally.explained, len(tally.open), spent), flush=True)
    sums = [sum(getattr(t, name) for t in tallies) for name in ("mutants", "killed", "explained")]
    print(row("all of these", *sums, sum(len(t.open) for t in tallies), seconds))
    return report(tallies, explained.stale(results, known), missing)


def report(tallies, stale, missing):
    """Name what is open, stale, below the limit or was not run; the exit status."""
    for tally in tallies:
        for mutant in sorted(tally.open, key=lambda m: (m.where, m.line)):
            print(f"\nopen: {tally.module} {mutant.where}\n  - {mutant.line}\n  + {mutant.becomes}")
    for entry, text in stale:
        print(f"\nstale: {entry.module}: nothing that survives makes\n  - {entry.line}\n  + {text}")
    for module in missing:
        print(f"\nnot run to its end: {module}")
    low = [tally.module for tally in tallies if tally.share < LIMIT]
    for module in low:
        print(f"\nbelow {LIMIT:.0%}: {module}")
    return 1 if stale or missing or low else 0


if __name__ == "__main__":
    sys.exit(main())
