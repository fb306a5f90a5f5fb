"""Published figures of this therapy, to stand beside a service's own, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("PUBLISHED", "Published", "published_at")

DECKERS = (
    "Deckers et al., Neuromodulation 21 (2018) 48-55, doi 10.1111/ner.12741: ReActiv8-A, 53 implanted; "
    "of ODI and EQ-5D at least the minimal clinically important difference"
)
MITCHELL = "Mitchell et al., Neuromodulation 24 (2021) 1024-1032, doi 10.1111/ner.13477: ReActiv8-A, 4 years"
GILLIGAN = (
    "Gilligan et al., Pain 162 (2021), doi 10.1097/j.pain.0000000000002258: randomised trial; "
    "figures as quoted in an article of 2021"
)


@dataclass(frozen=True)
class Published:
    """A figure.

    Attributes:
        measure: `nrs`, `odi`, `both`, or another in words.
        months: after which; None: not at one of this review's times.
        percent: of the participants that were seen.
        source: where it stands.
    """

    measure: str
    months: int | None
    percent: float
    source: str


PUBLISHED = (
    Published("nrs", 3, 63, DECKERS),
    Published("nrs", 6, 61, DECKERS),
    Published("nrs", 12, 57, DECKERS),
    Published("odi", 3, 52, DECKERS),
    Published("odi", 6, 57, DECKERS),
    Published("odi", 12, 60, DECKERS),
    Published("EQ-5D, meaningful change", 12, 81, DECKERS),
    Published("nrs", 48, 73, MITCHELL),
    Published("odi", 48, 76, MITCHELL),
    Published("both", 48, 62.5, MITCHELL),
    Published("satisfied or very satisfied", 48, 97, MITCHELL),
    Published("of those on opioids (37 %), stopped", None, 28, GILLIGAN),
    Published("definitely satisfied", None, 78, GILLIGAN),
    Published("clinician's impression much better", None, 73, GILLIGAN),
)


def published_at(measure: str, months: int) -> Published | None:
    """The figure of a measure at a time; None: none is known here."""
    return next((each for each in PUBLISHED if (each.measure, each.months) == (measure, months)), None)
