"""How oscilloscopes of a make are spoken to: the commands of single captures, and what their numbers mean.

**None of this was tried on a real oscilloscope.** It was written from these guides, and tested on simulated
instruments that answer as the guides say:

- Rigol: "DS1000Z Series Programming Guide", PGA19110-1110, May 2019, chapter 2.
- Keysight: "InfiniiVision 2000 X-Series Oscilloscopes Programmer's Guide"; the 3000, 3000T, 4000 and 1200
  X-Series have the same commands.

What stays with the person: probes, scales, time base, memory depth and trigger.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stimbench.errors import RigError

__all__ = (
    "KEYSIGHT_INFINIIVISION",
    "PROFILES",
    "RIGOL_DS1000Z",
    "Preamble",
    "ScopeProfile",
    "parse_preamble",
    "profile_of",
)

_FIELDS = 10


@dataclass(frozen=True)
class Preamble:
    """What a waveform's numbers mean; both makes answer with the same ten fields.

    Attributes:
        points: how many samples.
        x_increment_s, x_origin_s, x_reference: sample i is at
            `x_origin_s + (i - x_reference) * x_increment_s`, in seconds since the trigger.
        y_increment, y_origin, y_reference: of a code; `ScopeProfile.offset_v` says how they go together.
    """

    points: int
    x_increment_s: float
    x_origin_s: float
    x_reference: float
    y_increment: float
    y_origin: float
    y_reference: float


@dataclass(frozen=True)
class ScopeProfile:
    """One make.

    Attributes:
        make: what a person calls it.
        identity: found in its answer to `*IDN?`.
        channels: how many analog channels it can have.
        arm: the commands of a single capture.
        armed_query, is_armed: what to ask after that, and which answers say that it waits for its trigger.
        done_query, is_done: which answers say that it has recorded.
        displayed_query: whether a channel is switched on: only then can it be read.
        select: the commands before a channel is read.
        most_points: how many samples one answer holds; 0 if it holds all.
        range_commands: the first and the last sample of an answer, from 1.
        offset_v: the voltage of code 0.
        lowest, highest: the codes at the ends of the converter. What is there may have been beyond.
        hole: the code of a sample that is missing; -1 if there is none.
    """

    make: str
    identity: re.Pattern[str]
    channels: int
    arm: tuple[str, ...]
    armed_query: str
    is_armed: Callable[[str], bool]
    done_query: str
    is_done: Callable[[str], bool]
    displayed_query: str
    select: tuple[str, ...]
    most_points: int
    range_commands: tuple[str, ...]
    offset_v: Callable[[Preamble], float]
    lowest: int
    highest: int
    hole: int


def _stopped(condition: str) -> bool:
    """Bit 3 of the Operation Status Condition Register: the oscilloscope runs."""
    return not int(condition) & 8


RIGOL_DS1000Z = ScopeProfile(
    make="Rigol DS1000Z",
    identity=re.compile(r"RIGOL.*,(DS|MSO)1\d\d\dZ"),
    channels=4,
    # 2, ":STOP", ":SINGle": as the key SINGLE; it ends in the stopped state.
    arm=(":STOP", ":SINGle"),
    # ":TRIGger:STATus?": TD, WAIT, RUN, AUTO or STOP.
    armed_query=":TRIGger:STATus?",
    is_armed=lambda status: status.strip() == "WAIT",
    done_query=":TRIGger:STATus?",
    is_done=lambda status: status.strip() == "STOP",
    # ":CHANnel<n>:DISPlay?"
    displayed_query=":CHANnel{channel}:DISPlay?",
    # ":WAVeform:SOURce", ":WAVeform:FORMat", ":WAVeform:MODE": RAW reads the memory, when it has stopped.
    select=(":WAVeform:SOURce CHANnel{channel}", ":WAVeform:MODE RAW", ":WAVeform:FORMat BYTE"),
    # ":WAVeform:STARt", ":WAVeform:STOP": at most 250000 points at a time as BYTE.
    most_points=250_000,
    range_commands=(":WAVeform:STARt {first}", ":WAVeform:STOP {last}"),
    # ":WAVeform:DATA?": (code - YORigin - YREFerence) x YINCrement.
    offset_v=lambda preamble: -(preamble.y_origin + preamble.y_reference) * preamble.y_increment,
    lowest=0,
    highest=255,
    hole=-1,
)

KEYSIGHT_INFINIIVISION = ScopeProfile(
    make="Keysight InfiniiVision",
    identity=re.compile(r"(KEYSIGHT|AGILENT).*,(DSO|MSO|EDU)-?X\s?\d{4}", re.IGNORECASE),
    channels=4,
    # "Synchronizing with a Single-Shot Device Under Test": :SINGle, then :AER? until the trigger is armed.
    # Reading :AER? clears it: what was armed before does not count.
    arm=(":STOP", ":AER?", ":SINGle"),
    armed_query=":AER?",
    is_armed=lambda event: int(event) == 1,
    # ":OPERegister:CONDition?": bit 3 is set as long as the oscilloscope runs.
    done_query=":OPERegister:CONDition?",
    is_done=_stopped,
    # ":CHANnel<n>:DISPlay?"
    displayed_query=":CHANnel{channel}:DISPlay?",
    # ":WAVeform" commands: the source, all raw samples, a byte each, unsigned.
    select=(
        ":WAVeform:SOURce CHANnel{channel}",
        ":WAVeform:POINts:MODE RAW",
        ":WAVeform:POINts MAXimum",
        ":WAVeform:FORMat BYTE",
        ":WAVeform:UNSigned ON",
    ),
    most_points=0,
    range_commands=(),
    # "Data Conversion": voltage = [(data value - yreference) * yincrement] + yorigin.
    offset_v=lambda preamble: preamble.y_origin - preamble.y_reference * preamble.y_increment,
    lowest=1,
    highest=255,
    # "Data Format for Transfer - BYTE format": a hole is a value of 0.
    hole=0,
)

PROFILES = (RIGOL_DS1000Z, KEYSIGHT_INFINIIVISION)


def profile_of(identity: str) -> ScopeProfile:
    """The profile of an oscilloscope.

    Args:
        identity: its answer to `*IDN?`.

    Raises:
        RigError: it is empty, or no profile knows it; the text names those that there are.
    """
    for profile in PROFILES:
        if profile.identity.search(identity):
            return profile
    if not identity.strip():
        raise RigError("The instrument does not say who it is.")
    known = ", ".join(profile.make for profile in PROFILES)
    raise RigError(f"Nothing here knows how to use {identity.strip()!r}. Known are: {known}.")


def parse_preamble(text: str) -> Preamble:
    """The ten fields of `:WAVeform:PREamble?`: format, type, points, count, then x and y.

    Raises:
        RigError: they are not ten numbers.
    """
    try:
        fields = [float(each) for each in text.split(",")]
    except ValueError:
        fields = []
    if len(fields) != _FIELDS or fields[2] < 1 or not fields[4] > 0 or fields[7] == 0:
        raise RigError(f"The oscilloscope's preamble makes no sense: {text.strip()!r}.")
    return Preamble(int(fields[2]), fields[4], fields[5], fields[6], *fields[7:])
