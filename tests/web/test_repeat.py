"""A run repeated to be saved: the record of the bench, and states at fixed times of it."""

import numpy as np
import pytest
from stimbench.analysis import pulses_of
from stimbench.web.repeat import repeated_run
from stimbench.web.run_file import Run, RunConfig
from support.saved_runs import states_of
from support.web import repeated

pytestmark = pytest.mark.emulated

S = 1_000_000_000
ACTIONS = [
    (1 * S, "program", {"fields": {"left.amplitude_ua": 2000, "right.amplitude_ua": 1500}}),
    (2 * S, "start", {}),
    (4 * S, "magnet", {"state": "on"}),
    (5 * S, "press", {"button": "STATUS"}),
]
RUN = Run(config=RunConfig(seed=3), actions=ACTIONS, until_ns=5 * S)


@pytest.fixture(scope="module")
def saved():
    return repeated_run(RUN)


def test_the_record_is_that_of_the_bench(saved):
    capture = repeated(RUN).bench.trace.capture()
    assert saved.about["end_ns"] >= 5 * S
    for lead in ("left", "right"):
        expected = pulses_of(capture, lead)
        starts = saved.arrays[f"{lead}.pulses.start_ns"][1]
        assert len(starts) > 20
        assert starts.tolist() == expected["start_ns"].tolist()
        assert np.array_equal(saved.arrays[f"{lead}.pulses.cathodic_ns"][1], expected["cathodic_ns"])


def test_all_its_actions_are_done_also_in_its_last_instant(saved):
    assert [name for _, name, _ in saved.about["actions"]] == [name for _, name, _ in ACTIONS]


def test_states_come_each_tenth_of_a_second_of_the_bench(saved):
    states = states_of(saved.states)
    assert max(np.diff([t_ns for t_ns, _ in states])) <= 0.11 * S
    held = {t_ns: state["views"]["boards"]["magnet"] for t_ns, state in states}
    assert not any(on for t_ns, on in held.items() if t_ns <= 4 * S)
    assert all(on for t_ns, on in held.items() if t_ns > 4.01 * S)


def test_a_run_gives_the_same_file_again(saved):
    again = repeated_run(RUN)
    assert again.about == saved.about
    assert [block.data for block in again.blocks()] == [block.data for block in saved.blocks()]
