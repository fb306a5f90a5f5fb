"""docs/telemetry-vectors.json is what its maker makes, and its maker knows nothing of the firmware."""

import ast
from pathlib import Path

from stimbench.attacks import vectors
from stimbench.project import find_project_root


def test_the_file_is_up_to_date():
    written = (find_project_root() / vectors.PATH).read_text(encoding="utf-8")
    assert written == vectors.as_text(), "run python -m stimbench.attacks.vectors"


def test_the_maker_imports_nothing_of_the_firmware():
    tree = ast.parse(Path(vectors.__file__).read_text(encoding="utf-8"))
    names = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    assert not [name for name in names if name.startswith("stimfw")]
