"""The record of a bring-up: which board, what was read, what it meant, who signed. JSON, always whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimbench.bringup.judge import Verdict
from stimbench.bringup.model import Block, Step
from stimbench.bringup.workplace import Facts
from stimbench.campaign.files import remove_unfinished, replace_file
from stimbench.errors import InputError

__all__ = ("FILE", "FORMAT", "Attempt", "Document", "Record", "Value", "procedure_id")

FORMAT = 1
"""Grows when a reader of the old one would misunderstand the new one."""
FILE = "bringup.json"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class _Kept(BaseModel):
    # JSON has no infinity: a meter's OL is the text "Infinity".
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class Value(_Kept):
    """One reading. `value` is None if it was skipped."""

    key: str
    net: str
    pin: str
    unit: str
    value: float | None
    low: float
    high: float
    right: bool


class Attempt(_Kept):
    """A step that was done, at a time (ISO 8601, UTC)."""

    step: str
    block: str
    at: str
    outcome: Literal["passed", "failed", "skipped"]
    values: tuple[Value, ...]
    cause: str = ""
    told: str = ""
    remedy: str = ""
    check: tuple[str, ...] = ()


class Signature(_Kept):
    """Who signed off, and when."""

    name: str
    at: str


class Document(_Kept):
    """All of the file."""

    format: int
    procedure: str
    """Which steps these were: `procedure_id`."""
    begun: str
    bench: str
    board: str
    """The unique id of its flash."""
    version: str
    firmware: str
    calibration: str
    instruments: dict[str, str] = Field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    signed: Signature | None = None


def procedure_id(blocks: Sequence[Block]) -> str:
    """12 hex digits that differ if anything of the steps differs."""
    return hashlib.sha256(repr(blocks).encode()).hexdigest()[:12]


class Record:
    """A record in its folder. Every change is on disk, whole, when the method returns."""

    def __init__(self, folder: Path, document: Document, now: Callable[[], datetime]) -> None:
        """Use `begin` or `load`."""
        self.folder, self.document, self._now = folder, document, now

    @classmethod
    def begin(cls, folder: Path, facts: Facts, procedure: str, now: Callable[[], datetime]) -> Record:
        """A new record, written.

        Raises:
            InputError: the folder holds one.
            OSError: it cannot be written.
        """
        if (folder / FILE).exists():
            raise InputError(f"{folder / FILE} is there already: choose another folder with --record.")
        folder.mkdir(parents=True, exist_ok=True)
        document = Document(
            format=FORMAT, procedure=procedure, begun=_text(now()), bench=facts.bench,
            board=facts.board.unique_id, version=facts.board.version, firmware=facts.board.firmware,
            calibration=facts.calibration, instruments=facts.instruments,
        )  # fmt: skip
        record = cls(folder, document, now)
        record._write()
        return record

    @classmethod
    def load(cls, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Record | None:
        """The folder's record; None if it has none.

        Raises:
            InputError: it cannot be read; nothing is changed.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            document = Document.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise InputError(f"{path} is no record of a bring-up: {_first(error)}.") from error
        if document.format != FORMAT:
            raise InputError(f"{path} has format {document.format}; this stimbench reads format {FORMAT}.")
        remove_unfinished(folder)
        return cls(folder, document, now)

    def require_same(self, facts: Facts, procedure: str) -> None:
        """Let it go on only with the board, the firmware and the steps that it began with.

        Raises:
            InputError: one of them is another, or the record is signed.
        """
        kept, board = self.document, facts.board
        where = f"{self.folder / FILE}"
        for what, before, now in (
            ("board", kept.board, board.unique_id), ("bench", kept.bench, facts.bench),
            ("firmware", kept.firmware, board.firmware), ("procedure", kept.procedure, procedure),
        ):  # fmt: skip
            if before != now:
                raise InputError(
                    f"{where} is of {what} {before}, and this is {now}: it cannot go on. Begin again in "
                    "another folder with --record."
                )
        if kept.signed is not None:
            raise InputError(
                f"{where} is signed off by {kept.signed.name}: choose another folder with --record."
            )

    def add(self, block: Block, step: Step, values: Mapping[str, float | None], verdict: Verdict) -> Attempt:
        """Keep what came of a step.

        Raises:
            OSError: it cannot be written; the file is as before.
        """
        cause = verdict.cause
        attempt = Attempt(
            step=step.name, block=block.name, at=_text(self._now()),
            outcome=PASSED if verdict.passed else FAILED if verdict.wrong else SKIPPED,
            values=tuple(
                Value(key=each.key, net=each.net, pin=each.pin, unit=each.unit.value, value=values[each.key],
                      low=each.span[0], high=each.span[1],
                      right=values[each.key] is not None and each.key not in verdict.wrong)
                for each in step.readings
            ),
            cause=cause.name if cause else "", told=cause.title if cause else "",
            remedy=cause.remedy if cause else "", check=verdict.check,
        )  # fmt: skip
        self._change(attempts=(*self.document.attempts, attempt))
        return attempt

    def note(self, facts: Facts) -> None:
        """Keep with which calibration and instruments the steps from now on are read.

        Raises:
            OSError: it cannot be written.
        """
        kept = self.document
        if (facts.calibration, facts.instruments) != (kept.calibration, kept.instruments):
            self._change(calibration=facts.calibration, instruments=facts.instruments)

    def sign(self, name: str) -> None:
        """Sign it off.

        Raises:
            OSError: it cannot be written.
        """
        self._change(signed=Signature(name=name, at=_text(self._now())))

    @property
    def latest(self) -> Mapping[str, Attempt]:
        """By step, the newest attempt."""
        return {attempt.step: attempt for attempt in self.document.attempts}

    def has_passed(self, step: str) -> bool:
        """Whether the newest attempt at a step passed."""
        attempt = self.latest.get(step)
        return attempt is not None and attempt.outcome == PASSED

    def _change(self, **fields: object) -> None:
        self.document = self.document.model_copy(update=fields)
        self._write()

    def _write(self) -> None:
        replace_file(self.folder / FILE, self.document.model_dump_json(indent=2) + "\n")


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        found = error.errors()[0]
        return f"{'.'.join(map(str, found['loc']))} {found['msg']}".strip()
    return str(error).rstrip(".")
