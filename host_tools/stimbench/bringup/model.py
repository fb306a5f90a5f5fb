"""What the bring-up consists of: blocks, their steps, what is read in each, and what a wrong reading means.

All of it is data. `judge` decides, `run` does the steps, `steps` holds them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = (
    "BRIDGE_STATES",
    "Block",
    "Cause",
    "Range",
    "Reading",
    "Setup",
    "Step",
    "Tool",
    "Unit",
)

Range = tuple[float, float]
"""Lowest and highest value, both allowed; `math.inf` is a meter's OL."""

BRIDGE_STATES = ("off", "cathodic", "anodic", "recharge")
_HIGHEST_CODE = 4095
_ALL_OPEN = (0, 0)
_NO_CODE = (0, 0)
_BRIDGES_OFF = ("off", "off")
BEFORE_CAPACITOR = frozenset({"P", "A", "X", "B", "GND"})
"""Where a resistor for a static current may be: nets before the blocking capacitor, without their side."""


class Unit(Enum):
    """What a reading is counted in."""

    VOLTS = "V"
    OHMS = "ohm"
    MILLISECONDS = "ms"
    YES = "yes or no"
    """1 is yes, 0 is no."""


class Tool(Enum):
    """What it is read with."""

    METER = "meter"
    SCOPE = "oscilloscope"
    BOARD = "the board itself"
    EYE = "your eyes"


@dataclass(frozen=True)
class Setup:
    """The state that the board has to be in for a reading. As it is by default, the output is disabled.

    Attributes:
        powered: USB is plugged in.
        keepalive: KEEPALIVE runs, so that Q is high.
        magnet: a magnet is held to the reed switch.
        low, high: lines that the Pico holds so, by their names; without KEEPALIVE alone.
        codes: of the DAC, left and right, 0-4095.
        bridges: left and right, of BRIDGE_STATES.
        switches: of the matrix, left and right; bits 0-3 to the source rail, bits 4-7 to the sink rail.
        resistor: the two nets that the test resistor joins; None for none.
    """

    powered: bool = True
    keepalive: bool = False
    magnet: bool = False
    low: tuple[str, ...] = ()
    high: tuple[str, ...] = ()
    codes: tuple[int, int] = _NO_CODE
    bridges: tuple[str, str] = _BRIDGES_OFF
    switches: tuple[int, int] = _ALL_OPEN
    resistor: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse what must never be: a static current with a way to an electrode, or lines held beside it.

        Raises:
            ValueError: it is such a setup, or names what there is not.
        """
        if not all(0 <= code <= _HIGHEST_CODE for code in self.codes):
            raise ValueError(f"codes {self.codes}: 0 to {_HIGHEST_CODE}")
        if not set(self.bridges) <= set(BRIDGE_STATES):
            raise ValueError(f"bridges {self.bridges}: of {BRIDGE_STATES}")
        if self.carries_current and self.switches != _ALL_OPEN:
            raise ValueError("a static current needs all switches of the matrix open")
        if self.carries_current and self.resistor is not None:
            ends = {net.partition("_")[2] or net for net in self.resistor}
            if not ends <= BEFORE_CAPACITOR:
                raise ValueError(f"a static current into {self.resistor} would pass the blocking capacitor")
        if (self.low or self.high) and self.is_static:
            raise ValueError("single lines are held only while the output is disabled")
        if not self.powered and (self.is_static or self.low or self.high or self.magnet):
            raise ValueError("a board without power does nothing")

    @property
    def carries_current(self) -> bool:
        """Whether a pump delivers: somebody has to keep confirming."""
        return self.codes != _NO_CODE

    @property
    def is_static(self) -> bool:
        """Whether the board has to hold an output by itself."""
        return (
            self.keepalive
            or self.carries_current
            or self.bridges != _BRIDGES_OFF
            or self.switches != _ALL_OPEN
        )


@dataclass(frozen=True)
class Reading:
    """One value to read.

    Attributes:
        key: its name within the step.
        net: where the red probe goes, by the net's name in docs/circuit.
        pin: the same as part and pin: `U_MONO 13`.
        span: what is right.
        why: where `span` comes from.
        unit, tool: how it is read.
        against, against_pin: where the black probe goes.
        setup: what the board does meanwhile.
        note: what else to know before it is read.
        ask: for Tool.BOARD, which question: see `board_hands.QUESTIONS`.
    """

    key: str
    net: str
    pin: str
    span: Range
    why: str
    unit: Unit = Unit.VOLTS
    tool: Tool = Tool.METER
    against: str = "GND"
    against_pin: str = ""
    setup: Setup = field(default_factory=Setup)
    note: str = ""
    ask: str = ""

    def __post_init__(self) -> None:
        """Raises: ValueError: the span is empty."""
        if math.isnan(self.span[0]) or not self.span[0] <= self.span[1]:
            raise ValueError(f"{self.key}: {self.span} is no range")


@dataclass(frozen=True)
class Cause:
    """What is wrong if readings are as in `when`.

    Attributes:
        name: short, for the record and for tests: `clr-not-joined`.
        title: a sentence for the person.
        remedy: what to do.
        when: by reading the range in which it has to lie; readings that are not in it do not matter.
    """

    name: str
    title: str
    remedy: str
    when: Mapping[str, Range]


@dataclass(frozen=True)
class Step:
    """What a person does at once: readings that are judged together.

    Attributes:
        name: `block.what`, with the lead's letter between them where there are two.
        title: what is looked at.
        do: what to prepare, a sentence or more.
        readings: in order.
        causes: what a wrong reading means; the first one that fits is it.
        check: what to look at, in order, if none fits.
    """

    name: str
    title: str
    do: str
    readings: tuple[Reading, ...]
    causes: tuple[Cause, ...]
    check: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Parts that are wired together, and what is measured before the next block goes on.

    Attributes:
        name: as in docs/circuit.md.
        title: for the person.
        wire: what to wire, and what must not be joined yet.
        pictures: drawings of docs/circuit.
        steps: in order.
    """

    name: str
    title: str
    wire: str
    pictures: tuple[str, ...]
    steps: tuple[Step, ...]
