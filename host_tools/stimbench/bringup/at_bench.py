"""A wired bench as a workplace: a person puts probes, magnet and resistor where they belong, and types."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from stimbench.bringup.board_hands import BoardHands, BoardIdentity
from stimbench.bringup.judge import Verdict, lies_in
from stimbench.bringup.model import Block, Reading, Setup, Step, Tool, Unit
from stimbench.bringup.pictures import picture_path
from stimbench.bringup.typing_in import HELP, Typist, parse_reading
from stimbench.bringup.workplace import Facts
from stimbench.devices.device import Device
from stimbench.errors import PortError, RigError, StimbenchError

__all__ = ("CONFIRM_S", "PersonWorkplace", "reading_text", "span_text", "value_text")

CONFIRM_S = 15.0
"""A static current goes off unless a key was pressed within so long."""
_SKIP, _LEAVE = "skip", "q"
_MA_A_CODE = 0.0025
_TRIES = 3
"""To open the port of a board that was just plugged in."""


class PersonWorkplace:
    """See Workplace."""

    def __init__(
        self,
        open_device: Callable[[], Device],
        typist: Typist,
        say: Callable[[str], None],
        instruments: Mapping[str, str],
    ) -> None:
        """Args.

        open_device: opens the board's port.
        typist: who answers.
        say: shows a line.
        instruments: by tool, make, model and serial number; empty ones are asked for.
        """
        self._open_device, self._typist, self._say = open_device, typist, say
        self._instruments = dict(instruments)
        self._device: Device | None = None
        self._hands: BoardHands | None = None
        self._board: BoardIdentity | None = None
        self._magnet = False
        self._fitted: tuple[str, str] | None = None

    def facts(self) -> Facts:
        """See Workplace.facts."""
        if self._board is None:
            self._plug_in()
        assert self._board is not None
        for tool in (Tool.METER.value, Tool.SCOPE.value):
            if not self._instruments.get(tool):
                self._instruments[tool] = self._answer(f"Make, model and serial number of your {tool}:")
        calibration = str(self._require_hands().calibration())
        return Facts(self._board, "wired", calibration, self._instruments)

    def begin_block(self, block: Block) -> None:
        """Let the person wire it; the board is unplugged for that."""
        self._say(f"\n== {block.title} ==")
        self._unplug()
        self._say(block.wire)
        for name in block.pictures:
            self._say(f"Picture: {picture_path(name)}")
        self._answer("Press Enter when it is wired.")

    def begin_step(self, block: Block, step: Step) -> None:
        """Say what is to be done."""
        self._say(f"\n{step.name}: {step.title}.")
        self._say(step.do)

    def read(self, step: Step, reading: Reading) -> float | None:
        """See Workplace.read."""
        setup = reading.setup
        if not setup.powered:
            self._unplug()
        self._put_resistor(setup)
        if setup.powered:
            self._plug_in()
            self._hold_magnet(setup.magnet)
            if setup.carries_current:
                self._answer(f"Enter switches a current on: {_codes_text(setup)}.")
            self._require_hands().apply(setup)
        try:
            return self._value(reading)
        finally:
            if setup.is_static:  # nobody asks for it any more
                self._off()

    def _value(self, reading: Reading) -> float | None:
        if reading.tool is Tool.BOARD:
            return self._from_board(reading)
        if reading.tool is Tool.EYE:
            return self._seen(reading)
        if reading.tool is Tool.SCOPE:
            hands = self._require_hands()
            with hands.held():
                self._answer(f"{reading_text(reading)} Arm the oscilloscope; Enter stops KEEPALIVE.")
            hands.off()
        return self._typed(reading)

    def again(self, step: Step, verdict: Verdict) -> bool:
        """Say what is wrong, and ask; steps that were only left out are not asked for again."""
        if not verdict.wrong:
            return False
        self._off()
        answer = self._answer("Mend it and press Enter to measure again; q and Enter to leave:")
        return answer.lower() != _LEAVE

    def rest(self) -> None:
        """See Workplace.rest. The board's application runs again."""
        hands, self._hands = self._hands, None
        device, self._device = self._device, None
        try:
            if hands is not None:
                hands.close()
        except StimbenchError as error:
            self._say(f"{error} The board ends by itself within half a second; unplug it.")
        finally:
            if device is not None:
                device.close()

    def sign(self) -> str:
        """Ask for a name."""
        return self._answer("Every step has passed. Your name signs the record off (empty: not now):")

    # The board.

    def _plug_in(self) -> None:
        if self._device is not None:
            return
        for left in reversed(range(_TRIES)):
            try:
                self._device = self._open_device().open()
                break
            except PortError as error:
                if not left:
                    raise
                self._answer(f"{error} Plug the board in and press Enter.")
        assert self._device is not None
        self._hands = BoardHands(self._device)
        found = self._hands.identify()
        if self._board is not None and found.unique_id != self._board.unique_id:
            raise RigError(f"Another board was plugged in: {found.unique_id}, not {self._board.unique_id}.")
        self._board = found

    def _unplug(self) -> None:
        if self._device is None:
            return
        self.rest()
        self._answer("Unplug the board and press Enter.")

    def _off(self) -> None:
        if self._hands is not None:
            self._hands.off()

    def _require_hands(self) -> BoardHands:
        if self._hands is None:
            raise RigError("The board is not plugged in.")
        return self._hands

    # The person.

    def _answer(self, question: str) -> str:
        return self._typist.ask(question) or ""

    def _put_resistor(self, setup: Setup) -> None:
        if setup.resistor == self._fitted:
            return
        self._off()
        if setup.resistor is None:
            self._answer("Take the test resistor away and press Enter.")
        else:
            one, other = setup.resistor
            self._answer(f"Put the test resistor between {one} and {other} and press Enter.")
        self._fitted = setup.resistor

    def _hold_magnet(self, near: bool) -> None:
        if near == self._magnet:
            return
        # An edge of KEEPALIVE shall find the magnet there, or gone: never on its way.
        self._off()
        self._answer(f"{'Hold the magnet to SW_MAGNET' if near else 'Take the magnet away'} and press Enter.")
        self._magnet = near

    def _from_board(self, reading: Reading) -> float:
        self._say(reading_text(reading))
        if reading.ask == "q-stays-low":
            self._answer("Press Enter, and then take the magnet away within 20 s.")
            self._magnet = False
        found = self._require_hands().ask(reading.ask)
        self._say(f"The board says: {value_text(found, reading.unit)}.")
        return found

    def _seen(self, reading: Reading) -> float | None:
        while True:
            answer = self._answer(f"{reading.note} y, n, ? or skip:").lower()
            if answer in ("y", "yes", "n", "no"):
                return float(answer[0] == "y")
            if answer == _SKIP:
                return None
            self._say(f"Why: {reading.why}.")

    def _typed(self, reading: Reading) -> float | None:
        """A value that the person stands by. While a current flows they have to keep pressing Enter."""
        question = f"{reading_text(reading)} In {reading.unit.value}:"
        doubted: float | None = None
        while True:
            answer = self._line(reading, question)
            if answer == "" and doubted is None:
                continue  # a confirmation
            if answer == "":
                return doubted
            if answer.lower() == _SKIP:
                return None
            if answer == "?":
                self._say(f"Right is {span_text(reading)}: {reading.why}. {HELP}")
                continue
            try:
                value = parse_reading(answer, reading.unit)
            except ValueError as error:
                self._say(f"{error}. {HELP}")
                continue
            if lies_in(value, reading.span):
                return value
            doubted = value
            shown = value_text(value, reading.unit)
            question = f"{shown} is not {span_text(reading)}. Enter keeps it; or type it again:"

    def _line(self, reading: Reading, question: str) -> str:
        hands = self._hands
        if hands is None or not reading.setup.powered or reading.tool is Tool.SCOPE:
            return self._answer(question)
        while True:
            current = reading.setup.carries_current
            asked = f"{question} (a current flows: Enter within {CONFIRM_S:g} s)" if current else question
            with hands.held():
                answer = self._typist.ask(asked, CONFIRM_S if current else None)
            if answer is not None:
                return answer
            hands.off()
            self._answer("Nobody confirmed: the current is off. Press Enter to go on.")
            hands.apply(reading.setup)


