"""Draw the pictures of docs/tutorial: `.venv/bin/python docs/pictures/tutorial.py`, after `make firmware`."""

from __future__ import annotations

from pathlib import Path

from stimbench.lessons.registry import LESSONS
from stimbench.lessons.run import Drawn, run_lesson, write_picture

if __name__ == "__main__":
    for lesson in LESSONS:
        for event in run_lesson(lesson):
            if isinstance(event, Drawn):
                write_picture(event.drawing, Path(__file__).parents[1] / "tutorial")
