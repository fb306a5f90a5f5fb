"""What only an emulated bench has, of which actions and views say that they need it."""

from __future__ import annotations

import enum

__all__ = ("ON_A_WIRED_BENCH", "Need")


class Need(enum.StrEnum):
    """What only an emulated bench has."""

    HANDS = "hands"
    """Buttons and a magnet that the page moves."""
    PARTS = "parts"
    """Parts that can be broken and mended, and whose condition is known."""
    AIR = "air"
    """Every frame on the air, and a transmitter."""
    LESSONS = "lessons"
    """A record of all that happens at each pin, against which a lesson's steps are checked."""
    DATES = "dates"
    """Dates that are made up: of an implantation, and of a clock that is set ahead."""
    WHOLE_RECORD = "whole record"
    """A record that has every pulse."""
    REPEATING = "repeating"
    """A run that can be repeated: marks, rewinding, links."""
    PACE = "pace"
    """Time that goes slower, faster, or stands still."""


ON_A_WIRED_BENCH = {
    Need.HANDS: "On a wired bench the remote's buttons and the magnet are in your own hands: use them there.",
    Need.PARTS: "The parts of a wired bench are real: the page can neither break nor mend them.",
    Need.AIR: "Nothing of a wired bench listens to the air or sends on it: the page has no frames of it.",
    Need.LESSONS: "Lessons need the record of an emulated bench, which has every pin and never a gap: "
    "use `stimbench serve` without --bench.",
    Need.DATES: "A wired bench has real dates: its clock is not set ahead from here, and `stimbench implant` "
    "makes it an implant.",
    Need.WHOLE_RECORD: "The model goes by every pulse, and between two captures of a wired bench there is no "
    "record of any: it is not shown.",
    Need.REPEATING: "A wired run cannot be repeated: there is no rewinding, no what-if and no link to it.",
    Need.PACE: "A wired bench runs by the wall's clock: it goes neither faster nor slower, and never "
    "stands still.",
}
"""Why something cannot be done, in a sentence that the page shows."""
