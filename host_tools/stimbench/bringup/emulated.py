"""The emulated bench as a workplace: it runs by itself, with a modelled meter at the models' nets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stimbench.bench import Bench, BenchConfig
from stimbench.bringup.board_hands import BoardHands
from stimbench.bringup.judge import Verdict
from stimbench.bringup.model import Block, Reading, Setup, Step, Tool, Unit
from stimbench.bringup.ranges import LEADS_OHM, METER_OHM_SHARE, METER_V_SHARE, digit
from stimbench.bringup.steps.common import R_TEST_OHM, R_TEST_SHARE
from stimbench.bringup.workplace import Facts
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.errors import BenchError, InputError, PortError, StimbenchError
from stimbench.parts.probe_points import ProbePoints
from stimbench.parts.seeds import spread
from stimbench.parts.wiring import StimulatorWiring

__all__ = ("EmulatedWorkplace", "open_workplace")

TOLERANCES = ("typical", "worst")
_SETTLE_S = 0.02
"""Relays need 3 ms, the DAC 5 us; a capacitor in the lead carries nothing steady."""
_SCOPE_NS = 500_000_000
_METER_OL_OHM = 40e6
_AWAY_NS = 30_000_000


class ModelledMeter:
    """A handheld of 4000 counts, whose gain is off as its seed says, within what such a meter promises."""

    def __init__(self, seed: int) -> None:
        """Args: seed: the bench's."""
        rng = spread(seed, "bring-up/meter")
        self._volts = 1.0 + rng.uniform(-METER_V_SHARE, METER_V_SHARE)
        self._ohms = 1.0 + rng.uniform(-METER_OHM_SHARE, METER_OHM_SHARE)
        self._leads_ohm = rng.uniform(0.1, LEADS_OHM)
        self._rng = rng
        self.name = f"modelled meter, 4000 counts, 0.5 % + 2, seed {seed}"

    def volts(self, true_v: float) -> float:
        """What it shows of a voltage, V."""
        return self._shown(true_v * self._volts, digit(true_v))

    def ohms(self, true_ohm: float) -> float:
        """What it shows of a resistance, ohm; infinite is OL."""
        if true_ohm > _METER_OL_OHM:
            return math.inf
        shown = true_ohm * self._ohms + self._leads_ohm
        return max(0.0, self._shown(shown, max(digit(shown), digit(400.0))))

    def _shown(self, value: float, step: float) -> float:
        return (round(value / step) + self._rng.choice((-1, 0, 1))) * step


@contextmanager
def open_workplace(
    seed: int, tolerance: str = "typical", planted: Sequence[str] = ()
) -> Iterator[EmulatedWorkplace]:
    """A bench of its own, which ends with the context.

    Args:
        seed: of its parts and of its meter.
        tolerance: `typical` or `worst`, see BenchConfig.
        planted: assembly errors, names of parts.assembly.ERRORS.

    Raises:
        InputError: there is no such tolerance or error.
        PortError: the bench cannot be built.
    """
    if tolerance not in TOLERANCES:
        raise InputError(f"There is no tolerance {tolerance!r}; there are: {', '.join(TOLERANCES)}.")
    wiring = StimulatorWiring(assembly=tuple(planted))
    try:
        bench = Bench(
            BenchConfig(seed=seed, boards=("stimulator",), tolerance=tolerance, wiring={"stimulator": wiring},
                        trace=False)
        )  # fmt: skip
    except ValueError as error:
        raise InputError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    except BenchError as error:
        raise PortError(f"The emulated bench cannot be built: {error}.") from error
    words = [f"emulated, seed {seed}", *([tolerance] if tolerance != "typical" else []), *planted]
    with bench:
        workplace = EmulatedWorkplace(bench, seed, ", ".join(words))
        try:
            yield workplace
        finally:
            workplace.rest()


