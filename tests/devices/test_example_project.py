"""The example project of the documentation, as a copy of it runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.emulated, pytest.mark.tools]

WITHOUT = ("pytest_embedded", "random_order", "cacheprovider", "xdist")
"""Plugins that a project of somebody else has no use for."""


@pytest.mark.slow
def test_it_passes_and_skips_nothing(root: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(root / "docs" / "examples" / "pulse-project", project)
    blocked = [word for name in WITHOUT for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", *blocked, "-W", "error"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and " 11 passed in " in done.stdout, done.stdout
    assert not (project / "stimbench-artefacts").exists()
