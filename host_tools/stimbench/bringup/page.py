"""The record as a page: one file, with the drawings; a guide while it goes on, evidence afterwards."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stimbench.bringup.at_bench import reading_text, span_text, value_text
from stimbench.bringup.model import Block, Setup, Step
from stimbench.bringup.pictures import marked_picture
from stimbench.bringup.record import FAILED, PASSED, Attempt, Document, Record
from stimbench.campaign.files import replace_file
from stimbench.report.page import page_text

__all__ = ("FILE", "write_record_page")

FILE = "bringup.html"
_OPEN = "open"
CAVEATS = (
    "Resistors and saline only: this record allows nobody to join the board to a person or an animal.",
    "Ranges are what the circuit's tolerances allow, with a handheld meter's own error added.",
    "Each step looks for errors of wiring. What a part does in a pulse, the self-test and the pulse checks "
    "show.",
)


@dataclass(frozen=True)
class _Row:
    what: str
    where: str
    state: str
    right: str
    why: str
    value: str
    is_right: bool | None


@dataclass(frozen=True)
class _StepView:
    step: Step
    outcome: str
    attempt: Attempt | None
    rows: Sequence[_Row]
    tries: int


@dataclass(frozen=True)
class _BlockView:
    block: Block
    outcome: str
    pictures: Sequence[tuple[str, str]]
    steps: Sequence[_StepView]


def write_record_page(record: Record, blocks: Sequence[Block]) -> Path:
    """Write the page beside the record, whole; its path.

    Raises:
        OSError: it cannot be written.
        InputError: a drawing is missing.
    """
    document = record.document
    views = [_block_view(block, record) for block in blocks]
    failed = next((view for block in views for view in block.steps if view.outcome == FAILED), None)
    text = page_text(
        "bringup.html.j2",
        {
            "document": document, "blocks": views, "verdict": _verdict(document, views), "failed": failed,
            "signed": document.signed, "facts": _facts(document), "caveats": CAVEATS,
        },
    )  # fmt: skip
    path = record.folder / FILE
    replace_file(path, text)
    return path


def _verdict(document: Document, views: Sequence[_BlockView]) -> str:
    steps = [step for block in views for step in block.steps]
    passed = sum(step.outcome == PASSED for step in steps)
    if document.signed is not None:
        return f"Signed off by {document.signed.name}, {document.signed.at}"
    return f"Not signed off: {passed} of {len(steps)} steps passed"


def _facts(document: Document) -> list[tuple[str, str]]:
    tools = [(tool, name) for tool, name in document.instruments.items()]
    return [
        ("board", document.board), ("firmware", f"{document.version}, {document.firmware}"),
        ("calibration", document.calibration), *tools, ("bench", document.bench), ("begun", document.begun),
        ("steps", f"procedure {document.procedure}"),
    ]  # fmt: skip


def _block_view(block: Block, record: Record) -> _BlockView:
    steps = [_step_view(step, record) for step in block.steps]
    outcomes = {step.outcome for step in steps}
    outcome = FAILED if FAILED in outcomes else PASSED if outcomes == {PASSED} else _OPEN
    readings = [reading for step in block.steps for reading in step.readings]
    nets = {net for reading in readings for net in (reading.net, reading.against)} - {"GND"}
    pictures = [(name, _as_url(marked_picture(name, nets))) for name in block.pictures]
    return _BlockView(block, outcome, pictures, steps)


def _step_view(step: Step, record: Record) -> _StepView:
    attempt = record.latest.get(step.name)
    values = {value.key: value for value in attempt.values} if attempt else {}
    rows = []
    for reading in step.readings:
        value = values.get(reading.key)
        shown = "" if value is None else value_text(value.value, reading.unit)
        is_right = None if value is None or value.value is None else value.right
        rows.append(
            _Row(reading.key, reading_text(reading), _state_text(reading.setup), span_text(reading),
                 reading.why, shown, is_right)
        )  # fmt: skip
    tries = sum(each.step == step.name for each in record.document.attempts)
    return _StepView(step, attempt.outcome if attempt else _OPEN, attempt, rows, tries)


def _state_text(setup: Setup) -> str:
    """What the board does while it is read, in words."""
    if not setup.powered:
        return "unplugged"
    words = ["KEEPALIVE runs" if setup.keepalive else "output disabled"]
    words += [f"{name} high" for name in setup.high] + [f"{name} low" for name in setup.low]
    if setup.magnet:
        words.append("magnet held")
    for word, code, state in zip(("left", "right"), setup.codes, setup.bridges, strict=True):
        if code:
            words.append(f"{word} DAC at code {code}")
        if state != "off":
            words.append(f"{word} bridge {state}")
    if setup.switches != (0, 0):
        words.append("matrix joins 0 and 1")
    if setup.resistor is not None:
        words.append(f"test resistor {setup.resistor[0]} to {setup.resistor[1]}")
    return ", ".join(words)


def _as_url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