class EmulatedWorkplace:
    """See Workplace. The board is complete from the start: a block is never wired, only looked at."""

    def __init__(self, bench: Bench, seed: int, about: str) -> None:
        """Args: bench: of this process alone; seed: its; about: what the record calls it."""
        self._bench, self._seed, self._about = bench, seed, about
        self._device = EmulatedDevice(bench, "stimulator").open()
        self._board = bench.board("stimulator")
        self._hands = BoardHands(self._device)
        self._parts = self._board.parts
        self._points = ProbePoints(self._parts, self._board, lambda: self._board.powered, seed)
        self._meter = ModelledMeter(seed)
        self._resistor_ohm = R_TEST_OHM * (
            1.0 + spread(seed, "bring-up/resistor").uniform(-R_TEST_SHARE, R_TEST_SHARE)
        )
        self._fitted: tuple[str, str] | None = None
        self._points.take_away()

    @property
    def bench_s(self) -> float:
        """The bench's time since it was switched on, s."""
        return self._bench.now_ns / 1e9

    def facts(self) -> Facts:
        """See Workplace.facts."""
        self._power(True)
        tools = {"meter": self._meter.name, "oscilloscope": "modelled, exact"}
        board, calibration = self._hands.identify(), str(self._hands.calibration())
        return Facts(board, self._about, calibration, tools)

    def begin_block(self, block: Block) -> None:
        """Nothing is to be wired."""

    def begin_step(self, block: Block, step: Step) -> None:
        """Nobody has to be told."""

    def read(self, step: Step, reading: Reading) -> float | None:
        """See Workplace.read. It confirms a static current by going on."""
        setup = reading.setup
        self._power(setup.powered)
        self._fit(setup)
        if setup.powered:
            self._set(setup)
        if reading.tool is Tool.EYE:
            return 1.0
        if reading.tool is Tool.BOARD:
            return self._ask(reading)
        if reading.tool is Tool.SCOPE:
            return self._fall_ms()
        if reading.unit is Unit.OHMS:
            return self._meter.ohms(self._points.ohms(reading.net, reading.against))
        return self._meter.volts(self._points.volts(reading.net, reading.pin, reading.against))

    def again(self, step: Step, verdict: Verdict) -> bool:
        """Nobody mends it."""
        return False

    def rest(self) -> None:
        """See Workplace.rest."""
        self._parts.magnet.open()
        if self._board.powered:
            try:
                self._hands.off()
            except StimbenchError:  # Ctrl-C in the middle of a script
                self._device.reset()

    def sign(self) -> str:
        """The bench signs for itself."""
        return f"emulated bench, seed {self._seed}"

    def _power(self, on: bool) -> None:
        if on == self._board.powered:
            return
        if on:
            self._device.power.on()
            self._device.reconnect()
            self._hands = BoardHands(self._device)
        else:
            self._hands.off()
            self._device.power.off()

    def _fit(self, setup: Setup) -> None:
        if setup.resistor != self._fitted:
            if self._board.powered:
                self._hands.off()
            self._points.take_away()
            if setup.resistor is not None:
                self._points.fit(*setup.resistor, self._resistor_ohm)
            self._fitted = setup.resistor

    def _set(self, setup: Setup) -> None:
        """The magnet first: an edge of KEEPALIVE then triggers nothing."""
        (self._parts.magnet.close if setup.magnet else self._parts.magnet.open)()
        self._hands.apply(setup)
        self._hands.hold(_SETTLE_S)

    def _ask(self, reading: Reading) -> float:
        if reading.ask == "q-stays-low":
            self._bench.at(self._bench.now_ns + _AWAY_NS, self._parts.magnet.open)
        return self._hands.ask(reading.ask)

    def _fall_ms(self) -> float | None:
        """From the last rising edge of KEEPALIVE to the falling edge of Q, as a scope shows it."""
        edges: list[int] = []
        falls: list[int] = []
        self._board.pin("KEEPALIVE").on_edge(lambda level, at: edges.append(at) if level else None)
        self._parts.gate.on_change(lambda q, at: None if q else falls.append(at))
        self._hands.hold(_SETTLE_S)
        falls.clear()
        self._hands.off()
        if not edges or not self._bench.run_until(lambda: falls, _SCOPE_NS):
            return math.inf
        return (falls[0] - edges[-1]) / 1e6
