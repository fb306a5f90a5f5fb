"""The whole board: what is soldered where, and what self-tests can see."""

import pytest
from stimbench.parts.bridge import BridgeState
from stimbench.parts.radio import AirChannel
from stimbench.parts.wiring import RemoteWiring, StimulatorWiring, wire_remote, wire_stimulator
from support.parts_fakes import MS, US, FakeBoard


def stimulator(**config):
    board = FakeBoard()
    return board, wire_stimulator(board, StimulatorWiring(**config), AirChannel())


def therapy(board, pulses):
    for _ in range(pulses):
        board.keep_alive()
        for signal in ("L_CATH", "L_ANOD"):
            board.phase(signal, 214 * US)
            board.clock.run_for(20 * US)
        board.phase("L_SHORT", 45 * MS)


def test_magnet_turns_the_output_off_without_software():
    board, parts = stimulator(bounce_ms=0, ideal=True)
    board.set_dac(0, 1600)
    board.set_matrix(0x21)
    board.keep_alive()
    board.pin("L_ANOD").out(True)
    assert parts.bridges["left"].state is BridgeState.ANODIC
    parts.magnet.close()
    assert not board.pin("MAGNET").level
    assert parts.bridges["left"].state is BridgeState.OFF
    board.keep_alive()
    assert not parts.gate.q
    parts.magnet.open()
    board.clock.run_for(200 * MS)
    assert not parts.gate.q, "KEEPALIVE stands high, and the rising reset triggers nothing"
    assert parts.bridges["left"].state is BridgeState.OFF
    board.keep_alive()
    assert parts.gate.q, "only an edge of KEEPALIVE does, which is why firmware must have stopped too"


def test_clr_cut_leaves_the_magnet_to_the_firmware():
    board, parts = stimulator(clr_cut=True, bounce_ms=0)
    board.keep_alive()
    parts.magnet.close()
    assert parts.gate.q and not board.pin("MAGNET").level


def test_a_dac_at_reset_delivers_next_to_nothing():
    board, parts = stimulator()
    board.set_matrix(0x21)
    board.keep_alive()
    board.phase("L_CATH", 1 * MS)
    assert abs(parts.leads["left"].charge_nc()) < 1.0


def test_open_electrodes_at_start():
    _, parts = stimulator(open_electrodes=(("right", 3),))
    assert parts.leads["right"].electrodes[3].is_open
    assert not parts.leads["left"].electrodes[3].is_open


@pytest.mark.parametrize(
    "config",
    [{"absent": ("fpga",)}, {"open_electrodes": (("middle", 0),)}, {"open_electrodes": (("left", 4),)}],
)
def test_what_is_not_there_cannot_be_taken_away(config):
    with pytest.raises(ValueError, match=r"cannot remove|no electrode"):
        stimulator(**config)


def test_same_seed_same_bench_another_seed_another():
    def run(seed):
        board, parts = stimulator(seed=seed)
        board.set_dac(0, 1600)
        board.set_matrix(0x21)
        board.clock.run_for(100 * US)
        therapy(board, 3)
        now = board.clock.now_ns
        return parts.leads["left"].trace.segments, [board.sources[k](now) for k in range(5)]

    assert run(1) == run(1) != run(2)


def test_every_adc_input_is_wired():
    board, _ = stimulator()
    assert sorted(board.sources) == [0, 1, 2, 3, 4]
    remote = FakeBoard()
    wire_remote(remote, RemoteWiring(), AirChannel())
    assert sorted(remote.sources) == [3, 4]


def test_remote_has_its_buttons_leds_and_buzzer():
    board = FakeBoard()
    parts = wire_remote(board, RemoteWiring(bounce_ms=0), AirChannel())
    for signal, button in (("START", parts.start), ("STOP", parts.stop), ("STATUS", parts.status)):
        board.pin(signal).pull_up()
        assert board.pin(signal).level
        button.close()
        assert not board.pin(signal).level
    for color, led in parts.leds.items():
        board.pin(f"LED_{color.upper()}").out(True)
        assert led.on
    assert sorted(parts.leds) == ["amber", "green", "red"]
    with pytest.raises(ValueError, match="cannot remove"):
        wire_remote(FakeBoard(), RemoteWiring(absent=("dac",)), AirChannel())


def test_a_power_cut_makes_every_chip_forget():
    board, parts = stimulator()
    board.clock.run_for(100 * MS)
    board.set_dac(0, 1600)
    board.set_matrix(0x21, 0x42)
    board.select("RADIO_CSN", 1, b"\x25\x4c")
    board.keep_alive()
    board.pin("L_CATH").out(True)
    board.clock.run_for(1 * MS)
    cut = board.clock.now_ns
    parts.power(False, cut)
    assert parts.leads["left"].trace.segments[-1][1] == cut
    board.clock.run_for(1000 * MS)
    assert board.select("RADIO_CSN", 1, b"\x05\xff") == b"\0\0"
    parts.power(True, board.clock.now_ns)
    board.clock.run_for(100 * MS)
    assert not parts.gate.q and not parts.dac.is_on(0)
    assert (parts.matrix.mask(0), parts.matrix.mask(1)) == (0, 0)
    assert board.select("RADIO_CSN", 1, b"\x05\xff") == b"\x0e\x02", "channel 2 again"


def test_recharge_keeps_a_long_session_balanced():
    """A 5 % imbalance is taken back by the recharge: charge on the capacitor settles instead of growing."""
    board, parts = stimulator(ideal=True)
    lead = parts.leads["left"]
    lead.trace.enabled = False
    board.set_dac(0, 1600)
    board.set_matrix(0x21)
    board.clock.run_for(100 * US)
    nets = []
    for _ in range(200):
        board.keep_alive()
        board.phase("L_CATH", 214 * US)
        board.phase("L_ANOD", 203 * US)
        board.phase("L_SHORT", 45 * MS)
        nets.append(lead.charge_nc())
    assert abs(nets[-1]) < 4e-3 * 11e-6 * 1e9, "less than one pulse's imbalance of 44 nC"
