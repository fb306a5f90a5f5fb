"""What the output stage holds: each lead its own switches, nothing after off; no switch in a reading."""

import pytest
from stimbench.parts.wiring import StimulatorWiring
from stimfw.drivers import adg1414
from stimfw.protocol import messages
from support import scene
from support.board import Board
from support.scene import HOLD, MS, pulse

DIFFERENT = dict(HOLD, left__cathode=0, left__anode=1, right__cathode=3, right__anode=2)
LEFT, RIGHT = adg1414.select(0, 1), adg1414.select(3, 2)
LEFT_OHM, RIGHT_OHM = 400, 1500
LOW_OHM = 100
MEAN_TOLERANCE_OHM = 2
"""Of the mean of a lead's 12 pairs: two closed switches that are not subtracted would add 5."""
PERCENT = 2


def pulse_on_different_electrodes(board):
    """Begin a session. Moving electrodes zeroes the amplitude, so it is set once more."""
    board.set(**DIFFERENT)
    pulse(board, **DIFFERENT)


def end(board, bench, how):
    """End a session in one of the ways, and let the board finish."""
    if how == "stop":
        board.client.stop()
    else:
        bench.magnet(True)
        bench.run_for(50 * MS)
    bench.run_for(20 * MS)


@pytest.mark.control("C-16")
@pytest.mark.parametrize("how", ["stop", "magnet"])
def test_a_session_uses_each_leads_own_electrodes_and_off_opens_them_and_zeroes_the_dac(
    board: Board, bench, how
):
    parts = bench.board("stimulator").parts
    pulse_on_different_electrodes(board)
    assert (parts.matrix.mask(0), parts.matrix.mask(1)) == (LEFT, RIGHT)
    assert min(parts.dac.code(0), parts.dac.code(1)) > 0
    end(board, bench, how)
    assert (parts.matrix.mask(0), parts.matrix.mask(1)) == (0, 0), "electrodes open"
    assert (parts.dac.code(0), parts.dac.code(1)) == (0, 0), "DAC outputs zero, and latched"


@pytest.mark.control("C-16")
@pytest.mark.bench(
    wiring={
        "stimulator": StimulatorWiring(open_electrodes=(("left", 2), ("left", 3), ("right", 0), ("right", 1)))
    }
)
def test_current_flows_where_only_the_programmes_electrodes_are_whole(board: Board, bench):
    pulse_on_different_electrodes(board)
    for name, wanted_ua in (("I_LEFT", HOLD["left__amplitude_ua"]), ("I_RIGHT", HOLD["right__amplitude_ua"])):
        since_ns = bench.now_ns - 200 * MS
        found = [abs(i0) for t0, _, i0, _ in bench.trace.currents[name].segments if t0 >= since_ns]
        assert max(found) == pytest.approx(wanted_ua, rel=0.02), name


@pytest.mark.control("C-17")
def test_leads_that_differ_are_not_mixed_up(board: Board, bench):
    leads = bench.board("stimulator").parts.leads
    for name, ohm in (("left", LEFT_OHM), ("right", RIGHT_OHM)):
        leads[name].set_pair(r_s_ohm=ohm, c_dl_uf=5)
    for pair in board.client.measure_impedance():
        ohm = (LEFT_OHM, RIGHT_OHM)[pair.lead]
        assert pair.kind == messages.KIND_OK
        assert abs(pair.ohm - ohm) * 100 <= ohm * PERCENT, pair


@pytest.mark.bench(wiring={"stimulator": StimulatorWiring(ideal=True, pair_r_s_ohm=LOW_OHM)})
def test_the_two_switches_are_not_in_the_reading(board: Board, bench):
    pairs = board.client.measure_impedance()
    for lead in (0, 1):
        found = [pair.ohm for pair in pairs if pair.lead == lead]
        assert len(found) == 12
        assert abs(sum(found) / len(found) - LOW_OHM) <= MEAN_TOLERANCE_OHM, found
    assert scene.bridges_low(bench)
