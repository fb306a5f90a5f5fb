"""What the stimulator tells of itself, in the fields of stimfw.protocol.messages."""

import gc
from time import ticks_ms
from typing import TYPE_CHECKING

import machine

from stimfw.drivers import console as console_driver
from stimfw.protocol import messages
from stimfw.stimulator.session import KINDS

if TYPE_CHECKING:
    from stimfw.drivers.console import Console
    from stimfw.drivers.sense import Sense
    from stimfw.radio.listener import RadioListener
    from stimfw.stimulator.app import App
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output
    from stimfw.telemetry.responder import Responder

_SAMPLES = len(KINDS)


class Readings:
    """Looks at everything, changes nothing. What `attach` takes is made after this is."""

    def __init__(
        self, control: "Control", output: "Output", measurements: "Measurements", sense: "Sense"
    ) -> None:
        self._control = control
        self._output = output
        self.measurements = measurements
        self._sense = sense
        self._supply_mv = 0
        self._temperature_dc = 0
        self._heap_free = 0
        self.boot_us = 0

    def attach(self, app: "App", console: "Console", radio: "RadioListener", responder: "Responder") -> None:
        """Whose counters to read."""
        self._app = app
        self._console = console
        self._radio = radio
        self._responder = responder

    def refresh(self) -> None:
        """Read what takes long: only with the output off, when no STOP can come in between."""
        gc.collect()
        self._heap_free = gc.mem_free()  # looks at all of the heap: 9 ms
        self._read_converter()

    def status(self) -> "tuple[int, ...]":
        """messages.STATUS_FIELDS; the supply is as it was before the output went on."""
        control = self._control
        session = control.session
        left, right = session.amplitude_ua if session else (0, 0)
        if not control.busy():
            self._read_converter()
        return (
            control.state(),
            (messages.FLAG_MAGNET if control.magnet_near() else 0)
            | (messages.FLAG_PAIRING if control.pairing else 0),
            control.stop_cause,
            control.failed_parts,
            left,
            right,
            session.elapsed_s() if session else 0,
            self._supply_mv,
        )

    def details(self) -> "tuple[int, ...]":
        """messages.DETAILS_FIELDS; heap, supply and temperature are of the last time with the output off."""
        control = self._control
        if not control.busy():
            self.refresh()
        pulses = self._pulses_measured()
        return (
            ticks_ms(),
            (pulses + 1) // 2,
            pulses // 2,
            (control.cycles + (control.session.cycles if control.session else 0)) & 0xFFFF,
            machine.reset_cause(),
            self._temperature_dc,
            self._heap_free,
            self.boot_us,
        )

    def counters(self, refused: int, forbidden: int) -> "tuple[int, ...]":
        """messages.COUNTER_NAMES."""
        link, control = self._responder, self._control
        return console_driver.counters(self._console) + (
            link.frames,
            link.bad,
            link.duplicates,
            self._radio.tx_failed,
            refused,
            self._app.magnet_stops,
            control.missed + (control.session.missed if control.session else 0),
            link.forged,
            link.replayed,
            link.over_budget,
            link.connections,
            forbidden,
        )

    def pulses(self, first: int, most: int) -> "tuple[int, bytes]":
        """Up to `most` measured pulses of the present or last session, from `first` or the oldest kept on."""
        total = self._pulses_measured()
        first = min(total, max(first, total - self._output.sampler.KEPT // _SAMPLES))
        return first, self.measurements.records(first, min(total, first + most), _SAMPLES)

    def _pulses_measured(self) -> int:
        """Of the present or last session; 0 after a measurement, whose test pulses took their place."""
        plan = self._output.plan
        return self._output.sampler.taken() // _SAMPLES if plan and plan.kinds == KINDS else 0

    def _read_converter(self) -> None:
        self._supply_mv = self._sense.supply_mv()
        self._temperature_dc = self._sense.temperature_dc()
