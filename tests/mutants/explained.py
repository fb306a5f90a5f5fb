"""Which survivors are equivalent, and why: equivalent.toml, read and compared with what survived."""

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mutants.sessions import tidy

LIST = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Entry:
    """One line of a module, what mutants may make of it without any effect, and the reason.

    Attributes:
        module: as in modules.toml, or "*": every module that has the line.
        line: the text of the line.
        becomes: the texts that it may become.
        reason: why no test can tell, or why none is written.
        within: the function or class, where the line alone could be another one; otherwise "".
    """

    module: str
    line: str
    becomes: tuple[str, ...]
    reason: str
    within: str = ""

    def holds(self, module, mutant):
        return (
            self.module in (module, "*")
            and mutant.line == self.line
            and mutant.becomes in self.becomes
            and self.within in ("", mutant.where)
        )


def entries(path=LIST):
    """Those of the list, in its order."""
    found = []
    for table in tomllib.loads(path.read_text(encoding="utf-8"))["equivalent"]:
        becomes = tuple([tidy(text) for text in table["becomes"]])
        found.append(Entry(**{**table, "line": tidy(table["line"]), "becomes": becomes}))
    return found


@dataclass
class Tally:
    """What came of the mutants of a module."""

    module: str
    mutants: int
    killed: int
    explained: int
    open: list

    @property
    def share(self):
        """Killed or explained, 0 to 1."""
        return (self.killed + self.explained) / self.mutants if self.mutants else 1.0


def judge(module, mutants, known):
    """The tally of a module."""
    survivors = [mutant for mutant in mutants if not mutant.killed]
    unexplained = [m for m in survivors if not any(entry.holds(module, m) for entry in known)]
    return Tally(
        module, len(mutants), len(mutants) - len(survivors), len(survivors) - len(unexplained), unexplained
    )


def stale(results, known):
    """(entry, text) of each explanation that no survivor needs; `results`: module to all of its mutants."""
    found = []
    for entry in known:
        if entry.module != "*" and entry.module not in results:
            continue
        used = Counter()
        for module, mutants in results.items():
            used.update(m.becomes for m in mutants if not m.killed and entry.holds(module, m))
        if entry.module != "*" or used:
            found += [(entry, text) for text in entry.becomes if not used[text]]
    return found