def _codes_text(setup: Setup) -> str:
    found = [
        f"{word} {code * _MA_A_CODE:g} mA" for word, code in zip(("left", "right"), setup.codes, strict=True)
    ]
    where = "the test resistor" if setup.resistor else "the idle leg"
    return f"{', '.join(found)}, into {where}"


def reading_text(reading: Reading) -> str:
    """Where the probes go, and what else there is to know."""
    parts = [reading.note] if reading.note else []
    if reading.tool is Tool.METER:
        black = f"{reading.against} ({reading.against_pin})" if reading.against_pin else reading.against
        parts.append(f"Red probe: {reading.net} ({reading.pin}); black: {black}.")
    elif reading.tool is Tool.SCOPE:
        parts.append(f"{reading.net} ({reading.pin}) against {reading.against} ({reading.against_pin}).")
    return " ".join(parts)


def value_text(value: float | None, unit: Unit) -> str:
    """A reading with its unit."""
    if value is None:
        return "skipped"
    if unit is Unit.YES:
        return "yes" if value else "no"
    if math.isinf(value):
        return "OL"
    if unit is Unit.VOLTS and abs(value) < 1.0:
        return f"{value * 1e3:.1f} mV"
    if unit is Unit.OHMS and value >= 1e6:
        return f"{value / 1e6:.3g} Mohm"
    if unit is Unit.OHMS and value >= 1e3:
        return f"{value / 1e3:.4g} kohm"
    return f"{value:.4g} {unit.value}"


def span_text(reading: Reading) -> str:
    """What is right, with its unit."""
    low, high = reading.span
    if reading.unit is Unit.YES:
        return "yes" if low else "no"
    if math.isinf(high):
        return f"{value_text(low, reading.unit)} or more"
    if low <= 0.0 and reading.unit is Unit.VOLTS and high < 1.0 and -low < high / 10.0:
        return f"{value_text(high, reading.unit)} or less"
    return f"{value_text(low, reading.unit)} to {value_text(high, reading.unit)}"
