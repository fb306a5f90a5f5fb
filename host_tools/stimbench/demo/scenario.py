"""The run itself: boot, self-test, impedance, programme, START by radio, a contraction, STOP by radio."""

from __future__ import annotations

from typing import Any, Protocol

from stimfw.protocol import messages
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

from stimbench.bench import Bench, provision
from stimbench.client.console import Console
from stimbench.client.records import Status
from stimbench.client.stimulator import Stimulator
from stimbench.demo.probe import VoltageProbe
from stimbench.demo.recording import BRIDGES, Air, Recording, State
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.errors import StimbenchError

__all__ = ("PROGRAM", "Reporter", "Scenario")

PROGRAM = Program((214, 50, 20, 1000, 1000, 2000, 2000, 60, 2000, 2, 1, 3000, 3, 0, 0))
"""A short contraction of both leads: different amplitudes, and electrodes that are not the default ones."""

_MS = 1_000_000
_POLL_MS = 150
_STATE_TIMEOUT_MS = 6000
_PAUSE_MS = 300
_PRESS_MS = 100
_STOP_AFTER_MS = 700
_AFTER_STOP_MS = 700
_SAMPLES = 20
_LATE_IN_HOLD_MS = 1200
_ZOOM_LEAD = 0
_ZOOM_STEP_NS = 2000
_ZOOM_BEFORE_NS = 60_000
_ZOOM_AFTER_NS = 400_000
_SIGNALS = (*(signal for lead in BRIDGES for signal in lead), "KEEPALIVE", "MATRIX_CS")
"""Those whose edges are counted for the person who watches."""


class Reporter(Protocol):
    """Who tells a person how the run goes."""

    def begin(self, step: str) -> None:
        """A step begins."""

    def tell(self, text: str) -> None:
        """What happens now inside the step."""

    def done(self, text: str) -> None:
        """The step is over, with this result in words."""


