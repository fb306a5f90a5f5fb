"""A host that asks in a fast ramp: each pulse has its step's amplitude all the same."""

import numpy as np
import pytest
from stimbench.analysis import current_of, pulses_of
from stimbench.client.on_bench import ready_bench
from support import scene
from support.branches import branch

pytestmark = pytest.mark.emulated

MS = 1_000_000
RATE_HZ = 198  # half a period is 2.5 ms: so long before the right lead's pulse the CPU is called
STEP_UA = 2000 / RATE_HZ  # 2 mA in 1000 ms
MOMENTS_NS = [k * 3_700_000 for k in range(4)]  # at three of them a request once made a step late


@pytest.fixture(scope="module")
def ramping():
    """A bench whose ramp at 198 Hz has begun, and its host's client."""
    values = {"left_amplitude_ua": 2000, "right_amplitude_ua": 2000}
    with ready_bench(rate_hz=RATE_HZ, ramp_up_ms=1000, **values) as (bench, stimulator):
        stimulator.set_program(stimulator.program().replaced({"width_us": 100}))
        stimulator.start()
        bench.run_for(scene.SELF_TEST_NS)
        begins_ns = bench.now_ns
        bench.run_until(
            lambda: len(bench.trace.edges("stimulator", "R_CATH", begins_ns)) > 2, timeout_ns=2000 * MS
        )
        yield bench, stimulator


@pytest.mark.parametrize("after_ns", MOMENTS_NS)
def test_a_status_leaves_every_step_of_a_fast_ramp_in_its_place(ramping, after_ns):
    bench, stimulator = ramping

    def ask() -> None:
        bench.run_for(100 * MS + after_ns)
        asked_ns = bench.now_ns
        stimulator.status()
        assert bench.now_ns - asked_ns < 150 * MS, "one step of it in each period"
        bench.run_for(200 * MS)
        capture = bench.trace.capture(asked_ns - 20 * MS)
        for side in ("left", "right"):
            amplitude_ua = current_of(capture, side).cathodic_ua(pulses_of(capture, side))
            assert len(amplitude_ua) > 40
            assert np.abs(np.diff(amplitude_ua) - STEP_UA).max() < STEP_UA / 2, side

    branch(ask)
