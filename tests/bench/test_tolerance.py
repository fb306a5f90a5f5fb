"""`BenchConfig.tolerance` reaches the parts of a bench."""

import pytest
from stimbench.errors import BenchError


@pytest.mark.emulated
@pytest.mark.parametrize(("tolerance", "share"), [("typical", 0.0), ("worst", 0.11)])
def test_the_parts_of_a_bench_are_where_it_says(make_bench, tolerance, share):
    gate = make_bench(boards=("stimulator",), tolerance=tolerance).board("stimulator").parts.gate
    assert abs(gate.pulse_ns / 120e6 - 1.0) == pytest.approx(share, abs=1e-6)


def test_one_that_there_is_not_is_refused(make_bench):
    with pytest.raises(BenchError, match="typical, worst or a seed, not 'loose'"):
        make_bench(boards=("stimulator",), tolerance="loose")
