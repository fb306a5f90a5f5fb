"""Runs the tests of one mutant: `python runner.py test_ranges test_program_hypothesis`; 0 if it survived.

A mutant needs a fresh interpreter and little else. Files of plain functions are called here, without pytest;
only a mutant that survives these meets the files that need Hypothesis. A mutant that never ends is stopped by
the processor time that it uses, so a busy machine does not kill it.
"""

import importlib
import os
import resource
import signal
import sys
from pathlib import Path

PLAIN_LIMIT_S = 6
HYPOTHESIS_LIMIT_S = 30
MEMORY_LIMIT = 2 << 30
TREE = Path(__file__).resolve().parents[2]
PURE = TREE / "tests" / "pure"


def limit(seconds):
    """End the process by SIGVTALRM once it has used so much more time of the processor."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def run_plain(name):
    module = importlib.import_module(name)
    for test, function in vars(module).items():
        if test.startswith("test_"):
            function()


def run_hypothesis(names):
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import hypothesis
    import pytest

    hypothesis.settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None, max_examples=30
    )
    hypothesis.settings.load_profile("mutants")
    files = [str(next(PURE.rglob(name + ".py"))) for name in names]
    options = ["-x", "-q", "--noconftest", "--assert=plain", "-p", "no:cacheprovider", "-c", os.devnull]
    return pytest.main([*options, "--rootdir", str(TREE), "--import-mode=importlib", *files])


def main(names):
    sys.path[:0] = [str(TREE / "firmware"), str(TREE / "tests"), *map(str, PURE.iterdir())]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    limit(PLAIN_LIMIT_S)
    slow = [name for name in names if name.endswith("_hypothesis")]
    for name in names:
        if name not in slow:
            run_plain(name)
    if slow:
        limit(HYPOTHESIS_LIMIT_S)
        return run_hypothesis(slow)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
