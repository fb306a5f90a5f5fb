"""The pinned Python environment."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def names(lines: list[str]) -> set[str]:
    """Normalised distribution names of requirement lines."""
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines)
    return {re.sub(r"[-_.]+", "-", match.group()).lower() for match in found if match}


def lines_of(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def test_every_line_of_the_lock_is_one_exact_version():
    wrong = [line for line in lines_of("requirements.lock") if not re.fullmatch(r"[\w.-]+==[\w.]+", line)]
    assert not wrong


def test_lock_holds_what_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert names(lines_of("requirements.in")) <= names(lines_of("requirements.lock"))
    assert names(project["dependencies"]) <= names(lines_of("requirements.in"))


def test_environment_is_the_locked_one():
    locked = dict(line.split("==") for line in lines_of("requirements.lock") if "-stubs" not in line)
    installed = {name: metadata.version(name) for name in locked}
    assert installed == locked
