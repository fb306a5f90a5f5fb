"""The view "lessons": the tutorial on this bench, step by step, each step with a check that it was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import Field

from stimbench.bench.actions import ActionError, Arguments, NoArguments
from stimbench.web.course import COURSE, Step, steps_of
from stimbench.web.evidence import LONG_BACK_NS, BenchEvidence
from stimbench.web.needs import Need
from stimbench.web.table import Stand, View, WebAction

__all__ = ("VIEW",)

_BEFORE_ALL = 0
"""A number may be read from a pulse that came before the question."""


class Opened(Arguments):
    """A lesson."""

    number: int = Field(ge=min(COURSE), le=max(COURSE), description="Of the tutorial.")


class Answer(Arguments):
    """A number."""

    value: float = Field(ge=-1e9, le=1e9, description="In the unit that is asked for.")


@dataclass
class _Learner:
    """How far the learner is.

    Attributes:
        number: of the open lesson; None: none is.
        done: by lesson, how many steps.
        since_ns: when the present step began.
        wrong: how many answers to it were wrong.
    """

    number: int | None = None
    done: dict[int, int] = field(default_factory=dict)
    since_ns: int = 0
    wrong: int = 0


def _learner(stand: Stand) -> _Learner:
    found: _Learner = stand.memory.setdefault("lessons", _Learner())
    return found


def _present(learner: _Learner) -> Step | None:
    if learner.number is None:
        return None
    steps, done = steps_of(learner.number), learner.done.get(learner.number, 0)
    return steps[done] if done < len(steps) else None


def _step_on(stand: Stand, learner: _Learner) -> None:
    assert learner.number is not None
    learner.done[learner.number] = learner.done.get(learner.number, 0) + 1
    learner.since_ns, learner.wrong = stand.now_ns, 0


def _open(stand: Stand, given: Opened) -> dict[str, Any]:
    learner = _learner(stand)
    learner.number, learner.since_ns, learner.wrong = given.number, stand.now_ns, 0
    return {"told": f"Lesson {given.number} is open."}


def _again(stand: Stand, _: NoArguments) -> dict[str, Any]:
    learner = _learner(stand)
    if learner.number is None:
        raise ActionError("No lesson is open.")
    learner.done.pop(learner.number, None)
    learner.since_ns, learner.wrong = stand.now_ns, 0
    return {"told": f"Lesson {learner.number} begins anew."}


def _answer(stand: Stand, given: Answer) -> dict[str, Any]:
    learner = _learner(stand)
    step = _present(learner)
    if step is None or not step.ask:
        raise ActionError("No number is asked for now.")
    if step.check(BenchEvidence(stand, _BEFORE_ALL, given.value, LONG_BACK_NS)):
        _step_on(stand, learner)
        return {"told": f"Right. {step.seen}", "right": True}
    learner.wrong += 1
    return {"told": f"{given.value:g} is not what the bench's record says. Look again.", "right": False}


def _state(stand: Stand) -> dict[str, Any]:
    learner = _learner(stand)
    step = _present(learner)
    if step is not None and not step.ask and step.check(BenchEvidence(stand, learner.since_ns)):
        _step_on(stand, learner)
    return {"open": learner.number, "done": learner.done, "wrong": learner.wrong}


@cache
def _about() -> dict[str, Any]:
    from stimbench.lessons.registry import LESSONS
    from stimbench.web import prose  # a page's coming is early enough

    return {
        "lessons": [
            {
                "number": lesson.number,
                "title": lesson.title,
                "introduction": prose.introduction(lesson),
                "field": prose.section(lesson, "In the field"),
                "think": prose.section(lesson, "Think about it"),
                "steps": [
                    {"do": one.do, "seen": one.seen, "view": one.view, "ask": one.ask}
                    for one in steps_of(lesson.number)
                ],
            }
            for lesson in LESSONS
        ]
    }


VIEW = View(
    "lessons",
    _state,
    (
        WebAction("lesson-open", Opened, "Open a lesson.", _open, needs=Need.LESSONS),
        WebAction("lesson-again", NoArguments, "Begin the open lesson anew.", _again, needs=Need.LESSONS),
        WebAction("lesson-answer", Answer, "Answer what the step asks.", _answer, needs=Need.LESSONS),
    ),
    _about,
    Need.LESSONS,
)
