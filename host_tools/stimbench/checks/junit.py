"""A run as JUnit's XML, in the form that pytest calls xunit2: what CI servers read.

A case of the board that fails is a `failure`; what the rig or the tools did wrong is an `error`; what was not
run is `skipped`. So a broken cable never counts as a failed board.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from stimbench.checks.outcome import CaseResult, Outcome
from stimbench.checks.run import Run

__all__ = ("junit_of", "write_junit")

_SUITE = "stimbench"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_of(run: Run) -> ElementTree.Element:
    """The element `testsuites`."""
    root = ElementTree.Element("testsuites", name=_SUITE)
    results = run.results
    outcomes = [result.outcome for result in results]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=str(run.about.get("plan", "")),
        tests=str(len(results)),
        failures=str(outcomes.count(Outcome.FAIL)),
        errors=str(sum(outcomes.count(each) for each in (Outcome.ERROR, Outcome.TIMEOUT))),
        skipped=str(outcomes.count(Outcome.ABORTED)),
        time=f"{sum(result.seconds for result in results):.3f}",
        hostname=str(run.about.get("bench", "")),
    )
    for result in results:
        suite.append(_case(str(run.about.get("plan", "")), result))
    return root


def _case(plan: str, result: CaseResult) -> ElementTree.Element:
    matrix = str(result.parameters.get("matrix", ""))
    name = result.name if result.attempt == 1 else f"{result.name} (repetition {result.attempt})"
    case = ElementTree.Element(
        "testcase", classname=f"{_SUITE}.{plan}.{matrix}", name=name, time=f"{result.seconds:.3f}"
    )
    properties = ElementTree.SubElement(case, "properties")
    for key, value in _facts(result):
        ElementTree.SubElement(properties, "property", name=key, value=value)
    if result.outcome is Outcome.FAIL:
        _add(case, "failure", result)
    elif result.outcome in (Outcome.ERROR, Outcome.TIMEOUT):
        _add(case, "error", result)
    elif result.outcome is Outcome.ABORTED:
        ElementTree.SubElement(case, "skipped", message=_clean(result.reason))
    if result.attachments:
        # The convention of Jenkins' JUnit attachments plugin, and of GitLab.
        lines = [f"[[ATTACHMENT|{each.path}]]" for each in result.attachments]
        ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    return case


def _facts(result: CaseResult) -> list[tuple[str, str]]:
    facts = [("outcome", result.outcome.value), ("key", result.key), ("device", result.device)]
    facts += [("began", result.began_utc)]
    facts += [(f"firmware {board}", text) for board, text in result.firmware.items()]
    facts += [(f"instrument {name}", str(value)) for name, value in result.instrument.items() if value]
    return [(name, _clean(value)) for name, value in facts if value]


def _add(case: ElementTree.Element, kind: str, result: CaseResult) -> None:
    element = ElementTree.SubElement(case, kind, type=result.outcome.value, message=_clean(result.reason))
    lines = [
        f"{each.title}: {each.value:.6g} {each.unit}, {each.limits_text}"
        for each in result.measurements
        if each.outcome is not None and not each.outcome.is_good
    ]
    lines += [f"{each.time_ns / 1e9:.6f} s {each.lead} {each.kind}: {each.text}" for each in result.findings]
    element.text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold (section 2.2)."""
    return _NOT_XML.sub("", text)


def write_junit(run: Run, path: Path) -> None:
    """Write the file."""
    root = junit_of(run)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
