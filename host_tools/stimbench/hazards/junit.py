"""What a run of pytest says of the tests that carry a control's mark: its JUnit XML.

tests/conftest.py writes each mark into the file as a property `control` of the test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from stimbench.errors import InputError
from stimbench.hazards.marks import MARK

__all__ = ("FAILED", "PASSED", "SKIPPED", "Case", "Run", "read")

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Case:
    """A test that was run.

    Attributes:
        name: `folder.file.function[parameters]`, as JUnit has it.
        outcome: PASSED, FAILED (in the test, or before or after it) or SKIPPED.
        controls: ids of its marks.
    """

    name: str
    outcome: str
    controls: tuple[str, ...] = ()


@dataclass
class Run:
    """One run or several.

    Attributes:
        began: when each began, as pytest wrote it (ISO 8601), and how many tests it ran.
        tests: all of them, also those without a mark.
    """

    began: list[tuple[str, int]] = field(default_factory=list)
    tests: list[Case] = field(default_factory=list)

    def of(self, control: str) -> list[Case]:
        """The tests that carry a control's mark."""
        return [test for test in self.tests if control in test.controls]


def read(paths: list[Path]) -> Run:
    """The runs of these files together.

    Raises:
        InputError: a file is not there, is no XML, or holds no test.
    """
    run = Run()
    for path in paths:
        try:
            root = ElementTree.parse(path).getroot()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        except ElementTree.ParseError as error:
            raise InputError(f"{path} is no JUnit XML: {error}") from error
        tests = [_test(case) for case in root.iter("testcase")]
        if not tests:
            raise InputError(f"{path} holds no test.")
        suite = root if root.tag == "testsuite" else root.find("testsuite")
        began = suite.get("timestamp") if suite is not None else None
        run.began.append((began or "at an unknown time", len(tests)))
        run.tests += tests
    return run


def _test(case: ElementTree.Element) -> Case:
    names = {element.tag for element in case}
    outcome = FAILED if names & {"failure", "error"} else SKIPPED if "skipped" in names else PASSED
    controls = tuple(
        str(one.get("value")) for one in case.iter("property") if one.get("name") == MARK and one.get("value")
    )
    return Case(f"{case.get('classname', '')}.{case.get('name', '')}", outcome, controls)
