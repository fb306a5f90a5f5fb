"""A whole calibration on an emulated board with parts at their worst, and what interrupts one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from stimbench.bench import Bench
from stimbench.calibrate.board import Calibrated, calibrate
from stimbench.calibrate.meters import BackError, EmulatedMeter
from stimbench.calibrate.procedure import CalibrationFailedError
from stimbench.client import connect
from stimbench.client.ready import connect_when_ready
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.errors import RigError, StimbenchError, WrongStateError
from stimbench.parts.bridge import BridgeState
from stimfw.pulses.calibration_record import CODES, CalibrationError

pytestmark = pytest.mark.emulated

DAY_S = 1_796_000_000
OHM = 500.0


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(boards=("stimulator",), tolerance="worst", seed=3)


@pytest.fixture
def device(bench: Bench) -> Iterator[EmulatedDevice]:
    with EmulatedDevice(bench, "stimulator") as device:
        connect_when_ready(device, connect, 15.0)
        yield device


class Slips(EmulatedMeter):
    """A meter of which something goes wrong at the n-th reading."""

    def __init__(self, bench: Bench, at: int, slip: Callable[[float], float]) -> None:
        super().__init__(bench, 3, OHM)
        self._left, self._slip = at, slip
        self.parted = 0

    def read_v(self, lead: int, code: int, expected_v: float) -> float:
        self._left -= 1
        volts = super().read_v(lead, code, expected_v)
        return self._slip(volts) if self._left == 0 else volts


def run(device: EmulatedDevice, meter: EmulatedMeter, **changed) -> Calibrated:
    given = {"serial": "desk 7", "calibrated_s": DAY_S, "leads": (0,)} | changed
    return calibrate(device, meter, OHM, **given)


def untouched(device: EmulatedDevice, bench: Bench) -> None:
    """Everything off, the application back, nothing stored."""
    parts = bench.board("stimulator").parts
    assert {bridge.state for bridge in parts.bridges.values()} <= {BridgeState.OFF, BridgeState.RECHARGE}
    stimulator = connect_when_ready(device, connect, 15.0)
    status = stimulator.status()
    assert (status.state_name, status.calibration) == ("ready", "none")


def test_both_leads(device, bench) -> None:
    told: list[str] = []
    found = run(device, EmulatedMeter(bench, 3, OHM), leads=(0, 1), step=told.append)
    assert [len(one.readings.points) for one in found.leads] == [len(CODES)] * 2
    assert all(check.good for one in found.leads for check in one.checks)
    assert any(abs(c.before_ua - c.amplitude_ua) > 20 for one in found.leads for c in one.checks)
    matrix = bench.board("stimulator").parts.matrix
    for one in found.leads:
        assert one.calibration.switches_mohm == pytest.approx(2000 * matrix.r_on_ohm[one.lead], rel=0.02)
    kept = connect_when_ready(device, connect, 15.0).calibration()
    assert kept.record is not None and kept.record.pack() == found.record.pack()
    assert str(kept) == "desk 7, 2026-11-30" and kept.record.resistor_mohm == 500_000
    assert told[0].startswith("left lead") and told[-1] == "the board's flash"


def test_a_lead_alone_leaves_the_other_as_it_was(device, bench) -> None:
    first = run(device, EmulatedMeter(bench, 3, OHM), leads=(0,))
    nominal = first.record.leads[1]
    assert (nominal.v_gain_ppm, nominal.switches_mohm) == (1_000_000, 19_000)
    second = run(device, EmulatedMeter(bench, 3, OHM), leads=(1,))
    assert second.record.leads[0].currents == first.record.leads[0].currents
    assert second.record.leads[1].v_gain_ppm != 1_000_000


def test_a_dry_run_stores_nothing(device, bench) -> None:
    assert not run(device, EmulatedMeter(bench, 3, OHM), store=False).stored
    untouched(device, bench)


@pytest.mark.control("C-01")
@pytest.mark.parametrize("error", [KeyboardInterrupt, RigError], ids=["Ctrl-C", "no meter"])
def test_an_interruption_leaves_the_output_off_and_stores_nothing(device, bench, error) -> None:
    def fail(_volts: float) -> float:
        assert bench.board("stimulator").parts.bridges["left"].state is BridgeState.CATHODIC
        raise error("interrupted")

    with pytest.raises(error):
        run(device, Slips(bench, 5, fail))
    untouched(device, bench)


def test_a_reading_can_be_taken_again(device, bench) -> None:
    def back(_volts: float) -> float:
        raise BackError

    found = run(device, Slips(bench, 4, back))
    assert [point.code for point in found.leads[0].readings.points] == list(CODES)


def test_a_wrong_reading_does_not_fit_its_neighbours(device, bench) -> None:
    with pytest.raises(RigError, match="code 1024 of the left lead does not fit its neighbours"):
        run(device, Slips(bench, 6, lambda volts: volts * 1.02))
    untouched(device, bench)


def test_a_person_takes_a_wrong_reading_again(device, bench) -> None:
    class Person(Slips):
        doubted = 0

        def doubt(self, lead: int, code: int, volts: float) -> None:
            assert (lead, code) == (0, 1024)
            self.doubted += 1

    person = Person(bench, 6, lambda volts: volts * 1.02)
    found = run(device, person)
    assert person.doubted == 1
    assert [point.code for point in found.leads[0].readings.points] == list(CODES)


def test_a_wrong_last_reading_is_found_by_the_check(device, bench) -> None:
    with pytest.raises(CalibrationFailedError, match="Nothing was stored"):
        run(device, Slips(bench, len(CODES) + 2, lambda volts: volts * 1.02))
    untouched(device, bench)


def test_a_resistor_that_stays_on_is_noticed(device, bench) -> None:
    class Stays(EmulatedMeter):
        def part(self) -> None:
            """Forgotten."""

    with pytest.raises(CalibrationFailedError, match="still joined between L_X and L_B"):
        run(device, Stays(bench, 3, OHM))
    untouched(device, bench)


def test_a_resistor_of_another_value_is_noticed(device, bench) -> None:
    with pytest.raises(StimbenchError, match="belong"):
        run(device, EmulatedMeter(bench, 3, 470.0))
    untouched(device, bench)


def test_no_magnet_can_be_near(device, bench) -> None:
    bench.board("stimulator").parts.magnet.close()
    with pytest.raises(StimbenchError, match="magnet"):
        run(device, EmulatedMeter(bench, 3, OHM))


def test_it_is_refused_in_a_session(device, bench) -> None:
    stimulator = connect_when_ready(device, connect, 15.0)
    for _ in range(2):
        stimulator.set_program(
            stimulator.program().replaced({"left.amplitude_ua": 1000, "right.amplitude_ua": 1000})
        )
    stimulator.start()
    with pytest.raises(WrongStateError, match="only one that is ready"):
        run(device, EmulatedMeter(bench, 3, OHM))
    assert stimulator.status().state_name != "ready", "it goes on"
    stimulator.stop()


def test_a_serial_number_that_cannot_be_kept_is_told_before_anything_is_driven(device, bench) -> None:
    with pytest.raises(CalibrationError, match="serial number"):
        run(device, EmulatedMeter(bench, 3, OHM), serial="x" * 17)
    untouched(device, bench)
