"""A stimulator's output held by hand: what it does, what it refuses, and that it always ends off."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from stimbench.bench import Bench
from stimbench.bench.pty_server import served
from stimbench.client import Stimulator, connect
from stimbench.client.ready import connect_when_ready
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.serial_device import SerialDevice
from stimbench.errors import StimbenchError
from stimbench.parts.bridge import BridgeState
from stimbench.parts.wiring import StimulatorParts
from stimbench.statics.output import StaticOutput, StaticsEndedError, StaticsRefusedError
from stimfw.pulses.impedance import KINDS

pytestmark = pytest.mark.emulated

MS = 1_000_000
OFF_MS = 500
"""Promised: from the host's last word to the output off."""
Q_MOST_MS = 134
"""The monostable's pulse at the most (docs/circuit.md)."""
SAME = 0x11
"""Both rails on electrode 0."""


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(boards=("stimulator",))


@pytest.fixture
def parts(bench: Bench) -> StimulatorParts:
    found: StimulatorParts = bench.board("stimulator").parts
    return found


@pytest.fixture
def device(bench: Bench) -> Iterator[EmulatedDevice]:
    with EmulatedDevice(bench, "stimulator") as device:
        connect_when_ready(device, connect, 15.0)
        yield device


@pytest.fixture
def statics(device: EmulatedDevice) -> Iterator[StaticOutput]:
    with StaticOutput(device) as statics:
        yield statics


def drive(statics: StaticOutput, parts: StimulatorParts, code: int = 1600) -> None:
    parts.leads["left"].join_resistor(500.0)
    statics.keepalive(True)
    statics.code(0, code)
    statics.hold(0.02)
    statics.bridge(0, "cathodic")


def is_off(parts: StimulatorParts) -> bool:
    states = {bridge.state for bridge in parts.bridges.values()}
    return states == {BridgeState.OFF} and parts.matrix.mask(0) == parts.matrix.mask(1) == 0


def test_all_is_off_at_first_and_the_application_answers_afterwards(device, parts, bench) -> None:
    with StaticOutput(device) as statics:
        bench.run_for(Q_MOST_MS * MS)
        assert is_off(parts) and not parts.gate.q and not statics.gate_q()
        assert not statics.magnet_near()
    assert connect_when_ready(device, connect, 15.0).status().state_name == "ready"


def test_a_steady_current_flows_through_the_resistor_and_is_read(statics, parts, bench) -> None:
    parts.leads["left"].join_resistor(500.0)
    statics.keepalive(True)
    statics.hold(0.02)
    rest = [statics.read(channel) for channel in ("left", "current")]
    drive(statics, parts)
    statics.hold(1.0)  # longer than silence lasts
    assert statics.gate_q() and parts.bridges["left"].state is BridgeState.CATHODIC
    assert parts.leads["left"].resistor_volts(bench.now_ns) == pytest.approx(-2.0, rel=0.02)
    volts = (rest[0] - statics.read("left")) * 8.0566e-3
    milliamps = (rest[1] - statics.read("current")) * 5.3711e-3
    assert volts == pytest.approx(2.0, rel=0.03) and milliamps == pytest.approx(4.0, rel=0.03)
    statics.bridge(0, "anodic")
    statics.hold(0.02)
    assert parts.leads["left"].resistor_volts(bench.now_ns) == pytest.approx(2.0, rel=0.02)


def test_both_leads_are_held_apart(statics, parts) -> None:
    statics.keepalive(True)
    statics.code(1, 800)
    statics.bridge(1, "recharge")
    statics.hold(0.01)
    assert (parts.dac.code(0), parts.dac.code(1)) == (0, 800)
    assert parts.bridges["left"].state is BridgeState.OFF
    assert parts.bridges["right"].state is BridgeState.RECHARGE


def test_a_host_that_falls_silent_leaves_the_output_off(statics, parts, bench) -> None:
    drive(statics, parts)
    assert bench.run_until(lambda: parts.bridges["left"].state is BridgeState.OFF, OFF_MS * MS, MS)
    bench.run_for(Q_MOST_MS * MS)
    assert not parts.gate.q and parts.dac.code(0) == 0 and is_off(parts)
    with pytest.raises(StaticsEndedError, match="silence"):
        statics.code(0, 1)


