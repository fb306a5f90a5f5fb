"""Where a bring-up happens: a bench with a person, or an emulated one. `run` knows no more of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from stimbench.bringup.board_hands import BoardIdentity
from stimbench.bringup.judge import Verdict
from stimbench.bringup.model import Block, Reading, Step
from stimbench.client.calibration import NOT_CALIBRATED

__all__ = ("Facts", "Workplace")


@dataclass(frozen=True)
class Facts:
    """What a record names besides its readings.

    Attributes:
        board: which one it is.
        bench: `wired`, or which emulated one.
        calibration: serial number and date of the board's, or `not calibrated`.
        instruments: by tool (`meter`, `oscilloscope`) make, model and serial number.
    """

    board: BoardIdentity
    bench: str
    calibration: str = NOT_CALIBRATED
    instruments: dict[str, str] = field(default_factory=dict)


class Workplace(Protocol):
    """A board, instruments, and whoever puts probes where they belong."""

    def facts(self) -> Facts:
        """Which board and instruments these are. The board's output is off."""

    def begin_block(self, block: Block) -> None:
        """The block's parts are wired when this returns."""

    def begin_step(self, block: Block, step: Step) -> None:
        """Say what is to be done."""

    def read(self, step: Step, reading: Reading) -> float | None:
        """One value, in the reading's unit, the board being in the state that it asks for; None: skipped.

        Raises:
            StimbenchError: the board or an instrument cannot be had; the output is off.
        """

    def again(self, step: Step, verdict: Verdict) -> bool:
        """After a step that did not pass: whether to measure it again."""

    def rest(self) -> None:
        """Output disabled, nothing held, whatever happened before."""

    def sign(self) -> str:
        """Whoever signs off; empty if nobody does."""
