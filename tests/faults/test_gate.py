"""A monostable at its shortest: once its gate has closed by itself, no current flows without a new START."""

import pytest
from stimbench.parts.wiring import StimulatorWiring
from stimfw.protocol import messages
from stimfw.therapy import gate
from support import scene
from support.board import Board
from support.branches import branch
from support.scene import MS

SHORTEST = -gate.TOLERANCE_PERCENT / 100
STILL_MS = range(10, 112, 6)
"""How long the CPU stands still; an edge of KEEPALIVE was up to 50 ms before."""
LAST_PULSE_NS = MS


def stand_still(bench, still_ms):
    """Whether the gate closed; if it did, that was a stop."""
    stimulator = bench.board("stimulator")
    closed_ns = []
    stimulator.parts.gate.on_change(lambda opened, at_ns: None if opened else closed_ns.append(at_ns))
    stimulator.hang()
    bench.run_for(still_ms * MS)
    stimulator.unhang()
    bench.run_for(300 * MS)
    if not closed_ns:
        assert scene.last_current_ns(bench) > bench.now_ns - 60 * MS, f"{still_ms} ms: it still pulses"
        return False
    assert scene.last_current_ns(bench) <= closed_ns[0] + LAST_PULSE_NS, f"{still_ms} ms"
    assert scene.bridges_low(bench)
    return True


@pytest.mark.control("C-06", "C-08")
@pytest.mark.bench(wiring={"stimulator": StimulatorWiring(pulse_tolerance=SHORTEST)})
def test_a_gate_that_closed_by_itself_stays_closed(board: Board, bench):
    scene.pulse(board)
    pulse_ns = bench.board("stimulator").parts.gate.pulse_ns
    assert pulse_ns // MS == gate.SHORTEST_MS
    closed = [branch(lambda still_ms=still_ms: stand_still(bench, still_ms)) for still_ms in STILL_MS]
    assert set(closed) == {False, True}, "both kinds of pause"
    bench.board("stimulator").hang()
    bench.run_for(pulse_ns)
    bench.board("stimulator").unhang()
    bench.run_for(50 * MS)
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_FAULT)
