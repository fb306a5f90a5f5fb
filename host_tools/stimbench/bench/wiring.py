"""Where the bench meets the parts: the only module here that knows what the parts are called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stimbench.bench import stimulator_faults
from stimbench.bench.config import BenchConfig
from stimbench.capture.channels import Segments, Voltages
from stimbench.capture.recorder import Recorder
from stimbench.emulator.board import EmulatedBoard
from stimbench.errors import BenchError
from stimbench.parts import tolerances
from stimbench.parts.indicators import Led, Tone
from stimbench.parts.lead import Lead
from stimbench.parts.radio import AirChannel
from stimbench.parts.switches import Contact
from stimbench.parts.wiring import (
    RemoteParts,
    RemoteWiring,
    StimulatorParts,
    StimulatorWiring,
    wire_remote,
    wire_stimulator,
)

__all__ = ("attach_parts", "breakable", "buttons", "lamps", "leads", "magnet_contact", "tones")

_ANALOG = ("V_LEFT", "V_RIGHT", "I_SENSE")
"""Signals that the stimulator's sense amplifiers drive: what these measure is recorded in their place."""
BUTTONS = ("START", "STOP", "STATUS")
NEED_A_PAIRING = ("START", "STOP")
"""STATUS held for 3 s begins a pairing."""


def attach_parts(boards: dict[str, EmulatedBoard], config: BenchConfig, recorder: Recorder) -> AirChannel:
    """Put the parts on the boards; the radio channel between them is the result."""
    air = AirChannel(seed=config.seed)
    for name, board in boards.items():
        parts = _wire(name, board, config, air)
        board.parts = parts
        board.on_power.append(parts.power)
        board.set_adc_model(parts.adc)
        if isinstance(parts, StimulatorParts):
            _choose(parts, config)
            for side, lead in parts.leads.items():
                lead.trace.enabled = config.trace
                recorder.add_current(f"I_{side.upper()}", lead.trace)
                recorder.add_sensed(f"V_{side.upper()}", lead.trace.voltage, Voltages)
            recorder.add_sensed("I_SENSE", parts.shunt, Segments)
            if config.trace:
                for signal in _ANALOG:
                    recorder.unwatch(name, signal)
    return air


def _choose(parts: StimulatorParts, config: BenchConfig) -> None:
    try:
        tolerances.apply(parts, config.tolerance, config.seed)
    except ValueError as error:
        raise BenchError(str(error)) from None


def _wire(
    name: str, board: EmulatedBoard, config: BenchConfig, air: AirChannel
) -> StimulatorParts | RemoteParts:
    given: Any = config.wiring.get(name)
    if name == "stimulator":
        return wire_stimulator(board, _seeded(given or StimulatorWiring(), config.seed), air)
    if name == "remote":
        return wire_remote(board, _seeded(given or RemoteWiring(), config.seed), air)
    raise BenchError(f"there is no wiring for a board named {name!r}")


def _seeded(wiring: Any, seed: int) -> Any:
    """The wiring with the bench's seed, unless it brings one of its own."""
    return wiring if wiring.seed else replace(wiring, seed=seed)


def buttons(remote: EmulatedBoard) -> dict[str, Contact]:
    """The remote's buttons by name.

    Raises:
        BenchError: the board has no parts.
    """
    parts = remote.parts
    if not isinstance(parts, RemoteParts):
        raise BenchError(f"the {remote.name} has no buttons")
    return dict(zip(BUTTONS, (parts.start, parts.stop, parts.status), strict=True))


def magnet_contact(stimulator: EmulatedBoard) -> Contact:
    """The reed switch.

    Raises:
        BenchError: the board has no parts.
    """
    parts = stimulator.parts
    if not isinstance(parts, StimulatorParts):
        raise BenchError(f"the {stimulator.name} has no reed switch")
    return parts.magnet


def leads(stimulator: EmulatedBoard) -> dict[str, Lead]:
    """The leads by name, `left` and `right`.

    Raises:
        BenchError: the board has none.
    """
    parts = stimulator.parts
    if not isinstance(parts, StimulatorParts):
        raise BenchError(f"the {stimulator.name} has no leads")
    return parts.leads


def breakable(stimulator: EmulatedBoard | None) -> dict[str, stimulator_faults.Breakable]:
    """What can break on it besides its electrodes, by name; nothing without parts."""
    parts = stimulator.parts if stimulator is not None else None
    return stimulator_faults.parts_of(parts) if isinstance(parts, StimulatorParts) else {}


def lamps(board: EmulatedBoard) -> dict[str, Led]:
    """A board's lights by name; none without parts."""
    parts = board.parts
    if isinstance(parts, StimulatorParts):
        return {"LED": parts.led}
    return dict(parts.leds) if isinstance(parts, RemoteParts) else {}


def tones(board: EmulatedBoard) -> list[Tone]:
    """What a board's buzzer sounded, in order; none if it has no buzzer."""
    return board.parts.buzzer.tones if isinstance(board.parts, RemoteParts) else []