class Scenario:
    """One run on one bench."""

    def __init__(self, bench: Bench, seed: int, reporter: Reporter) -> None:
        """Use a bench that was just switched on; its boards are paired.

        Raises:
            BenchError: bench time has passed.
        """
        self._bench = bench
        self._say = reporter
        self._stimulator = Stimulator(Console(EmulatedLink(bench, "stimulator")))
        self.recording = Recording(seed=seed, program=PROGRAM)
        # As a person did before: by radio it takes half a minute with a magnet and two blinking lights.
        provision.pair(bench, seed)

    def run(self) -> Recording:
        """Do it all, and collect what was recorded.

        Raises:
            StimbenchError: the run cannot go on; `recording` holds what there is.
        """
        self._boot()
        self._measure_impedance()
        self._set_program()
        self._contract()
        self._stop()
        self._collect()
        return self.recording

    def _boot(self) -> None:
        self._say.begin("Power on, self-test")
        recording = self.recording
        recording.identities = [self._stimulator.identify()]
        if self._stimulator.status().state == messages.READY:
            recording.marks.ready = self._bench.now_ns
        recording.identities.append(Stimulator(Console(EmulatedLink(self._bench, "remote"))).identify())
        self._bench.run_for(_PAUSE_MS * _MS)
        recording.marks.tested = self._bench.now_ns
        recording.failed_parts = self._stimulator.self_test()
        verdict = "failed: " + ", ".join(recording.failed_parts) if recording.failed_parts else "passed"
        self._say.done(f"ready after {recording.marks.ready / 1e9:.2f} s, self-test {verdict}")

    def _measure_impedance(self) -> None:
        self._say.begin("Lead impedance, every pair")
        recording = self.recording
        recording.pairs = self._stimulator.measure_impedance(
            lambda seconds: self._say.tell(f"{seconds:.1f} s")
        )
        recording.marks.measured = self._bench.now_ns
        leads = self._bench.board("stimulator").parts.leads
        for index, name in enumerate(LEADS):
            ohm = [electrode.values.r_s_ohm for electrode in leads[name].electrodes]
            for pair in recording.pairs:
                if pair.lead == index:
                    recording.fitted_ohm[index, pair.cathode, pair.anode] = (
                        ohm[pair.cathode] + ohm[pair.anode]
                    )
        intact = [pair.ohm for pair in recording.pairs if pair.kind == messages.KIND_OK]
        span = f", {min(intact)} to {max(intact)} ohm" if intact else ""
        self._say.done(f"{len(intact)} of {len(recording.pairs)} pairs intact{span}")

    def _set_program(self) -> None:
        self._say.begin("Programme set over USB")
        # The board zeroes the amplitude of a lead whose electrodes move: it takes a second setting.
        self._stimulator.set_program(PROGRAM)
        self.recording.moved_ua = max(self._stimulator.program().amplitude_ua)
        self._stimulator.set_program(PROGRAM)
        if self._stimulator.program().values != PROGRAM.values:
            raise StimbenchError("The stimulator holds another programme than the one that was sent.")
        leads = "; ".join(
            f"{name}: cathode {PROGRAM.cathode[k]}, anode {PROGRAM.anode[k]}, {PROGRAM.amplitude_ua[k]} uA"
            for k, name in enumerate(LEADS)
        )
        self._say.done(f"{PROGRAM.rate_hz} Hz, {PROGRAM.width_us} us; {leads}")

    def _contract(self) -> None:
        self._say.begin("START pressed on the remote")
        self._bench.run_for(_PAUSE_MS * _MS)
        self.recording.marks.start_pressed = self._bench.now_ns
        # What flowed in the measurements before is not judged, and would fill the traces.
        for name in LEADS:
            self._lead(name).trace.clear()
        self._bench.press("START", hold_ms=_PRESS_MS)
        self._await_state(messages.RAMP_UP)
        took_ms = (self._bench.now_ns - self.recording.marks.start_pressed) / _MS
        self._say.done(
            f"the radio carried it; the stimulator begins with its self-test (after {took_ms:.0f} ms)"
        )
        self._say.begin("One bilateral contraction")
        self._await_state(messages.HOLD)
        self._zoom()
        self._read_samples()
        for state in (messages.RAMP_DOWN, messages.REST):
            self._await_state(state)
        self._say.done("ramp up, hold, ramp down, rest")

    def _stop(self) -> None:
        self._say.begin("STOP pressed in the next hold")
        for state in (messages.RAMP_UP, messages.HOLD):
            self._await_state(state)
        self._bench.run_for(_STOP_AFTER_MS * _MS)
        self._status()
        self.recording.marks.stop_pressed = self._bench.now_ns
        self._bench.press("STOP", hold_ms=_PRESS_MS)
        self._bench.run_for(_AFTER_STOP_MS * _MS)
        status = self._status()
        self.recording.stop_cause = status.stop_cause
        self._say.done(f"the stimulator is {status.state_name}, stopped by: {status.stop_name}")

    def _status(self) -> Status:
        status = self._stimulator.status()
        self.recording.states.append(State(self._bench.now_ns, status.state, status.amplitude_ua))
        return status

    def _await_state(self, wanted: int) -> None:
        self._say.tell(f"waiting for {messages.STATE_NAMES[wanted]}")
        until_ns = self._bench.now_ns + _STATE_TIMEOUT_MS * _MS
        while (status := self._status()).state != wanted:
            if self._bench.now_ns > until_ns:
                raise StimbenchError(
                    f"The stimulator is {status.state_name}; it should have come to "
                    f"'{messages.STATE_NAMES[wanted]}' within {_STATE_TIMEOUT_MS / 1000:g} s."
                )
            self._bench.run_for(_POLL_MS * _MS)

    def _zoom(self) -> None:
        """Sample the electrode voltage around one pulse of the hold."""
        bench, period_ns = self._bench, PROGRAM.period_us * 1000
        starts = [
            time_ns for time_ns, level in bench.trace.edges("stimulator", BRIDGES[_ZOOM_LEAD][0]) if level
        ]
        pulse_ns = starts[-1] + period_ns
        while pulse_ns - _ZOOM_BEFORE_NS < bench.now_ns:
            pulse_ns += period_ns
        bench.run_to(pulse_ns - _ZOOM_BEFORE_NS)
        length_ns = (2 * PROGRAM.width_us + PROGRAM.gap_us) * 1000
        self.recording.zoom = VoltageProbe(bench, self._lead(LEADS[_ZOOM_LEAD])).record(
            _ZOOM_LEAD, _ZOOM_BEFORE_NS + length_ns + _ZOOM_AFTER_NS, _ZOOM_STEP_NS
        )

    def _read_samples(self) -> None:
        """The board's own measurements of the last pulses, all of them in the hold."""
        self._bench.run_for(_LATE_IN_HOLD_MS * _MS)
        details = self._stimulator.details()
        newest = details.left_pulses + details.right_pulses
        self.recording.samples = self._stimulator.pulses(newest - _SAMPLES)

    def _lead(self, name: str) -> Any:
        return self._bench.board("stimulator").parts.leads[name]

    def _collect(self) -> None:
        self._say.begin("Traces collected")
        recording = self.recording
        recording.details = self._stimulator.details()
        recording.calibration = str(self._stimulator.calibration())
        recording.marks.end = self._bench.now_ns
        recording.bus_errors = tuple(
            f"{name}: {line}" for name, board in self._bench.boards.items() for line in board.log.bus_errors
        )
        recording.capture = self._bench.trace.capture()
        air = self._bench.air
        tap = air.tap if air else []
        befores = [b"", *(packet.payload for packet in tap)]
        recording.air = [
            Air(packet.t_start_ns, packet.t_end_ns, packet.payload, packet.payload == before)
            for packet, before in zip(tap, befores, strict=False)
        ]
        count = sum(len(recording.edges(signal)) for signal in _SIGNALS)
        self._say.done(f"{count} edges, {len(recording.air)} radio packets")
