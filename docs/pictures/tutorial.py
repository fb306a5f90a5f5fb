"""Write the pictures and numbers of docs/tutorial: run it with `.venv/bin/python`, after `make firmware`.

A number that is no more what the lesson says it must be is written all the same: tests/lessons fails on it.
"""

from __future__ import annotations

from pathlib import Path

from stimbench.lessons.registry import LESSONS
from stimbench.lessons.run import Drawn, Found, run_lesson, write_picture
from stimbench.lessons.text import with_numbers

FOLDER = Path(__file__).parents[1] / "tutorial"

if __name__ == "__main__":
    for lesson in LESSONS:
        numbers: dict[str, str] = {}
        for event in run_lesson(lesson):
            if isinstance(event, Drawn):
                write_picture(event.drawing, FOLDER)
            elif isinstance(event, Found):
                numbers |= {name: number.text for name, number in event.numbers.items()}
        for path in FOLDER.glob(f"{lesson.number}-*.md"):
            path.write_text(with_numbers(path.read_text(encoding="utf-8"), numbers), encoding="utf-8")
