"""The self-test before each session: each part of the output that can fail is named, and none is driven."""

import pytest
from stimbench.bench import BenchConfig
from stimbench.client.on_bench import ready_bench
from stimbench.errors import WrongStateError
from stimfw.protocol import messages
from support.board import Board
from support.scene import HOLD, MS, pulse

SIDES = ("left", "right")


def parts_of(bench):
    return bench.board("stimulator").parts


def changed(lead):
    lead.part_changed()


def q_low(parts):
    parts.gate.stick(False)


def q_high(parts):
    parts.gate.stick(True)


def q_long(parts):
    parts.gate.tolerance(120.0, 0.5)


def q_short(parts):
    parts.gate.tolerance(120.0, -0.5)


def reset_open(parts):
    parts.gate.cut_clr()


FAULTS = {
    "Q low": (q_low, "gate"),
    "Q high": (q_high, "gate"),
    "Q for 180 ms": (q_long, "gate"),
    "Q for 60 ms": (q_short, "gate"),
    "its reset open": (reset_open, "gate"),
}


def of(side):
    """Faults of one lead's parts."""

    def relay(fixed):
        return lambda parts: parts.relays[side].fix(fixed)

    def gain(share):
        def harm(parts):
            parts.pumps[side].gain_fault = share
            parts.leads[side].part_changed()

        return harm

    def saturated(parts):
        parts.pumps[side].saturated = True
        parts.leads[side].part_changed()

    def anodic(share):
        def harm(parts):
            parts.bridges[side].anodic_share = share
            parts.leads[side].part_changed()

        return harm

    def idle(parts):
        parts.bridges[side].idle.is_open = True

    def switch(bit, closed):
        return lambda parts: parts.matrix.stick(SIDES.index(side), bit, closed, 0)

    return {
        f"{side} relay welded": (relay(True), "relay"),
        f"{side} relay open": (relay(False), "relay"),
        f"{side} pump dead": (gain(0.0), "pump"),
        f"{side} pump of 110 %": (gain(1.1), "pump"),
        f"{side} pump saturated": (saturated, "pump"),
        f"{side} anodic switch open": (anodic(0.0), "bridge"),
        f"{side} anodic switch shunted": (anodic(0.75), "bridge"),
        f"{side} idle leg open": (idle, "idle leg"),
        f"{side} DAC stuck": (lambda parts: parts.dac.stick(SIDES.index(side), 900), "dac"),
        **{f"{side} switch {bit} open": (switch(bit, False), "matrix") for bit in range(8)},
        **{f"{side} switch {bit} closed": (switch(bit, True), "matrix") for bit in range(8)},
    }


for each in SIDES:
    FAULTS.update(of(each))
FAULTS["current amplifier's offset"] = (lambda parts: parts.current_sense.shift(0.05), "sense")
FAULTS["DAC reference + 5 %"] = (lambda parts: parts.dac.reference(4.096 * 1.05), "reference")
FAULTS["converter's reference - 5 %"] = (lambda parts: setattr(parts.adc, "vref_v", 3.3 * 0.95), "reference")


def test_a_healthy_board_passes_and_nothing_flows_in_the_tissue(board: Board, bench):
    parts = parts_of(bench)
    before = {side: parts.leads[side].charge_nc() for side in SIDES}
    assert board.client.self_test() == ()
    assert board.client.status().failed_parts == ()
    for side, lead in parts.leads.items():
        assert {what for _, what in lead.events} == {"compliance"}, "into switches that are open"
        assert abs(lead.charge_nc() - before[side]) < 1.0


@pytest.mark.parametrize(("tolerance", "seed"), [("worst", 1), ("worst", 2), ("worst", 3), (1, 1), (2, 1)])
def test_sound_parts_anywhere_within_their_limits_pass(tolerance, seed):
    with ready_bench(BenchConfig(seed=seed, tolerance=tolerance)) as (_, stimulator):
        assert stimulator.status().failed_parts == ()
        assert stimulator.self_test() == ()


@pytest.mark.control("C-15")
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_and_no_session_starts(board: Board, bench, fault):
    harm, part = FAULTS[fault]
    harm(parts_of(bench))
    assert board.client.self_test() == (part,)
    with pytest.raises(WrongStateError, match="self-test"):
        pulse(board, **HOLD)


@pytest.mark.parametrize("fault", ["left relay welded", "its reset open", "right pump dead"])
def test_a_fault_that_came_while_it_was_off_ends_the_start_of_a_session(board: Board, bench, fault):
    harm, part = FAULTS[fault]
    harm(parts_of(bench))
    board.set(**HOLD)
    board.client.start()
    bench.run_for(1000 * MS)
    status = board.client.status()
    assert status.state == messages.FAULT and status.failed_parts == (part,)
