"""The plugin's options on the command line and in pytest's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ("add_options", "artefacts_folder", "targets_file")

EMULATED = "emulated"


def add_options(parser: pytest.Parser) -> None:
    """Add them. pytest-embedded and labgrid have a `--target`; so ours all bear the plugin's name."""
    group = parser.getgroup("stimbench", "boards of the bench")
    group.addoption(
        "--stimbench-target",
        metavar="TARGETS",
        default=EMULATED,
        help="which boards are tested: `emulated` (the default: a bench for each test), a port, a serial "
        "number, a name in the file of targets, several separated by commas, or `all`",
    )
    group.addoption(
        "--stimbench-targets-file", metavar="FILE", type=Path, help="TOML file that describes wired targets"
    )
    group.addoption(
        "--stimbench-artefacts",
        metavar="DIR",
        type=Path,
        help="where traces of failed tests are kept (default: stimbench-artefacts in pytest's root folder)",
    )
    group.addoption(
        "--stimbench-results",
        metavar="DIR",
        type=Path,
        help="write _results.json there, in the form of MicroPython's run-tests.py",
    )
    group.addoption(
        "--stimbench-dut",
        action="store_true",
        help="let pytest-embedded's fixture `dut` be the stimulator (needs pytest-embedded-serial)",
    )
    parser.addini("stimbench_targets_file", "TOML file that describes wired targets", type="paths")


def targets_file(config: pytest.Config) -> Path | None:
    """The file of targets, if one was named."""
    named: Path | None = config.getoption("stimbench_targets_file")
    if named is not None:
        return named
    configured: list[Path] = config.getini("stimbench_targets_file")
    return configured[0] if configured else None


def artefacts_folder(config: pytest.Config) -> Path:
    """Where traces of failed tests are kept."""
    named: Path | None = config.getoption("stimbench_artefacts")
    return named or config.rootpath / "stimbench-artefacts"
