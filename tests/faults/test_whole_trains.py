"""A train that ends by itself ends with a whole pulse: nothing is cut, at any rate, and none is missing."""

import pytest
from support import scene
from support.board import Board
from support.scene import HOLD, MS, S

TEST_WIDTH_NS = 200_000  # of the self-test before it
SELF_TEST_PULSES = 51


def widths(bench, signal, start_ns):
    edges = bench.trace.edges("stimulator", signal, start_ns)
    return [fell - rose for (rose, _), (fell, _) in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.control("C-19")
@pytest.mark.parametrize(
    ("rate_hz", "width_us", "amplitude_ua"),  # as much as 25 nA of net direct current allow, up to 2 mA
    [(200, 1000, 125), (199, 1000, 125), (37, 214, 2000), (20, 1000, 1275), (2, 20, 2000)],
)
def test_every_pulse_of_a_contraction_and_its_self_test_is_whole(
    board: Board, bench, rate_hz, width_us, amplitude_ua
):
    both = {"left__amplitude_ua": amplitude_ua, "right__amplitude_ua": amplitude_ua}
    board.set(**HOLD | both | {"rate_hz": rate_hz, "width_us": width_us, "on_ms": 1000, "off_ms": 60_000})
    start_ns = bench.now_ns
    board.client.start()
    bench.run_for(scene.SELF_TEST_NS + 1500 * MS + S // rate_hz)
    wanted = 1000 * 1000 // (1_000_000 // rate_hz)
    for signal in scene.DRIVE:
        found = widths(bench, signal, start_ns)
        assert set(found) == {TEST_WIDTH_NS, width_us * 1000}, signal
        tests = found.count(TEST_WIDTH_NS)
        assert SELF_TEST_PULSES <= tests <= SELF_TEST_PULSES + 2
        assert len(found) - tests == wanted, f"{signal}: {len(found) - tests} pulses"
