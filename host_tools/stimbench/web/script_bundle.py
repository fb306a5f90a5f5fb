"""The page's own ES modules as one script: a page that was opened from a disk cannot load any.

Each module becomes a function that is called once and returns what the module exports, those that it imports
before it. It knows the forms that our modules and uPlot have, and refuses all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stimbench.errors import BenchError

__all__ = ("bundled",)

_NAMED = re.compile(r'import \{ ([\w ,$]+) \} from "([^"]+)";')
_ALL = re.compile(r'import \* as (\w+) from "([^"]+)";')
_DEFAULT = re.compile(r'import (\w+) from "([^"]+)";')
_DECLARED = re.compile(r"export ((?:async )?function|class|const) (\w+)")
_LISTED = re.compile(r"export \{ ([\w ,$]+) \};")
_OTHER = re.compile(r"\s*(?:import|export)\b(?!\s*=)|.*\bimport(?:\(|\.meta)")
_COMMENT = re.compile(r"\s*//")


def bundled(entry: str, read: Callable[[str], str]) -> str:
    """One module script of a module and all that it imports.

    Args:
        entry: path of the module that is begun with.
        read: gives a module's text, by the path in which `..` and `.` are resolved: `views/run.js`, or
            `/vendor/...` as it stands in the import.

    Raises:
        BenchError: a module has an import or export of a form that is not known here, or they import each
            other in a ring.
    """
    made: dict[str, str] = {}
    _add(entry, read, made, ())
    return "\n".join(made.values())


def _add(path: str, read: Callable[[str], str], made: dict[str, str], above: tuple[str, ...]) -> None:
    if path in above:
        raise BenchError(f"{path} imports itself through {', '.join(above)}")
    if path in made:
        return
    lines, exported, commented = [], [], False
    for number, line in enumerate(read(path).splitlines(), 1):
        commented = commented or line.lstrip().startswith("/*")
        if commented:
            commented = "*/" not in line
            lines.append(line)
            continue
        imported = _imported(line, path)
        if imported is not None:
            where, names = imported
            _add(where, read, made, (*above, path))
            line = f"const {names} = {_variable(where)};"
        elif line.startswith("export "):
            line, names_out = _exported(line)
            exported += names_out
        if _OTHER.match(line) and not _COMMENT.match(line):
            raise BenchError(f"{path}, line {number}: an import or export of an unknown form: {line.strip()}")
        lines.append(line)
    body = "\n".join(lines)
    made[path] = f"const {_variable(path)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _imported(line: str, path: str) -> tuple[str, str] | None:
    """The imported module's path, and the pattern that takes its names; None if the line imports nothing."""
    for form in (_NAMED, _ALL, _DEFAULT):
        found = form.fullmatch(line)
        if found is None:
            continue
        names = found[1]
        if form is _NAMED:
            names = f"{{ {names.replace(' as ', ': ')} }}"
        elif form is _DEFAULT:
            names = f"{{ default: {names} }}"
        return _resolved(found[2], path), names
    return None


def _exported(line: str) -> tuple[str, list[str]]:
    """The line without its export, and the properties that the module returns for it."""
    listed = _LISTED.fullmatch(line)
    if listed is not None:
        pairs = [one.partition(" as ") for one in listed[1].split(", ")]
        return "", [f"{outside}: {inside}" if outside else inside for inside, _, outside in pairs]
    declared = _DECLARED.match(line)
    return (line.removeprefix("export "), [declared[2]]) if declared else (line, [])


def _resolved(target: str, path: str) -> str:
    if target.startswith("/"):
        return target
    parts = path.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _variable(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))
