"""A lesson that takes no bench and no time, in the place of the first one."""

import pytest
from stimbench.lessons import registry
from stimbench.lessons.model import Drawing, Findings, Number
from stimbench.lessons.registry import Lesson
from stimbench.report.style import Chart

TEXT = """# 1. A small one

Before it. It is 7.00<!-- volts --> V.

<!-- step: ohms_law -->
```python
volts = 2 * 0.5
print("measured")
```

```text
measured
```

![A line](1-line.svg)

It was 9.99<!-- volts --> V.
"""


def ohms_law(volts):
    """Two amperes through half an ohm."""
    chart = Chart("A line", "", "", (100, 100), lambda drawn, layout: drawn.add_subplot().plot([0, volts]))
    number = Number("voltage", volts, "V", 2, 1.0, 0.01, "2 A x 0.5 ohm")
    return Findings({"volts": number}, Drawing("1-line.svg", chart, {"volts": [volts]}))


@pytest.fixture
def small_lesson(monkeypatch, tmp_path):
    """Its text's file, which a test may change; the working directory is empty."""
    folder, elsewhere = tmp_path / "texts", tmp_path / "here"
    folder.mkdir()
    elsewhere.mkdir()
    path = folder / "1-pulse.md"
    path.write_text(TEXT, "utf-8")
    monkeypatch.setattr(registry, "text_folder", lambda: folder)
    monkeypatch.setattr(Lesson, "steps", property(lambda _: {"ohms_law": ohms_law}))
    monkeypatch.chdir(elsewhere)
    return path
