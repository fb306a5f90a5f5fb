"""What a check found: measurements with their limits, findings with their times, and one outcome a case."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ("Attachment", "CaseResult", "Finding", "Measurement", "Outcome", "judged", "worst")

FORMAT = 1
"""Of a result as JSON; grows when a reader of the old one would misunderstand the new one."""


class Outcome(StrEnum):
    """How a measurement, a case or a whole run ended."""

    PASS = "PASS"
    """Within its limits, whatever the instrument's uncertainty."""
    MARGINAL = "MARGINAL"
    """So near to a limit that the instrument cannot tell on which side."""
    FAIL = "FAIL"
    """Beyond its limits, whatever the instrument's uncertainty."""
    ERROR = "ERROR"
    """The rig, or the tools, did something wrong: nothing is said of the board."""
    TIMEOUT = "TIMEOUT"
    """The board, or an instrument, did not answer in time."""
    ABORTED = "ABORTED"
    """A person ended it, or it was never begun."""

    @property
    def is_good(self) -> bool:
        """Whether the board did what it should, as far as it can be told."""
        return self in (Outcome.PASS, Outcome.MARGINAL)


_RANK = (
    Outcome.PASS,
    Outcome.MARGINAL,
    Outcome.ABORTED,
    Outcome.TIMEOUT,
    Outcome.ERROR,
    Outcome.FAIL,
)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """What stands for all of them; PASS for none.

    A failure of the board counts most: an error of the rig beside it does not hide it.
    """
    return max(outcomes, key=_RANK.index, default=Outcome.PASS)


@dataclass(frozen=True)
class Measurement:
    """One measured value.

    Attributes:
        name: of the limit it is held against, `width_ns` say; its unit is the last part.
        lead: `left`, `right`, or empty for what concerns both.
        value: the worst one that was measured; NaN if there was nothing to measure.
        unit: as printed.
        low, high: the limits, None where there is none.
        uncertainty: how far `value` may be off, as the instrument and the noise have it.
        outcome: of this measurement; None if it has no limits.
        count: how many values it is the worst of.
        at_ns: when the worst one was, in the capture's time; None if it has no time.
        note: what was measured, in a few words.
    """

    name: str
    lead: str
    value: float
    unit: str
    low: float | None
    high: float | None
    uncertainty: float = 0.0
    outcome: Outcome | None = None
    count: int = 1
    at_ns: int | None = None
    note: str = ""

    @property
    def title(self) -> str:
        """`left width_ns`."""
        return f"{self.lead} {self.name}".strip()

    @property
    def limits_text(self) -> str:
        """`at most 8 ns`, `1 to 3`, or a dash."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            both = f"{self.low:g} to {self.high:g}{unit}"
            return f"exactly {self.low:g}{unit}" if self.low == self.high else both
        if self.high is not None:
            return f"at most {self.high:g}{unit}"
        return f"at least {self.low:g}{unit}" if self.low is not None else "-"


def judged(value: float, low: float | None, high: float | None, uncertainty: float) -> Outcome | None:
    """A value against its limits, with a guard band as wide as its uncertainty (JCGM 106:2012, 8.3).

    Returns:
        PASS inside, FAIL outside, MARGINAL if the uncertainty reaches over a limit; FAIL for NaN; None
        without limits.
    """
    if low is None and high is None:
        return None
    if math.isnan(value):
        return Outcome.FAIL
    margins = [value - low] if low is not None else []
    margins += [high - value] if high is not None else []
    margin = min(margins)
    if margin >= uncertainty:
        return Outcome.PASS
    return Outcome.FAIL if margin < -uncertainty or (uncertainty == 0 and margin < 0) else Outcome.MARGINAL


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and when.

    Attributes:
        kind: `missing pulse`, `width`, `overlap` ...
        lead: `left`, `right`, or empty for both.
        time_ns: when, in the capture's time.
        text: what was measured and what was allowed, in a sentence.
        outcome: FAIL, or MARGINAL.
    """

    kind: str
    lead: str
    time_ns: int
    text: str
    outcome: Outcome = Outcome.FAIL


@dataclass(frozen=True)
class Attachment:
    """A file that belongs to a result.

    Attributes:
        path: relative to the folder of the results.
        sha256: of its bytes, in hex.
        about: what it is.
    """

    path: str
    sha256: str
    about: str


@dataclass(frozen=True)
class CaseResult:
    """All that a case left behind."""

    name: str
    """`amplitudes/amplitude_ua=500,pair=1-2`."""
    key: str
    """Hash of the case and of the firmware."""
    outcome: Outcome
    reason: str = ""
    """Why, in a sentence; empty for PASS."""
    parameters: dict[str, Any] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    instrument: dict[str, Any] = field(default_factory=dict)
    """Of the capture: what it calls itself, its calibration, its rates; see capture.Origin."""
    firmware: dict[str, str] = field(default_factory=dict)
    """By board: version and content hash."""
    device: str = ""
    """Serial number of the stimulator, or `emulated`."""
    attempt: int = 1
    """Which repetition, from 1."""
    began_utc: str = ""
    seconds: float = 0.0
    """How long it took, on the wall clock."""
    picture: dict[str, Any] = field(default_factory=dict)
    """What the report draws; see checks.pictures."""

    def as_data(self) -> dict[str, Any]:
        """For JSON: no value that is not finite."""
        data = asdict(self) | {"format": FORMAT}
        return dict(_finite(data))

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> CaseResult:
        """From JSON.

        Raises:
            ValueError: it is of another format, or lacks something.
        """
        if data.get("format") != FORMAT:
            raise ValueError(f"a result of format {data.get('format')!r}, and not of format {FORMAT}")
        try:
            fields = {key: value for key, value in data.items() if key != "format"}
            fields["outcome"] = Outcome(fields["outcome"])
            fields["measurements"] = tuple(_measurement(each) for each in fields["measurements"])
            findings = (each | {"outcome": Outcome(each["outcome"])} for each in fields["findings"])
            fields["findings"] = tuple(Finding(**each) for each in findings)
            fields["attachments"] = tuple(Attachment(**each) for each in fields["attachments"])
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise ValueError(f"a result that lacks something: {error}") from error


def _measurement(data: dict[str, Any]) -> Measurement:
    outcome = None if data["outcome"] is None else Outcome(data["outcome"])
    value = math.nan if data["value"] is None else data["value"]
    return Measurement(**(data | {"outcome": outcome, "value": value}))


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