@pytest.mark.control("C-06")
def test_a_board_that_hangs_is_ended_by_the_monostable(statics, parts, bench) -> None:
    drive(statics, parts)
    bench.board("stimulator").hang()
    assert bench.run_until(lambda: parts.bridges["left"].state is BridgeState.OFF, Q_MOST_MS * MS, MS)
    bench.board("stimulator").reset()


@pytest.mark.control("C-03")
def test_a_magnet_ends_it_for_good(statics, parts, bench) -> None:
    drive(statics, parts)
    parts.magnet.close()
    assert bench.run_until(lambda: parts.bridges["left"].state is BridgeState.OFF, 2 * MS, 100_000)
    bench.run_for(50 * MS)
    parts.magnet.open()
    bench.run_for(50 * MS)
    assert is_off(parts) and not parts.gate.q
    with pytest.raises(StaticsEndedError, match="magnet"):
        statics.keepalive(True)


def test_ctrl_c_ends_it(statics, parts, bench, device) -> None:
    drive(statics, parts)
    device.board.console.write(b"\x03")
    assert bench.run_until(lambda: parts.bridges["left"].state is BridgeState.OFF, 50 * MS, MS)
    bench.run_for(Q_MOST_MS * MS)
    assert not parts.gate.q and is_off(parts)


def test_nothing_is_held_for_longer_than_two_minutes(statics, parts, bench) -> None:
    drive(statics, parts)
    with pytest.raises(StaticsEndedError, match="held for too long"):
        statics.hold(125.0)
    assert is_off(parts)


def test_an_error_of_the_host_switches_off(device, parts, bench) -> None:
    with pytest.raises(KeyboardInterrupt), StaticOutput(device) as statics:
        drive(statics, parts)
        raise KeyboardInterrupt
    assert is_off(parts)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("c 0 4096", "no such lead or code"),
        ("c 2 0", "no such lead or code"),
        ("b 0 3", "no such lead or state"),
        ("r 5 1", "no such channel"),
        ("r 0 257", "no such channel"),
        ("t 17 17 10001 8", "too much"),
        ("t 17 17 1000 201", "too much"),
        ("t 256 0 1000 8", "a byte for each lead"),
        ("s 1", "not understood"),
        ("x", "not understood"),
        ("c 0 zero", "not understood"),
        ("", "not understood"),
        ("k" * 60, "not understood"),
    ],
)
def test_what_is_refused_changes_nothing(statics, parts, bench, line, reason) -> None:
    drive(statics, parts)
    with pytest.raises(StaticsRefusedError, match=reason):
        statics._ask(line)
    statics.hold(0.05)
    assert parts.bridges["left"].state is BridgeState.CATHODIC and parts.dac.code(0) == 1600


def test_no_steady_current_with_electrodes_joined(statics, parts) -> None:
    statics.keepalive(True)
    statics.switches(SAME, 0)
    with pytest.raises(StaticsRefusedError, match="electrodes are joined"):
        statics.bridge(0, "cathodic")
    statics.switches(0, 0)
    statics.bridge(0, "cathodic")
    with pytest.raises(StaticsRefusedError, match="electrodes stay open"):
        statics.switches(SAME, 0)
    with pytest.raises(StaticsRefusedError, match="a bridge drives"):
        statics.train((SAME, SAME), 1000, 8)


def test_a_train_through_two_switches_tells_their_resistance(statics, parts) -> None:
    found = statics.train((SAME, SAME), 5000, 100)
    for lead, codes in enumerate(found):
        rest = sum(codes[:4]) / 4
        driven = sum(codes[k] for k, kind in enumerate(KINDS) if kind == "V") / KINDS.count("V")
        ohm = (rest - driven) * 8.0566 / 5.0
        assert ohm == pytest.approx(2 * parts.matrix.r_on_ohm[lead], rel=0.03)
    assert is_off(parts)


def test_a_thread_asks_while_a_person_takes_time(bench, parts) -> None:
    with served(bench, 2.0) as paths, SerialDevice(paths["stimulator"]) as device:
        connect_when_ready(device, connect, 30.0)
        with StaticOutput(device) as statics:
            statics.keepalive(True)
            with statics.held():
                device.console.wait(1.5)
            assert statics.gate_q()
        assert isinstance(connect_when_ready(device, connect, 30.0), Stimulator)


def test_another_firmware_is_told_as_such(device) -> None:
    device.enter_repl().exec("import sys; sys.modules['main'] = 1")
    with pytest.raises(StimbenchError, match="start"):
        StaticOutput(device).open()
