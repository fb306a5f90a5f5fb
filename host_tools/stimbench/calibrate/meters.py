"""Who reads the voltage across the resistor: a person, an instrument on VISA, or the bench's model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from stimfw.therapy.ranges import LEADS

from stimbench.bench import Bench
from stimbench.errors import InputError, RigError
from stimbench.instruments.visa_resource import Resource, answered, opened_with_pyvisa
from stimbench.parts import meter as part

__all__ = ("BackError", "EmulatedMeter", "Meter", "TypedMeter", "VisaMeter", "is_plausible", "meter_kind")

_OFF_SHARE, _OFF_V = 0.05, 0.06
"""DAC, pump and resistor at their worst: 1 + 1 + 0.3 + 0.1 %, and 1 % of full scale (51 mV into 500 ohm)."""
_VISA_TRIES = 3


class BackError(Exception):
    """The person wants the reading before this one again."""


class Meter(Protocol):
    """A voltmeter across the resistor at the test points X and B of one lead."""

    def join(self, lead: int) -> None:
        """Resistor and meter are to be at a lead (0 left, 1 right) from now on."""

    def part(self) -> None:
        """Resistor and meter are to be taken off."""

    def doubt(self, lead: int, code: int, volts: float) -> None:
        """The reading at this code does not fit its neighbours: it is taken again with the one behind it.

        Raises:
            RigError: it makes no sense to ask again.
        """

    def read_v(self, lead: int, code: int, expected_v: float) -> float:
        """What it shows, V, the sign left out.

        Raises:
            BackError: the reading before this one is wanted again.
            RigError: it cannot be read.
            KeyboardInterrupt: the person gives up.
        """


def is_plausible(volts: float, expected_v: float) -> bool:
    """Whether a reading can be that of a working board."""
    return math.isfinite(volts) and abs(volts - expected_v) <= _OFF_V + _OFF_SHARE * expected_v


@dataclass
class TypedMeter:
    """A person reads the meter and types what it shows.

    Attributes: ask: prints a text and gives what is typed; tell: prints a text.
    """

    ask: Callable[[str], str]
    tell: Callable[[str], None]

    def join(self, lead: int) -> None:
        """See Meter.join."""
        s = LEADS[lead][0].upper()
        self.tell(
            f"Take everything off both leads. Join the resistor between {s}_X and {s}_B, and the meter, set "
            "to DC volts, across it."
        )
        self.ask("Press Enter when it is so")

    def part(self) -> None:
        """See Meter.part."""
        self.tell("Take the resistor and the meter off. Both leads stay free.")
        self.ask("Press Enter when it is so")

    def doubt(self, lead: int, code: int, volts: float) -> None:
        """See Meter.doubt."""
        self.tell(
            f"{volts:g} V at code {code} of the {LEADS[lead]} lead does not fit its neighbours. Read it "
            "again, and the one behind it. Ctrl-C gives up."
        )

    def read_v(self, lead: int, code: int, expected_v: float) -> float:
        """See Meter.read_v. `b` goes back; what cannot be right is asked for again."""
        while True:
            typed = self.ask(
                f"{LEADS[lead]}, code {code:4}, about {expected_v:.3f} V. The meter shows, V"
            ).strip()
            if typed.lower() in ("b", "back"):
                raise BackError
            try:
                volts = abs(float(typed.lower().removesuffix("v").replace(",", ".")))
            except ValueError:
                self.tell(f"{typed!r} is no number of volts. Type 1.998, say, or b for the reading before.")
                continue
            if is_plausible(volts, expected_v):
                return volts
            self.tell(
                f"{volts:g} V cannot be: it should be about {expected_v:.3f} V. Is it volts, not millivolts? "
                "Is the resistor where it belongs, and of the value that was given? Ctrl-C gives up."
            )


class VisaMeter:
    """A bench multimeter: SCPI's MEASure:VOLTage:DC?, which nearly all of them know."""

    def __init__(
        self,
        name: str,
        ask: Callable[[str], str],
        tell: Callable[[str], None],
        opened: Callable[[str, str], Resource] = opened_with_pyvisa,
    ) -> None:
        """Open the resource; a person still moves the resistor (`ask`, `tell` as of TypedMeter).

        Raises:
            RigError: PyVISA is not installed, or there is no such instrument.
            InputError: the name is none.
        """
        self._name = name
        self._person = TypedMeter(ask, tell)
        self._resource = opened(name, "@py")

    def join(self, lead: int) -> None:
        """See Meter.join."""
        self._person.join(lead)

    def part(self) -> None:
        """See Meter.part."""
        self._person.part()

    def doubt(self, lead: int, code: int, volts: float) -> None:
        """See Meter.doubt."""
        raise _misfit(self._name, lead, code, volts)

    def read_v(self, lead: int, code: int, expected_v: float) -> float:
        """See Meter.read_v."""
        volts = math.nan
        for _ in range(_VISA_TRIES):
            told = answered(self._name, lambda: self._resource.query("MEAS:VOLT:DC?"))
            try:
                volts = abs(float(told))
            except ValueError as error:
                raise RigError(f"{self._name} answers {told.strip()!r}, which is no voltage.") from error
            if is_plausible(volts, expected_v):
                return volts
        raise RigError(
            f"{self._name} shows {volts:g} V for code {code} of the {LEADS[lead]} lead, where "
            f"{expected_v:.3f} V belong: look at the resistor and the leads of the meter."
        )


class EmulatedMeter:
    """The meter and the resistor of an emulated bench: drawn from its seed, as parts.meter describes them."""

    def __init__(self, bench: Bench, seed: int, nominal_ohm: float) -> None:
        """Args: bench: of a stimulator; seed: of meter and resistor; nominal_ohm: printed on the resistor."""
        self._bench = bench
        self._leads = list(bench.board("stimulator").parts.leads.values())
        self._meter = part.Meter(seed)
        self.ohm = part.resistor_ohm(seed, nominal_ohm)
        """What the resistor really has."""

    def join(self, lead: int) -> None:
        """See Meter.join."""
        self.part()
        self._leads[lead].join_resistor(self.ohm)

    def part(self) -> None:
        """See Meter.part."""
        for lead in self._leads:
            lead.join_resistor(None)

    def doubt(self, lead: int, code: int, volts: float) -> None:
        """See Meter.doubt."""
        raise _misfit("the emulated meter", lead, code, volts)

    def read_v(self, lead: int, code: int, expected_v: float) -> float:
        """See Meter.read_v."""
        volts = abs(self._meter.read(self._leads[lead].resistor_volts(self._bench.now_ns)))
        if not is_plausible(volts, expected_v):
            raise RigError(
                f"The meter shows {volts:g} V for code {code} of the {LEADS[lead]} lead, "
                f"where {expected_v:.3f} V belong."
            )
        return volts


def _misfit(name: str, lead: int, code: int, volts: float) -> RigError:
    return RigError(
        f"{volts:g} V of {name} at code {code} of the {LEADS[lead]} lead does not fit its neighbours. "
        "Nothing was stored."
    )


def meter_kind(word: str) -> tuple[str, str]:
    """`typed`, `emulated` or `visa:RESOURCE` in its two parts.

    Raises:
        InputError: it is none of them.
    """
    kind, _, name = word.partition(":")
    if (kind, bool(name)) in (("typed", False), ("emulated", False), ("visa", True)):
        return kind, name
    raise InputError(f"{word!r} is no meter: typed, emulated, or visa:RESOURCE.")
