"""Requests that ask what the stimulator is, does and has counted or measured."""

import gc
import struct
from time import ticks_ms
from typing import TYPE_CHECKING

from stimfw.drivers import console as console_driver
from stimfw.protocol import identity, messages, refusals
from stimfw.stimulator.session import KINDS

if TYPE_CHECKING:
    from collections.abc import Generator

    from stimfw.drivers.console import Console
    from stimfw.drivers.sense import Sense
    from stimfw.protocol.dispatcher import Dispatcher
    from stimfw.protocol.refusals import Answer
    from stimfw.radio.listener import RadioListener
    from stimfw.stimulator.app import App
    from stimfw.stimulator.control import Control
    from stimfw.stimulator.measure import Measurements
    from stimfw.stimulator.output import Output
    from stimfw.telemetry.responder import Responder

_SAMPLES = len(KINDS)
_PULSES_A_REPLY = 4
_PULSES_A_STEP = 2  # 0.3 ms each, in which no STOP from the radio is heard


class ReadingRequests:
    """Handlers, named as in stimfw.protocol.requests.TABLE. They change nothing."""

    def __init__(
        self,
        control: "Control",
        output: "Output",
        measurements: "Measurements",
        sense: "Sense",
        dispatcher: "Dispatcher",
        app: "App",
        console: "Console",
        radio: "RadioListener",
        responder: "Responder",
    ) -> None:
        """The last five for their counters."""
        self._control = control
        self._output = output
        self._measurements = measurements
        self._sense = sense
        self._dispatcher = dispatcher
        self._app = app
        self._console = console
        self._radio = radio
        self._responder = responder
        self._supply_mv = 0
        self._temperature_dc = 0
        self._heap_free = 0
        self.boot_us = self.start_cause = 0

    def refresh(self) -> None:
        """Read what takes long: only with the output off, when no STOP can come in between."""
        gc.collect()
        self._heap_free = gc.mem_free()  # looks at all of the heap: 9 ms
        self._read_converter()

    def identify(self) -> "Answer":
        """Which board, and which firmware."""
        return refusals.done(identity.body("stimulator"))

    def status(self) -> "Answer":
        """The present state; the supply is as it was before the output went on."""
        control = self._control
        session = control.session
        left, right = session.amplitude_ua if session else (0, 0)
        if not control.busy():
            self._read_converter()
        return refusals.done(
            control.state(),
            (messages.FLAG_MAGNET if control.magnet_near() else 0)
            | (messages.FLAG_PAIRING if control.pairing else 0)
            | (messages.FLAG_IMPLANTED if control.make_train else 0)
            | self._output.calibration * messages.FLAG_CALIBRATED
            | self._radio.needs_activate * messages.FLAG_RADIO_NEEDS_ACTIVATE,
            control.stop_cause,
            control.failed_parts,
            left,
            right,
            session.elapsed_s() if session else 0,
            self._supply_mv,
        )

    def uptime(self) -> "Answer":
        """Milliseconds since the start; they begin again after 12 days."""
        return refusals.done(ticks_ms())

    def details(self) -> "Answer":
        """Counts and conditions; heap, supply and temperature are of the last time with the output off."""
        control = self._control
        if not control.busy():
            self.refresh()
        pulses = self._pulses_measured()
        return refusals.done(
            ticks_ms(),
            (pulses + 1) // 2,
            pulses // 2,
            (control.cycles + (control.session.cycles if control.session else 0)) & 0xFFFF,
            self.start_cause,
            self._temperature_dc,
            self._heap_free,
            self.boot_us,
        )

    def counters(self) -> "Answer":
        """messages.COUNTER_NAMES in order."""
        link, control = self._responder, self._control
        values = console_driver.counters(self._console) + (
            link.frames,
            link.bad,
            link.duplicates,
            self._radio.tx_failed,
            self._dispatcher.refused,
            self._app.magnet_stops,
            control.missed + (control.session.missed if control.session else 0),
            link.forged,
            link.replayed,
            link.over_budget,
            link.connections,
            self._dispatcher.forbidden,
        )
        return refusals.done(struct.pack("<%dI" % len(values), *values))

    def impedance_results(self, lead: int) -> "Answer":
        """The last results of all pairs of a lead."""
        if lead > 1:
            return refusals.out_of_range(lead)
        return refusals.done(self._measurements.pair_records(lead))

    def pulses(self, first: int) -> "Answer | None":
        """Measured pulses of the present or last session, from number `first` or the oldest that is kept."""
        total = self._pulses_measured()
        first = min(total, max(first, total - self._output.sampler.KEPT // _SAMPLES))
        end = min(total, first + _PULSES_A_REPLY)
        return self._dispatcher.in_steps(self._reading(first, end))

    def _reading(self, first: int, end: int) -> "Generator[None, None, Answer]":
        records = b""
        for at in range(first, end, _PULSES_A_STEP):
            yield
            records += self._measurements.records(at, min(end, at + _PULSES_A_STEP), _SAMPLES)
        return refusals.done(first, records)

    def _pulses_measured(self) -> int:
        """Of the present or last session; 0 after a measurement, whose test pulses took their place."""
        plan = self._output.plan
        return self._output.sampler.taken() // _SAMPLES if plan and plan.kinds == KINDS else 0

    def _read_converter(self) -> None:
        self._supply_mv = self._sense.supply_mv()
        self._temperature_dc = self._sense.temperature_dc()
