"""What a campaign's folder says: how many cases passed, by group, and which did not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stimbench.campaign.files import replace_file
from stimbench.campaign.store import Record, Store

__all__ = ("Case", "Group", "Tally", "tally", "write_results")

_GOOD = frozenset(("PASS", "MARGINAL"))
_FAIL, _ERROR, _LEFT = "FAIL", "ERROR", "LEFT"
_FORMAT = 1


@dataclass(frozen=True)
class Case:
    """One job and its verdict.

    Attributes:
        key: of the job.
        name: what people read.
        group: what it is counted with.
        verdict: of its result; ERROR if the rig failed, LEFT if nothing is known yet.
        told: what the result, or the error, says in a sentence.
    """

    key: str
    name: str
    group: str
    verdict: str
    told: str

    @property
    def is_good(self) -> bool:
        """Whether the board did what it should."""
        return self.verdict in _GOOD


@dataclass(frozen=True)
class Group:
    """How many cases of a group there are, and how they ended."""

    name: str
    cases: int
    passed: int
    failed: int
    errors: int
    left: int


@dataclass(frozen=True)
class Tally:
    """All cases of a campaign, in order."""

    cases: tuple[Case, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """By group, in the order of the first case of each."""
        names = dict.fromkeys(case.group for case in self.cases)
        return tuple(self._group(name, [case for case in self.cases if case.group == name]) for name in names)

    @property
    def whole(self) -> Group:
        """All cases together."""
        return self._group("all", list(self.cases))

    @property
    def passed(self) -> bool:
        """Whether every case was done and is good."""
        return all(case.is_good for case in self.cases)

    @staticmethod
    def _group(name: str, cases: list[Case]) -> Group:
        good = sum(case.is_good for case in cases)
        failed = sum(case.verdict == _FAIL for case in cases)
        left = sum(case.verdict == _LEFT for case in cases)
        return Group(name, len(cases), good, failed, len(cases) - good - failed - left, left)


def tally(store: Store) -> Tally:
    """Count what is in a folder.

    Raises:
        StoreError: there is no campaign in it.
    """
    records = store.records()
    return Tally(
        tuple(_case(job.key, job.name, job.payload, records.get(job.key)) for job in store.plan().jobs)
    )


def write_results(store: Store, found: Tally) -> dict[str, Any]:
    """Write results.json into the folder, in place of an older one; its contents.

    Raises:
        OSError: it cannot be written.
    """
    plan = store.plan()
    document = {
        "format": _FORMAT,
        "campaign": plan.campaign,
        "stimbench": plan.version,
        "firmware": dict(plan.firmware),
        "passed": found.passed,
        "all": asdict(found.whole),
        "groups": [asdict(group) for group in found.groups],
        "cases": [asdict(case) for case in found.cases],
    }
    replace_file(store.folder / "results.json", json.dumps(document, indent=1))
    return document


def _case(key: str, name: str, payload: Mapping[str, Any], record: Record | None) -> Case:
    group = str(payload.get("group", ""))
    if record is None:
        return Case(key, name, group, _LEFT, "")
    if record.result is None:
        return Case(key, name, group, _ERROR, record.error)
    verdict = str(record.result.get("verdict", _ERROR))
    return Case(key, name, group, verdict, str(record.result.get("told", "")))
