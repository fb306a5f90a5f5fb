"""One cosmic-ray session for each module, on a copy of the tree, so that the checkout is never changed."""

import compileall
import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
BUILD = ROOT / "build" / "mutants"
COPIED = ("firmware/stimfw", "tests/pure", "tests/support", "tests/mutants", "docs/telemetry-vectors.json")
BACKSTOP_S = 300
"""The runner stops a mutant by its processor time, long before this."""

# Left out, by the name of the operator. What stays: every comparison by every other one of its kind, sums and
# products by each other, bit operations by each other, numbers by +1 and -1, conditions, loops, exceptions.
EXCLUDED = (
    # Whether two equal numbers are one object is the interpreter's affair.
    r"core/ReplaceComparisonOperator_(Eq|NotEq|Lt|LtE|Gt|GtE)_(Is|IsNot)$",
    # An order between objects that only `is` compares raises TypeError.
    r"core/ReplaceComparisonOperator_(Is|IsNot)_(Eq|NotEq|Lt|LtE|Gt|GtE)$",
    # Floats, where the code knows integers only; `//` and `*` are tried at the same place.
    r"core/ReplaceBinaryOperator_\w+_(Div|Pow)$",
    # Sums into bit operations and back: `+` and `|` of distinct bits are the same too often.
    r"core/ReplaceBinaryOperator_(Add|Sub|Mul|FloorDiv|Mod)_(BitOr|BitAnd|BitXor|LShift|RShift)$",
    r"core/ReplaceBinaryOperator_(BitOr|BitAnd|BitXor|LShift|RShift)_(Add|Sub|Mul|FloorDiv|Mod)$",
)


@dataclass(frozen=True)
class Mutant:
    """What a mutant changes, with single spaces, and what came of it."""

    where: str
    line: str
    becomes: str
    killed: bool


def modules():
    """Module name (without .py) to the names of its test files, in the order of modules.toml."""
    return tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))


def source_of(module):
    return ROOT / "firmware" / "stimfw" / (module + ".py")


def test_file(name):
    """The file of tests/pure of this name (without .py), in whichever folder it lies."""
    return next((ROOT / "tests" / "pure").rglob(name + ".py"))


def _digest(paths):
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.read_bytes())
    return found.hexdigest()


class Session:
    """Everything about one module under build/mutants. An interrupted session goes on where it stopped."""

    def __init__(self, module, tests):
        self.module = module
        self.tests = tests
        self.folder = BUILD / module.replace("/", "-")
        self.tree = self.folder / "tree"
        self.database = self.folder / "session.sqlite"
        self.config = self.folder / "config.toml"
        self._state_file = self.folder / "state.json"
        self._command = [sys.executable, "-B", str(self.tree / "tests" / "mutants" / "runner.py"), *tests]

    def state(self):
        """What the session was made of, and the wall time in seconds that it has taken."""
        if not self._state_file.exists():
            return {"source": "", "tests": "", "seconds": 0.0}
        return json.loads(self._state_file.read_text(encoding="utf-8"))

    def run(self):
        """Judge every mutant that was not judged yet; after a change of the tests, the survivors again.

        Raises:
            RuntimeError: the tests fail without any mutation.
        """
        began = time.monotonic()
        before = self.state()
        state = {"source": self._source_digest(), "tests": self._tests_digest(), "seconds": before["seconds"]}
        self._copy()
        self._configure()
        if subprocess.run(self._command, capture_output=True, check=False).returncode:
            raise RuntimeError(f"{self.module}: its tests fail without any mutation")
        if before["source"] != state["source"] or not self.database.exists():
            state["seconds"] = 0.0
            self._cosmic_ray("cosmic-ray", "init", "--force", self.config, self.database)
            self._cosmic_ray("cr-filter-operators", self.database, self.config)
        elif before["tests"] != state["tests"]:
            self._forget_survivors()
        self._state_file.write_text(json.dumps(state), encoding="utf-8")
        try:
            self._cosmic_ray("cosmic-ray", "exec", self.config, self.database)
        finally:
            state["seconds"] += time.monotonic() - began
            self._state_file.write_text(json.dumps(state), encoding="utf-8")

    def is_complete(self):
        """Whether every mutant of the source as it is was judged by the tests as they are."""
        state = self.state()
        if (state["source"], state["tests"]) != (self._source_digest(), self._tests_digest()):
            return False
        with _open(self.database) as database:
            return database.num_results == database.num_work_items

    def mutants(self):
        """Those that were judged."""
        from cosmic_ray.work_item import TestOutcome, WorkerOutcome

        found = []
        with _open(self.database) as database:
            for item, result in database.completed_work_items:
                if result.worker_outcome == WorkerOutcome.SKIPPED:
                    continue
                where = item.mutations[0].definition_name or ""
                line, becomes = changed(result.diff)
                found.append(Mutant(where, line, becomes, result.test_outcome != TestOutcome.SURVIVED))
        return found

    def _source_digest(self):
        return hashlib.sha256(source_of(self.module).read_bytes() + repr(EXCLUDED).encode()).hexdigest()

    def _tests_digest(self):
        tests = [test_file(name) for name in self.tests]
        return _digest([*tests, HERE / "runner.py", *(ROOT / "tests" / "support").glob("*.py")])

    def _copy(self):
        shutil.rmtree(self.tree, ignore_errors=True)
        for name in COPIED:
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, target)
        compileall.compile_dir(self.tree, quiet=1)
        # The mutated one is always read from its source.
        mutated = self.tree / "firmware" / "stimfw" / (self.module + ".py")
        for compiled in (mutated.parent / "__pycache__").glob(mutated.stem + ".*.pyc"):
            compiled.unlink()

    def _configure(self):
        command = json.dumps(shlex.join(self._command))
        self.config.write_text(
            "[cosmic-ray]\n"
            f'module-path = "firmware/stimfw/{self.module}.py"\n'
            f"timeout = {BACKSTOP_S}.0\n"
            "excluded-modules = []\n"
            f"test-command = {command}\n"
            '[cosmic-ray.distributor]\nname = "local"\n'
            "[cosmic-ray.filters.operators-filter]\n"
            f"exclude-operators = {json.dumps(EXCLUDED)}\n",
            encoding="utf-8",
        )

    def _cosmic_ray(self, *words):
        program = Path(sys.executable).parent / words[0]
        with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
            subprocess.run([program, *words[1:]], cwd=self.tree, stdout=log, stderr=log, check=True)

    def _forget_survivors(self):
        import sqlite3

        with sqlite3.connect(self.database) as connection:
            connection.execute("DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")


def _open(database):
    from cosmic_ray.work_db import WorkDB, use_db

    return use_db(database, WorkDB.Mode.open)


def changed(diff):
    """The lines that a unified diff takes away and those that it puts there, each as one text."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    old, new = ([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")
    return tidy("\n".join(old)), tidy("\n".join(new))


def tidy(text):
    """With single spaces and no line ends, so that layout does not count."""
    return " ".join(text.split())
