"""Which tests carry the mark of which control, read from their source: nothing is imported or run.

A mark is `@pytest.mark.control("C-07")`, or `@control("C-07")` of tests/support/control.py in the tests that
also run on MicroPython; on a function, a class, or a file (`pytestmark`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ("files_of", "marks_of")

MARK = "control"


def files_of(tests: Path) -> dict[str, list[str]]:
    """Control ids that tests below a folder carry; the names of their files, sorted, relative to it."""
    found: dict[str, set[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for control in marks_of(path.read_text(encoding="utf-8")):
            found.setdefault(control, set()).add(str(path.relative_to(tests)))
    return {control: sorted(names) for control, names in sorted(found.items())}


def marks_of(source: str) -> set[str]:
    """The control ids that the marks of a test file name. SyntaxError: it is no Python."""
    return {control for call in _marks(ast.parse(source).body) for control in _texts(call)}


def _marks(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """Each call of a mark, as a decorator or in `pytestmark`, where pytest looks for tests."""
    for node in body:
        places: list[ast.expr] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            places = node.decorator_list
        if isinstance(node, ast.ClassDef):
            yield from _marks(node.body)
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        ):
            places = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
        for place in places:
            if isinstance(place, ast.Call) and _is_mark(place.func):
                yield place


def _is_mark(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id == MARK
    return isinstance(function, ast.Attribute) and ast.unparse(function) == f"pytest.mark.{MARK}"


def _texts(call: ast.Call) -> Iterator[str]:
    for word in call.args:
        if isinstance(word, ast.Constant) and isinstance(word.value, str):
            yield word.value
